//! A screen over events of one's own or the demo's frozen history, for the tests of views. What
//! the loop would do with threads is done at once.

use futures_util::FutureExt as _;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::event::{Batch, Position, Timestamp};
use crate::tui::actions::Action;
use crate::tui::app;
use crate::tui::fixture::{demo_connection, history, options};
use crate::tui::model::stream::Place;
use crate::tui::model::{Model, Options, View};
use crate::tui::msg::{Effect, Intake, Msg, Now};
use crate::tui::update::{act, update};

/// 2024-08-15T10:32:00Z, the virtual clock of the demo.
const NOW: Timestamp = Timestamp(1_723_717_920_000);

/// A screen that was started with nothing.
pub fn model(view: View) -> Model {
    let options = Options {
        now: Some(NOW),
        ..options()
    };
    Model::new(options, view)
}

/// A screen over the demo's history, in this view.
pub async fn demo(view: View) -> Model {
    let mut model = model(View::Stream);
    model.source.connections.push(demo_connection());
    for batch in history().await {
        take(&mut model, batch);
    }
    end(&mut model);
    let effects = model.go(view);
    run(&mut model, effects);
    model
}

/// An intake of this batch.
pub fn take(model: &mut Model, batch: Batch) {
    tell(model, Intake::Batch(batch));
}

/// The range is read to its end.
pub fn end(model: &mut Model) {
    tell(model, Intake::End);
}

pub fn tell(model: &mut Model, what: Intake) {
    let (now, read) = (model.now, model.source.read);
    let effects = update(model, now, Msg::Intake { read, what });
    run(model, effects);
}

/// Does an action and what it asks for.
pub fn press(model: &mut Model, action: Action) {
    let effects = act(model, action);
    run(model, effects);
}

/// Puts the cursor of the stream on an event: topic, partition, offset.
pub fn put_on(model: &mut Model, topic: &str, partition: u32, offset: u64) {
    let place = Place {
        topic: topic.into(),
        partition,
        position: Position::offset(offset),
    };
    let effects = super::stream::show_event(model, place);
    run(model, effects);
    let (batch, at) = model.stream.selected(&model.feed).unwrap();
    assert_eq!(batch.get(at).position, Position::offset(offset));
}

/// Lets half a second pass.
pub fn wait(model: &mut Model) {
    let now = Now {
        mono: model.now.mono + std::time::Duration::from_millis(500),
        wall: NOW,
    };
    let effects = update(model, now, Msg::Tick);
    run(model, effects);
}

/// Does the work that was asked for, and what its answers ask for. The world outside is not there.
pub fn run(model: &mut Model, effects: Vec<Effect>) {
    let mut waiting = effects;
    while let Some(effect) = waiting.pop() {
        let now = model.now;
        let msg = match effect {
            Effect::Work(work) => Some(work()),
            // What is embedded answers without being waited for.
            Effect::Wait(work) => work.now_or_never(),
            _ => None,
        };
        if let Some(msg) = msg {
            waiting.extend(update(model, now, msg));
        }
    }
}

/// The lines of the screen at this size.
pub fn screen(model: &mut Model, width: u16, height: u16) -> Vec<String> {
    model.size = (width, height);
    super::settle(model);
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    app::render(model, &mut buffer);
    let row = |y| {
        let cells = (0..width).map(|x| buffer[(x, y)].symbol());
        cells.collect::<String>().trim_end().to_owned()
    };
    (0..height).map(row).collect()
}

/// All of them as one text.
pub fn text(model: &mut Model, width: u16, height: u16) -> String {
    screen(model, width, height).join("\n")
}

/// A line of the text has all of these.
#[track_caller]
pub fn has(text: &str, words: &[&str]) {
    let line = |l: &str| words.iter().all(|w| l.contains(w));
    assert!(text.lines().any(line), "{words:?} in\n{text}");
}

/// Draws at many sizes, odd ones too: none may panic.
pub fn any_size(model: &mut Model) {
    for (width, height) in [
        (0, 0),
        (1, 1),
        (2, 5),
        (5, 2),
        (20, 4),
        (60, 20),
        (80, 24),
        (200, 60),
    ] {
        screen(model, width, height);
    }
}
