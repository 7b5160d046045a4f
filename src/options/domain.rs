//! Domain names between presentation form and RFC 1035 wire form, as dhcpd converts them (ISC `common/ns_name.c`).
//!
//! Used for `domain-name` and `domain-list` option values, for joining compressed lists (`append`, `prepend`), for
//! printing, and for the DHCPv6 FQDN option. Every failure of dhcpd's converters sets `EMSGSIZE`, so its messages end in
//! [`DomainError`]'s text.

/// What `%m` prints in dhcpd's messages about names that cannot be converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Message too long")]
pub struct DomainError;

/// The longest name on the wire, length octets and root included.
const MAX_NAME: usize = 255;
/// The two upper bits of a length octet: a compression pointer.
const POINTER: u8 = 0xc0;
/// dhcpd remembers this many places of a message for compression pointers.
const MAX_POINTERS: usize = 253;

/// A name in wire form, uncompressed, ending in the root label. The text may end in a dot; `\` escapes a character, or
/// an octet as three decimal digits. A NUL ends the text. Labels up to 63 octets, the name up to 255.
pub fn encode_domain_name(text: &[u8]) -> Result<Vec<u8>, DomainError> {
    let text = text.split(|&c| c == 0).next().unwrap_or_default();
    let mut wire = Vec::with_capacity(text.len() + 2);
    let mut label = 0;
    wire.push(0);
    let mut at = 0;
    while let Some(&c) = text.get(at) {
        at += 1;
        let octet = match c {
            b'\\' => match text.get(at) {
                // A lone backslash at the end is dropped.
                None => break,
                Some(digit) if digit.is_ascii_digit() => {
                    let digits = text.get(at..at + 3).ok_or(DomainError)?;
                    at += 3;
                    let value = digits.iter().try_fold(0u32, |sum, d| {
                        d.is_ascii_digit().then(|| sum * 10 + u32::from(d - b'0')).ok_or(DomainError)
                    })?;
                    u8::try_from(value).map_err(|_| DomainError)?
                }
                Some(&c) => {
                    at += 1;
                    c
                }
            },
            b'.' => {
                let length = close_label(&mut wire, label)?;
                match text.get(at) {
                    None => {
                        if length != 0 {
                            wire.push(0);
                        }
                        return within_limit(wire);
                    }
                    Some(b'.') => return Err(DomainError),
                    Some(_) if length == 0 => return Err(DomainError),
                    Some(_) => {}
                }
                label = wire.len();
                wire.push(0);
                continue;
            }
            c => c,
        };
        wire.push(octet);
        if wire.len() > MAX_NAME {
            return Err(DomainError);
        }
    }
    if close_label(&mut wire, label)? != 0 {
        wire.push(0);
    }
    within_limit(wire)
}

fn close_label(wire: &mut [u8], label: usize) -> Result<u8, DomainError> {
    let length = u8::try_from(wire.len() - label - 1).map_err(|_| DomainError)?;
    if length & POINTER != 0 {
        return Err(DomainError);
    }
    wire[label] = length;
    Ok(length)
}

fn within_limit(wire: Vec<u8>) -> Result<Vec<u8>, DomainError> {
    if wire.len() > MAX_NAME { Err(DomainError) } else { Ok(wire) }
}

/// A list of names in wire form, built name by name, with compression pointers or without.
#[derive(Clone, Debug, Default)]
pub struct DomainList {
    compressed: bool,
    wire: Vec<u8>,
    pointers: Vec<usize>,
}

impl DomainList {
    /// An empty list; `compressed` lists use pointers into what was written before.
    pub fn new(compressed: bool) -> Self {
        Self { compressed, wire: Vec::new(), pointers: Vec::new() }
    }

    /// Adds a name in presentation form (see [`encode_domain_name`]).
    pub fn push(&mut self, text: &[u8]) -> Result<(), DomainError> {
        let name = encode_domain_name(text)?;
        if !self.compressed {
            self.wire.extend_from_slice(&name);
            return Ok(());
        }
        // Only names before this one are searched, not the labels it adds itself.
        let known = self.pointers.len();
        let mut rest = name.as_slice();
        while let Some((&length, after)) = rest.split_first() {
            if length == 0 {
                break;
            }
            if let Some(place) = self.find(rest, known) {
                self.wire.extend_from_slice(&[(place >> 8) as u8 | POINTER, place as u8]);
                return Ok(());
            }
            if self.pointers.len() < MAX_POINTERS && self.wire.len() < 0x4000 {
                self.pointers.push(self.wire.len());
            }
            let (label, next) = after.split_at_checked(usize::from(length)).ok_or(DomainError)?;
            self.wire.push(length);
            self.wire.extend_from_slice(label);
            rest = next;
        }
        self.wire.push(0);
        Ok(())
    }

    /// The octets so far.
    pub fn finish(self) -> Vec<u8> {
        self.wire
    }

