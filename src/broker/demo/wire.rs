//! An event of the pipeline as the bytes of a record: key, value and headers, byte by byte as the
//! services write them. One writer serves the history and the live part; its buffers are reused,
//! so that an event costs no allocation.

use super::orders::{Delta, Event, Kind, Note, Producer};
use crate::event::{HeaderBuf, Headers};

/// The first bytes of a value that was cut.
const CUT: usize = 21;

/// The bytes of the event that was written last.
#[derive(Debug, Default)]
pub(super) struct Wire {
    key: Vec<u8>,
    value: Vec<u8>,
    has_value: bool,
    headers: HeaderBuf,
    /// A header's value while it is put together.
    text: Vec<u8>,
}

impl Wire {
    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }

    /// `None` for a tombstone.
    pub(super) fn value(&self) -> Option<&[u8]> {
        self.has_value.then_some(self.value.as_slice())
    }

    pub(super) fn headers(&self) -> Headers<'_> {
        self.headers.as_headers()
    }

    /// Adds a header behind those of the event.
    pub(super) fn add_header(&mut self, name: &str, value: &[u8]) {
        self.headers.push(name.as_bytes(), Some(value));
    }

    pub(super) fn write(&mut self, event: &Event) {
        self.key.clear();
        put_id(&mut self.key, "order-", event.order);
        self.value.clear();
        self.has_value = event.kind != Kind::Tombstone;
        match event.kind {
            Kind::Tombstone => {}
            Kind::Delta(delta) => put_delta(&mut self.value, event, delta),
            kind => put_envelope(&mut self.value, event, kind),
        }
        if event.cut {
            self.value.truncate(CUT);
        }
        self.write_headers(event);
    }

    fn write_headers(&mut self, event: &Event) {
        self.headers.clear();
        let text = &mut self.text;
        if let Some(prefix) = event.kind.prefix() {
            text.clear();
            put_event_id(text, prefix, event);
            self.headers.push(b"ce_id", Some(text));
        }
        self.headers.push(b"correlation-id", Some(&self.key));
        if let Some(prefix) = event.cause.and_then(Kind::prefix) {
            text.clear();
            put_id(text, prefix, event.order);
            self.headers.push(b"causation-id", Some(text));
        }
        text.clear();
        put_traceparent(text, event);
        self.headers.push(b"traceparent", Some(text));
        self.headers
            .push(b"producer", Some(event.producer.name().as_bytes()));
        self.headers
            .push(b"schema-version", Some(&[event.schema_version()]));
        if let Kind::Delta(delta) = event.kind {
            self.headers.push(b"version", Some(&[delta.version()]));
        }
        if event.kind == Kind::Notified {
            text.clear();
            put_number(text, event.sequence);
            self.headers.push(b"seq", Some(text));
        }
        if event.note == Some(Note::Terminal) {
            self.headers.push(b"x-client", Some(b"\x1b]0;pwned\x07"));
        }
    }
}

fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn put_number(out: &mut Vec<u8>, number: u64) {
    put(out, itoa::Buffer::new().format(number));
}

fn put_id(out: &mut Vec<u8>, prefix: &str, order: u64) {
    put(out, prefix);
    put_number(out, order);
}

fn put_event_id(out: &mut Vec<u8>, prefix: &str, event: &Event) {
    put_id(out, prefix, event.order);
    if event.second {
        put(out, "-b");
    }
}

/// Two decimals, always.
fn put_cents(out: &mut Vec<u8>, cents: u64) {
    put_number(out, cents / 100);
    let rest = (cents % 100) as u8;
    out.extend_from_slice(&[b'.', b'0' + rest / 10, b'0' + rest % 10]);
}

fn put_padded(out: &mut Vec<u8>, number: u64, width: usize) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(number);
    out.resize(out.len() + width.saturating_sub(digits.len()), b'0');
    put(out, digits);
}

/// The W3C trace header. Orders below 10,000 repeat a pattern that the eye finds again; the ids of
/// later ones, which only the live part reaches, are filled with zeros to the same length.
fn put_traceparent(out: &mut Vec<u8>, event: &Event) {
    let order = event.order;
    put(out, "00-");
    if order < 10_000 {
        let mut unit = *b"feed0000beef";
        let mut rest = order;
        for digit in unit[4..8].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        out.extend_from_slice(&unit);
        out.extend_from_slice(&unit);
        out.extend_from_slice(&unit[..8]);
        put(out, "-fade");
        out.extend_from_slice(&unit[4..8]);
        put(out, "cafe000");
    } else {
        put(out, "feed");
        put_padded(out, order, 24);
        put(out, "beef-fade");
        put_padded(out, order, 11);
    }
    out.push(event.span());
    put(out, "-01");
}

