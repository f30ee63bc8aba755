//! What makes no sense is told on the line, and the terminal is never taken.

use crate::pty::{Standing, Terminal};

#[test]
fn what_cannot_be_opened_is_told_where_it_was_typed() {
    for (args, told) in [
        (&["open", "nowhere/orders"][..], "nowhere"),
        (&["open", "kafka://"], "evtap: "),
        (&["open", "./no-such-file.mcap"], "no-such-file.mcap"),
        (
            &["open", "demo:orders", "payments"],
            "'payments' is no source",
        ),
        (
            &["open", "demo:", "--limit", "3"],
            "--limit means nothing on the screen",
        ),
        (
            &["open", "demo:", "--last", "3"],
            "--last means nothing on the screen",
        ),
        (
            &["open", "demo:", "--idle", "3s"],
            "--idle means nothing on the screen",
        ),
        (
            &["open", "demo:", "--timeout", "3s"],
            "--timeout means nothing on the screen",
        ),
        (
            &["open", "demo:", "--explain"],
            "--explain means nothing on the screen",
        ),
        (
            &["open", "demo:", "--fail-empty"],
            "--fail-empty means nothing on the screen",
        ),
        (&["open", "demo:", "-w", ".value ="], "evtap: "),
        (
            &["open", "demo:", "--theme", "nrod"],
            "unknown theme 'nrod'",
        ),
        (
            &["demo", "--frozen", "--limit", "3"],
            "--limit means nothing on the screen",
        ),
    ] {
        let mut terminal = Terminal::evtap((100, 24), args);
        let code = terminal.end();
        terminal.until_text(told);
        terminal.until_standing(Standing::GIVEN_BACK);
        assert_eq!(code, 2, "{args:?}:\n{}", terminal.screen());
        let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
        assert!(!raw.contains("\x1b[?1049h"), "{args:?}: {raw:?}");
    }
}
