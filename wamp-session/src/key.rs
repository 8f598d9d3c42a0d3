//! Local names of what a session keeps: they survive a new transport, the ids on the wire do not.

macro_rules! keys {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub(crate) u64);
    )*};
}

keys! {
    /// A call, until its final event.
    CallKey
    /// A publication that is acknowledged or waits for a join, until its final event.
    PublishKey
    /// A local subscription; several may share one at the router.
    SubscriptionKey
    /// A registration.
    RegistrationKey
    /// An invocation, until it is answered or its session ends.
    InvocationKey
}
