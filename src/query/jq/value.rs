//! The value that jq programs work on: jaq's own, with bounds on its size carried along, so that
//! no program builds one that overflows the stack when it is dropped, or the memory. Every result
//! is the one that jaq gives. Arithmetic, updates and the named functions are elsewhere.

use std::sync::Arc;

use jaq_core::path::Opt;
use jaq_core::val::Range;
use jaq_core::{Error, ValR, ValX};
use jaq_json::{Map, Num, Val};

use super::limits::{self, MAX_DEPTH, Stop};
use super::size::{MEASURED, NODE, Size};
use super::update;

/// A jq value.
#[derive(Debug, Clone)]
pub(crate) struct Value {
    pub(super) val: Val,
    pub(super) size: Size,
}

pub(super) type Result<T> = std::result::Result<T, Error<Value>>;

/// Carries an error over from jaq's own values.
pub(super) fn lift(error: Error<Val>) -> Error<Value> {
    Error::new(Value::leaf(error.into_val()))
}

/// The error that stands for a stopped run until the next tick ends it for good.
pub(super) fn halted(_: Stop) -> Error<Value> {
    Error::new(Value::null())
}

pub(super) fn unshare<T: Clone>(shared: Arc<T>) -> T {
    Arc::try_unwrap(shared).unwrap_or_else(|shared| (*shared).clone())
}

impl Value {
    pub(crate) fn null() -> Self {
        Self {
            val: Val::Null,
            size: Size::EMPTY,
        }
    }

    /// What was read from `text` bytes of JSON, no deeper than [`MAX_DEPTH`].
    pub(crate) fn read(val: Val, text: usize) -> Self {
        // A node takes at least two bytes of text, `1,`.
        let weight = text.saturating_add(1).saturating_mul(NODE as usize / 2 + 2);
        let size = Size {
            depth: MAX_DEPTH / 2 + 2,
            weight: u32::try_from(weight).unwrap_or(u32::MAX),
        };
        Self::sized(val, size)
    }

    /// A value whose size is looked at: a string, a number, or something rare.
    pub(crate) fn leaf(val: Val) -> Self {
        let size = match val {
            Val::Arr(_) | Val::Obj(_) => Size::measure(&val),
            _ => Size::leaf(&val),
        };
        Self::sized(val, size)
    }

    fn sized(val: Val, size: Size) -> Self {
        match val {
            Val::Arr(_) | Val::Obj(_) => Self { val, size },
            _ => Self {
                size: Size::leaf(&val),
                val,
            },
        }
    }

    /// A value that was just made, of a size that may be too much.
    pub(super) fn made(val: Val, mut size: Size) -> Self {
        if !size.fits() {
            size = Size::measure(&val);
            if size.depth > MAX_DEPTH {
                limits::stop(Stop::Depth);
            } else if !size.fits() {
                limits::stop(Stop::Memory);
            }
        }
        Self { val, size }
    }

    /// The size of what is taken out of a container of this size.
    pub(super) fn inner(container: Size, val: Val) -> Self {
        let size = if container.weight > MEASURED {
            Size::measure(&val)
        } else {
            Size {
                depth: container.depth.saturating_sub(1),
                weight: container.weight,
            }
        };
        Self::sized(val, size)
    }

    pub(crate) fn val(&self) -> &Val {
        &self.val
    }

    pub(crate) fn weight(&self) -> u32 {
        self.size.weight
    }

    /// The element at an index, where there is one: what `has` asks for.
    pub(crate) fn index_opt(self, index: &Self) -> Result<Option<Self>> {
        let found = match (&self.val, &index.val) {
            (Val::Null, _) => None,
            (Val::Obj(fields), key) => fields.get(key).cloned(),
            (Val::Arr(items), Val::Num(at @ (Num::Int(_) | Num::BigInt(_)))) => {
                wrap(at, items.len()).and_then(|at| items.get(at).cloned())
            }
            // Byte strings, slices by object and searches by array: as jaq does it.
            (Val::BStr(_), Val::Num(_)) | (_, Val::Obj(_)) | (Val::Arr(_), Val::Arr(_)) => {
                let found = jaq_core::ValT::index(self.val.clone(), &index.val).map_err(lift)?;
                (!matches!(found, Val::Null)).then_some(found)
            }
            _ => return Err(Error::index(self, index.clone())),
        };
        Ok(found.map(|val| {
            let size = Size {
                depth: self.size.depth.saturating_sub(1),
                weight: self.size.weight,
            };
            Self::sized(val, size)
        }))
    }
}

