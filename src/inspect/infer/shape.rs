//! What the values of one type of event look like: a tree of places, each with the types that were
//! seen there, and how two trees are put together.

use std::collections::BTreeMap;

use super::formats::Formats;

/// Members of one object that are told apart; those beyond share one place.
const MEMBERS: usize = 256;
/// Bytes of a member's name.
const NAME_BYTES: usize = 256;

/// The types of JSON that have no inside; a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Scalars(pub(super) u8);

impl Scalars {
    pub(super) const NULL: u8 = 1;
    pub(super) const BOOLEAN: u8 = 2;
    pub(super) const INTEGER: u8 = 4;
    /// A number with a fraction or an exponent.
    pub(super) const NUMBER: u8 = 8;
    pub(super) const STRING: u8 = 16;

    pub(super) const fn has(self, one: u8) -> bool {
        self.0 & one != 0
    }
}

/// A member of objects.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    pub(super) place: usize,
    /// Objects that have it.
    pub(super) count: u64,
    /// The last of them, by its number: a name that comes twice in one object counts once.
    last: u64,
}

/// The values of one place.
#[derive(Debug, Clone, Default)]
pub(super) struct Shape {
    pub(super) scalars: Scalars,
    /// Those that all strings have.
    pub(super) formats: Formats,
    /// There are values that nothing is known of.
    pub(super) anything: bool,
    pub(super) is_array: bool,
    /// The place of the elements.
    pub(super) items: Option<usize>,
    /// Objects that were seen.
    pub(super) objects: u64,
    pub(super) members: BTreeMap<Box<str>, Member>,
    /// The place of all members that have none of their own.
    pub(super) rest: Option<usize>,
    /// There are members that have no place at all.
    pub(super) unlisted: bool,
}

/// All places; the first is the whole value.
#[derive(Debug, Clone, Default)]
pub(super) struct Shapes {
    all: Vec<Shape>,
    lost: u64,
}

impl Shapes {
    pub(super) const fn len(&self) -> usize {
        self.all.len()
    }

    /// Values that found no place.
    pub(super) const fn lost(&self) -> u64 {
        self.lost
    }

    pub(super) const fn lose(&mut self) {
        self.lost += 1;
    }

    pub(super) fn get(&self, place: usize) -> Option<&Shape> {
        self.all.get(place)
    }

    pub(super) fn get_mut(&mut self, place: usize) -> Option<&mut Shape> {
        self.all.get_mut(place)
    }

    pub(super) fn add(&mut self, room: usize) -> Option<usize> {
        if self.all.len() >= room {
            return None;
        }
        self.all.push(Shape::default());
        Some(self.all.len() - 1)
    }

    /// The place of the whole value.
    pub(super) fn root(&mut self, room: usize) -> Option<usize> {
        if self.all.is_empty() {
            return self.add(room);
        }
        Some(0)
    }

    /// The place of the elements of arrays; without room for one, arrays hold anything.
    pub(super) fn items(&mut self, of: usize, room: usize) -> Option<usize> {
        if let Some(items) = self.get(of)?.items {
            return Some(items);
        }
        let items = self.add(room);
        let shape = self.get_mut(of)?;
        shape.items = items;
        shape.anything |= items.is_none();
        items
    }

    /// The place of a member of the object that was seen last.
    pub(super) fn member(&mut self, of: usize, name: &str, room: usize) -> Option<usize> {
        let shape = self.get_mut(of)?;
        let object = shape.objects;
        if let Some(member) = shape.members.get_mut(name) {
            member.count += u64::from(member.last != object);
            member.last = object;
            return Some(member.place);
        }
        self.new_member(of, name, 1, room)
    }

    /// A member that is not listed yet, which `count` objects have.
    fn new_member(&mut self, of: usize, name: &str, count: u64, room: usize) -> Option<usize> {
        let shape = self.get(of)?;
        let last = shape.objects;
        if shape.members.len() < MEMBERS
            && name.len() <= NAME_BYTES
            && let Some(place) = self.add(room)
        {
            let member = Member { place, count, last };
            self.get_mut(of)?.members.insert(name.into(), member);
            return Some(place);
        }
        let shape = self.get(of)?;
        if shape.unlisted || shape.rest.is_some() {
            return shape.rest;
        }
        let rest = self.add(room);
        let shape = self.get_mut(of)?;
        shape.rest = rest;
        shape.unlisted = rest.is_none();
        rest
    }

