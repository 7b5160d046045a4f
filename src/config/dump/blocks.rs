//! Declarations: networks, subnets, pools, groups, hosts, classes.

use super::defaults::Holds;
use super::expression::{Expected, expression, option_name};
use super::outline::{Item, Outline, Owner, classes_in, holds6, permitted_class};
use super::resolve::{self, BUILT_IN, Inherited, Key};
use super::statement::{Place, statement};
use super::text;
use super::value;
use super::writer::Writer;
use crate::config::Config;
use crate::config::build::Family;
use crate::config::network::{
    ClassId, GroupId, Hardware, Host, HostId, HostIdentifier, NetworkId, PeerId, Permit, Pool, PoolId,
    Range6, ScopeId, SubnetId, SubnetPrefix,
};
use crate::config::tree::{Expr, Statement};
use crate::options::ip6_text;
use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;
use std::vec::IntoIter;

/// What the last host inherited: where from, and what it set itself. The next one is mostly the same.
#[derive(Clone, PartialEq, Eq)]
struct Resolution {
    base: ScopeId,
    subnets: Vec<SubnetId>,
    /// The options, and whether they are set in any case.
    given: Vec<(Key, bool)>,
}

/// Prints the declarations of a configuration.
pub(super) struct Blocks<'a> {
    config: &'a Config,
    family: Family,
    outline: Outline,
    pub(super) out: Writer,
    /// Classes that can be named by now.
    declared: HashSet<ClassId>,
    /// Statements of a class that name one declared later: the class is opened again for them.
    waiting: Vec<(ClassId, usize)>,
    /// Ranges of a pool that lies in another subnet (ISC `add_ipv6_pond_to_network`).
    strays: HashMap<SubnetId, Vec<Range6>>,
    /// Pools that have to name their peer although their network does.
    named_peers: HashSet<PoolId>,
    last_host: Option<Resolution>,
    cache: Option<(ScopeId, Vec<SubnetId>, Vec<Inherited>)>,
}

impl<'a> Blocks<'a> {
    /// Nothing is printed yet; `out` holds what stands before.
    pub(super) fn new(config: &'a Config, family: Family, out: Writer) -> Self {
        Self {
            config,
            family,
            outline: Outline::new(config),
            out,
            declared: HashSet::new(),
            waiting: Vec::new(),
            strays: strays(config),
            named_peers: named_peers(config),
            last_host: None,
            cache: None,
        }
    }

    /// The root scope and everything in it.
    pub(super) fn print(mut self) -> Writer {
        self.authority(ScopeId::ROOT);
        let here = self
            .config
            .statements(ScopeId::ROOT)
            .map(|statements| resolve::given_here(statements.get(BUILT_IN..).unwrap_or_default()))
            .unwrap_or_default();
        self.defaults(resolve::unset(self.config, self.family, Holds::Server, &HashSet::new(), &here));
        let items = self.outline.take(ScopeId::ROOT);
        self.body(ScopeId::ROOT, BUILT_IN, Place::default(), items);
        let mut deleted: Vec<ClassId> = self.outline.deleted_classes.iter().copied().collect();
        deleted.sort();
        for class in deleted {
            self.out.gap();
            self.out.open([b"class ", &*self.class_name(class)]);
            self.out.line(["deleted;"]);
            self.out.close();
        }
        self.out
    }

    /// The statements of a scope from `first` on, and the declarations in it. Statements come first, except that a class
    /// must be declared before it is named.
    fn body(&mut self, scope: ScopeId, first: usize, place: Place, mut items: IntoIter<Item>) {
        let config = self.config;
        let statements = config.statements(scope).map_or(&[][..], |statements| &**statements);
        for written in statements.iter().skip(first) {
            let mut needed = Vec::new();
            classes_in(written, &mut needed);
            self.provide(&needed, &mut items);
            statement(config, &mut self.out, written, place);
        }
        for item in items {
            self.item(item);
        }
    }

    /// Prints declarations until these classes are declared.
    fn provide(&mut self, needed: &[ClassId], items: &mut IntoIter<Item>) {
        while !needed.iter().all(|class| self.declared.contains(class)) {
            let Some(item) = items.next() else { return };
            self.item(item);
        }
    }

