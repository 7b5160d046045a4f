//! Whether a lease is young enough to be given again unaltered, without the file being written
//! (`dhcp-cache-threshold`).
//!
//! Mirrors ISC `server/dhcp.c:reuse_lease`.

use super::ack::Work;
use super::parameters::server;
use super::turn::{Grant, Ground, Turn};
use crate::lease::{BindingState, Lease};

/// Percent of a lease's length during which it is reused.
const DEFAULT_THRESHOLD: u8 = 25;

impl Turn<'_> {
    /// The client being the same, is the lease it has good enough?
    pub(super) fn is_reusable(&mut self, work: &mut Work, new: &mut Lease) -> bool {
        let lease = &work.grant.lease;
        if lease.cannot_reuse || lease.state != BindingState::Active {
            return false;
        }
        let (starts, ends, address) = (lease.starts, lease.ends, lease.address);
        // The threshold sees the variables of the lease to be.
        let mut to_be = Grant { id: work.grant.id, lease: new.clone() };
        let Work { incoming, options, .. } = work;
        let value =
            self.parameter(incoming, Ground::Lease(&mut to_be), options, server::DHCP_CACHE_THRESHOLD);
        new.bindings = to_be.lease.bindings;
        let threshold = match value.as_deref() {
            Some(&[percent]) if percent < 100 => percent,
            _ => DEFAULT_THRESHOLD,
        };
        if threshold == 0 {
            return false;
        }
        let age = new.starts - starts;
        let length = ends - starts;
        if age > limit(length, i64::from(threshold)) {
            return false;
        }
        self.debug(format!(
            "reuse_lease: lease age {age} (secs) under {threshold}% threshold, reply with unaltered, existing lease \
             for {address}"
        ));
        true
    }
}

/// That many percent of a length, as dhcpd reckons with 32 bits.
fn limit(length: i64, percent: i64) -> i64 {
    if length <= i64::from(i32::MAX) / percent { length * percent / 100 } else { length / 100 * percent }
}
