//! The runs of before on the screen: listed, in full, applied again, and their plans as files.

use super::picture;
use super::stage::{Stage, options};
use crate::replay::runs::{Begun, Counts, Ended, Kind, Line, Side, StateFolder};
use crate::replay::{Pace, Plan};
use crate::tui::Options;
use crate::tui::views::replay;

/// A stage whose runs are kept in a folder of its own.
fn stage() -> (tempfile::TempDir, StateFolder, Stage) {
    let dir = tempfile::tempdir().unwrap();
    let folder = StateFolder::at(dir.path().to_owned(), None);
    let options = Options {
        state: Some(folder.clone()),
        ..options()
    };
    (dir, folder, Stage::with("demo:orders", options))
}

/// The plan that is on the screen, which then is not any more.
fn planned(stage: &mut Stage) -> Plan {
    stage.press(&["r", "enter"]);
    let before = std::mem::take(&mut stage.model.replay);
    let replay::Stage::Planned { job, .. } = &before.stage else {
        panic!("{}", picture::text(&stage.draw(80, 24)));
    };
    job.the_plan().clone()
}

fn side(address: &str) -> Side {
    let side = serde_json::json!({ "broker": address, "address": address });
    serde_json::from_value(side).unwrap()
}

/// A line of the audit log with nothing of this host in it.
fn line(plan: &Plan, begun: &str, how: Ended) -> Line {
    Line {
        begun: Begun {
            run: plan.id(),
            kind: Kind::Replay,
            plan: plan.long_id(),
            user: Some("ada\u{1b}[31m".to_owned()),
            host: "mill".to_owned(),
            worker: "mill-1-0".to_owned(),
            pid: 42,
            evtap: "0.1.0".to_owned(),
            begun: begun.to_owned(),
            sources: vec![side(&plan.sources[0].address.to_string())],
            target: Some(side(&plan.target.address.to_string())),
            targets: Vec::new(),
            parked: None,
        },
        ended: Some("2024-08-15T10:29:00Z".to_owned()),
        how,
    }
}

fn noted(folder: &StateFolder, plan: &Plan, begun: &str, how: Ended) {
    append(folder, &line(plan, begun, how));
}

fn append(folder: &StateFolder, line: &Line) {
    let mut text = std::fs::read_to_string(folder.audit()).unwrap_or_default();
    text.push_str(&serde_json::to_string(line).unwrap());
    text.push('\n');
    std::fs::write(folder.audit(), text).unwrap();
}

/// A redrive that was interrupted.
fn redriven(folder: &StateFolder, plan: &Plan) {
    let id = "0123456789abcdef";
    let asked = "evtap redrive plan 1\nrange \"payments.dlq\" 0 [0, 3)\nreasons [\"\u{1b}[2J\"]";
    folder.keep_redrive(id, asked).unwrap();
    let mut line = line(
        plan,
        "2024-08-15T10:28:30Z",
        counted("interrupted", 2, None),
    );
    line.begun.kind = Kind::Redrive;
    (line.begun.run, line.begun.plan) = (id.to_owned(), id.repeat(4));
    line.begun.sources = vec![side("prod/payments.dlq")];
    line.begun.target = None;
    line.begun.targets = vec![side("prod/payments\u{1b}"), side("prod/refunds")];
    line.begun.parked = Some(side("/home/ada/parked.jsonl"));
    if let Some(counts) = &mut line.how.counts {
        (counts.redriven, counts.parked) = (Some(1), Some(1));
    }
    append(folder, &line);
}

fn counted(result: &str, acknowledged: u64, verified: Option<bool>) -> Ended {
    Ended {
        result: result.to_owned(),
        exit: Some(if verified == Some(true) { 0 } else { 6 }),
        error: None,
        counts: Some(Counts {
            read: 62,
            sent: acknowledged + 3,
            acknowledged,
            in_doubt: 3,
            bytes: 20_000,
            redriven: None,
            parked: None,
            skipped: serde_json::Map::from_iter([("replayed".to_owned(), 2.into())]),
        }),
        verified,
    }
}

/// One that was interrupted, one that ran through, and one whose plan is damaged.
fn with_runs() -> (tempfile::TempDir, StateFolder, Stage) {
    let (dir, folder, mut stage) = stage();
    let left = planned(&mut stage);
    let mut done = left.clone();
    done.pace = Pace::Rate(100.0);
    let mut torn = left.clone();
    torn.pace = Pace::Rate(200.0);
    for plan in [&left, &done, &torn] {
        folder.keep(plan).unwrap();
    }
    std::fs::write(folder.plan_of(&torn.id()).unwrap(), "id = \u{7}").unwrap();
    let how = counted("complete", 62, Some(true));
    noted(&folder, &done, "2024-08-15T10:27:00.5Z", how);
    let how = Ended::with("killed");
    noted(&folder, &torn, "2024-08-15T10:26:00Z", how);
    let how = counted("interrupted", 20, None);
    noted(&folder, &left, "2024-08-15T10:28:00Z", how);
    stage.press(&["9", "L"]);
    (dir, folder, stage)
}

