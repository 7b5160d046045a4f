//! Host declarations that match a packet, and their fixed addresses.
//!
//! Mirrors ISC `server/mdb.c:find_hosts_by_*`, `find_host_for_network` and `server/dhcp.c:mockup_lease`.

use super::incoming::Incoming;
use super::turn::{Ground, Turn, fixed_lease};
use crate::config::network::{HostId, NetworkId};
use crate::eval::{Data, evaluate_data};
use crate::lease::Lease;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// Hosts that share a key, in dhcpd's order; empty when there is none.
pub(super) type Hosts = Vec<HostId>;

impl Turn<'_> {
    /// Hosts declared with the packet's client identifier.
    pub(super) fn hosts_by_uid(&self, incoming: &Incoming) -> Hosts {
        let uid = incoming.client_id();
        uid.map_or_else(Hosts::new, |uid| self.core.config.host_index.by_uid(&uid).collect())
    }

    /// Hosts declared with the packet's hardware type and address.
    pub(super) fn hosts_by_hardware(&self, incoming: &Incoming) -> Hosts {
        let header = incoming.header();
        self.core.config.hosts_by_hardware(header.htype, header.hardware_address()).collect()
    }

    /// Hosts one of whose identifying options the packet carries; the option that was declared last is tried first.
    pub(super) fn hosts_by_option(&self, incoming: &Incoming) -> Hosts {
        let index = &self.core.config.host_index;
        let found = index.identifiers().filter(|table| table.relay == 0).find_map(|table| {
            let value = incoming.options.value(table.option.space, table.option.code)?;
            let hosts: Hosts = index.by_identifier(table, value).collect();
            Some(hosts).filter(|hosts| !hosts.is_empty())
        });
        found.unwrap_or_default()
    }

    /// The first of them that has no fixed address.
    pub(super) fn without_address(&self, hosts: &[HostId]) -> Option<HostId> {
        let hosts = hosts.iter().copied();
        hosts
            .into_iter()
            .find(|id| self.core.config.hosts.get(id.index()).is_some_and(|h| h.fixed_address.is_none()))
    }

    /// A lease for the first fixed address of these hosts that lies in a network.
    pub(super) fn mock_up(&mut self, hosts: &[HostId], network: NetworkId) -> Option<Box<Lease>> {
        for &host in hosts {
            for address in self.fixed_addresses(host) {
                if let Some(subnet) = self.core.config.subnet_in_network(network, address) {
                    return Some(Box::new(fixed_lease(&self.core.config, host, address, subnet)));
                }
            }
        }
        None
    }

    /// The fixed addresses of a host, names looked up now.
    pub(super) fn fixed_addresses(&mut self, host: HostId) -> Vec<Ipv4Addr> {
        let config = Arc::clone(&self.core.config);
        let Some(expression) = config.hosts.get(host.index()).and_then(|h| h.fixed_address.as_ref()) else {
            return Vec::new();
        };
        let octets = self.evaluate(None, Ground::Global, None, |context| {
            evaluate_data(expression, context).map(Data::into_octets)
        });
        let octets = octets.as_deref().unwrap_or_default();
        octets.chunks_exact(4).filter_map(|o| <[u8; 4]>::try_from(o).ok()).map(Ipv4Addr::from).collect()
    }
}
