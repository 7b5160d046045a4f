//! Time as a value. The layers below `runtime` never read a clock.
//!
//! Mirrors dhcpd's `cur_time` (whole seconds since 1970, advanced once per event), plus a monotonic tick for
//! everything that waits less than a second (ping timeouts, delayed ACKs), so that a stepped wall clock cannot
//! stall a timer.

use std::time::Duration;

/// Seconds since 1970-01-01 UTC, as stored in leases and in the lease file.
pub type Seconds = i64;

/// The end of an infinite lease; printed as `never` in the lease file (ISC `MAX_TIME`).
pub const NEVER: Seconds = 0x7fff_ffff;

/// The moment an event is handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now {
    /// Wall clock, whole seconds since 1970.
    pub wall: Seconds,
    /// Monotonic time since some fixed origin.
    pub tick: Duration,
}
