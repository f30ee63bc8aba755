//! What a user can get wrong: each gives a clear error and the right exit code, never a panic or a
//! hang. Needs no server.

#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

mod support;

use std::fs;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

/// Arguments, exit code, and a text that the message must hold.
type Case<'a> = (&'a [&'a str], i32, &'a str);

/// No case may take longer, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(30);

fn run(args: &[&str], dir: &std::path::Path, stdin: &[u8]) -> Output {
    use std::io::Write;
    let started = Instant::now();
    let mut child = support::evtap()
        .args(args)
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that fails early closes its end.
    child.stdin.take().unwrap().write_all(stdin).ok();
    let output = child.wait_with_output().unwrap();
    assert!(
        started.elapsed() < PATIENCE,
        "{args:?} took {:?}",
        started.elapsed()
    );
    output
}

fn check(cases: &[Case<'_>], dir: &std::path::Path) {
    for (args, code, text) in cases {
        let output = run(args, dir, b"");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(*code), "{args:?} said:\n{said}");
        assert!(said.contains(text), "{args:?}: no '{text}' in:\n{said}");
        assert!(!said.contains("panicked"), "{args:?} said:\n{said}");
        for hostile in ["\x1b", "\x07", "\r"] {
            assert!(
                !said.contains(hostile),
                "{args:?} wrote a control character"
            );
        }
    }
}

#[test]
fn arguments_that_make_no_sense() {
    let dir = tempfile::tempdir().unwrap();
    check(
        &[
            (&[], 2, "Usage"),
            (&["raed", "demo:"], 2, "read"),
            (&["read"], 2, "SOURCE"),
            (&["read", "demo:", "--form", "start"], 2, "--from"),
            (&["read", "demo:", "--nonsense"], 2, "--nonsense"),
            (&["read", "demo:", "-n", "-1"], 2, "-1"),
            (&["read", "demo:", "-n", "many"], 2, "many"),
            (&["read", "demo:", "--last", "x"], 2, "--last"),
            (&["read", "demo:", "-p", "one"], 2, "one"),
            (&["read", "demo:", "-p", "-1"], 2, "-1"),
            (&["read", "demo:orders", "-p", "9"], 2, "9"),
            (&["read", "demo:", "--from"], 2, "--from"),
            (&["read", "demo:", "--from", "yesterday"], 2, "no position"),
            (&["read", "demo:", "--from", "--follow"], 2, "no position"),
            (&["read", "demo:", "--from", "2024-13-45"], 2, "no position"),
            (&["read", "demo:", "--from", "stored:"], 2, "stored:"),
            (&["read", "demo:", "--until", "-5y"], 2, "no position"),
            (
                &["read", "demo:", "--until", "end", "--follow"],
                2,
                "--until",
            ),
            (&["read", "demo:", "--idle", "5"], 2, "duration"),
            (&["read", "demo:", "--timeout", "-5s"], 2, "-5"),
            (&["read", "demo:", "--mem", "lots"], 2, "size"),
            (&["read", "demo:", "--mem", "1K"], 2, "8MiB"),
            (&["read", "demo:", "--now", "soon"], 2, "time"),
            (&["read", "demo:", "--tz", "Mars/Olympus"], 2, "time zone"),
            (&["read", "demo:", "--color", "maybe"], 2, "maybe"),
            (&["read", "demo:", "-X", "novalue"], 2, "KEY=VALUE"),
            (&["read", "demo:", "-X", "=x"], 2, "KEY=VALUE"),
            (
                &["read", "demo:", "--decode", "value=nonsense"],
                2,
                "nonsense",
            ),
            (&["read", "demo:", "--decode", "walue=json"], 2, "walue"),
            (&["read", "demo:", "-o", "yaml"], 2, "yaml"),
            (&["read", "demo:", "-o", "template={nope}"], 2, "nope"),
            (&["read", "demo:", "-o", "template={key"], 2, "template"),
            (&["read", "demo:", "-q", "-v"], 2, "cannot be used with"),
            (&["tail", "demo:", "--rate", "0"], 2, "rate"),
            (&["tail", "demo:", "--rate", "fast"], 2, "rate"),
            (&["completions", "tcsh"], 2, "tcsh"),
            (&["config"], 2, "Usage"),
            (
                &["read", "demo:", "--log", "/nonexistent/dir/log"],
                2,
                "/nonexistent/dir/log",
            ),
            (
                &["read", "demo:", "--summary", "/nonexistent/s.json"],
                2,
                "/nonexistent/s.json",
            ),
        ],
        dir.path(),
    );
}

