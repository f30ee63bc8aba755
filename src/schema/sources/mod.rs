//! Where schemas come from: a registry over HTTP, a folder, an AsyncAPI document.
