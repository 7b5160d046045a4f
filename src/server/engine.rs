//! The engine: its state, and the dispatch of events.

use super::interfaces::Served;
use super::{CommitId, Effect, Event};
use crate::config::Config;
use crate::eval::Environment;
use crate::eval::bindings::Bindings;
use crate::time::{Now, Seconds};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

/// The parameters that dhcpd reads once, from the root scope.
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

/// What the engine is started with.
pub struct Setup {
    /// The typed configuration.
    pub config: Arc<Config>,
    /// The lease database, as [`super::startup::open_database`] left it.
    pub database: super::startup::Database,
    /// Global variables, as the start-up run of the root statements left them.
    pub globals: Bindings,
    /// What the root scope sets once.
    pub settings: Settings,
    /// The interfaces served; an [`super::InterfaceId`] is an index into this list.
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
pub struct Engine {
    setup: Setup,
    next_commit: u64,
}

impl Engine {
    /// An engine ready to serve.
    pub fn new(setup: Setup, _now: Now) -> Self {
        Self { setup, next_commit: 1 }
    }

    /// Handles one event. Effects are appended in the order in which they must happen.
    pub fn handle(
        &mut self,
        event: Event<'_>,
        now: Now,
        environment: &mut dyn Environment,
        effects: &mut Vec<Effect>,
    ) {
        let _ = (event, now, environment, effects);
    }

    /// When to come back with [`Event::Timer`]; ask again after every event.
    pub fn next_timer(&self) -> NextTimer {
        NextTimer::default()
    }

    /// The interfaces served.
    pub fn interfaces(&self) -> &[Served] {
        &self.setup.interfaces
    }

    /// The number the next commit will carry.
    pub fn next_commit(&self) -> CommitId {
        CommitId(self.next_commit)
    }
}
