//! System calls. The only folder of the crate in which `unsafe` is allowed; every block says why it is sound.
#![allow(unsafe_code)]

pub mod clock;
pub mod fork;
pub mod lpf;
pub mod names;
pub mod signals;
pub mod udp;

use std::ffi::CStr;
use std::io;
use std::os::fd::AsRawFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The text of an error number as C's `%m` prints it (no "(os error N)").
pub fn strerror(errno: i32) -> String {
    let mut buffer = [0 as libc::c_char; 256];
    // SAFETY: the buffer is writable for the length given; the XSI variant (libc's `strerror_r` on every platform)
    // fills it with a NUL-terminated text.
    let status = unsafe { libc::strerror_r(errno, buffer.as_mut_ptr(), buffer.len()) };
    if status != 0 {
        return format!("Unknown error {errno}");
    }
    // SAFETY: the call succeeded, so the buffer holds a NUL-terminated string.
    unsafe { CStr::from_ptr(buffer.as_ptr()) }.to_string_lossy().into_owned()
}

/// A socket type that keeps one open descriptor for as long as it lives.
pub trait OwnsDescriptor: AsRawFd {}
impl OwnsDescriptor for lpf::PacketSocket {}
impl OwnsDescriptor for udp::Fallback {}
impl OwnsDescriptor for udp::Icmp {}

/// Has the event loop watch a socket for something to read and for errors.
///
/// # Errors
/// As epoll_ctl(2).
pub fn watch<T: OwnsDescriptor>(socket: T) -> io::Result<AsyncFd<T>> {
    // SAFETY: types that implement `OwnsDescriptor` keep the same open descriptor until they are dropped.
    unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE | Interest::ERROR) }
        .map_err(|error| error.into_parts().1)
}

/// [`strerror`] of an I/O error; errors that do not come from the system print themselves.
pub fn percent_m(error: &std::io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), strerror)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_print_as_percent_m() {
        assert_eq!(strerror(libc::ENOENT), "No such file or directory");
        assert_eq!(percent_m(&std::io::Error::from_raw_os_error(libc::EADDRINUSE)), "Address already in use");
        assert_eq!(strerror(99_999), "Unknown error 99999");
    }
}
