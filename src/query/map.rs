//! jq programs with outputs: what `--map` prints instead of the event, what makes states.

use std::sync::Arc;

use super::QueryError;
use super::jq::{End, Input, Next, Program};
use crate::event::SelectError;

/// A compiled program with any number of outputs.
#[derive(Clone)]
pub struct JqMap(Arc<Mapped>);

struct Mapped {
    /// The flag that it was given by, for messages.
    flag: &'static str,
    text: String,
    program: Program,
}

/// One output of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JqOut<'a> {
    /// As compact JSON on one line, safe to print.
    pub json: &'a [u8],
    /// The bytes of a string, as they are.
    pub text: Option<&'a [u8]>,
}

/// How a program ended on an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MapOutcome {
    Done,
    /// It failed, with this message; outputs may have come before.
    Failed(String),
}

impl JqMap {
    /// Compiles what was given by this flag.
    pub fn compile(flag: &'static str, text: &str) -> Result<Self, QueryError> {
        let program = Program::compile(text).map_err(|fault| fault.of(flag, text))?;
        Ok(Self(Arc::new(Mapped {
            flag,
            text: text.to_owned(),
            program,
        })))
    }

    /// The program as it was written.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The state of one thread.
    pub fn worker(&self) -> JqMapWorker {
        JqMapWorker {
            map: Arc::clone(&self.0),
            json: Vec::new(),
        }
    }
}

/// One thread's part of a [`JqMap`].
pub struct JqMapWorker {
    map: Arc<Mapped>,
    json: Vec<u8>,
}

impl JqMapWorker {
    /// Runs the program on an event object, handing on each output as it comes.
    pub fn run(
        &mut self,
        event_json: &[u8],
        each: &mut dyn FnMut(JqOut<'_>),
    ) -> Result<MapOutcome, SelectError> {
        let input = match Input::read(event_json) {
            Ok(input) => input,
            Err(message) => return Ok(MapOutcome::Failed(message)),
        };
        let json = &mut self.json;
        let Mapped {
            flag,
            text,
            program,
        } = &*self.map;
        let end = program.run(&input, |output| {
            json.clear();
            output.write_json(json);
            each(JqOut {
                json,
                text: output.as_bytes(),
            });
            Next::More
        });
        match end {
            Ok(End::Done) => Ok(MapOutcome::Done),
            Ok(End::Failed(message)) => Ok(MapOutcome::Failed(message)),
            Err(broken) => Err(broken.of(flag, text, program, &input.place())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str, event: &str) -> (String, MapOutcome) {
        let mut printed = String::new();
        let outcome =
            JqMap::compile("--map", text)
                .unwrap()
                .worker()
                .run(event.as_bytes(), &mut |out| {
                    let raw = out.text.unwrap_or(out.json);
                    let raw = String::from_utf8_lossy(raw);
                    let json = str::from_utf8(out.json).unwrap();
                    printed.extend([json, " ", &raw, "\n"]);
                });
        (printed, outcome.unwrap())
    }

    #[test]
    fn each_output_is_handed_on() {
        let (printed, outcome) = run(".a[], {b: .b}", r#"{"a":[1.10,"x\u001b"],"b":[]}"#);
        assert_eq!(
            printed,
            "1.10 1.10\n\"x\\u001b\" x\u{1b}\n{\"b\":[]} {\"b\":[]}\n"
        );
        assert_eq!(outcome, MapOutcome::Done);
    }

    #[test]
    fn a_failure_comes_after_the_outputs_before_it() {
        let (printed, outcome) = run("1, error(\"no\"), 2", "{}");
        assert_eq!(printed, "1 1\n");
        assert_eq!(outcome, MapOutcome::Failed("no".to_owned()));
    }

    #[test]
    fn a_program_without_end_says_where_it_was() {
        let map = JqMap::compile("--map", "def f: 1 + f; f").unwrap();
        let event = br#"{"topic":"t","partition":3,"offset":"5-1"}"#;
        let error = map.worker().run(event, &mut |_| {}).unwrap_err();
        assert_eq!(
            error.message,
            "--map 'def f: 1 + f; f' recurses too deeply on t/3@5-1"
        );
    }

    #[test]
    fn errors_of_the_program_name_the_flag() {
        let error = JqMap::compile("--map", ".a ==").err().unwrap();
        assert_eq!(
            error.to_string(),
            "--map: unexpected end: expected term\n  .a ==\n       ^"
        );
    }
}
