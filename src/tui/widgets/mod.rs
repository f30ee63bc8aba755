//! The pure pieces of the screen: state and lines of toned text. They know nothing of models,
//! stores, themes or the terminal; a view maps tones to styles and puts the lines in their place.

pub mod counts;
pub mod diff;
pub mod hex;
pub mod input;
mod line;
pub mod needle;
pub mod table;
pub mod text_lines;
pub mod tree;

pub use line::{Line, Marks, Tone, clip};
