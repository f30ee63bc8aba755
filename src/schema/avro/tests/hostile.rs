//! Bombs, depths and damage: refused soon, without a panic and on a small stack.

use std::time::Duration;

use cpu_time::ThreadTime;

use super::super::describe;
use super::{bundle, compile, json, long, sized};
use crate::schema::DEEPEST;
use crate::schema::compat::avro::reasons;

/// Schemas that are damaged at random; `tests/fuzz` damages data.
const CASES: usize = 5_000;
/// What one event may take.
const SOON: Duration = Duration::from_millis(100);

/// Runs on a stack of 512 KiB: a quarter of what the threads of this program have.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new()
        .stack_size(512 * 1024)
        .spawn(test);
    thread.unwrap().join().unwrap();
}

/// In time, by what this thread takes of a core: other work may hold it up.
#[track_caller]
fn soon<T>(work: impl FnOnce() -> T) -> T {
    let start = ThreadTime::now();
    let done = work();
    let took = start.elapsed();
    assert!(took < SOON, "{took:?}");
    done
}

/// A generator of numbers that is the same in each run (xorshift64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }

    /// Some bytes changed, put in, taken out or cut off.
    fn damage(&mut self, bytes: &[u8]) -> Vec<u8> {
        const TELLING: [u8; 8] = [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff, b'"'];
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            match self.below(5) {
                0 if at < bytes.len() => bytes[at] = self.below(256) as u8,
                1 if at < bytes.len() => bytes[at] = TELLING[self.below(8)],
                2 => bytes.insert(at, TELLING[self.below(8)]),
                3 if at < bytes.len() => drop(bytes.remove(at)),
                4 if self.below(8) == 0 => bytes.truncate(at),
                _ => {}
            }
        }
        bytes
    }
}

