//! What network interfaces the system has, and the sockets on those that are served.
//!
//! Which ones are served, and what is logged about it, is decided by [`crate::server::interfaces`]; [`discover`] asks
//! the system and [`Sockets::open`] carries the decision out. Mirrors ISC `common/discover.c:discover_interfaces`.

use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::os::unix::ffi::OsStrExt;

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;

use super::fatal::Fatal;
use super::logging::emit;
use super::sys::lpf::{self, PacketSocket};
use super::sys::udp::Fallback;
use crate::config::network::Hardware;
use crate::log::Line;
use crate::server::Interface;
use crate::server::interfaces::{Discovered, Plan, Step};

/// The names of the command line as text. A name that is not text is none the kernel reports, so it matches nothing.
pub fn names(words: &[OsString]) -> Vec<String> {
    words.iter().map(|word| String::from_utf8_lossy(word.as_bytes()).into_owned()).collect()
}

/// The interfaces that come into question, in the system's order: those that are up and can broadcast, and of the rest
/// those that are in `requested`. An address with a label of its own (`eth0:1`) counts as an interface, as in dhcpd.
///
/// # Errors
/// When the system does not tell.
pub fn discover(requested: &[String]) -> Result<Discovered, Fatal> {
    let entries = getifaddrs().map_err(|errno| {
        emit(&Line::error(format!("Error getting interfaces; {}", super::sys::strerror(errno as i32))));
        Fatal::new("Can't get list of interfaces.")
    })?;
    let entries = entries.map(|entry| Entry {
        flags: entry.flags,
        address: entry
            .address
            .as_ref()
            .and_then(|address| address.as_sockaddr_in())
            .map(|address| address.ip()),
        name: entry.interface_name,
    });
    let mut discovered = collect(entries, requested);
    for interface in &mut discovered.interfaces {
        // What has no address we know of, or has vanished since, tells so when its socket is opened.
        if let Ok((index, hardware)) = lpf::identify(&interface.name) {
            interface.index = index;
            interface.hardware = hardware;
        }
    }
    Ok(discovered)
}

/// One entry of getifaddrs(3): an interface, and at most one of its addresses.
struct Entry {
    name: String,
    flags: InterfaceFlags,
    address: Option<Ipv4Addr>,
}

fn collect(entries: impl Iterator<Item = Entry>, requested: &[String]) -> Discovered {
    let mut discovered = Discovered::default();
    let Discovered { interfaces, addresses } = &mut discovered;
    for Entry { name, flags, address } in entries {
        let suitable = flags.contains(InterfaceFlags::IFF_BROADCAST)
            && !flags.intersects(InterfaceFlags::IFF_LOOPBACK | InterfaceFlags::IFF_POINTOPOINT);
        let known = interfaces.iter().position(|known| known.name == name);
        let wanted = suitable || known.is_some() || requested.contains(&name);
        if !wanted || !flags.contains(InterfaceFlags::IFF_UP) {
            continue;
        }
        let place = known.unwrap_or_else(|| {
            let hardware = Hardware::default();
            interfaces.push(Interface { name, index: 0, hardware, addresses: Vec::new() });
            interfaces.len() - 1
        });
        if let (Some(address), Some(interface)) = (address, interfaces.get_mut(place)) {
            interface.addresses.push(address);
            addresses.push((place, address));
        }
    }
    discovered
}

/// The sockets of a server: one packet socket for each served interface, in the plan's order, and the fallback socket.
#[derive(Debug)]
pub struct Sockets {
    /// Name and socket of each served interface; the index is the [`crate::server::InterfaceId`].
    pub packet: Vec<(String, PacketSocket)>,
    /// The fallback socket.
    pub fallback: Fallback,
}

impl Sockets {
    /// Walks the plan: logs, opens sockets for `port` (the fallback socket on `local_address`), and tells what it
    /// listens on unless `quiet`.
    ///
    /// # Errors
    /// The first socket that cannot be opened, or the fatal error of the plan.
    pub fn open(plan: Plan, port: u16, local_address: Ipv4Addr, quiet: bool) -> Result<Self, Fatal> {
        let mut packet = Vec::new();
        let mut fallback = None;
        let tell = |line: &Line| {
            if !quiet {
                emit(line);
            }
        };
        for step in plan.steps {
            match step {
                Step::Log(line) => emit(&line),
                Step::Open { served, lines } => {
                    let name = plan.served.get(served).map(|served| served.interface.name.clone());
                    let name = name.unwrap_or_default();
                    let socket = PacketSocket::open(&name, port).map_err(|error| {
                        error.preface().into_iter().for_each(|line| emit(&Line::error(line)));
                        Fatal::new(error.to_string())
                    })?;
                    lines.iter().for_each(tell);
                    packet.push((name, socket));
                }
                Step::Fallback(line) => {
                    let socket = Fallback::open(local_address, port).map_err(|error| {
                        error.preface().into_iter().for_each(|line| emit(&Line::error(line)));
                        Fatal::new(error.to_string())
                    })?;
                    tell(&line);
                    fallback = Some(socket);
                }
                Step::Fatal(line) => return Err(Fatal::new(line.text)),
            }
        }
        match fallback {
            Some(fallback) => Ok(Self { packet, fallback }),
            None => Err(Fatal::new("Not configured to listen on any interfaces!")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, flags: InterfaceFlags, address: Option<[u8; 4]>) -> Entry {
        Entry { name: name.into(), flags, address: address.map(Ipv4Addr::from) }
    }

    fn system() -> Vec<Entry> {
        let ethernet = InterfaceFlags::IFF_UP | InterfaceFlags::IFF_BROADCAST;
        let loopback = InterfaceFlags::IFF_UP | InterfaceFlags::IFF_LOOPBACK;
        vec![
            entry("lo", loopback, None),
            entry("eth9", InterfaceFlags::IFF_BROADCAST, None),
            entry("ppp0", InterfaceFlags::IFF_UP | InterfaceFlags::IFF_POINTOPOINT, None),
            entry("eth0", ethernet, None),
            entry("eth1", ethernet, None),
            entry("lo", loopback, Some([127, 0, 0, 1])),
            entry("eth0", ethernet, Some([10, 1, 0, 1])),
            entry("eth0:1", ethernet, Some([10, 2, 0, 1])),
            entry("eth0", ethernet, Some([10, 3, 0, 1])),
        ]
    }

    fn told(requested: &[&str]) -> Vec<(String, usize)> {
        let requested: Vec<String> = requested.iter().map(|name| (*name).to_owned()).collect();
        let discovered = collect(system().into_iter(), &requested);
        discovered
            .interfaces
            .into_iter()
            .map(|interface| (interface.name, interface.addresses.len()))
            .collect()
    }

    #[test]
    fn broadcast_interfaces_that_are_up() {
        assert_eq!(told(&[]), [("eth0".into(), 2), ("eth1".into(), 0), ("eth0:1".into(), 1)]);
    }

    #[test]
    fn addresses_keep_the_system_s_order() {
        let discovered = collect(system().into_iter(), &[]);
        let order: Vec<usize> = discovered.addresses.iter().map(|(interface, _)| *interface).collect();
        assert_eq!(order, [0, 2, 0]);
    }

    #[test]
    fn a_requested_interface_need_not_broadcast_but_must_be_up() {
        let expected = [("lo".into(), 1), ("eth0".into(), 2), ("eth1".into(), 0), ("eth0:1".into(), 1)];
        assert_eq!(told(&["lo", "eth9", "nosuch"]), expected);
    }
}
