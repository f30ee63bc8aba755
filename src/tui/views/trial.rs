//! What the tests of views drive a model with: sources, events, keys, and the world's answers to
//! the effects that views have.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::event::Timestamp;
use crate::schema::Decoder;
use crate::tui::actions::Action;
use crate::tui::connect::{Connected, Connection};
use crate::tui::fixture::options;
use crate::tui::model::{Model, Options, View};
use crate::tui::msg::{Effect, Intake, Msg, Now, Trouble};
use crate::tui::theme::Theme;
use crate::tui::update::{act, update};

pub use crate::tui::fixture::{connection, demo_connection, history};

/// A model that has seen nothing.
pub fn model(view: View, memory: usize) -> Model {
    let options = Options {
        themes: vec![Theme::monochrome()],
        memory,
        ..options()
    };
    Model::new(options, view)
}

/// These were opened; their bytes speak for themselves.
pub fn connected(connections: Vec<Arc<Connection>>) -> Msg {
    Msg::Connected(Ok(Connected {
        connections,
        decoder: Decoder::default(),
        sagas: None,
    }))
}

/// Sends a message and does what comes of it: work, waits and questions about groups.
pub async fn send(model: &mut Model, now: Duration, msg: Msg) {
    let now = Now {
        mono: now,
        wall: Timestamp(0),
    };
    let mut effects = update(model, now, msg);
    while let Some(effect) = effects.pop() {
        effects.extend(answer(model, now, effect).await);
    }
}

async fn answer(model: &mut Model, now: Now, effect: Effect) -> Vec<Effect> {
    let msg = match effect {
        Effect::Work(work) => work(),
        Effect::Wait(wait) => wait.await,
        Effect::Groups(connection, opened) => Msg::Groups {
            connection,
            found: opened.broker.groups().await.map_err(Trouble::from),
        },
        _ => return Vec::new(),
    };
    update(model, now, msg)
}

/// Does an action as its key does.
pub async fn press(model: &mut Model, action: Action) {
    let mut effects = act(model, action);
    while let Some(effect) = effects.pop() {
        effects.extend(answer(model, model_now(model), effect).await);
    }
}

fn model_now(model: &Model) -> Now {
    model.now
}

/// The demo with its history read to the end, all looked at.
pub async fn demo(view: View) -> Model {
    let mut model = model(view, 64 << 20);
    send(
        &mut model,
        Duration::ZERO,
        connected(vec![demo_connection()]),
    )
    .await;
    model.view = view;
    for batch in history().await {
        intake(&mut model, Intake::Batch(batch)).await;
    }
    intake(&mut model, Intake::End).await;
    for second in 1..4 {
        send(&mut model, Duration::from_secs(second), Msg::Tick).await;
    }
    model
}

pub async fn intake(model: &mut Model, what: Intake) {
    let (read, now) = (model.source.read, model.now.mono);
    send(model, now, Msg::Intake { read, what }).await;
}

/// The screen as text, a line a row.
pub fn screen(model: &mut Model, width: u16, height: u16) -> String {
    model.size = (width, height);
    crate::tui::views::settle(model);
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    crate::tui::app::render(model, &mut buffer);
    let mut text = String::new();
    for y in 0..height {
        let row = (0..width).filter_map(|x| buffer.cell((x, y)));
        let line: String = row.map(ratatui::buffer::Cell::symbol).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    assert!(
        !text
            .chars()
            .any(|c| c != '\n' && crate::text::is_hostile(c))
    );
    text
}

/// The line of a text that has this.
#[track_caller]
pub fn line<'a>(text: &'a str, wanted: &str) -> &'a str {
    let found = text.lines().find(|l| l.contains(wanted));
    found.unwrap_or_else(|| panic!("{wanted}\n{text}"))
}

/// However much there is, only what is on the screen is drawn.
#[track_caller]
pub fn draws_at_once(model: &mut Model) {
    let began = Instant::now();
    for _ in 0..20 {
        screen(model, 120, 40);
    }
    let took = began.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");
}

/// Draws at sizes down to one cell: nothing may panic.
pub fn at_all_sizes(model: &mut Model) {
    for width in (1..30).chain([60, 80, 120, 200]) {
        for height in (1..12).chain([20, 24, 40, 70]) {
            screen(model, width, height);
        }
    }
}
