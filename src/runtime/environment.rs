//! What expressions may ask of the outside world: names, addresses, the host's name, programs.
//!
//! All of it waits for the answer, as dhcpd does: the server stands still meanwhile.

use std::ffi::OsStr;
use std::net::Ipv4Addr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use super::sys;
use crate::eval::{Environment, NotRun, ResolveError};
use crate::time::Seconds;

/// The system the server runs on.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Environment for System {
    fn resolve(&mut self, name: &str) -> Result<Vec<Ipv4Addr>, ResolveError> {
        sys::names::addresses_of(name)
    }

    fn reverse(&mut self, address: Ipv4Addr) -> Option<String> {
        sys::names::name_of(address)
    }

    fn local_offset(&self, time: Seconds) -> Seconds {
        let utc = chrono::DateTime::from_timestamp(time, 0).unwrap_or_default();
        let local = utc.with_timezone(&chrono::Local);
        Seconds::from(chrono::Offset::fix(local.offset()).local_minus_utc())
    }

    fn hostname(&mut self) -> Vec<u8> {
        nix::unistd::gethostname().map(|name| name.as_bytes().to_vec()).unwrap_or_default()
    }

    fn execute(&mut self, command: &[u8], arguments: &[Vec<u8>]) -> Result<i32, NotRun> {
        let arguments = arguments.iter().map(|argument| OsStr::from_bytes(argument));
        let status = Command::new(OsStr::from_bytes(command)).args(arguments).status();
        status.map(ExitStatusExt::into_raw).map_err(|error| match error.raw_os_error() {
            // What fork(2) fails with; execve(2) hardly ever does.
            Some(libc::EAGAIN | libc::ENOMEM) => NotRun::NoProcess,
            _ => NotRun::NotStarted(sys::percent_m(&error)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses() {
        assert_eq!(System.resolve("127.0.0.1"), Ok(vec![Ipv4Addr::LOCALHOST]));
        assert_eq!(System.resolve(""), Err(ResolveError::HostUnknown));
        assert_eq!(System.resolve("a\0b"), Err(ResolveError::HostUnknown));
        assert!(!System.hostname().is_empty());
    }

    #[test]
    fn programs() {
        assert_eq!(System.execute(b"sh", &[b"-c".to_vec(), b"exit 3".to_vec()]), Ok(3 << 8));
        assert_eq!(System.execute(b"sh", &[b"-c".to_vec(), b"kill -9 $$".to_vec()]), Ok(9));
        assert_eq!(
            System.execute(b"/no/such", &[]),
            Err(NotRun::NotStarted("No such file or directory".into()))
        );
    }
}
