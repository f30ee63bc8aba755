//! Compiles each schema once, for all threads. Who cannot wait for a large one finds it later.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::avro::Avro;
use super::json::Validator;
use super::protobuf::Protobuf;
use super::sources::Known;
use super::{Language, SchemaError, Source};

/// Compiled schemas that are kept.
const KEPT: usize = 4_096;
/// Bytes of text of the schemas that are kept compiled.
const KEPT_BYTES: usize = 64 << 20;
/// Bytes of text that are compiled in a few milliseconds, for which nobody need be spared.
const LIGHT: usize = 16 << 10;

/// A schema that can be used, or why not.
pub(super) struct Ready {
    pub(super) known: Arc<Known>,
    pub(super) compiled: Result<Compiled, SchemaError>,
}

/// A schema of any language.
pub(super) enum Compiled {
    Avro(Avro),
    Json(Validator),
    Protobuf(Protobuf),
}

/// What was compiled, and what is being compiled.
pub(super) struct Compiler {
    /// Whether JSON Schema's `format` is a rule.
    formats: bool,
    bench: Mutex<Bench>,
    /// Something was compiled.
    news: Condvar,
}

#[derive(Default)]
struct Bench {
    /// By the place of what is compiled, which is kept with it.
    slots: HashMap<usize, Slot>,
    /// Bytes of the texts.
    bytes: usize,
}

enum Slot {
    Ready(Arc<Ready>),
    Compiling,
}

impl Compiler {
    pub(super) fn new(formats: bool) -> Self {
        Self {
            formats,
            bench: Mutex::default(),
            news: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Bench> {
        // Nothing that is held here can be left half done.
        self.bench.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The schema, compiled; nothing while another thread compiles it, for longer than who asks
    /// wants to wait. Who does not want to wait at all does not compile what is large.
    pub(super) fn compiled(
        self: &Arc<Self>,
        known: &Arc<Known>,
        patience: Duration,
    ) -> Option<Arc<Ready>> {
        let place = Arc::as_ptr(known).addr();
        let until = Instant::now() + patience;
        let mut bench = self.lock();
        loop {
            match bench.slots.get(&place) {
                Some(Slot::Ready(ready)) => return Some(Arc::clone(ready)),
                Some(Slot::Compiling) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return None;
                    }
                    let woken = self.news.wait_timeout(bench, left);
                    bench = woken.map_or_else(|e| e.into_inner().0, |(guard, _)| guard);
                }
                None => break,
            }
        }
        bench.slots.insert(place, Slot::Compiling);
        drop(bench);
        if patience.is_zero() && size(&known.source) > LIGHT {
            let (this, task) = (Arc::clone(self), Arc::clone(known));
            let work = move || drop(this.compile(&task));
            let thread = std::thread::Builder::new().name("schema".to_owned());
            if thread.spawn(work).is_ok() {
                return None;
            }
        }
        Some(self.compile(known))
    }

    /// Compiles what is marked as being compiled.
    fn compile(&self, known: &Arc<Known>) -> Arc<Ready> {
        let work = || compile(&known.source, self.formats);
        // A schema is a stranger's text: what it breaks must not take the reader with it.
        let compiled = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
            let why = "compiling it failed in a way that it never should";
            Err(SchemaError(why.to_owned()))
        });
        let ready = Arc::new(Ready {
            known: Arc::clone(known),
            compiled,
        });
        let mut bench = self.lock();
        bench.keep(Arc::clone(&ready));
        drop(bench);
        self.news.notify_all();
        ready
    }
}

impl Bench {
    fn keep(&mut self, ready: Arc<Ready>) {
        let size = size(&ready.known.source);
        if self.slots.len() >= KEPT || self.bytes.saturating_add(size) > KEPT_BYTES {
            self.slots.retain(|_, slot| matches!(slot, Slot::Compiling));
            self.bytes = 0;
        }
        self.bytes += size;
        let place = Arc::as_ptr(&ready.known).addr();
        self.slots.insert(place, Slot::Ready(ready));
    }
}

/// Bytes of all texts.
fn size(source: &Source) -> usize {
    let references = source.references.iter().map(|r| r.text.len());
    source.text.len() + references.sum::<usize>()
}

fn compile(source: &Source, formats: bool) -> Result<Compiled, SchemaError> {
    Ok(match source.language {
        Language::Avro => Compiled::Avro(Avro::compile(source)?),
        Language::Json => Compiled::Json(Validator::compile(source, formats)?),
        Language::Protobuf => Compiled::Protobuf(Protobuf::compile(source)?),
    })
}
