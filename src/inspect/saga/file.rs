//! A model as people write it, in YAML, TOML or JSON: `docs/sagas.md` has the grammar. What is
//! wrong is said with the step that it is wrong in.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use super::members::{Result, fault, flag, hinted, known, sla, text_of, texts};
use super::model::{MOST_STEPS, Model, Step, StepNumber, Steps};
use super::place::Place;
use crate::config::did_you_mean;
use crate::schema::sources::yaml;

/// Bytes of a file; a model is a page.
pub const LARGEST: usize = 1 << 20;
/// What may follow an event has so long where nothing is said.
const SLA_MS: i64 = 30_000;

const MEMBERS: &[&str] = &["saga", "id", "start", "sla", "steps"];
const STEP_MEMBERS: &[&str] = &["in", "then", "by", "sla", "compensation", "rejected", "end"];

/// Why a file is no model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelError {
    pub message: String,
    pub hint: Option<String>,
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Model {
    /// Reads a model; TOML when `toml` says so, else YAML, of which JSON is a part.
    pub fn parse(text: &str, toml: bool) -> Result<Self> {
        let document = if toml {
            toml::from_str(text).map_err(|e| fault(e.to_string().trim_end().replace('\n', " ")))?
        } else {
            yaml(text).map_err(fault)?
        };
        let Value::Object(document) = document else {
            return Err(hinted(
                "it is no saga: it has no members",
                "it begins with `saga: NAME`",
            ));
        };
        known(&document, MEMBERS, "the saga")?;
        let name = text_of(&document, "saga", "the saga")?
            .ok_or_else(|| hinted("it does not say its name", "write `saga: NAME`"))?;
        let ids = ids(&document)?;
        let sla = sla(&document, "the saga")?.unwrap_or(SLA_MS);
        let rows = rows(&document)?;
        let mut reader = Reader::default();
        for (names, row) in &rows {
            reader.row(names, row, sla)?;
        }
        reader.close()?;
        let start = text_of(&document, "start", "the saga")?
            .ok_or_else(|| hinted("it does not say how it starts", "write `start: EVENTTYPE`"))?;
        let start = reader.started(&start)?;
        let model = Self::new(name.into(), ids, start, reader.steps);
        model.reachable()?;
        Ok(model)
    }

    /// Every step comes about.
    fn reachable(&self) -> Result<()> {
        let mut seen = Steps::one(self.start);
        let mut waiting = vec![self.start];
        while let Some(step) = waiting.pop() {
            for next in self.get(step).then.iter().filter(|next| !seen.has(*next)) {
                waiting.push(next);
            }
            seen.0 |= self.get(step).then.0;
        }
        let lost = (0..self.steps.len() as StepNumber).find(|step| !seen.has(*step));
        match lost {
            None => Ok(()),
            Some(step) => Err(hinted(
                format!(
                    "the step '{}' never comes about: no way leads to it from {}",
                    self.get(step).name,
                    self.get(self.start).name
                ),
                "name it in the `then` of the step before it, or leave it out",
            )),
        }
    }
}

/// The names of the steps of a row, and what it says of them.
type Row = (Vec<String>, Map<String, Value>);

fn rows(document: &Map<String, Value>) -> Result<Vec<Row>> {
    let Some(steps) = document.get("steps") else {
        return Err(hinted(
            "it has no steps",
            "write `steps:` and a row for each",
        ));
    };
    let Value::Object(steps) = steps else {
        return Err(fault("`steps` is no list of named rows"));
    };
    let row = |(names, row): (&String, &Value)| {
        let names: Vec<String> = names.split('|').map(|n| n.trim().to_owned()).collect();
        if names.iter().any(String::is_empty) {
            return Err(fault("a step has no name"));
        }
        match row {
            Value::Object(row) => Ok((names, row.clone())),
            Value::Null => Ok((names, Map::new())),
            _ => Err(hinted(
                format!("the step '{}' has no members", names.join(" | ")),
                "write {then: [NEXT], by: GROUP}",
            )),
        }
    };
    steps.iter().map(row).collect()
}

