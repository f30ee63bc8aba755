//! The running screen in its waits, and the list's refusals.

use super::*;
use crate::replay::RunState;
use crate::replay::runs::{Ended, Kept, Past};
use crate::tui::model::View;
use crate::tui::views::trial::{at_all_sizes, model, screen};

fn running(canary: bool, lag: Option<&str>) -> Model {
    let mut model = model(View::Replay, 1 << 20);
    model.replay.selection = Some(Selection {
        parts: Vec::new(),
        filter: None,
        words: "three events".to_owned(),
    });
    let mut figures = Control::new(Pace::Max).figures();
    figures.state = RunState::Paused;
    figures.acknowledged = 5;
    figures.canary = canary;
    figures.lagging = lag.is_some();
    figures.lag = lag.map(str::to_owned);
    model.replay.figures = Some(figures);
    model.replay.stage = Stage::Running;
    model
}

#[test]
fn a_run_that_waits_says_why_and_how_it_goes_on() {
    let mut canary = running(true, None);
    let shown = screen(&mut canary, 80, 24);
    assert!(shown.contains("WAITS at the canary"), "{shown}");
    assert!(shown.contains("5 events are stored"), "{shown}");
    assert!(shown.contains("space goes on"), "{shown}");
    let mut held = running(false, Some("lag(bil\u{1b}ling) is 9"));
    let shown = screen(&mut held, 80, 24);
    assert!(shown.contains("WAITS for consumer groups"), "{shown}");
    assert!(shown.contains("it goes on by itself"), "{shown}");
    let mut paused = running(false, None);
    let shown = screen(&mut paused, 80, 24);
    assert!(
        shown.contains("PAUSED") && shown.contains("space goes on"),
        "{shown}"
    );
    at_all_sizes(&mut held);
}

/// A run as the folder tells it; its plan is none.
fn past(id: &str, running: bool, result: &str) -> Past {
    let line = serde_json::json!({
        "run": id, "plan": id, "user": null, "host": "h", "worker": "w", "pid": 1, "evtap": "0",
        "begun": "no time", "sources": [], "result": Ended::with(result).result,
        "target": {"address": "a\u{1b}", "broker": "b", "cluster": null},
    });
    Past {
        id: id.to_owned(),
        kept: Kept::Damaged(Plan::parse("", std::path::Path::new("p")).unwrap_err()),
        last: Some(serde_json::from_value(line).unwrap()),
        running,
    }
}

fn listed(runs: Vec<Past>) -> Model {
    let mut model = model(View::Replay, 1 << 20);
    model.replay.past = Some(past::State::default());
    past::take(&mut model, runs);
    model
}

#[test]
fn only_what_is_left_of_a_run_is_applied_again() {
    for (run, why) in [
        (past("a", true, "interrupted"), "works on it now"),
        (past("a", false, "complete"), "nothing of it is left"),
        (past("a", false, "killed"), "p:"),
    ] {
        let mut model = listed(vec![run]);
        assert!(act(&mut model, Action::Again).unwrap().is_empty());
        let said = model.said.as_ref().unwrap().0.text.clone();
        assert!(said.contains(why), "{said}");
        assert!(model.replay.lists_runs());
        at_all_sizes(&mut model);
        act(&mut model, Action::Open);
        at_all_sizes(&mut model);
    }
}

#[test]
fn the_cursor_stays_on_its_run_when_the_folder_is_read_again() {
    let run = |id| past(id, false, "killed");
    let mut model = listed(vec![run("a"), run("b")]);
    step(&mut model, 1);
    past::take(&mut model, vec![run("c"), run("a"), run("b")]);
    let Some(Effect::Copy { bytes, .. }) =
        act(&mut model, Action::CopyCommand).and_then(|mut effects| effects.pop())
    else {
        panic!("nothing to copy");
    };
    assert_eq!(bytes, b"evtap apply b");
    past::take(&mut model, Vec::new());
    step(&mut model, isize::MAX);
    assert!(act(&mut model, Action::Open).unwrap().is_empty());
    at_all_sizes(&mut model);
}

#[test]
fn without_a_folder_the_list_says_why() {
    let mut model = model(View::Replay, 1 << 20);
    assert!(act(&mut model, Action::Runs).unwrap().is_empty());
    assert!(!model.replay.lists_runs());
    assert!(model.said.unwrap().0.text.contains("EVTAP_STATE"));
}
