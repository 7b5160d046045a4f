//! DHCPRELEASE and DHCPDECLINE.
//!
//! Mirrors ISC `server/dhcp.c:dhcprelease` and `dhcpdecline`.

use super::incoming::Incoming;
use super::logline::{client_name, hardware_text, requester};
use super::parameters::{dhcp, server};
use super::turn::{Grant, Ground, Turn, same_hardware};
use crate::eval::ReplyOptions;
use crate::eval::settings::Flag;
use crate::lease::LeaseId;

impl Turn<'_> {
    /// The client gives its address back.
    pub(super) fn release(&mut self, mut incoming: Incoming) {
        let chaddr = hardware_text(incoming.header().hardware_address());
        if incoming.option(dhcp::REQUESTED_ADDRESS).is_some() {
            self.info(format!("DHCPRELEASE from {chaddr} specified requested-address."));
        }
        let ciaddr = incoming.header().ciaddr;
        let lease = self.core.leases.find(ciaddr);
        // The client identifier does not matter, the hardware does.
        let lease = lease.filter(|&id| same_hardware(&self.core.leases.lease(id), &incoming.hardware()));
        let prefix = self.about_lease(&incoming, "DHCPRELEASE", ciaddr, lease);
        let found = if lease.is_some() { "found" } else { "not found" };
        if let Some(id) = lease {
            if self.ignores_with_peer(id, false) {
                return;
            }
            if self.core.leases.lease(id).ends > self.now.wall {
                self.release_lease(id, &mut incoming);
            }
        }
        if !self.is_over() {
            self.info_when_committed(format!("{prefix} ({found})"));
        }
    }

    /// Somebody else uses the address.
    pub(super) fn decline(&mut self, mut incoming: Incoming) {
        let Some(address) = incoming.requested_address() else { return };
        let lease = self.core.leases.find(address);
        let prefix = self.about_lease(&incoming, "DHCPDECLINE", address, lease);
        let mut options = ReplyOptions::new();
        let scope = lease.map(|id| self.subnet_scope(self.core.leases.place(id).2));
        if let Some(scope) = scope {
            self.run_scopes(&mut incoming, Ground::Global, &mut options, scope, None);
        }
        self.run_class_scopes(&mut incoming, None, &mut options, scope);
        let flag = match lease {
            Some(id) => {
                let mut grant = Grant::of(&self.core.leases, id);
                self.flag(&mut incoming, Ground::Lease(&mut grant), &mut options, server::DECLINES)
            }
            None => self.flag(&mut incoming, Ground::Global, &mut options, server::DECLINES),
        };
        let flag = flag.unwrap_or(Flag::True);
        let ignore = flag == Flag::Ignore;
        if self.is_over() {
            return;
        }
        let status = match lease {
            _ if !flag.is_true() => "ignored",
            None => "not found",
            Some(id) => {
                if self.ignores_with_peer(id, ignore) {
                    return;
                }
                self.abandon_lease(id, "declined.");
                "abandoned"
            }
        };
        if !ignore && !self.is_over() {
            self.info_when_committed(format!("{prefix}: {status}"));
        }
    }

    fn about_lease(
        &self,
        incoming: &Incoming,
        message: &str,
        address: std::net::Ipv4Addr,
        lease: Option<LeaseId>,
    ) -> String {
        let lease = lease.map(|id| self.core.leases.lease(id));
        let who = requester(incoming.header().htype, incoming.header().hardware_address(), lease.as_deref());
        let name = client_name(lease.as_ref().and_then(|l| l.client_hostname.as_deref()));
        format!("{message} of {address} from {who} {name}via {}", self.via(incoming))
    }
}
