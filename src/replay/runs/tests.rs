//! What is kept of runs, in folders of its own.

use super::*;
use crate::event::Timestamp;
use crate::replay::fake::plan;

const NOW: Timestamp = Timestamp(1_723_717_800_000);

fn state() -> (tempfile::TempDir, StateFolder) {
    let dir = tempfile::tempdir().unwrap();
    let state = StateFolder::at(dir.path().join("deep/evtap"), None);
    (dir, state)
}

fn lines(state: &StateFolder) -> Vec<Line> {
    let text = std::fs::read_to_string(state.audit()).unwrap();
    text.lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect()
}

fn complete() -> Ended {
    Ended {
        result: "complete".into(),
        exit: Some(0),
        verified: Some(true),
        ..Ended::default()
    }
}

#[test]
fn the_folder_is_the_one_that_is_named() {
    let find = |vars: &'static [(&str, &str)]| {
        let env = |name: &str| {
            let found = vars.iter().find(|(n, _)| *n == name);
            found.map(|(_, v)| (*v).to_owned())
        };
        StateFolder::find(&env, None).map(|s| s.root.display().to_string())
    };
    assert_eq!(find(&[("HOME", "/h")]).unwrap(), "/h/.local/state/evtap");
    let xdg = &[("HOME", "/h"), ("XDG_STATE_HOME", "/s")];
    assert_eq!(find(xdg).unwrap(), "/s/evtap");
    let relative = &[("HOME", "/h"), ("XDG_STATE_HOME", "s")];
    assert_eq!(find(relative).unwrap(), "/h/.local/state/evtap");
    assert_eq!(
        find(&[("EVTAP_STATE", "/e"), ("HOME", "/h")]).unwrap(),
        "/e"
    );
    assert!(find(&[]).unwrap_err().hint.unwrap().contains("EVTAP_STATE"));
}

#[test]
fn a_plan_is_found_by_its_id() {
    let (_dir, state) = state();
    let plan = plan();
    state.keep(&plan).unwrap();
    state.keep(&plan).unwrap();
    for id in [plan.id(), plan.long_id()] {
        let path = state.plan_of(&id).unwrap();
        assert_eq!(Plan::load(&path).unwrap(), plan);
    }
    for text in ["plan.toml", "", "3F2A9C0D17BE4E55", "../../../../x"] {
        assert_eq!(state.plan_of(text), None, "{text}");
    }
    // What is damaged is written anew.
    std::fs::write(state.plan_of(&plan.id()).unwrap(), "x").unwrap();
    state.keep(&plan).unwrap();
    assert_eq!(
        Plan::load(&state.plan_of(&plan.id()).unwrap()).unwrap(),
        plan
    );
}

#[test]
fn each_process_has_a_number_and_gets_it_back() {
    let (_dir, state) = state();
    let plan = plan();
    let folder = state.keep(&plan).unwrap();
    let one = folder.claim(&plan, NOW).unwrap();
    let two = folder.claim(&plan, NOW).unwrap();
    assert_eq!((one.number(), two.number()), (0, 1));
    let name = one.worker().to_owned();
    assert!(name.ends_with("-0") && name != two.worker(), "{name}");
    assert!(name.len() <= 64 && name.bytes().all(|b| b.is_ascii_graphic()));
    drop(one);
    let again = folder.claim(&plan, NOW).unwrap();
    assert_eq!(again.worker(), name);
    // Another plan counts for itself.
    let mut other = plan.clone();
    other.provenance = false;
    let elsewhere = state.keep(&other).unwrap().claim(&other, NOW).unwrap();
    assert_eq!(elsewhere.number(), 0);
}

#[test]
fn each_run_is_one_line_also_when_it_was_killed() {
    let (_dir, state) = state();
    let plan = plan();
    let folder = state.keep(&plan).unwrap();
    // Dropped without a word, as by a kill.
    drop(folder.claim(&plan, NOW).unwrap());
    let second = folder.claim(&plan, Timestamp(NOW.0 + 1000)).unwrap();
    second.end(&complete(), Timestamp(NOW.0 + 5000)).unwrap();
    folder
        .claim(&plan, NOW)
        .unwrap()
        .end(&complete(), NOW)
        .unwrap();
    let lines = lines(&state);
    let told: Vec<_> = lines.iter().map(|l| l.how.result.as_str()).collect();
    assert_eq!(told, ["killed", "complete", "complete"]);
    assert_eq!(lines[0].ended, None);
    assert_eq!(lines[1].begun.begun, "2024-08-15T10:30:01.000Z");
    assert_eq!(lines[1].ended.as_deref(), Some("2024-08-15T10:30:05.000Z"));
    assert_eq!(lines[1].begun.plan, plan.long_id());
    assert_eq!(lines[1].begun.sources[0].ranges[1].end, "1000");
}

#[test]
fn the_list_has_the_plans_with_their_last_lines() {
    let (_dir, state) = state();
    assert!(list(&state).is_empty());
    let (one, mut two) = (plan(), plan());
    two.provenance = false;
    for (plan, at) in [(&one, 1), (&two, 2), (&one, 3)] {
        let claim = state
            .keep(plan)
            .unwrap()
            .claim(plan, Timestamp(at * 1000))
            .unwrap();
        claim.end(&complete(), Timestamp(at * 1000 + 1)).unwrap();
    }
    std::fs::write(state.runs().join("stranger"), "").unwrap();
    let held = state.keep(&two).unwrap().claim(&two, NOW).unwrap();
    let all = list(&state);
    let told: Vec<_> = all.iter().map(|p| (p.id.clone(), p.running)).collect();
    assert_eq!(told, [(one.id(), false), (two.id(), true)]);
    assert_eq!(all[0].plan.as_ref().unwrap(), &one);
    let begun = &all[0].last.as_ref().unwrap().begun.begun;
    assert_eq!(begun, "1970-01-01T00:00:03.000Z");
    drop(held);
    assert!(!list(&state)[1].running);
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_said_before_anything_runs() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = StateFolder::at(file.join("x"), None)
        .keep(&plan())
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::File);
    assert!(error.hint.unwrap().contains("nothing was written"));
    // As on a full disk: the audit log can be opened only where there is a place for it.
    let audit = file.join("audit.jsonl");
    let state = StateFolder::at(dir.path().join("state"), Some(&audit));
    let folder = state.keep(&plan()).unwrap();
    assert_eq!(
        folder.claim(&plan(), NOW).unwrap_err().kind,
        ErrorKind::File
    );
}
