//! Which interfaces are served, and the lines dhcpd prints about it.
//!
//! Mirrors ISC `common/discover.c:discover_interfaces` and `server/dhcpd.c:dhcpd_interface_setup_hook`. A pure
//! function: the system's interfaces in, the steps of start-up out; `runtime` walks the steps and opens sockets.

use super::Interface;
use super::logline::hardware_text;
use crate::config::Config;
use crate::config::network::{NetworkId, SubnetId};
use crate::log::Line;
use std::net::Ipv4Addr;

/// An interface the server serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// As discovered.
    pub interface: Interface,
    /// Its shared network.
    pub network: NetworkId,
    /// Its first address: server identifier and source of what leaves through it. An `interface` statement lets an
    /// interface without address be served.
    pub address: Option<Ipv4Addr>,
}

/// What start-up does, in dhcpd's order.
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

/// An interface of dhcpd's list while it is being decided about.
struct Candidate<'a> {
    name: String,
    requested: bool,
    network: Option<NetworkId>,
    interface: Option<&'a Interface>,
}

/// What the system shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discovered {
    /// In the system's order, every interface that is up and either can broadcast and is neither loopback nor
    /// point-to-point, or is named on the command line or by an `interface` statement.
    pub interfaces: Vec<Interface>,
    /// All their addresses in the system's order, each with the index of its interface. The addresses of an interface
    /// and those of its aliases (`eth0:1`, an interface of its own) may alternate.
    pub addresses: Vec<(usize, Ipv4Addr)>,
}

/// Decides which interfaces are served. `requested` holds the names of the command line in order.
pub fn match_interfaces(config: &Config, discovered: &Discovered, requested: &[String]) -> Plan {
    let mut steps = Vec::new();
    let mut list = named(config, requested);
    // With names, only those are served, yet every interface takes part in the matching.
    let automatic = list.is_empty();
    let mut subnet_owner: Vec<Option<usize>> = vec![None; config.subnets.len()];
    let mut network_owner: Vec<Option<usize>> = vec![None; config.shared_networks.len()];
    for (at, candidate) in list.iter().enumerate() {
        if let Some(owner) = candidate.network.and_then(|n| network_owner.get_mut(n.index())) {
            owner.get_or_insert(at);
        }
    }
    let mut place = Vec::with_capacity(discovered.interfaces.len());
    for interface in &discovered.interfaces {
        let at = match list.iter().position(|c| c.name == interface.name) {
            Some(at) => at,
            None => {
                list.push(Candidate {
                    name: interface.name.clone(),
                    requested: automatic,
                    network: None,
                    interface: None,
                });
                list.len() - 1
            }
        };
        list[at].interface = Some(interface);
        place.push(at);
    }
    for &(interface, address) in &discovered.addresses {
        let Some(&at) = place.get(interface) else { continue };
        if let Some(fatal) =
            attach(config, &mut list, at, address, &mut subnet_owner, &mut network_owner, &mut steps)
        {
            steps.push(Step::Fatal(fatal));
            return Plan { served: Vec::new(), steps };
        }
    }
    let has_address: Vec<bool> = subnet_owner.iter().map(Option::is_some).collect();
    open(config, &list, has_address, steps)
}

/// As much of a name as an interface can have (`IFNAMSIZ` without its final NUL): of a longer one in the configuration
/// dhcpd takes the beginning.
fn kernel_name(name: &str) -> &str {
    (0..=15).rev().find_map(|end| name.get(..end.min(name.len()))).unwrap_or(name)
}

/// The interfaces named on the command line, then those of `interface` statements. The later one comes first in the
/// end: the list is walked from its end.
fn named<'a>(config: &Config, requested: &[String]) -> Vec<Candidate<'a>> {
    let mut list: Vec<Candidate<'a>> = Vec::new();
    let mut add = |name: &str, network: Option<NetworkId>| {
        if !list.iter().any(|c| c.name == name) {
            list.push(Candidate { name: name.to_owned(), requested: true, network, interface: None });
        }
    };
    for name in requested {
        add(name, None);
    }
    for (index, network) in config.shared_networks.iter().enumerate() {
        // As many networks as fit into memory: below 2^32.
        let id = NetworkId(index as u32);
        let of_subnets =
            network.subnets.iter().filter_map(|s| config.subnets.get(s.index())?.interface.as_deref());
        for name in network.interface.as_deref().into_iter().chain(of_subnets) {
            add(kernel_name(name), Some(id));
        }
    }
    list
}

