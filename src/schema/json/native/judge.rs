//! Holds the parts of a text against rules.

use std::cell::Cell;

use super::super::tape::{Kind, Part, Tape};
use super::decimal::{Decimal, is_integer};
use super::{
    ANYTHING, Choice, Condition, Group, HowMany, NOTHING, Name, Numbers, Objects, Program, Rule,
    RuleId, Scalar, Types, Verdict,
};

/// Rules that are held against any event, however small.
const LEAST_WORK: u32 = 4096;
/// Rules for each part of an event; beyond them the library, which remembers, is better.
const WORK_A_PART: u32 = 16;

impl Program {
    pub fn judge(&self, text: &str, tape: &Tape) -> Verdict {
        let parts = tape.parts();
        let work = LEAST_WORK.max((parts.len() as u32).saturating_mul(WORK_A_PART));
        let judge = Judge {
            program: self,
            text: text.as_bytes(),
            parts,
            escapes: tape.has_escapes(),
            work: Cell::new(work),
        };
        match parts.first() {
            Some(root) => judge.value(self.root, 0, *root, false),
            None => Verdict::Unsure,
        }
    }
}

/// A member that was looked for, with its value; the error is why it is not known.
type Found = Result<Option<(u32, Part)>, Verdict>;

struct Judge<'a> {
    program: &'a Program,
    text: &'a [u8],
    parts: &'a [Part],
    /// False when surely nothing is escaped.
    escapes: bool,
    work: Cell<u32>,
}

// In all that follows `exact` means that invalid must be as sure as valid, because something is
// decided by it: a name that comes twice makes it unsure then.

impl<'a> Judge<'a> {
    /// Most values are judged by their type alone, here; the others in [`Judge::rule`].
    #[inline]
    fn value(&self, rule: RuleId, at: u32, part: Part, exact: bool) -> Verdict {
        if rule == ANYTHING {
            return Verdict::Valid;
        }
        let Some(rule) = self.program.rules.get(rule as usize) else {
            return Verdict::Unsure;
        };
        if rule.is_simple && rule.types.has(Types::of(part.kind())) {
            return Verdict::Valid;
        }
        self.rule(rule, at, part, exact)
    }

    fn rule(&self, rule: &Rule, at: u32, part: Part, exact: bool) -> Verdict {
        let left = self.work.get();
        if left == 0 {
            return Verdict::Unsure;
        }
        self.work.set(left - 1);
        let own = self.own(rule, at, part, exact);
        if own != Verdict::Valid || rule.is_alone {
            return own;
        }
        self.others(rule, at, part, exact)
    }

    /// What the rule itself demands.
    #[inline]
    fn own(&self, rule: &Rule, at: u32, part: Part, exact: bool) -> Verdict {
        if let Some(values) = &rule.values {
            let found = self.is_one_of(values, part);
            if found != Verdict::Valid {
                return found;
            }
        }
        let kind = part.kind();
        if kind == Kind::Number {
            return self.number(rule, part);
        }
        if !rule.types.has(Types::of(kind)) {
            return Verdict::Invalid;
        }
        match (kind, &rule.objects) {
            (Kind::Object, Some(objects)) => self.object(objects, at, part, exact),
            (Kind::Array, _) => self.array(rule, at, part, exact),
            (Kind::String, _) => self.string(rule, part),
            _ => Verdict::Valid,
        }
    }

    /// What holds because of other rules.
    fn others(&self, rule: &Rule, at: u32, part: Part, exact: bool) -> Verdict {
        for also in &rule.also {
            let found = self.value(*also, at, part, exact);
            if found != Verdict::Valid {
                return found;
            }
        }
        for group in &rule.groups {
            let found = self.group(group, at, part, exact);
            if found != Verdict::Valid {
                return found;
            }
        }
        self.choices(&rule.choices, at, part, exact)
    }

    fn group(&self, group: &Group, at: u32, part: Part, exact: bool) -> Verdict {
        let exact = exact || group.how_many != HowMany::Any;
        let mut valid = 0;
        for rule in &group.rules {
            match self.value(*rule, at, part, exact) {
                Verdict::Unsure => return Verdict::Unsure,
                Verdict::Valid if group.how_many == HowMany::Any => return Verdict::Valid,
                Verdict::Valid => valid += 1,
                Verdict::Invalid => {}
            }
        }
        verdict(match group.how_many {
            HowMany::Any => false,
            HowMany::One => valid == 1,
            HowMany::None => valid == 0,
        })
    }