    fn item(&mut self, item: Item) {
        if !matches!(item, Item::Host(_)) {
            self.last_host = None;
        }
        match item {
            Item::Group(scope, group) => self.group(scope, group),
            Item::Host(host) => self.host(host),
            Item::Network(network) => self.network(network),
            Item::Subnet(subnet) => self.subnet(subnet),
            Item::Pool(pool) => self.pool(pool),
            Item::Class(class) => self.class(class),
            Item::Subclass(class, scope) => self.subclass(class, scope),
        }
    }

    /// `authoritative` where it differs from what is inherited.
    fn authority(&mut self, scope: ScopeId) {
        let Some(own) = self.config.scope(scope) else { return };
        let outer = own.parent.is_some_and(|parent| self.config.is_authoritative(parent));
        if own.authoritative != outer {
            self.out.line([authority_words(own.authoritative)]);
        }
    }

    fn group(&mut self, scope: ScopeId, group: Option<GroupId>) {
        let group = group.and_then(|id| self.config.groups.get(id.index()));
        self.out.gap();
        match group {
            Some(group) => self.out.open([b"group ", &*text::quoted(group.name.as_bytes())]),
            None => self.out.open(["group"]),
        }
        let flags = [
            ("dynamic;", group.is_some_and(|group| group.dynamic)),
            ("static;", group.is_some_and(|group| group.fixed)),
        ];
        for (flag, _) in flags.iter().filter(|(_, given)| *given) {
            // dhcpd wants another statement behind a flag.
            self.out.line([flag]);
            self.out.line([authority_words(self.config.is_authoritative(scope))]);
        }
        if flags.iter().all(|(_, given)| !given) {
            self.authority(scope);
        }
        let items = self.outline.take(scope);
        self.body(scope, 0, Place::default(), items);
        self.out.close();
        self.last_host = None;
    }

    fn network(&mut self, id: NetworkId) {
        let Some(network) = self.config.shared_networks.get(id.index()) else { return };
        self.out.gap();
        self.out.open([b"shared-network ", &*text::name(&network.name)]);
        let of_subnet = network.subnets.iter().any(|subnet| {
            self.config.subnets.get(subnet.index()).is_some_and(|subnet| subnet.interface.is_some())
        });
        if let Some(interface) = network.interface.as_deref().filter(|_| !of_subnet) {
            self.out.line([b"interface ", &*text::name(interface), b";"]);
        }
        if let Some(peer) = network.failover_peer {
            self.out.line([b"failover peer ", &*self.peer_name(peer), b";"]);
        }
        self.authority(network.scope);
        let items = self.outline.take(network.scope);
        self.body(network.scope, 0, Place::default(), items);
        self.out.close();
    }

    fn subnet(&mut self, id: SubnetId) {
        let Some(subnet) = self.config.subnets.get(id.index()) else { return };
        self.out.gap();
        self.out.open([prefix_words(subnet.prefix)]);
        if let Some(interface) = subnet.interface.as_deref() {
            self.out.line([b"interface ", &*text::name(interface), b";"]);
        }
        for range in self.strays.remove(&id).unwrap_or_default() {
            self.out.line([range6_words(range)]);
        }
        self.authority(subnet.scope);
        let items = self.outline.take(subnet.scope);
        self.body(subnet.scope, 0, Place::default(), items);
        self.out.close();
    }

