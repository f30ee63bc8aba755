//! Members of a model's file: texts, lists, flags and times, with errors that say where they are.

use serde_json::{Map, Value};

use super::file::ModelError;
use crate::config::did_you_mean;
use crate::text::human;

pub(super) type Result<T> = std::result::Result<T, ModelError>;

pub(super) fn fault(message: impl Into<String>) -> ModelError {
    ModelError {
        message: message.into(),
        hint: None,
    }
}

pub(super) fn hinted(message: impl Into<String>, hint: impl Into<String>) -> ModelError {
    ModelError {
        hint: Some(hint.into()),
        ..fault(message)
    }
}

pub(super) fn known(map: &Map<String, Value>, members: &[&str], what: &str) -> Result<()> {
    let Some(unknown) = map.keys().find(|name| !members.contains(&name.as_str())) else {
        return Ok(());
    };
    let hint = did_you_mean(unknown, members.iter().copied()).map_or_else(
        || format!("it may have {}", members.join(", ")),
        |guess| format!("did you mean {guess}?"),
    );
    Err(hinted(
        format!("{what} has an unknown member '{unknown}'"),
        hint,
    ))
}

pub(super) fn text_of(map: &Map<String, Value>, name: &str, what: &str) -> Result<Option<String>> {
    match map.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(Some(text.trim().to_owned())),
        Some(_) => Err(fault(format!("`{name}` of {what} is no text"))),
    }
}

/// A text, or a list of them.
pub(super) fn texts(map: &Map<String, Value>, name: &str, what: &str) -> Result<Vec<String>> {
    let Some(Value::Array(list)) = map.get(name) else {
        return Ok(text_of(map, name, what)?.into_iter().collect());
    };
    let text = |value: &Value| match value {
        Value::String(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
        _ => Err(fault(format!("`{name}` of {what} is no list of texts"))),
    };
    list.iter().map(text).collect()
}

pub(super) fn flag(map: &Map<String, Value>, name: &str, what: &str) -> Result<bool> {
    match map.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(fault(format!(
            "`{name}` of {what} is neither true nor false"
        ))),
    }
}

pub(super) fn sla(map: &Map<String, Value>, what: &str) -> Result<Option<i64>> {
    const HINT: &str = "write 30s, 5m or 2h";
    let text = text_of(map, "sla", what).map_err(|error| hinted(error.message, HINT))?;
    let Some(text) = text else {
        return Ok(None);
    };
    let time = human::parse_duration(&text)
        .map_err(|why| hinted(format!("`sla` of {what}: {why}"), HINT))?;
    let ms = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    Ok(Some(ms))
}
