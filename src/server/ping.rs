//! Asking an address whether somebody is there before it is offered.
//!
//! Mirrors ISC `server/dhcp.c:do_ping_check` and `server/dhcpd.c:lease_pinged`, `lease_ping_timeout`.

use super::Effect;
use super::parameters::server;
use super::reply::Reply;
use super::turn::{Ground, Turn};
use crate::lease::BindingState;
use crate::time::Seconds;
use std::net::Ipv4Addr;
use std::time::Duration;

/// A client that was heard of less than this many seconds ago is not pinged again.
const DEFAULT_CLTT_SECS: i64 = 60;
/// Seconds waited for an echo.
const DEFAULT_TIMEOUT: i64 = 1;

impl Turn<'_> {
    /// Sends a ping if the address is to be pinged, and says how long to wait.
    pub(super) fn ping_wait(
        &mut self,
        reply: &mut Reply,
        last_transaction: Seconds,
        same_client: bool,
    ) -> Option<Duration> {
        let Reply { incoming, grant, options, .. } = reply;
        if grant.id.is_none() || grant.lease.state == BindingState::Active {
            return None;
        }
        let check = self.flag(incoming, Ground::Lease(grant), options, server::PING_CHECK);
        if check.is_some_and(|flag| !flag.is_true()) {
            return None;
        }
        if same_client && last_transaction != 0 && grant.lease.state != BindingState::Abandoned {
            let quiet = self.seconds(incoming, Ground::Lease(grant), options, server::PING_CLTT_SECS);
            if self.now.wall - last_transaction < quiet.unwrap_or(DEFAULT_CLTT_SECS) {
                return None;
            }
        }
        self.effects.push(Effect::Ping(grant.lease.address));
        let seconds = self.seconds(incoming, Ground::Lease(grant), options, server::PING_TIMEOUT);
        let millis = self.seconds(incoming, Ground::Lease(grant), options, server::PING_TIMEOUT_MS);
        // Both are at most 32 bits without sign.
        let positive = |value: i64| u64::try_from(value).unwrap_or(0);
        Some(match millis.map(positive).filter(|&ms| ms > 0) {
            Some(ms) => Duration::from_millis(ms),
            None => Duration::from_secs(positive(seconds.unwrap_or(DEFAULT_TIMEOUT))),
        })
    }

    /// Offers that nobody's echo spoke against leave.
    pub(super) fn offer_unanswered(&mut self) {
        while let Some(id) = self.core.pending.timed_out(self.now.tick) {
            let Some(reply) = self.core.pending.take(id) else { return };
            self.send_reply(*reply);
        }
    }

    /// Somebody answers at an address.
    pub(super) fn pinged(&mut self, from: Ipv4Addr) {
        // Else anybody could keep us busy with forged replies.
        if self.core.pending.outstanding_pings() == 0 {
            return;
        }
        let Some(id) = self.core.leases.find(from) else {
            self.debug(format!("unexpected ICMP Echo Reply from {from}"));
            return;
        };
        if !self.core.pending.is_pinging(id) {
            self.debug(format!("ICMP Echo Reply for {from} late or spurious."));
            return;
        }
        if self.core.leases.lease(id).ends > self.now.wall {
            self.debug(format!("ICMP Echo reply while lease {from} valid."));
        }
        self.core.pending.take(id);
        self.abandon_lease(id, "pinged before offer");
    }
}