    fn pool(&mut self, id: PoolId) {
        let Some(pool) = self.config.pools.get(id.index()) else { return };
        let outer = self.config.scope(pool.scope).and_then(|scope| scope.parent).unwrap_or(ScopeId::ROOT);
        let home = match self.outline.owner(outer) {
            Owner::Subnet(subnet) => Some(subnet),
            _ => None,
        };
        self.out.gap();
        self.out.open([if pool.ranges6.is_empty() { "pool" } else { "pool6" }]);
        let network_peer =
            self.config.shared_networks.get(pool.network.index()).and_then(|network| network.failover_peer);
        match pool.failover_peer {
            Some(peer) if network_peer != Some(peer) || self.named_peers.contains(&id) => {
                self.out.line([b"failover peer ", &*self.peer_name(peer), b";"]);
            }
            // Without a semicolon: it would be a statement too many.
            None if network_peer.is_some() => self.out.line(["no failover peer"]),
            _ => {}
        }
        self.authority(pool.scope);
        let mut items = self.outline.take(pool.scope);
        for (verb, permits) in [("allow ", &pool.permits), ("deny ", &pool.prohibits)] {
            for permit in permits {
                let needed: Vec<ClassId> = permitted_class(permit).into_iter().collect();
                self.provide(&needed, &mut items);
                self.out.line([verb.as_bytes(), &*self.permit_words(permit), b";"]);
            }
        }
        for range in &pool.ranges {
            self.out.line([match range.first == range.last {
                true => format!("range {};", range.first),
                false => format!("range {} {};", range.first, range.last),
            }]);
        }
        for (_, range) in placed(self.config, pool, home).filter(|(place, _)| place.is_none()) {
            self.out.line([range6_words(range)]);
        }
        self.body(pool.scope, 0, Place { pool: true, handler: false }, items);
        self.pool_resolution(pool, home);
        self.out.close();
        self.last_host = None;
    }

    /// What holds for clients of a pool without standing in it, once for each of its subnets.
    fn pool_resolution(&mut self, pool: &Pool, home: Option<SubnetId>) {
        let config = self.config;
        let mut subnets: Vec<SubnetId> = pool.ranges.iter().map(|range| range.subnet).collect();
        subnets.extend(home.filter(|_| subnets.is_empty()));
        subnets.sort();
        subnets.dedup();
        let network_scope =
            config.shared_networks.get(pool.network.index()).map_or(ScopeId::ROOT, |network| network.scope);
        let bases: Vec<ScopeId> = match subnets.is_empty() {
            true => vec![network_scope],
            false => {
                subnets.iter().filter_map(|id| config.subnets.get(id.index())).map(|it| it.scope).collect()
            }
        };
        let statements = config.statements(pool.scope).map_or(&[][..], |statements| &**statements);
        let masked = resolve::set_here(statements);
        let mut seen = HashSet::new();
        let mut all: Vec<Inherited> = Vec::new();
        // A default holds in the pool when it holds in one of the subnets.
        let mut given: Option<HashSet<Key>> = None;
        for base in &bases {
            let inherited = resolve::inherited(config, &config.scope_chain(*base));
            let here = resolve::given(&inherited);
            given = Some(given.map_or(here.clone(), |given| &given & &here));
            for one in inherited {
                if !masked.contains(&one.key) && seen.insert((one.text.clone(), one.scope)) {
                    all.push(one);
                }
            }
        }
        let base = bases.first().copied().unwrap_or(ScopeId::ROOT);
        let authority = match config.is_authoritative(pool.scope) {
            true => {
                let from = config.enclosing(base).take_while(|(_, scope)| scope.authoritative).last();
                let from = from.map_or(base, |(scope, _)| scope);
                self.out.line([&*format!("# inherited: authoritative;  ({})", self.label(from))]);
                None
            }
            false => Some(authority_words(false)),
        };
        if let Some(peer) = pool.failover_peer.filter(|_| !self.names_peer(pool)) {
            let name = self.peer_name(peer);
            let label = self.label(network_scope);
            self.out.line([b"# inherited: failover peer ", &*name, b";  (", label.as_bytes(), b")"]);
        }
        self.inherited_lines(&all);
        let here = resolve::given_here(statements);
        let unset = resolve::unset(config, self.family, Holds::Pool, &given.unwrap_or_default(), &here);
        self.defaults(authority.into_iter().chain(unset));
        self.built_in_lines(&all);
    }

    fn names_peer(&self, pool: &Pool) -> bool {
        let network = self.config.shared_networks.get(pool.network.index());
        network.and_then(|network| network.failover_peer) != pool.failover_peer
    }

