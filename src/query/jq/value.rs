//! The value that jq programs work on: jaq's own, with bounds on its size carried along, so that
//! no program builds one that overflows the stack when it is dropped, or the memory. Every result
//! is the one that jaq gives. Parsing, printing and the named functions are elsewhere.

use std::sync::Arc;

use jaq_core::path::Opt;
use jaq_core::{Error, Exn, ValR, ValX};
use jaq_json::{Map, Num, Val};
use jaq_std::ValT as _;

use super::limits::{self, MAX_DEPTH, MAX_WEIGHT, Stop};

/// Upper bounds on a value: its levels, and its bytes with shared parts counted each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    depth: u32,
    weight: u32,
}

/// What any value weighs, apart from its text and its children.
const NODE: u32 = 16;
/// From this weight on, children taken out of a container are measured instead of being taken to
/// be as large as the container.
const MEASURED: u32 = 1 << 16;

impl Size {
    const EMPTY: Self = Self {
        depth: 0,
        weight: NODE,
    };

    fn leaf(val: &Val) -> Self {
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

    const fn wrapped(self) -> Self {
        Self {
            depth: self.depth.saturating_add(1),
            weight: self.weight,
        }
    }

    const fn fits(self) -> bool {
        self.depth <= MAX_DEPTH && self.weight <= MAX_WEIGHT
    }

    /// The exact size, or the first one found that does not fit. Recurses no deeper than that.
    fn measure(val: &Val) -> Self {
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

fn unshare<T: Clone>(shared: Arc<T>) -> T {
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
    fn inner(container: Size, val: Val) -> Self {
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

    /// Where a range begins in an array or string, and how long it is there.
    fn extent(&self, range: jaq_core::val::Range<&Self>) -> Result<(usize, usize)> {
        let len = |range| {
            let part = jaq_core::ValT::range(self.val.clone(), range).map_err(lift)?;
            Ok(match &part {
                Val::Arr(items) => items.len(),
                other => other.as_bytes().map_or(0, <[u8]>::len),
            })
        };
        let (start, end) = (range.start.map(|v| &v.val), range.end.map(|v| &v.val));
        let skip = match start {
            None | Some(Val::Null) => 0,
            Some(start) => len(None..Some(start))?,
        };
        Ok((skip, len(start..end)?))
    }
}

/// An index counted from the start, whatever end it was given from.
fn wrap(at: &Num, len: usize) -> Option<usize> {
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

    fn range(self, range: jaq_core::val::Range<&Self>) -> ValR<Self> {
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
        limits::spend(NODE).map_err(halted)?;
        let size = self.size;
        match self.val {
            Val::Arr(items) => unshare(items)
                .into_iter()
                .flat_map(|item| f(Self::inner(size, item)))
                .collect(),
            Val::Obj(fields) => {
                let mut kept = Map::default();
                let mut total = Size::EMPTY;
                for (key, item) in unshare(fields) {
                    if let Some(item) = f(Self::inner(size, item)).next() {
                        let item = item?;
                        total = total
                            .and(Size::leaf(&key).wrapped())
                            .and(item.size.wrapped());
                        kept.insert(key, item.val);
                    }
                }
                Ok(Self::made(Val::obj(kept), total))
            }
            val => opt.fail(Self { val, size }, |v| {
                Exn::from(Error::typ(v, "iterable (array or object)"))
            }),
        }
    }

    fn map_index<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        index: &Self,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        limits::spend(NODE).map_err(halted)?;
        let size = self.size;
        if let (Val::BStr(_) | Val::TStr(_) | Val::Arr(_), Val::Obj(range)) =
            (&self.val, &index.val)
        {
            let bound = |name: &str| range.get(&Val::utf8_str(name.to_owned())).cloned();
            let (start, end) = (bound("start"), bound("end"));
            let (start, end) = (start.map(Self::leaf), end.map(Self::leaf));
            return self.map_range(start.as_ref()..end.as_ref(), opt, f);
        }
        match self.val {
            Val::Obj(mut fields) => {
                let old = Arc::make_mut(&mut fields)
                    .get_mut(&index.val)
                    .map(std::mem::take);
                let found = old.is_some();
                let new = f(Self::inner(size, old.unwrap_or_default())).next();
                let fields_mut = Arc::make_mut(&mut fields);
                let mut grown = size;
                match new.transpose()? {
                    Some(new) => {
                        grown = grown.and(index.size.wrapped()).and(new.size.wrapped());
                        fields_mut.insert(index.val.clone(), new.val);
                    }
                    None if found => {
                        fields_mut.swap_remove(&index.val);
                    }
                    None => {}
                }
                Ok(Self::made(Val::Obj(fields), grown))
            }
            Val::Arr(mut items) => {
                let at = match place(index, items.len()) {
                    Ok(at) => at,
                    Err(e) => {
                        let val = Val::Arr(items);
                        return opt.fail(Self { val, size }, |_| Exn::from(e));
                    }
                };
                let old = std::mem::take(&mut Arc::make_mut(&mut items)[at]);
                let new = f(Self::inner(size, old)).next().transpose()?;
                let mut grown = size;
                if let Some(new) = new {
                    grown = grown.and(new.size.wrapped());
                    Arc::make_mut(&mut items)[at] = new.val;
                } else {
                    Arc::make_mut(&mut items).remove(at);
                }
                Ok(Self::made(Val::Arr(items), grown))
            }
            val => opt.fail(Self { val, size }, |v| {
                Exn::from(Error::typ(v, "iterable (array or object)"))
            }),
        }
    }

    fn map_range<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        range: jaq_core::val::Range<&Self>,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        limits::spend(NODE).map_err(halted)?;
        if !matches!(self.val, Val::Arr(_) | Val::BStr(_) | Val::TStr(_)) {
            return opt.fail(self, |v| Exn::from(Error::typ(v, "array")));
        }
        let (skip, take) = match self.extent(range.clone()) {
            Ok(extent) => extent,
            Err(e) => return opt.fail(self, |_| Exn::from(e)),
        };
        let new = f(self.clone().range(range)?).next().transpose()?;
        let size = self.size;
        match (self.val, new.map(|new| (new.val, new.size))) {
            (Val::Arr(mut items), new) => {
                let (new, new_size) = match new {
                    None => (Arc::default(), Size::EMPTY),
                    Some((Val::Arr(new), new_size)) => (new, new_size),
                    Some((val, size)) => {
                        return Err(Exn::from(Error::typ(Self { val, size }, "array")));
                    }
                };
                let new = new.iter().cloned();
                Arc::make_mut(&mut items).splice(skip..skip + take, new);
                Ok(Self::made(Val::Arr(items), size.and(new_size)))
            }
            (old, new) => {
                let bytes = match (&old, &new) {
                    (_, None) => &[],
                    (Val::TStr(_), Some((new @ Val::TStr(_), _)))
                    | (Val::BStr(_), Some((new @ Val::BStr(_), _))) => {
                        new.as_bytes().unwrap_or_default()
                    }
                    (_, Some((new, _))) => {
                        return Err(Exn::from(Error::typ(Self::leaf(new.clone()), "string")));
                    }
                };
                let mut text = old.as_bytes().unwrap_or_default().to_vec();
                text.splice(skip..skip + take, bytes.iter().copied());
                Ok(Self::leaf(match old {
                    Val::TStr(_) => Val::utf8_str(text),
                    _ => Val::byte_str(text),
                }))
            }
        }
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

/// The place in an array that an index means, for writing.
fn place(index: &Value, len: usize) -> Result<usize> {
    let Val::Num(at @ (Num::Int(_) | Num::BigInt(_))) = &index.val else {
        return Err(Error::typ(index.clone(), "integer"));
    };
    wrap(at, len)
        .filter(|at| *at < len)
        .ok_or_else(|| Error::str(format_args!("index {index} out of bounds")))
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
