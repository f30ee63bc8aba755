//! The way of one order through the services: which events it makes, how long after it was placed,
//! and what goes wrong with it. The history and the live part are both made of these steps.

use super::orders::{BEGIN, Delta, Event, Kind, NOW, Note, Producer};
use crate::event::Timestamp;

/// The first order of the history, and the first one that only the live part has.
pub(super) const FIRST_ORDER: u64 = 401;
pub(super) const FIRST_LIVE_ORDER: u64 = 461;

/// So many orders after one of the live part, the same happens again.
pub(super) const CYCLE: u64 = 240;

/// The order whose payment cannot be decoded. The shipping service stands before it: what comes
/// behind it in its partition is never shipped.
const POISONED: u64 = 436;

/// What becomes of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Good,
    /// Out of stock: the order ends with its validation.
    Rejected,
    /// The same, and later its state is deleted.
    RejectedAndDeleted,
    /// The card is declined, and the order is cancelled.
    Cancelled,
    /// The card is declined, and nobody cancels the order.
    Abandoned,
    /// The card is declined, and the order is shipped all the same.
    ShippedUnpaid,
    /// Paid, and never shipped.
    Unshipped,
    /// Shipped, and the customer is never told; the notifier's numbers show it.
    Untold,
    /// The payment's value is cut.
    Poisoned,
    /// The amount is sent as text.
    TextAmount,
    /// Paid by a second service again, and shipped again because of it.
    PaidTwice,
    /// The first try to pay is aborted.
    Retried,
    /// The payment is appended long after it happened.
    LatePayment,
    /// The state's versions are appended in the wrong order.
    Swapped,
    /// The notifier's clock is behind.
    Skewed,
    /// Shipping takes 15 seconds longer.
    Slow,
    /// The order carries this text.
    Noted(Note),
    /// The notification carries a mail address.
    Mailed,
    /// The payment was also put into the dead letters.
    DeadLetter,
    /// The same, for the second time.
    Parked,
}

impl Fate {
    pub(super) const fn of(order: u64) -> Self {
        if order < FIRST_LIVE_ORDER {
            Self::in_history(order)
        } else {
            Self::in_live(order)
        }
    }

    const fn in_history(order: u64) -> Self {
        match order {
            405 => Self::RejectedAndDeleted,
            407 => Self::Abandoned,
            409 | 421 => Self::DeadLetter,
            410 => Self::Skewed,
            412 => Self::PaidTwice,
            415 | 426 => Self::Cancelled,
            417 => Self::Swapped,
            418 => Self::Parked,
            420 => Self::LatePayment,
            423 => Self::Noted(Note::Terminal),
            428 => Self::Noted(Note::Personal),
            429 => Self::ShippedUnpaid,
            431 => Self::Mailed,
            432 => Self::Noted(Note::Ticket),
            434 => Self::Unshipped,
            POISONED => Self::Poisoned,
            438 => Self::Slow,
            441 => Self::Retried,
            444 | 446 | 449 | 453 | 455 => Self::TextAmount,
            447 => Self::Untold,
            450 => Self::Rejected,
            _ => Self::Good,
        }
    }

    /// The same faults now and then: one every five seconds at the demo's own pace. Faults of
    /// shipping fall on orders that are not stuck behind the poisoned one.
    const fn in_live(order: u64) -> Self {
        match order % CYCLE {
            227 | 35 | 116 => Self::TextAmount,
            2 | 140 => Self::Cancelled,
            10 | 100 | 190 => Self::Rejected,
            18 => Self::Slow,
            27 => Self::PaidTwice,
            45 => Self::LatePayment,
            56 => Self::Noted(Note::Personal),
            68 => Self::Unshipped,
            81 => Self::Swapped,
            92 => Self::Skewed,
            108 => Self::Untold,
            125 => Self::Abandoned,
            150 => Self::Noted(Note::Terminal),
            162 => Self::DeadLetter,
            173 => Self::Mailed,
            183 => Self::ShippedUnpaid,
            200 => Self::Retried,
            214 => Self::Noted(Note::Ticket),
            _ => Self::Good,
        }
    }

    /// Its payment goes into the dead letters, too.
    pub(super) const fn is_buried(self) -> bool {
        matches!(self, Self::DeadLetter | Self::Parked)
    }

