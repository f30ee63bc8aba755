//! Takes away from a file's descriptor what decoding does not need: options, services, defaults,
//! comments. With the options goes the need for the files that declare them, which are often not
//! there.

use std::collections::HashSet;

use prost_reflect::prost_types as types;
use types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto};

/// Strips a file. Imports that are not there go as well: what needs them will be told.
pub(super) fn to_the_bones(file: &mut FileDescriptorProto, is_there: impl Fn(&str) -> bool) {
    imports(file, is_there);
    file.service.clear();
    file.options = None;
    file.source_code_info = None;
    file.extension.iter_mut().for_each(field);
    file.enum_type.iter_mut().for_each(enumeration);
    file.message_type.iter_mut().for_each(message);
}

fn imports(file: &mut FileDescriptorProto, is_there: impl Fn(&str) -> bool) {
    let mut kept = Vec::new();
    let mut public = Vec::new();
    let mut seen = HashSet::new();
    for (import, index) in file.dependency.drain(..).zip(0..) {
        if is_there(&import) && seen.insert(import.clone()) {
            if file.public_dependency.contains(&index) {
                public.extend(i32::try_from(kept.len()));
            }
            kept.push(import);
        }
    }
    file.dependency = kept;
    file.public_dependency = public;
    file.weak_dependency.clear();
}

/// As deep as messages are nested in the text, which its parser bounds.
fn message(message: &mut DescriptorProto) {
    message.options = message.options.take().and_then(|options| {
        let map_entry = options.map_entry.filter(|is| *is)?;
        Some(types::MessageOptions {
            map_entry: Some(map_entry),
            ..Default::default()
        })
    });
    message.field.iter_mut().for_each(field);
    message.extension.iter_mut().for_each(field);
    message.enum_type.iter_mut().for_each(enumeration);
    message.nested_type.iter_mut().for_each(self::message);
    for oneof in &mut message.oneof_decl {
        oneof.options = None;
    }
    for range in &mut message.extension_range {
        range.options = None;
    }
}

fn field(field: &mut FieldDescriptorProto) {
    field.options = None;
    field.default_value = None;
}

fn enumeration(enumeration: &mut EnumDescriptorProto) {
    // Two names for a number need leave, which the options gave, if they are to be there.
    enumeration.options = Some(types::EnumOptions {
        allow_alias: Some(true),
        ..Default::default()
    });
    for value in &mut enumeration.value {
        value.options = None;
    }
}
