//! Expressions and executable statements at run time.
//!
//! Mirrors ISC `common/tree.c` and `common/execute.c`: a value is data, a number or a boolean, and every evaluation
//! either yields a value or is absent. Absent is not the empty string.

pub mod bindings;

use crate::config::Config;
use crate::config::network::{ClassId, Hardware};
use crate::config::tree::{Block, Events, Expr};
use crate::log::Line;
use crate::options::OptionState;
use crate::time::{Now, Seconds};
use crate::wire::packet::Packet;
use bindings::Bindings;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// What an option of the reply is set to: expressions, evaluated when the reply is packed.
///
/// `append` and `prepend` concatenate, so a setting is a list of parts in order.
pub type Setting = Arc<Expr>;

/// The options a reply collects while the scopes run.
pub type ReplyOptions = OptionState<Setting>;

/// The options of a received packet, decoded into their spaces.
pub type PacketOptions = OptionState<Vec<u8>>;

/// What only the outside world knows. `runtime` implements it; tests and the simulation give fixed answers.
pub trait Environment {
    /// The A records of a name in resolver order (`gethostbyname`, host names where an address is wanted).
    fn resolve(&mut self, name: &str) -> Result<Vec<Ipv4Addr>, ResolveError>;
    /// The name of an address (`get-lease-hostnames`).
    fn reverse(&mut self, address: Ipv4Addr) -> Option<String>;
    /// `gethostname ()`
    fn hostname(&mut self) -> Vec<u8>;
    /// Runs a program and waits for it (`execute ()`). The raw wait status, or the error that kept it from starting.
    fn execute(&mut self, command: &[u8], arguments: &[Vec<u8>]) -> Result<i32, String>;
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

/// The packet an evaluation may look at.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Header and raw octets.
    pub packet: &'a Packet,
    /// Its options, possibly with those stashed on the lease.
    pub options: &'a PacketOptions,
    /// A host declaration matched this client (`known`).
    pub known: bool,
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

/// Everything an evaluation sees and may change.
pub struct Context<'a> {
    /// The moment.
    pub now: Now,
    /// Classes, option spaces.
    pub config: &'a Config,
    /// The packet, if any.
    pub request: Option<Request<'a>>,
    /// The lease, if any.
    pub lease: Option<LeaseFacts<'a>>,
    /// Options set so far; `None` where statements cannot set any.
    pub reply: Option<&'a mut ReplyOptions>,
    /// Variables: the lease's own, or the global ones.
    pub bindings: &'a mut Bindings,
    /// Handlers of the lease; `on` has no effect without.
    pub handlers: Option<&'a mut Handlers>,
    /// Classes of the packet, in the order they were matched or added.
    pub classes: &'a mut Vec<ClassId>,
    /// The outside world.
    pub environment: &'a mut dyn Environment,
    /// Log lines in order.
    pub log: &'a mut Vec<Line>,
}
