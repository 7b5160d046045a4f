//! Names that the C library resolves: services, and Internet addresses in the forms inet_aton(3) takes.

use std::ffi::CStr;
use std::net::Ipv4Addr;

/// The UDP port of a service in the services database.
///
/// Must be called while the process has one thread: getservbyname(3) keeps its answer in static storage.
pub fn udp_service(name: &CStr) -> Option<u16> {
    // SAFETY: both arguments are NUL-terminated; the answer is null or points to a `servent` that stays valid until
    // the next call, and only a number is copied out of it.
    let port = unsafe {
        let entry = libc::getservbyname(name.as_ptr(), c"udp".as_ptr());
        entry.as_ref().map(|entry| entry.s_port)
    }?;
    // The number is in network byte order in the low half of an int.
    Some(u16::from_be((port & 0xffff) as u16))
}

/// An address as inet_aton(3) reads it: one to four numbers in C notation, the last filling what is left.
pub fn inet_aton(text: &[u8]) -> Option<Ipv4Addr> {
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    let text = std::str::from_utf8(&text[..end]).ok()?;
    let parts: Vec<u32> = text.split('.').map(c_number).collect::<Option<_>>()?;
    let (last, leading) = parts.split_last()?;
    if leading.len() > 3 || leading.iter().any(|part| *part > 0xff) {
        return None;
    }
    let bits_left = 32 - 8 * u32::try_from(leading.len()).ok()?;
    if u64::from(*last) >= 1_u64 << bits_left {
        return None;
    }
    let mut address = *last;
    for (place, part) in leading.iter().enumerate() {
        address |= part << (24 - 8 * place);
    }
    Some(Ipv4Addr::from(address))
}

fn c_number(text: &str) -> Option<u32> {
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u32::from_str_radix(hex, 16).ok();
    }
    match text.strip_prefix('0') {
        Some("") => Some(0),
        Some(octal) => u32::from_str_radix(octal, 8).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let read = |text: &str| inet_aton(text.as_bytes()).map(|address| address.to_string());
        assert_eq!(read("10.1.2.3"), Some("10.1.2.3".into()));
        assert_eq!(read("10.1"), Some("10.0.0.1".into()));
        assert_eq!(read("0x7f.010.1"), Some("127.8.0.1".into()));
        assert_eq!(read("4294967295"), Some("255.255.255.255".into()));
        assert_eq!(read("1.2.3.4 x"), Some("1.2.3.4".into()));
        for bad in ["", "a", "1.2.3.4.5", "256.1.1.1", "1.2.3.256", "1..2", "+1"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
