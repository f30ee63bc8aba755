//! Draws what lies over a view: the filter bar, prompts, pickers, help, questions.

use ratatui::layout::Rect;

use crate::text::width;
use crate::tui::actions::{ACTIONS, Scope};
use crate::tui::canvas::{Canvas, line_of, middle_of, rest_of, safe};
use crate::tui::model::Model;
use crate::tui::model::overlay::{FilterBar, Help, Overlay, Picker, Prompt, Question};
use crate::tui::theme::Role;
use crate::tui::views::chrome;
use crate::tui::widgets::Tone;
use crate::tui::widgets::input::Input;

pub fn draw(model: &Model, canvas: &mut Canvas<'_>) {
    for overlay in &model.overlays {
        match overlay {
            Overlay::Filter(bar) => filter(model, canvas, bar),
            Overlay::Prompt(prompt) => draw_prompt(canvas, prompt),
            Overlay::Pick(picker) => pick(canvas, picker),
            Overlay::Help(help) => draw_help(model, canvas, help),
            Overlay::Question(question) => ask(canvas, question),
        }
    }
}

/// The style of a widget's tone.
pub const fn role_of(tone: Tone) -> Role {
    match tone {
        Tone::Text => Role::Text,
        Tone::Dim => Role::Dim,
        Tone::Title => Role::Title,
        Tone::Key => Role::JsonKey,
        Tone::String => Role::JsonString,
        Tone::Number => Role::JsonNumber,
        Tone::Literal => Role::JsonLiteral,
        Tone::Match => Role::Match,
        Tone::Added => Role::Added,
        Tone::Removed => Role::Removed,
        Tone::Changed => Role::Changed,
        Tone::Error => Role::Error,
        Tone::Bad => Role::Bad,
        Tone::Cursor => Role::Cursor,
    }
}

/// A line of typed text with its caret.
fn line(canvas: &mut Canvas<'_>, area: Rect, input: &Input) {
    if area.width == 0 {
        return;
    }
    canvas.clear(area, Role::Input);
    let view = input.view(usize::from(area.width));
    let mut used = 0;
    for (tone, text) in view.line.spans() {
        let role = match tone {
            Tone::Text => Role::Input,
            other => role_of(*other),
        };
        used += canvas.put(rest_of(area, used), text, role);
    }
    canvas.caret(area.x + (view.cursor as u16).min(area.width - 1), area.y);
}

/// The bar stands where the status strip is, with what it finds at its end; what is wrong with it,
/// below.
fn filter(model: &Model, canvas: &mut Canvas<'_>, bar: &FilterBar) {
    let screen = canvas.area();
    let at = usize::from(screen.height.saturating_sub(2));
    let area = line_of(screen, at);
    canvas.clear(area, Role::Input);
    let used = canvas.put(area, " filter / ", Role::Title);
    let mut rest = rest_of(area, used);
    if let Some(found) = chrome::matches(model).filter(|_| rest.width >= 40) {
        let found = format!(" {found} ");
        rest.width -= canvas.parts_right(rest, &[(Role::BarStrong, &found)]);
    }
    line(canvas, rest, &bar.input);
    let below = line_of(screen, at + 1);
    canvas.clear(below, Role::Screen);
    match &bar.error {
        Some(error) => {
            let hint = error.hint.as_deref().unwrap_or_default();
            canvas.parts(
                below,
                &[
                    (Role::Error, " "),
                    (Role::Error, &error.message),
                    (Role::Dim, "  "),
                    (Role::Dim, hint),
                ],
            );
        }
        None => {
            canvas.put(
                below,
                " words   -without   \"a phrase\"   /regex/   .value.amount > 100 (jq)   enter keeps   esc drops",
                Role::Dim,
            );
        }
    }
}

fn draw_prompt(canvas: &mut Canvas<'_>, prompt: &Prompt) {
    let screen = canvas.area();
    let (role, text) = match &prompt.error {
        Some(error) => (Role::Error, error.as_str()),
        None => (Role::Dim, prompt.help),
    };
    // A panel of this width has so much room inside.
    let said = wrapped(text, usize::from(screen.width.min(76).saturating_sub(4)));
    let height = said.len() as u16 + 4;
    let inside = canvas.panel(middle_of(screen, 76, height), prompt.title);
    line(canvas, line_of(inside, 0), &prompt.input);
    for (at, text) in said.iter().enumerate() {
        canvas.put(line_of(inside, 1 + at), text, role);
    }
    let keys = line_of(inside, 1 + said.len());
    canvas.put(keys, "enter takes it   esc leaves", Role::Dim);
}

