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

/// A redrive of the plan's source into two topics.
fn redrive() -> Subject {
    let of_plan = Subject::from(&plan());
    let id = "00112233445566778899aabbccddeeff".repeat(2);
    let side = |topic: &str| Side {
        topic: Some(topic.to_owned()),
        ..of_plan.target.clone().unwrap()
    };
    Subject {
        kind: Kind::Redrive,
        run: id[..16].to_owned(),
        plan: id,
        target: None,
        targets: vec![side("a"), side("b")],
        parked: Some(side("aside")),
        ..of_plan.clone()
    }
}

fn plan_of(past: &Past) -> &Plan {
    match &past.kept {
        Kept::Plan(plan) => plan,
        other => panic!("{other:?}"),
    }
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
    assert_eq!(plan_of(&all[0]), &one);
    let begun = &all[0].last.as_ref().unwrap().begun.begun;
    assert_eq!(begun, "1970-01-01T00:00:03.000Z");
    drop(held);
    assert!(!list(&state)[1].running);
}

#[test]
fn a_redrive_has_a_line_of_its_own_kind_also_when_it_was_killed() {
    let (_dir, state) = state();
    let (id, plan) = (redrive().run, plan());
    drop(
        state
            .keep_redrive(&id, "asked")
            .unwrap()
            .claim(redrive(), NOW)
            .unwrap(),
    );
    // The next run of whatever kind notes it.
    let replay = state.keep(&plan).unwrap().claim(&plan, NOW).unwrap();
    replay.end(&complete(), NOW).unwrap();
    let text = std::fs::read_to_string(state.audit()).unwrap();
    let raw: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(raw[0]["kind"], "redrive");
    assert_eq!(raw[0]["result"], "killed");
    assert_eq!(raw[0]["run"], *id);
    assert_eq!(raw[0]["target"], serde_json::Value::Null);
    assert_eq!(raw[0]["targets"][1]["topic"], "b");
    assert_eq!(raw[0]["parked"]["topic"], "aside");
    assert_eq!(raw[0]["sources"][0]["ranges"][1]["end"], "1000");
    assert_eq!(raw[1]["kind"], "replay");
    assert_eq!(raw[1]["target"]["topic"], "copy");
    assert_eq!(raw[1].get("targets"), None);
    let lines = lines(&state);
    let begun = &lines[0].begun;
    let topics: Vec<_> = begun.written().map(|side| side.topic.as_deref()).collect();
    assert_eq!(topics, [Some("a"), Some("b"), Some("aside")]);
}

#[test]
fn a_line_that_names_no_kind_is_a_replays() {
    let (_dir, state) = state();
    let plan = plan();
    let claim = state.keep(&plan).unwrap().claim(&plan, NOW).unwrap();
    claim.end(&complete(), NOW).unwrap();
    let text = std::fs::read_to_string(state.audit()).unwrap();
    let old = text.replace("\"kind\":\"replay\",", "");
    assert_ne!(old, text);
    let line: Line = serde_json::from_str(&old).unwrap();
    assert_eq!(line, lines(&state)[0]);
}

#[test]
fn a_redrive_is_listed_with_what_it_was_asked_and_has_no_plan() {
    let (_dir, state) = state();
    let id = redrive().run;
    let folder = state.keep_redrive(&id, "asked\n").unwrap();
    let held = folder.claim(redrive(), NOW).unwrap();
    let all = list(&state);
    assert!(all[0].running && all[0].last.is_none(), "{all:?}");
    held.end(&complete(), NOW).unwrap();
    // A second time the same is asked, and it counts by its newest line.
    let folder = state.keep_redrive(&id, "asked\n").unwrap();
    let again = folder.claim(redrive(), Timestamp(NOW.0 + 1)).unwrap();
    again.end(&Ended::with("interrupted"), NOW).unwrap();
    let all = list(&state);
    assert_eq!((all.len(), &all[0].id), (1, &id));
    assert!(matches!(&all[0].kept, Kept::Redrive(text) if text == "asked\n"));
    let last = all[0].last.as_ref().unwrap();
    assert_eq!((&*last.how.result, all[0].running), ("interrupted", false));
    assert!(state.is_redrive(&id) && state.is_redrive(&redrive().plan));
    state.keep(&plan()).unwrap();
    assert!(!state.is_redrive(&plan().id()) && !state.is_redrive("../x"));
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
    let state = StateFolder::at(file.join("x"), None);
    let error = state.keep_redrive(&redrive().run, "asked").unwrap_err();
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
