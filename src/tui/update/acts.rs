//! What each action does that means the same in every view; the others are the views' own.

use crate::tui::actions::Action;
use crate::tui::model::overlay::{Answer, Help, Overlay, Question};
use crate::tui::model::{Model, View, ZoneMode};
use crate::tui::msg::{Effect, Say};
use crate::tui::{command, views};

use super::overlays;

pub fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    // A view knows best what a key means in it.
    if let Some(effects) = views::act(model, action) {
        return effects;
    }
    match action {
        Action::Down => views::step(model, 1),
        Action::Up => views::step(model, -1),
        Action::PageDown => views::step(model, model.page().cast_signed()),
        Action::PageUp => views::step(model, -model.page().cast_signed()),
        Action::Top => views::step(model, isize::MIN),
        Action::Bottom => views::step(model, isize::MAX),
        Action::GoFindings => model.go_to(View::Findings),
        Action::GoStream => model.go_to(View::Stream),
        Action::GoTopics => model.go_to(View::Topics),
        Action::GoLag => model.go_to(View::Lag),
        Action::GoOrder => model.go_to(View::Order),
        Action::GoTrace => model.go_to(View::Trace),
        Action::GoState => model.go_to(View::State),
        Action::GoSchemas => model.go_to(View::Schemas),
        Action::GoReplay => model.go_to(View::Replay),
        Action::Back => back(model),
        Action::Quit => quit(model),
        Action::Help => {
            model.overlays.push(Overlay::Help(Help {
                input: crate::tui::widgets::input::Input::default(),
                top: 0,
            }));
            Vec::new()
        }
        Action::Palette => overlays::open_palette(model),
        Action::Themes => overlays::open_themes(model),
        Action::Sources => overlays::open_sources(model),
        Action::SavedFilters => overlays::open_saved_filters(model),
        Action::Filter => overlays::open_filter(model),
        Action::ClearFilter => overlays::set_filter(model, ""),
        Action::GoTo => overlays::open_goto(model),
        Action::Zone => {
            model.zone = match model.zone {
                ZoneMode::Utc => ZoneMode::Local,
                ZoneMode::Local => ZoneMode::Age,
                ZoneMode::Age => ZoneMode::Epoch,
                ZoneMode::Epoch => ZoneMode::Utc,
            };
            Vec::new()
        }
        Action::CopyCommand => {
            let line = command::line(model);
            vec![Effect::Copy {
                what: "the command line".to_owned(),
                bytes: line.into_bytes(),
            }]
        }
        Action::Replay => views::replay::plan_selection(model),
        Action::Reload => views::reload(model),
        Action::Mouse => {
            model.mouse = !model.mouse;
            vec![Effect::Mouse(model.mouse)]
        }
        Action::Suspend => vec![Effect::Suspend],
        _ => {
            model.say(Say::info(format!(
                "nothing to do here: {}",
                action.spec().help.to_lowercase()
            )));
            Vec::new()
        }
    }
}

fn back(model: &mut Model) -> Vec<Effect> {
    match model.before.pop() {
        Some(view) => {
            model.view = view;
            views::entered(model)
        }
        None => Vec::new(),
    }
}

/// `q` closes what is open first, and asks only while a replay runs.
fn quit(model: &mut Model) -> Vec<Effect> {
    if views::replay::is_running(model) {
        model.overlays.push(Overlay::Question(Question {
            text: vec![
                "A replay is running.".to_owned(),
                "Stop it and quit? What was sent stays.".to_owned(),
            ],
            yes: Answer::Quit,
        }));
        return Vec::new();
    }
    vec![Effect::Quit]
}

impl Model {
    fn go_to(&mut self, view: View) -> Vec<Effect> {
        if self.view == view {
            return Vec::new();
        }
        self.go(view)
    }
}
