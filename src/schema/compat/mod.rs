//! Whether what is written by one schema can be read by another, with reasons. One file a language.
