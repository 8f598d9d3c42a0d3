//! What the application wants of the session.

use wamp_session::proto::{Payload, Uri};
use wamp_session::{
    CallKey, CallOptions, CloseReason, PublishKey, PublishOptions, RegisterOptions, RegistrationKey, SubscribeOptions,
    SubscriptionKey,
};

use super::{Peer, uri};

impl Peer {
    pub(crate) fn call(&mut self, procedure: &str) -> CallKey {
        self.session.call(self.now, uri(procedure), Payload::new(), CallOptions::new()).unwrap()
    }

    pub(crate) fn publish(&mut self, topic: &str) {
        self.session.publish(self.now, uri(topic), Payload::new(), PublishOptions::new()).unwrap();
    }

    pub(crate) fn publish_acked(&mut self, topic: &str) -> PublishKey {
        self.session.publish_acked(self.now, uri(topic), Payload::new(), PublishOptions::new()).unwrap()
    }

    pub(crate) fn subscribe(&mut self, topic: &str) -> SubscriptionKey {
        self.session.subscribe(self.now, uri(topic), SubscribeOptions::new()).unwrap()
    }

    pub(crate) fn unsubscribe(&mut self, key: SubscriptionKey) {
        self.session.unsubscribe(self.now, key).unwrap();
    }

    pub(crate) fn register(&mut self, procedure: &str) -> RegistrationKey {
        self.session.register(self.now, uri(procedure), RegisterOptions::new()).unwrap()
    }

    pub(crate) fn unregister(&mut self, key: RegistrationKey) {
        self.session.unregister(self.now, key).unwrap();
    }

    pub(crate) fn close(&mut self) {
        self.session.close(self.now, CloseReason::CloseRealm);
    }

    /// A subscription that the router has confirmed with an id.
    #[track_caller]
    pub(crate) fn subscribed(&mut self, topic: &str, id: u64) -> SubscriptionKey {
        self.subscribed_with(uri(topic), SubscribeOptions::new(), id)
    }

    #[track_caller]
    pub(crate) fn subscribed_with(&mut self, topic: Uri, options: SubscribeOptions, id: u64) -> SubscriptionKey {
        let key = self.session.subscribe(self.now, topic, options).unwrap();
        let request = self.sent_request(32);
        self.receive(&format!("[33,{request},{id}]"));
        self.expect_subscribed(key).unwrap();
        key
    }

    /// A registration that the router has confirmed with an id.
    #[track_caller]
    pub(crate) fn registered(&mut self, procedure: &str, id: u64) -> RegistrationKey {
        self.registered_with(uri(procedure), RegisterOptions::new(), id)
    }

    #[track_caller]
    pub(crate) fn registered_with(&mut self, procedure: Uri, options: RegisterOptions, id: u64) -> RegistrationKey {
        let key = self.session.register(self.now, procedure, options).unwrap();
        let request = self.sent_request(64);
        self.receive(&format!("[65,{request},{id}]"));
        self.expect_registered(key).unwrap();
        key
    }
}
