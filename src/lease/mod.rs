//! The lease database and the lease file.
//!
//! Mirrors ISC `server/mdb.c` (states, queues, chains by client identifier and hardware address) and `server/db.c`
//! (the text format of `dhcpd.leases`). A pool's ranges are arrays indexed by address; every lease exists from the
//! start, `free`.

mod chains;
mod date;
pub mod db;
mod declared;
mod handlers;
mod lexer;
mod load;
pub mod others;
mod pieces;
mod queue;
pub mod reader;
mod rewrite;
mod start;
mod walk;
pub mod writer;

pub use db::{Counts, Ending, LeaseDb, Role, Standing, Superseded, TooManyAddresses};
pub use handlers::typed_handlers;
pub use load::{Loading, TypeHandler};
pub use others::{FailoverBlock, FailoverState, OtherBlock, PeerState};
pub use queue::Queue;
pub use reader::{Sink, read};
pub use rewrite::{Others, Piece, Rewrite, is_worth_writing};
pub use writer::{Words, write_lease, write_server_duid};

use crate::config::network::{ClassId, Hardware, HostId, PoolId, SubnetId};
use crate::config::tree::{Events, Octets};
use crate::eval::Handlers;
use crate::eval::bindings::Bindings;
use crate::time::Seconds;
use std::net::Ipv4Addr;

/// Index of a lease in the database; stable while the configuration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeaseId(pub u32);

/// `binding state`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum BindingState {
    #[default]
    Free,
    Active,
    Expired,
    Released,
    Abandoned,
    Reset,
    Backup,
}

impl BindingState {
    /// As the lease file spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Released => "released",
            Self::Abandoned => "abandoned",
            Self::Reset => "reset",
            Self::Backup => "backup",
        }
    }
}

/// An `on` block of the lease file whose statements nobody has typed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawHandler {
    /// `expiry`, `release` or both.
    pub events: Events,
    /// What stands between the braces.
    pub body: Box<[u8]>,
}

/// A sub-option of the relay agent, kept on a lease.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentOption {
    /// Its code in the `agent` space.
    pub code: u8,
    /// Its data.
    pub value: Octets,
    /// A statement set it, not the relay agent: dhcpd keeps an expression then, and the lease file does not get it.
    pub configured: bool,
}

/// A lease. Times are seconds since 1970, 0 when never set.
#[derive(Clone, Debug, PartialEq)]
pub struct Lease {
    /// The address.
    pub address: Ipv4Addr,
    /// Its pool.
    pub pool: PoolId,
    /// Its subnet.
    pub subnet: SubnetId,
    /// `binding state`
    pub state: BindingState,
    /// `next binding state`
    pub next_state: BindingState,
    /// `rewind binding state`
    pub rewind_state: BindingState,
    /// `starts`
    pub starts: Seconds,
    /// `ends`; also the sort time of its queue.
    pub ends: Seconds,
    /// `tstp`: time sent to partner.
    pub tstp: Seconds,
    /// `tsfp`: time sent from partner.
    pub tsfp: Seconds,
    /// `atsfp`: actual time sent from partner.
    pub atsfp: Seconds,
    /// `cltt`: client last transaction time.
    pub cltt: Seconds,
    /// `uid`
    pub uid: Option<Octets>,
    /// `hardware`
    pub hardware: Option<Hardware>,
    /// `client-hostname`
    pub client_hostname: Option<Octets>,
    /// `set NAME = VALUE`
    pub bindings: Bindings,
    /// `option agent.*`: sub-options in order.
    pub agent_options: Vec<AgentOption>,
    /// `on expiry` and the rest.
    pub handlers: Handlers,
    /// `on` blocks that are still text.
    pub raw_handlers: Option<Box<[RawHandler]>>,
    /// `billing class`
    pub billing_class: Option<ClassId>,
    /// The host declaration attached to it; not in the file.
    pub host: Option<HostId>,
    /// `reserved`
    pub reserved: bool,
    /// `dynamic-bootp`
    pub dynamic_bootp: bool,
    /// The next ACK must be written even if young (ISC `cannot_reuse`); not in the file.
    pub cannot_reuse: bool,
}

impl Lease {
    /// An address nobody ever had: `free`, all times 0.
    pub fn virgin(address: Ipv4Addr, pool: PoolId, subnet: SubnetId) -> Self {
        Self {
            address,
            pool,
            subnet,
            state: BindingState::Free,
            next_state: BindingState::Free,
            rewind_state: BindingState::Free,
            starts: 0,
            ends: 0,
            tstp: 0,
            tsfp: 0,
            atsfp: 0,
            cltt: 0,
            uid: None,
            hardware: None,
            client_hostname: None,
            bindings: Bindings::default(),
            agent_options: Vec::new(),
            handlers: Handlers::default(),
            raw_handlers: None,
            billing_class: None,
            host: None,
            reserved: false,
            dynamic_bootp: false,
            cannot_reuse: false,
        }
    }
}

#[cfg(test)]
mod tests;
