//! Octets in the course of an evaluation.

use crate::options::Octets;
use std::ops::Deref;

/// The result of a data expression: a window onto octets that live in the packet, in the configuration, in a variable
/// or here.
///
/// The window matters, as dhcpd's operators narrow it without copying, and a few of them look beyond it: a pattern
/// goes on to its NUL ([`Data::pattern`]), `extract-int` of an empty value reads the octet there. Storage matters,
/// too: empty data without any (`""`, a substring that starts after the end) is not the same to them as empty data
/// with some.
#[derive(Clone, Debug)]
pub struct Data<'e> {
    storage: Storage<'e>,
    start: usize,
    end: usize,
}

#[derive(Clone, Debug)]
enum Storage<'e> {
    Nowhere,
    Borrowed(&'e [u8]),
    Octets(Octets),
    Made(Vec<u8>),
}

impl<'e> Data<'e> {
    /// Empty data without storage.
    pub fn nowhere() -> Self {
        Self { storage: Storage::Nowhere, start: 0, end: 0 }
    }

    /// Data that lives elsewhere; with storage, even if empty.
    pub fn borrowed(octets: &'e [u8]) -> Self {
        Self { storage: Storage::Borrowed(octets), start: 0, end: octets.len() }
    }

    /// A literal: an empty one has no storage.
    pub fn constant(octets: &'e [u8]) -> Self {
        if octets.is_empty() { Self::nowhere() } else { Self::borrowed(octets) }
    }

    /// The same for octets that are shared.
    pub fn shared(octets: Octets) -> Self {
        if octets.is_empty() {
            return Self::nowhere();
        }
        let end = octets.len();
        Self { storage: Storage::Octets(octets), start: 0, end }
    }

    /// The value of a variable that has storage.
    pub fn kept(octets: Octets) -> Self {
        let end = octets.len();
        Self { storage: Storage::Octets(octets), start: 0, end }
    }

    /// Whether there is storage behind the window.
    pub fn has_storage(&self) -> bool {
        !matches!(self.storage, Storage::Nowhere)
    }

    /// Narrows the window as `substring` does: past the end there is nothing, not even storage.
    pub fn substring(mut self, offset: u64, length: u64) -> Self {
        let here = self.len();
        match usize::try_from(offset) {
            Ok(offset) if offset < here => {
                let length = usize::try_from(length).unwrap_or(usize::MAX).min(here - offset);
                self.start += offset;
                self.end = self.start + length;
                self
            }
            _ => Self::nowhere(),
        }
    }

    /// Narrows the window to the last octets.
    pub fn suffix(mut self, length: u64) -> Self {
        if let Ok(length) = usize::try_from(length)
            && length < self.len()
        {
            self.start = self.end - length;
        }
        self
    }

    /// The first octet as `extract-int (..., 8)` reads it: with storage there always is one.
    pub fn first_octet(&self) -> Option<u8> {
        self.has_storage().then(|| self.stored().get(self.start).copied().unwrap_or(0))
    }

    /// What dhcpd hands to the regular expression compiler: from the start of the window to the first NUL, across the
    /// end of the window.
    pub fn pattern(&self) -> Option<&[u8]> {
        self.has_storage().then(|| until_nul(self.stored().get(self.start..).unwrap_or_default()))
    }

    /// What a regular expression is matched against: the window up to its first NUL.
    pub fn subject(&self) -> Option<&[u8]> {
        self.has_storage().then(|| until_nul(self))
    }

    /// As a value to keep.
    pub fn into_octets(self) -> Octets {
        match self.storage {
            Storage::Octets(octets) if self.start == 0 && self.end == octets.len() => octets,
            Storage::Made(octets) if self.start == 0 && self.end == octets.len() => octets.into(),
            _ => Octets::new(&self),
        }
    }

    /// As octets to change.
    pub fn into_vec(self) -> Vec<u8> {
        match self.storage {
            Storage::Made(octets) if self.start == 0 && self.end == octets.len() => octets,
            _ => self.to_vec(),
        }
    }

    /// The same data, no longer tied to what it was borrowed from.
    pub fn into_owned<'o>(self) -> Data<'o> {
        let storage = match self.storage {
            Storage::Nowhere => Storage::Nowhere,
            Storage::Borrowed(octets) => Storage::Octets(Octets::new(octets)),
            Storage::Octets(octets) => Storage::Octets(octets),
            Storage::Made(octets) => Storage::Made(octets),
        };
        Data { storage, start: self.start, end: self.end }
    }

    fn stored(&self) -> &[u8] {
        match &self.storage {
            Storage::Nowhere => &[],
            Storage::Borrowed(octets) => octets,
            Storage::Octets(octets) => octets,
            Storage::Made(octets) => octets,
        }
    }
}

impl Deref for Data<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.stored().get(self.start..self.end).unwrap_or_default()
    }
}

/// Octets made by an operator: they have storage, even if empty.
impl From<Vec<u8>> for Data<'_> {
    fn from(octets: Vec<u8>) -> Self {
        let end = octets.len();
        Self { storage: Storage::Made(octets), start: 0, end }
    }
}

/// A few octets made by an operator, kept in place.
impl<const N: usize> From<[u8; N]> for Data<'_> {
    fn from(octets: [u8; N]) -> Self {
        Self { storage: Storage::Octets(Octets::new(&octets)), start: 0, end: N }
    }
}

/// A C string: everything before the first NUL.
pub(super) fn until_nul(octets: &[u8]) -> &[u8] {
    octets.split(|&octet| octet == 0).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn substring_and_suffix_narrow_as_dhcpd_does() {
        let data = || Data::constant(b"abcdef");
        assert_eq!(&*data().substring(1, 3), b"bcd");
        assert_eq!(&*data().substring(4, u64::MAX), b"ef");
        assert_eq!(&*data().substring(2, 0), b"");
        assert!(data().substring(2, 0).has_storage());
        assert!(!data().substring(6, 1).has_storage());
        assert!(!data().substring(u64::MAX, 1).has_storage());
        assert_eq!(&*data().suffix(2), b"ef");
        assert_eq!(&*data().suffix(0), b"");
        assert_eq!(&*data().suffix(6), b"abcdef");
        assert_eq!(&*data().suffix(u64::MAX), b"abcdef");
        assert_eq!(&*data().substring(1, 4).suffix(2), b"de");
    }

    #[test]
    fn the_window_can_be_looked_past() {
        let data = Data::constant(b"xabcx\0y").substring(1, 3);
        assert_eq!(data.pattern(), Some(&b"abcx"[..]));
        assert_eq!(data.subject(), Some(&b"abc"[..]));
        assert_eq!(Data::constant(b"ab").substring(0, 0).first_octet(), Some(b'a'));
        assert_eq!(Data::from(Vec::new()).first_octet(), Some(0));
        assert_eq!(Data::constant(b"").first_octet(), None);
        assert_eq!(Data::constant(b"").pattern(), None);
        assert_eq!(data.into_octets().as_slice(), b"abc");
    }
}
