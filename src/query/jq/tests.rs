//! Programs that behave, and programs that do not.

use super::*;

/// All outputs as JSON, and how the run ended: soon.
fn run(text: &str, input: &str) -> (Vec<String>, Result<End, Broken>) {
    run_for(Duration::from_millis(300), text, input)
}

fn run_for(time: Duration, text: &str, input: &str) -> (Vec<String>, Result<End, Broken>) {
    let mut program = Program::compile(text).unwrap();
    program.time = time;
    let mut outputs = Vec::new();
    let end = program.run(&Input::read(input.as_bytes()).unwrap(), |output| {
        let mut json = Vec::new();
        output.write_json(&mut json);
        outputs.push(String::from_utf8(json).unwrap());
        Next::More
    });
    (outputs, end)
}

fn outputs(text: &str, input: &str) -> Vec<String> {
    // It ends by itself, also on a machine that has no time for it.
    let (outputs, end) = run_for(Duration::from_mins(1), text, input);
    assert_eq!(end, Ok(End::Done), "{text}");
    outputs
}

fn failure(text: &str) -> String {
    match run(text, "{}").1 {
        Ok(End::Failed(message)) => message,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn programs_give_what_jq_gives() {
    for (program, input, expected) in [
        (".a.b", r#"{"a":{"b":1.10}}"#, "1.10"),
        (".a[1:], .a[-1], .a[5]", r#"{"a":[1,2,3]}"#, "[2,3] 3 null"),
        ("[.[] | select(. > 1)] | length", "[1,2,3]", "2"),
        (
            ".a |= . + 1 | .b = 2 | del(.c)",
            r#"{"a":1,"c":3}"#,
            r#"{"a":2,"b":2}"#,
        ),
        (
            "to_entries | map(.key) | join(\",\")",
            r#"{"x":1,"y":2}"#,
            "\"x,y\"",
        ),
        ("IN(1, 2), IN(3)", "1", "true false"),
        ("[1, \"a\\\"b\", null] | @csv", "0", r#""1,\"a\"\"b\",""#),
        (
            "contains({a: [\"o\"]}), has(\"b\")",
            r#"{"a":["foo"]}"#,
            "true false",
        ),
        ("[indices(\"a\")[]], length", "\"éaxa\"", "[1,3] 4"),
        (
            "[indices([1,2])[]], [indices(1)[]]",
            "[1,2,1,2]",
            "[0,2] [0,2]",
        ),
        (
            "tojson, (tojson | fromjson)",
            "[1.0,{}]",
            r#""[1.0,{}]" [1.0,{}]"#,
        ),
        (
            "[-.[] | length]",
            "[-3,1.5,-99999999999999999999]",
            "[3,1.5,99999999999999999999]",
        ),
        (
            ".[1:3] = [9], (.[0] |= empty)",
            "[1,2,3,4]",
            "[1,9,4] [2,3,4]",
        ),
        ("[.., 1] | length", "[[],[]]", "4"),
        (
            "reduce .[] as $x (0; . + $x), [limit(2; .[])]",
            "[1,2,3]",
            "6 [1,2]",
        ),
        (
            "[paths], [leaf_paths]",
            r#"{"a":[1]}"#,
            r#"[["a"],["a",0]] [["a",0]]"#,
        ),
        (
            "walk(if type == \"number\" then . * 2 else . end)",
            "[1,[2]]",
            "[2,[4]]",
        ),
        (
            "test(\"^A\"; \"i\"), [match(\"b\").offset]",
            "\"abc\"",
            "true [1]",
        ),
        (
            "[splits(\", *\")], ascii_upcase, .[1:2]",
            "\"a, b\"",
            r#"["a","b"] "A, B" ",""#,
        ),
        (
            "{a: 1} + {b: 2} * {b: {c: 3}}",
            "null",
            r#"{"a":1,"b":{"c":3}}"#,
        ),
        (
            "def f(n): if n > 0 then n * f(n - 1) else 1 end; f(5)",
            "0",
            "120",
        ),
        ("try error(\"x\") catch .", "0", "\"x\""),
        ("first(range(10; 0; -3)), [range(3)]", "0", "10 [0,1,2]"),
        (
            "[.[] as [$a, {b: $c}] | $a + $c]",
            r#"[[1,{"b":2}]]"#,
            "[3]",
        ),
        ("label $out | 1, break $out, 2", "0", "1"),
        (
            "tobytes | tojson, length",
            "\"é\"",
            r#""b\"\\xc3\\xa9\"" 2"#,
        ),
        ("bsearch(2), bsearch(5)", "[1,2,3]", "1 -4"),
        ("inside(\"abc\"), (ascii | explode)", "98", ""),
    ] {
        if expected.is_empty() {
            continue;
        }
        assert_eq!(outputs(program, input).join(" "), expected, "{program}");
    }
}

#[test]
fn programs_that_fail_say_why() {
    assert_eq!(failure("\"a\" | .b"), "cannot index \"a\" with \"b\"");
    assert_eq!(failure("error({code: 7})"), "{\"code\":7}");
    assert_eq!(failure("halt"), "halted");
    assert_eq!(failure("halt_error"), "halted");
    assert_eq!(failure("error(\"x\" * 1000)").chars().count(), 201);
}

#[test]
fn programs_without_end_are_stopped_in_time() {
    for program in [
        "repeat(.)",
        "last(repeat(.))",
        "try last(repeat(.)) catch 1",
        "[.[]?, repeat(1)] | length",
        "until(false; .)",
        "while(true; .)",
        "last(range(1e12))",
        "last(range(0; 1; 0))",
        "first(range(1e12) | select(. < 0))",
        "last(recurse(.))",
        "last(recurse(1; true))",
        "def f: f; f",
        "def f: try f catch f; f",
        "def f: f?; f",
        "def f: f | f; f",
        "def f: ., f; last(f)",
        "reduce range(1e12) as $i (0; . + 1)",
        "last(foreach range(1e12) as $i (0; . + 1))",
        "limit(1e9; repeat(1)) | empty",
        "isempty(range(1e12) | empty)",
        "last(limit(1e12; repeat(1)))",
        "[range(1e3)] | last(.[] + .[] + .[] + .[] + .[])",
        "[range(1e3)] | last(.[] as $a | .[]? as $b | .[]? as $c | .[]? as $d | 0)",
        "def d: (., .) | (., .) | (., .) | (., .); last(d | d | d | d | d | d | d | d)",
        "path(repeat(.[0]?)) | empty",
        "last(path(def f: .[0] | f; .x | f))",
        "[0] | last(.[0] |= (def f: f; f))",
        "def f(g): f(g | .); f(.)",
        "def f(g): def h: f(g | .); h; f(.)",
        "[range(2000)] | combinations(5) | empty",
        "any(repeat(false); .)",
        "[range(1e5)] | [.[] as $a | .[] as $b | $a * $b] | length",
    ] {
        let started = std::time::Instant::now();
        let (_, end) = run(program, "{}");
        assert!(matches!(end, Err(Broken::Stopped(_))), "{program}: {end:?}");
        let took = started.elapsed();
        assert!(took < Duration::from_secs(20), "{program}: {took:?}");
    }
}

#[test]
fn programs_that_take_the_stack_are_stopped() {
    for program in [
        "def f: 1 + f; f",
        "def f: [f]; f",
        "def f: {a: f}; f",
        "def f: f + f; f",
        "def f: -f; f",
        "def f: \"\\(f)\"; f",
        "def f: f as $x | 1; f",
        "def f(x): 1 + f(x + 1); f(1)",
        "def f: try (1 + f) catch (1 + f); f",
        "def f: def g: 1 + f; g; f",
        "def f: first(f); f",
        "def f: {a: 1} | .a |= f; f",
        "def f: reduce 1 as $x (f; .); f",
        "[def f: 1 + f; f] | length",
    ] {
        // Sources and pools have stacks of 2 MiB, tests too.
        let (_, end) = run(program, "{}");
        assert_eq!(end, Err(Broken::Stopped(Stop::Stack)), "{program}");
    }
}

#[test]
fn values_that_would_take_the_memory_or_the_stack_are_stopped() {
    for program in [
        "\"x\" * 1e9 | length",
        "\"x\" * 1000000000 | length",
        "\"x\" * 99999999999999999999999 | length",
        "[range(1e9)] | length",
        "[limit(1e9; repeat(1))] | length",
        "reduce range(1e9) as $i (\"x\"; . + .) | length",
        "reduce range(1e9) as $i ([1]; . + .) | length",
        "reduce range(100) as $i (\"x\"; [., .]) | tojson | length",
        "reduce range(100) as $i (\"x\"; {a: ., b: .}) | . == 1",
        "reduce range(100000) as $i (0; [.]) | length",
        "reduce range(100000) as $i (0; {a: .}) | length",
        "reduce range(40) as $i (0; walk([.])) | length",
        "reduce range(100) as $i (7; . * .)",
        "def f: f as $x | [$x]; reduce range(1e6) as $i ([]; [., .])",
        "[range(1e6)] as $a | [range(100)] | map($a) | length",
        "\"[\" * 100000 | fromjson",
        "(\"a\" * 1e7) as $s | [range(1e6)] | map($s) | join(\"\")",
        "(\"a\" * 1000000) as $s | [range(1000)] | map($s) | add | length",
        "(\"a,\" * 1000000) | [splits(\",\")] | length",
    ] {
        let started = std::time::Instant::now();
        let (outputs, end) = run(program, "{}");
        let bounded = matches!(end, Err(Broken::Stopped(_)) | Ok(End::Failed(_)));
        assert!(bounded, "{program}: {end:?} {outputs:?}");
        let took = started.elapsed();
        assert!(took < Duration::from_secs(20), "{program}: {took:?}");
    }
}

#[test]
fn expressions_see_nothing_but_the_event() {
    for program in [
        "env",
        "$ENV",
        "input",
        "inputs",
        "env.HOME",
        "import \"a\" as a; .",
    ] {
        let fault = Program::compile(program).err().unwrap();
        assert!(fault.hint.is_some(), "{program}: {fault:?}");
    }
    assert!(outputs("now > 0", "0") == ["true"]);
}

#[test]
fn the_reader_of_the_outputs_may_take_its_time() {
    let mut program = Program::compile("1, 2, 3").unwrap();
    program.time = Duration::from_millis(20);
    let mut seen = 0;
    let end = program.run(&Input::read(b"{}").unwrap(), |_| {
        std::thread::sleep(Duration::from_millis(30));
        seen += 1;
        Next::More
    });
    assert_eq!((end, seen), (Ok(End::Done), 3));
}

#[test]
fn large_expressions_are_compiled_or_refused_but_never_abort() {
    for program in [
        "(".repeat(100_000),
        "[".repeat(200) + &"]".repeat(200),
        "- ".repeat(9_000) + "1",
        "try ".repeat(9_000) + "1",
        vec!["1"; 4_000].join("+"),
        vec!["."; 4_000].join("|"),
        vec![". == 1"; 1_200].join(" or "),
        vec![".a"; 4_000].join(","),
        "def f: ".repeat(2_000) + "1" + &"; f".repeat(2_000),
        "1 as $x | ".repeat(2_000) + "1",
        "if ".repeat(3_000),
        "\"\\(".repeat(3_000),
    ] {
        if let Ok(program) = Program::compile(&program) {
            let input = Input::read(b"null").unwrap();
            let end = program.run(&input, |_| Next::More);
            assert!(!matches!(end, Err(Broken::Panicked)), "{end:?}");
        }
    }
}

#[test]
fn odd_events_are_read_in_time_and_on_a_small_stack() {
    let deep = "[".repeat(512) + &"]".repeat(512);
    let deep_objects = "{\"a\":".repeat(512) + "1" + &"}".repeat(512);
    for input in [deep, deep_objects] {
        let event = format!("{{\"value\":{input}}}");
        assert_eq!(outputs("[.value | ..] | length >= 512", &event), ["true"]);
        assert_eq!(outputs(".value | tojson | length > 512", &event), ["true"]);
        assert_eq!(
            outputs(".value == (.value | tojson | fromjson)", &event),
            ["true"]
        );
        assert_eq!(
            outputs(".value | [.] | [paths] | length >= 512", &event),
            ["true"]
        );
        let (_, end) = run("walk(.) | .value | tostring | length", &event);
        assert_ne!(end, Err(Broken::Panicked));
        outputs(".value", &event);
    }
    let digits = "7".repeat(1_000_000);
    let event = format!("{{\"a\":{digits},\"b\":[-{digits}.0]}}");
    let started = std::time::Instant::now();
    assert_eq!(
        outputs(".a > 5, .b[0] < 5, (.a | tojson | length > 5)", &event),
        ["true"; 3]
    );
    assert_eq!(
        outputs(".a, .b[0]", &event),
        [digits.clone(), format!("-{digits}.0")]
    );
    assert!(started.elapsed() < Duration::from_secs(20));
    assert_eq!(outputs(".", r#""\ud800x""#), ["\"\u{fffd}x\""]);
}