    /// Where a name equal to `name` (uncompressed, regardless of case) was written.
    fn find(&self, name: &[u8], known: usize) -> Option<usize> {
        self.pointers.iter().take(known).copied().find(|&place| {
            let mut written = [0; MAX_NAME + 1];
            match unpack(&self.wire, place, &mut written) {
                Some((length, _)) => written.get(..length).is_some_and(|w| w.eq_ignore_ascii_case(name)),
                None => false,
            }
        })
    }
}

/// Expands the possibly compressed name at `at` of `message` into `into`. The length of the name there, and the octets
/// it takes in the message.
fn unpack(message: &[u8], at: usize, into: &mut [u8; MAX_NAME + 1]) -> Option<(usize, usize)> {
    let (mut source, mut written, mut checked) = (at, 0, 0);
    let mut taken = None;
    loop {
        let length = *message.get(source)?;
        source += 1;
        match length & POINTER {
            _ if length == 0 => break,
            0 => {
                let label = message.get(source - 1..source + usize::from(length))?;
                // The octet after the label must exist, and one octet stays free for the root.
                if source + usize::from(length) >= message.len() || written + label.len() >= MAX_NAME {
                    return None;
                }
                into.get_mut(written..written + label.len())?.copy_from_slice(label);
                written += label.len();
                checked += label.len();
                source += usize::from(length);
            }
            POINTER => {
                let low = *message.get(source)?;
                // A second pointer may stand before the name.
                taken.get_or_insert_with(|| source + 1 - at);
                source = usize::from(length & 0x3f) << 8 | usize::from(low);
                checked += 2;
                // More octets seen than there are: a loop.
                if source >= message.len() || checked >= message.len() {
                    return None;
                }
            }
            _ => return None,
        }
    }
    *into.get_mut(written)? = 0;
    Some((written + 1, taken.unwrap_or_else(|| source - at)))
}

/// The name at `at` of a message that may use compression pointers: the uncompressed wire form, and the octets it takes
/// in the message.
pub fn unpack_domain_name(message: &[u8], at: usize) -> Result<(Vec<u8>, usize), DomainError> {
    let mut name = [0; MAX_NAME + 1];
    let (length, taken) = unpack(message, at, &mut name).ok_or(DomainError)?;
    Ok((name.get(..length).ok_or(DomainError)?.to_vec(), taken))
}

/// The presentation form of an uncompressed name in wire form: no final dot, except that the root is `.`. Special
/// characters get a backslash, unprintable octets become `\DDD` in decimal.
pub fn domain_name_text(wire: &[u8]) -> Result<Vec<u8>, DomainError> {
    let mut text = Vec::with_capacity(wire.len());
    let mut rest = wire;
    loop {
        let (&length, after) = rest.split_first().ok_or(DomainError)?;
        if length == 0 {
            break;
        }
        if length & POINTER != 0 {
            return Err(DomainError);
        }
        let (label, next) = after.split_at_checked(usize::from(length)).ok_or(DomainError)?;
        if !text.is_empty() {
            text.push(b'.');
        }
        for &c in label {
            match c {
                b'"' | b'.' | b';' | b'\\' | b'@' | b'$' => text.extend_from_slice(&[b'\\', c]),
                0x21..=0x7e => text.push(c),
                _ => text.extend_from_slice(&[b'\\', b'0' + c / 100, b'0' + c % 100 / 10, b'0' + c % 10]),
            }
        }
        rest = next;
    }
    if text.is_empty() {
        text.push(b'.');
    }
    Ok(text)
}

/// Why two compressed lists could not be joined; the text is the line dhcpd logs as an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// The first list is malformed.
    #[error("concat_dclists: error decompressing domain list 1")]
    First,
    /// The second list is malformed.
    #[error("concat_dclists: error decompressing domain list 2")]
    Second,
    /// The joined list cannot be compressed.
    #[error("concat_dlists: error compressing result")]
    Result,
}

/// Joins two compressed domain lists as `append` and `prepend` do: both are expanded, joined and compressed again (ISC
/// `common/tree.c:concat_dclists`). Two empty lists give one root name.
pub fn join_domain_lists(first: &[u8], second: &[u8]) -> Result<Vec<u8>, JoinError> {
    // The detour through text is dhcpd's: a comma inside a label separates names afterwards.
    let mut text = list_text(first).map_err(|_| JoinError::First)?;
    if !second.is_empty() {
        if !text.is_empty() {
            text.push(b',');
        }
        text.extend(list_text(second).map_err(|_| JoinError::Second)?);
    }
    if text.is_empty() {
        return Ok(vec![0]);
    }
    let mut list = DomainList::new(true);
    // A comma at the very end adds no empty name.
    for name in text.strip_suffix(b",").unwrap_or(&text).split(|&c| c == b',') {
        if name.len() >= MAX_NAME {
            return Err(JoinError::Result);
        }
        list.push(name).map_err(|_| JoinError::Result)?;
    }
    Ok(list.finish())
}

