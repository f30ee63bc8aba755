//! The words of the order pipeline: its topics, services and kinds of events, and what an event
//! says. Not when it happens (`steps`), nor its bytes (`wire`).

use crate::event::Timestamp;

/// 2024-08-15T10:30:00Z, where the history begins.
pub(super) const BEGIN: Timestamp = Timestamp(1_723_717_800_000);
/// The virtual now: the history ends here, and the live part goes on from here.
pub(super) const NOW: Timestamp = Timestamp(BEGIN.0 + 120_000);

/// Partitions of every topic but the dead letters'.
pub(super) const PARTITIONS: u32 = 3;

/// Orders from here on are written in version 2, which adds a currency.
const FIRST_WITH_CURRENCY: u64 = 440;

/// The topics, in the order of their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Topic {
    Notifications,
    OrderEvents,
    OrderValidation,
    Orders,
    Payments,
    DeadLetters,
    Shipments,
}

impl Topic {
    pub(super) const ALL: [Self; 7] = [
        Self::Notifications,
        Self::OrderEvents,
        Self::OrderValidation,
        Self::Orders,
        Self::Payments,
        Self::DeadLetters,
        Self::Shipments,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Notifications => "notifications",
            Self::OrderEvents => "order-events",
            Self::OrderValidation => "order-validation",
            Self::Orders => "orders",
            Self::Payments => "payments",
            Self::DeadLetters => "payments.dlq",
            Self::Shipments => "shipments",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.name() == name)
    }

    pub(super) const fn partitions(self) -> u32 {
        match self {
            Self::DeadLetters => 1,
            _ => PARTITIONS,
        }
    }

    /// The partition that an order has in this topic.
    pub(super) const fn partition(self, order: u64) -> u32 {
        (order % self.partitions() as u64) as u32
    }

    /// The digit by which the spans of a trace are told apart.
    const fn span(self) -> u8 {
        match self {
            Self::Orders => b'1',
            Self::OrderValidation => b'2',
            Self::Payments | Self::DeadLetters => b'3',
            Self::Shipments => b'4',
            Self::Notifications => b'5',
            Self::OrderEvents => b'6',
        }
    }
}

/// The services that write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Producer {
    CheckoutA,
    /// Sends amounts as text.
    CheckoutB,
    Validator,
    PayA,
    /// Pays again what pay-a has paid.
    PayB,
    Shipper,
    Notifier,
    Order,
}

impl Producer {
    pub(super) const COUNT: usize = 8;

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::CheckoutA => "checkout-a",
            Self::CheckoutB => "checkout-b",
            Self::Validator => "validator-1",
            Self::PayA => "pay-a",
            Self::PayB => "pay-b",
            Self::Shipper => "shipper-1",
            Self::Notifier => "notifier-1",
            Self::Order => "order-1",
        }
    }

    pub(super) const fn id(self) -> i64 {
        1001 + self as i64
    }
}

/// What happened. The order state's deltas have a version instead of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Placed,
    Cancelled,
    Validated,
    Invalid,
    PaymentSucceeded,
    PaymentFailed,
    Shipped,
    Notified,
    Delta(Delta),
    /// The order's state is deleted.
    Tombstone,
}

/// What an event of `order-events` changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delta {
    Placed,
    Validated,
    Rejected,
    Paid,
    PaymentFailed,
    Shipped,
    Cancelled,
}

impl Delta {
    pub(super) const fn version(self) -> u8 {
        match self {
            Self::Placed => b'1',
            Self::Validated | Self::Rejected => b'2',
            Self::Paid | Self::PaymentFailed => b'3',
            Self::Shipped | Self::Cancelled => b'4',
        }
    }
}

impl Kind {
    pub(super) const fn topic(self) -> Topic {
        match self {
            Self::Placed | Self::Cancelled => Topic::Orders,
            Self::Validated | Self::Invalid => Topic::OrderValidation,
            Self::PaymentSucceeded | Self::PaymentFailed => Topic::Payments,
            Self::Shipped => Topic::Shipments,
            Self::Notified => Topic::Notifications,
            Self::Delta(_) | Self::Tombstone => Topic::OrderEvents,
        }
    }

