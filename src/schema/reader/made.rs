//! What was made of bytes, before it is known where it is going to be read.

use super::Desk;
use crate::event::{
    Content, Decoded, Format, Refused, SchemaFault, SchemaVerdict, decode, text_or_binary,
};
use crate::schema::Refusal;
use crate::schema::sources::Side;

/// Where decoded data lies.
#[derive(Debug, Clone, Copy)]
pub(super) enum Data<'a> {
    Of(Decoded<'a>),
    /// JSON text on the desk.
    Written,
    /// Inflated bytes on the desk, to be taken for what they are.
    Inflated,
}

/// What was made of the bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Made<'a> {
    pub(super) data: Data<'a>,
    pub(super) from: Option<&'static str>,
    /// Whether the desk says why the bytes were not taken.
    pub(super) refused: bool,
    pub(super) verdict: Option<SchemaVerdict>,
    pub(super) id: Option<Id>,
    /// The topic's JSON Schema had its say.
    pub(super) is_judged: bool,
}

/// The schema's id.
#[derive(Debug, Clone, Copy)]
pub(super) enum Id {
    Number(u64),
    /// On the desk.
    Text,
}

impl<'a> Made<'a> {
    pub(super) const fn of(data: Data<'a>, from: Option<&'static str>) -> Self {
        Self {
            data,
            from,
            refused: false,
            verdict: None,
            id: None,
            is_judged: false,
        }
    }

    pub(super) fn content(&self, desk: &'a Desk) -> Content<'a> {
        let data = match self.data {
            Data::Of(data) => data,
            // Every decoder writes JSON, and what is none is shown all the same.
            Data::Written => decode(Some(&desk.out), Format::Json).data,
            Data::Inflated => decode(Some(&desk.inflated), Format::Auto).data,
        };
        Content {
            data,
            from: self.from,
            refused: self.refused.then_some(Refused::Said(&desk.said)),
        }
    }
}

pub(super) fn auto(side: Side, bytes: &[u8]) -> Made<'_> {
    let data = match side {
        Side::Key => text_or_binary(bytes),
        Side::Value => decode(Some(bytes), Format::Auto).data,
    };
    Made::of(Data::Of(data), None)
}

pub(super) fn of_format<'a>(bytes: &'a [u8], format: Format, desk: &mut Desk) -> Made<'a> {
    let content = decode(Some(bytes), format);
    if let Some(refused) = content.refused {
        desk.said = refused.to_string();
    }
    Made {
        refused: content.refused.is_some(),
        ..Made::of(Data::Of(content.data), None)
    }
}

pub(super) fn written<'a>(
    done: Result<(), Refusal>,
    from: &'static str,
    bytes: &'a [u8],
    desk: &mut Desk,
) -> Made<'a> {
    match done {
        Ok(()) => Made::of(Data::Written, Some(from)),
        Err(refusal) => {
            desk.said = refusal.to_string();
            Made {
                refused: true,
                ..Made::of(Data::Of(text_or_binary(bytes)), None)
            }
        }
    }
}

/// There is a schema, and these are no bytes of it.
pub(super) fn undecodable<'a>(
    bytes: &'a [u8],
    refusal: &Refusal,
    id: Option<Id>,
    desk: &mut Desk,
) -> Made<'a> {
    desk.said = refusal.to_string();
    said_so(desk);
    Made {
        refused: true,
        verdict: Some(SchemaVerdict::Undecodable),
        id,
        ..Made::of(Data::Of(text_or_binary(bytes)), None)
    }
}

/// The schema is not known, or not now.
pub(super) fn unknown_id<'a>(
    side: Side,
    bytes: &'a [u8],
    id: Option<Id>,
    why: String,
    desk: &mut Desk,
) -> Made<'a> {
    desk.said = why;
    said_so(desk);
    Made {
        refused: true,
        verdict: Some(SchemaVerdict::UnknownId),
        id,
        ..auto(side, bytes)
    }
}

/// What the bytes are is known, and what their schema says of that is not, for now.
pub(super) fn not_now<'a>(made: Made<'a>, why: &str, desk: &mut Desk) -> Made<'a> {
    if made.refused {
        return made;
    }
    desk.said.clear();
    desk.said.push_str(why);
    said_so(desk);
    Made {
        verdict: Some(SchemaVerdict::UnknownId),
        ..made
    }
}

/// What was said is what is wrong.
pub(super) fn said_so(desk: &mut Desk) {
    desk.faults.clear();
    desk.faults.push(SchemaFault {
        message: desk.said.clone(),
        ..SchemaFault::default()
    });
}
