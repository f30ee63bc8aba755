//! Plans as text: what they say, that they are read back as they were, and what is refused.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::replay::fake::{place, plan};

fn read(text: &str) -> Result<Plan, PlanError> {
    Plan::parse(text, Path::new("p.toml"))
}

fn message(text: &str) -> String {
    match read(text).unwrap_err() {
        PlanError::Unreadable { message, hint } => format!("{message} | {hint}"),
        PlanError::Changed { message } => message,
    }
}

#[test]
fn the_same_plan_has_the_same_id_and_another_has_not() {
    let one = plan();
    assert_eq!(one.id(), plan().id());
    assert_eq!(id::shortened(&one.long_id()), Some(&*one.id()));
    assert!(one.long_id().starts_with(&one.id()));
    assert_eq!(one.long_id().len(), 64);
    let mut two = plan();
    two.sources[0].ranges[0].end.major += 1;
    assert_ne!(one.id(), two.id());
    let mut three = plan();
    three.selection.where_ = vec!["\"\n".to_owned()];
    assert_ne!(one.id(), three.id());
}

#[test]
fn a_plan_is_a_page_that_a_person_can_read() {
    let mut plan = plan();
    plan.sources[0].place.cluster = Some("c1".into());
    plan.selection.where_ = vec![".amount > 500 and .x == \"\u{1b}\"".into()];
    plan.pace = Pace::speed(10.0, Some(Duration::from_secs(5)));
    plan.target.ends = vec![PartitionEnd {
        partition: 1,
        style: PositionStyle::Offset,
        end: Position::offset(7),
    }];
    insta::assert_snapshot!(plan.canonical());
    let text = plan.to_toml();
    assert!(text.contains(&format!("\nid = \"{}\"\n", plan.long_id())));
    assert_eq!(read(&text).unwrap(), plan);
}

#[test]
fn what_was_changed_is_refused_and_what_says_nothing_is_not() {
    let text = plan().to_toml();
    let changed = message(&text.replace("end = 1000", "end = 2000"));
    assert!(changed.starts_with("guard plan hash: p.toml"), "{changed}");
    assert!(read(&format!("# seen\n{text}\n\n")).is_ok());
}

#[test]
fn mistakes_are_told_with_line_and_field() {
    let text = plan().to_toml();
    let line = |part: &str| text.lines().position(|l| l.contains(part)).unwrap() + 1;
    for (from, to, said) in [
        ("max_replays", "max_replay", "unknown field `max_replay`"),
        ("provenance = true", "provenance = 1", "expected a boolean"),
        ("timestamps = \"now\"", "timestamps = \"later\"", "later"),
        (
            "partitions = \"same\"",
            "partitions = \"all\"",
            "\"same\", \"key\"",
        ),
        ("language = 1", "language = 2", "version 2"),
        ("speed = \"max\"", "speed = \"fast\"", "\"max\" or a number"),
        (
            "address = \"kafka://t",
            "address = \"kafka:/t",
            "no // after",
        ),
    ] {
        let said_now = message(&text.replacen(from, to, 1));
        let at = format!("p.toml:{}:", line(from));
        assert!(
            said_now.starts_with(&at) && said_now.contains(said),
            "{said_now}"
        );
    }
    let below = message(&text.replacen("start = 0", "start = 2000", 1));
    assert!(below.contains("the end is below the start"), "{below}");
    assert!(below.starts_with("p.toml:"), "{below}");
    let newer = message(&text.replacen("format = 1", "format = 2", 1));
    assert!(newer.contains("a plan of format 2"), "{newer}");
    for garbage in ["", "format", "[[[", "format = 1", "\0", "format = -1"] {
        assert!(read(garbage).is_err());
    }
}

#[test]
fn no_secret_is_in_a_plan() {
    let hush = "redis://me:hush@h:1/t?password=hush";
    let mut plan = plan();
    plan.target.place = place(hush);
    plan.target.address = Address::parse(hush).unwrap().without_secrets();
    let text = plan.to_toml();
    assert!(!text.contains("hush"), "{text}");
    assert_eq!(read(&text).unwrap(), plan);
}

#[test]
fn a_file_is_there_as_a_whole_and_is_not_replaced_unasked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("plan.toml");
    let mut plan = plan();
    plan.save(&path, false).unwrap();
    assert_eq!(Plan::load(&path).unwrap(), plan);
    let first = std::fs::read(&path).unwrap();
    plan.provenance = false;
    let error = plan.save(&path, false).unwrap_err();
    assert!(error.hint.unwrap().contains("--overwrite"));
    assert_eq!(std::fs::read(&path).unwrap(), first);
    plan.save(&path, true).unwrap();
    assert_eq!(Plan::load(&path).unwrap(), plan);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    assert!(plan.save(&dir.path().join("no/plan.toml"), false).is_err());
}

