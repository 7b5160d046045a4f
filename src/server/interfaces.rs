//! Which interfaces are served, and the lines dhcpd prints about it.
//!
//! Mirrors ISC `common/discover.c:discover_interfaces` and `server/dhcpd.c:dhcpd_interface_setup_hook`.

use super::Interface;
use crate::config::Config;
use crate::config::network::NetworkId;
use crate::log::Line;
use std::net::Ipv4Addr;

/// An interface the server serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// As discovered.
    pub interface: Interface,
    /// Its shared network.
    pub network: NetworkId,
    /// Its first address: server identifier and source of what leaves through it.
    pub address: Ipv4Addr,
}

/// What start-up does about one interface, in dhcpd's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Print a line.
    Log(Line),
    /// Open the packet socket of `Plan::served[n]`, then print the two lines.
    Open {
        /// Index into [`Plan::served`].
        served: usize,
        /// `Listening on LPF/eth0/00:01:02:03:04:05/10.0.0.0/24`, `Sending on   LPF/...`
        lines: [Line; 2],
    },
    /// Open the fallback socket, then print the line.
    Fallback(Line),
    /// Print the line and the trailer, and end with status 1.
    Fatal(Line),
}

/// The outcome of [`match_interfaces`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The interfaces to serve; their index is the [`super::InterfaceId`].
    pub served: Vec<Served>,
    /// What to do, in order.
    pub steps: Vec<Step>,
}

/// Decides which interfaces are served.
///
/// `discovered` holds the candidates in the system's order: with no names on the command line all that are up, can
/// broadcast, and are neither loopback nor point-to-point; else those named. `requested` holds the names of the
/// command line in order; one that is not among the candidates is fatal.
pub fn match_interfaces(config: &Config, discovered: &[Interface], requested: &[String]) -> Plan {
    let _ = (config, discovered, requested);
    Plan { served: Vec::new(), steps: Vec::new() }
}