    /// Takes over what another tree knows; what one of the two takes, the sum takes.
    pub(super) fn merge(&mut self, other: &Self, room: usize) {
        self.lost += other.lost;
        if !other.all.is_empty()
            && let Some(root) = self.root(room)
        {
            self.absorb(root, other, 0, room);
        }
    }

    /// Takes over one place of another tree. Recurses as deep as the tree is, which is bounded.
    pub(super) fn absorb(&mut self, into: usize, other: &Self, from: usize, room: usize) {
        let (Some(theirs), Some(ours)) = (other.get(from), self.get_mut(into)) else {
            return;
        };
        let strings = (
            ours.scalars.has(Scalars::STRING),
            theirs.scalars.has(Scalars::STRING),
        );
        ours.formats = match strings {
            (true, true) => ours.formats.and(theirs.formats),
            (false, _) => theirs.formats,
            (true, false) => ours.formats,
        };
        ours.scalars.0 |= theirs.scalars.0;
        ours.anything |= theirs.anything;
        ours.is_array |= theirs.is_array;
        if let Some(items) = theirs.items
            && let Some(place) = self.items(into, room)
        {
            self.absorb(place, other, items, room);
        }
        if theirs.objects > 0 {
            self.absorb_members(into, other, theirs, room);
        }
    }

    fn absorb_members(&mut self, into: usize, other: &Self, theirs: &Shape, room: usize) {
        let Some(ours) = self.get_mut(into) else {
            return;
        };
        let (had_rest, had_unlisted) = (ours.rest.is_some(), ours.unlisted);
        ours.objects += theirs.objects;
        // What is listed here may be among those that have no place of their own there.
        let here: Vec<(Box<str>, usize)> = ours
            .members
            .iter()
            .filter(|(name, _)| !theirs.members.contains_key(&**name))
            .map(|(name, member)| (name.clone(), member.place))
            .collect();
        for (_, place) in here {
            if theirs.unlisted {
                self.forget(place);
            } else if let Some(rest) = theirs.rest {
                self.absorb(place, other, rest, room);
            }
        }
        for (name, member) in &theirs.members {
            let listed = self.get(into).and_then(|s| s.members.get(name).copied());
            let place = match listed {
                Some(own) => {
                    self.count_more(into, name, member.count);
                    Some(own.place)
                }
                // The same the other way round.
                None if had_unlisted => None,
                None if had_rest => self.get(into).and_then(|s| s.rest),
                None => self.new_member(into, name, member.count, room),
            };
            if let Some(place) = place {
                self.absorb(place, other, member.place, room);
            }
        }
        self.absorb_rest(into, other, theirs, room);
    }

    fn absorb_rest(&mut self, into: usize, other: &Self, theirs: &Shape, room: usize) {
        if let Some(rest) = theirs.rest {
            let own = self.get(into).and_then(|s| s.rest);
            match own.or_else(|| self.add(room)) {
                Some(place) => {
                    if let Some(ours) = self.get_mut(into) {
                        ours.rest = Some(place);
                    }
                    self.absorb(place, other, rest, room);
                }
                None => self.unlist(into),
            }
        }
        if theirs.unlisted || self.get(into).is_some_and(|s| s.unlisted) {
            self.unlist(into);
        }
    }

    fn count_more(&mut self, of: usize, name: &str, count: u64) {
        let member = self.get_mut(of).and_then(|s| s.members.get_mut(name));
        if let Some(member) = member {
            member.count += count;
        }
    }

    fn unlist(&mut self, of: usize) {
        if let Some(shape) = self.get_mut(of) {
            shape.unlisted = true;
            shape.rest = None;
        }
    }

    fn forget(&mut self, place: usize) {
        if let Some(shape) = self.get_mut(place) {
            shape.anything = true;
        }
    }
}
