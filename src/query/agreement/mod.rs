//! The native evaluation and the byte prefilter against jq itself, on random expressions and
//! events: they must never say otherwise.

mod batches;
mod generate;

use proptest::prelude::*;

use crate::event::{Decoding, object};
use crate::query::jq::{End, Input, Next, Program};
use crate::query::native::{Desk, Native, Without};
use crate::query::prefilter::Condition;
use crate::query::samples::Sample;
use crate::query::sweep::Sweep;
use generate::{NUMBERS, TEXTS, decoding, expression, sample, spelt};

/// What jq says: the truth of the first output, or that it fails.
fn jq(program: &Program, sample: &Sample, decoding: Decoding) -> Result<bool, ()> {
    let mut json = Vec::new();
    let event = sample.event();
    object::write(&mut json, &event, &decoding.see(&event));
    let input = Input::read(&json).unwrap_or_else(|e| {
        panic!("{e}: {}", String::from_utf8_lossy(&json));
    });
    let mut truth = false;
    let end = program.run(&input, |output| {
        truth = output.is_truthy();
        Next::Enough
    });
    match end.unwrap() {
        End::Done => Ok(truth),
        End::Failed(_) => Err(()),
    }
}

struct Both {
    text: String,
    program: Program,
    native: Result<Native, String>,
    condition: Condition,
}

impl Both {
    fn of(text: &str) -> Self {
        let compiled =
            Program::condition(text, |term| (Native::compile(term), Condition::of(term)));
        let (program, (native, condition)) = match compiled {
            Ok(compiled) => compiled,
            Err(fault) => panic!("{text}: {fault:?}"),
        };
        Self {
            text: text.to_owned(),
            program,
            native,
            condition,
        }
    }

    /// Panics when they differ; says whether the native evaluation had an answer.
    fn agree(&self, sample: &Sample, decoding: Decoding) -> bool {
        let expected = jq(&self.program, sample, decoding);
        let (text, value) = (&self.text, sample.value.as_deref().unwrap_or_default());
        let about = format!("{text} on {} ({sample:?})", String::from_utf8_lossy(value));
        if expected == Ok(true) {
            assert!(
                self.condition.allows(&sample.event()),
                "prefilter of {about}"
            );
            let bytes = [
                sample.key.as_deref().unwrap_or_default(),
                value,
                sample.headers.as_headers().encoded(),
            ];
            let mut sweep = Sweep::new(&self.condition.texts());
            let found = sweep.seek(&bytes.concat(), 0);
            assert!(found.is_some(), "sweep of {about}");
        }
        let Ok(native) = &self.native else {
            return false;
        };
        let mut desk = Desk::default();
        match native.test(&sample.event(), decoding, &mut desk) {
            Ok(truth) => assert_eq!(Ok(truth), expected, "{about}"),
            Err(Without::Failed) => assert_eq!(Err(()), expected, "{about}"),
            Err(Without::Unknown) => return false,
        }
        true
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn native_and_prefilter_say_what_jq_says(
        text in expression(),
        samples in prop::collection::vec((sample(), decoding()), 24),
    ) {
        let both = Both::of(&text);
        for (sample, decoding) in &samples {
            both.agree(sample, *decoding);
        }
    }
}

#[test]
fn comparisons_agree_on_every_kind_of_value() {
    let constants: Vec<String> = NUMBERS
        .iter()
        .map(|n| (*n).to_owned())
        .chain(TEXTS.iter().map(|t| spelt(t, 0)))
        .chain(["null", "true", "false"].map(str::to_owned))
        .collect();
    let mut values = constants.clone();
    values.extend(["[]", "{}", "[1]", "{\"a\":1}", r#""\ud800""#].map(str::to_owned));
    let (mut known, mut all) = (0, 0);
    for constant in &constants {
        for op in ["==", "<", ">="] {
            let both = Both::of(&format!(".value.a {op} {constant}"));
            for value in &values {
                let sample = Sample::of(format!("{{\"a\":{value}}}"));
                known += usize::from(both.agree(&sample, Decoding::default()));
                all += 1;
            }
        }
    }
    // Only numbers beyond the machine's are left to jq.
    assert!(known * 10 > all * 7, "{known} of {all}");
}

#[test]
fn paths_agree_where_there_is_no_such_thing() {
    let paths = [
        ".value.a.b",
        ".value.a[1]",
        ".value[\"a\"]",
        ".value | .a | .b",
        ".value.b.c.d",
    ];
    let values = [
        "{}",
        "[]",
        "1",
        "null",
        "\"s\"",
        "",
        "{\"a\":1}",
        "{\"a\":null}",
        "{\"a\":{\"b\":1}}",
        "{\"a\":[1,2]}",
        "{\"a\":{\"b\":1},\"a\":{}}",
        "{\"a\":\"x\",\"b\":{}}",
        "{\"b\":{\"c\":3}}",
        "{\"a\":{\"b\":1}",
        "{\"a\":{\"b\":1}}x",
    ];
    for path in paths {
        for rest in [
            "",
            " == 1",
            " != null",
            " | has(\"b\")",
            " | not",
            " | startswith(\"s\")",
        ] {
            let both = Both::of(&format!("{path}{rest}"));
            assert!(both.native.is_ok(), "{}", both.text);
            for value in values {
                assert!(
                    both.agree(&Sample::of(value), Decoding::default()),
                    "{path} {value}"
                );
            }
        }
    }
}

#[test]
fn texts_agree_however_they_are_spelt() {
    for text in TEXTS {
        for test in ["== ", "| startswith", "| endswith", "| contains", "| IN"] {
            let both = Both::of(&format!(".value.a {test}({})", spelt(text, 0)));
            for escapes in [0, 1, 2, 5, u32::MAX] {
                for other in TEXTS {
                    let value = format!("{{\"a\":{}}}", spelt(other, escapes));
                    both.agree(&Sample::of(value), Decoding::default());
                }
            }
        }
    }
}

#[test]
fn patterns_agree_on_texts_outside_of_ascii_too() {
    let more = [
        "\u{212a}", "\u{17f}", "\u{a0}", "٣", "é_", "K s3", "a\nb", "PAID", "p.id", "aa-b",
    ];
    let patterns = [
        "\\w",
        "^\\w+$",
        "\\s",
        "\\d",
        "[\\w.-]+",
        "[^\\s]",
        "[^\\d]",
        ".",
        "^.$",
        "^a.b$",
        "b$",
        "^b",
        "k",
        "s",
        "[k-s]",
        "(?:a|b)+",
        "a{2,}",
        "a{2}?",
        "p\\.id",
        "a-b",
        "[a-]",
        "x*",
        "(a)(b)?",
        "\\n",
        "a|",
        "()",
        "\\/",
        "a\\-b",
        "\\b",
        "(?i)k",
        "[[:alpha:]]",
        "a{1001}",
        "é",
    ];
    let mut native = 0;
    for pattern in patterns {
        for flags in ["", "; \"i\""] {
            let both = Both::of(&format!(".value | test({}{flags})", spelt(pattern, 0)));
            native += usize::from(both.native.is_ok());
            for text in TEXTS.iter().chain(&more) {
                let value = spelt(text, 0);
                both.agree(&Sample::of(value), Decoding::default());
            }
        }
    }
    assert!(native >= 50, "{native}");
}
