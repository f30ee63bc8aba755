//! What was asked and what was answered, shared by all who ask: one request for each question,
//! none again within a minute after a failure.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::fmt;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Filed, Question, RegistryState};

/// How long a failure stands, and how old the latest version of a subject may become.
pub(super) const AGAIN: Duration = Duration::from_mins(1);
/// While a registry does not answer at all, nothing else is asked for so long.
pub(super) const PAUSE: Duration = Duration::from_secs(5);
/// Questions that are remembered. Bytes that only look like ids ask for any number.
const MOST: usize = 10_000;
/// Bytes of schemas that are held.
const MOST_BYTES: usize = 256 << 20;
/// A question that found no room in the queue is put again so soon.
const RETRY: Duration = Duration::from_millis(20);

pub(super) type Clock = Arc<dyn Fn() -> Instant + Send + Sync>;

/// The memory of one registry.
pub(super) struct Memory {
    inner: Mutex<Inner>,
    news: Condvar,
    clock: Clock,
}

#[derive(Default)]
struct Inner {
    entries: HashMap<Question, Entry>,
    bytes: usize,
    state: RegistryState,
    /// Until when nothing is asked, and why.
    pause: Option<(Instant, Arc<str>)>,
}

/// What is known of one question.
#[derive(Default)]
struct Entry {
    /// The last answer that was one; it stays while a newer one is sought.
    filed: Option<Filed>,
    failed: Option<Failed>,
    /// It is in the queue or being asked.
    asked: bool,
    /// From when on it may be asked again; `None` is never.
    again: Option<Instant>,
}

#[derive(Clone)]
enum Failed {
    Missing,
    Unavailable(Arc<str>),
}

/// The answer as of now.
#[derive(Debug, Clone)]
pub(super) enum State {
    Filed(Filed),
    Missing,
    Unavailable(Arc<str>),
    Pending,
}

/// What came of a question.
pub(super) enum Outcome {
    /// Stands for ever, or till it is too old.
    Answer { filed: Filed, ages: bool },
    /// The registry says no.
    Missing,
    /// It did not answer, as [`Failing`] has it.
    Failed { why: Arc<str>, down: bool },
    /// It was not asked, because it did not answer another question just now.
    Spared { why: Arc<str>, until: Instant },
}

/// How a registry fails.
#[derive(Clone, Copy)]
pub(super) struct Failing<'a> {
    pub(super) why: &'a Arc<str>,
    /// It will not answer other questions either.
    pub(super) down: bool,
}

impl Memory {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            inner: Mutex::default(),
            news: Condvar::new(),
            clock,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing that is held here can be left half done.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known, without waiting; asks when it is time to.
    pub(super) fn look(&self, question: &Question, queue: &SyncSender<Question>) -> State {
        self.lock().look(question, queue, (self.clock)())
    }

    /// What is known, or becomes known in that time.
    pub(super) fn wait(
        &self,
        question: &Question,
        queue: &SyncSender<Question>,
        patience: Duration,
    ) -> State {
        let until = Instant::now() + patience;
        let mut inner = self.lock();
        loop {
            let state = inner.look(question, queue, (self.clock)());
            let left = until.saturating_duration_since(Instant::now());
            if !matches!(state, State::Pending) || left.is_zero() {
                return state;
            }
            let asked = inner.entries.get(question).is_some_and(|e| e.asked);
            let nap = if asked { left } else { left.min(RETRY) };
            let woken = self.news.wait_timeout(inner, nap);
            inner = woken.map_or_else(|e| e.into_inner().0, |(guard, _)| guard);
        }
    }

    /// Why and until when nothing may be asked, if so.
    pub(super) fn pause(&self) -> Option<(Instant, Arc<str>)> {
        let now = (self.clock)();
        self.lock().pause.clone().filter(|(until, _)| *until > now)
    }

    pub(super) fn file(&self, question: Question, outcome: Outcome) {
        self.lock().file(question, outcome, (self.clock)());
        self.news.notify_all();
    }

    /// Tells how the registry fares, where what is filed does not.
    pub(super) fn fares(&self, failing: Option<Failing<'_>>) {
        self.lock().fares(failing, (self.clock)());
    }

    pub(super) fn registry_state(&self) -> RegistryState {
        self.lock().state.clone()
    }
}

impl Inner {
    fn look(&mut self, question: &Question, queue: &SyncSender<Question>, now: Instant) -> State {
        if let Some(entry) = self.entries.get(question)
            && (entry.asked || entry.again.is_none_or(|again| now < again))
        {
            return entry.state();
        }
        // It is new, or old enough to be asked again.
        let paused = self.pause.as_ref().filter(|(until, _)| *until > now);
        let refused = match paused {
            Some((_, why)) => Some(Arc::clone(why)),
            None => self.full(now),
        };
        if let Some(why) = refused {
            let known = self.entries.get(question).map(Entry::state);
            return known.unwrap_or(State::Unavailable(why));
        }
        let sent = queue.try_send(question.clone());
        let slot = self.entries.entry(question.clone());
        match (sent, slot) {
            (Ok(()), slot) => {
                let entry = slot.or_default();
                entry.asked = true;
                entry.state()
            }
            (Err(_), Slot::Occupied(slot)) => slot.get().state(),
            (Err(TrySendError::Full(_)), Slot::Vacant(_)) => State::Pending,
            (Err(TrySendError::Disconnected(_)), Slot::Vacant(_)) => {
                State::Unavailable("the thread that asks the schema registry has ended".into())
            }
        }
    }

