//! Pairs of schemas: what a writer had, what a reader has, and what the registry says of them.

use super::super::super::{Language, Reference};
use super::*;

fn source(text: &str) -> Source {
    Source {
        language: Language::Protobuf,
        text: text.to_owned(),
        references: Vec::new(),
    }
}

fn compare(writer: &Source, reader: &Source) -> Vec<String> {
    let reasons = reasons(reader, writer).unwrap();
    let lines = reasons.iter().map(|r| format!("{} {}", r.path, r.what));
    lines.collect()
}

/// Checks bodies of a message M.
fn check(syntax: &str, pairs: &[(&str, &str, &[&str])]) {
    for (writer, reader, expected) in pairs {
        let of = |body: &str| {
            source(&format!(
                "syntax = \"{syntax}\"; package p; message M {{ {body} }}
                 message A {{ }} message B {{ }} enum E {{ Z = 0; }}"
            ))
        };
        let found = compare(&of(writer), &of(reader));
        assert_eq!(found, *expected, "{writer} -> {reader}");
    }
}

#[test]
fn fields_come_and_go() {
    check(
        "proto3",
        &[
            ("", "", &[]),
            ("int32 a = 1;", "int32 a = 1; string b = 2;", &[]),
            ("int32 a = 1; string b = 2;", "int32 a = 1;", &[]),
            ("int32 a = 1;", "int32 a = 2;", &[]),
            ("int32 a = 1;", "int32 other = 1;", &[]),
            ("int32 a = 1;", "reserved 1;", &[]),
            ("int32 a = 1;", "optional int32 a = 1;", &[]),
        ],
    );
}

#[test]
fn types_may_change_within_their_encoding() {
    check(
        "proto3",
        &[
            ("int32 a = 1;", "int64 a = 1;", &[]),
            ("int64 a = 1;", "uint32 a = 1;", &[]),
            ("uint64 a = 1;", "bool a = 1;", &[]),
            ("int32 a = 1;", "E a = 1;", &[]),
            ("E a = 1;", "int32 a = 1;", &[]),
            ("sint32 a = 1;", "sint64 a = 1;", &[]),
            ("string a = 1;", "bytes a = 1;", &[]),
            ("fixed32 a = 1;", "sfixed32 a = 1;", &[]),
            ("fixed64 a = 1;", "sfixed64 a = 1;", &[]),
            (
                "int32 a = 1;",
                "sint32 a = 1;",
                &["/M/a was int32 and is sint32"],
            ),
            (
                "int32 a = 1;",
                "string a = 1;",
                &["/M/a was int32 and is string"],
            ),
            (
                "fixed32 a = 1;",
                "fixed64 a = 1;",
                &["/M/a was fixed32 and is fixed64"],
            ),
            (
                "float a = 1;",
                "double a = 1;",
                &["/M/a was float and is double"],
            ),
            (
                "fixed32 a = 1;",
                "float a = 1;",
                &["/M/a was fixed32 and is float"],
            ),
            ("E a = 1;", "string b = 1;", &["/M/b was p.E and is string"]),
            ("bytes a = 1;", "A a = 1;", &["/M/a was bytes and is p.A"]),
            ("A a = 1;", "B a = 1;", &["/M/a was p.A and is p.B"]),
        ],
    );
}

#[test]
fn labels_may_change_where_the_encoding_stays() {
    check(
        "proto3",
        &[
            ("string a = 1;", "repeated string a = 1;", &[]),
            ("repeated bytes a = 1;", "bytes a = 1;", &[]),
            ("A a = 1;", "repeated A a = 1;", &[]),
            (
                "int32 a = 1;",
                "repeated int32 a = 1;",
                &["/M/a was not repeated and is repeated: lists of numbers are packed"],
            ),
            (
                "repeated E a = 1;",
                "E a = 1;",
                &["/M/a was repeated and is not repeated: lists of numbers are packed"],
            ),
        ],
    );
}

#[test]
fn maps_are_compared_by_key_and_value() {
    check(
        "proto3",
        &[
            (
                "map<string, int32> a = 1;",
                "map<string, int64> a = 1;",
                &[],
            ),
            (
                "map<string, int32> a = 1;",
                "map<string, string> a = 1;",
                &["/M/a/value was int32 and is string"],
            ),
            (
                "map<string, A> a = 1;",
                "map<int32, B> a = 1;",
                &[
                    "/M/a/key was string and is int32",
                    "/M/a/value was p.A and is p.B",
                ],
            ),
            (
                "map<string, A> a = 1;",
                "A a = 1;",
                &["/M/a was a map and is p.A"],
            ),
        ],
    );
}

