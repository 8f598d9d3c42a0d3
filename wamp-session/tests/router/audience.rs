//! Who receives an event: black- and whitelists.

use wamp_session::proto::SessionId;
use wamp_session::router::{PeerId, RealmConfig, User};

use crate::world::{World, config};

/// A router with a publisher and the subscribers joe (role a), mary (role a) and bob (role b).
struct Audience {
    world: World,
    publisher: PeerId,
    subscribers: [PeerId; 3],
    requests: u64,
}

impl Audience {
    fn new() -> Self {
        let user = |name: &'static str, role: &'static str| User::ticket(name, "x").role(role);
        let realm = RealmConfig::new("realm1").unwrap().anonymous("guest");
        let realm = realm.user(user("joe", "a")).user(user("mary", "a")).user(user("bob", "b"));
        let mut world = World::new(config().realm(realm));
        let publisher = world.client();
        let subscribers = ["joe", "mary", "bob"].map(|name| {
            let hello = format!(
                r#"[1,"realm1",{{"authmethods":["ticket"],"authid":"{name}","roles":{{"subscriber":{{}},"publisher":{{}}}}}}]"#
            );
            let peer = world.greet(&hello);
            world.send(peer, r#"[5,"x",{}]"#);
            world.send(peer, r#"[32,1,{},"a.b"]"#);
            world.take(peer);
            peer
        });
        Self { world, publisher, subscribers, requests: 0 }
    }

    fn session(&self, subscriber: usize) -> SessionId {
        let of_peer = |(peer, _): &(PeerId, SessionId)| *peer == self.subscribers[subscriber];
        self.world.router.sessions("realm1").find(of_peer).unwrap().1
    }

    /// Publishes with options, and says who received the event.
    fn reaches(&mut self, options: &str) -> Vec<&'static str> {
        self.requests += 1;
        self.world.send(self.publisher, &format!(r#"[16,{},{{{options}}},"a.b"]"#, self.requests));
        let names = ["joe", "mary", "bob"].into_iter().zip(self.subscribers);
        names.filter(|(_, peer)| !self.world.take(*peer).is_empty()).map(|(name, _)| name).collect()
    }
}

#[test]
fn bwl_01_lists_leave_out_sessions_authids_and_authroles() {
    let mut audience = Audience::new();
    let (joe, bob) = (audience.session(0), audience.session(2));
    assert_eq!(audience.reaches(""), ["joe", "mary", "bob"]);
    assert_eq!(audience.reaches(&format!(r#""exclude":[{bob},{joe}]"#)), ["mary"]);
    assert_eq!(audience.reaches(r#""exclude_authid":["mary","nobody"]"#), ["joe", "bob"]);
    assert_eq!(audience.reaches(r#""exclude_authrole":["a"]"#), ["bob"]);
}

#[test]
fn bwl_01_lists_name_the_only_sessions_authids_and_authroles() {
    let mut audience = Audience::new();
    let (joe, mary) = (audience.session(0), audience.session(1));
    assert_eq!(audience.reaches(&format!(r#""eligible":[{mary},{joe},1]"#)), ["joe", "mary"]);
    assert_eq!(audience.reaches(r#""eligible_authid":["joe","bob"]"#), ["joe", "bob"]);
    assert_eq!(audience.reaches(r#""eligible_authrole":["b","c"]"#), ["bob"]);
}

#[test]
fn bwl_01_a_subscriber_has_to_pass_all_lists() {
    let mut audience = Audience::new();
    let joe = audience.session(0);
    assert_eq!(audience.reaches(r#""eligible_authrole":["a"],"exclude_authid":["joe"]"#), ["mary"]);
    assert_eq!(audience.reaches(r#""eligible_authrole":["a"],"eligible_authid":["bob","joe"]"#), ["joe"]);
    assert_eq!(audience.reaches(&format!(r#""eligible":[{joe}],"exclude":[{joe}]"#)), [""; 0]);
}

#[test]
fn bwl_02_an_empty_list_of_those_who_are_eligible_is_nobody() {
    let mut audience = Audience::new();
    for list in ["eligible", "eligible_authid", "eligible_authrole"] {
        assert_eq!(audience.reaches(&format!(r#""{list}":[]"#)), [""; 0], "{list}");
    }
    for list in ["exclude", "exclude_authid", "exclude_authrole"] {
        assert_eq!(audience.reaches(&format!(r#""{list}":[]"#)), ["joe", "mary", "bob"], "{list}");
    }
}

#[test]
fn pex_01_the_publisher_is_left_out_whatever_the_lists_say() {
    let mut audience = Audience::new();
    audience.publisher = audience.subscribers[0];
    audience.requests = 1;
    assert_eq!(audience.reaches(r#""eligible_authid":["joe"]"#), [""; 0]);
    assert_eq!(audience.reaches(r#""eligible_authid":["joe"],"exclude_me":false"#), ["joe"]);
    assert_eq!(audience.reaches(r#""exclude_authid":["joe"],"exclude_me":false"#), ["mary", "bob"]);
}