    fn host(&mut self, id: HostId) {
        let config = self.config;
        let Some(host) = config.hosts.get(id.index()) else { return };
        let own = self.outline.owner(host.scope) == Owner::Host(id);
        self.out.gap_after_block();
        self.out.open([b"host ", host.name.as_bytes()]);
        if host.dynamic {
            self.out.line(["dynamic;"]);
        }
        if let Some(group) = host.group.and_then(|group| config.groups.get(group.index())) {
            self.out.line([b"group ", &*text::quoted(group.name.as_bytes()), b";"]);
        }
        if let Some(hardware) = &host.hardware {
            self.out.line([hardware_words(hardware)]);
        }
        let statements = config.statements(host.scope).map_or(&[][..], |statements| &**statements);
        if let Some(uid) = host.uid.as_ref().filter(|uid| !is_client_identifier(statements, uid)) {
            self.out.line([b"uid ", &*text::octets(uid), b";"]);
        }
        if let Some(identifier) = &host.identifier {
            self.host_identifier(identifier);
        }
        if let Some(addresses) = host.fixed_address.as_deref().and_then(address_list) {
            self.out.line([b"fixed-address ", &*addresses, b";"]);
        }
        if !host.fixed_address6.is_empty() {
            let list: Vec<String> = host.fixed_address6.iter().map(|address| ip6_text(*address)).collect();
            self.out.line([format!("fixed-address6 {};", list.join(", "))]);
        }
        for (address, length) in &host.fixed_prefix6 {
            self.out.line([format!("fixed-prefix6 {}/{length};", ip6_text(*address))]);
        }
        if own {
            let items = self.outline.take(host.scope);
            self.body(host.scope, 0, Place::default(), items);
        }
        self.host_resolution(host, if own { statements } else { &[] }, own);
        self.out.close();
    }

    /// What holds for a host without standing in it: its groups, and the subnets of its fixed addresses, which count
    /// for less (ISC `server/dhcp.c:ack_lease`).
    fn host_resolution(&mut self, host: &Host, statements: &[Statement], own: bool) {
        let config = self.config;
        let base = match own {
            true => config.scope(host.scope).and_then(|scope| scope.parent).unwrap_or(ScopeId::ROOT),
            false => host.scope,
        };
        let subnets = fixed_subnets(config, host);
        match &self.cache {
            Some((scope, of, _)) if *scope == base && *of == subnets => {}
            _ => {
                let all = self.inherited_by_host(base, &subnets);
                self.cache = Some((base, subnets.clone(), all));
                self.last_host = None;
            }
        }
        let here = resolve::given_here(statements);
        let set = resolve::set_here(statements);
        let mut own: Vec<(Key, bool)> = here.iter().map(|key| (*key, set.contains(key))).collect();
        own.sort();
        let resolution = Resolution { base, subnets, given: own };
        if self.last_host.as_ref() == Some(&resolution) {
            self.out.line(["# inherited and default: as for the host above"]);
            return;
        }
        let inherited = self.cache.as_ref().map_or(&[][..], |(_, _, all)| all);
        let all: Vec<Inherited> = inherited.iter().filter(|one| !set.contains(&one.key)).cloned().collect();
        self.inherited_lines(&all);
        self.defaults(resolve::unset(config, self.family, Holds::Client, &resolve::given(&all), &here));
        self.built_in_lines(&all);
        self.last_host = Some(resolution);
    }

    fn inherited_by_host(&self, base: ScopeId, subnets: &[SubnetId]) -> Vec<Inherited> {
        let config = self.config;
        if subnets.is_empty() {
            return resolve::inherited(config, &config.scope_chain(base));
        }
        let mut seen = HashSet::new();
        let mut all = Vec::new();
        for subnet in subnets.iter().filter_map(|id| config.subnets.get(id.index())) {
            let limit = config.shared_networks.get(subnet.network.index()).map(|network| network.scope);
            let mut chain = config.scope_chain(subnet.scope);
            chain.extend(config.scope_chain_within(base, limit));
            for one in resolve::inherited(config, &chain) {
                if seen.insert((one.text.clone(), one.scope)) {
                    all.push(one);
                }
            }
        }
        all
    }

    fn host_identifier(&mut self, identifier: &HostIdentifier) {
        let spaces = &self.config.spaces;
        let (name, option) = option_name(spaces, identifier.option);
        let value = Expr::Data(identifier.value.clone());
        // What cannot be written literally identifies nobody: it was a host name.
        let Some(literal) = value::literal(spaces.format(option), &value, false) else { return };
        let which = match identifier.relay {
            Some(relay) => format!("v6relopt {relay}"),
            None => "option".to_owned(),
        };
        self.out.line([format!("host-identifier {which} {name} ").as_bytes(), &*literal, b";"]);
    }

