//! The engine: its start, the dispatch of events, and its timers.
//!
//! Mirrors ISC `server/dhcp.c:dhcp` and the timeouts of `server/mdb.c` and `server/dhcp.c`.

use super::globals::Globals;
use super::incoming::Incoming;
use super::interfaces::Served;
use super::logline::{hardware_text, message_name};
use super::startup::Database;
use super::turn::{Core, Ground, Turn};
use super::{Effect, Event, InterfaceId};
use crate::eval::bindings::Bindings;
use crate::eval::{Environment, Memory};
use crate::time::{Now, Seconds};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

/// The parameters that dhcpd reads once, as far as the engine needs them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The port the server listens on; relays are answered on it too.
    pub local_port: u16,
    /// Where clients listen: `remote-port`, else `local_port` + 1.
    pub remote_port: u16,
    /// `limited-broadcast-address`, or `-s`.
    pub limited_broadcast: Ipv4Addr,
    /// `abandon-lease-time`, seconds.
    pub abandon_lease_time: Seconds,
    /// `delayed-ack`, as dhcpd understands the configured value.
    pub delayed_ack: u16,
    /// `max-ack-delay`.
    pub max_ack_delay: Duration,
    /// `server-id-check`; acts on failover leases only.
    pub server_id_check: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            local_port: 67,
            remote_port: 68,
            limited_broadcast: Ipv4Addr::BROADCAST,
            abandon_lease_time: 86_400,
            delayed_ack: 0,
            max_ack_delay: Duration::from_micros(250_000),
            server_id_check: false,
        }
    }
}

impl Settings {
    /// What the root scope says, over the ports and the broadcast address of the command line.
    pub fn new(globals: &Globals, local_port: u16, remote_port: u16, limited_broadcast: Ipv4Addr) -> Self {
        Self {
            local_port: globals.local_port.unwrap_or(local_port),
            remote_port: globals.remote_port.unwrap_or(remote_port),
            limited_broadcast: globals.limited_broadcast.unwrap_or(limited_broadcast),
            abandon_lease_time: globals.abandon_lease_time,
            delayed_ack: globals.delayed_ack,
            max_ack_delay: globals.max_ack_delay,
            server_id_check: globals.server_id_check,
        }
    }
}

/// What the engine is started with.
#[derive(Debug)]
pub struct Setup {
    /// Configuration and leases, as [`super::startup::open_database`] left them.
    pub database: Database,
    /// Global variables, as the start-up runs of the root scope left them.
    pub globals: Bindings,
    /// What evaluation remembers, from the same runs.
    pub memory: Memory,
    /// What the root scope sets once.
    pub settings: Settings,
    /// The interfaces served; an [`InterfaceId`] is an index into this list.
    pub interfaces: Vec<Served>,
}

/// When the engine wants [`Event::Timer`]: at whichever comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NextTimer {
    /// A wall clock second (lease expiry).
    pub wall: Option<Seconds>,
    /// A monotonic instant (ping timeouts, delayed ACKs).
    pub tick: Option<Duration>,
}

/// The DHCPv4 server.
#[derive(Debug)]
pub struct Engine {
    core: Core,
}

impl Engine {
    /// An engine ready to serve.
    pub fn new(setup: Setup) -> Self {
        let Setup { database, globals, memory, settings, interfaces } = setup;
        let mut core = database.into_core();
        core.globals = globals;
        // The root scope knows no packets; only leases billed in the file have spawned classes by now.
        let spawned = std::mem::take(&mut core.memory.spawned);
        core.memory = Memory { spawned, ..memory };
        core.settings = settings;
        core.interfaces = interfaces;
        Self { core }
    }

