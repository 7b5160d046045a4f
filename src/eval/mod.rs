//! Expressions and executable statements at run time.
//!
//! Mirrors ISC `common/tree.c` and `common/execute.c`: a value is data, a number or a boolean, and every evaluation
//! either yields a value or is absent. Absent is not the empty string.
//!
//! - [`execute`] runs statements; [`evaluate_data`], [`evaluate_boolean`], [`evaluate_numeric`] and [`evaluate`]
//!   evaluate an expression; [`settings`] reads the server's parameters out of what the statements set.
//! - All of them look at, and change, a [`Context`]: packet, lease, options set so far, variables.
//! - What evaluation remembers from one packet to the next (looked-up names, compiled patterns, spawned subclasses) is
//!   a [`Memory`] the caller keeps.

pub mod bindings;
pub mod classes;
pub mod names;
pub mod settings;

mod ascii;
mod boolean;
mod context;
mod data;
mod execute;
mod expression;
mod numeric;
mod octets;
mod pattern;

pub use boolean::evaluate_boolean;
pub use context::{Context, Fatal, MAX_DEPTH};
pub use data::{evaluate_data, evaluate_sent};
pub use execute::execute;
pub use expression::{Evaluated, Outcome, evaluate};
pub use numeric::evaluate_numeric;
pub use octets::Data;

use crate::config::network::Hardware;
use crate::config::tree::{Block, Events, Expr};
use crate::options::OptionState;
pub use crate::options::PacketOptions;
use crate::time::Seconds;
use crate::wire::packet::Packet;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// What an option of the reply is set to: an expression, evaluated when the reply is packed.
///
/// `append` and `prepend` make a concatenation of what was there and what comes.
pub type Setting = Arc<Expr>;

/// The options a reply collects while the scopes run.
pub type ReplyOptions = OptionState<Setting>;

/// What only the outside world knows. `runtime` implements it; tests and the simulation give fixed answers.
pub trait Environment {
    /// The A records of a name in resolver order (`gethostbyname`, host names where an address is wanted).
    fn resolve(&mut self, name: &str) -> Result<Vec<Ipv4Addr>, ResolveError>;
    /// The name of an address (`get-lease-hostnames`).
    fn reverse(&mut self, address: Ipv4Addr) -> Option<String>;
    /// Seconds to add to UTC for local time at that moment (`db-time-format local`).
    fn local_offset(&self, time: Seconds) -> Seconds {
        let _ = time;
        0
    }
    /// `gethostname ()`
    fn hostname(&mut self) -> Vec<u8>;
    /// Runs a program and waits for it (`execute ()`). The raw wait status, or why it did not run.
    fn execute(&mut self, command: &[u8], arguments: &[Vec<u8>]) -> Result<i32, NotRun>;
}

/// An outside world without names, where every program ends well: for tests, benchmarks and fuzzing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

impl Environment for Nothing {
    fn resolve(&mut self, _: &str) -> Result<Vec<Ipv4Addr>, ResolveError> {
        Err(ResolveError::HostUnknown)
    }
    fn reverse(&mut self, _: Ipv4Addr) -> Option<String> {
        None
    }
    fn hostname(&mut self) -> Vec<u8> {
        b"host".to_vec()
    }
    fn execute(&mut self, _: &[u8], _: &[Vec<u8>]) -> Result<i32, NotRun> {
        Ok(0)
    }
}

/// Why a name has no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResolveError {
    /// `%s: host unknown.`
    HostUnknown,
    /// `%s: temporary name server failure`
    TryAgain,
    /// `%s: name server failed`
    NoRecovery,
    /// `%s: no A record associated with address`
    NoAddress,
}

/// Why a program did not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotRun {
    /// `execute: fork() failed`: there is no process to run it in.
    NoProcess,
    /// `Unable to execute %s: %m`
    NotStarted(String),
}

/// The packet an evaluation may look at.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Header and raw octets.
    pub packet: &'a Packet,
    /// Its options, possibly with those stashed on the lease.
    pub options: &'a PacketOptions,
    /// A host declaration matched this client (`known`).
    pub known: bool,
    /// The reply shares the list of agent options with the packet: what statements set there, `option agent.x` reads
    /// (ISC `server/dhcp.c:maybe_return_agent_options`).
    pub agent_options_in_reply: bool,
    /// The DHCPv6 relay message this one came in, if any (`v6relay`).
    pub relayed_by: Option<&'a Request<'a>>,
}

/// What an expression may ask about the lease at hand.
#[derive(Clone, Copy, Debug)]
pub struct LeaseFacts<'a> {
    /// `leased-address`
    pub address: Ipv4Addr,
    /// End of the OLD binding (`lease-time`).
    pub ends: Seconds,
    /// `hardware`, when there is no packet.
    pub hardware: Option<&'a Hardware>,
    /// `host-decl-name`
    pub host_name: Option<&'a str>,
    /// `static`
    pub fixed: bool,
}

/// The handlers a lease carries (`on expiry { }` ...).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Handlers {
    /// `on expiry`
    pub expiry: Option<Handler>,
    /// `on commit`
    pub commit: Option<Handler>,
    /// `on release`
    pub release: Option<Handler>,
}

/// One installed `on` block, with the events it was written for (the lease file prints them together).
#[derive(Clone, Debug, PartialEq)]
pub struct Handler {
    /// As written.
    pub events: Events,
    /// What runs.
    pub body: Block,
}

/// What evaluation remembers from one packet to the next. The engine keeps one for its whole life, and a new one with a
/// new configuration.
#[derive(Debug, Default)]
pub struct Memory {
    /// Looked-up host names.
    pub names: names::NameCache,
    /// Compiled regular expressions.
    pub(super) patterns: pattern::PatternCache,
    /// Subclasses that `spawn with` made.
    pub spawned: classes::Spawned,
}

#[cfg(test)]
pub(crate) mod tests;
