//! DHCPREQUEST. The four client states are told apart only by what the packet carries.
//!
//! Mirrors ISC `server/dhcp.c:dhcprequest` and the part of `dhcp` that gives a renewing client its relay's options back.

use super::ack::Granting;
use super::find_lease::{Chosen, Found};
use super::incoming::Incoming;
use super::logline::{client_name, requester};
use super::reply::Answer;
use super::turn::{Turn, same_hardware};
use crate::config::network::SubnetId;
use crate::options::{Received, Spaces};
use std::net::Ipv4Addr;

/// What to do with a request whose network does not fit.
enum Misplaced {
    Nak,
    Ignore(&'static str),
}

impl Turn<'_> {
    /// Grants, refuses or ignores the address asked for.
    pub(super) fn request(&mut self, mut incoming: Incoming) {
        let requested = incoming.requested_address();
        let address = requested.unwrap_or(incoming.header().ciaddr);
        let mut subnet = self.core.config.subnet_containing(address);
        // The search is in the network of the address, not in that of the packet.
        let Found { lease, ours } = match subnet.and_then(|s| self.network_of(s)) {
            Some(network) => self.find_lease(&mut incoming, network),
            None => Found::default(),
        };
        let prefix = self.request_prefix(&incoming, address, lease.as_ref());
        if let Some(Chosen::Pool(id)) = lease
            && self.refuses_request_with_peer(id, &prefix)
        {
            return;
        }
        match self.misplaced(&incoming, requested.is_some(), address, &mut subnet) {
            None => {}
            Some(Misplaced::Nak) => {
                self.info(format!("{prefix}: wrong network."));
                self.nak_lease(&mut incoming, address, None);
                return;
            }
            Some(Misplaced::Ignore(why)) => {
                self.info(format!("{prefix}: ignored ({why})."));
                return;
            }
        }
        match lease {
            None if ours => {
                self.info(format!("{prefix}: lease {address} unavailable."));
                let scope = subnet.map(|s| self.subnet_scope(s));
                self.nak_lease(&mut incoming, address, scope);
            }
            None => self.info(format!("{prefix}: unknown lease {address}.")),
            Some(chosen) => {
                let granting = Granting { answer: Answer::Ack, soft_end: None, prefix, host: None };
                self.ack_lease(incoming, chosen, &granting);
            }
        }
    }

    fn request_prefix(&self, incoming: &Incoming, address: Ipv4Addr, chosen: Option<&Chosen>) -> String {
        let lease = self.lease_of(chosen);
        let server = incoming.server_identifier().map_or_else(String::new, |address| format!(" ({address})"));
        let who = requester(incoming.header().htype, incoming.header().hardware_address(), lease.as_deref());
        let name = client_name(lease.as_ref().and_then(|l| l.client_hostname.as_deref()));
        format!("DHCPREQUEST for {address}{server} from {who} {name}via {}", self.via(incoming))
    }

    /// Is the client, as far as can be known, on another network than the address it asks for? Only a relay, or a
    /// request that was broadcast, lets us know where it is.
    fn misplaced(
        &self,
        incoming: &Incoming,
        has_requested: bool,
        address: Ipv4Addr,
        subnet: &mut Option<SubnetId>,
    ) -> Option<Misplaced> {
        let Some(network) = incoming.network else {
            return Some(match *subnet {
                Some(subnet) if self.is_authoritative(self.subnet_scope(subnet)) => Misplaced::Nak,
                Some(_) => Misplaced::Ignore("not authoritative"),
                None => Misplaced::Ignore("unknown subnet"),
            });
        };
        let (ciaddr, giaddr) = (incoming.ciaddr(), incoming.giaddr());
        if !((ciaddr.is_some() && giaddr.is_some()) || (has_requested && ciaddr.is_none())) {
            return None;
        }
        *subnet = self.core.config.subnet_in_network(network, address);
        if subnet.is_some() {
            return None;
        }
        let scope = self.core.config.shared_networks.get(network.index())?.scope;
        Some(if self.is_authoritative(scope) {
            Misplaced::Nak
        } else {
            Misplaced::Ignore("not authoritative")
        })
    }

    /// A renewing client reaches us without its relay: the packet is treated as if it carried the agent options that
    /// came with the client's last request.
    pub(super) fn unstash_agent_options(&mut self, incoming: &mut Incoming) {
        let Some(address) = incoming.ciaddr() else { return };
        if incoming.giaddr().is_some() || incoming.has_agent_options() {
            return;
        }
        let Some(id) = self.core.leases.find(address) else { return };
        let lease = self.core.leases.lease(id);
        if lease.agent_options.is_empty() || lease.ends < self.now.wall {
            return;
        }
        let own = match &lease.uid {
            Some(uid) => incoming.client_id().as_ref() == Some(uid),
            None => same_hardware(&lease, &incoming.hardware()),
        };
        if !own {
            return;
        }
        let spaces = &self.core.config.spaces;
        for kept in &lease.agent_options {
            let option = spaces.by_code(Spaces::AGENT, u32::from(kept.code));
            incoming.options.push(spaces, option, Received { octets: kept.value.clone(), had_nuls: false });
        }
        incoming.agent_options_stashed = true;
    }
}