    fn class(&mut self, id: ClassId) {
        let config = self.config;
        let Some(class) = config.classes.get(id.index()) else { return };
        let spaces = &config.spaces;
        self.out.gap();
        self.out.open([b"class ", &*text::quoted(class.name.as_bytes())]);
        if class.dynamic {
            self.out.line(["dynamic;"]);
        }
        if let Some(condition) = &class.match_if {
            let condition = expression(spaces, condition, Expected::Octets);
            self.out.line([b"match if ", &*condition, b";"]);
        }
        if let Some(data) = &class.submatch {
            let verb: &[u8] = if class.spawning { b"spawn with " } else { b"match " };
            self.out.line([verb, &*expression(spaces, data, Expected::Octets), b";"]);
        }
        if let Some(limit) = class.lease_limit {
            self.out.line([format!("lease limit {limit};")]);
        }
        let statements = config.statements(class.scope).map_or(&[][..], |statements| &**statements);
        let ready = self.ready(statements, 0);
        for written in statements.iter().take(ready) {
            statement(config, &mut self.out, written, Place::default());
        }
        self.out.close();
        self.declared.insert(id);
        if ready < statements.len() {
            self.waiting.push((id, ready));
        }
        self.reopen_classes();
    }

    /// How many statements name only classes that are declared by now.
    fn ready(&self, statements: &[Statement], from: usize) -> usize {
        let waits = |statement: &Statement| {
            let mut needed = Vec::new();
            classes_in(statement, &mut needed);
            !needed.iter().all(|class| self.declared.contains(class))
        };
        statements.iter().skip(from).position(waits).map_or(statements.len(), |at| from + at)
    }

    fn reopen_classes(&mut self) {
        let config = self.config;
        for (id, from) in std::mem::take(&mut self.waiting) {
            let scope = config.classes.get(id.index()).map_or(ScopeId::ROOT, |class| class.scope);
            let statements = config.statements(scope).map_or(&[][..], |statements| &**statements);
            let ready = self.ready(statements, from);
            if ready > from {
                self.out.gap();
                self.out.open([b"class ", &*self.class_name(id)]);
                for written in statements.iter().take(ready).skip(from) {
                    statement(config, &mut self.out, written, Place::default());
                }
                self.out.close();
            }
            if ready < statements.len() {
                self.waiting.push((id, ready));
            }
        }
    }

    fn subclass(&mut self, id: ClassId, scope: Option<ScopeId>) {
        let Some(class) = self.config.classes.get(id.index()) else { return };
        let value = class.hash_value.as_ref().map_or_else(Vec::new, |value| text::octets(value));
        let head = [b"subclass ", &*text::quoted(class.name.as_bytes()), b" ", &*value].concat();
        let superclass = class.superclass.and_then(|id| self.config.classes.get(id.index()));
        // It was given its class's limit when it was first declared.
        let limit = superclass.is_some_and(|superclass| superclass.lease_limit != class.lease_limit);
        if scope.is_none() && !limit && !class.dynamic {
            self.out.gap_after_block();
            self.out.line([&*head, b";"]);
            return;
        }
        self.out.gap();
        self.out.open([head]);
        let last = scope.is_none_or(|scope| scope == class.scope);
        if limit && last {
            self.out.line([format!("lease limit {};", class.lease_limit.unwrap_or(0))]);
        }
        if class.dynamic && last {
            self.out.line(["dynamic;"]);
        }
        if let Some(scope) = scope {
            self.body(scope, 0, Place::default(), Vec::new().into_iter());
        }
        self.out.close();
    }

    fn inherited_lines(&mut self, inherited: &[Inherited]) {
        for one in inherited {
            match one {
                Inherited { built_in: true, .. } => {}
                Inherited { conditional: true, .. } => {
                    let label = self.label(one.scope);
                    self.out.line([b"# depends on the client: ", &*one.text, b"  (", label.as_bytes(), b")"]);
                }
                _ => {
                    let label = self.label(one.scope);
                    self.out.line([b"# inherited: ", &*one.text, b"  (", label.as_bytes(), b")"]);
                }
            }
        }
    }

