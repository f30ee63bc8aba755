//! What an event says of itself that decides between several schemas of its topic.

use crate::event::EventRef;
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

/// The type that the event names.
pub(super) fn event_type<'a>(event: &EventRef<'a>) -> Option<&'a str> {
    let of_headers = TYPE_HEADERS.iter().find_map(|name| header(event, name));
    of_headers.or_else(|| {
        let found = members(event.value?, TYPE_MEMBERS)?.found;
        found.into_iter().flatten().find_map(plain_string)
    })
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
