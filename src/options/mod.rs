//! The `options` layer (being built).
