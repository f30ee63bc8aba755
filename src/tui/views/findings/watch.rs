//! The folds behind Findings and Order, kept up to date on another thread with what came into the
//! buffer. One job at a time; a long one makes the next one wait, so that the stream is not slowed.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::found::Found;
use super::kept::{self, Cleaned, Kept};
use crate::event::{Batch, Streams, Timestamp};
use crate::inspect::fields::Fields;
use crate::inspect::findings::{Findings, Parts};
use crate::inspect::lag::LagReport;
use crate::inspect::misfits::Misfits;
use crate::inspect::saga::{self, Commits, Model as Sagas, Monitor, Reach, SagaReport, World};
use crate::schema::Decoder;
use crate::tui::model::feed::{Feed, Reading};
use crate::tui::model::{Model, View};
use crate::tui::msg::{Effect, Msg};
use crate::tui::theme;

/// Events that one job is given, about.
const JOB_EVENTS: usize = 100_000;
/// Of these, the types of the fields of so many are learnt: that is the dearest fold, and what it
/// tells does not need every event.
const FIELD_EVENTS: usize = 20_000;
/// The least rest between two jobs, while what they find is on the screen and while it is not.
const REST: Duration = Duration::from_millis(200);
const REST_UNSEEN: Duration = Duration::from_secs(1);
/// Where nothing comes for so long, there is nothing.
const SILENCE: Duration = Duration::from_secs(2);
/// So long the sagas wait to be told where the groups stand.
const PATIENCE: Duration = Duration::from_secs(5);
/// Events that are not older are what happens now.
const PRESENT_MS: i64 = 10_000;

/// All that is folded together.
#[derive(Default)]
struct Folds {
    findings: Findings,
    fields: Fields,
    /// What the schemas say, where there are any.
    misfits: Option<Misfits>,
    /// Events whose fields were looked at.
    of_fields: u64,
    /// Events went by that were not looked at.
    missed: bool,
    topics: BTreeSet<Arc<str>>,
    left_out: bool,
}

/// What came since the last job.
#[derive(Default)]
struct Fresh {
    /// In their order, with their ids; `true`: something between this one and the one before is not there.
    chunks: Vec<(bool, u64, Arc<Batch>)>,
    /// Chunks left the buffer before they were looked at.
    missed: bool,
    /// Events that the source's selection left out.
    left_out: u64,
    /// What was told of how topics are kept.
    cleaned: Vec<Cleaned>,
}

/// What a report was made from, beside the events.
#[derive(Clone, Default)]
struct Told {
    ended: bool,
    /// All that is there was looked at.
    at_end: bool,
    /// Where the groups stand is not known yet.
    asking: bool,
    now: Timestamp,
    /// When the groups were asked for.
    lag_at: Timestamp,
    lag: Option<Arc<LagReport>>,
}

impl Fresh {
    /// Every partition that something came of has come to the present.
    fn is_of_the_present(&self, now: Timestamp) -> bool {
        let mut newest: HashMap<u32, i64> = HashMap::new();
        for (_, _, batch) in &self.chunks {
            for event in batch.iter() {
                let time = event.time().map_or(i64::MIN, |t| t.0);
                let known = newest.entry(event.stream_index).or_insert(time);
                *known = time.max(*known);
            }
        }
        let from = now.0.saturating_sub(PRESENT_MS);
        newest.values().all(|time| *time >= from)
    }
}

impl Told {
    /// `told`: there is a report already, in which it may be told that more is known.
    fn same(&self, other: &Self, told: bool) -> bool {
        let lag = match (&self.lag, &other.lag) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        let more = |told: &Self| (told.at_end, told.asking);
        lag && self.ended == other.ended && (!told || more(self) == more(other))
    }
}

/// The state between the jobs.
#[derive(Default)]
pub struct Watch {
    /// The read that the folds are of.
    pub(super) read: u64,
    /// Not here while a job has them.
    folds: Option<Box<Folds>>,
    /// The job under way. An answer with another token is of a read that is over.
    job: Option<Arc<()>>,
    /// The chunk that comes next.
    next: u64,
    /// Ids that had no chunk any more, or never; how many events were left out up to now.
    gone: u64,
    left_out: u64,
    /// When it began, and when something came last.
    since: Duration,
    last_fresh: Duration,
    /// When another answer of the groups came last.
    lag_at: Timestamp,
    rest_until: Duration,
    told: Option<Told>,
    pub(super) kept: Kept,
    /// What was found so far.
    pub found: Option<Arc<Found>>,
}

