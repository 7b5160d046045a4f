//! Which network interfaces are served, and in which order that is told.
//!
//! [`plan`] is pure: from the interfaces named on the command line and in the configuration, what the system shows,
//! and a look-up of subnets, it says line by line what dhcpd logs and which sockets it opens. [`system`] asks the
//! system, [`open`] carries a plan out. Mirrors ISC `common/discover.c:discover_interfaces` and
//! `server/dhcpd.c:dhcpd_interface_setup_hook`, including that an interface found later is told earlier, and that an
//! interface named on the command line that does not exist is only "ignored".

use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::os::unix::ffi::OsStrExt;

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;

use super::fatal::Fatal;
use super::logging::emit;
use super::sys::lpf::PacketSocket;
use crate::log::Line;
use crate::server::Interface;

/// One entry of getifaddrs(3): an interface, and at most one of its IPv4 addresses. An alias has its label as name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemEntry {
    /// Its name or the label of the address.
    pub name: String,
    /// It can broadcast.
    pub broadcast: bool,
    /// It is the loopback interface.
    pub loopback: bool,
    /// It has one peer only.
    pub point_to_point: bool,
    /// It is up.
    pub up: bool,
    /// An IPv4 address.
    pub address: Option<Ipv4Addr>,
}

/// The subnet an address lies in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubnetMatch {
    /// Which subnet.
    pub subnet: usize,
    /// Which shared network.
    pub network: usize,
}

/// What discovery needs to know of the configuration.
pub trait Networks {
    /// The subnet that contains the address, in dhcpd's order of lookup.
    fn subnet_of(&self, address: Ipv4Addr) -> Option<SubnetMatch>;
    /// The name of a shared network.
    fn network_name(&self, network: usize) -> &str;
    /// `interface` statements in the order of the file: the name and the shared network it is given to.
    fn declared(&self) -> Vec<(String, usize)>;
}

/// A step of start-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Log this.
    Log(Line),
    /// Open a packet socket on this interface.
    Open {
        /// The interface.
        name: String,
        /// Its IPv4 addresses in the system's order.
        addresses: Vec<Ipv4Addr>,
        /// Its shared network.
        network: usize,
    },
}

/// The order in which interfaces are opened and lines are logged, up to the fallback socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// What ends start-up after the steps.
    pub fatal: Option<Fatal>,
}

/// An interface under consideration.
struct Candidate {
    name: String,
    requested: bool,
    addresses: Vec<Ipv4Addr>,
    network: Option<usize>,
}

/// Plans the discovery. `named` are the interfaces of the command line, in order.
pub fn plan(named: &[String], entries: &[SystemEntry], networks: &impl Networks) -> Plan {
    let mut discovery = Discovery::new(named, networks);
    // When interfaces were named, the others are looked at but not served.
    let serve_all = discovery.list.is_empty();
    for entry in entries {
        if let Err(fatal) = discovery.see(entry, serve_all) {
            return Plan { steps: discovery.steps, fatal: Some(fatal) };
        }
    }
    discovery.conclude()
}

struct Discovery<'a, N> {
    networks: &'a N,
    /// In order of discovery; dhcpd puts new ones in front, so it is walked from the end.
    list: Vec<Candidate>,
    /// The interface each subnet and each shared network was given to first.
    subnet_holder: Vec<(usize, String)>,
    network_holder: Vec<(usize, String)>,
    steps: Vec<Step>,
}

impl<'a, N: Networks> Discovery<'a, N> {
    fn new(named: &[String], networks: &'a N) -> Self {
        let mut list: Vec<Candidate> = Vec::new();
        let mut network_holder: Vec<(usize, String)> = Vec::new();
        let requested = |name: &str, network| Candidate {
            name: name.to_owned(),
            requested: true,
            addresses: Vec::new(),
            network,
        };
        list.extend(named.iter().map(|name| requested(name, None)));
        for (name, network) in networks.declared() {
            // A statement that names an interface already known has no effect at all.
            if list.iter().all(|known| known.name != name) && holder(&network_holder, network).is_none() {
                network_holder.push((network, name.clone()));
                list.push(requested(&name, Some(network)));
            }
        }
        Self { networks, list, subnet_holder: Vec::new(), network_holder, steps: Vec::new() }
    }

