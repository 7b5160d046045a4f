//! Subnets by address, and the network a packet belongs to.
//!
//! Mirrors ISC `server/mdb.c:find_subnet`, `find_grouped_subnet` and `server/dhcp.c:locate_network`.

use crate::config::Config;
use crate::config::network::{NetworkId, SubnetId};
use std::net::Ipv4Addr;

/// The declared subnet an address lies in, over the whole configuration.
pub fn subnet_of(config: &Config, address: Ipv4Addr) -> Option<SubnetId> {
    // As many subnets as fit into memory: below 2^32.
    config.subnets.iter().position(|s| s.prefix.contains(address)).map(|at| SubnetId(at as u32))
}

/// The subnet of one shared network an address lies in.
pub fn subnet_in_network(config: &Config, network: NetworkId, address: Ipv4Addr) -> Option<SubnetId> {
    let network = config.shared_networks.get(network.index())?;
    let holds = |id: &&SubnetId| config.subnets.get(id.index()).is_some_and(|s| s.prefix.contains(address));
    network.subnets.iter().find(holds).copied()
}

/// What a packet says about where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// Agent link selection (82.5), else subnet selection (118), whatever its length.
    pub selection: Option<&'a [u8]>,
    /// The relay, or 0.0.0.0.
    pub giaddr: Ipv4Addr,
    /// The shared network of the receiving interface.
    pub interface: NetworkId,
}

/// The shared network of a packet. A selection that is unusable or names no subnet yields none: there is no falling
/// back to the relay's address.
pub fn locate(config: &Config, origin: Origin<'_>) -> Option<NetworkId> {
    let address = match origin.selection {
        Some(octets) => Ipv4Addr::from(<[u8; 4]>::try_from(octets).ok()?),
        None if origin.giaddr.is_unspecified() => return Some(origin.interface),
        None => origin.giaddr,
    };
    let subnet = subnet_of(config, address)?;
    Some(config.subnets.get(subnet.index())?.network)
}