impl Watch {
    /// Events that are held and were not looked at yet.
    pub fn behind(&self, feed: &Feed) -> u64 {
        let chunks = feed.store.chunks().rev();
        chunks
            .take_while(|c| c.id >= self.next)
            .map(|c| c.batch.len() as u64)
            .sum()
    }

    /// The next chunks, as many as one job takes.
    fn fresh(&mut self, feed: &Feed) -> Fresh {
        let store = &feed.store;
        let chunks = store.chunks();
        let waiting = chunks.rev().take_while(|c| c.id >= self.next).count();
        let chunks = store.chunks();
        let first = chunks.len() - waiting;
        let mut fresh = Fresh::default();
        let mut events = 0;
        for chunk in chunks.skip(first) {
            let gone = chunk.id.saturating_sub(self.next);
            self.gone += gone;
            self.next = chunk.id + 1;
            events += chunk.batch.len();
            fresh.chunks.push((gone > 0, chunk.id, chunk.batch.clone()));
            if events >= JOB_EVENTS {
                break;
            }
        }
        // What the source's selection left out was never held.
        fresh.missed = self.gone > feed.left_out.batches;
        fresh.left_out = feed.left_out.events.saturating_sub(self.left_out);
        self.left_out = feed.left_out.events;
        fresh
    }

    /// Another read: the folds begin anew.
    fn begin(&mut self, read: u64, first: u64, decoder: &Decoder, sagas: Option<&Arc<Sagas>>) {
        let misfits = || Misfits::new(decoder.reader());
        let monitor = |model| Monitor::new(model, saga::Limits::default(), Some(decoder.reader()));
        let folds = Folds {
            findings: Findings::default().with_sagas(sagas.cloned().map(monitor)),
            misfits: decoder.has_schemas().then(misfits),
            ..Folds::default()
        };
        *self = Self {
            read,
            folds: Some(Box::new(folds)),
            next: first,
            ..Self::default()
        };
    }
}

/// Begins a job when there is something to look at and the last one is long enough ago.
pub fn go(model: &mut Model) -> Vec<Effect> {
    let lag = model.lag.report();
    let mut connections = model.source.connections.iter();
    let has_groups = connections.any(|c| c.capabilities().groups);
    let (read, mono, now) = (model.source.read, model.now.mono, model.clock());
    let watch = &mut model.findings.watch;
    if watch.read != read || (watch.folds.is_none() && watch.job.is_none()) {
        let (decoder, sagas) = (&model.source.decoder, model.source.sagas.as_ref());
        watch.begin(read, model.feed.store.first(), decoder, sagas);
        watch.since = mono;
        let asked = if read > 0 {
            kept::ask(model)
        } else {
            Vec::new()
        };
        if !asked.is_empty() {
            return asked;
        }
    }
    let watch = &mut model.findings.watch;
    let rests = mono < watch.rest_until || watch.kept.is_awaited(mono);
    if read == 0 || watch.job.is_some() || rests {
        return Vec::new();
    }
    let known = watch.told.as_ref().and_then(|told| told.lag.as_ref());
    if lag.as_ref().map(Arc::as_ptr) != known.map(Arc::as_ptr) {
        watch.lag_at = now;
    }
    let mut fresh = watch.fresh(&model.feed);
    if !fresh.chunks.is_empty() {
        watch.last_fresh = mono;
        model.feed.current = fresh.is_of_the_present(now);
    } else if watch.found.is_some() && mono.saturating_sub(watch.last_fresh) > SILENCE {
        model.feed.current = true;
    }
    let told = Told {
        ended: model.feed.reading == Reading::Ended,
        at_end: model.feed.is_at_end() && watch.behind(&model.feed) == 0,
        asking: lag.is_none() && has_groups && mono.saturating_sub(watch.since) < PATIENCE,
        now,
        lag_at: watch.lag_at,
        lag,
    };
    let before = watch.told.clone().unwrap_or_default();
    let nothing = fresh.chunks.is_empty() && fresh.left_out == 0;
    if nothing && told.same(&before, watch.found.is_some()) {
        return Vec::new();
    }
    let Some(folds) = watch.folds.take() else {
        return Vec::new();
    };
    fresh.cleaned = watch.kept.take();
    let token = Arc::new(());
    watch.job = Some(token.clone());
    watch.told = Some(told.clone());
    vec![Effect::Work(Box::new(move || {
        let began = Instant::now();
        let mut judged = Vec::new();
        let (folds, found) = work(folds, &fresh, &told, &mut judged);
        let took = began.elapsed();
        Msg::Done(Box::new(move |model| {
            if model.source.read == read {
                model.feed.judged(judged);
            }
            done(model, &token, folds, found, took);
            Vec::new()
        }))
    }))]
}

