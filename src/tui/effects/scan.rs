//! The search of the filter over chunks of the buffer, on a thread of its own: an expression may
//! take long, and the screen must not wait for it.

use crate::event::{SelectError, Verdict};
use crate::tui::model::feed::{Scan, ScannedChunk};

/// Searches the chunks of a scan. An expression that does not end is the error.
pub fn search(scan: &Scan) -> Result<Vec<ScannedChunk>, SelectError> {
    let mut worker = scan.query.worker();
    let mut found = Vec::with_capacity(scan.chunks.len());
    for (id, batch) in &scan.chunks {
        let mut chunk = ScannedChunk {
            chunk: *id,
            kept: Vec::new(),
            failed: 0,
        };
        worker.begin();
        let payload = batch.payload();
        let (mut index, mut from) = (0, 0);
        // The texts that must occur are sought in all bytes at once; only events around a hit are
        // tested.
        while index < batch.len()
            && let Some(at) = worker.seek(payload, from)
        {
            while at > from && index < batch.len() && batch.end_of(index) <= at {
                index += 1;
            }
            if index == batch.len() {
                break;
            }
            match worker.test(&batch.get(index))? {
                Verdict::Keep => chunk.kept.push(index as u32),
                Verdict::Drop => {}
                Verdict::Failed => chunk.failed += 1,
            }
            from = batch.end_of(index);
            index += 1;
        }
        found.push(chunk);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::query::{Query, QuerySpec};
    use crate::tui::fixture::batch_of;

    #[test]
    fn what_the_search_keeps_is_what_the_test_keeps() {
        let values = [
            "{\"a\":\"xy\"}",
            "",
            "{\"a\":\"x\"}",
            "",
            "xy",
            "{\"a\":\"xy\",\"b\":1}",
            "",
        ];
        let events: Vec<(u32, i64, &str)> = values.iter().map(|v| (0, 1, *v)).collect();
        let batch = Arc::new(batch_of(&events));
        for (expression, expected) in [
            ("true", vec![0, 1, 2, 3, 4, 5, 6]),
            (".value == \"\"", vec![1, 3, 6]),
            (".value.a? == \"xy\"", vec![0, 5]),
            (".value.b? == 1", vec![5]),
            ("false", vec![]),
        ] {
            let spec = QuerySpec {
                where_: vec![expression.to_owned()],
                ..QuerySpec::default()
            };
            let scan = Scan {
                generation: 0,
                query: Arc::new(Query::compile(&spec).unwrap()),
                chunks: vec![(7, batch.clone())],
            };
            let found = search(&scan).unwrap();
            assert_eq!(found[0].kept, expected, "{expression}");
        }
    }
}
