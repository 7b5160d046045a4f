//! The DHCPv4 and BOOTP engines: an event goes in, effects come out.
//!
//! Mirrors ISC `server/dhcp.c`, `bootp.c`, `class.c`, `mdb.c` and `dhcpleasequery.c`. The engine is not asynchronous:
//! one thread owns it, so the order of its effects, and with it the log, is deterministic.
//!
//! The life of a server, as `runtime` drives it:
//!
//! 1. [`startup::open_database`]: lease file text in; a database, and the lines and rewrite of the file out.
//! 2. [`interfaces::match_interfaces`]: discovered interfaces in; those to serve, and dhcpd's lines, out.
//! 3. [`engine::Engine::new`], then [`engine::Engine::handle`] for every [`Event`], and
//!    [`engine::Engine::next_timer`] after each to know when to come back with [`Event::Timer`].

mod ack;
mod allocate;
mod billing;
mod bootp;
pub mod classify;
mod discover;
pub mod duid;
pub mod engine;
mod expiry;
mod failover;
mod find_lease;
pub mod globals;
mod hosts;
mod incoming;
mod inform;
pub mod interfaces;
mod journal;
mod lease_text;
mod leasequery;
mod logline;
mod nak;
mod network;
mod one_lease;
mod parameters;
mod pending;
mod ping;
mod release_decline;
mod reply;
mod request;
mod reuse;
mod route;
pub mod scopes;
pub mod startup;
mod times;
mod turn;

use crate::config::network::Hardware;
use crate::log::Line;
use std::net::{Ipv4Addr, SocketAddrV4};

/// Index of an interface in the list the engine was started with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InterfaceId(pub usize);

/// A network interface as the system shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// `eth0`
    pub name: String,
    /// The system's index.
    pub index: u32,
    /// Its hardware type and address.
    pub hardware: Hardware,
    /// Its IPv4 addresses in the system's order.
    pub addresses: Vec<Ipv4Addr>,
}

/// A number that grows with every commit asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommitId(pub u64);

/// What happens to the engine.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A UDP datagram for the server port arrived.
    Datagram {
        /// Where it came in.
        interface: InterfaceId,
        /// IP source and UDP source port.
        source: SocketAddrV4,
        /// The BOOTP message.
        payload: &'a [u8],
    },
    /// An ICMP echo reply arrived.
    EchoReply {
        /// Who answered.
        from: Ipv4Addr,
    },
    /// The time given by `next_timer` has come.
    Timer,
    /// Everything up to and including this commit is on disk.
    Committed(CommitId),
    /// This commit, and all before it that were not reported yet, did not reach the disk.
    CommitFailed(CommitId),
}

/// What the engine wants done, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Print a line.
    Log(Line),
    /// Append octets to the lease file (buffered until the next commit).
    Write(Vec<u8>),
    /// Flush and fsync what was written; report back with [`Event::Committed`] or [`Event::CommitFailed`].
    ///
    /// On failure `runtime` logs dhcpd's `commit_leases: unable to commit, fsync(): %m` before it reports.
    Commit(CommitId),
    /// Replace the lease file. The new one comes in pieces: the first goes to a temporary file, and with the last one
    /// this is synced, the old one kept as backup, and replaced. What is to be appended ([`Effect::Write`]) in between
    /// goes to the old file at once and to the new one behind its last piece.
    Rewrite {
        /// A piece of the new file.
        piece: Vec<u8>,
        /// With the last piece: what is reported back as for [`Effect::Commit`] when the new file is in place. It says
        /// nothing about other commits.
        last: Option<CommitId>,
    },
    /// Send a reply.
    Send(Send),
    /// Send an ICMP echo request: 28 octets of IP and ICMP header, sequence 0, 20 zero octets.
    Ping(Ipv4Addr),
    /// `log (fatal, ...)` ran: print the trailer and end with status 1.
    Fatal(Line),
}

/// A reply and the way it leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Send {
    /// How it leaves.
    pub route: Route,
    /// The BOOTP message.
    pub payload: Vec<u8>,
    /// What dhcpd logs after `send_packet: ...` when it fails, up to `%d byte long packet`: e.g. `dhcp.c:4164`; LEASEQUERY has none.
    pub failure_site: Option<&'static str>,
}

/// How a reply leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// Through the packet socket of an interface, with our own Ethernet, IP and UDP headers.
    Packet {
        /// Which interface.
        interface: InterfaceId,
        /// Ethernet destination; all ones for broadcast.
        hardware: Hardware,
        /// IP source: the server identifier.
        source: Ipv4Addr,
        /// IP destination and UDP port.
        destination: SocketAddrV4,
    },
    /// Through the fallback UDP socket; the kernel chooses route and source.
    Fallback {
        /// IP destination and UDP port.
        destination: SocketAddrV4,
    },
}

#[cfg(test)]
mod tests;
