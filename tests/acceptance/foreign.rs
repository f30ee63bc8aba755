//! Events that another program wrote: read byte for byte and in order, filtered as jq and Python
//! filter them, recorded, replayed, and read again by that other program.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::events::{self, Event, by_partition, equal, printed, referred};
use crate::program::{good, other, text, unique};
use crate::shared::server;

/// Keys and values as bytes: nothing of them is written anew.
const EXACT: [&str; 4] = ["-o", "jsonl", "--decode", "key=binary,value=binary"];

const WHERE: [&str; 6] = [
    r#".value.eventType == "PaymentFailed" and .value.amount > 500"#,
    r#".value.customer.city | test("^K.*n$")"#,
    ".headers.same | length == 3",
    r#".key == null or (.value.tags | index("vip"))"#,
    r#".encoding.value == "tombstone" or .encoding.key == "binary""#,
    r#"(.value.note // "" | contains("\u202e")) and (.timestamp % 2 == 0)"#,
];

const GREP: [&str; 3] = ["ev-1[0-9]*7\"", "^order-1[0-9]$", "^[0-9a-f]{30}00$"];

/// A Python that has confluent-kafka.
#[expect(clippy::print_stderr, reason = "a test says that it was skipped")]
fn python() -> Option<PathBuf> {
    if let Some(python) = std::env::var_os("EVTAP_TEST_PYTHON") {
        return Some(python.into());
    }
    let hint = "set EVTAP_TEST_PYTHON to a Python that has confluent-kafka: \
                python3 -m venv VENV && VENV/bin/pip install confluent-kafka";
    assert!(
        std::env::var_os("EVTAP_TEST_REQUIRE").is_none(),
        "EVTAP_TEST_REQUIRE is set: {hint}"
    );
    eprintln!("skipped: {hint}");
    None
}

struct Other {
    python: PathBuf,
    host: String,
}

impl Other {
    fn script(&self, args: &[&str]) -> Vec<u8> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/acceptance/produce.py");
        other(Command::new(&self.python).arg(script).args(args))
    }

    fn create(&self, topic: &str) {
        self.script(&["create", &self.host, topic]);
    }

    /// What the topic holds, as the other program sees it.
    fn dump(&self, topic: &str, file: &Path) -> Vec<Vec<Event>> {
        self.script(&["dump", &self.host, topic, text(file)]);
        reference(file)
    }
}

fn reference(file: &Path) -> Vec<Vec<Event>> {
    let lines = fs::read_to_string(file).unwrap();
    by_partition(lines.lines().map(referred))
}

fn exactly(source: &str) -> Vec<Vec<Event>> {
    let read = good(&[&["read", source], &EXACT[..]].concat()).is(0, "complete");
    by_partition(read.lines().into_iter().map(printed))
}

#[test]
fn what_another_producer_wrote_is_read_filtered_recorded_and_replayed() {
    let (Some(host), Some(python)) = (server("EVTAP_TEST_KAFKA"), python()) else {
        return;
    };
    let other = Other { python, host };
    let count = std::env::var("EVTAP_TEST_EVENTS").unwrap_or("200000".to_owned());
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    let topic = unique("foreign");
    let sent = file("sent");
    let told = other.script(&["send", &other.host, &topic, &count, text(&sent)]);
    let told: Value = serde_json::from_slice(&told).unwrap();
    let (kept, aborted) = (
        told["sent"].as_u64().unwrap(),
        told["aborted"].as_u64().unwrap(),
    );
    assert!(kept.to_string() == count && aborted > 0, "{told}");
    let url = |topic: &str| format!("kafka://{}/{topic}", other.host);
    let source = url(&topic);

    let wanted = reference(&sent);
    equal(&exactly(&source), &wanted, true);
    decoded_values_are_what_was_sent(&source, &wanted, &file("decoded"));
    let uncommitted = ["-X", "isolation.level=read_uncommitted", "-o", "template=x"];
    let all = good(&[&["read", &source], &uncommitted[..]].concat());
    assert_eq!(all.lines().len() as u64, kept + aborted);

    jq_answers_the_same(&source, &file("decoded"));
    python_answers_the_same(&other, &source, &sent);

    let capture = file("all.mcap");
    good(&["record", &source, "--out", text(&capture)]).is(0, "complete");
    equal(&exactly(text(&capture)), &wanted, true);
    let copy = unique("copy");
    other.create(&copy);
    let how = ["--no-provenance", "--timestamps", "keep", "--yes"];
    good(&[&["replay", text(&capture), "--to", &url(&copy)], &how[..]].concat()).is(0, "verified");
    equal(&exactly(&url(&copy)), &wanted, false);
    equal(&other.dump(&copy, &file("copied")), &wanted, false);
    same_header_order(&sent, &file("copied"));
}

