//! The plan as a file, for `evtap apply` here or elsewhere. A file that is there stays as it is.

use std::path::PathBuf;

use super::{Stage, past};
use crate::replay::Plan;
use crate::tui::model::Model;
use crate::tui::model::overlay::{Overlay, Prompt, PromptKind};
use crate::tui::msg::{Effect, Msg, Say};
use crate::tui::widgets::input::Input;

/// Asks for the file of the plan that is shown.
pub(super) fn ask(model: &mut Model) -> Vec<Effect> {
    let plan = match &model.replay.stage {
        _ if model.replay.past.is_some() => past::plan(model).cloned(),
        Stage::Planned { job, .. } if job.can_be_previewed() => Some(job.the_plan().clone()),
        _ => None,
    };
    let Some(plan) = plan else {
        model.say(Say::info("there is no plan that a file could keep"));
        return Vec::new();
    };
    let name = format!("plan-{}.toml", plan.id());
    model.replay.to_save = Some(Box::new(plan));
    prompt(model, &name, None);
    Vec::new()
}

fn prompt(model: &mut Model, name: &str, error: Option<String>) {
    model.overlays.push(Overlay::Prompt(Prompt {
        kind: PromptKind::PlanFile,
        title: "Write the plan to",
        help: "a new file; `evtap apply FILE` runs it, here or on another host",
        input: Input::new(name),
        error,
    }));
}

/// A name was typed. One that cannot be written to is asked for again.
pub fn file_typed(model: &mut Model, name: &str) -> Result<Vec<Effect>, String> {
    if name.is_empty() {
        return Err("name a file".to_owned());
    }
    let Some(plan) = model.replay.to_save.take() else {
        return Err("there is no plan that a file could keep".to_owned());
    };
    let name = name.to_owned();
    Ok(vec![Effect::Work(Box::new(move || {
        let path = PathBuf::from(&name);
        let written = plan.save(&path, false);
        Msg::Done(Box::new(move |model| {
            match written {
                Ok(()) => model.say(Say::good(format!("the plan stands in {name}"))),
                Err(error) => ask_again(model, plan, &name, error.message),
            }
            Vec::new()
        }))
    }))])
}

fn ask_again(model: &mut Model, plan: Box<Plan>, name: &str, why: String) {
    // A person who went on to something else is not called back.
    if !model.overlays.is_empty() {
        model.say(Say::bad(why));
        return;
    }
    model.replay.to_save = Some(plan);
    prompt(model, name, Some(why));
}
