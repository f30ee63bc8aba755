//! The tab of the headers: one row each, in their order; what is known for certain of well-known
//! ones stands behind them.

use crate::event::{Headers, Timestamp};
use crate::text::{human, width};
use crate::tui::widgets::{Line, Tone, clip};

/// Columns of a name that others line up with.
const WIDEST: usize = 28;
/// Columns of a value that are kept.
const LONGEST: usize = 4096;
/// Bytes of a binary value that are shown.
const FEW: usize = 64;

/// The rows of an event's headers; the number of a row is that of its header.
pub fn lines(headers: Headers<'_>) -> Vec<Line> {
    let names: Vec<String> = headers.iter().map(|(name, _)| shown(name)).collect();
    let widest = names.iter().map(|n| width::width(n)).max().unwrap_or(0);
    let column = widest.min(WIDEST);
    let mut rest = headers.iter();
    let mut lines: Vec<Line> = names
        .iter()
        .zip(&mut rest)
        .map(|(name, (raw, value))| line(name, column, raw, value))
        .collect();
    while rest.next().is_some() {}
    if !rest.rest().is_empty() {
        let left = human::size(rest.rest().len() as u64);
        lines.push(Line::new().with(Tone::Error, &format!("{left} that are no headers")));
    }
    if lines.is_empty() {
        lines.push(Line::new().with(Tone::Dim, "no headers"));
    }
    lines
}

fn shown(name: &[u8]) -> String {
    let mut line = Line::new();
    line.push_bytes(Tone::Key, name.get(..FEW * 4).unwrap_or(name));
    line.text()
}

fn line(name: &str, column: usize, raw: &[u8], value: Option<&[u8]>) -> Line {
    let blank = " ".repeat(column.saturating_sub(width::width(name)) + 2);
    let mut line = Line::new().with(Tone::Key, name).with(Tone::Dim, &blank);
    match value {
        None => line.push(Tone::Literal, "null"),
        Some([]) => line.push(Tone::Dim, "empty"),
        Some(bytes) => match str::from_utf8(bytes) {
            Ok(text) => line.push(Tone::String, clip(text.as_bytes(), LONGEST)),
            Err(_) => push_hex(&mut line, bytes),
        },
    }
    if let Some(note) = explain(raw, value.unwrap_or_default()) {
        line.push(Tone::Dim, "  ");
        line.push(Tone::Dim, &note);
    }
    line
}

fn push_hex(line: &mut Line, bytes: &[u8]) {
    let few = bytes.get(..FEW).unwrap_or(bytes);
    let digits: Vec<String> = few.iter().map(|b| format!("{b:02x}")).collect();
    line.push(Tone::Number, &digits.join(" "));
    let size = human::size(bytes.len() as u64);
    line.push(Tone::Dim, &format!("  binary, {size}"));
}

/// What a header says that its bytes do not show at once.
fn explain(name: &[u8], value: &[u8]) -> Option<String> {
    match name {
        b"traceparent" => traceparent(value),
        // Spring Kafka writes these as big-endian integers.
        b"kafka_dlt-original-partition" => {
            let number = i32::from_be_bytes(value.try_into().ok()?);
            Some(format!("= {number}"))
        }
        b"kafka_dlt-original-offset" => {
            let number = i64::from_be_bytes(value.try_into().ok()?);
            Some(format!("= {number}"))
        }
        b"kafka_dlt-original-timestamp" => {
            let number = i64::from_be_bytes(value.try_into().ok()?);
            Some(format!("= {}", Timestamp(number)))
        }
        _ => None,
    }
}

/// W3C trace context, version 00: `00-<32 hex>-<16 hex>-<2 hex>`.
fn traceparent(value: &[u8]) -> Option<String> {
    let text = str::from_utf8(value).ok()?;
    let parts: Vec<&str> = text.split('-').collect();
    let [version, trace, parent, flags] = parts.as_slice() else {
        return None;
    };
    let lower = |part: &str, len| {
        let digit = |b| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        part.len() == len && part.bytes().all(digit)
    };
    let right = *version == "00" && lower(trace, 32) && lower(parent, 16) && lower(flags, 2);
    let zero = |part: &str| part.bytes().all(|b| b == b'0');
    if !right || zero(trace) || zero(parent) {
        return Some("not a valid traceparent".to_owned());
    }
    let flags = u8::from_str_radix(flags, 16).ok()?;
    let sampled = if flags & 1 == 1 {
        "sampled"
    } else {
        "not sampled"
    };
    Some(format!("trace id, parent span id, {sampled}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::HeaderBuf;

    fn texts(headers: &[(&[u8], Option<&[u8]>)]) -> Vec<String> {
        let mut block = HeaderBuf::default();
        for (name, value) in headers {
            block.push(name, *value);
        }
        let lines = lines(block.as_headers());
        assert!(lines.iter().all(|l| !l.is_hostile()));
        lines.iter().map(Line::text).collect()
    }

    #[test]
    fn null_empty_text_and_bytes_are_told_apart() {
        let rows = texts(&[
            (b"a", None),
            (b"name", Some(b"")),
            (b"a", Some(b"x\x1b[2J")),
            (b"\xff", Some(b"\x00\xff")),
        ]);
        assert_eq!(
            rows,
            [
                "a     null",
                "name  empty",
                "a     x\\x1b[2J",
                "\\xff  00 ff  binary, 2 B",
            ]
        );
        assert_eq!(texts(&[]), ["no headers"]);
    }

    #[test]
    fn what_is_certain_of_well_known_headers_is_said() {
        let trace = b"00-feed0456beeffeed0456beeffeed0456-fade0456cafe0001-01";
        for (name, value, note) in [
            (
                &b"traceparent"[..],
                &trace[..],
                Some("trace id, parent span id, sampled"),
            ),
            (
                b"traceparent",
                b"00-x-y-01",
                Some("not a valid traceparent"),
            ),
            (b"traceparent", b"x", None),
            (
                b"kafka_dlt-original-offset",
                &[0, 0, 0, 0, 0, 0, 1, 0],
                Some("= 256"),
            ),
            (b"kafka_dlt-original-offset", b"256", None),
            (b"kafka_dlt-original-partition", &[0, 0, 0, 7], Some("= 7")),
            (b"other", &trace[..], None),
        ] {
            assert_eq!(explain(name, value).as_deref(), note);
        }
    }

    #[test]
    fn a_damaged_block_says_so() {
        let rows = lines(Headers::from_encoded(&[2, b'a', 100]));
        assert!(rows[0].text().contains("that are no headers"), "{rows:?}");
    }
}
