//! Verification without provenance: how many events each key has on both sides, and a hash of
//! them, over all that was written to the target since the plan was made. Keys share 65,536 rows;
//! those of rows that differ are told by name in a second look.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::digest::Digester;
use super::expected::Each;
use super::ledger::Ledger;
use super::result::{Comparison, EXAMPLES, Findings, Kind, Manner};
use super::sides::{Hands, Sides};
use crate::broker::{BoxFuture, Result};
use crate::event::{Batch, SelectAll};
use crate::pipeline::{Consumer, Flow, StopWhenBegun, Ticker};

const ROWS: usize = 1 << 16;
/// Keys that are told apart at most, and bytes of each.
const KEYS: usize = 10_000;
const KEY_BYTES: usize = 64;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Row {
    events: u64,
    sum: u64,
}

impl Row {
    fn add(&mut self, hash: u64) {
        self.events += 1;
        self.sum = self.sum.wrapping_add(hash);
    }
}

struct Side {
    rows: Vec<Row>,
    /// Of the rows that are looked at a second time.
    keys: BTreeMap<Option<Vec<u8>>, Row>,
    /// In the second look.
    differing: Option<Arc<[bool]>>,
    events: u64,
}

impl Side {
    fn new(differing: Option<Arc<[bool]>>) -> Self {
        Self {
            rows: vec![Row::default(); ROWS],
            keys: BTreeMap::new(),
            differing,
            events: 0,
        }
    }

    fn add(&mut self, row: usize, key: Option<&[u8]>, content: u64) {
        self.events += 1;
        if let Some(row) = self.rows.get_mut(row) {
            row.add(content);
        }
        let Some(differing) = &self.differing else {
            return;
        };
        if !differing.get(row).copied().unwrap_or_default() {
            return;
        }
        let key = key.map(|key| key.get(..KEY_BYTES).unwrap_or(key).to_vec());
        if self.keys.len() < KEYS || self.keys.contains_key(&key) {
            self.keys.entry(key).or_default().add(content);
        }
    }
}

pub(super) async fn by_key(
    sides: &Sides<'_>,
    stop: StopWhenBegun<'_>,
    ticker: &mut dyn Ticker,
) -> Result<Option<Comparison>> {
    let mut hands = Hands { stop, ticker };
    let mut notes = Vec::new();
    let digester = Digester::new(sides.plan);
    let first = look(sides, &digester, &mut hands, None, &mut notes).await?;
    let Some((source, target)) = first else {
        return Ok(None);
    };
    let rows = source.rows.iter().zip(&target.rows);
    let differing: Arc<[bool]> = rows.map(|(one, two)| one != two).collect();
    let mut findings = Findings::default();
    findings.copies = target.events;
    let is_read = notes.is_empty();
    if is_read && differing.contains(&true) {
        let again = look(sides, &digester, &mut hands, Some(differing), &mut notes).await?;
        let Some((source, target)) = again else {
            return Ok(None);
        };
        tell(&source, &target, &mut findings);
    }
    let mut compared = findings.finish(sides.plan.id(), Manner::Keys, source.events, notes);
    compared.remarks.push(
        "without provenance, all that was written to the target meanwhile counts as copies; order \
         is not compared"
            .to_owned(),
    );
    Ok(Some(compared))
}

fn tell(source: &Side, target: &Side, findings: &mut Findings) {
    let none = Row::default();
    let all = source.keys.keys().chain(
        target
            .keys
            .keys()
            .filter(|key| !source.keys.contains_key(*key)),
    );
    for key in all {
        let one = source.keys.get(key).unwrap_or(&none);
        let two = target.keys.get(key).unwrap_or(&none);
        if one == two {
            continue;
        }
        let (kind, times) = match one.events.cmp(&two.events) {
            std::cmp::Ordering::Greater => (Kind::Missing, one.events - two.events),
            std::cmp::Ordering::Less => (Kind::Extra, two.events - one.events),
            std::cmp::Ordering::Equal => (Kind::Changed, 1),
        };
        let name = key.as_ref().map_or_else(
            || "without a key".to_owned(),
            |key| format!("key {}", String::from_utf8_lossy(key)),
        );
        findings.add(kind, || {
            let counts = format!("{} selected, {} in the target", one.events, two.events);
            (Some(name), None, counts)
        });
        findings.add_untold(kind, times - 1);
    }
    const { assert!(EXAMPLES < KEYS, "what is told must be known") };
}

/// Both sides once. `None` when it was interrupted.
async fn look(
    sides: &Sides<'_>,
    digester: &Digester,
    hands: &mut Hands<'_>,
    differing: Option<Arc<[bool]>>,
    notes: &mut Vec<String>,
) -> Result<Option<(Side, Side)>> {
    let mut ledger = Ledger::new(sides.plan, usize::MAX);
    let (mut source, mut target) = (Side::new(differing.clone()), Side::new(differing));
    let inputs = sides.narrowed(&ledger.windows(), &ledger);
    sides.note_retention(&mut ledger, notes).await?;
    let mut each = Each::new(sides, digester, &mut ledger, |_, _, event, parts| {
        let row = row_of(digester, event.key);
        source.add(row, event.key, parts.content());
    })?;
    let limits = sides.reading.limits;
    let pass = sides.read_inputs(inputs, limits, hands, &mut each).await?;
    if pass.note("source", notes) {
        return Ok(None);
    }
    let range = sides.target_range(notes).await?;
    sides.wait_until_decided(&range, hands.stop).await;
    let mut take = Take {
        digester,
        side: &mut target,
    };
    let all = Arc::new(SelectAll);
    let pass = sides.read_target(&range, all, hands, &mut take).await?;
    if pass.note("target", notes) {
        return Ok(None);
    }
    Ok(Some((source, target)))
}

fn row_of(digester: &Digester, key: Option<&[u8]>) -> usize {
    digester.bytes(key) as usize % ROWS
}

struct Take<'a> {
    digester: &'a Digester,
    side: &'a mut Side,
}

impl Consumer for Take<'_> {
    fn batch(&mut self, batch: Batch) -> BoxFuture<'_, Result<Flow>> {
        for event in batch.iter().filter(|event| !event.is_aborted()) {
            let parts = self.digester.parts(&event, false);
            let row = row_of(self.digester, event.key);
            self.side.add(row, event.key, parts.content());
        }
        Box::pin(async { Ok(Flow::More) })
    }
}
