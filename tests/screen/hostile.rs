//! The event that attacks terminals, looked at in every view: what the program writes into the
//! terminal is its own, every byte of it.

use crate::pty::Terminal;

/// Where the demo keeps it: an erased screen, a moved cursor, a clipboard, a bell and a bidi
/// override in its value, a window title in a header.
const EVENT: &str = "orders/0@7";

/// Asserts that these bytes hold text and the escape sequences of drawing, nothing else.
pub fn assert_harmless(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).expect("a screen is UTF-8");
    for (at, c) in text.char_indices() {
        let near = || text[at..].chars().take(40).collect::<String>();
        match c {
            '\x1b' => assert!(is_drawing(&text[at + 1..]), "{:?}", near()),
            // The C1 set, and what turns text around or hides it.
            '\0'..='\x1f' | '\x7f'..='\u{9f}' => panic_at(c, &near()),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                panic_at(c, &near());
            }
            _ => {}
        }
    }
}

fn panic_at(c: char, near: &str) {
    assert_eq!(None, Some(c), "before {near:?}");
}

/// Whether an escape sequence is one that draws cells: a place, a style, a mode of the screen.
/// Erasing it all is none: only a resize does.
fn is_drawing(after: &str) -> bool {
    let Some(rest) = after.strip_prefix('[') else {
        return false;
    };
    let is_final = |c: char| matches!(c, '@'..='~');
    let Some(end) = rest.find(is_final) else {
        // Cut by the end of what was read.
        return rest.len() < 32;
    };
    let (parameters, kind) = (&rest[..end], &rest[end..=end]);
    let plain = parameters
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, ';' | ':' | '?'));
    plain && matches!(kind, "H" | "m" | "h" | "l")
}

/// The parts of the event that attack, as they stand in it.
fn assert_no_attack(terminal: &Terminal, place: &str) {
    let raw = terminal.raw();
    let holds = |attack: &[u8]| raw.windows(attack.len()).any(|window| window == attack);
    let attacks: [&[u8]; 6] = [
        b"\x07",
        b"\x1b]",
        b"\x1b[2J",
        "\u{202e}".as_bytes(),
        b"\xc2\x9b",
        b"\x1bP",
    ];
    for attack in attacks {
        assert!(
            !holds(attack),
            "{:?} came through in {place}:\n{}",
            String::from_utf8_lossy(attack),
            terminal.screen()
        );
    }
    assert_harmless(&raw);
}

/// The stream with the cursor on the event.
fn on_it(size: (u16, u16), flags: &[&str]) -> Terminal {
    let args = [&["demo", "--frozen"], flags].concat();
    let mut terminal = Terminal::evtap(size, &args);
    terminal.until_text("483 shown");
    terminal.keys("2");
    terminal.until_text("topic/partition");
    terminal.keys("t");
    terminal.until_text("Go to");
    terminal.keys(&format!("{EVENT}\r"));
    terminal.until("the event in the detail", |s| {
        !s.contents().contains("Go to")
    });
    terminal.still();
    terminal
}

#[test]
fn no_view_and_no_tab_lets_it_through() {
    for (size, flags) in [
        ((140, 45), &[][..]),
        ((80, 24), &["--ascii"]),
        ((200, 50), &["--color", "never"]),
    ] {
        let mut terminal = on_it(size, flags);
        let shown = terminal.screen();
        assert!(shown.contains("order-423") || size.0 < 100, "{shown}");
        // Into the detail, and through its tabs, each to its end and far to the right.
        terminal.press("\r");
        for tab in 0..8 {
            terminal.press("E");
            terminal.press("G");
            terminal.press("lllll");
            terminal.press("hhhhh");
            terminal.press("g");
            assert_no_attack(&terminal, &format!("tab {tab}"));
            terminal.press("\t");
        }
        let mut terminal = on_it(size, flags);
        // Alone, below, beside, far to the right in the list.
        for keys in [
            "\\",
            "\\",
            "|",
            "|",
            "|",
            "|",
            &"l".repeat(40),
            &"h".repeat(40),
            "zzzz",
            "c",
            "\x1b",
        ] {
            terminal.press(keys);
            assert_no_attack(&terminal, &format!("the stream after {keys:?}"));
        }
        // Its marks, its diff with the next one, its trace and its state.
        for keys in ["m", "note\r", "M", "M", "=", "j", "=", "S", "A", "\x1b"] {
            terminal.press(keys);
            assert_no_attack(&terminal, &format!("the stream after {keys:?}"));
        }
    }
}

#[test]
fn no_other_view_lets_it_through() {
    let mut terminal = on_it((140, 45), &[]);
    for (key, view) in [
        ("x", "trace"),
        ("2", "stream"),
        ("s", "state"),
        ("2", "stream"),
    ] {
        terminal.press(key);
        assert_no_attack(&terminal, view);
    }
    for view in ["1", "2", "3", "4", "5", "6", "7", "8", "9"] {
        terminal.press(view);
        for _ in 0..3 {
            for keys in ["g", "jjjjj", "G", "lll", "nnn", "\t"] {
                terminal.press(keys);
            }
            assert_no_attack(&terminal, &format!("view {view}"));
        }
    }
}

#[test]
fn no_layer_lets_it_through() {
    let mut terminal = on_it((100, 30), &[]);
    for keys in [
        "/order-423",
        "\r",
        "/",
        "\x15",
        "(.value",
        "\x15",
        ".value.data.note",
        "\r",
        "r",
        "\x1b",
        "F",
        "\x1b",
        "?",
        "\x1b",
        ":",
        "\x1b",
        "\x14",
        "\x1b",
        "\x0f",
        "\x1b",
        "w",
        "\x1b",
        "y",
        "z",
    ] {
        terminal.press(keys);
        assert_no_attack(&terminal, &format!("{keys:?}"));
        assert!(terminal.standing().alternate, "{keys:?} ended it");
    }
}

/// The walks prove nothing of a text that is not on the screen.
#[test]
fn it_is_shown_with_its_controls_made_visible() {
    let mut terminal = on_it((160, 50), &[]);
    terminal.press("/order-423 topic:orders\r");
    // The list alone, scrolled to the end of the value.
    terminal.press("\\");
    for _ in 0..40 {
        if terminal.screen().contains("txt.exe") {
            break;
        }
        terminal.press("l");
    }
    let shown = terminal.screen();
    assert!(shown.contains(EVENT), "{shown}");
    assert!(shown.contains("\\u{202e}txt.exe"), "{shown}");
    assert_no_attack(&terminal, "the list");
}