#[test]
fn addresses_that_lead_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    check(
        &[
            (&["read", ""], 2, "empty address"),
            (&["read", "prod/orders"], 2, "unknown context 'prod'"),
            (&["read", "/orders"], 2, "/orders"),
            (&["read", "kafak://h:1/t"], 2, "unknown scheme"),
            (&["read", "nats://h:1/t"], 2, "nats"),
            (&["read", "demo:order"], 4, "orders"),
            (&["read", "demo:ordr*"], 4, "no topic matches 'ordr*'"),
            (
                &["read", "demo:ordr*", "--last", "1"],
                4,
                "no topic matches",
            ),
            (&["read", "demo:orders,,payments"], 2, "empty name"),
            (&["topics", "demo:nothing"], 4, "nothing"),
            (
                &["lag", "demo:", "--group", "shiping-svc"],
                4,
                "shipping-svc",
            ),
            (&["read", "demo:", "--from", "stored:nobody"], 2, "nobody"),
            (&["read", "missing.mcap"], 2, "missing.mcap"),
            (&["read", "missing.jsonl.zst"], 2, "missing.jsonl.zst"),
            (&["read", "./"], 2, "./"),
            (&["read", "evil\u{1b}[2Jname/t"], 2, "evil"),
        ],
        dir.path(),
    );
}

#[test]
fn expressions_that_do_not_parse_or_do_not_end() {
    let dir = tempfile::tempdir().unwrap();
    check(
        &[
            (&["read", "demo:", "-w", ".value."], 2, "^"),
            (&["read", "demo:", "-w", ".a =="], 2, "^"),
            (&["read", "demo:", "-w", "(.a"], 2, "^"),
            (
                &["read", "demo:", "-w", "nosuchfunction"],
                2,
                "nosuchfunction",
            ),
            (&["read", "demo:", "-w", "$x"], 2, "$x"),
            (&["read", "demo:", "-w", "\"open"], 2, "^"),
            (&["read", "demo:", "-w", ""], 2, "--where"),
            (&["read", "demo:", "--filter", "\"open"], 2, "^"),
            (&["read", "demo:", "--filter", "/(/"], 2, "^"),
            (
                &["read", "demo:", "--filter", "/(\\w{999}){999}/"],
                2,
                "too large",
            ),
            (&["read", "demo:", "--filter", "(.a"], 2, "^"),
            (
                &["read", "demo:", "--filter", "(def f: f; f)"],
                2,
                "--filter",
            ),
            (&["read", "demo:", "-g", "("], 2, "--grep"),
            (&["read", "demo:", "-g", "a{99999999}"], 2, "--grep"),
            (&["read", "demo:", "--map", "{a:"], 2, "--map"),
            (&["read", "demo:", "-w", "def f: f; f"], 2, "did not end"),
            (
                &["read", "demo:", "-w", "last(range(1e12))"],
                2,
                "did not end",
            ),
            (&["read", "demo:", "-w", "[repeat(1)]"], 2, "--where"),
            (&["read", "demo:", "-w", "def f: 1+f; f"], 2, "--where"),
            (&["read", "demo:", "--map", "def f: f; f"], 2, "did not end"),
        ],
        dir.path(),
    );
}