    const fn is_rejected(self) -> bool {
        matches!(self, Self::Rejected | Self::RejectedAndDeleted)
    }

    const fn is_declined(self) -> bool {
        matches!(
            self,
            Self::Cancelled | Self::Abandoned | Self::ShippedUnpaid
        )
    }

    const fn is_shipped(self, order: u64) -> bool {
        let blocked = order > POISONED && order % 3 == POISONED % 3;
        let ended = matches!(
            self,
            Self::Rejected
                | Self::RejectedAndDeleted
                | Self::Cancelled
                | Self::Abandoned
                | Self::Unshipped
                | Self::Poisoned
        );
        !blocked && !ended
    }
}

/// What a step adds to its topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A plain record.
    Record(Event),
    /// A record alone in a transaction that is committed.
    Committed(Event),
    /// A record alone in a transaction that is aborted.
    Aborted(Event),
    /// The payment again, among the dead letters.
    DeadLetter { payment: Event, parked: bool },
    /// A notification that is never sent but counted.
    Lost,
}

/// One step: so long after the order was placed, maybe something happens.
pub(super) struct Step {
    /// Milliseconds.
    pub(super) delay: i64,
    /// `None` when this order does not take the step.
    make: fn(&Order) -> Option<Outcome>,
}

/// An order that takes its steps.
pub(super) struct Order {
    number: u64,
    fate: Fate,
    placed: Timestamp,
}

impl Step {
    /// What the step does to this order.
    pub(super) fn take(&self, number: u64, placed: Timestamp) -> Option<Outcome> {
        (self.make)(&Order {
            number,
            fate: Fate::of(number),
            placed,
        })
    }
}

const SLOWER: i64 = 15_000;

/// All steps that there are, in the order of their delays.
pub(super) const STEPS: &[Step] = &[
    step(0, |o| Some(o.placed())),
    step(50, |o| o.delta(50, Delta::Placed)),
    step(200, |o| Some(o.validated())),
    step(250, |o| {
        o.fate_is_not(Fate::Swapped)?.delta(250, o.checked())
    }),
    step(600, |o| o.fate_is(Fate::Retried)?.first_try()),
    step(700, |o| o.payment().map(Outcome::Committed)),
    // The two versions keep their event times; only the order of appending is wrong.
    step(740, |o| o.fate_is(Fate::Swapped)?.delta(750, o.paid()?)),
    step(750, |o| o.fate_is_not(Fate::Swapped)?.delta(750, o.paid()?)),
    step(760, |o| o.fate_is(Fate::Swapped)?.delta(250, o.checked())),
    step(1000, |o| {
        o.fate.is_rejected().then(|| o.told(1000, Kind::Invalid))
    }),
    step(1500, |o| {
        Some(o.fate_is(Fate::Cancelled)?.record(1500, Kind::Cancelled))
    }),
    step(1550, |o| {
        o.fate_is(Fate::Cancelled)?.delta(1550, Delta::Cancelled)
    }),
    step(2000, |o| {
        Some(o.fate_is(Fate::Cancelled)?.told(2000, Kind::Cancelled))
    }),
    step(3000, |o| o.fate_is(Fate::DeadLetter)?.dead_letter(false)),
    step(5000, |o| Some(o.on_time()?.record(5000, Kind::Shipped))),
    step(5050, |o| o.on_time()?.delta(5050, Delta::Shipped)),
    step(6000, |o| Some(o.on_time()?.told(6000, Kind::Shipped))),
    step(8700, |o| o.fate_is(Fate::PaidTwice)?.paid_again()),
    step(9000, |o| o.fate_is(Fate::Parked)?.dead_letter(true)),
    step(13_000, |o| o.fate_is(Fate::PaidTwice)?.shipped_again()),
    step(5000 + SLOWER, |o| {
        Some(o.slow()?.record(5000 + SLOWER, Kind::Shipped))
    }),
    step(5050 + SLOWER, |o| {
        o.slow()?.delta(5050 + SLOWER, Delta::Shipped)
    }),
    step(6000 + SLOWER, |o| {
        Some(o.slow()?.told(6000 + SLOWER, Kind::Shipped))
    }),
    step(30_000, |o| {
        Some(
            o.fate_is(Fate::RejectedAndDeleted)?
                .record(30_000, Kind::Tombstone),
        )
    }),
];

