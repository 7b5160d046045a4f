//! DHCPDISCOVER.
//!
//! Mirrors ISC `server/dhcp.c:dhcpdiscover`.

use super::ack::Granting;
use super::find_lease::Chosen;
use super::incoming::Incoming;
use super::logline::{client_name, requester};
use super::reply::Answer;
use super::turn::Turn;
use crate::config::network::NetworkId;
use crate::eval::bindings::Bindings;
use crate::lease::Lease;

/// Seconds an offered lease is kept for the client.
const OFFER_LIFE: i64 = 120;

impl Turn<'_> {
    /// Offers a lease: the client's own, or a free one.
    pub(super) fn discover(&mut self, mut incoming: Incoming, network: NetworkId) {
        let found = self.find_lease(&mut incoming, network);
        let prefix = {
            let lease = self.lease_of(found.lease.as_ref());
            let who =
                requester(incoming.header().htype, incoming.header().hardware_address(), lease.as_deref());
            let name = client_name(lease.as_ref().and_then(|l| l.client_hostname.as_deref()));
            format!("DHCPDISCOVER from {who} {name}via {}", self.via(&incoming))
        };
        let mut lease = found.lease;
        if let Some(Chosen::Pool(id)) = lease
            && self.refuses_with_peer(id)
        {
            lease = None;
        }
        if lease.is_none() {
            let allocation = self.allocate(&incoming, network);
            if allocation.lease.is_none() {
                if allocation.peer_has_leases {
                    self.error(format!("{prefix}: peer holds all free leases"));
                } else {
                    let network = self.network_name(network);
                    self.error(format!("{prefix}: network {network}: no free leases"));
                }
                return;
            }
            lease = allocation.lease;
        }
        let Some(chosen) = lease else { return };
        let now = self.now.wall;
        let mut soft_end = now + OFFER_LIFE;
        if let Chosen::Pool(id) = chosen {
            let lease = self.core.leases.lease(id);
            soft_end = soft_end.max(lease.ends);
            // Variables do not outlive a lease.
            if lease.ends < now && lease.bindings != Bindings::default() {
                let bindings = lease.bindings.clone();
                self.forget_functions(&bindings, "dhcp.c(437)");
                self.core.leases.update(id, |lease| lease.bindings = Bindings::default());
            }
        }
        let granting = Granting { answer: Answer::Offer, soft_end: Some(soft_end), prefix, host: None };
        self.ack_lease(incoming, chosen, &granting);
    }

    /// The lease found, to be printed.
    pub(super) fn lease_of<'l>(&'l self, chosen: Option<&'l Chosen>) -> Option<std::borrow::Cow<'l, Lease>> {
        match chosen? {
            Chosen::Pool(id) => Some(self.core.leases.lease(*id)),
            Chosen::Fixed(lease) => Some(std::borrow::Cow::Borrowed(lease)),
        }
    }
}
