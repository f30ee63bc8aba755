//! Bounds on the size of values.

use jaq_json::{Num, Val};
use jaq_std::ValT as _;

use super::limits::{MAX_DEPTH, MAX_WEIGHT};

/// Upper bounds on a value: its levels, and its bytes with shared parts counted each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) depth: u32,
    pub(super) weight: u32,
}

/// What any value weighs, apart from its text and its children.
pub(super) const NODE: u32 = 16;
/// From this weight on, children taken out of a container are measured instead of being taken to
/// be as large as the container.
pub(super) const MEASURED: u32 = 1 << 16;

impl Size {
    pub(super) const EMPTY: Self = Self {
        depth: 0,
        weight: NODE,
    };

    pub(super) fn leaf(val: &Val) -> Self {
        let text = match val {
            Val::TStr(_) | Val::BStr(_) => val.as_bytes().map_or(0, <[u8]>::len),
            Val::Num(Num::Dec(text)) => text.len(),
            Val::Num(Num::BigInt(int)) => int.bits() as usize / 3,
            _ => 0,
        };
        Self {
            depth: 0,
            weight: NODE.saturating_add(u32::try_from(text).unwrap_or(u32::MAX)),
        }
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            depth: self.depth.max(other.depth),
            weight: self.weight.saturating_add(other.weight),
        }
    }

    pub(super) const fn wrapped(self) -> Self {
        Self {
            depth: self.depth.saturating_add(1),
            weight: self.weight,
        }
    }

    pub(super) const fn fits(self) -> bool {
        self.depth <= MAX_DEPTH && self.weight <= MAX_WEIGHT
    }

    /// The exact size, or the first one found that does not fit. Recurses no deeper than that.
    pub(super) fn measure(val: &Val) -> Self {
        fn go(val: &Val, depth: u32, total: &mut Size) {
            total.depth = total.depth.max(depth);
            total.weight = total.weight.saturating_add(match val {
                Val::Arr(_) | Val::Obj(_) => NODE,
                leaf => Size::leaf(leaf).weight,
            });
            if !total.fits() {
                return;
            }
            match val {
                Val::Arr(items) => {
                    for item in items.iter() {
                        go(item, depth + 1, total);
                        if !total.fits() {
                            return;
                        }
                    }
                }
                Val::Obj(fields) => {
                    for (key, item) in fields.iter() {
                        go(key, depth + 1, total);
                        go(item, depth + 1, total);
                        if !total.fits() {
                            return;
                        }
                    }
                }
                _ => {}
            }
        }
        let mut total = Self {
            depth: 0,
            weight: 0,
        };
        go(val, 0, &mut total);
        total
    }
}
