//! Option spaces, definitions and encodings (being built; only the shapes the layers above name).

use std::marker::PhantomData;

/// The registry of option spaces.
#[derive(Clone, Debug, Default)]
pub struct Spaces {}

/// An option definition.
#[derive(Clone, Debug, PartialEq)]
pub struct OptionDef {
    /// Its name.
    pub name: String,
}

/// Options collected for one packet or reply.
#[derive(Clone, Debug)]
pub struct OptionState<V> {
    values: PhantomData<V>,
}