    fn built_in_lines(&mut self, inherited: &[Inherited]) {
        for one in inherited.iter().filter(|one| one.built_in) {
            self.out.line([b"# default: ", &*one.text]);
        }
    }

    fn defaults<'t>(&mut self, statements: impl IntoIterator<Item = &'t str>) {
        for statement in statements {
            self.out.line(["# default: ", statement]);
        }
    }

    /// What a scope is called in a comment.
    fn label(&self, scope: ScopeId) -> String {
        let shown = |octets: Vec<u8>| String::from_utf8_lossy(&octets).into_owned();
        match self.outline.owner(scope) {
            Owner::Root => "outermost".to_owned(),
            Owner::Group(Some(group)) => {
                let name = self.config.groups.get(group.index()).map(|group| group.name.clone());
                format!("group {}", shown(text::quoted(name.unwrap_or_default().as_bytes())))
            }
            Owner::Network(network) => {
                let name = self.config.shared_networks.get(network.index()).map(|it| it.name.clone());
                format!("shared-network {}", shown(text::name(&name.unwrap_or_default())))
            }
            Owner::Subnet(subnet) => {
                self.config.subnets.get(subnet.index()).map_or_else(String::new, |it| prefix_words(it.prefix))
            }
            Owner::Group(None) => "group".to_owned(),
            Owner::Pool(_) => "pool".to_owned(),
            Owner::Host(_) => "host".to_owned(),
            Owner::Class(_) | Owner::Subclass => "class".to_owned(),
        }
    }

    fn class_name(&self, class: ClassId) -> Vec<u8> {
        let name = self.config.classes.get(class.index()).map(|class| class.name.clone()).unwrap_or_default();
        text::quoted(name.as_bytes())
    }

    fn peer_name(&self, peer: PeerId) -> Vec<u8> {
        let name = self.config.failover_peers.get(peer.index()).map(|peer| peer.name.clone());
        text::quoted(name.unwrap_or_default().as_bytes())
    }

    fn permit_words(&self, permit: &Permit) -> Vec<u8> {
        match permit {
            Permit::UnknownClients => b"unknown-clients".to_vec(),
            Permit::KnownClients => b"known-clients".to_vec(),
            Permit::AuthenticatedClients => b"authenticated clients".to_vec(),
            Permit::UnauthenticatedClients => b"unauthenticated clients".to_vec(),
            Permit::AllClients => b"all clients".to_vec(),
            Permit::DynamicBootpClients => b"dynamic bootp clients".to_vec(),
            Permit::MembersOf(class) => [b"members of ", &*self.class_name(*class)].concat(),
            Permit::After(crate::time::NEVER) => b"after never".to_vec(),
            Permit::After(seconds) => format!("after epoch {seconds}").into_bytes(),
        }
    }
}

fn authority_words(authoritative: bool) -> &'static str {
    if authoritative { "authoritative;" } else { "not authoritative;" }
}

fn prefix_words(prefix: SubnetPrefix) -> String {
    match prefix {
        SubnetPrefix::V4 { address, mask } => format!("subnet {address} netmask {mask}"),
        SubnetPrefix::V6 { address, length } => format!("subnet6 {}/{length}", ip6_text(address)),
    }
}

fn range6_words(range: Range6) -> String {
    match range {
        Range6::Addresses(first, last) => format!("range6 {} {};", ip6_text(first), ip6_text(last)),
        Range6::Block(address, length, temporary) => {
            let temporary = if temporary { " temporary" } else { "" };
            format!("range6 {}/{length}{temporary};", ip6_text(address))
        }
        Range6::Prefixes(first, last, length) => {
            format!("prefix6 {} {} /{length};", ip6_text(first), ip6_text(last))
        }
    }
}

fn hardware_words(hardware: &Hardware) -> Vec<u8> {
    let kind = match hardware.htype {
        1 => "ethernet".to_owned(),
        6 => "token-ring".to_owned(),
        8 => "fddi".to_owned(),
        32 => "infiniband".to_owned(),
        other => format!("unknown-{other}"),
    };
    let address = if hardware.address.is_empty() { Vec::new() } else { text::hex(&hardware.address) };
    let blank: &[u8] = if address.is_empty() { b"" } else { b" " };
    [b"hardware ", kind.as_bytes(), blank, &*address, b";"].concat()
}