/// One address of one interface: connects subnet, shared network and interface. Returns the fatal line, if any.
fn attach(
    config: &Config,
    list: &mut [Candidate<'_>],
    at: usize,
    address: Ipv4Addr,
    subnet_owner: &mut [Option<usize>],
    network_owner: &mut [Option<usize>],
    steps: &mut Vec<Step>,
) -> Option<Line> {
    let subnet = config.subnet_containing(address)?;
    let network = config.subnets.get(subnet.index())?.network;
    let mut several = |what: &str, first: &str, second: &str| {
        steps.push(Step::Log(Line::error(format!("Multiple interfaces match the {what}: {first} {second}"))));
    };
    match subnet_owner.get_mut(subnet.index())? {
        owner @ None => *owner = Some(at),
        Some(owner) if *owner != at => several("same subnet", &list[*owner].name, &list[at].name),
        Some(_) => {}
    }
    match list[at].network {
        None => list[at].network = Some(network),
        Some(other) if other != network => {
            return Some(Line::error(format!(
                "Interface {} matches multiple shared networks",
                list[at].name
            )));
        }
        Some(_) => {}
    }
    match network_owner.get_mut(network.index())? {
        owner @ None => *owner = Some(at),
        Some(owner) if *owner != at => several("same shared network", &list[*owner].name, &list[at].name),
        Some(_) => {}
    }
    None
}

/// Opens what is to be served, the interface found last first.
fn open(config: &Config, list: &[Candidate<'_>], mut has_address: Vec<bool>, mut steps: Vec<Step>) -> Plan {
    let mut served = Vec::new();
    for candidate in list.iter().rev().filter(|c| c.requested) {
        let addresses = candidate.interface.map_or(&[][..], |i| &i.addresses);
        let Some(network) = candidate.network else {
            steps.extend(no_subnet(&candidate.name, addresses).into_iter().map(Step::Log));
            continue;
        };
        let Some(shared) = config.shared_networks.get(network.index()) else { continue };
        for &SubnetId(subnet) in &shared.subnets {
            match has_address.get_mut(subnet as usize) {
                Some(known) if !*known && !addresses.is_empty() => *known = true,
                Some(false) => {
                    let text = format!("{} missing an interface address", candidate.name);
                    steps.push(Step::Log(Line::error(text)));
                }
                _ => {}
            }
        }
        let Some(interface) = candidate.interface else {
            steps.push(Step::Fatal(Line::error("Failed to get interface index: No such device")));
            return Plan { served: Vec::new(), steps };
        };
        let hardware = hardware_text(&interface.hardware.address);
        let tail = format!("LPF/{}/{hardware}/{}", interface.name, shared.name);
        steps.push(Step::Open {
            served: served.len(),
            lines: [Line::info(format!("Listening on {tail}")), Line::info(format!("Sending on   {tail}"))],
        });
        served.push(Served { interface: interface.clone(), network, address: addresses.first().copied() });
    }
    if served.is_empty() {
        steps.push(Step::Log(Line::info("")));
        steps.push(Step::Fatal(Line::error("Not configured to listen on any interfaces!")));
    } else {
        steps.push(Step::Fallback(Line::info("Sending on   Socket/fallback/fallback-net")));
    }
    Plan { served, steps }
}

/// The lines about an interface that is in no declared subnet.
fn no_subnet(name: &str, addresses: &[Ipv4Addr]) -> [Line; 7] {
    let address = addresses.first().map_or("no IPv4 addresses".to_owned(), Ipv4Addr::to_string);
    [
        String::new(),
        format!("No subnet declaration for {name} ({address})."),
        format!("** Ignoring requests on {name}.  If this is not what"),
        "   you want, please write a subnet declaration".to_owned(),
        "   in your dhcpd.conf file for the network segment".to_owned(),
        format!("   to which interface {name} is attached. **"),
        String::new(),
    ]
    .map(Line::error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::network::Hardware;
    use crate::config::{Family, build};
    use crate::syntax;

    const TWO: &str = "subnet 10.0.0.0 netmask 255.255.255.0 { } subnet 10.1.0.0 netmask 255.255.255.0 { }";

    /// The lines of start-up, and the names of what is served.
    fn plan(conf: &str, interfaces: &[(&str, &[[u8; 4]])], requested: &[&str]) -> (Vec<String>, Vec<String>) {
        let parsed = syntax::parse(b"dhcpd.conf", conf.as_bytes().to_vec(), &mut |_: &[u8]| {
            unreachable!("no include")
        });
        let config = build(&parsed, Family::V4).config;
        let mut discovered = Discovered::default();
        for (at, (name, addresses)) in interfaces.iter().enumerate() {
            let addresses: Vec<Ipv4Addr> = addresses.iter().map(|&octets| octets.into()).collect();
            discovered.addresses.extend(addresses.iter().map(|&address| (at, address)));
            discovered.interfaces.push(Interface {
                name: (*name).to_owned(),
                index: at as u32,
                hardware: Hardware { htype: 1, address: vec![2, at as u8] },
                addresses,
            });
        }
        let requested: Vec<String> = requested.iter().map(|&name| name.to_owned()).collect();
        let plan = match_interfaces(&config, &discovered, &requested);
        let mut lines = Vec::new();
        for step in plan.steps {
            match step {
                Step::Log(line) | Step::Fallback(line) | Step::Fatal(line) => lines.push(line),
                Step::Open { lines: both, .. } => lines.extend(both),
            }
        }
        let lines = lines.into_iter().map(|line| String::from_utf8_lossy(&line.text).into_owned());
        (lines.collect(), plan.served.into_iter().map(|served| served.interface.name).collect())
    }

    #[test]
    fn the_interface_found_last_is_opened_first() {
        let (lines, served) = plan(TWO, &[("eth0", &[[10, 0, 0, 1]]), ("eth1", &[[10, 1, 0, 1]])], &[]);
        assert_eq!(served, ["eth1", "eth0"]);
        assert_eq!(
            lines,
            [
                "Listening on LPF/eth1/02:01/10.1.0.0/24",
                "Sending on   LPF/eth1/02:01/10.1.0.0/24",
                "Listening on LPF/eth0/02:00/10.0.0.0/24",
                "Sending on   LPF/eth0/02:00/10.0.0.0/24",
                "Sending on   Socket/fallback/fallback-net"
            ]
        );
    }

    #[test]
    fn interfaces_outside_all_subnets_are_ignored() {
        let (lines, served) = plan(TWO, &[("eth0", &[[10, 0, 0, 1]]), ("eth1", &[])], &[]);
        assert_eq!(served, ["eth0"]);
        assert_eq!(
            lines[..7],
            [
                "",
                "No subnet declaration for eth1 (no IPv4 addresses).",
                "** Ignoring requests on eth1.  If this is not what",
                "   you want, please write a subnet declaration",
                "   in your dhcpd.conf file for the network segment",
                "   to which interface eth1 is attached. **",
                ""
            ]
        );
        let (lines, served) = plan(TWO, &[("eth0", &[[192, 0, 2, 1]])], &[]);
        assert!(served.is_empty());
        assert_eq!(lines[1], "No subnet declaration for eth0 (192.0.2.1).");
        assert_eq!(lines[7..], ["", "Not configured to listen on any interfaces!"]);
    }

    #[test]
    fn names_on_the_command_line_leave_the_others_out() {
        let interfaces: &[(&str, &[[u8; 4]])] = &[("eth0", &[[10, 0, 0, 1]]), ("eth1", &[[10, 0, 0, 2]])];
        let (lines, served) = plan(TWO, interfaces, &["eth1"]);
        assert_eq!(served, ["eth1"]);
        assert_eq!(
            lines[..2],
            [
                "Multiple interfaces match the same subnet: eth0 eth1",
                "Multiple interfaces match the same shared network: eth0 eth1"
            ]
        );
        let (lines, _) = plan(TWO, interfaces, &["nosuch0"]);
        assert_eq!(lines[3], "No subnet declaration for nosuch0 (no IPv4 addresses).");
    }

    #[test]
    fn an_interface_in_two_networks_is_fatal() {
        let (lines, served) = plan(TWO, &[("eth0", &[[10, 0, 0, 1], [10, 1, 0, 1]])], &[]);
        assert!(served.is_empty());
        assert_eq!(lines, ["Interface eth0 matches multiple shared networks"]);
    }
}