/// The names of a compressed list, separated by commas; empty if the list is empty or begins with the root.
fn list_text(list: &[u8]) -> Result<Vec<u8>, DomainError> {
    let mut text = Vec::new();
    if list.first().is_none_or(|&length| length == 0) {
        return Ok(text);
    }
    let mut at = 0;
    while at < list.len() {
        if at > 0 {
            text.push(b',');
        }
        let (name, taken) = unpack_domain_name(list, at)?;
        text.extend(domain_name_text(&name)?);
        at += taken;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encode(text: &str) -> Result<Vec<u8>, DomainError> {
        encode_domain_name(text.as_bytes())
    }

    #[test]
    fn names_encode() {
        assert_eq!(encode("example.org").unwrap(), b"\x07example\x03org\0");
        assert_eq!(encode("example.org.").unwrap(), b"\x07example\x03org\0");
        assert_eq!(encode("").unwrap(), b"\0");
        assert_eq!(encode(".").unwrap(), b"\0");
        assert_eq!(encode(r"a\.b.c\065\\").unwrap(), b"\x03a.b\x03cA\\\0");
        assert_eq!(encode_domain_name(b"ab\0cd").unwrap(), b"\x02ab\0");
        for bad in ["a..b", ".a", r"\256", r"\25", &"x".repeat(64), &["x".repeat(63).as_str(); 4].join(".")] {
            assert_eq!(encode(bad), Err(DomainError), "{bad}");
        }
        assert_eq!(encode(&["x".repeat(63).as_str(); 3].join(".")).unwrap().len(), 193);
        assert_eq!(
            encode(&format!("{}.{}", ["x".repeat(63).as_str(); 3].join("."), "y".repeat(61))).unwrap().len(),
            255
        );
    }

    #[test]
    fn lists_compress_to_what_came_before() {
        let mut list = DomainList::new(true);
        list.push(b"one.two.com").unwrap();
        list.push(b"three.four.com").unwrap();
        list.push(b"ONE.two.com.").unwrap();
        assert_eq!(list.finish(), b"\x03one\x03two\x03com\0\x05three\x04four\xc0\x08\xc0\x00");
        let mut list = DomainList::new(false);
        list.push(b"a.b").unwrap();
        list.push(b"b").unwrap();
        assert_eq!(list.finish(), b"\x01a\x01b\0\x01b\0");
    }

    #[test]
    fn lists_join() {
        let list = |names: &[&str]| {
            let mut list = DomainList::new(true);
            names.iter().for_each(|name| list.push(name.as_bytes()).unwrap());
            list.finish()
        };
        assert_eq!(
            join_domain_lists(&list(&["a.org"]), &list(&["b.org"])).unwrap(),
            list(&["a.org", "b.org"])
        );
        assert_eq!(join_domain_lists(&[], &list(&["b.org"])).unwrap(), list(&["b.org"]));
        assert_eq!(join_domain_lists(&list(&["a.org"]), &[]).unwrap(), list(&["a.org"]));
        assert_eq!(join_domain_lists(&[], &[]).unwrap(), [0]);
        assert_eq!(join_domain_lists(b"\x05ab", &[]), Err(JoinError::First));
        assert_eq!(join_domain_lists(&[], b"\xc0\x00"), Err(JoinError::Second));
    }

    #[test]
    fn loops_and_truncation_are_errors() {
        assert!(unpack_domain_name(b"\xc0\x00", 0).is_err());
        assert!(unpack_domain_name(b"\x01a\xc0\x00", 0).is_err());
        assert!(unpack_domain_name(b"\x01a", 0).is_err());
        assert!(unpack_domain_name(b"\x41a\0", 0).is_err());
        assert_eq!(unpack_domain_name(b"\x01a\0\xc0\x00", 3).unwrap(), (b"\x01a\0".to_vec(), 2));
        assert_eq!(domain_name_text(b"\x04a.b\x07\0").unwrap(), br"a\.b\007");
        assert_eq!(domain_name_text(b"\0").unwrap(), b".");
    }

    proptest! {
        #[test]
        fn octets_never_panic(octets: Vec<u8>, at in 0usize..40) {
            let _ = unpack_domain_name(&octets, at);
            let _ = domain_name_text(&octets);
            let _ = encode_domain_name(&octets);
            let _ = join_domain_lists(&octets, &octets);
        }

        #[test]
        fn names_survive(labels in proptest::collection::vec("[a-zA-Z0-9 .\\\\\"-]{1,20}", 1..8)) {
            let wire: Vec<u8> =
                labels.iter().flat_map(|l| [&[l.len() as u8], l.as_bytes()].concat()).chain([0]).collect();
            let text = domain_name_text(&wire).unwrap();
            prop_assert_eq!(encode_domain_name(&text).unwrap(), wire);
        }
    }
}
