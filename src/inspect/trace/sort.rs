//! Puts the events of a trace in the order of their causes, and ties each to its cause.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::Hop;

/// The hops in order: never before their cause, else by time.
pub(super) fn sorted(mut hops: Vec<Hop>) -> Vec<Hop> {
    hops.sort_by(|a, b| (a.time, a.at.rank()).cmp(&(b.time, b.at.rank())));
    let parents = parents(&hops);
    let order = order(&hops, &parents);
    let mut place = vec![0; hops.len()];
    for (new, &old) in order.iter().enumerate() {
        place[old] = new;
    }
    let mut slots: Vec<Option<Hop>> = hops.into_iter().map(Some).collect();
    let mut sorted: Vec<Hop> = Vec::with_capacity(slots.len());
    for &old in &order {
        let Some(mut hop) = slots[old].take() else {
            continue;
        };
        // A cause that stands behind its effect is in a circle: it is left out.
        let parent = parents[old].map(|p| place[p]);
        hop.parent = parent.filter(|&p| p < sorted.len());
        let before = hop.parent.or_else(|| sorted.len().checked_sub(1));
        let before = before.and_then(|i| sorted.get(i));
        hop.depth = hop
            .parent
            .and_then(|p| sorted.get(p))
            .map_or(0, |p| p.depth + 1);
        let times = hop.time.zip(before.and_then(|b| b.time));
        hop.gap_ms = times.map(|(own, before)| own.0.saturating_sub(before.0));
        sorted.push(hop);
    }
    copies(&mut sorted);
    sorted
}

/// For each hop the one that has the id which it names as its cause.
fn parents(hops: &[Hop]) -> Vec<Option<usize>> {
    let mut by_id: HashMap<&[u8], usize> = HashMap::new();
    for (i, hop) in hops.iter().enumerate() {
        if let Some(id) = hop.id.as_deref().filter(|_| !hop.dead_letter) {
            by_id.entry(id).or_insert(i);
        }
    }
    let parent = |(i, hop): (usize, &Hop)| {
        let cause = by_id.get(hop.causation.as_deref()?).copied()?;
        (cause != i).then_some(cause)
    };
    hops.iter().enumerate().map(parent).collect()
}

/// A hop is ready when its cause is placed; of those that are ready the oldest comes next.
fn order(hops: &[Hop], parents: &[Option<usize>]) -> Vec<usize> {
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); hops.len()];
    let mut ready = std::collections::BinaryHeap::new();
    for (i, parent) in parents.iter().enumerate() {
        match parent {
            Some(parent) => children[*parent].push(i),
            None => ready.push(Reverse(i)),
        }
    }
    let mut order = Vec::with_capacity(hops.len());
    let mut placed = vec![false; hops.len()];
    let mut rest = 0;
    while order.len() < hops.len() {
        let next = match ready.pop() {
            Some(Reverse(next)) => next,
            // Only circles are left: the oldest of them begins.
            None => match (rest..hops.len()).find(|&i| !placed[i]) {
                Some(next) => {
                    rest = next;
                    next
                }
                None => break,
            },
        };
        if std::mem::replace(&mut placed[next], true) {
            continue;
        }
        order.push(next);
        ready.extend(children[next].iter().copied().map(Reverse));
    }
    order
}

/// Marks hops that have the id of one before them.
fn copies(hops: &mut [Hop]) {
    let mut first: HashMap<Box<[u8]>, usize> = HashMap::new();
    for (i, hop) in hops.iter_mut().enumerate() {
        if let Some(id) = hop.id.clone() {
            let first = *first.entry(id).or_insert(i);
            hop.copy_of = (first != i).then_some(first);
        }
    }
}