#[derive(Default)]
struct Reader {
    steps: Vec<Step>,
    numbers: BTreeMap<String, StepNumber>,
    /// Steps that have a row, and those that an `end: true` before them makes an end.
    rows: Steps,
    ends: Steps,
}

impl Reader {
    fn number(&mut self, name: &str, sla_ms: i64) -> Result<StepNumber> {
        if let Some(number) = self.numbers.get(name) {
            return Ok(*number);
        }
        if self.steps.len() >= MOST_STEPS {
            return Err(fault(format!("it has more than {MOST_STEPS} steps")));
        }
        let number = self.steps.len() as StepNumber;
        self.numbers.insert(name.to_owned(), number);
        self.steps.push(Step {
            name: name.into(),
            topics: Vec::new(),
            then: Steps::default(),
            after: Steps::default(),
            by: None,
            sla_ms,
            compensation: false,
            rejected: false,
            end: false,
        });
        Ok(number)
    }

    /// One row, which may be of several steps.
    fn row(&mut self, names: &[String], row: &Map<String, Value>, sla_ms: i64) -> Result<()> {
        let what = format!("the step '{}'", names.join(" | "));
        known(row, STEP_MEMBERS, &what)?;
        let mut then = Steps::default();
        for next in texts(row, "then", &what)? {
            let next = self.number(&next, sla_ms)?;
            then.add(next);
        }
        let topics = texts(row, "in", &what)?;
        let by = text_of(row, "by", &what)?;
        let own_sla = sla(row, &what)?.unwrap_or(sla_ms);
        let flag = |name| flag(row, name, &what);
        let (compensation, rejected, end) =
            (flag("compensation")?, flag("rejected")?, flag("end")?);
        if compensation && then.is_empty() {
            return Err(hinted(
                format!("{what} is to be compensated, and nothing follows it"),
                "name what undoes it in `then`",
            ));
        }
        if end {
            self.ends.0 |= then.0;
        }
        for name in names {
            let number = self.number(name, sla_ms)?;
            if self.rows.has(number) {
                return Err(fault(format!("the step '{name}' has two rows")));
            }
            self.rows.add(number);
            let step = &mut self.steps[usize::from(number)];
            step.then = then;
            step.topics = topics.iter().map(|t| t.as_str().into()).collect();
            step.by = by.as_deref().map(Into::into);
            step.sla_ms = own_sla;
            step.compensation = compensation;
            step.rejected = rejected;
            step.end = end && then.is_empty();
        }
        Ok(())
    }

    /// All rows are read: where does the saga end?
    fn close(&mut self) -> Result<()> {
        for number in self.ends.iter() {
            self.steps[usize::from(number)].end = true;
        }
        let nowhere = self.steps.iter().find(|s| !s.end && s.then.is_empty());
        if let Some(step) = nowhere {
            return Err(hinted(
                format!("the step '{}' leads nowhere", step.name),
                "name what follows in `then`, or say `end: true` where the saga ends",
            ));
        }
        if self.steps.is_empty() {
            return Err(hinted(
                "it has no steps",
                "write `steps:` and a row for each",
            ));
        }
        Ok(())
    }

    fn started(&self, name: &str) -> Result<StepNumber> {
        self.numbers.get(name).copied().ok_or_else(|| {
            let known = self.numbers.keys().map(String::as_str);
            let error = fault(format!("it starts with '{name}', which is no step of it"));
            match did_you_mean(name, known) {
                Some(guess) => hinted(error.message, format!("did you mean {guess}?")),
                None => error,
            }
        })
    }
}

