//! The terminal's size: small, large, changed while the screen is up.

use crate::pty::{Standing, Terminal};

#[test]
fn it_shrinks_to_a_few_cells_and_grows_back() {
    let mut terminal = Terminal::evtap((100, 30), &["demo", "--frozen"]);
    terminal.until_text("483 shown");
    terminal.press("2");
    let large = terminal.screen();
    assert!(large.contains("topic/partition"), "{large}");
    for (columns, rows) in [(20, 5), (1, 1), (3, 2), (200, 60), (20, 5)] {
        terminal.resize(columns, rows);
        terminal.still();
        // It is there, and takes keys.
        assert_eq!(terminal.standing(), Standing::TAKEN);
        terminal.press("j");
        terminal.press("k");
    }
    terminal.until_text("2 Stream");
    terminal.resize(100, 30);
    terminal.until("the screen as it was, but for the cursor", |s| {
        let now = s.contents();
        now.contains("topic/partition") && now.lines().count() == large.lines().count()
    });
    terminal.keys("q");
    assert_eq!(terminal.end(), 0);
    terminal.until_standing(Standing::GIVEN_BACK);
}

#[test]
fn a_start_in_a_tiny_terminal_is_no_failure() {
    for size in [(1, 1), (10, 3), (60, 20)] {
        let mut terminal = Terminal::evtap(size, &["demo", "--frozen"]);
        terminal.until_standing(Standing::TAKEN);
        terminal.still();
        for key in ["1", "2", "3", "4", "5", "6", "7", "8", "9", ":", "\x1b"] {
            terminal.keys(key);
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        terminal.press("");
        terminal.keys("\x03");
        assert_eq!(terminal.end(), 0, "{size:?}");
        terminal.until_standing(Standing::GIVEN_BACK);
    }
}