#[test]
fn recursive_data_is_refused_beyond_the_depth() {
    on_a_small_stack(|| {
        let list =
            compile(r#"{"type":"record","name":"N","fields":[{"name":"n","type":["null","N"]}]}"#);
        let tree = compile(
            r#"{"type":"record","name":"T","fields":[{"name":"t","type":{"type":"array","items":"T"}}]}"#,
        );
        let mut bytes = vec![2; DEEPEST - 1];
        bytes.push(0);
        let deepest = json(&list, &bytes).unwrap();
        assert_eq!(deepest.matches("{\"n\":").count(), DEEPEST);
        assert!(
            json(&list, &[2; 100])
                .unwrap_err()
                .0
                .contains("the data end")
        );
        for levels in [DEEPEST, 10_000, 1_000_000] {
            for avro in [&list, &tree] {
                let refused = soon(|| json(avro, &vec![2; levels]).unwrap_err());
                assert!(
                    refused.0.contains("nested deeper than 128 levels"),
                    "{refused}"
                );
            }
        }
    });
}

#[test]
fn values_that_take_no_byte_are_counted() {
    let endless = [long(i64::MAX), vec![0]].concat();
    let sized_block = [long(-i64::MAX), long(0), vec![0]].concat();
    for items in [
        r#""null""#,
        r#"{"type":"record","name":"R","fields":[]}"#,
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":"null"}]}"#,
        r#"{"type":"fixed","name":"F","size":0}"#,
        r#"{"type":"fixed","name":"F","size":0,"logicalType":"decimal","precision":1}"#,
    ] {
        let avro = compile(&format!(r#"{{"type":"array","items":{items}}}"#));
        for bytes in [&endless, &sized_block] {
            let refused = soon(|| json(&avro, bytes).unwrap_err());
            assert!(
                refused
                    .0
                    .contains("more than 65536 values that take no byte"),
                "{refused}"
            );
        }
        // Many blocks of one are no way around it.
        let many = [vec![2; 70_000], vec![0]].concat();
        assert!(soon(|| avro.write_json(&many, &mut Vec::new())).is_err());
    }
    let avro = compile(r#"{"type":"array","items":"null"}"#);
    let some = json(&avro, &[long(60_000), vec![0]].concat()).unwrap();
    assert_eq!(some.len(), 60_000 * 5 + 1);
    // Nulls of a union take a byte each.
    let avro = compile(r#"{"type":"array","items":["null","int"]}"#);
    assert!(json(&avro, &[long(100_000), vec![0; 100_001]].concat()).is_ok());
}

#[test]
fn records_that_multiply_themselves_are_refused() {
    on_a_small_stack(|| {
        let own = compile(r#"{"type":"record","name":"R","fields":[{"name":"r","type":"R"}]}"#);
        assert!(
            soon(|| json(&own, &[]))
                .unwrap_err()
                .0
                .contains("nested deeper")
        );
        let mut types = vec![r#"{"type":"record","name":"R0","fields":[]}"#.to_owned()];
        for level in 1..60 {
            let below = level - 1;
            types.push(format!(
                r#"{{"type":"record","name":"R{level}","fields":[{{"name":"a","type":"R{below}"}},{{"name":"b","type":"R{below}"}}]}}"#
            ));
        }
        types.reverse();
        let double = compile(&format!("[{}]", types.join(",")));
        let refused = soon(|| json(&double, &[0])).unwrap_err();
        assert!(refused.0.contains("values that take no byte"), "{refused}");
        assert!(describe(&double).len() <= 10_000);
        assert_eq!(reasons(&double, &double).unwrap(), []);
    });
}

#[test]
fn lengths_that_are_only_claimed_are_refused() {
    for kind in [
        r#""string""#,
        r#""bytes""#,
        r#"{"type":"map","values":"int"}"#,
    ] {
        let avro = compile(kind);
        for length in [i64::MAX, i64::MIN, -1, 1 << 31, 1 << 40] {
            let bytes = [long(length), vec![b'a'; 3]].concat();
            assert!(soon(|| json(&avro, &bytes)).is_err(), "{kind} {length}");
        }
    }
    let huge = compile(r#"{"type":"fixed","name":"F","size":2147483647}"#);
    assert!(soon(|| json(&huge, &[1, 2, 3])).is_err());
}

#[test]
fn an_event_that_grows_too_large_is_refused() {
    let symbol = "S".repeat(1_000_000);
    let avro = compile(&format!(
        r#"{{"type":"array","items":{{"type":"enum","name":"E","symbols":["{symbol}"]}}}}"#
    ));
    let bytes = [long(1000), vec![0; 1001]].concat();
    let refused = json(&avro, &bytes).unwrap_err();
    assert!(
        refused
            .0
            .ends_with("the event is larger than 32 MiB as JSON"),
        "{refused}"
    );
    assert!(refused.0.len() < 300);
}

#[test]
fn deep_and_large_schemas_are_refused_or_parsed_in_time() {
    on_a_small_stack(|| {
        for levels in [100, 10_000, 1_000_000] {
            for (open, close) in [
                ("[", "]"),
                ("{\"type\":\"array\",\"items\":", "}"),
                ("{\"type\":", "}"),
            ] {
                let text = [
                    open.repeat(levels),
                    "\"int\"".to_owned(),
                    close.repeat(levels),
                ]
                .concat();
                let compiled = bundle(&text, &[]);
                let nested_arrays = levels == 100 && open != "[";
                assert_eq!(compiled.is_ok(), nested_arrays, "{levels} {open}");
            }
        }
        let list =
            |item: fn(usize) -> String, count| (0..count).map(item).collect::<Vec<_>>().join(",");
        for text in [
            format!("\"{}\"", "x".repeat(10_000_000)),
            format!(
                r#"{{"type":"enum","name":"E","symbols":[{}]}}"#,
                list(|i| format!("\"s{i}\""), 1_000_000)
            ),
        ] {
            let refused = soon(|| bundle(&text, &[]).map(drop)).unwrap_err();
            assert!(
                refused.to_string().ends_with("4194304 are taken"),
                "{refused}"
            );
        }
        let start = ThreadTime::now();
        for text in [
            format!("[{}]", list(|i| format!("\"T{i}\""), 300_000)),
            format!(
                r#"{{"type":"record","name":"R","aliases":[{}],"fields":[{}]}}"#,
                list(|i| format!("\"a{i}\""), 100_000),
                list(
                    |i| format!("{{\"name\":\"f{i}\",\"type\":\"int\"}}"),
                    50_000
                ),
            ),
            format!(
                "[{}]",
                list(
                    |i| format!("{{\"type\":\"fixed\",\"name\":\"F{i}\",\"size\":1}}"),
                    80_000
                )
            ),
        ] {
            drop(bundle(&text, &[]));
        }
        // Some seconds without optimization; a walk of quadratic time would take hours.
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "{:?}",
            start.elapsed()
        );
    });
}

#[test]
fn a_long_chain_of_types_needs_no_stack() {
    on_a_small_stack(|| {
        let last = 20_000;
        let mut types: Vec<String> = (0..last)
            .map(|i| {
                format!(
                    r#"{{"type":"record","name":"R{i}","fields":[{{"name":"a","type":"R{}"}}]}}"#,
                    i + 1
                )
            })
            .collect();
        types.push(format!(
            r#"{{"type":"record","name":"R{last}","fields":[]}}"#
        ));
        let chain = compile(&format!("[{}]", types.join(",")));
        assert!(json(&chain, &[0]).unwrap_err().0.contains("nested deeper"));
        assert!(
            chain
                .fingerprint()
                .unwrap_err()
                .to_string()
                .contains("nested deeper than 256 levels")
        );
        assert!(!describe(&chain).is_empty());
        // The union's branches against each other are too many; one chain is not.
        assert!(reasons(&chain, &chain).is_err());
    });
}

const MANY: &str = r#"{"type":"record","name":"R","fields":[
    {"name":"i","type":"int"},{"name":"l","type":"long"},{"name":"s","type":"string"},
    {"name":"u","type":["null","string",{"type":"array","items":"R"}]},
    {"name":"m","type":{"type":"map","values":["null","double","bytes"]}},
    {"name":"d","type":{"type":"bytes","logicalType":"decimal","precision":20,"scale":3}},
    {"name":"t","type":{"type":"long","logicalType":"timestamp-micros"}},
    {"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},
    {"name":"f","type":{"type":"fixed","name":"F","size":12,"logicalType":"duration"}}]}"#;

/// A value of [`MANY`] that holds another.
fn many() -> Vec<u8> {
    let ends = |union: &[u8]| {
        let mut bytes = [vec![1, 0x80, 0x20], sized("é\"".as_bytes()), union.to_vec()].concat();
        bytes.extend([
            4, 2, b'a', 0, 2, b'b', 4, 2, 0xff, 0, 6, 1, 2, 3, 0x8c, 0x91, 0x81, 4, 2,
        ]);
        bytes.extend([9; 12]);
        bytes
    };
    let inner = ends(&[2, 2, b'x']);
    ends(&[&[4, 2][..], &inner, &[0]].concat())
}

#[test]
fn damaged_schemas_are_refused_or_taken_and_nothing_else() {
    let mut dice = Dice(3);
    let good = compile(MANY);
    for _ in 0..CASES {
        let bytes = dice.damage(MANY.as_bytes());
        if let Ok(avro) = bundle(&String::from_utf8_lossy(&bytes), &[]) {
            describe(&avro);
            avro.fingerprint().unwrap();
            reasons(&avro, &good).unwrap();
            reasons(&good, &avro).unwrap();
            drop(soon(|| avro.write_json(&many(), &mut Vec::new())));
        }
    }
}