    /// Begins the event's id; the deltas have none.
    pub(super) const fn prefix(self) -> Option<&'static str> {
        match self {
            Self::Placed => Some("ord-"),
            Self::Cancelled => Some("can-"),
            Self::Validated | Self::Invalid => Some("val-"),
            Self::PaymentSucceeded | Self::PaymentFailed => Some("pay-"),
            Self::Shipped => Some("shp-"),
            Self::Notified => Some("ntf-"),
            Self::Delta(_) | Self::Tombstone => None,
        }
    }

    /// The event that leads to this one where nothing else is said.
    const fn usual_cause(self) -> Option<Self> {
        match self {
            Self::Validated | Self::Invalid => Some(Self::Placed),
            Self::PaymentSucceeded | Self::PaymentFailed => Some(Self::Validated),
            Self::Cancelled | Self::Shipped => Some(Self::PaymentSucceeded),
            Self::Notified => Some(Self::Shipped),
            Self::Placed | Self::Delta(_) | Self::Tombstone => None,
        }
    }

    const fn usual_producer(self) -> Producer {
        match self {
            Self::Placed => Producer::CheckoutA,
            Self::Validated | Self::Invalid => Producer::Validator,
            Self::PaymentSucceeded | Self::PaymentFailed => Producer::PayA,
            Self::Shipped => Producer::Shipper,
            Self::Notified => Producer::Notifier,
            Self::Cancelled | Self::Delta(_) | Self::Tombstone => Producer::Order,
        }
    }
}

/// The free text of an order or a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Note {
    /// Phone, mail address and card number.
    Personal,
    /// Sixteen digits that are no card.
    Ticket,
    /// Sequences that would take over a terminal.
    Terminal,
    /// A mail address.
    Mail,
}

impl Note {
    /// As it stands in the JSON, between the quotes: everything that JSON must escape is, and the
    /// bidi override stands as its three bytes.
    pub(super) const fn json(self) -> &'static str {
        match self {
            Self::Personal => {
                "call +1 415 555 0132 or write to ada@example.com, card 4111111111111111"
            }
            Self::Ticket => "ticket 1234567890123456",
            Self::Terminal => {
                "\\u001b[2J\\u001b[1;1H\\u001b]52;c;ZXZpbA==\\u0007\\rpaid\u{202e}txt.exe"
            }
            Self::Mail => "sent to jane.doe@example.com",
        }
    }
}

/// One event, as its service says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) order: u64,
    pub(super) kind: Kind,
    /// When it happened by its service's clock: in the value, and the record's timestamp.
    pub(super) time: Timestamp,
    pub(super) producer: Producer,
    /// The kind of the event that caused it; its order is the same.
    pub(super) cause: Option<Kind>,
    pub(super) note: Option<Note>,
    /// Number of a notification, counted by its service; 0 elsewhere.
    pub(super) sequence: u64,
    /// The order's second one of this kind, with an id of its own.
    pub(super) second: bool,
    /// The value ends after its first member.
    pub(super) cut: bool,
}

impl Event {
    pub(super) const fn new(order: u64, kind: Kind, time: Timestamp) -> Self {
        Self {
            order,
            kind,
            time,
            producer: kind.usual_producer(),
            cause: kind.usual_cause(),
            note: None,
            sequence: 0,
            second: false,
            cut: false,
        }
    }

    pub(super) const fn partition(&self) -> u32 {
        self.kind.topic().partition(self.order)
    }

    pub(super) const fn span(&self) -> u8 {
        self.kind.topic().span()
    }

    pub(super) const fn has_currency(&self) -> bool {
        self.order >= FIRST_WITH_CURRENCY
    }

    pub(super) const fn schema_version(&self) -> u8 {
        match self.kind {
            Kind::Placed if self.has_currency() => b'2',
            _ => b'1',
        }
    }

    /// Price of one item, in cents.
    pub(super) const fn price(&self) -> u64 {
        2999 + 100 * (self.order % 8)
    }

    /// What the order costs, in cents.
    pub(super) const fn amount(&self) -> u64 {
        2 * self.price()
    }
}
