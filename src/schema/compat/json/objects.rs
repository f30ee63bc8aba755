//! Members of objects, by the rules of open and closed content.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::arrays::Others;
use super::{Comparison, Place, Reason, below, reason, scalars};

fn members<'a>(place: Place<'a>, keyword: &str) -> Option<&'a Map<String, Value>> {
    place.schema.get(keyword)?.as_object()
}

fn property<'a>(place: Place<'a>, name: &str) -> Option<Place<'a>> {
    let schema = members(place, "properties")?.get(name)?;
    Some(place.to(schema))
}

/// What holds for a member that is none of `properties`.
fn others<'a>(place: Place<'a>, name: &str) -> Others<'a> {
    let patterns = members(place, "patternProperties");
    let mut patterns = patterns.into_iter().flatten();
    match patterns.find(|(pattern, _)| matches(pattern, name)) {
        Some((_, schema)) => Others::of(Some(place.to(schema))),
        None => Others::of(place.get("additionalProperties")),
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    // The library knows how patterns of schemas are meant.
    let options = jsonschema::PatternOptions::regex().size_limit(1 << 18);
    let options = jsonschema::options().with_pattern_options(options);
    let pattern = options.build(&serde_json::json!({ "pattern": pattern }));
    pattern.is_ok_and(|pattern| pattern.is_valid(&Value::String(name.to_owned())))
}

fn names(place: Place<'_>, keyword: &str) -> Vec<String> {
    let names = place.list(keyword).unwrap_or_default().iter();
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}

impl<'a> Comparison<'_, 'a> {
    pub(super) fn objects(
        &mut self,
        reader: Place<'a>,
        writer: Place<'a>,
        path: &str,
        found: &mut Vec<Reason>,
    ) {
        scalars::sizes(
            reader,
            writer,
            ["minProperties", "maxProperties"],
            path,
            found,
        );
        let all = [reader, writer].map(|place| members(place, "properties"));
        let all: BTreeSet<&String> = all.into_iter().flatten().flat_map(Map::keys).collect();
        for name in all {
            let path = below(path, "properties", name);
            match (property(reader, name), property(writer, name)) {
                (Some(wanted), Some(given)) => self.schemas(wanted, given, &path, found),
                (Some(wanted), None) => self.added(wanted, others(writer, name), &path, found),
                (None, Some(given)) => self.removed(others(reader, name), given, &path, found),
                (None, None) => {}
            }
        }
        required(reader, writer, path, found);
        self.patterns(reader, writer, path, found);
        let further = [reader, writer].map(|place| Others::of(place.get("additionalProperties")));
        let [wanted, given] = further;
        self.others(
            wanted,
            given,
            &format!("{path}/additionalProperties"),
            found,
        );
        self.dependencies(reader, writer, path, found);
    }

    fn patterns(
        &mut self,
        reader: Place<'a>,
        writer: Place<'a>,
        path: &str,
        found: &mut Vec<Reason>,
    ) {
        let all = [reader, writer].map(|place| members(place, "patternProperties"));
        let names: BTreeSet<&String> = all.into_iter().flatten().flat_map(Map::keys).collect();
        let [wanted, given] = all;
        for name in names {
            let path = below(path, "patternProperties", name);
            let wanted = wanted
                .and_then(|all| all.get(name))
                .map(|one| reader.to(one));
            let given = given
                .and_then(|all| all.get(name))
                .map(|one| writer.to(one));
            match (wanted, given) {
                (Some(wanted), Some(given)) => self.schemas(wanted, given, &path, found),
                (Some(wanted), None) => {
                    let given = Others::of(writer.get("additionalProperties"));
                    self.added(wanted, given, &path, found);
                }
                (None, Some(given)) => {
                    let wanted = Others::of(reader.get("additionalProperties"));
                    self.removed(wanted, given, &path, found);
                }
                (None, None) => {}
            }
        }
    }

    /// What must be there, or hold, when some member is there.
    fn dependencies(
        &mut self,
        reader: Place<'a>,
        writer: Place<'a>,
        path: &str,
        found: &mut Vec<Reason>,
    ) {
        for keyword in ["dependencies", "dependentRequired", "dependentSchemas"] {
            for (name, wanted) in members(reader, keyword).into_iter().flatten() {
                let given = members(writer, keyword).and_then(|all| all.get(name));
                let path = below(path, keyword, name);
                match (wanted, given) {
                    (Value::Array(wanted), Some(Value::Array(given))) => {
                        for name in wanted.iter().filter(|name| !given.contains(name)) {
                            let what =
                                format!("the reader wants {name} with it, the writer does not");
                            found.push(reason(&path, what));
                        }
                    }
                    (wanted, Some(given)) if !wanted.is_array() && !given.is_array() => {
                        self.schemas(reader.to(wanted), writer.to(given), &path, found);
                    }
                    (Value::Array(wanted), _) if wanted.is_empty() => {}
                    _ => found.push(reason(&path, "only the reader has this dependency")),
                }
            }
        }
    }
}

fn required(reader: Place<'_>, writer: Place<'_>, path: &str, found: &mut Vec<Reason>) {
    let given = names(writer, "required");
    for name in names(reader, "required") {
        let member = property(reader, &name);
        let has_default = member.is_some_and(|member| member.schema.get("default").is_some());
        if !given.contains(&name) && !has_default {
            let what = "the reader requires it and has no default, the writer may leave it out";
            found.push(reason(&below(path, "properties", &name), what));
        }
    }
}