    fn choices(&self, choices: &[Choice], at: u32, part: Part, exact: bool) -> Verdict {
        // Choices come in rows by one member: it is looked for once.
        let mut last: Option<(&Name, Found)> = None;
        for choice in choices {
            let holds = match &choice.condition {
                Condition::Rule(rule) => self.value(*rule, at, part, true),
                Condition::Member { .. } if part.kind() != Kind::Object => Verdict::Valid,
                Condition::Member { name, rule, absent } => {
                    let found = match last {
                        Some((known, found)) if known.text == name.text => found,
                        _ => self.member(name, at, part),
                    };
                    last = Some((name, found));
                    match found {
                        Ok(Some((at, part))) => self.value(*rule, at, part, true),
                        Ok(None) => verdict(*absent),
                        Err(unsure) => unsure,
                    }
                }
            };
            let next = match holds {
                Verdict::Valid => choice.then,
                Verdict::Invalid => choice.otherwise,
                Verdict::Unsure => return Verdict::Unsure,
            };
            let found = self.value(next, at, part, exact);
            if found != Verdict::Valid {
                return found;
            }
        }
        Verdict::Valid
    }

    /// Where the value of a member is. Unsure when there are two, or one with escapes.
    fn member(&self, wanted: &Name, at: u32, object: Part) -> Found {
        let mut found = None;
        let mut next = at + 1;
        while next < object.next {
            let (name, head, value) = self.pair(next).ok_or(Verdict::Unsure)?;
            if wanted.is(name, head) {
                if found.is_some() {
                    return Err(Verdict::Unsure);
                }
                found = Some((next + 1, value));
            } else if self.is_escaped(name) {
                return Err(Verdict::Unsure);
            }
            next = value.next;
        }
        Ok(found)
    }

    /// The name there, its head, and the part after it.
    #[inline]
    fn pair(&self, at: u32) -> Option<(&'a [u8], u64, Part)> {
        let [name, value] = self.parts.get(at as usize..)?.first_chunk::<2>()?;
        let from = self.text.get(name.start as usize..)?;
        let bytes = from.get(..(name.end - name.start) as usize)?;
        let head = match from.first_chunk::<8>() {
            Some(chunk) => u64::from_le_bytes(*chunk),
            None => bytes
                .iter()
                .rev()
                .fold(0, |head, byte| head << 8 | u64::from(*byte)),
        };
        let head = match bytes.len() {
            8.. => head,
            fewer => head & ((1 << (8 * fewer)) - 1),
        };
        Some((bytes, head, *value))
    }

    /// Whether the name of a member is among those that follow.
    fn comes_again(&self, name: &[u8], mut next: u32, end: u32) -> bool {
        while next < end {
            match self.pair(next) {
                Some((other, _, value)) if other != name && !self.is_escaped(other) => {
                    next = value.next;
                }
                _ => return true,
            }
        }
        false
    }

    fn object(&self, objects: &Objects, at: u32, object: Part, exact: bool) -> Verdict {
        let (mut seen, mut expected, mut others) = (0u64, 0, 0);
        let mut next = at + 1;
        while next < object.next {
            let Some((name, head, value)) = self.pair(next) else {
                return Verdict::Unsure;
            };
            let rule = match objects.find(name, head, expected) {
                Some((index, rule)) => {
                    let bit = 1 << index;
                    if exact && seen & bit != 0 {
                        return Verdict::Unsure;
                    }
                    seen |= bit;
                    expected = index + 1;
                    rule
                }
                None if self.is_escaped(name) => return Verdict::Unsure,
                None => {
                    others += 1;
                    objects.additional
                }
            };
            let found = self.value(rule, next + 1, value, exact);
            if found != Verdict::Valid {
                let again = exact && self.comes_again(name, value.next, object.next);
                return if again { Verdict::Unsure } else { found };
            }
            next = value.next;
        }
        // Whether a name that no rule has comes twice is not noticed above.
        if exact && others > 1 && objects.additional > NOTHING {
            return Verdict::Unsure;
        }
        verdict(seen & objects.required == objects.required)
    }

    fn array(&self, rule: &Rule, at: u32, array: Part, exact: bool) -> Verdict {
        let Some(arrays) = rule.arrays else {
            return Verdict::Valid;
        };
        let count = u64::from(array.count());
        if count < arrays.least || count > arrays.most {
            return Verdict::Invalid;
        }
        if arrays.items == ANYTHING {
            return Verdict::Valid;
        }
        let mut next = at + 1;
        while next < array.next {
            let Some(item) = self.parts.get(next as usize) else {
                return Verdict::Unsure;
            };
            let found = self.value(arrays.items, next, *item, exact);
            if found != Verdict::Valid {
                return found;
            }
            next = item.next;
        }
        Verdict::Valid
    }

