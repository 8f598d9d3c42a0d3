//! Testaments.

use wamp_session::PublishOptions;
use wamp_session::meta::{self, Testament, TestamentScope};
use wamp_session::proto::{ArgsKwargs, Dict, Format, Value};

use super::{ask, session_id};
use crate::support::uri;

#[test]
fn tst_01_a_testament_is_an_event_to_come() {
    let add = |testament: &Testament, call: &str| {
        let payload = ArgsKwargs(("Seeya!",), Dict::from_iter([("my_name", "app1")]));
        let request = meta::add_testament(&uri("com.myapp.mytopic"), payload, testament, Format::Json).unwrap();
        ask(
            &request,
            &format!(r#""wamp.session.add_testament",["com.myapp.mytopic",["Seeya!"],{{"my_name":"app1"}}]{call}"#),
            "",
        )
    };
    assert_eq!(add(&Testament::new(), ""), Ok(()));
    assert_eq!(add(&Testament::new().scope(TestamentScope::Detached), r#",{"scope":"detached"}"#), Ok(()));
    let options =
        PublishOptions::new().exclude_me(false).eligible_authrole(["admin"]).exclude([session_id(7)]).retain();
    let options = options.exclude_authid(["joe"]).option("_x_y", 1).unwrap();
    let kwargs = concat!(
        r#",{"publish_options":{"_x_y":1,"eligible_authrole":["admin"],"exclude":[7],"exclude_authid":["joe"],"#,
        r#""exclude_me":false,"retain":true},"scope":"destroyed"}"#
    );
    assert_eq!(add(&Testament::new().scope(TestamentScope::Destroyed).options(options), kwargs), Ok(()));
    // Without arguments there are empty ones.
    let bare = meta::add_testament(&uri("a.b"), (), &Testament::new(), Format::Json).unwrap();
    assert_eq!(ask(&bare, r#""wamp.session.add_testament",["a.b",[],{}]"#, ""), Ok(()));
}

#[test]
fn tst_01_a_testament_keeps_bytes_in_every_format() {
    for format in Format::ALL {
        let payload = (Value::Bytes(vec![0, 255].into()),);
        let request = meta::add_testament(&uri("a.b"), payload, &Testament::new(), *format).unwrap();
        let args = request.payload(*format).unwrap().arg::<Value>(1).unwrap();
        assert_eq!(args, Value::List(vec![Value::Bytes(vec![0, 255].into())]));
    }
    let nan = meta::add_testament(&uri("a.b"), f64::NAN, &Testament::new(), Format::Json);
    assert!(nan.is_err(), "what the format cannot carry fails at once");
}

#[test]
fn tst_02_testaments_are_taken_back_by_scope() {
    let detached = meta::flush_testaments(TestamentScope::Detached);
    assert_eq!(ask(&detached, r#""wamp.session.flush_testaments",[],{"scope":"detached"}"#, ""), Ok(()));
    let destroyed = meta::flush_testaments(TestamentScope::Destroyed);
    assert_eq!(ask(&destroyed, r#""wamp.session.flush_testaments",[],{"scope":"destroyed"}"#, ""), Ok(()));
}

#[test]
fn tst_03_what_routers_answer_is_ignored() {
    for result in ["", ",[5]", ",[null]", r#",["x"],{"y":1}"#] {
        let add = meta::add_testament(&uri("a.b"), (), &Testament::new(), Format::Json).unwrap();
        assert_eq!(ask(&add, r#""wamp.session.add_testament",["a.b",[],{}]"#, result), Ok(()));
        let flush = meta::flush_testaments(TestamentScope::Destroyed);
        assert_eq!(ask(&flush, r#""wamp.session.flush_testaments",[],{"scope":"destroyed"}"#, result), Ok(()));
    }
}
