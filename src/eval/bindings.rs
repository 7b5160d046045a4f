//! Variables: named values, as `set` leaves them on a lease or in the global scope.

use crate::config::tree::{Function, Octets};
use std::sync::Arc;

/// A value, as an expression yields it and a variable keeps it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Octets.
    Data(Octets),
    /// No octets, and no storage for any: what `""` yields. The lease file does not get it.
    Nowhere,
    /// Unsigned 64 bit in dhcpd, kept signed as it prints.
    Number(i64),
    /// True or false.
    Boolean(bool),
    /// What `define` binds.
    Function(Arc<FunctionValue>),
}

impl Value {
    /// The number dhcpd's messages call the type by: 0 boolean, 1 data, 2 numeric, 4 function.
    pub fn type_number(&self) -> u32 {
        match self {
            Self::Boolean(_) => 0,
            Self::Data(_) | Self::Nowhere => 1,
            Self::Number(_) => 2,
            Self::Function(_) => 4,
        }
    }
}

/// A function as a value. Variables that hold the same one share it, so that the last to let go can be told (dhcpd logs
/// a line then).
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionValue(pub Arc<Function>);

/// One scope of variables. A stack: the name set last comes first, which is the order of the lease file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bindings {
    /// Innermost first: name, and its value while it has one.
    pub entries: Vec<(Arc<str>, Option<Value>)>,
}

impl Bindings {
    /// The value of a variable; names compare without case.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.entry(name).and_then(|value| value.as_ref())
    }

    /// The octets of a variable that holds data (ISC `common/tree.c:find_bound_string`).
    pub fn data(&self, name: &str) -> Option<&Octets> {
        match self.value(name) {
            Some(Value::Data(octets)) => Some(octets),
            _ => None,
        }
    }

    /// The place of a variable that exists, with or without a value.
    pub fn entry(&self, name: &str) -> Option<&Option<Value>> {
        self.entries.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The place of a variable that exists, to change it.
    pub fn entry_mut(&mut self, name: &str) -> Option<&mut Option<Value>> {
        self.entries.iter_mut().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Sets a variable: an existing one keeps its place, a new one goes to the front.
    pub fn set(&mut self, name: &Arc<str>, value: Option<Value>) {
        match self.entry_mut(name) {
            Some(place) => *place = value,
            None => self.push(name, value),
        }
    }

    /// A new variable in front of all others, one of the same name included.
    pub fn push(&mut self, name: &Arc<str>, value: Option<Value>) {
        self.entries.insert(0, (Arc::clone(name), value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_without_case_and_the_newest_comes_first() {
        let mut bindings = Bindings::default();
        bindings.set(&"one".into(), Some(Value::Number(1)));
        bindings.set(&"two".into(), Some(Value::Data(Octets::new(b"x"))));
        bindings.set(&"ONE".into(), Some(Value::Boolean(true)));
        assert_eq!(bindings.value("One"), Some(&Value::Boolean(true)));
        assert_eq!(bindings.data("TWO").map(|o| o.as_slice()), Some(&b"x"[..]));
        assert_eq!(bindings.data("one"), None);
        let names: Vec<&str> = bindings.entries.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["two", "one"]);
        bindings.push(&"one".into(), None);
        assert_eq!(bindings.value("one"), None, "the newer of two hides the older");
    }
}
