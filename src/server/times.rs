//! How long a lease is.
//!
//! Mirrors that part of ISC `server/dhcp.c:ack_lease` with `check_pool_threshold` and `leaseTimeCheck`: what the client
//! asks for, bounded by `max-lease-time` and `min-lease-time` (the minimum wins), shortened in a full pool and before the
//! end of a pool's validity.

use super::ack::Work;
use super::parameters::{dhcp, server};
use super::reply::Answer;
use super::turn::{Ground, Turn};
use crate::config::network::PoolId;
use crate::lease::Lease;
use crate::time::{NEVER, Seconds};

const DEFAULT_LEASE_TIME: i64 = 43_200;
const DEFAULT_MAX_LEASE_TIME: i64 = 86_400;
const DEFAULT_MIN_LEASE_TIME: i64 = 300;
/// What a client asks for that wants the address for ever, and what no time may reach.
const INFINITE: i64 = 0xffff_ffff;

impl Turn<'_> {
    /// When a BOOTP client's lease ends: never, unless configured.
    pub(super) fn bootp_expiry(&mut self, work: &mut Work) -> Seconds {
        let now = self.now.wall;
        let length = self.lease_seconds(work, server::BOOTP_LEASE_LENGTH);
        let cutoff = self.lease_seconds(work, server::BOOTP_LEASE_CUTOFF).map(|end| end - now);
        now + cutoff.or(length).unwrap_or(NEVER - now)
    }

    /// When the lease ends that the client is told about. `None`: the pool is not valid now, and the client was sent a
    /// NAK.
    pub(super) fn lease_expiry(
        &mut self,
        work: &mut Work,
        answer: Answer,
        new: &mut Lease,
    ) -> Option<Seconds> {
        let now = self.now.wall;
        let default = self.lease_seconds(work, server::DEFAULT_LEASE_TIME).unwrap_or(DEFAULT_LEASE_TIME);
        let mut length = self.asked_length(work, new).unwrap_or(default);
        let max = self.lease_seconds(work, server::MAX_LEASE_TIME).unwrap_or(DEFAULT_MAX_LEASE_TIME);
        length = length.min(max);
        let min = self.lease_seconds(work, server::MIN_LEASE_TIME).unwrap_or(DEFAULT_MIN_LEASE_TIME.min(max));
        if let Some(pool) = work.grant.pool() {
            length = self.adapt_length(work, pool, length, min);
            if answer == Answer::Ack {
                self.check_pool_threshold(work, pool);
            }
            length = self.within_validity(work, pool, length)?;
        }
        if length < min {
            length = if min == 0 { default } else { min };
        }
        if length == INFINITE {
            return Some(NEVER);
        }
        let end = now + length;
        Some(if end >= INFINITE || end < now { NEVER - 1 } else { end })
    }

    /// Option 51 of the request. All ones may reserve the lease.
    fn asked_length(&mut self, work: &mut Work, new: &mut Lease) -> Option<i64> {
        let octets = <[u8; 4]>::try_from(work.incoming.option(dhcp::LEASE_TIME)?).ok()?;
        let asked = i64::from(u32::from_be_bytes(octets));
        if asked == INFINITE
            && let Some(flag) = self.lease_flag(work, server::INFINITE_IS_RESERVED)
            && flag.is_true()
        {
            new.reserved = true;
            self.info(format!("Infinite-leasetime reservation made on {}.", new.address));
        }
        Some(asked)
    }

    /// `adaptive-lease-time-threshold`: short leases while the pool is nearly used up.
    fn adapt_length(&mut self, work: &mut Work, pool: PoolId, length: i64, min: i64) -> i64 {
        let threshold = match self.lease_parameter(work, server::ADAPTIVE_LEASE_TIME_THRESHOLD).as_deref() {
            Some(&[percent]) if (1..100).contains(&percent) => i64::from(percent),
            _ => return length,
        };
        let remaining = work.grant.lease.ends - self.now.wall;
        let least = if min == 0 { DEFAULT_MIN_LEASE_TIME } else { min };
        let adaptive = least.max(remaining);
        let counts = self.core.leases.counts(pool);
        let used = counts.total - (counts.free + counts.backup);
        let fill = if used > i64::from(i32::MAX) / 100 {
            used / (counts.total / 100).max(1)
        } else {
            used * 100 / counts.total.max(1)
        };
        self.debug(format!(
            "Adap-lease: Total: {}, Free: {}, Ends: {}, Adaptive: {}, Fill: {fill}, Threshold: {threshold}",
            counts.total, counts.free, remaining as i32, adaptive as i32
        ));
        if fill < threshold || length <= adaptive {
            return length;
        }
        let address = work.grant.lease.address;
        self.info(format!(
            "Pool over threshold, time for {address} reduced from {} to {}.",
            length as i32, adaptive as i32
        ));
        adaptive
    }

    /// `log-threshold-high` and `-low`: one line when a pool fills, and one when it has emptied again.
    fn check_pool_threshold(&mut self, work: &mut Work, pool: PoolId) {
        let counts = self.core.leases.counts(pool);
        let used = counts.total - (counts.free + counts.backup);
        let network = self.core.config.pools.get(pool.index()).map(|p| p.network);
        let name = network.map_or_else(|| "no name".to_owned(), |n| self.network_name(n));
        let address = work.grant.lease.address;
        let total = counts.total;
        if let Some(&low) = self.core.crossed.get(&pool) {
            if used <= low {
                self.core.crossed.remove(&pool);
                self.error(format!(
                    "Pool threshold reset - shared subnet: {name}; address: {address}; low threshold {used}/{total}."
                ));
            }
            return;
        }
        let high = match self.lease_parameter(work, server::LOG_THRESHOLD_HIGH).as_deref() {
            Some(&[percent]) if (1..=100).contains(&percent) => i64::from(percent),
            _ => return,
        };
        if used < percent_of(total, high) {
            return;
        }
        self.error(format!(
            "Pool threshold exceeded - shared subnet: {name}; address: {address}; high threshold {high}% {used}/{total}."
        ));
        let low = match self.lease_parameter(work, server::LOG_THRESHOLD_LOW).as_deref() {
            Some(&[percent]) if percent <= 100 => i64::from(percent),
            _ => 0,
        };
        if low < high {
            self.core.crossed.insert(pool, percent_of(total, low));
        }
    }

    /// `allow after` and `deny after`: no leases outside the pool's time, and none beyond its end.
    fn within_validity(&mut self, work: &mut Work, pool: PoolId, length: i64) -> Option<i64> {
        let (from, until) =
            self.core.config.pools.get(pool.index()).map_or((0, 0), |p| (p.valid_from, p.valid_until));
        let now = self.now.wall;
        if (from != 0 && now < from) || (until != 0 && now >= until) {
            let address = work.grant.lease.address;
            let scope = self.subnet_scope(work.grant.lease.subnet);
            self.nak_lease(&mut work.incoming, address, Some(scope));
            return None;
        }
        Some(if until == 0 { length } else { length.min(until - now) })
    }

    /// `dhcp-renewal-time` and `dhcp-rebinding-time` that do not fit into the lease are not sent.
    pub(super) fn check_renewal_times(&mut self, work: &mut Work, length: i64) {
        let mut bound = length;
        for code in [dhcp::REBINDING_TIME, dhcp::RENEWAL_TIME] {
            let Work { incoming, grant, options, .. } = work;
            let space = crate::options::Spaces::DHCP;
            let Some(value) = self.option_value(incoming, Ground::Lease(grant), options, space, code) else {
                continue;
            };
            let mut octets = [0; 4];
            octets.iter_mut().zip(value.iter()).for_each(|(to, from)| *to = *from);
            let time = i64::from(u32::from_be_bytes(octets));
            if time >= bound {
                work.options.remove(space, code);
            } else {
                bound = time;
            }
        }
    }
}

/// That many percent of a count, as dhcpd reckons (ISC `FIND_PERCENT`).
fn percent_of(count: i64, percent: i64) -> i64 {
    if count > i64::from(i32::MAX) / 100 { count / 100 * percent } else { count * percent / 100 }
}