#[test]
fn runs_of_before_are_listed_and_shown_in_full() {
    let (dir, _, mut stage) = with_runs();
    let folder = dir.path().to_str().unwrap();
    for (name, keys) in [("runs_list", &[][..]), ("runs_one", &["enter"])] {
        stage.press(keys);
        let mut shown = String::new();
        for (width, height) in [(80, 24), (120, 40), (60, 20)] {
            shown.push_str(&picture::titled(&stage.draw(width, height)));
        }
        assert!(!shown.contains('\u{1b}'), "{shown}");
        insta::assert_snapshot!(name, shown);
    }
    // What is damaged is told, and cannot be applied.
    stage.press(&["esc", "j", "j", "enter"]);
    let shown = picture::text(&stage.draw(200, 40));
    assert!(
        shown.contains("killed") && shown.contains(folder),
        "{shown}"
    );
    stage.press(&["A"]);
    let shown = picture::text(&stage.draw(200, 40));
    assert!(shown.contains("it cannot be applied again"), "{shown}");
    stage.press(&["esc", "esc"]);
    let shown = picture::text(&stage.draw(80, 24));
    assert!(shown.contains("Nothing is planned."), "{shown}");
}

#[test]
fn a_run_that_was_not_done_is_applied_again_after_a_question() {
    let (_dir, folder, mut stage) = with_runs();
    stage.press(&["A"]);
    let shown = picture::text(&stage.draw(80, 24));
    assert!(
        shown.contains("run ") && shown.contains(" again"),
        "{shown}"
    );
    assert!(
        shown.contains("evtap apply ") || shown.contains("preview:"),
        "{shown}"
    );
    let lines = || {
        std::fs::read_to_string(folder.audit())
            .unwrap()
            .lines()
            .count()
    };
    assert_eq!(lines(), 3);
    stage.press(&["ctrl-g"]);
    let shown = picture::text(&stage.draw(80, 24));
    assert!(shown.contains("Apply run ") && lines() == 3, "{shown}");
    stage.press(&["y"]);
    let shown = picture::text(&stage.draw(80, 24));
    assert!(shown.contains("done and verified"), "{shown}");
    assert_eq!(lines(), 4);
    // It is over now.
    stage.press(&["L"]);
    let shown = picture::text(&stage.draw(80, 24));
    assert!(!shown.contains("interrupted"), "{shown}");
    stage.press(&["A"]);
    let shown = picture::text(&stage.draw(80, 24));
    assert!(shown.contains("nothing of it is left"), "{shown}");
    assert_eq!(lines(), 4);
}

#[test]
fn a_redrive_is_listed_and_cannot_be_applied_again() {
    let (_dir, folder, mut stage) = stage();
    let plan = planned(&mut stage);
    folder.keep(&plan).unwrap();
    let how = counted("complete", 62, Some(true));
    noted(&folder, &plan, "2024-08-15T10:27:00Z", how);
    redriven(&folder, &plan);
    stage.press(&["9", "L"]);
    let mut shown = String::new();
    for keys in [&[][..], &["enter"]] {
        stage.press(keys);
        for (width, height) in [(80, 24), (120, 40)] {
            shown.push_str(&picture::titled(&stage.draw(width, height)));
        }
    }
    assert!(!shown.contains('\u{1b}'), "{shown}");
    insta::assert_snapshot!("runs_redrive", shown);
    for keys in [&["A"][..], &["ctrl-g"], &["y", "c"]] {
        stage.press(keys);
        let shown = picture::text(&stage.draw(200, 40));
        assert!(
            shown.contains("by its own command line"),
            "{keys:?} {shown}"
        );
        assert!(!shown.contains("evtap apply"), "{keys:?} {shown}");
    }
    stage.press(&["w"]);
    let shown = picture::text(&stage.draw(200, 40));
    assert!(shown.contains("there is no plan"), "{shown}");
}

#[test]
fn a_plan_is_written_to_a_new_file_only() {
    let (dir, _, mut stage) = stage();
    stage.press(&["r", "enter"]);
    let path = dir.path().join("p.toml");
    let name = path.to_str().unwrap().to_owned();
    for turn in 0..2 {
        stage.press(&["w", "ctrl-u"]);
        stage.write(&name);
        stage.press(&["enter"]);
        let shown = picture::text(&stage.draw(200, 24));
        let expected = ["the plan stands in", "cannot write the plan"][turn];
        assert!(shown.contains(expected), "{shown}");
        Plan::load(&path).unwrap();
    }
    // The prompt is still open: another name is written.
    stage.press(&["ctrl-u"]);
    stage.write(&format!("{name}2"));
    stage.press(&["enter"]);
    let first = std::fs::read_to_string(&path).unwrap();
    assert_eq!(std::fs::read_to_string(format!("{name}2")).unwrap(), first);
}
