//! Parses, runs, prints what went wrong, and exits. Nothing else.

fn main() {}
