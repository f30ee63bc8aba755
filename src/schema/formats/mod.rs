//! Framings and formats that need no schema: one file each, bytes in, JSON text out.
