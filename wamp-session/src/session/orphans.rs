//! REGISTERs whose answer is still to come, and that nobody wants any more.

use std::collections::BTreeMap;

use wamp_proto::{RegisterOptions, RequestId, Uri};

use crate::RegistrationKey;

/// Those of one session, found by what they ask for and by whose they were.
#[derive(Debug, Default)]
pub(super) struct Orphans {
    by_procedure: BTreeMap<Uri, Vec<Orphan>>,
    procedures: BTreeMap<RegistrationKey, Uri>,
}

#[derive(Debug)]
struct Orphan {
    key: RegistrationKey,
    request: RequestId,
    options: RegisterOptions,
}

impl Orphans {
    pub(super) fn insert(
        &mut self,
        key: RegistrationKey,
        request: RequestId,
        procedure: Uri,
        options: RegisterOptions,
    ) {
        self.procedures.insert(key, procedure.clone());
        self.by_procedure.entry(procedure).or_default().push(Orphan { key, request, options });
    }

    /// Takes a REGISTER that asks for just this.
    pub(super) fn adopt(&mut self, procedure: &Uri, options: &RegisterOptions) -> Option<RequestId> {
        let orphans = self.by_procedure.get(procedure)?;
        let Orphan { key, request, .. } = *orphans.iter().find(|orphan| orphan.options == *options)?;
        self.answered(key);
        Some(request)
    }

    /// Forgets a REGISTER, because its answer has come.
    pub(super) fn answered(&mut self, key: RegistrationKey) {
        let Some(procedure) = self.procedures.remove(&key) else { return };
        if let Some(orphans) = self.by_procedure.get_mut(&procedure) {
            orphans.retain(|orphan| orphan.key != key);
            if orphans.is_empty() {
                self.by_procedure.remove(&procedure);
            }
        }
    }

    /// How many there are, by either of their names.
    #[cfg(all(test, feature = "json"))]
    pub(super) fn len(&self) -> usize {
        self.procedures.len().max(self.by_procedure.len())
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_adopted_or_answered_leaves_nothing_behind() -> Result<(), wamp_proto::InvalidUri> {
        let (procedure, mut orphans) = (Uri::new("com.example.p")?, Orphans::default());
        let plain = RegisterOptions::default();
        let mut forced = RegisterOptions::default();
        forced.force_reregister = Some(true);
        let (first, second) = (RequestId::MIN, RequestId::MIN.next());
        orphans.insert(RegistrationKey(1), first, procedure.clone(), plain.clone());
        orphans.insert(RegistrationKey(2), second, procedure.clone(), forced.clone());
        assert_eq!(orphans.adopt(&procedure, &forced), Some(second));
        assert_eq!(orphans.adopt(&procedure, &forced), None);
        orphans.answered(RegistrationKey(1));
        assert_eq!(orphans.adopt(&procedure, &plain), None);
        assert!(orphans.by_procedure.is_empty() && orphans.procedures.is_empty());
        Ok(())
    }
    #[cfg(feature = "json")]
    #[test]
    fn an_answer_ends_the_memory_of_what_was_given_up() -> Result<(), Box<dyn std::error::Error>> {
        use crate::{Config, Frame, Opened, RegisterOptions, Session, Time};

        let (mut session, now) =
            (Session::new(Config::new("mem:", "realm1").formats([wamp_proto::Format::Json])), Time::ZERO);
        session.connect(now);
        let id = session.transport().ok_or("no transport")?;
        session.handle_opened(now, id, Opened::new(Some("wamp.2.json")));
        let receive = |session: &mut Session, text: &'static str| {
            session.handle_frame(now, id, Frame::Text(text.as_bytes().into()));
        };
        receive(&mut session, r#"[2,1,{"roles":{"broker":{},"dealer":{}}}]"#);
        for _ in 0..2 {
            let key = session.register(
                now,
                Uri::new("com.example.p")?,
                RegisterOptions::new().timeout(core::time::Duration::MAX),
            )?;
            session.unregister(now, key)?;
            assert_eq!(session.callee.given_up(), 1);
            // The first is confirmed and undone, the second is refused.
            receive(&mut session, "[65,1,100]");
            receive(&mut session, r#"[8,64,3,{},"wamp.error.not_authorized"]"#);
            assert_eq!(session.callee.given_up(), 0);
        }
        Ok(())
    }
}
