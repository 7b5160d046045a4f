//! The `syntax` layer (being built).