const fn step(delay: i64, make: fn(&Order) -> Option<Outcome>) -> Step {
    Step { delay, make }
}

impl Order {
    fn fate_is(&self, fate: Fate) -> Option<&Self> {
        (self.fate == fate).then_some(self)
    }

    fn fate_is_not(&self, fate: Fate) -> Option<&Self> {
        (self.fate != fate).then_some(self)
    }

    /// The order, when it is shipped and no slower than others.
    fn on_time(&self) -> Option<&Self> {
        (self.fate.is_shipped(self.number) && self.fate != Fate::Slow).then_some(self)
    }

    fn slow(&self) -> Option<&Self> {
        (self.fate.is_shipped(self.number) && self.fate == Fate::Slow).then_some(self)
    }

    fn event(&self, after: i64, kind: Kind) -> Event {
        Event::new(self.number, kind, Timestamp(self.placed.0 + after))
    }

    fn record(&self, after: i64, kind: Kind) -> Outcome {
        Outcome::Record(self.event(after, kind))
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "the table of steps reads better without wrapping there"
    )]
    fn delta(&self, after: i64, delta: Delta) -> Option<Outcome> {
        Some(self.record(after, Kind::Delta(delta)))
    }

    fn placed(&self) -> Outcome {
        let mut event = self.event(0, Kind::Placed);
        match self.fate {
            Fate::TextAmount => event.producer = Producer::CheckoutB,
            Fate::Noted(note) => event.note = Some(note),
            _ => {}
        }
        Outcome::Record(event)
    }

    fn validated(&self) -> Outcome {
        let kind = if self.fate.is_rejected() {
            Kind::Invalid
        } else {
            Kind::Validated
        };
        self.record(200, kind)
    }

    /// What validation does to the order's state.
    fn checked(&self) -> Delta {
        if self.fate.is_rejected() {
            Delta::Rejected
        } else {
            Delta::Validated
        }
    }

    /// What the payment does to the order's state; nothing when there is none that can be read.
    fn paid(&self) -> Option<Delta> {
        if self.fate.is_rejected() || self.fate == Fate::Poisoned {
            None
        } else if self.fate.is_declined() {
            Some(Delta::PaymentFailed)
        } else {
            Some(Delta::Paid)
        }
    }

    fn payment(&self) -> Option<Event> {
        if self.fate.is_rejected() {
            return None;
        }
        let kind = if self.fate.is_declined() {
            Kind::PaymentFailed
        } else {
            Kind::PaymentSucceeded
        };
        let mut event = self.event(700, kind);
        if self.fate == Fate::LatePayment {
            event.time.0 -= 45_000;
        }
        event.cut = self.fate == Fate::Poisoned;
        Some(event)
    }

    #[expect(clippy::unnecessary_wraps, reason = "see `delta`")]
    fn first_try(&self) -> Option<Outcome> {
        Some(Outcome::Aborted(self.event(600, Kind::PaymentSucceeded)))
    }

    /// The same id and time, by another service.
    fn paid_again(&self) -> Option<Outcome> {
        let mut event = self.payment()?;
        event.producer = Producer::PayB;
        Some(Outcome::Committed(event))
    }

    fn shipped_again(&self) -> Option<Outcome> {
        self.on_time()?;
        let mut event = self.event(13_000, Kind::Shipped);
        event.second = true;
        Some(Outcome::Record(event))
    }

    fn dead_letter(&self, parked: bool) -> Option<Outcome> {
        Some(Outcome::DeadLetter {
            payment: self.payment()?,
            parked,
        })
    }

    /// The customer is told, because of this.
    fn told(&self, after: i64, cause: Kind) -> Outcome {
        if self.fate == Fate::Untold {
            return Outcome::Lost;
        }
        let mut event = self.event(after, Kind::Notified);
        event.cause = Some(cause);
        match self.fate {
            Fate::Skewed => event.time.0 -= 2500,
            Fate::Mailed => event.note = Some(Note::Mail),
            _ => {}
        }
        Outcome::Record(event)
    }
}

/// When an order of the history was placed.
pub(super) const fn placed_in_history(order: u64) -> Timestamp {
    match order {
        459 => Timestamp(NOW.0 - 3000),
        460 => Timestamp(NOW.0 - 2000),
        _ => Timestamp(BEGIN.0 + (order - FIRST_ORDER).cast_signed() * 1000),
    }
}
