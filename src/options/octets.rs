//! Octet strings that are cheap to make and to clone.
//!
//! Most option values are short (an address, a lease time, a host name), so up to [`Octets::INLINE`] octets are kept
//! in place; longer values are shared. A packet's options and a configuration's constants therefore cost no allocation
//! per option.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// An immutable octet string; dereferences to `[u8]`.
#[derive(Clone)]
pub struct Octets(Repr);

#[derive(Clone)]
enum Repr {
    Inline { len: u8, data: [u8; Octets::INLINE] },
    Shared(Arc<[u8]>),
}

impl Octets {
    /// The longest value kept without an allocation.
    pub const INLINE: usize = 22;

    /// A copy of `octets`.
    pub fn new(octets: &[u8]) -> Self {
        let mut data = [0; Self::INLINE];
        match data.get_mut(..octets.len()) {
            Some(room) => {
                room.copy_from_slice(octets);
                // At most `INLINE` octets: the length fits.
                Self(Repr::Inline { len: octets.len() as u8, data })
            }
            None => Self(Repr::Shared(octets.into())),
        }
    }

    /// The octets themselves.
    pub fn as_slice(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { len, data } => data.get(..usize::from(*len)).unwrap_or(data),
            Repr::Shared(octets) => octets,
        }
    }

    /// `self` followed by `more`.
    pub fn concat(&self, more: &[u8]) -> Self {
        let mut all = Vec::with_capacity(self.len() + more.len());
        all.extend_from_slice(self);
        all.extend_from_slice(more);
        all.into()
    }
}

impl Default for Octets {
    fn default() -> Self {
        Self::new(&[])
    }
}

impl Deref for Octets {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl AsRef<[u8]> for Octets {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl From<&[u8]> for Octets {
    fn from(octets: &[u8]) -> Self {
        Self::new(octets)
    }
}

impl<const N: usize> From<[u8; N]> for Octets {
    fn from(octets: [u8; N]) -> Self {
        Self::new(&octets)
    }
}

impl From<Vec<u8>> for Octets {
    fn from(octets: Vec<u8>) -> Self {
        if octets.len() <= Self::INLINE { Self::new(&octets) } else { Self(Repr::Shared(octets.into())) }
    }
}

impl PartialEq for Octets {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Octets {}

impl Hash for Octets {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_slice().hash(state);
    }
}

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_values_keep_their_octets() {
        for len in [0, 1, 21, 22, 23, 24, 255, 1000] {
            let octets: Vec<u8> = (0..len).map(|i| i as u8).collect();
            assert_eq!(Octets::new(&octets).as_slice(), octets);
            assert_eq!(Octets::from(octets.clone()).as_slice(), octets);
            assert_eq!(Octets::new(&octets), Octets::from(octets));
        }
        assert_eq!(
            Octets::new(b"abc").concat(b"defghijklmnopqrstuvwxyz").as_slice(),
            b"abcdefghijklmnopqrstuvwxyz"
        );
        assert_eq!(std::mem::size_of::<Octets>(), 24);
    }
}
