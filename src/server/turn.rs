//! What handling one event works with, and the bridge to `eval`.
//!
//! The engine's state is a [`Core`]. A [`Turn`] borrows it for one event, together with the moment, the outside world
//! and the list of effects; the files beside this one add to it what dhcpd does about each kind of packet.

use super::engine::Settings;
use super::incoming::Incoming;
use super::interfaces::Served;
use super::journal::Journal;
use super::network::{self, Origin};
use super::pending::Pending;
use super::{Effect, InterfaceId};
use crate::config::Config;
use crate::config::network::{Hardware, HostId, NetworkId, PoolId, ScopeId};
use crate::config::tree::{Expr, Octets};
use crate::eval::bindings::{Bindings, FunctionValue, Value};
use crate::eval::settings::Flag;
use crate::eval::{
    Context, Data, Environment, Handlers, LeaseFacts, Memory, ReplyOptions, Request, evaluate_data,
};
use crate::lease::{Lease, LeaseDb, LeaseId, Others};
use crate::log::Line;
use crate::options::{SpaceId, Spaces};
use crate::time::Now;
use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;
use std::sync::Arc;

/// The pool of a lease that is made up for a fixed address; never looked up.
const NO_POOL: PoolId = PoolId(u32::MAX);

/// The engine's state.
#[derive(Debug)]
pub(super) struct Core {
    pub config: Arc<Config>,
    pub leases: LeaseDb,
    /// What else the lease file holds.
    pub others: Others,
    /// Variables of the global scope.
    pub globals: Bindings,
    /// What evaluation remembers between packets.
    pub memory: Memory,
    pub settings: Settings,
    pub interfaces: Vec<Served>,
    /// Replies waiting for a ping or a commit.
    pub pending: Pending,
    /// The lease file as far as the engine knows about it.
    pub journal: Journal,
    /// Option 56 of a NAK. As in dhcpd it is whatever the last `find_lease` left.
    pub nak_message: &'static str,
    /// DHCPINFORMs refused since the hint about `authoritative` was last printed.
    pub informs_refused: u8,
    /// Site option spaces whose low codes were complained about.
    pub site_spaces_warned: HashSet<SpaceId>,
    /// Pools whose high threshold was logged: the count at which logging is armed again.
    pub crossed: HashMap<PoolId, i64>,
    /// `chaddr` of a lease's client, where octets behind the hardware address are not zero.
    pub chaddr: HashMap<LeaseId, [u8; 16]>,
}

impl Core {
    pub fn new(config: Arc<Config>, leases: LeaseDb) -> Self {
        Self {
            config,
            leases,
            others: Others::default(),
            globals: Bindings::default(),
            memory: Memory::default(),
            settings: Settings::default(),
            interfaces: Vec::new(),
            pending: Pending::default(),
            journal: Journal::default(),
            nak_message: "",
            informs_refused: 0,
            site_spaces_warned: HashSet::new(),
            crossed: HashMap::new(),
            chaddr: HashMap::new(),
        }
    }
}

/// One event being handled.
pub(super) struct Turn<'a> {
    pub core: &'a mut Core,
    pub now: Now,
    pub environment: &'a mut dyn Environment,
    pub effects: &'a mut Vec<Effect>,
}

/// A lease an answer is about. The lease is a copy: what an evaluation changes in it goes back with
/// [`Turn::keep`].
#[derive(Clone, Debug)]
pub(super) struct Grant {
    /// Of a pool's lease; a fixed address has none.
    pub id: Option<LeaseId>,
    pub lease: Lease,
}

impl Grant {
    /// The lease of a pool.
    pub fn of(leases: &LeaseDb, id: LeaseId) -> Self {
        let mut lease = leases.lease(id).into_owned();
        own_functions(&mut lease.bindings);
        Self { id: Some(id), lease }
    }

    /// A lease made up for the fixed address of a host.
    pub fn fixed(lease: Lease) -> Self {
        Self { id: None, lease }
    }

    /// The pool, unless the address is fixed.
    pub fn pool(&self) -> Option<PoolId> {
        self.id.map(|_| self.lease.pool)
    }

    fn is_fixed(&self) -> bool {
        self.id.is_none()
    }
}