    /// Why nothing new can be taken in. Failures that have stood long enough make room.
    fn full(&mut self, now: Instant) -> Option<Arc<str>> {
        if self.bytes > MOST_BYTES {
            return Some(format!("more than {} MiB of schemas are held", MOST_BYTES >> 20).into());
        }
        if self.entries.len() < MOST {
            return None;
        }
        self.entries.retain(|_, entry| {
            entry.asked || entry.filed.is_some() || entry.again.is_some_and(|again| now < again)
        });
        (self.entries.len() >= MOST).then(|| {
            format!("more than {MOST} different schemas were asked for: are these numbers ids?")
                .into()
        })
    }

    fn file(&mut self, question: Question, outcome: Outcome, now: Instant) {
        let entry = self.entries.entry(question).or_default();
        entry.asked = false;
        match outcome {
            Outcome::Answer { filed, ages } => {
                // Who holds the same need not compile it again.
                if !entry.filed.as_ref().is_some_and(|before| before.is(&filed)) {
                    let before = entry.filed.as_ref().map_or(0, Filed::bytes);
                    self.bytes = (self.bytes + filed.bytes()).saturating_sub(before);
                    entry.filed = Some(filed);
                }
                entry.failed = None;
                entry.again = ages.then(|| now + AGAIN);
            }
            Outcome::Missing => {
                if let Some(gone) = entry.filed.take() {
                    self.bytes = self.bytes.saturating_sub(gone.bytes());
                }
                entry.failed = Some(Failed::Missing);
                entry.again = Some(now + AGAIN);
                self.fares(None, now);
            }
            Outcome::Failed { why, down } => {
                entry.failed = Some(Failed::Unavailable(Arc::clone(&why)));
                entry.again = Some(now + AGAIN);
                self.fares(Some(Failing { why: &why, down }), now);
            }
            Outcome::Spared { why, until } => {
                entry.failed = Some(Failed::Unavailable(why));
                entry.again = Some(until);
            }
        }
    }

    fn fares(&mut self, failing: Option<Failing<'_>>, now: Instant) {
        match failing {
            None => {
                self.state = RegistryState::default();
                self.pause = None;
            }
            Some(Failing { why, down }) => {
                self.state.failing = Some(Arc::clone(why));
                self.state.since.get_or_insert(now);
                if down {
                    self.pause = Some((now + PAUSE, Arc::clone(why)));
                }
            }
        }
    }
}

impl Entry {
    fn state(&self) -> State {
        match (&self.filed, &self.failed) {
            (Some(filed), _) => State::Filed(filed.clone()),
            (None, Some(Failed::Missing)) => State::Missing,
            (None, Some(Failed::Unavailable(why))) => State::Unavailable(Arc::clone(why)),
            (None, None) => State::Pending,
        }
    }
}

impl Filed {
    /// Whether both are the same schema.
    fn is(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Schema(one), Self::Schema(other)) if one == other)
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Schema(known) => {
                let references = known.source.references.iter();
                known.source.text.len() + references.map(|r| r.text.len()).sum::<usize>()
            }
            Self::Numbers(numbers) => size_of_val::<[u32]>(numbers),
            Self::Names(names) => names.iter().map(String::len).sum(),
        }
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    #[test]
    fn numbers_that_are_no_ids_do_not_fill_the_memory_and_leave_it_after_a_minute() {
        let start = Instant::now();
        let later = Arc::new(Mutex::new(Duration::ZERO));
        let hands = Arc::clone(&later);
        let memory = Memory::new(Arc::new(move || start + *hands.lock().unwrap()));
        let (queue, questions) = sync_channel(1);
        let look = |id| memory.look(&Question::Id(id), &queue);
        for id in 0..MOST as u32 {
            assert!(matches!(look(id), State::Pending));
            memory.file(questions.try_recv().unwrap(), Outcome::Missing);
            assert!(matches!(look(id), State::Missing));
        }
        let new = MOST as u32;
        assert!(matches!(look(new), State::Unavailable(why) if why.contains("are these numbers")));
        assert!(matches!(look(0), State::Missing));
        *later.lock().unwrap() = AGAIN;
        assert!(matches!(look(new), State::Pending));
        assert_eq!(questions.try_recv().unwrap(), Question::Id(new));
        assert_eq!(memory.lock().entries.len(), 1);
    }

    #[test]
    fn a_queue_that_is_full_forgets_nobody() {
        let memory = Memory::new(Arc::new(Instant::now));
        let (queue, questions) = sync_channel(1);
        let look = |id| memory.look(&Question::Id(id), &queue);
        assert!(matches!(look(1), State::Pending));
        assert!(matches!(look(2), State::Pending));
        assert_eq!(questions.try_recv().unwrap(), Question::Id(1));
        assert!(matches!(look(1), State::Pending), "it is not asked twice");
        assert!(questions.try_recv().is_err());
        assert!(matches!(look(2), State::Pending));
        assert_eq!(questions.try_recv().unwrap(), Question::Id(2));
        drop(questions);
        assert!(matches!(look(3), State::Unavailable(_)));
    }
}
