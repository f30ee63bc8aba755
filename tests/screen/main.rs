//! The screen from outside: the program in a real terminal, typed at by a person, resized, pasted
//! into, ended in every way there is. What single screens look like is tested with the drawing.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends by panicking"
)]

mod ends;
mod hostile;
mod panics;
mod paste;
mod pty;
mod refused;
mod sizes;