    /// Handles one event. Effects are appended in the order in which they must happen. After an [`Effect::Fatal`] the
    /// server is to end.
    pub fn handle(
        &mut self,
        event: Event<'_>,
        now: Now,
        environment: &mut dyn Environment,
        effects: &mut Vec<Effect>,
    ) {
        let mut turn = Turn { core: &mut self.core, now, environment, effects };
        match event {
            Event::Datagram { interface, source, payload } => turn.datagram(interface, source, payload),
            Event::EchoReply { from } => turn.pinged(from),
            Event::Timer => {
                turn.expire_due();
                turn.commit_delayed();
                turn.continue_rewrite();
                turn.offer_unanswered();
            }
            Event::Committed(id) => turn.committed(id),
            Event::CommitFailed(id) => turn.commit_failed(id),
        }
    }

    /// When to come back with [`Event::Timer`]; ask again after every event.
    pub fn next_timer(&self) -> NextTimer {
        let ping = self.core.pending.next_timeout();
        let ack = self.core.journal.next_timeout();
        NextTimer {
            wall: self.core.leases.next_timer(),
            tick: match (ping, ack) {
                (Some(ping), Some(ack)) => Some(ping.min(ack)),
                (either, other) => either.or(other),
            },
        }
    }

    /// The interfaces served.
    pub fn interfaces(&self) -> &[Served] {
        &self.core.interfaces
    }

    /// Subclasses that `spawn with` made.
    pub fn spawned(&self) -> usize {
        self.core.memory.spawned.len()
    }

    /// Replies that wait for a ping or for the disk.
    pub fn waiting(&self) -> usize {
        self.core.pending.len()
    }

    /// The lease database, to be looked at.
    pub fn leases(&self) -> &crate::lease::LeaseDb {
        &self.core.leases
    }
}

impl Turn<'_> {
    fn datagram(&mut self, interface: InterfaceId, source: SocketAddrV4, payload: &[u8]) {
        if self.interface(interface).is_none() {
            return;
        }
        let mut lines = Vec::new();
        let incoming = Incoming::decode(&self.core.config.spaces, interface, source, payload, &mut lines);
        self.effects.extend(lines.into_iter().map(Effect::Log));
        match incoming {
            None => {}
            Some(incoming) if incoming.kind == 0 => self.bootp(incoming),
            Some(incoming) => self.dhcp(incoming),
        }
    }

    fn dhcp(&mut self, mut incoming: Incoming) {
        incoming.network = self.locate(&incoming);
        if incoming.network.is_none() && !matches!(incoming.kind, 3 | 8 | 10) {
            self.bad_packet(&incoming, "unknown network segment");
            return;
        }
        if incoming.kind == 3 {
            self.unstash_agent_options(&mut incoming);
        }
        self.evaluate(Some(&mut incoming), Ground::Global, None, |context| {
            // A fatal line is found in the context.
            let _ = super::classify::classify(context);
        });
        if self.is_over() {
            return;
        }
        self.forget_spawned(&incoming);
        match (incoming.kind, incoming.network) {
            (1, Some(network)) => self.discover(incoming, network),
            (3, _) => self.request(incoming),
            (4, _) => self.decline(incoming),
            (7, _) => self.release(incoming),
            (8, _) => self.inform(incoming),
            (10, _) => self.lease_query(incoming),
            // Messages of servers, our own among them when a relay is on our link.
            (2 | 5 | 6 | 11 | 12 | 13, _) => {}
            _ => self.bad_packet(&incoming, "unknown packet type"),
        }
    }

    /// Keeps the number of spawned subclasses in proportion to the number of addresses.
    fn forget_spawned(&mut self, incoming: &Incoming) {
        const AT_LEAST: usize = 1024;
        let Core { leases, memory, .. } = &mut *self.core;
        if memory.spawned.len() > AT_LEAST.max(2 * leases.len()) {
            let in_use = |class| leases.billed(class) > 0 || incoming.classes.contains(&class);
            memory.spawned.retain(in_use);
        }
    }

    fn bad_packet(&mut self, incoming: &Incoming, why: &str) {
        let header = incoming.header();
        let who = match header.htype {
            0 => "<no identifier>".to_owned(),
            _ => hardware_text(header.hardware_address()),
        };
        let name = message_name(incoming.kind);
        self.info(format!("{name} from {who} via {}: {why}", self.via(incoming)));
    }
}