impl Folds {
    /// How the sagas stand, where a model is there.
    fn sagas(&self, told: &Told) -> Option<SagaReport> {
        let blind = if self.left_out {
            Some("a filter leaves events out")
        } else if self.missed {
            Some("events left the buffer before they could be looked at")
        } else if told.asking {
            Some("where the groups stand is not known yet")
        } else {
            None
        };
        let topics = self.topics.iter();
        let reach = Reach {
            topics: topics
                .map(|topic| (Arc::clone(topic), told.at_end))
                .collect(),
            blind,
        };
        let commits = told.lag.as_deref().map(Commits::of_lag);
        let commits = commits.map(|commits| commits.as_of(told.lag_at));
        self.findings.sagas(World {
            commits: commits.as_ref(),
            reach: &reach,
            now: told.now,
        })
    }
}

/// What the schemas say of each event of a chunk.
type Judged = Vec<(u64, Vec<theme::Verdict>)>;

fn work(
    mut folds: Box<Folds>,
    fresh: &Fresh,
    told: &Told,
    judged: &mut Judged,
) -> (Box<Folds>, Found) {
    let mut of_fields = 0;
    folds.missed |= fresh.missed;
    folds.left_out |= fresh.left_out > 0;
    for (origin, topic, cleaned) in &fresh.cleaned {
        folds.findings.cleaned(*origin, topic, *cleaned);
    }
    if fresh.left_out > 0 {
        let mut none = Batch::new(Streams::default());
        none.scanned.events = fresh.left_out;
        folds.findings.batch(&none);
    }
    for (gone, id, batch) in &fresh.chunks {
        for stream in batch.streams().iter() {
            if !folds.topics.contains(&stream.topic) {
                folds.topics.insert(Arc::clone(&stream.topic));
            }
        }
        if *gone {
            folds.findings.skipped();
        }
        folds.findings.batch(batch);
        if let Some(misfits) = &mut folds.misfits {
            let mut verdicts = vec![theme::Verdict::None; batch.len()];
            misfits.batch_with(batch, |index, verdict| {
                if let Some(known) = verdicts.get_mut(index) {
                    *known = verdict.into();
                }
            });
            judged.push((*id, verdicts));
        }
        if of_fields < FIELD_EVENTS {
            of_fields += batch.len();
            folds.fields.batch(batch);
        }
    }
    folds.of_fields += of_fields as u64;
    let fields = folds.fields.report();
    let misfits = folds.misfits.as_ref().map(Misfits::report);
    let sagas = folds.sagas(told);
    let parts = Parts {
        lag: told.lag.as_deref(),
        // A schema knows what has drifted; without one, what was there before does.
        fields: misfits.is_none().then_some(&fields),
        misfits,
        sagas: sagas.as_ref(),
    };
    let order = folds.findings.order(told.ended);
    let report = folds.findings.report_of(&order, parts);
    let mut found = Found::new(report, order, folds.missed);
    found.of_fields = folds.of_fields;
    (folds, found)
}

fn done(model: &mut Model, token: &Arc<()>, folds: Box<Folds>, found: Found, took: Duration) {
    let seen = matches!(model.view, View::Findings | View::Order);
    let watch = &mut model.findings.watch;
    if !watch
        .job
        .as_ref()
        .is_some_and(|job| Arc::ptr_eq(job, token))
    {
        return;
    }
    watch.job = None;
    watch.folds = Some(folds);
    let rest = if seen {
        REST.max(took)
    } else {
        REST_UNSEEN.max(took * 3)
    };
    watch.rest_until = model.now.mono + rest;
    let before = watch.found.replace(Arc::new(found));
    super::renewed(model, before.as_deref());
    crate::tui::views::order::renewed(model, before.as_deref());
}
