//! Putting dhcpd's message texts together. They are octets: names and strings of the configuration stand in them.

/// Joins pieces of text, each `&str`, `&[u8]` or alike.
macro_rules! octets {
    ($($piece:expr),* $(,)?) => {{
        let mut text: Vec<u8> = Vec::new();
        $(text.extend_from_slice(AsRef::<[u8]>::as_ref(&$piece));)*
        text
    }};
}
pub(super) use octets;

/// An identifier as dhcpd prints it: in quotes when every octet is printable ASCII, else in hexadecimal (ISC
/// `print_hex_or_string` with a buffer of 255 octets).
pub(super) fn hex_or_string(data: &[u8]) -> Vec<u8> {
    const LIMIT: usize = 255;
    let shown = data.get(..LIMIT - 3).unwrap_or(data);
    if shown.iter().all(|c| (0x20..0x7f).contains(c)) {
        return octets!("\"", shown, "\"");
    }
    if data.len() * 3 > LIMIT {
        return Vec::new();
    }
    let hex: Vec<String> = data.iter().map(|octet| format!("{octet:02x}")).collect();
    hex.join(":").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_print_as_text_or_hexadecimal() {
        assert_eq!(hex_or_string(b"abc"), b"\"abc\"");
        assert_eq!(hex_or_string(&[0, 1, 0xff]), b"00:01:ff");
        assert_eq!(hex_or_string(&[1; 86]), b"");
    }
}
