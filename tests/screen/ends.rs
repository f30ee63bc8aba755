//! How the screen begins and ends: however it ends, the terminal is as it was.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::pty::{Standing, Terminal};

const SIZE: (u16, u16) = (80, 24);

fn demo() -> Terminal {
    let terminal = Terminal::evtap(SIZE, &["demo", "--frozen"]);
    terminal.until_text("483 shown");
    terminal.until_standing(Standing::TAKEN);
    terminal
}

#[test]
fn the_first_screen_comes_soon() {
    let began = Instant::now();
    let terminal = Terminal::evtap(SIZE, &["demo"]);
    terminal.until_text("1 Findings");
    // A debug build on a busy machine; the release build is measured elsewhere.
    let took = began.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn q_and_ctrl_c_end_it() {
    for key in ["q", "\x03"] {
        let mut terminal = demo();
        terminal.keys(key);
        assert_eq!(terminal.end(), 0, "{key:?}");
        terminal.until_standing(Standing::GIVEN_BACK);
        terminal.until_text("again: evtap open demo:");
    }
}

#[test]
fn ctrl_c_closes_what_is_open_first_and_then_ends_it() {
    let mut terminal = demo();
    terminal.keys("?");
    terminal.until_text("esc closes");
    terminal.keys("\x03");
    terminal.until("the help is gone", |s| !s.contents().contains("esc closes"));
    terminal.keys("\x03");
    assert_eq!(terminal.end(), 0);
    terminal.until_standing(Standing::GIVEN_BACK);
}

#[test]
fn signals_end_it_and_give_the_terminal_back() {
    for signal in ["-TERM", "-INT", "-HUP"] {
        let mut terminal = demo();
        terminal.signal(signal);
        assert_eq!(terminal.end(), 0, "{signal}");
        terminal.until_standing(Standing::GIVEN_BACK);
    }
}

#[test]
fn the_mouse_is_given_back_too() {
    let mut terminal = demo();
    terminal.keys("\x1bOQ");
    terminal.until_standing(Standing {
        mouse: true,
        ..Standing::TAKEN
    });
    terminal.signal("-TERM");
    terminal.end();
    terminal.until_standing(Standing::GIVEN_BACK);
}

#[test]
fn a_capture_that_is_no_capture_is_told_and_the_keys_work() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("broken.mcap");
    std::fs::write(&file, b"\x89MCAP0\r\nnot any more").unwrap();
    let mut terminal = Terminal::evtap(SIZE, &["open", file.to_str().unwrap()]);
    terminal.until_text("FAILED");
    terminal.keys("q");
    assert_eq!(terminal.end(), 0);
    terminal.until_standing(Standing::GIVEN_BACK);
}

#[test]
fn lines_of_json_are_read_and_followed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    let line = |n| format!("{{\"topic\":\"t\",\"key\":\"k{n}\",\"value\":{{\"n\":{n}}}}}\n");
    std::fs::write(&path, line(1) + &line(2)).unwrap();
    let mut terminal = Terminal::evtap(SIZE, &["open", path.to_str().unwrap()]);
    terminal.until_text("2 shown");
    terminal.until_text("{\"n\":2}");
    let mut file = std::fs::File::options().append(true).open(&path).unwrap();
    std::io::Write::write_all(&mut file, line(3).as_bytes()).unwrap();
    terminal.until_text("3 shown");
    terminal.until_text("{\"n\":3}");
    terminal.keys("q");
    assert_eq!(terminal.end(), 0);
}

/// A shell stops the program and brings it back, as only a shell with jobs can.
#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_and_fg_draws_it_anew() {
    let mut terminal =
        Terminal::program(SIZE, Path::new("/bin/sh"), &["-i"], &[("PS1", "shell> ")]);
    terminal.until_text("shell> ");
    let program = env!("CARGO_BIN_EXE_evtap");
    terminal.keys(&format!("'{program}' demo --frozen\n"));
    terminal.until_text("483 shown");
    terminal.keys("2");
    terminal.until_text("topic/partition");
    terminal.until_standing(Standing::TAKEN);
    for _ in 0..2 {
        terminal.keys("\x1a");
        terminal.until("the shell", |s| {
            !s.alternate_screen() && s.contents().trim_end().ends_with("shell>")
        });
        assert_eq!(
            Standing {
                raw: false,
                ..terminal.standing()
            },
            // The shell may ask for bracketed paste itself; dash and bash as sh do not.
            Standing::GIVEN_BACK
        );
        terminal.keys("echo $((40 + 2)) is echoed\n");
        terminal.until_text("42 is echoed");
        terminal.keys("fg\n");
        terminal.until_text("topic/partition");
        terminal.until_standing(Standing::TAKEN);
    }
    // It answers as before.
    terminal.keys("3");
    terminal.until_text("partitions");
    terminal.keys("q");
    terminal.until("the shell", |s| {
        !s.alternate_screen() && s.contents().trim_end().ends_with("shell>")
    });
    terminal.keys("exit\n");
    terminal.end();
}
