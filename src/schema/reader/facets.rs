//! What an event says of itself that decides between several schemas of its topic.

use crate::event::EventRef;
use crate::schema::formats::debezium::Envelope;
use crate::schema::formats::members::members;

/// Headers that name the type of an event, the better ones first.
const TYPE_HEADERS: [&str; 4] = ["ce_type", "event-type", "eventType", "type"];
/// Members of a JSON value that do.
const TYPE_MEMBERS: [&str; 3] = ["eventType", "event_type", "type"];
/// The header that names the version.
const VERSION_HEADER: &str = "schema-version";

fn header<'a>(event: &EventRef<'a>, name: &str) -> Option<&'a str> {
    str::from_utf8(event.headers.last(name)??).ok()
}

/// The type that the event names: what a header says, a member of its value, or what Debezium did.
pub(super) fn event_type<'a>(event: &EventRef<'a>) -> Option<&'a str> {
    let of_headers = TYPE_HEADERS.iter().find_map(|name| header(event, name));
    of_headers.or_else(|| {
        let (found, payload) = type_of(event.value?)?;
        found.or_else(|| type_of(payload?.as_bytes())?.0)
    })
}

/// The type that a JSON object names, and the payload where it is the envelope of Kafka Connect.
fn type_of(value: &[u8]) -> Option<(Option<&str>, Option<&str>)> {
    let [first, second, third] = TYPE_MEMBERS;
    let [op, before, after, source] = Envelope::NAMES;
    let wanted = [
        first, second, third, op, before, after, source, "schema", "payload",
    ];
    let object = members(value, wanted)?;
    let [
        first,
        second,
        third,
        operation,
        before,
        after,
        source,
        schema,
        payload,
    ] = object.found;
    let mut named = [first, second, third].into_iter().flatten();
    let envelope = Envelope {
        operation,
        before,
        after,
        source,
    };
    let found = named.find_map(plain_string).or_else(|| envelope.letter());
    Some((found, schema.and(payload).filter(|_| object.others == 0)))
}

/// The text of a JSON string without escapes.
fn plain_string(json: &str) -> Option<&str> {
    let text = json.strip_prefix('"')?.strip_suffix('"')?;
    (!text.contains('\\')).then_some(text)
}

/// The version of its schema that the event names.
pub(super) fn version<'a>(event: &EventRef<'a>) -> Option<&'a str> {
    header(event, VERSION_HEADER)
}
