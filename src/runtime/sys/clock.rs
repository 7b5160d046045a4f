//! The clocks: wall time, monotonic time, and the local time stamp of syslog.
#![allow(clippy::disallowed_methods)] // this is where `time::Now` comes from

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::time::Now;

/// Seconds and microseconds since 1970.
pub fn wall() -> (i64, u32) {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => (i64::try_from(since.as_secs()).unwrap_or(i64::MAX), since.subsec_micros()),
        Err(before) => (-i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX), 0),
    }
}

/// The moment an event is handled. Ticks count from the first call.
pub fn now() -> Now {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    let origin = *ORIGIN.get_or_init(Instant::now);
    Now { wall: wall().0, tick: origin.elapsed() }
}

/// `Mon dd hh:mm:ss` in local time, the day padded with a blank: what glibc's syslog(3) puts in front of a message.
///
/// The C library keeps the time zone it has read first, so the stamp stays right after `-chroot`.
pub fn syslog_stamp(seconds: i64) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    // SAFETY: an all-zero `tm` is a valid value, and both pointers are to live locals; `localtime_r` writes only
    // through the second.
    let local = unsafe {
        let mut local: libc::tm = std::mem::zeroed();
        libc::localtime_r(&seconds, &mut local);
        local
    };
    let month = usize::try_from(local.tm_mon).ok().and_then(|month| MONTHS.get(month)).unwrap_or(&"Jan");
    format!("{month} {:2} {:02}:{:02}:{:02}", local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_have_fifteen_characters() {
        for seconds in [0, 1_000_000_000, 4_000_000_000] {
            assert_eq!(syslog_stamp(seconds).len(), 15);
        }
    }

    #[test]
    fn ticks_go_forward() {
        let first = now();
        assert!(now().tick >= first.tick);
        assert!(first.wall > 1_600_000_000);
    }
}
