//! Strings and numbers as dhcpd reads them, once their extent is known.

use super::ast::FaultKind;

/// The longest token dhcpd keeps whole, in octets (ISC `dhcpd.h`, `tokbuf` and its NUL).
pub const LONGEST_TOKEN: usize = 1499;

/// Reads a string from the octet after its opening quote and hands out its octets. Gives the offset after the closing
/// quote, or none when the text (or an octet 0xFF, which dhcpd takes for the end of the file) ends it; and whether a
/// bad escape was met.
pub fn read_string(text: &[u8], start: usize, mut octet: impl FnMut(u8)) -> (Option<usize>, bool) {
    let mut cursor = Cursor { text, at: start };
    let mut bad = false;
    while let Some(character) = cursor.next() {
        match character {
            b'"' => return (Some(cursor.at), bad),
            b'\\' => match cursor.escape() {
                Escape::Octet(value) => octet(value),
                Escape::Bad => bad = true,
                Escape::End => break,
            },
            _ => octet(character),
        }
    }
    (None, bad)
}

struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

enum Escape {
    Octet(u8),
    Bad,
    End,
}

impl Cursor<'_> {
    fn next(&mut self) -> Option<u8> {
        let octet = self.text.get(self.at).copied().filter(|octet| *octet != 0xff)?;
        self.at += 1;
        Some(octet)
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Escape {
        loop {
            let Some(character) = self.next() else { return Escape::End };
            let (base, mut value) = match character {
                b't' => return Escape::Octet(b'\t'),
                b'r' => return Escape::Octet(b'\r'),
                b'n' => return Escape::Octet(b'\n'),
                b'b' => return Escape::Octet(8),
                b'x' => (16, 0),
                b'0'..=b'3' => (8, character - b'0'),
                _ => return Escape::Octet(character),
            };
            let mut begins_anew = false;
            for _ in 0..2 {
                let Some(character) = self.next() else { return Escape::End };
                match char::from(character).to_digit(base) {
                    // At most 0xff: two digits of base 16, or three of base 8 of which the first is 3 or less.
                    Some(digit) => value = value.wrapping_mul(base as u8).wrapping_add(digit as u8),
                    // Quirk: a bad digit while the octal value is still zero is dropped, and what follows is read
                    // as if a backslash stood before it (ISC `conflex.c:read_string`).
                    None if base == 8 && value == 0 => {
                        begins_anew = true;
                        break;
                    }
                    None => return Escape::Bad,
                }
            }
            if !begins_anew {
                return Escape::Octet(value);
            }
        }
    }
}

/// C's `atoi` with a 32-bit `int` and a 64-bit `long`, as glibc has it: saturates as a long, then wraps.
pub fn atoi(text: &[u8]) -> i32 {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let mut value: i64 = 0;
    for digit in digits.iter().take_while(|digit| digit.is_ascii_digit()) {
        let digit = i64::from(digit - b'0');
        let digit = if negative { -digit } else { digit };
        value = value.saturating_mul(10).saturating_add(digit);
    }
    value as i32
}

/// Reads a number as dhcpd's `convert_num` does: `base` 0 finds the base out (`0x`, `0`, decimal), `bits` is 8, 16 or
/// 32. The sum wraps at 32 bits before it is compared with the largest value. Negative numbers come out as two's
/// complement of the width.
pub fn convert_number(text: &[u8], base: u8, bits: u8) -> Result<u32, FaultKind> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let (base, digits) = match (base, text) {
        (0, [b'0', b'x', rest @ ..]) => (16, rest),
        (0, [b'0', rest @ ..]) if rest.first().is_some_and(u8::is_ascii_digit) => (8, rest),
        (0, _) => (10, text),
        (base, _) => (base, text),
    };
    let wrong = FaultKind::BadNumber { base, bits };
    if digits.is_empty() {
        return Err(wrong);
    }
    let mut value: u32 = 0;
    for character in digits {
        let digit = match character {
            b'0'..=b'9' => character - b'0',
            b'a'..=b'z' => character - b'a' + 10,
            b'A'..=b'Z' => character - b'A' + 10,
            _ => return Err(wrong),
        };
        if digit >= base {
            return Err(wrong);
        }
        value = value.wrapping_mul(u32::from(base)).wrapping_add(u32::from(digit));
    }
    let largest = match (negative, bits) {
        (_, 32..) => u32::MAX,
        (true, _) => 1 << (bits - 1),
        (false, _) => (1 << bits) - 1,
    };
    if value > largest {
        return Err(wrong);
    }
    let value = if negative { value.wrapping_neg() } else { value };
    Ok(if bits < 32 { value & ((1 << bits) - 1) } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(text: &[u8]) -> (Vec<u8>, Option<usize>, bool) {
        let mut octets = Vec::new();
        let (end, bad) = read_string(text, 0, |octet| octets.push(octet));
        (octets, end, bad)
    }

    #[test]
    fn escapes() {
        assert_eq!(string(br#"a\tb\n\r\b\x41\101\"\\""#).0, b"a\tb\n\r\x08AA\"\\");
        assert_eq!(string(br#"\377\400""#).0, b"\xff400");
        assert_eq!(string(br#"abc" def"#), (b"abc".to_vec(), Some(4), false));
        assert_eq!(string(b"abc"), (b"abc".to_vec(), None, false));
        assert_eq!(string(b"abc\xff\"").1, None);
        assert!(string(br#"\x4g""#).2);
        assert!(string(br#"\18""#).2);
    }

    #[test]
    fn a_bad_octal_digit_after_zero_begins_the_escape_anew() {
        assert_eq!(string(br#"a\0zb""#), (b"a\x08".to_vec(), Some(6), false));
        assert_eq!(string(br#"a\0"b"c"#), (b"a\x08".to_vec(), Some(6), false));
        assert_eq!(string(br#"\00zn""#), (b"\n".to_vec(), Some(6), false));
        assert_eq!(string(br#"\0z0zt""#), (b"\t".to_vec(), Some(7), false));
        assert_eq!(string(br#"\000""#), (b"\0".to_vec(), Some(5), false));
    }

    #[test]
    fn numbers() {
        assert_eq!(atoi(b"12ab"), 12);
        assert_eq!(atoi(b"-"), 0);
        assert_eq!(atoi(b"4294967295"), -1);
        assert_eq!(atoi(b"99999999999999999999"), -1);
        assert_eq!(convert_number(b"ff", 16, 8), Ok(255));
        assert_eq!(convert_number(b"-1", 16, 8), Ok(255));
        assert!(convert_number(b"100", 16, 8).is_err());
        assert!(convert_number(b"g1", 16, 8).is_err());
        assert!(convert_number(b"-", 16, 8).is_err());
        assert!(convert_number(b"256", 10, 8).is_err());
        assert_eq!(convert_number(b"4294967297", 10, 8), Ok(1));
        assert_eq!(convert_number(b"0x10", 0, 32), Ok(16));
        assert_eq!(convert_number(b"010", 0, 32), Ok(8));
        assert_eq!(convert_number(b"-128", 0, 8), Ok(128));
        assert!(convert_number(b"-129", 0, 8).is_err());
        assert!(convert_number(b"0X10", 0, 32).is_err());
    }
}
