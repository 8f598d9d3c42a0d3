//! A subscriber that keeps what it is told.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::with_default;
use tracing::{Event, Level, Metadata, Subscriber};

/// An event that was told.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) level: Level,
    pub(crate) target: String,
    /// The fields as text, the message among them.
    pub(crate) fields: String,
    /// The spans that it was told in, the outermost first.
    pub(crate) spans: Vec<String>,
}

#[derive(Default)]
struct Kept {
    told: Vec<Told>,
    spans: Vec<String>,
    entered: Vec<u64>,
}

/// Keeps what is told, and does something whenever it is called.
pub(crate) struct Recorder<F> {
    kept: Arc<Mutex<Kept>>,
    when_called: F,
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let separator = if self.0.is_empty() { "" } else { " " };
        write!(self.0, "{separator}{field}={value:?}").unwrap();
    }
}

impl<F: Fn() + Send + Sync + 'static> Subscriber for Recorder<F> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("wamp_session")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields(span.metadata().name().to_owned());
        span.record(&mut fields);
        let id = {
            let mut kept = self.kept.lock().unwrap();
            let name = match span.parent().and_then(|parent| kept.spans.get(index(parent))) {
                Some(parent) => format!("{parent} > {}", fields.0),
                None => fields.0,
            };
            kept.spans.push(name);
            kept.spans.len()
        };
        (self.when_called)();
        Id::from_u64(id as u64)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        let metadata = event.metadata();
        let mut kept = self.kept.lock().unwrap();
        let spans = kept.entered.iter().map(|id| kept.spans[index(&Id::from_u64(*id))].clone()).collect();
        kept.told.push(Told {
            level: *metadata.level(),
            target: metadata.target().to_owned(),
            fields: fields.0,
            spans,
        });
        drop(kept);
        (self.when_called)();
    }

    fn enter(&self, span: &Id) {
        self.kept.lock().unwrap().entered.push(span.into_u64());
        (self.when_called)();
    }

    fn exit(&self, span: &Id) {
        let left = self.kept.lock().unwrap().entered.pop();
        assert_eq!(left, Some(span.into_u64()));
        (self.when_called)();
    }

    fn clone_span(&self, span: &Id) -> Id {
        (self.when_called)();
        span.clone()
    }

    fn try_close(&self, _: Id) -> bool {
        (self.when_called)();
        false
    }
}

fn index(span: &Id) -> usize {
    usize::try_from(span.into_u64()).unwrap() - 1
}

/// What is told while a test runs.
pub(crate) fn told_of(test: impl FnOnce()) -> Vec<Told> {
    told_to(|| {}, test)
}

/// What is told while a test runs, and a subscriber that does something whenever it is called.
pub(crate) fn told_to(when_called: impl Fn() + Send + Sync + 'static, test: impl FnOnce()) -> Vec<Told> {
    let kept = Arc::<Mutex<Kept>>::default();
    with_default(Recorder { kept: Arc::clone(&kept), when_called }, test);
    let kept = kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    kept.told.clone()
}

/// The fields of what is told at one level.
pub(crate) fn at(level: Level, told: &[Told]) -> Vec<&str> {
    told.iter().filter(|told| told.level == level).map(|told| told.fields.as_str()).collect()
}

/// The fields of what is told at the level debug with this message.
#[track_caller]
pub(crate) fn decisions<'a>(told: &'a [Told], message: &str) -> Vec<&'a str> {
    let message = format!("message={message}");
    let found: Vec<&Told> = told.iter().filter(|told| told.fields.starts_with(&message)).collect();
    for told in &found {
        assert_eq!((told.level, &*told.target), (Level::DEBUG, "wamp_session::client"), "{}", told.fields);
    }
    found.iter().map(|told| told.fields.strip_prefix(&message).unwrap().trim()).collect()
}
