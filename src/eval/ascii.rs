//! `binary-to-ascii`: octets to digits.
//!
//! Mirrors ISC `omapip/convert.c:converted_length` and `binary_to_ascii`.

/// The digits of groups of `width` octets (1, 2 or 4) in that base, with a separator between the groups.
///
/// `None` where dhcpd divides by zero: base 0. Bases above 16 have no digits, base 1 has `0` and `00`. `data` is a
/// whole number of groups.
pub(super) fn binary_to_ascii(base: u32, width: usize, separator: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    if base == 0 && !data.is_empty() {
        return None;
    }
    let mut text = Vec::with_capacity(data.len().saturating_mul(2 + separator.len()));
    for (at, group) in data.chunks(width).enumerate() {
        if at > 0 {
            text.extend_from_slice(separator);
        }
        if base <= 16 {
            append_digits(&mut text, base, group);
        }
    }
    Some(text)
}

fn append_digits(text: &mut Vec<u8>, base: u32, group: &[u8]) {
    let mut number = group.iter().fold(0_u32, |number, &octet| number << 8 | u32::from(octet));
    let start = text.len();
    for _ in 0..digit_count(number, base) {
        // Digits are below the base, which is at most 16.
        text.push(b"0123456789abcdef"[(number % base) as usize & 15]);
        number /= base;
    }
    if let Some(digits) = text.get_mut(start..) {
        digits.reverse();
    }
}

/// How many digits dhcpd prints. It multiplies up in 32 bits and stops only where the product gets smaller, so some
/// large numbers get leading zeros (`04294967295`).
fn digit_count(number: u32, base: u32) -> usize {
    let mut count = 1;
    let mut column = base;
    while number >= column {
        count += 1;
        let next = column.wrapping_mul(base);
        if next <= column {
            break;
        }
        column = next;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(base: u32, width: usize, data: &[u8]) -> String {
        String::from_utf8(binary_to_ascii(base, width, b":", data).unwrap()).unwrap()
    }

    #[test]
    fn digits_have_no_padding() {
        assert_eq!(text(16, 1, &[0x2, 0x33, 0, 0, 0, 0x0a]), "2:33:0:0:0:a");
        assert_eq!(text(10, 2, &[1, 2, 0, 9]), "258:9");
        assert_eq!(text(8, 1, &[7, 8, 63, 64, 255]), "7:10:77:100:377");
        assert_eq!(text(10, 1, &[]), "");
    }

    #[test]
    fn large_numbers_get_leading_zeros() {
        assert_eq!(text(10, 4, &1_410_065_407_u32.to_be_bytes()), "1410065407");
        assert_eq!(text(10, 4, &1_410_065_408_u32.to_be_bytes()), "01410065408");
        assert_eq!(text(10, 4, &u32::MAX.to_be_bytes()), "04294967295");
        assert_eq!(text(5, 4, &1_808_548_328_u32.to_be_bytes()).len(), 14);
        assert_eq!(text(5, 4, &1_808_548_329_u32.to_be_bytes()).len(), 15);
        assert_eq!(text(2, 4, &u32::MAX.to_be_bytes()), "1".repeat(32));
        assert_eq!(text(16, 4, &u32::MAX.to_be_bytes()), "ffffffff");
    }

    #[test]
    fn odd_bases() {
        assert_eq!(text(1, 1, &[0, 1, 9]), "0:00:00");
        assert_eq!(text(17, 1, &[1, 2, 3]), "::");
        assert_eq!(binary_to_ascii(0, 1, b"", &[1]), None);
        assert_eq!(binary_to_ascii(0, 1, b"", &[]), Some(Vec::new()));
    }
}
