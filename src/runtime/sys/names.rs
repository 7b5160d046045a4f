//! Names that the C library resolves: services, hosts, and Internet addresses in the forms inet_aton(3) takes.

use std::ffi::{CStr, CString};
use std::mem;
use std::net::Ipv4Addr;

use crate::eval::ResolveError;

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

/// The IPv4 addresses of a host in the resolver's order.
///
/// # Errors
/// Why there are none, in the terms of gethostbyname(3).
pub fn addresses_of(name: &str) -> Result<Vec<Ipv4Addr>, ResolveError> {
    let name = CString::new(name).map_err(|_| ResolveError::HostUnknown)?;
    if name.is_empty() {
        return Err(ResolveError::HostUnknown);
    }
    // SAFETY: all-zero is a valid `addrinfo`: no pointers, no flags.
    let mut hints: libc::addrinfo = unsafe { mem::zeroed() };
    hints.ai_family = libc::AF_INET;
    hints.ai_socktype = libc::SOCK_DGRAM;
    let mut list = std::ptr::null_mut();
    // SAFETY: the name is NUL-terminated, the hints are valid, and `list` receives a list that is freed below.
    let status = unsafe { libc::getaddrinfo(name.as_ptr(), std::ptr::null(), &hints, &mut list) };
    match status {
        0 => {}
        libc::EAI_AGAIN => return Err(ResolveError::TryAgain),
        libc::EAI_FAIL => return Err(ResolveError::NoRecovery),
        libc::EAI_NODATA => return Err(ResolveError::NoAddress),
        _ => return Err(ResolveError::HostUnknown),
    }
    let mut addresses = Vec::new();
    // SAFETY: the call succeeded, so `list` is a list of valid entries ending in null; with `AF_INET` asked for, each
    // address that is there is a `sockaddr_in`. It is freed once.
    unsafe {
        let mut next = list;
        while let Some(entry) = next.as_ref() {
            if entry.ai_family == libc::AF_INET && !entry.ai_addr.is_null() {
                let address = entry.ai_addr.cast::<libc::sockaddr_in>().read_unaligned();
                addresses.push(Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr)));
            }
            next = entry.ai_next;
        }
        libc::freeaddrinfo(list);
    }
    if addresses.is_empty() { Err(ResolveError::NoAddress) } else { Ok(addresses) }
}

/// The name of an address, when it has one.
pub fn name_of(address: Ipv4Addr) -> Option<String> {
    // SAFETY: all-zero is a valid `sockaddr_in`.
    let mut socket_address: libc::sockaddr_in = unsafe { mem::zeroed() };
    socket_address.sin_family = libc::AF_INET as libc::sa_family_t;
    socket_address.sin_addr.s_addr = u32::from(address).to_be();
    let mut name = [0 as libc::c_char; 1025];
    // SAFETY: the address and the buffer are live and of the lengths given; no service name is asked for.
    let status = unsafe {
        libc::getnameinfo(
            std::ptr::from_ref(&socket_address).cast(),
            mem::size_of::<libc::sockaddr_in>() as libc::socklen_t,
            name.as_mut_ptr(),
            name.len() as libc::socklen_t,
            std::ptr::null_mut(),
            0,
            libc::NI_NAMEREQD,
        )
    };
    if status != 0 {
        return None;
    }
    // SAFETY: the call succeeded, so the buffer holds a NUL-terminated name.
    Some(unsafe { CStr::from_ptr(name.as_ptr()) }.to_string_lossy().into_owned())
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