fn put_envelope(out: &mut Vec<u8>, event: &Event, kind: Kind) {
    put(out, "{\"eventId\":\"");
    put_event_id(out, kind.prefix().unwrap_or_default(), event);
    put(out, "\",\"eventType\":\"");
    put(out, event_type(kind));
    put(out, "\",\"timestamp\":\"");
    event.time.write_rfc3339(out);
    put(out, "\",\"data\":{\"orderId\":\"");
    put_id(out, "order-", event.order);
    out.push(b'"');
    put_data(out, event, kind);
    if let Some(note) = event.note {
        put(out, ",\"note\":\"");
        put(out, note.json());
        out.push(b'"');
    }
    put(out, "}}");
}

const fn event_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Placed => "OrderPlaced",
        Kind::Cancelled => "OrderCancelled",
        Kind::Validated => "OrderValidated",
        Kind::Invalid => "OrderInvalid",
        Kind::PaymentSucceeded => "PaymentSucceeded",
        Kind::PaymentFailed => "PaymentFailed",
        Kind::Shipped => "ShipmentDispatched",
        Kind::Notified => "CustomerNotified",
        Kind::Delta(_) | Kind::Tombstone => "",
    }
}

/// The members of `data` behind the order's id.
fn put_data(out: &mut Vec<u8>, event: &Event, kind: Kind) {
    match kind {
        Kind::Placed => {
            put_customer(out, event);
            let quote = if event.producer == Producer::CheckoutB {
                "\""
            } else {
                ""
            };
            put(out, ",\"totalAmount\":");
            put(out, quote);
            put_cents(out, event.amount());
            put(out, quote);
            put(
                out,
                ",\"items\":[{\"sku\":\"SKU-1\",\"quantity\":1,\"price\":",
            );
            put_cents(out, event.price());
            put(out, "},{\"sku\":\"SKU-2\",\"quantity\":1,\"price\":");
            put_cents(out, event.price());
            put(out, "}]");
            put_currency(out, event);
        }
        Kind::Cancelled => put(out, ",\"reason\":\"payment failed\""),
        Kind::Invalid => put(out, ",\"reason\":\"out of stock\""),
        Kind::PaymentSucceeded => {
            put_id(out, ",\"paymentId\":\"payment-", event.order);
            put(out, "\",\"amount\":");
            put_cents(out, event.amount());
        }
        Kind::PaymentFailed => put(out, ",\"reason\":\"card declined\""),
        Kind::Shipped => {
            put_id(out, ",\"trackingNo\":\"TRK-", event.order);
            out.push(b'"');
        }
        Kind::Notified => put(out, ",\"channel\":\"push\""),
        Kind::Validated | Kind::Delta(_) | Kind::Tombstone => {}
    }
}

fn put_customer(out: &mut Vec<u8>, event: &Event) {
    put_id(out, ",\"customerId\":\"customer-", event.order + 333);
    out.push(b'"');
}

fn put_currency(out: &mut Vec<u8>, event: &Event) {
    if event.has_currency() {
        put(out, ",\"currency\":\"EUR\"");
    }
}

/// A delta is a merge patch of the order's state, without an envelope.
fn put_delta(out: &mut Vec<u8>, event: &Event, delta: Delta) {
    put(out, "{\"status\":\"");
    put(
        out,
        match delta {
            Delta::Placed => "PLACED\"",
            Delta::Validated => "VALIDATED\"",
            Delta::Rejected => "REJECTED\"",
            Delta::Paid => "PAID\"",
            Delta::PaymentFailed => "PAYMENT_FAILED\"",
            Delta::Shipped => "SHIPPED\"",
            Delta::Cancelled => "CANCELLED\"",
        },
    );
    match delta {
        Delta::Placed => {
            put_customer(out, event);
            put(out, ",\"totalAmount\":");
            put_cents(out, event.amount());
            put_currency(out, event);
        }
        Delta::Paid => {
            put_id(out, ",\"paymentId\":\"payment-", event.order);
            out.push(b'"');
        }
        Delta::Shipped => {
            put_id(out, ",\"trackingNo\":\"TRK-", event.order);
            out.push(b'"');
        }
        _ => {}
    }
    out.push(b'}');
}
