//! The `runtime` layer (being built).