fn position() -> impl Strategy<Value = (PositionStyle, Position, Position)> {
    let style = prop_oneof![Just(PositionStyle::Offset), Just(PositionStyle::Entry)];
    (style, any::<[u64; 4]>()).prop_map(|(style, [a, b, c, d])| {
        let minor = |n| if style == PositionStyle::Entry { n } else { 0 };
        let one = Position {
            major: a,
            minor: minor(b),
        };
        let two = Position {
            major: c,
            minor: minor(d),
        };
        (style, one.min(two), one.max(two))
    })
}

fn ranges() -> impl Strategy<Value = Vec<PartitionRange>> {
    let range = (any::<String>(), any::<u32>(), position()).prop_map(
        |(topic, partition, (style, start, end))| PartitionRange {
            topic: topic.into(),
            partition,
            style,
            start,
            end,
        },
    );
    prop::collection::vec(range, 0..4)
}

fn selection() -> impl Strategy<Value = PlanSelection> {
    let texts = || prop::collection::vec(any::<String>(), 0..3);
    let flags = any::<[bool; 3]>();
    let counts = (any::<Option<u32>>(), any::<Option<u32>>());
    let names = (any::<Option<String>>(), any::<Option<String>>());
    (texts(), texts(), texts(), texts(), flags, counts, names).prop_map(
        |(where_, filters, grep, keys, flags, counts, names)| PlanSelection {
            where_,
            filters,
            grep,
            ignore_case: flags[0],
            fixed: flags[1],
            keys,
            limit: counts.0.map(u64::from),
            last: counts.1.map(|n| n as usize),
            decode: names.0,
            schemas: names.1,
            formats: flags[2],
        },
    )
}

fn pace() -> impl Strategy<Value = Pace> {
    let above_zero = || 1e-300..1e300_f64;
    let gap = any::<Option<u32>>();
    prop_oneof![
        Just(Pace::Max),
        above_zero().prop_map(Pace::Rate),
        (above_zero(), gap).prop_map(|(factor, gap)| Pace::Speed {
            factor,
            max_gap: gap.map(|ms| Duration::from_millis(ms.into())),
        }),
    ]
}

proptest! {
    #[test]
    fn every_plan_is_read_back_as_it_was(
        ranges in ranges(),
        selection in selection(),
        pace in pace(),
        names in any::<(String, Option<String>, Option<String>)>(),
        flags in any::<[bool; 4]>(),
        numbers in any::<(u32, Option<u32>, Option<u32>, Option<u32>)>(),
    ) {
        let mut plan = plan();
        plan.made = Timestamp(i64::from(numbers.0) * 1009);
        plan.sources[0].name = names.0;
        plan.sources[0].place.cluster = names.1;
        plan.target.topic = names.2.map(Arc::from);
        plan.target.ends = ranges
            .iter()
            .map(|r| PartitionEnd { partition: r.partition, style: r.style, end: r.end })
            .collect();
        plan.sources[0].ranges = ranges;
        plan.selection = selection;
        plan.pace = pace;
        plan.target.create = flags[0];
        plan.target.overwrite = flags[1];
        plan.provenance = flags[2];
        plan.guards.allow_self = flags[3];
        plan.guards.max_replays = numbers.0;
        plan.target.partitions = numbers.1;
        plan.partitions = numbers.1.map_or(PartitionPolicy::Key, PartitionPolicy::Fixed);
        plan.guards.max_events = numbers.2.map(u64::from);
        plan.guards.max_duration = numbers.3.map(|ms| Duration::from_millis(ms.into()));
        let text = plan.to_toml();
        prop_assert!(text.lines().all(|l| !l.contains(crate::text::is_hostile)));
        prop_assert_eq!(read(&text).unwrap(), plan);
    }
}

#[test]
fn what_changes_events_is_in_the_plan_and_its_id() {
    use crate::replay::alter::{Mask, MaskKey, SetHeader};
    let mut plan = plan();
    plan.holds.canary = Some(5);
    plan.holds.pause_if = vec!["lag(billing)>9".parse().unwrap()];
    plan.alterations.map = Some(".value.a = \"x\\n\" |\n .".to_owned());
    plan.alterations.masks = vec![Mask::parse(".value.\"a b\"=hash", Some("o*")).unwrap()];
    plan.alterations.mask_key = Some(MaskKey::random().unwrap());
    plan.alterations.set_headers = vec![SetHeader::parse("a=\u{1b}b").unwrap()];
    plan.alterations.validate = true;
    plan.schemas = vec![PlanSchema {
        of: schemas::PlanSide::Target,
        topic: "copy".to_owned(),
        part: "value".to_owned(),
        event_type: None,
        subject: Some("copy-\u{1b}value".to_owned()),
        version: Some(3),
        id: Some("17".to_owned()),
        sha256: "ab".repeat(32),
    }];
    let text = plan.to_toml();
    assert_eq!(read(&text).unwrap(), plan, "{text}");
    let mut other = plan.clone();
    other.alterations.mask_key = Some(MaskKey::random().unwrap());
    assert_ne!(other.id(), plan.id());
    let mut newer = plan.clone();
    newer.schemas[0].version = Some(4);
    assert_ne!(newer.id(), plan.id());
    let changed = message(&text.replace("canary = 5", "canary = 6"));
    assert!(changed.starts_with("guard plan hash"), "{changed}");
}