/// An index counted from the start, whatever end it was given from.
pub(super) fn wrap(at: &Num, len: usize) -> Option<usize> {
    let at = at.as_isize()?;
    match usize::try_from(at) {
        Ok(at) => Some(at),
        Err(_) => len.checked_sub(at.unsigned_abs()),
    }
}

impl jaq_core::ValT for Value {
    fn from_num(n: &str) -> ValR<Self> {
        Val::from_num(n).map(Self::leaf).map_err(lift)
    }

    fn from_map<I: IntoIterator<Item = (Self, Self)>>(iter: I) -> ValR<Self> {
        let mut fields = Map::default();
        let mut size = Size::EMPTY;
        for (key, value) in iter {
            size = size.and(key.size.wrapped()).and(value.size.wrapped());
            fields.insert(key.val, value.val);
        }
        limits::spend(NODE).map_err(halted)?;
        Ok(Self::made(Val::obj(fields), size))
    }

    fn key_values(self) -> Box<dyn Iterator<Item = ValR<(Self, Self), Self>>> {
        if let Err(stop) = limits::spend(NODE) {
            return Box::new(std::iter::once(Err(halted(stop))));
        }
        let size = self.size;
        let pair = move |pair: std::result::Result<(Val, Val), _>| {
            let (key, value) = pair.map_err(lift)?;
            Ok((Self::inner(size, key), Self::inner(size, value)))
        };
        Box::new(self.val.key_values().map(pair))
    }

    fn values(self) -> Box<dyn Iterator<Item = ValR<Self>>> {
        if let Err(stop) = limits::spend(NODE) {
            return Box::new(std::iter::once(Err(halted(stop))));
        }
        let size = self.size;
        let values = jaq_core::ValT::values(self.val);
        Box::new(values.map(move |v| v.map(|v| Self::inner(size, v)).map_err(lift)))
    }

    fn index(self, index: &Self) -> ValR<Self> {
        Ok(self.index_opt(index)?.unwrap_or_else(Self::null))
    }

    fn range(self, range: Range<&Self>) -> ValR<Self> {
        let range = range.start.map(|v| &v.val)..range.end.map(|v| &v.val);
        let size = self.size;
        let val = jaq_core::ValT::range(self.val, range).map_err(lift)?;
        Ok(Self::sized(val, size))
    }

    fn map_values<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        update::values(self, opt, f)
    }

    fn map_index<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        index: &Self,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        update::index(self, index, opt, f)
    }

    fn map_range<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        range: Range<&Self>,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        update::range(self, range, opt, f)
    }

    fn as_bool(&self) -> bool {
        self.val.as_bool()
    }

    fn into_string(self) -> Self {
        if limits::string(self.size.weight as usize).is_err() {
            return Self::null();
        }
        Self::leaf(self.val.into_string())
    }
}

impl jaq_std::ValT for Value {
    fn into_seq<S: FromIterator<Self>>(self) -> std::result::Result<S, Self> {
        let size = self.size;
        match self.val {
            Val::Arr(items) => Ok(unshare(items)
                .into_iter()
                .map(|item| Self::inner(size, item))
                .collect()),
            val => Err(Self { val, size }),
        }
    }

    fn is_int(&self) -> bool {
        self.val.is_int()
    }

    fn as_isize(&self) -> Option<isize> {
        self.val.as_isize()
    }

    fn as_f64(&self) -> Option<f64> {
        self.val.as_f64()
    }

    fn is_utf8_str(&self) -> bool {
        self.val.is_utf8_str()
    }

    fn as_bytes(&self) -> Option<&[u8]> {
        self.val.as_bytes()
    }

    fn as_sub_str(&self, sub: &[u8]) -> Self {
        Self::leaf(self.val.as_sub_str(sub))
    }

    fn from_utf8_bytes(b: impl AsRef<[u8]> + Send + 'static) -> Self {
        Self::leaf(Val::from_utf8_bytes(b))
    }
}

impl FromIterator<Self> for Value {
    fn from_iter<T: IntoIterator<Item = Self>>(iter: T) -> Self {
        let mut items = Vec::new();
        let mut size = Size::EMPTY;
        let mut exact = Size::EMPTY;
        let mut measured = 0;
        for item in iter {
            size = size.and(item.size.wrapped());
            items.push(item.val);
            if !size.fits() {
                // The bounds may be far off: look, once at each item.
                for item in &items[measured..] {
                    exact = exact.and(Size::measure(item).wrapped());
                }
                size = exact;
                measured = items.len();
                if size.depth > MAX_DEPTH {
                    limits::stop(Stop::Depth);
                } else if !size.fits() {
                    limits::stop(Stop::Memory);
                }
            }
            if limits::spend(NODE).is_err() {
                break;
            }
        }
        Self {
            val: items.into_iter().collect(),
            size,
        }
    }
}
