//! The `lease` layer (being built).