/// Addresses and host names, as `fixed-address`, zones and failover peers list them.
pub(super) fn address_list(addresses: &Expr) -> Option<Vec<u8>> {
    let leaves = value::leaves(addresses)?;
    value::addresses(&leaves, true, false).or_else(|| value::zone_addresses(&leaves))
}

/// Whether the statements of a host make this its identifier.
fn is_client_identifier(statements: &[Statement], uid: &[u8]) -> bool {
    crate::config::build::client_identifier(statements).is_some_and(|found| *found == *uid)
}

/// The subnets of a host's fixed addresses.
fn fixed_subnets(config: &Config, host: &Host) -> Vec<SubnetId> {
    let mut subnets: Vec<SubnetId> =
        host.fixed_address6.iter().filter_map(|it| config.subnet6_containing(*it)).collect();
    for leaf in host.fixed_address.as_deref().and_then(value::leaves).unwrap_or_default() {
        let Expr::Data(octets) = leaf else { continue };
        let addresses = octets.as_chunks::<4>().0.iter().map(|four| Ipv4Addr::from(*four));
        subnets.extend(addresses.filter_map(|it| config.subnet_containing(it)));
    }
    subnets.sort();
    subnets.dedup();
    subnets
}

/// The ranges of a pool, each with the other subnet of its network that it stands in, if it is not the pool's own.
/// Prefixes lie anywhere and stand behind what they were read after.
fn placed<'p>(
    config: &'p Config,
    pool: &'p Pool,
    home: Option<SubnetId>,
) -> impl Iterator<Item = (Option<SubnetId>, Range6)> + 'p {
    let prefix = |id: SubnetId| config.subnets.get(id.index()).map(|subnet| subnet.prefix);
    let network = config.shared_networks.get(pool.network.index());
    let subnets = network.map_or(&[][..], |network| &network.subnets);
    let mut place = None;
    pool.ranges6.iter().map(move |range| {
        let holds = |id: SubnetId| match *range {
            Range6::Addresses(first, _) | Range6::Block(first, ..) => {
                prefix(id).is_some_and(|prefix| holds6(prefix, first))
            }
            Range6::Prefixes(..) => true,
        };
        if !place.or(home).is_some_and(holds) {
            place = subnets.iter().copied().find(|id| holds(*id) && Some(*id) != home);
        }
        (place, *range)
    })
}

/// The ranges that stand in another subnet than their pool, by that subnet.
fn strays(config: &Config) -> HashMap<SubnetId, Vec<Range6>> {
    let mut strays: HashMap<SubnetId, Vec<Range6>> = HashMap::new();
    let subnets: HashMap<ScopeId, SubnetId> =
        config.subnets.iter().enumerate().map(|(at, subnet)| (subnet.scope, SubnetId(at as u32))).collect();
    for pool in config.pools.iter().filter(|pool| !pool.ranges6.is_empty()) {
        let home = config.scope(pool.scope).and_then(|scope| subnets.get(&scope.parent?).copied());
        for (place, range) in placed(config, pool, home) {
            if let Some(other) = place {
                strays.entry(other).or_default().push(range);
            }
        }
    }
    strays
}

/// dhcpd counts the pools that name a peer themselves and will not start with a peer that none names: where a pool may
/// have done so, or may have inherited it from its network, the count decides.
fn named_peers(config: &Config) -> HashSet<PoolId> {
    let mut named = HashSet::new();
    for (at, peer) in config.failover_peers.iter().enumerate() {
        let id = PeerId(at as u32);
        let mut left = peer.referring_pools as usize;
        let mut unclear = Vec::new();
        for (pool_at, pool) in config.pools.iter().enumerate() {
            let network = config.shared_networks.get(pool.network.index());
            match network.and_then(|network| network.failover_peer) {
                _ if pool.failover_peer != Some(id) => {}
                Some(peer) if peer == id => unclear.push(PoolId(pool_at as u32)),
                _ => left = left.saturating_sub(1),
            }
        }
        named.extend(unclear.into_iter().take(left));
    }
    named
}
