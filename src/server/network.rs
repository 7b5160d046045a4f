//! The network a packet belongs to.
//!
//! Mirrors ISC `server/dhcp.c:locate_network`.

use crate::config::Config;
use crate::config::network::NetworkId;
use std::net::Ipv4Addr;

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
    config.network_of(config.subnet_containing(address)?)
}
