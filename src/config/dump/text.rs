//! The tokens of the language, as text: strings, octets, names.
//!
//! What is written is ASCII, except that text in UTF-8 stays readable inside of strings. No token ever holds a line
//! break, so that a statement can also stand in a comment.

/// The longest token dhcpd reads (ISC `includes/dhctoken.h`, buffer of 1500 octets).
pub(super) const LONGEST_TOKEN: usize = 1499;

/// Whether a string shows these octets as they are.
pub(super) fn is_text(octets: &[u8]) -> bool {
    octets.len() <= LONGEST_TOKEN
        && std::str::from_utf8(octets).is_ok_and(|text| !text.chars().any(char::is_control))
}

/// A string: a backslash before quotes and backslashes, three octal digits for what is no text.
pub(super) fn quoted(octets: &[u8]) -> Vec<u8> {
    let text = is_text(octets);
    let mut out = Vec::with_capacity(octets.len() + 2);
    out.push(b'"');
    for &octet in octets {
        match octet {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', octet]),
            b' '..=b'~' => out.push(octet),
            0x80.. if text => out.push(octet),
            _ => out.extend_from_slice(format!("\\{octet:03o}").as_bytes()),
        }
    }
    out.push(b'"');
    out
}

/// Octets in hexadecimal, separated by colons.
pub(super) fn hex(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len() * 3);
    for (at, octet) in octets.iter().enumerate() {
        if at > 0 {
            out.push(b':');
        }
        out.extend_from_slice(format!("{octet:02x}").as_bytes());
    }
    out
}

/// Text as a string, anything else in hexadecimal.
pub(super) fn octets(octets: &[u8]) -> Vec<u8> {
    if is_text(octets) { quoted(octets) } else { hex(octets) }
}

/// Whether this is one token that begins with a letter.
pub(super) fn is_word(name: &[u8]) -> bool {
    name.len() <= LONGEST_TOKEN
        && name.first().is_some_and(u8::is_ascii_alphabetic)
        && has_word_characters(name)
}

/// Whether this is a dotted name of words (ISC `parse_host_name`); a final dot may stand.
pub(super) fn is_hostname(name: &[u8]) -> bool {
    let name = name.strip_suffix(b".").unwrap_or(name);
    name.split(|c| *c == b'.').all(|part| {
        part.len() <= LONGEST_TOKEN
            && part.first().is_some_and(u8::is_ascii_alphanumeric)
            && has_word_characters(part)
    })
}

fn has_word_characters(word: &[u8]) -> bool {
    word.iter().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_'))
}

/// A name: as it is when it is a word, else as a string.
pub(super) fn name(name: &str) -> Vec<u8> {
    if is_word(name.as_bytes()) { name.as_bytes().to_vec() } else { quoted(name.as_bytes()) }
}

/// Base64 (RFC 4648).
pub(super) fn base64(octets: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in octets.chunks(3) {
        let mut three = [0; 3];
        three.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
        let all = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for at in 0..4 {
            // Six bits: within the table.
            let digit = char::from(DIGITS[(all >> (18 - 6 * at) & 63) as usize]);
            out.push(if at <= chunk.len() { digit } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_escape_what_is_no_text() {
        assert_eq!(quoted(b"a\"b\\c"), br#""a\"b\\c""#);
        assert_eq!(quoted("B\u{fc}ro".as_bytes()), "\"B\u{fc}ro\"".as_bytes());
        assert_eq!(quoted(b"B\xfcro\n\0"), br#""B\374ro\012\000""#);
        assert_eq!(
            (octets(b"\x01"), octets(b"\x01\xff"), octets(b"")),
            (b"01".into(), b"01:ff".into(), b"\"\"".into())
        );
    }

    #[test]
    fn names_and_words() {
        assert!(
            is_hostname(b"3com.example.") && is_hostname(b"a") && !is_hostname(b"a..b") && !is_hostname(b"")
        );
        assert!(!is_hostname(b"_x") && !is_hostname(b"a b"));
        assert_eq!((name("eth0"), name("eth0.7")), (b"eth0".into(), b"\"eth0.7\"".into()));
    }

    #[test]
    fn base64_of_rfc_4648() {
        let pairs = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")];
        for (plain, encoded) in pairs {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }
}
