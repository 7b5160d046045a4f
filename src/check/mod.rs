//! The `check` layer (being built).
