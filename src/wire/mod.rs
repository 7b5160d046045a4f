//! The `wire` layer (being built).