/// A text in a few lines, broken between words. The last line is cut where it is drawn.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    const MOST: usize = 4;
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let full = lines.len() >= MOST;
        match lines.last_mut() {
            Some(line) if full || width::width(line) + 1 + width::width(word) <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn pick(canvas: &mut Canvas<'_>, picker: &Picker) {
    let screen = canvas.area();
    let height = (picker.items.len() as u16).saturating_add(3).clamp(6, 24);
    let inside = canvas.panel(
        middle_of(screen, 84, height.min(screen.height.saturating_sub(2))),
        picker.title,
    );
    line(canvas, line_of(inside, 0), &picker.input);
    let rows = usize::from(inside.height.saturating_sub(1));
    let left = picker.left();
    if left.is_empty() {
        canvas.put(line_of(inside, 1), "nothing has these words", Role::Dim);
    }
    let top = (picker.at + 1).saturating_sub(rows);
    let label_width = left
        .iter()
        .map(|i| i.label.chars().count())
        .max()
        .unwrap_or(0);
    let label_width = (label_width as u16 + 2).min(inside.width / 2);
    for (row, item) in left.iter().enumerate().skip(top).take(rows) {
        let area = line_of(inside, 1 + row - top);
        let chosen = row == picker.at;
        if chosen {
            canvas.paint(area, Role::Cursor);
        }
        let role = |role| if chosen { Role::Cursor } else { role };
        canvas.put(
            Rect {
                width: label_width,
                ..area
            },
            &item.label,
            role(Role::Text),
        );
        // What a broker answers may be long; the address beside it is to be seen, too.
        let most = usize::from(area.width / 2);
        let hint = width::truncate(&safe(&item.hint), most, canvas.glyphs.ellipsis).into_owned();
        let hint = canvas.parts_right(area, &[(role(Role::Key), &hint)]);
        let rest = rest_of(area, label_width);
        let rest = Rect {
            width: rest.width.saturating_sub(hint + 1),
            ..rest
        };
        canvas.put(rest, &item.detail, role(Role::Dim));
    }
}

/// The lines of the help: what the view knows first, then what holds everywhere.
fn help_lines(model: &Model, typed: &str) -> Vec<(Option<Scope>, String, &'static str)> {
    let words: Vec<String> = typed
        .to_lowercase()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let mut lines = Vec::new();
    for scope in model.scopes() {
        let specs = ACTIONS.iter().filter(|s| s.scope == scope);
        let mut first = true;
        for spec in specs {
            let text = format!("{} {} {}", spec.help, spec.words, spec.id).to_lowercase();
            if !words.iter().all(|w| text.contains(w)) {
                continue;
            }
            let keys: Vec<String> = model
                .options
                .keymap
                .keys(spec.action)
                .map(|k| k.to_string())
                .collect();
            lines.push((first.then_some(scope), keys.join(", "), spec.help));
            first = false;
        }
    }
    lines
}

fn draw_help(model: &Model, canvas: &mut Canvas<'_>, help: &Help) {
    let screen = canvas.area();
    let inside = canvas.panel(
        middle_of(screen, 84, screen.height.saturating_sub(2)),
        "Keys",
    );
    let used = canvas.put(line_of(inside, 0), "find: ", Role::Dim);
    line(canvas, rest_of(line_of(inside, 0), used), &help.input);
    let mut rows: Vec<(Role, String, &str)> = Vec::new();
    for (scope, keys, about) in help_lines(model, help.input.text()) {
        if let Some(scope) = scope {
            rows.push((Role::Title, scope.name().to_owned(), ""));
        }
        rows.push((Role::Key, keys, about));
    }
    if rows.is_empty() {
        canvas.put(line_of(inside, 1), "nothing has these words", Role::Dim);
    }
    let height = usize::from(inside.height.saturating_sub(2));
    let top = help.top.min(rows.len().saturating_sub(height));
    for (at, (role, keys, about)) in rows.iter().skip(top).take(height).enumerate() {
        let area = line_of(inside, at + 1);
        if *role == Role::Title {
            canvas.put(area, keys, Role::Title);
        } else {
            canvas.put(
                Rect {
                    width: area.width.min(20),
                    ..rest_of(area, 1)
                },
                keys,
                Role::Key,
            );
            canvas.put(rest_of(area, 22), about, Role::Text);
        }
    }
    let last = line_of(inside, usize::from(inside.height.saturating_sub(1)));
    canvas.put(
        last,
        "down and up scroll   type to find   esc closes",
        Role::Dim,
    );
}

fn ask(canvas: &mut Canvas<'_>, question: &Question) {
    let screen = canvas.area();
    let height = question.text.len() as u16 + 4;
    let inside = canvas.panel(middle_of(screen, 76, height), "Are you sure?");
    for (at, text) in question.text.iter().enumerate() {
        canvas.put(line_of(inside, at), text, Role::Text);
    }
    let keys = [
        (Role::Key, "y"),
        (Role::Dim, " yes   "),
        (Role::Key, "n"),
        (Role::Dim, " no"),
    ];
    canvas.parts(line_of(inside, question.text.len() + 1), &keys);
}
