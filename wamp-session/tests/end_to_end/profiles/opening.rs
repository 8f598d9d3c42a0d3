//! How routers of each kind let clients in, and do not.

use wamp_session::proto::Format;
use wamp_session::{CloseCause, Config, SessionEvent};

use super::{answer, each, join_as_joe};

#[test]
fn rtr_14_refused_credentials_end_the_session_at_once() {
    each(|world, profile| {
        let config = Config::new("mem:", "realm1").formats([Format::Json]);
        let client = world.connect(config, Some(("ticket", "joe")));
        answer(world, client, "wrong");
        let Some(SessionEvent::Closed(cause)) = world.event(client) else { panic!("{profile}: tries again") };
        let CloseCause::Abort(abort) = &*cause else { panic!("{profile}: {cause:?}") };
        let reason = match profile {
            "none" => "wamp.error.authentication_denied",
            "crossbar" => "wamp.error.not_authorized",
            _ => "wamp.error.authentication_failed",
        };
        assert_eq!((&*abort.reason, world.router.peers()), (reason, 0), "{profile}");
    });
}

#[test]
fn rtr_14_an_unknown_realm_ends_the_session_at_once() {
    each(|world, profile| {
        let client = world.connect(Config::new("mem:", "realm9"), None);
        let Some(SessionEvent::Closed(cause)) = world.event(client) else { panic!("{profile}: tries again") };
        assert!(matches!(&*cause, CloseCause::Abort(abort) if abort.reason == "wamp.error.no_such_realm"));
        assert_eq!(world.router.peers(), 0, "{profile}");
    });
}

#[test]
fn rtr_14_credentials_are_accepted_everywhere() {
    each(|world, _| {
        join_as_joe(world);
    });
}