    /// Looks at one entry of the system's list.
    fn see(&mut self, entry: &SystemEntry, serve_all: bool) -> Result<(), Fatal> {
        let known = self.list.iter().rposition(|known| known.name == entry.name);
        let unsuitable = !entry.broadcast || entry.loopback || entry.point_to_point;
        if (unsuitable && known.is_none()) || !entry.up {
            return Ok(());
        }
        let place = known.unwrap_or_else(|| {
            self.list.push(Candidate {
                name: entry.name.clone(),
                requested: serve_all,
                addresses: Vec::new(),
                network: None,
            });
            self.list.len() - 1
        });
        let (Some(address), Some(candidate)) = (entry.address, self.list.get_mut(place)) else {
            return Ok(());
        };
        candidate.addresses.push(address);
        let Some(found) = self.networks.subnet_of(address) else { return Ok(()) };
        match holder(&self.subnet_holder, found.subnet) {
            None => self.subnet_holder.push((found.subnet, entry.name.clone())),
            Some(first) if first != entry.name => {
                self.steps.push(multiple("same subnet", first, &entry.name));
            }
            Some(_) => {}
        }
        if candidate.network.is_some_and(|network| network != found.network) {
            return Err(Fatal::new(format!("Interface {} matches multiple shared networks", entry.name)));
        }
        candidate.network = Some(found.network);
        match holder(&self.network_holder, found.network) {
            None => self.network_holder.push((found.network, entry.name.clone())),
            Some(first) if first != entry.name => {
                self.steps.push(multiple("same shared network", first, &entry.name));
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Sorts out what is served.
    fn conclude(mut self) -> Plan {
        let mut opened = 0_usize;
        for candidate in self.list.into_iter().rev() {
            if !candidate.requested {
                continue;
            }
            match candidate.network {
                None => self.steps.extend(no_subnet(&candidate).into_iter().map(Step::Log)),
                Some(network) => {
                    opened += 1;
                    let Candidate { name, addresses, .. } = candidate;
                    self.steps.push(Step::Open { name, addresses, network });
                }
            }
        }
        let mut fatal = None;
        if opened == 0 {
            self.steps.push(Step::Log(Line::info("")));
            fatal = Some(Fatal::new("Not configured to listen on any interfaces!"));
        }
        Plan { steps: self.steps, fatal }
    }
}

fn holder(holders: &[(usize, String)], what: usize) -> Option<&str> {
    holders.iter().find(|(held, _)| *held == what).map(|(_, name)| name.as_str())
}

fn multiple(what: &str, first: &str, second: &str) -> Step {
    Step::Log(Line::error(format!("Multiple interfaces match the {what}: {first} {second}")))
}

fn no_subnet(candidate: &Candidate) -> [Line; 7] {
    let name = &candidate.name;
    let address =
        candidate.addresses.first().map_or_else(|| "no IPv4 addresses".to_owned(), Ipv4Addr::to_string);
    [
        Line::error(""),
        Line::error(format!("No subnet declaration for {name} ({address}).")),
        Line::error(format!("** Ignoring requests on {name}.  If this is not what")),
        Line::error("   you want, please write a subnet declaration"),
        Line::error("   in your dhcpd.conf file for the network segment"),
        Line::error(format!("   to which interface {name} is attached. **")),
        Line::error(""),
    ]
}

/// What the system shows, in its order.
///
/// # Errors
/// When the system does not tell.
pub fn system() -> Result<Vec<SystemEntry>, Fatal> {
    let addresses = getifaddrs().map_err(|errno| {
        emit(&Line::error(format!("Error getting interfaces; {}", super::sys::strerror(errno as i32))));
        Fatal::new("Can't get list of interfaces.")
    })?;
    let entry = |shown: nix::ifaddrs::InterfaceAddress| SystemEntry {
        broadcast: shown.flags.contains(InterfaceFlags::IFF_BROADCAST),
        loopback: shown.flags.contains(InterfaceFlags::IFF_LOOPBACK),
        point_to_point: shown.flags.contains(InterfaceFlags::IFF_POINTOPOINT),
        up: shown.flags.contains(InterfaceFlags::IFF_UP),
        address: shown
            .address
            .as_ref()
            .and_then(|address| address.as_sockaddr_in())
            .map(|address| address.ip()),
        name: shown.interface_name,
    };
    Ok(addresses.map(entry).collect())
}

/// An interface that is served.
#[derive(Debug)]
pub struct Served {
    /// As the engine sees it.
    pub interface: Interface,
    /// Its packet socket.
    pub socket: PacketSocket,
}

/// Carries a plan out: logs, opens the packet sockets, logs `Listening on` and `Sending on` unless `quiet`.
///
/// # Errors
/// The first socket that cannot be opened, or the plan's own fatal error.
pub fn open(plan: Plan, port: u16, quiet: bool, networks: &impl Networks) -> Result<Vec<Served>, Fatal> {
    let mut served = Vec::new();
    for step in plan.steps {
        match step {
            Step::Log(line) => emit(&line),
            Step::Open { name, addresses, network } => {
                let socket = PacketSocket::open(&name, port).map_err(|error| {
                    error.preface().into_iter().for_each(|line| emit(&Line::error(line)));
                    Fatal::new(error.to_string())
                })?;
                if !quiet {
                    let hardware = print_hardware(&socket.hardware.address);
                    let network = networks.network_name(network);
                    for direction in ["Listening on", "Sending on  "] {
                        emit(&Line::info(format!("{direction} LPF/{name}/{hardware}/{network}")));
                    }
                }
                let hardware = socket.hardware.clone();
                let interface = Interface { name, index: socket.index, hardware, addresses };
                served.push(Served { interface, socket });
            }
        }
    }
    match plan.fatal {
        Some(fatal) => Err(fatal),
        None => Ok(served),
    }
}

/// Colon-separated lower-case hex.
fn print_hardware(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(":")
}

/// The interfaces of the command line as text; names the kernel cannot have stay what they are, and match nothing.
pub fn names(words: &[OsString]) -> Vec<String> {
    words.iter().map(|word| String::from_utf8_lossy(word.as_bytes()).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Subnets 10.N.0.0/16; those with N below 10 form one shared network.
    struct Tens {
        declared: Vec<(String, usize)>,
    }

    impl Networks for Tens {
        fn subnet_of(&self, address: Ipv4Addr) -> Option<SubnetMatch> {
            let [ten, subnet, ..] = address.octets();
            let subnet = usize::from(subnet);
            (ten == 10).then_some(SubnetMatch { subnet, network: if subnet < 10 { 0 } else { subnet } })
        }
        fn network_name(&self, _: usize) -> &str {
            "net"
        }
        fn declared(&self) -> Vec<(String, usize)> {
            self.declared.clone()
        }
    }

    fn entry(name: &str, address: Option<[u8; 4]>) -> SystemEntry {
        SystemEntry {
            name: name.into(),
            broadcast: true,
            loopback: false,
            point_to_point: false,
            up: true,
            address: address.map(Ipv4Addr::from),
        }
    }

    fn entries() -> Vec<SystemEntry> {
        let loopback = SystemEntry { broadcast: false, loopback: true, ..entry("lo", Some([127, 0, 0, 1])) };
        let down = SystemEntry { up: false, ..entry("eth9", Some([10, 99, 0, 1])) };
        vec![
            loopback,
            down,
            entry("eth0", None),
            entry("eth1", None),
            entry("eth0", Some([10, 1, 0, 1])),
            entry("eth0", Some([10, 1, 0, 2])),
            entry("eth0:1", Some([10, 2, 0, 1])),
        ]
    }

    fn told(plan: &Plan) -> Vec<String> {
        plan.steps
            .iter()
            .map(|step| match step {
                Step::Log(line) => String::from_utf8_lossy(&line.text).into_owned(),
                Step::Open { name, addresses, .. } => format!("open {name} {}", addresses.len()),
            })
            .collect()
    }

    fn ignoring(name: &str, address: &str) -> Vec<String> {
        [
            "",
            &format!("No subnet declaration for {name} ({address})."),
            &format!("** Ignoring requests on {name}.  If this is not what"),
            "   you want, please write a subnet declaration",
            "   in your dhcpd.conf file for the network segment",
            &format!("   to which interface {name} is attached. **"),
            "",
        ]
        .map(str::to_owned)
        .to_vec()
    }

    #[test]
    fn all_interfaces_the_last_found_first() {
        let plan = plan(&[], &entries(), &Tens { declared: vec![] });
        let mut expected = vec!["Multiple interfaces match the same shared network: eth0 eth0:1".to_owned()];
        expected.push("open eth0:1 1".to_owned());
        expected.extend(ignoring("eth1", "no IPv4 addresses"));
        expected.push("open eth0 2".to_owned());
        assert_eq!(told(&plan), expected);
        assert_eq!(plan.fatal, None);
    }

    #[test]
    fn named_interfaces_only_and_unknown_ones_are_ignored() {
        let named = ["nosuch".to_owned(), "eth0".to_owned()];
        let plan = plan(&named, &entries(), &Tens { declared: vec![] });
        let mut expected = vec!["Multiple interfaces match the same shared network: eth0 eth0:1".to_owned()];
        expected.push("open eth0 2".to_owned());
        expected.extend(ignoring("nosuch", "no IPv4 addresses"));
        assert_eq!(told(&plan), expected);
    }

    #[test]
    fn loopback_when_named_and_nothing_to_serve() {
        let plan = plan(&["lo".to_owned()], &entries(), &Tens { declared: vec![] });
        let mut expected = vec!["Multiple interfaces match the same shared network: eth0 eth0:1".to_owned()];
        expected.extend(ignoring("lo", "127.0.0.1"));
        expected.push(String::new());
        assert_eq!(told(&plan), expected);
        assert_eq!(plan.fatal, Some(Fatal::new("Not configured to listen on any interfaces!")));
    }

    #[test]
    fn an_interface_statement_requests_the_interface() {
        let declared = vec![("dum0".to_owned(), 0), ("dum1".to_owned(), 0)];
        let plan = plan(&[], &entries(), &Tens { declared });
        assert_eq!(
            told(&plan),
            [
                "Multiple interfaces match the same shared network: dum0 eth0",
                "Multiple interfaces match the same shared network: dum0 eth0",
                "Multiple interfaces match the same shared network: dum0 eth0:1",
                "open dum0 0",
            ]
        );
    }

    #[test]
    fn two_shared_networks_on_one_interface_are_fatal() {
        let mut entries = entries();
        entries.push(entry("eth0", Some([10, 50, 0, 1])));
        let plan = plan(&[], &entries, &Tens { declared: vec![] });
        assert_eq!(plan.fatal, Some(Fatal::new("Interface eth0 matches multiple shared networks")));
        let twice = [entry("eth0", Some([10, 50, 0, 1])), entry("eth1", Some([10, 50, 0, 2]))];
        assert_eq!(
            told(&super::plan(&[], &twice, &Tens { declared: vec![] }))[..2],
            [
                "Multiple interfaces match the same subnet: eth0 eth1",
                "Multiple interfaces match the same shared network: eth0 eth1"
            ]
        );
    }
}