/// The event object groups headers of one name; the log does not.
fn same_header_order(sent: &Path, copied: &Path) {
    let rows = |file: &Path| -> Vec<Value> {
        let lines = fs::read_to_string(file).unwrap();
        let mut rows: Vec<Value> = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        // The copy has offsets of its own.
        for row in &mut rows {
            row[1] = Value::Null;
        }
        rows
    };
    assert!(rows(sent) == rows(copied), "the order of the headers");
}

/// With the decoders that a person gets: a JSON value is the same JSON, with the same digits.
fn decoded_values_are_what_was_sent(source: &str, wanted: &[Vec<Event>], keep: &Path) {
    let read = good(&["read", source, "-o", "jsonl"]).is(0, "complete");
    fs::write(keep, &read.out).unwrap();
    let mut next = vec![0; wanted.len()];
    for line in read.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let partition = event["partition"].as_u64().unwrap() as usize;
        let wanted = &wanted[partition][next[partition]].content;
        next[partition] += 1;
        let (value, sent) = (&event["value"], wanted.value.as_deref());
        let same = match event["encoding"]["value"].as_str().unwrap() {
            "tombstone" => value.is_null() && sent.is_none(),
            "text" => value.as_str().map(str::as_bytes) == sent,
            "binary" => {
                Some(events::unbase64(value["base64"].as_str().unwrap())).as_deref() == sent
            }
            "json" => *value == serde_json::from_slice::<Value>(sent.unwrap()).unwrap(),
            other => panic!("{other}"),
        };
        assert!(same, "{}", line.chars().take(2000).collect::<String>());
    }
    let counts: Vec<usize> = wanted.iter().map(Vec::len).collect();
    assert_eq!(next, counts);
}

/// What evtap selects, as `partition/offset`.
fn selected(source: &str, selection: &[&str]) -> BTreeSet<String> {
    let id = ["-o", "template={partition}/{offset}"];
    let read = good(&[&["read", source], selection, &id].concat()).is(0, "complete");
    let found: BTreeSet<String> = read.lines().into_iter().map(str::to_owned).collect();
    assert_eq!(found.len(), read.lines().len(), "events came twice");
    found
}

/// One run of jq answers for all the expressions: a letter each, for an event that it keeps.
fn jq_answers_the_same(source: &str, decoded: &Path) {
    let mut program = r#""\(.partition)/\(.offset) ""#.to_owned();
    for (letter, expression) in ('a'..).zip(WHERE) {
        write!(
            program,
            r#" + (if (try ({expression}) catch false) then "{letter}" else "" end)"#
        )
        .unwrap();
    }
    let answers = other(Command::new("jq").arg("-r").arg(program).arg(decoded));
    let answers = String::from_utf8(answers).unwrap();
    for (letter, expression) in ('a'..).zip(WHERE) {
        let wanted: BTreeSet<String> = answers
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter(|(_, kept)| kept.contains(letter))
            .map(|(id, _)| id.to_owned())
            .collect();
        assert!(
            !wanted.is_empty(),
            "'{expression}' keeps nothing: it shows nothing"
        );
        let got = selected(source, &["-w", expression]);
        compare(expression, &got, &wanted);
    }
}

fn python_answers_the_same(other: &Other, source: &str, sent: &Path) {
    for pattern in GREP {
        let wanted = String::from_utf8(other.script(&["grep", text(sent), pattern])).unwrap();
        let wanted: BTreeSet<String> = wanted.lines().map(str::to_owned).collect();
        assert!(
            !wanted.is_empty(),
            "'{pattern}' keeps nothing: it shows nothing"
        );
        compare(pattern, &selected(source, &["-g", pattern]), &wanted);
    }
}

fn compare(what: &str, got: &BTreeSet<String>, wanted: &BTreeSet<String>) {
    let extra: Vec<_> = got.difference(wanted).take(5).collect();
    let missing: Vec<_> = wanted.difference(got).take(5).collect();
    assert!(
        extra.is_empty() && missing.is_empty(),
        "'{what}': {extra:?} too many, {missing:?} missing"
    );
}