/// A lease for a fixed address (ISC `server/dhcp.c:mockup_lease`).
pub(super) fn fixed_lease(
    config: &Config,
    host: HostId,
    address: Ipv4Addr,
    subnet: crate::config::network::SubnetId,
) -> Lease {
    let mut lease = Lease::virgin(address, NO_POOL, subnet);
    if let Some(declared) = config.hosts.get(host.index()) {
        lease.uid = declared.uid.clone();
        lease.hardware = declared.hardware.clone();
    }
    lease.host = Some(host);
    lease
}

/// Whose variables statements and expressions work on, and which lease they see.
pub(super) enum Ground<'l> {
    /// The global ones, and no lease.
    Global,
    /// The lease's own.
    Lease(&'l mut Grant),
    /// The global ones, while the lease can be asked about: option values being packed.
    Packing(&'l mut Grant),
}

impl Turn<'_> {
    /// Prints a line, cut where dhcpd's buffer ends (ISC `omapip/errwarn.c`).
    pub fn log(&mut self, mut line: Line) {
        line.text.truncate(1023);
        self.effects.push(Effect::Log(line));
    }

    pub fn info(&mut self, text: impl Into<Vec<u8>>) {
        self.log(Line::info(text));
    }

    pub fn error(&mut self, text: impl Into<Vec<u8>>) {
        self.log(Line::error(text));
    }

    pub fn debug(&mut self, text: impl Into<Vec<u8>>) {
        self.log(Line::debug(text));
    }

    /// Says what dhcpd says when variables go that hold functions: a line for each function (ISC
    /// `common/tree.c:binding_value_dereference`). `place` is where they go.
    pub fn forget_functions(&mut self, bindings: &Bindings, place: &str) {
        let functions = |(_, value): &(Arc<str>, Option<Value>)| match value {
            Some(Value::Function(function)) => Some(Arc::as_ptr(function)),
            _ => None,
        };
        let all: Vec<_> = bindings.entries.iter().filter_map(functions).collect();
        for (at, function) in all.iter().enumerate() {
            if !all.iter().skip(at + 1).any(|other| other == function) {
                self.error(format!("{place}: invalid binding type: 4"));
            }
        }
    }

    /// Did a `log (fatal, ...)` run? Then nothing more is to be done.
    pub fn is_over(&self) -> bool {
        matches!(self.effects.last(), Some(Effect::Fatal(_)))
    }

    /// Lets `work` evaluate something. Lines come out in order; a fatal one ends the turn.
    pub fn evaluate<R>(
        &mut self,
        incoming: Option<&mut Incoming>,
        ground: Ground<'_>,
        reply: Option<&mut ReplyOptions>,
        work: impl FnOnce(&mut Context<'_>) -> R,
    ) -> R {
        let mut lines = Vec::new();
        let Core { config, globals, memory, .. } = &mut *self.core;
        let (lease, bindings, handlers) = match ground {
            Ground::Global => (None, globals, None),
            Ground::Lease(grant) => {
                let (facts, bindings, handlers) = facts(config, grant);
                (Some(facts), bindings, Some(handlers))
            }
            Ground::Packing(grant) => (Some(facts(config, grant).0), globals, None),
        };
        let mut context = Context::new(self.now, config, bindings, self.environment, memory, &mut lines);
        context.lease = lease;
        context.handlers = handlers;
        context.reply = reply;
        if let Some(incoming) = incoming {
            let Incoming { packet, options, known, classes, vendor_options, .. } = incoming;
            let agent_options_in_reply = !incoming.agent_options_echoed.is_empty();
            context.request =
                Some(Request { packet, options, known: *known, agent_options_in_reply, relayed_by: None });
            context.classes = Some(classes);
            context.vendor_options = Some(vendor_options);
        }
        let result = work(&mut context);
        let fatal = context.fatal();
        drop(context);
        self.effects.extend(lines.into_iter().map(Effect::Log));
        if let Some(fatal) = fatal {
            self.effects.push(Effect::Fatal(fatal.0));
        }
        result
    }

    /// Runs the statements of a scope and of those around it, outermost first, but for those `covered` and around it.
    pub fn run_scopes(
        &mut self,
        incoming: &mut Incoming,
        ground: Ground<'_>,
        reply: &mut ReplyOptions,
        scope: ScopeId,
        covered: Option<ScopeId>,
    ) {
        if self.is_over() {
            return;
        }
        self.evaluate(Some(incoming), ground, Some(reply), |context| {
            // A fatal line is found in the context.
            let _ = super::scopes::in_scope(scope, covered, context);
        });
    }

    /// The scopes of the packet's classes, the one matched last first.
    pub fn run_class_scopes(
        &mut self,
        incoming: &mut Incoming,
        mut grant: Option<&mut Grant>,
        reply: &mut ReplyOptions,
        covered: Option<ScopeId>,
    ) {
        // `add` may lengthen the list while it is walked; like dhcpd, walk what was there at the start.
        for at in (0..incoming.classes.len()).rev() {
            let Some(&class) = incoming.classes.get(at) else { continue };
            let declared = self.core.memory.spawned.declaration(&self.core.config, class);
            let Some(scope) = declared.map(|class| class.scope) else { continue };
            let ground = match grant.as_deref_mut() {
                Some(grant) => Ground::Lease(grant),
                None => Ground::Global,
            };
            self.run_scopes(incoming, ground, reply, scope, covered);
        }
    }

    /// The value of an option that was set, evaluated now.
    pub fn option_value(
        &mut self,
        incoming: &mut Incoming,
        ground: Ground<'_>,
        reply: &mut ReplyOptions,
        space: SpaceId,
        code: u32,
    ) -> Option<Octets> {
        let setting = Arc::clone(reply.value(space, code)?);
        match &*setting {
            // What nearly all settings are needs no context.
            Expr::Data(octets) => Some(octets.clone()),
            expression => self.evaluate(Some(incoming), ground, Some(reply), |context| {
                evaluate_data(expression, context).map(Data::into_octets)
            }),
        }
    }

    /// A server parameter that takes a value, evaluated with the lease's variables.
    pub fn parameter(
        &mut self,
        incoming: &mut Incoming,
        ground: Ground<'_>,
        reply: &mut ReplyOptions,
        code: u32,
    ) -> Option<Octets> {
        self.option_value(incoming, ground, reply, Spaces::SERVER, code)
    }

    /// A server parameter that is a flag; `None` when it is not set at all.
    pub fn flag(
        &mut self,
        incoming: &mut Incoming,
        ground: Ground<'_>,
        reply: &mut ReplyOptions,
        code: u32,
    ) -> Option<Flag> {
        if !reply.contains(Spaces::SERVER, code) {
            return None;
        }
        let octets = self.parameter(incoming, ground, reply, code);
        Some(Flag::from_octets(octets.as_deref()))
    }

    /// A server parameter of four octets; other lengths count as not set.
    pub fn seconds(
        &mut self,
        incoming: &mut Incoming,
        ground: Ground<'_>,
        reply: &mut ReplyOptions,
        code: u32,
    ) -> Option<i64> {
        let octets = self.parameter(incoming, ground, reply, code)?;
        Some(i64::from(u32::from_be_bytes(octets.as_slice().try_into().ok()?)))
    }

    /// Sets an option of the `dhcp` space to constant octets.
    pub fn set_option(&self, reply: &mut ReplyOptions, code: u32, octets: impl Into<Octets>) {
        let spaces = &self.core.config.spaces;
        reply.set(spaces, spaces.by_code(Spaces::DHCP, code), Arc::new(Expr::Data(octets.into())));
    }

    /// Writes back what evaluations changed in the copy of a lease: variables, handlers, and what stops reuse.
    pub fn keep(&mut self, grant: &mut Grant) {
        let Some(id) = grant.id else { return };
        let Grant { lease: kept, .. } = grant;
        let current = self.core.leases.lease(id);
        if current.bindings == kept.bindings
            && current.handlers == kept.handlers
            && current.cannot_reuse == kept.cannot_reuse
        {
            return;
        }
        self.core.leases.update(id, |lease| {
            lease.bindings.clone_from(&kept.bindings);
            lease.handlers.clone_from(&kept.handlers);
            lease.cannot_reuse = kept.cannot_reuse;
        });
    }

    /// The shared network a packet belongs to.
    pub fn locate(&self, incoming: &Incoming) -> Option<NetworkId> {
        let origin = Origin {
            selection: incoming.selection(),
            giaddr: incoming.header().giaddr,
            interface: self.interface(incoming.interface)?.network,
        };
        network::locate(&self.core.config, origin)
    }

    /// The interface a packet came in on. Interfaces of events are those the engine was started with.
    pub fn interface(&self, id: InterfaceId) -> Option<&Served> {
        self.core.interfaces.get(id.0)
    }

    /// Its name, for `via`.
    pub fn interface_name(&self, id: InterfaceId) -> &str {
        self.interface(id).map_or("", |served| &served.interface.name)
    }

    /// `via` of a line about this packet.
    pub fn via(&self, incoming: &Incoming) -> String {
        super::logline::via(incoming.header().giaddr, self.interface_name(incoming.interface))
    }

    /// The scope of a subnet.
    pub fn subnet_scope(&self, subnet: crate::config::network::SubnetId) -> ScopeId {
        self.core.config.subnets.get(subnet.index()).map_or(ScopeId::ROOT, |s| s.scope)
    }

    /// The scope of a pool.
    pub fn pool_scope(&self, pool: PoolId) -> ScopeId {
        self.core.config.pools.get(pool.index()).map_or(ScopeId::ROOT, |p| p.scope)
    }

    /// The scope of the shared network of a pool.
    pub fn pool_network_scope(&self, pool: PoolId) -> Option<ScopeId> {
        let network = self.core.config.pools.get(pool.index())?.network;
        Some(self.core.config.shared_networks.get(network.index())?.scope)
    }

    /// The shared network of a subnet.
    pub fn network_of(&self, subnet: crate::config::network::SubnetId) -> Option<NetworkId> {
        self.core.config.subnets.get(subnet.index()).map(|s| s.network)
    }

    /// The name of a shared network.
    pub fn network_name(&self, network: NetworkId) -> String {
        self.core.config.shared_networks.get(network.index()).map_or_else(String::new, |n| n.name.to_string())
    }

    /// `authoritative` as it stands for a scope.
    pub fn is_authoritative(&self, scope: ScopeId) -> bool {
        self.core.config.scopes.get(scope.0 as usize).is_some_and(|s| s.authoritative)
    }

    /// The netmask of a subnet.
    pub fn netmask(&self, subnet: crate::config::network::SubnetId) -> Option<Ipv4Addr> {
        match self.core.config.subnets.get(subnet.index())?.prefix {
            crate::config::network::SubnetPrefix::V4 { mask, .. } => Some(mask),
            crate::config::network::SubnetPrefix::V6 { .. } => None,
        }
    }
}

/// Makes functions bound to variables the copy's own. `eval` tells by their owners when the last one lets go.
fn own_functions(bindings: &mut Bindings) {
    let mut copies: Vec<(Arc<FunctionValue>, Arc<FunctionValue>)> = Vec::new();
    for (_, value) in &mut bindings.entries {
        if let Some(Value::Function(function)) = value {
            let copy = match copies.iter().find(|(old, _)| Arc::ptr_eq(old, function)) {
                Some((_, copy)) => Arc::clone(copy),
                None => Arc::new(FunctionValue::clone(function)),
            };
            copies.push((Arc::clone(function), Arc::clone(&copy)));
            *function = copy;
        }
    }
}

/// What may be asked about a lease, and what of it may be changed.
fn facts<'l>(
    config: &'l Config,
    grant: &'l mut Grant,
) -> (LeaseFacts<'l>, &'l mut Bindings, &'l mut Handlers) {
    let fixed = grant.is_fixed();
    let Lease { address, ends, hardware, bindings, handlers, host, .. } = &mut grant.lease;
    let host = host.and_then(|id| config.hosts.get(id.index()));
    let facts = LeaseFacts {
        address: *address,
        ends: *ends,
        hardware: hardware.as_ref(),
        host_name: host.map(|h| &*h.name),
        fixed,
    };
    (facts, bindings, handlers)
}

/// Is it the same hardware? A lease without any matches nothing.
pub(super) fn same_hardware(lease: &Lease, hardware: &Hardware) -> bool {
    lease.hardware.as_ref() == Some(hardware)
}
