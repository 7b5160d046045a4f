//! The `eval` layer (being built).