    #[inline]
    fn string(&self, rule: &Rule, part: Part) -> Verdict {
        let Some((least, most)) = rule.lengths else {
            return Verdict::Valid;
        };
        let inside = self.inside(part);
        if self.is_escaped(inside) {
            return Verdict::Unsure;
        }
        let length = characters(inside);
        verdict(length >= least && length <= most)
    }

    #[inline]
    fn number(&self, rule: &Rule, part: Part) -> Verdict {
        let text = part.bytes(self.text);
        if !rule.types.has(Types::NUMBER) {
            if !rule.types.has(Types::INTEGER) {
                return Verdict::Invalid;
            }
            match is_integer(text) {
                Some(true) => {}
                Some(false) => return Verdict::Invalid,
                None => return Verdict::Unsure,
            }
        }
        match &rule.numbers {
            None => Verdict::Valid,
            Some(numbers) => match Decimal::parse(text) {
                Some(number) => verdict(numbers.allow(number)),
                None => Verdict::Unsure,
            },
        }
    }

    #[inline]
    fn is_escaped(&self, inside: &[u8]) -> bool {
        self.escapes && memchr::memchr(b'\\', inside).is_some()
    }

    /// What a string has between its quotes.
    #[inline]
    fn inside(&self, part: Part) -> &'a [u8] {
        let quoted = part.bytes(self.text);
        quoted
            .get(1..quoted.len().saturating_sub(1))
            .unwrap_or_default()
    }

    fn is_one_of(&self, values: &[Scalar], part: Part) -> Verdict {
        match part.kind() {
            Kind::String => {
                let inside = self.inside(part);
                if self.is_escaped(inside) {
                    return Verdict::Unsure;
                }
                let mut values = values.iter();
                verdict(
                    values.any(
                        |value| matches!(value, Scalar::Text(text) if text.as_bytes() == inside),
                    ),
                )
            }
            Kind::Number => {
                let numbers = || {
                    values.iter().filter_map(|value| match value {
                        Scalar::Number(number) => Some(number),
                        _ => None,
                    })
                };
                if numbers().next().is_none() {
                    return Verdict::Invalid;
                }
                match Decimal::parse(part.bytes(self.text)) {
                    Some(number) => verdict(numbers().any(|known| *known == number)),
                    None => Verdict::Unsure,
                }
            }
            Kind::Null => verdict(values.iter().any(|value| matches!(value, Scalar::Null))),
            kind @ (Kind::True | Kind::False) => verdict(values.iter().any(
                |value| matches!(value, Scalar::Boolean(known) if *known == (kind == Kind::True)),
            )),
            Kind::Array | Kind::Object | Kind::Name => Verdict::Invalid,
        }
    }
}

impl Objects {
    /// The index and the rule of a member; those after the one seen last are tried first, because
    /// events of a kind have their members in one order.
    #[inline]
    fn find(&self, name: &[u8], head: u64, expected: usize) -> Option<(usize, RuleId)> {
        let (before, after) = self.members.split_at_checked(expected)?;
        for (index, member) in after.iter().enumerate() {
            if member.name.is(name, head) {
                return Some((expected + index, member.rule));
            }
        }
        let mut before = before.iter().enumerate();
        let found = before.find(|(_, member)| member.name.is(name, head))?;
        Some((found.0, found.1.rule))
    }
}

impl Numbers {
    fn allow(&self, number: Decimal) -> bool {
        let above =
            |(bound, itself): &(Decimal, bool)| number > *bound || *itself && number == *bound;
        let below =
            |(bound, itself): &(Decimal, bool)| number < *bound || *itself && number == *bound;
        self.least.iter().all(above) && self.most.iter().all(below)
    }
}

const fn verdict(valid: bool) -> Verdict {
    if valid {
        Verdict::Valid
    } else {
        Verdict::Invalid
    }
}

impl Name {
    #[inline]
    fn is(&self, name: &[u8], head: u64) -> bool {
        self.head == head
            && self.text.len() == name.len()
            && self.text.as_bytes().get(8..) == name.get(8..)
    }
}

fn characters(text: &[u8]) -> u64 {
    // Every byte but those that go on with a character.
    text.iter().filter(|byte| **byte & 0xc0 != 0x80).count() as u64
}