#[test]
fn oneofs_keep_what_is_in_them() {
    let moved = "/M 2 fields that could be set together are now in the oneof o";
    let into = "/M a field was moved into the oneof o, which others were in before";
    let removed = "/M/b was removed from the oneof o: what it held looks as if not set";
    check(
        "proto3",
        &[
            ("int32 a = 1;", "oneof o { int32 a = 1; int32 b = 2; }", &[]),
            (
                "int32 a = 1; int32 b = 2;",
                "oneof o { int32 a = 1; int32 b = 2; }",
                &[moved],
            ),
            (
                "int32 a = 1; oneof o { int32 b = 2; }",
                "oneof o { int32 a = 1; int32 b = 2; }",
                &[into],
            ),
            (
                "oneof o { int32 a = 1; }",
                "oneof o { int32 a = 1; int32 b = 2; }",
                &[],
            ),
            (
                "oneof o { int32 a = 1; int32 b = 2; }",
                "oneof o { int32 a = 1; }",
                &[removed],
            ),
            ("oneof o { int32 a = 1; int32 b = 2; }", "int32 a = 1;", &[]),
            (
                "oneof o { int32 a = 1; }",
                "oneof other { int32 a = 1; }",
                &[],
            ),
            (
                "oneof o { int32 a = 1; }",
                "int32 a = 1; oneof o { int32 b = 2; }",
                &[],
            ),
            (
                "oneof o { int32 a = 1; }",
                "oneof other { string a = 1; }",
                &["/M/a was int32 and is string"],
            ),
            (
                "optional int32 a = 1; optional int32 b = 2;",
                "int32 a = 1; int32 b = 2;",
                &[],
            ),
        ],
    );
}

#[test]
fn required_fields_neither_come_nor_go() {
    let added = "/M/a a required field was added: older data has it not";
    check(
        "proto2",
        &[
            ("", "required int32 a = 1;", &[added]),
            (
                "required int32 a = 1;",
                "",
                &["/M/a a required field was removed"],
            ),
            (
                "optional int32 a = 1;",
                "required int32 a = 1;",
                &["/M/a is required and was not: data may be without it"],
            ),
            ("required int32 a = 1;", "optional int32 a = 1;", &[]),
            ("optional group G = 1 { optional int32 n = 1; }", "", &[]),
            (
                "optional group G = 1 { optional int32 n = 1; }",
                "optional group H = 1 { optional string n = 1; }",
                &["/M/H/n was int32 and is string"],
            ),
        ],
    );
}

#[test]
fn messages_are_found_by_their_names_within_the_package() {
    let whole = |text: &str| source(&format!("syntax = \"proto3\"; {text}"));
    for (writer, reader, expected) in [
        (
            "package a; message M { M m = 1; }",
            "package b; message M { M m = 1; }",
            vec![],
        ),
        ("message M {}", "message N {} message M {}", vec![]),
        (
            "message M {} message N {}",
            "message M {}",
            vec!["/N the message N was removed"],
        ),
        (
            "message M { message N {} }",
            "message M {} message N {}",
            vec!["/M/N the message M.N was removed"],
        ),
        (
            "enum E { Z = 0; A = 1; } message M {}",
            "message M {}",
            vec![],
        ),
        (
            "enum E { Z = 0; A = 1; } message M { E e = 1; }",
            "enum E { Z = 0; B = 1; } message M { E e = 1; }",
            vec![],
        ),
        (
            "message M { message N { int32 a = 1; } repeated N n = 1; map<int32, N> m = 2; }",
            "message M { message N { bytes a = 1; } repeated N n = 1; map<int32, N> m = 2; }",
            vec!["/M/N/a was int32 and is bytes"],
        ),
    ] {
        assert_eq!(
            compare(&whole(writer), &whole(reader)),
            expected,
            "{writer} -> {reader}"
        );
    }
}

#[test]
fn what_is_imported_is_compared_where_it_is_used() {
    let importing = |text: &str, import: &str| Source {
        references: vec![Reference {
            name: "r.proto".to_owned(),
            text: format!("syntax = \"proto3\"; {import}"),
        }],
        ..source(&format!("syntax = \"proto3\"; import \"r.proto\"; {text}"))
    };
    let number = "package r; message R { int32 n = 1; R r = 2; } message Unused { int32 n = 1; }";
    let text = "package r; message R { string n = 1; R r = 2; }";
    let elsewhere = "package s; message R { int32 n = 1; R r = 2; }";
    let uses = "message M { r.R r = 1; }";
    let here =
        source("syntax = \"proto3\"; message M { R r = 1; } message R { int32 n = 1; R r = 2; }");
    for (writer, reader, expected) in [
        (importing(uses, number), importing(uses, number), vec![]),
        (
            importing(uses, number),
            importing(uses, text),
            vec!["/R/n was int32 and is string"],
        ),
        (
            importing(uses, number),
            importing("message M { s.R r = 1; }", elsewhere),
            vec![],
        ),
        (importing(uses, number), here.clone(), vec![]),
        (
            here,
            importing(uses, number),
            vec!["/R the message R was removed"],
        ),
    ] {
        assert_eq!(compare(&writer, &reader), expected);
    }
}

#[test]
fn a_schema_that_is_none_is_an_error() {
    let (good, bad) = (source("syntax = \"proto3\";"), source("{}"));
    assert!(reasons(&good, &bad).is_err());
    assert!(reasons(&bad, &good).is_err());
}