fn ids(document: &Map<String, Value>) -> Result<Vec<Place>> {
    let listed = texts(document, "id", "the saga")?;
    if listed.is_empty() {
        return Err(hinted(
            "it does not say where the id of a saga is",
            "write `id: [header correlation-id, key]`",
        ));
    }
    let place = |text: &String| {
        Place::parse(text).ok_or_else(|| {
            hinted(
                format!("'{text}' is no place of an id"),
                "it is `header NAME`, `key`, or `value .data.orderId`",
            )
        })
    };
    listed.iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "
saga: order
id: [header correlation-id, key]
start: A
sla: 5s
steps:
  A: {then: [B, C], by: b-svc, in: a}
  B | C: {then: D, by: d-svc, end: true, sla: 1m}
";

    #[test]
    fn a_model_is_read_from_yaml_and_from_toml() {
        let model = Model::parse(SOUND, false).unwrap();
        let names: Vec<&str> = model.steps.iter().map(|s| &*s.name).collect();
        assert_eq!(names, ["B", "C", "A", "D"]);
        assert_eq!((&*model.name, model.start), ("order", 2));
        assert_eq!((model.get(2).sla_ms, model.get(0).sla_ms), (5_000, 60_000));
        assert!(model.get(3).end && !model.get(0).end);
        assert_eq!(model.get(3).after, Steps(0b11));
        let toml = "saga = 'order'\nid = 'key'\nstart = 'A'\n[steps]\nA = {then = 'B', end = true}";
        let model = Model::parse(toml, true).unwrap();
        assert_eq!(model.get(model.start).sla_ms, SLA_MS);
        // A circle is allowed: what failed may be tried again.
        let again = SOUND.replace("D, by", "[D, A], by");
        assert!(Model::parse(&again, false).is_ok());
    }

    #[test]
    fn what_is_no_model_says_where_and_what_to_do() {
        for (from, to, message, hint) in [
            (
                "sla: 5s",
                "slo: 5s",
                "the saga has an unknown member 'slo'",
                "sla",
            ),
            (
                "by: b-svc",
                "bye: b-svc",
                "the step 'A' has an unknown member 'bye'",
                "by",
            ),
            ("start: A", "start: AA", "it starts with 'AA'", ""),
            ("saga: order", "", "it does not say its name", "saga: NAME"),
            (
                "id: [header correlation-id, key]",
                "",
                "where the id",
                "header",
            ),
            (
                "correlation-id, key",
                "c, keys",
                "'keys' is no place of an id",
                "header",
            ),
            (", end: true", "", "the step 'D' leads nowhere", "end: true"),
            ("sla: 5s", "sla: 5", "`sla` of the saga", "30s"),
            (
                "A: {",
                "E: {then: D}\n  A: {",
                "the step 'E' never comes about",
                "then",
            ),
            (
                "  B | C",
                "  B: {then: D}\n  B | C",
                "the step 'B' has two rows",
                "",
            ),
            (
                "end: true",
                "end: maybe",
                "`end` of the step 'B | C' is neither",
                "",
            ),
            (
                "then: D",
                "then: [{}]",
                "`then` of the step 'B | C' is no list",
                "",
            ),
            ("by: b-svc", "compensation: 1", "neither true nor false", ""),
        ] {
            assert!(SOUND.contains(from), "{from}");
            let error = Model::parse(&SOUND.replace(from, to), false).unwrap_err();
            assert!(error.message.contains(message), "{to}: {error}");
            let hints = error.hint.unwrap_or_default();
            assert!(hints.contains(hint), "{to}: {hints}");
        }
        for nothing in ["", "17", "[]", "saga: x", "a: [", "steps: {}"] {
            assert!(Model::parse(nothing, false).is_err(), "{nothing}");
        }
        assert!(Model::parse("a = ", true).is_err());
    }

    #[test]
    fn a_model_has_an_end_of_steps() {
        let rows = (0..70).map(|n| format!("  s{n}: {{then: s{}}}\n", n + 1));
        let rows: Vec<String> = rows.collect();
        let text = format!("saga: s\nid: key\nstart: s0\nsteps:\n{}", rows.concat());
        let error = Model::parse(&text, false).unwrap_err();
        assert!(error.message.contains("more than 64 steps"), "{error}");
    }
}
