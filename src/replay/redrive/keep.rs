//! A redrive as it is remembered: kept before it writes, and noted in the audit log when it is
//! over.

use super::job::{Job, Outgoing, Ran};
use super::outlet::Sent;
use super::tally::{Fate, Tally};
use crate::broker::{Result, TopicSelector};
use crate::event::Timestamp;
use crate::replay::freeze::typed;
use crate::replay::runs::{Counts, Ended, Kind, Side, StateFolder, Subject};

impl Job {
    /// Keeps what it was asked, and that it has begun. To be called before [`Job::run`]; a failure
    /// means that nothing may be written.
    pub fn keep(&mut self, state: &StateFolder, now: Timestamp) -> Result<()> {
        let folder = state.keep_redrive(&self.plan.id(), &self.plan.canonical())?;
        self.claim = Some(folder.claim(self.subject(), now)?);
        Ok(())
    }

    /// Notes how the run ended. Nothing where it was not kept.
    pub fn note(&mut self, ended: &Ended, now: Timestamp) -> Result<()> {
        match self.claim.take() {
            Some(claim) => claim.end(ended, now),
            None => Ok(()),
        }
    }

    /// How a run ended by what it told; `verified` where that was asked.
    pub fn ended(&self, ran: &Ran, verified: Option<bool>) -> Ended {
        let parked = self.outgoing.iter().map(|out| out.destination.is_none());
        let sent = parked.zip(ran.sent.iter().copied());
        Ended {
            counts: Some(counts(&ran.tally, sent, self.parks())),
            verified,
            ..Ended::by(&ran.outcome)
        }
    }

    fn subject(&self) -> Subject {
        let (parked, targets): (Vec<_>, Vec<_>) = self
            .outgoing
            .iter()
            .partition(|outgoing| outgoing.destination.is_none());
        let sides = |all: Vec<&Outgoing>| -> Vec<Side> {
            all.into_iter().filter_map(|out| self.side(out)).collect()
        };
        Subject {
            kind: Kind::Redrive,
            run: self.plan.id(),
            plan: self.plan.long_id(),
            sources: self.plan.sources.iter().map(Side::source).collect(),
            target: None,
            targets: sides(targets),
            parked: sides(parked).pop(),
        }
    }

    fn side(&self, outgoing: &Outgoing) -> Option<Side> {
        let endpoint = self.endpoint(outgoing)?;
        let topic = outgoing.topic.as_deref();
        let mut address = typed(&endpoint.shown, &endpoint.address);
        if let Some(topic) = topic {
            address = address.with_topics(TopicSelector::one(topic));
        }
        Some(Side::target(&address, &outgoing.place, topic))
    }
}

/// What became of the dead letters: of each place whether it is the parked ones', and what went
/// there.
fn counts(tally: &Tally, sent: impl Iterator<Item = (bool, Sent)>, parks: bool) -> Counts {
    let (mut redriven, mut parked) = (0, 0);
    let mut counts = Counts {
        read: tally.found,
        bytes: tally.bytes,
        ..Counts::default()
    };
    for (aside, sent) in sent {
        counts.sent += sent.sent;
        counts.acknowledged += sent.acknowledged;
        counts.in_doubt += sent.in_doubt;
        let stored = if aside { &mut parked } else { &mut redriven };
        *stored += sent.acknowledged;
    }
    (counts.redriven, counts.parked) = (Some(redriven), Some(parked));
    let left = Fate::ALL.into_iter().filter(|fate| match fate {
        Fate::Redriven => false,
        fate => !(parks && fate.is_parked()),
    });
    let left = left.map(|fate| (fate.word(), tally.count(fate)));
    let left = left.filter(|(_, count)| *count > 0);
    counts.skipped = left
        .map(|(word, count)| (word.to_owned(), count.into()))
        .collect();
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::fake::{batch, event, streams};

    fn tally(fates: &[Fate]) -> Tally {
        let mut tally = Tally::default();
        let one = batch(&streams(), &[event(0, 0)]);
        for fate in fates {
            tally.note("why", *fate, &one.iter().next().unwrap(), None);
        }
        tally
    }

    const fn sent(stored: u64, in_doubt: u64) -> Sent {
        Sent {
            sent: stored,
            in_doubt,
            acknowledged: stored,
        }
    }

    #[test]
    fn all_that_was_read_is_redriven_parked_or_left_for_a_reason() {
        let all = tally(&[
            Fate::Redriven,
            Fate::Redriven,
            Fate::Capped,
            Fate::NoOrigin,
            Fate::Done,
        ]);
        let places = [(false, sent(1, 0)), (false, sent(1, 0)), (true, sent(2, 0))];
        let found = counts(&all, places.into_iter(), true);
        assert_eq!((found.read, found.sent, found.acknowledged), (5, 4, 4));
        assert_eq!((found.redriven, found.parked), (Some(2), Some(2)));
        let skipped = serde_json::json!({"done": 1});
        assert_eq!(serde_json::Value::Object(found.skipped), skipped);
        // With no place for them they stay where they are.
        let places = [(false, sent(1, 1))];
        let found = counts(&all, places.into_iter(), false);
        assert_eq!((found.redriven, found.parked), (Some(1), Some(0)));
        assert_eq!(found.in_doubt, 1);
        let skipped = serde_json::json!({"capped": 1, "no_origin": 1, "done": 1});
        assert_eq!(serde_json::Value::Object(found.skipped), skipped);
    }
}