#[test]
fn files_that_are_no_captures() {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
    put("empty.mcap", b"");
    put(
        "random.mcap",
        &(0..10_000u32)
            .map(|i| (i * 7919 % 251) as u8)
            .collect::<Vec<_>>(),
    );
    put("text.mcap", b"hello\n");
    put("magic.mcap", b"\x89MCAP0\r\n");
    put(
        "random.jsonl.zst",
        &(0..1000u32)
            .map(|i| (i * 31 % 253) as u8)
            .collect::<Vec<_>>(),
    );
    put(
        "broken.jsonl",
        b"{\"topic\":\"t\",\"value\":1}\n{\"topic\":\n",
    );
    fs::create_dir(dir.path().join("folder.mcap")).unwrap();
    check(
        &[
            (&["read", "empty.mcap"], 3, "empty.mcap"),
            (&["read", "random.mcap"], 2, "random.mcap"),
            (&["read", "text.mcap"], 2, "text.mcap"),
            (&["read", "magic.mcap"], 3, "magic.mcap"),
            (&["read", "random.jsonl.zst"], 3, "random.jsonl.zst"),
            (&["read", "broken.jsonl"], 3, "line 2"),
            (&["read", "folder.mcap"], 2, "folder.mcap"),
            (&["topics", "random.mcap"], 2, "random.mcap"),
        ],
        dir.path(),
    );
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "a table of cases is as long as it is"
)]
fn writes_that_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("there.mcap"), b"x").unwrap();
    check(
        &[
            (&["record", "demo:"], 2, "--out"),
            (&["record", "demo:", "--out", "x.txt"], 2, ".mcap"),
            (
                &["record", "demo:", "--out", "there.mcap"],
                2,
                "--overwrite",
            ),
            (
                &["record", "demo:", "--out", "/nonexistent/x.mcap"],
                2,
                "/nonexistent/x.mcap",
            ),
            (&["replay", "demo:orders"], 2, "--to"),
            (
                &["replay", "demo:orders", "--to", "demo:orders", "--yes"],
                5,
                "same topic",
            ),
            (
                &["replay", "demo:orders", "--to", "demo:payments"],
                5,
                "--yes",
            ),
            (
                &[
                    "replay",
                    "demo:orders",
                    "--to",
                    "demo:payments",
                    "--yes",
                    "--read-only",
                ],
                5,
                "read-only",
            ),
            (
                &["replay", "demo:orders", "--to", "demo:nowhere", "--yes"],
                4,
                "nowhere",
            ),
            (
                &["replay", "demo:orders", "--to", "demo:", "--yes"],
                2,
                "one topic",
            ),
            (
                &["replay", "demo:orders", "--to", "demo:pay*", "--yes"],
                2,
                "one topic",
            ),
            (
                &["replay", "demo:orders", "--to", "-", "--yes"],
                2,
                "no target",
            ),
            (
                &[
                    "replay",
                    "demo:orders",
                    "--to",
                    "demo:payments",
                    "--speed",
                    "5",
                ],
                2,
                "speed",
            ),
            (
                &[
                    "replay",
                    "demo:orders",
                    "--to",
                    "demo:payments",
                    "--partitions",
                    "some",
                ],
                2,
                "some",
            ),
            (
                &[
                    "replay",
                    "demo:orders",
                    "--to",
                    "demo:payments",
                    "--timestamps",
                    "never",
                ],
                2,
                "never",
            ),
            (&["demo", "--to", "demo:"], 5, "--yes"),
        ],
        dir.path(),
    );
    assert_eq!(fs::read(dir.path().join("there.mcap")).unwrap(), b"x");
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        1,
        "a refused write left a file"
    );
}

#[test]
fn configs_that_are_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    put("syntax.toml", "[contexts.a\nurl = 1");
    put(
        "unknown.toml",
        "[contexts.a]\nurl = \"kafka://h:1\"\nraed_only = true\n",
    );
    put("nourl.toml", "[contexts.a]\nenv = \"prod\"\n");
    put("badurl.toml", "[contexts.a]\nurl = \"nonsense://h\"\n");
    put(
        "secret.toml",
        "[contexts.a]\nurl = \"kafka://h:1\"\n[contexts.a.properties]\n\"sasl.password\" = { env = \"EVTAP_TEST_UNSET_VARIABLE\" }\n",
    );
    put(
        "good.toml",
        "[contexts.prod]\nurl = \"demo:\"\nread_only = true\n",
    );
    check(
        &[
            (
                &["topics", "a", "--config", "absent.toml"],
                2,
                "absent.toml",
            ),
            (
                &["topics", "a", "--config", "syntax.toml"],
                2,
                "syntax.toml",
            ),
            (&["topics", "a", "--config", "unknown.toml"], 2, "read_only"),
            (&["topics", "a", "--config", "nourl.toml"], 2, "url"),
            (&["topics", "a", "--config", "badurl.toml"], 2, "nonsense"),
            (
                &["topics", "a", "--config", "secret.toml"],
                2,
                "EVTAP_TEST_UNSET_VARIABLE",
            ),
            (&["topics", "prid", "--config", "good.toml"], 2, "prod"),
            (
                &[
                    "replay",
                    "demo:orders",
                    "--to",
                    "prod/payments",
                    "--yes",
                    "--config",
                    "good.toml",
                ],
                5,
                "read-only",
            ),
            (&["config", "import", "absent", "--name", "x"], 2, "absent"),
        ],
        dir.path(),
    );
}

#[test]
fn lines_on_standard_input_that_are_no_events() {
    let dir = tempfile::tempdir().unwrap();
    for (input, code) in [
        (&b"{\"topic\":\"t\",\"offset\":\n"[..], 3),
        (b"\xff\xfe\x00\n", 3),
        (b"", 0),
        (b"\n\n", 0),
        (b"{\"orderId\":1}\n", 0),
    ] {
        let output = run(&["read", "-", "-o", "jsonl"], dir.path(), input);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{input:?} said:\n{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}
