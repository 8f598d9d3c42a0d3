//! The meta API.

use wamp_session::router::Quirks;

use super::{join, world};

#[test]
fn rtr_14_procedures_without_a_result_may_give_null() {
    for (quirks, result) in [(Quirks::none(), "[50,1,{}]"), (Quirks::none().null_results(), "[50,1,{},[null]]")] {
        let mut world = world(quirks);
        let peer = join(&mut world);
        world.send(peer, r#"[48,1,{},"wamp.session.add_testament",["a.b",[],{}]]"#);
        assert_eq!(world.one(peer), result);
        world.send(peer, r#"[48,2,{},"wamp.session.count"]"#);
        assert_eq!(world.one(peer), "[50,2,{},[1]]");
    }
}

#[test]
fn rtr_14_whoever_kills_by_role_may_kill_himself() {
    for (quirks, survivors) in [(Quirks::none(), 1), (Quirks::none().kill_caller(), 0)] {
        let mut world = world(quirks);
        let (killer, _) = (join(&mut world), join(&mut world));
        world.send(killer, r#"[48,1,{},"wamp.session.kill_by_authrole",["guest"]]"#);
        assert_eq!(world.router.sessions("realm1").count(), survivors);
    }
}
