//! The `server` layer (being built).
