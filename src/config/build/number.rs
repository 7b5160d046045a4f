//! Numbers in option values (ISC `common/parse.c:convert_num`).
//!
//! dhcpd reads digits until one does not fit, keeps what it has in 32 bits without looking at overflow, complains, and
//! stores the value all the same.

/// What is wrong with a number, in dhcpd's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberFault {
    /// A character that is no digit at all.
    #[error("Bogus number: {text}.")]
    Character {
        /// The whole number.
        text: String,
    },
    /// A letter or digit that the base does not have.
    #[error("Bogus number {text}: digit {digit} not in base {base}")]
    Digit {
        /// The whole number.
        text: String,
        /// The digit's value.
        digit: u32,
        /// The base.
        base: u32,
    },
    /// Out of range.
    #[error("{} exceeds max ({max}) for precision.", printed(*.value, *.negative, *.base))]
    Range {
        /// The value without its sign.
        value: u32,
        /// Whether it has one.
        negative: bool,
        /// The base in which it is printed.
        base: u32,
        /// The largest value allowed, as dhcpd prints it.
        max: i32,
    },
}

fn printed(value: u32, negative: bool, base: u32) -> String {
    let sign = if negative { "-" } else { "" };
    match base {
        8 => format!("{sign}{value:o}"),
        16 => format!("{sign}{value:x}"),
        _ => format!("{sign}{value}"),
    }
}

/// A number and what dhcpd says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// The value in two's complement; only the low octets of the wanted width count.
    pub value: u32,
    /// Complaints in order.
    pub faults: Vec<NumberFault>,
}

/// Reads a number. `base` is 10 or 16, or `None` to find it from the text (`0x` 16, `0` and a digit 8, else 10); `bits`
/// is 8, 16 or 32.
pub fn convert(text: &[u8], base: Option<u32>, bits: u32) -> Converted {
    let mut faults = Vec::new();
    let shown = || String::from_utf8_lossy(text).into_owned();
    let (negative, mut digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, text),
    };
    let base = base.unwrap_or_else(|| match digits {
        [b'0', b'x', rest @ ..] => {
            digits = rest;
            16
        }
        [b'0', next, ..] if next.is_ascii_digit() => {
            digits = digits.get(1..).unwrap_or_default();
            8
        }
        _ => 10,
    });
    let mut value: u32 = 0;
    // dhcpd looks at the terminating NUL of an empty number, too.
    let terminated: &[u8] = if digits.is_empty() { &[0] } else { digits };
    for &character in terminated {
        let digit = match character {
            b'a'.. => u32::from(character - b'a') + 10,
            b'A'.. => u32::from(character - b'A') + 10,
            b'0'.. => u32::from(character - b'0'),
            _ => {
                faults.push(NumberFault::Character { text: shown() });
                break;
            }
        };
        if digit >= base {
            faults.push(NumberFault::Digit { text: shown(), digit, base });
            break;
        }
        value = value.wrapping_mul(base).wrapping_add(digit);
    }
    // The arithmetic of a C `int`: for 32 bits it wraps, which lets every positive number pass.
    let half = 1i32.wrapping_shl(bits.saturating_sub(1));
    let max = if negative { half } else { half.wrapping_add(half.wrapping_sub(1)) };
    if value > max as u32 {
        faults.push(NumberFault::Range { value, negative, base, max });
    }
    Converted { value: if negative { value.wrapping_neg() } else { value }, faults }
}

#[cfg(test)]
mod tests {
    use super::convert;

    fn said(text: &str, base: Option<u32>, bits: u32) -> (u32, Vec<String>) {
        let converted = convert(text.as_bytes(), base, bits);
        (converted.value, converted.faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn bases_are_found_and_digits_checked() {
        assert_eq!(said("10", None, 32), (10, vec![]));
        assert_eq!(said("010", None, 32), (8, vec![]));
        assert_eq!(said("0x1F", None, 32), (31, vec![]));
        assert_eq!(said("0", None, 8), (0, vec![]));
        assert_eq!(said("08", None, 32).1, ["Bogus number 08: digit 8 not in base 8"]);
        assert_eq!(said("0X10", None, 32).1, ["Bogus number 0X10: digit 33 not in base 10"]);
        assert_eq!(said("-", None, 32).1, ["Bogus number: -."]);
        assert_eq!(said("0x2", Some(16), 8).1, ["Bogus number 0x2: digit 33 not in base 16"]);
    }

    #[test]
    fn ranges_are_those_of_a_c_int() {
        assert_eq!(said("255", None, 8), (255, vec![]));
        assert_eq!(said("256", None, 8).1, ["256 exceeds max (255) for precision."]);
        assert_eq!(said("0400", None, 8).1, ["400 exceeds max (255) for precision."]);
        assert_eq!(said("0x100", None, 8).1, ["100 exceeds max (255) for precision."]);
        assert_eq!(said("-129", None, 8).1, ["-129 exceeds max (128) for precision."]);
        assert_eq!(said("-1", None, 16), (u32::MAX, vec![]));
        assert_eq!(said("70000", None, 16).1, ["70000 exceeds max (65535) for precision."]);
        assert_eq!(said("4294967295", None, 32), (u32::MAX, vec![]));
        assert_eq!(said("4294967296", None, 32), (0, vec![]));
        assert_eq!(said("-2147483649", None, 32).1, ["-2147483649 exceeds max (-2147483648) for precision."]);
    }
}
