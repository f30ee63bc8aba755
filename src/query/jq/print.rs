//! Values as JSON on one line, safe to print. Always JSON, which jaq's own printer is not for
//! bytes, infinities and keys that are no strings.

use std::io::Write as _;

use jaq_json::{Num, Val};
use jaq_std::ValT as _;

use crate::query::json;
use crate::text;

/// Appends a value as compact JSON.
pub(super) fn value(out: &mut Vec<u8>, val: &Val) {
    match val {
        Val::Null => out.extend_from_slice(b"null"),
        Val::Bool(true) => out.extend_from_slice(b"true"),
        Val::Bool(false) => out.extend_from_slice(b"false"),
        Val::Num(num) => number(out, num),
        Val::TStr(_) | Val::BStr(_) => {
            let bytes = val.as_bytes().unwrap_or_default();
            text::push_string(out, &String::from_utf8_lossy(bytes));
        }
        Val::Arr(items) => {
            let mut lead = b'[';
            for item in items.iter() {
                out.push(lead);
                value(out, item);
                lead = b',';
            }
            if items.is_empty() {
                out.push(b'[');
            }
            out.push(b']');
        }
        Val::Obj(fields) => {
            let mut lead = b'{';
            for (key, item) in fields.iter() {
                out.push(lead);
                name(out, key);
                out.push(b':');
                value(out, item);
                lead = b',';
            }
            if fields.is_empty() {
                out.push(b'{');
            }
            out.push(b'}');
        }
    }
}

fn name(out: &mut Vec<u8>, key: &Val) {
    if key.is_utf8_str() {
        value(out, key);
    } else {
        let mut text = Vec::new();
        value(&mut text, key);
        text::push_string(out, &String::from_utf8_lossy(&text));
    }
}

fn number(out: &mut Vec<u8>, num: &Num) {
    // Beyond this, a number that happens to be whole has digits that mean nothing.
    const WHOLE: f64 = 1e17;
    let written = match num {
        Num::Float(f) if f.is_nan() => write!(out, "null"),
        Num::Float(f) if f.is_infinite() => write!(out, "{:?}", f64::MAX.copysign(*f)),
        Num::Float(f) if f.fract() == 0.0 && f.abs() < WHOLE => write!(out, "{f}"),
        Num::Dec(digits) => {
            out.extend_from_slice(json::as_it_was(digits.trim_start_matches('+').as_bytes()));
            Ok(())
        }
        other => write!(out, "{other}"),
    };
    // Writing into memory does not fail.
    debug_assert!(written.is_ok());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str) -> String {
        let mut out = Vec::new();
        value(
            &mut out,
            &jaq_json::read::parse_single(text.as_bytes()).unwrap(),
        );
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_comes_out_as_it_went_in() {
        for text in [
            r#"{"b":[1,1.10,1e400,12345678901234567890,-1.5],"a":null,"":{}}"#,
            r#"["x\"\\\n\u001b\u202e é",true,false,[],{}]"#,
        ] {
            assert_eq!(printed(text), text);
        }
    }

    #[test]
    fn what_is_no_json_becomes_some() {
        assert_eq!(printed("NaN"), "null");
        assert_eq!(printed("-Infinity"), "-1.7976931348623157e308");
        assert_eq!(printed("+1.5"), "1.5");
        assert_eq!(printed(r#"{[1]:b"\xff"}"#), "{\"[1]\":\"\u{fffd}\"}");
    }

    #[test]
    fn whole_floats_are_printed_as_integers() {
        let mut out = Vec::new();
        for f in [50.0, -0.0, 1e16, 1e20, 0.1 + 0.2] {
            number(&mut out, &Num::Float(f));
            out.push(b' ');
        }
        assert_eq!(out, b"50 -0 10000000000000000 1e20 0.30000000000000004 ");
    }
}
