//! Variables: named values, as `set` leaves them on a lease or in the global scope.

use crate::config::tree::{Function, Octets};
use std::sync::Arc;

/// A value, as an expression yields it and a variable keeps it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Octets.
    Data(Octets),
    /// Unsigned 64 bit in dhcpd, kept signed as it prints.
    Number(i64),
    /// True or false.
    Boolean(bool),
    /// What `define` binds.
    Function(Arc<Function>),
}

/// One scope of variables. A stack: the name set last comes first, which is the order of the lease file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bindings {
    /// Innermost first: name, and its value while it has one.
    pub entries: Vec<(Arc<str>, Option<Value>)>,
}

impl Bindings {
    /// The value of a variable; names compare without case.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.entries.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).and_then(|(_, v)| v.as_ref())
    }
}
