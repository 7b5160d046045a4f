//! What stands in which block, found again from the scopes of a configuration.
//!
//! A scope is opened with every block, so the order of scopes is the order of the blocks in the text, includes expanded.
//! That order matters: classes are matched in it, subnets looked up, hosts chained, and a class must be there before it
//! is named. Scopes of blocks that left nothing behind (a pool that was merged into an equal one, a deleted host) count
//! only for what stands in them, and are groups then.

use crate::config::Config;
use crate::config::network::{
    ClassId, GroupId, HostId, NetworkId, Permit, PoolId, ScopeId, SubnetId, SubnetPrefix,
};
use crate::config::tree::Statement;
use std::collections::{HashMap, HashSet};

/// What a scope belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Root,
    Group(Option<GroupId>),
    Host(HostId),
    Network(NetworkId),
    Subnet(SubnetId),
    Pool(PoolId),
    Class(ClassId),
    Subclass,
}

/// A declaration.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item {
    Group(ScopeId, Option<GroupId>),
    Host(HostId),
    Network(NetworkId),
    Subnet(SubnetId),
    Pool(PoolId),
    Class(ClassId),
    /// A subclass, with the scope of one of its blocks.
    Subclass(ClassId, Option<ScopeId>),
}

/// A declaration with its place among its neighbours: the scope it was opened with, or that of what it follows.
type Placed = (Place, Item);

/// What stands outermost, but was not written there, follows the outermost block it was written in: subclasses first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    scope: u32,
    rank: Rank,
    order: (u32, u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Block,
    Subclass,
    Host,
}

impl Place {
    fn of(scope: ScopeId) -> Self {
        Self { scope: scope.0, rank: Rank::Block, order: (0, 0) }
    }
}

/// The blocks of a configuration.
pub(super) struct Outline {
    owners: Vec<Owner>,
    children: Vec<Vec<Placed>>,
    /// What stands outermost, wherever it was written: by scope, and by number where it has none of its own.
    moved: Vec<(Rank, (u32, u32), Item)>,
    /// Classes that were deleted, but are still named.
    pub(super) deleted_classes: HashSet<ClassId>,
}

impl Outline {
    /// Finds the blocks of a configuration.
    pub(super) fn new(config: &Config) -> Self {
        let named = named_classes(config);
        let mut outline = Self {
            owners: vec![Owner::Group(None); config.scopes.len()],
            children: Vec::new(),
            moved: Vec::new(),
            deleted_classes: named
                .into_iter()
                .filter(|id| config.classes.get(id.index()).is_some_and(|class| class.deleted))
                .collect(),
        };
        outline.children.resize_with(config.scopes.len(), Vec::new);
        outline.own(ScopeId::ROOT, Owner::Root);
        outline.groups(config);
        outline.networks(config);
        outline.classes(config);
        outline.hosts(config);
        outline.blocks(config);
        for (at, network) in config.shared_networks.iter().enumerate() {
            if !network.implicit {
                outline.pools_of(config, NetworkId(at as u32));
            }
        }
        outline.put_moved();
        for children in &mut outline.children {
            children.sort_by_key(|(place, _)| *place);
        }
        outline
    }

    /// What a scope belongs to.
    pub(super) fn owner(&self, scope: ScopeId) -> Owner {
        self.owners.get(scope.index()).copied().unwrap_or(Owner::Group(None))
    }

    /// The declarations right inside a scope, in order; each can be taken once.
    pub(super) fn take(&mut self, scope: ScopeId) -> std::vec::IntoIter<Item> {
        let children = self.children.get_mut(scope.index()).map(std::mem::take).unwrap_or_default();
        children.into_iter().map(|(_, item)| item).collect::<Vec<_>>().into_iter()
    }

    fn own(&mut self, scope: ScopeId, owner: Owner) {
        if let Some(slot) = self.owners.get_mut(scope.index()) {
            *slot = owner;
        }
    }

    fn put(&mut self, parent: ScopeId, place: Place, item: Item) {
        if let Some(children) = self.children.get_mut(parent.index()) {
            children.push((place, item));
        }
    }

    fn put_moved(&mut self) {
        let Some(outermost) = self.children.get_mut(ScopeId::ROOT.index()) else { return };
        let mut blocks: Vec<u32> = outermost.iter().map(|(place, _)| place.scope).collect();
        blocks.sort();
        for (rank, order, item) in self.moved.drain(..) {
            let before = blocks.partition_point(|block| *block <= order.0);
            let scope = before.checked_sub(1).and_then(|at| blocks.get(at)).copied().unwrap_or_default();
            outermost.push((Place { scope, rank, order }, item));
        }
    }

    /// A group that was deleted without any host that joined it needs no name, except that dhcpd takes a second group of a
    /// name for the end of the first, and only a third one can be joined again.
    fn groups(&mut self, config: &Config) {
        let joined: HashSet<GroupId> = config.hosts.iter().filter_map(|host| host.group).collect();
        let wanted = |at: usize| {
            let deleted = config.groups.get(at).is_none_or(|group| group.deleted);
            !deleted || joined.contains(&GroupId(at as u32))
        };
        let mut last: HashMap<&str, usize> = HashMap::new();
        for (at, group) in config.groups.iter().enumerate().filter(|(at, _)| wanted(*at)) {
            last.insert(&group.name, at);
        }
        let mut live: HashSet<&str> = HashSet::new();
        for (at, group) in config.groups.iter().enumerate() {
            let ends = live.contains(&*group.name) && last.get(&*group.name).is_some_and(|last| *last > at);
            if wanted(at) {
                live.insert(&group.name);
            } else if ends {
                live.remove(&*group.name);
            } else {
                continue;
            }
            self.own(group.scope, Owner::Group(Some(GroupId(at as u32))));
        }
    }

    fn networks(&mut self, config: &Config) {
        for (at, network) in config.shared_networks.iter().enumerate() {
            if !network.implicit {
                self.own(network.scope, Owner::Network(NetworkId(at as u32)));
            }
        }
        for (at, subnet) in config.subnets.iter().enumerate() {
            self.own(subnet.scope, Owner::Subnet(SubnetId(at as u32)));
        }
        for (at, pool) in config.pools.iter().enumerate() {
            self.own(pool.scope, Owner::Pool(PoolId(at as u32)));
        }
    }

    /// Subclasses stand outermost, wherever their class stands: their scope lies in that of their class.
    fn classes(&mut self, config: &Config) {
        let mut last = 0;
        for (at, class) in config.classes.iter().enumerate() {
            let id = ClassId(at as u32);
            let Some(superclass) = class.superclass else {
                last = last.max(class.scope.0);
                self.own(class.scope, Owner::Class(id));
                continue;
            };
            let Some(superclass) = config.classes.get(superclass.index()) else { continue };
            let blocks: Vec<ScopeId> = config
                .enclosing(class.scope)
                .map(|(scope, _)| scope)
                .take_while(|scope| *scope != superclass.scope)
                .collect();
            blocks.iter().for_each(|scope| self.own(*scope, Owner::Subclass));
            if class.deleted || superclass.deleted {
                continue;
            }
            last = last.max(superclass.scope.0);
            if blocks.is_empty() {
                self.moved.push((Rank::Subclass, (last, at as u32 + 1), Item::Subclass(id, None)));
            }
            for scope in blocks.into_iter().rev() {
                last = last.max(scope.0);
                self.moved.push((Rank::Subclass, (scope.0, 0), Item::Subclass(id, Some(scope))));
            }
        }
    }

    /// A host that joined a named group has the group's scope, or one inside it: where it was written is forgotten, and
    /// it stands outermost.
    fn hosts(&mut self, config: &Config) {
        let mut last = 0;
        for (at, host) in config.hosts.iter().enumerate() {
            let id = HostId(at as u32);
            let shares = matches!(self.owner(host.scope), Owner::Group(Some(_)));
            if !shares {
                last = host.scope.0;
                self.own(host.scope, Owner::Host(id));
            } else if let Some(group) = host.group.and_then(|group| config.groups.get(group.index())) {
                last = last.max(group.scope.0);
            }
            if host.deleted {
                continue;
            }
            if host.group.is_some() {
                let order = if shares { (last, at as u32 + 1) } else { (last, 0) };
                self.moved.push((Rank::Host, order, Item::Host(id)));
                continue;
            }
            let parent = config.scope(host.scope).and_then(|scope| scope.parent).unwrap_or(ScopeId::ROOT);
            self.put(parent, Place::of(host.scope), Item::Host(id));
        }
    }

    /// All other blocks. Inner ones first, so that a group can be left out when nothing is in it.
    fn blocks(&mut self, config: &Config) {
        for (at, scope) in config.scopes.iter().enumerate().rev() {
            let id = ScopeId(at as u32);
            let Some(parent) = scope.parent else { continue };
            let empty = scope.statements.is_empty() && self.children.get(at).is_none_or(Vec::is_empty);
            let item = match self.owner(id) {
                Owner::Group(None) if empty => continue,
                Owner::Group(group) => Item::Group(id, group),
                Owner::Network(network) => Item::Network(network),
                Owner::Subnet(subnet) => Item::Subnet(subnet),
                Owner::Class(class) => {
                    let deleted = config.classes.get(class.index()).is_some_and(|class| class.deleted);
                    if deleted && !self.deleted_classes.contains(&class) {
                        continue;
                    }
                    Item::Class(class)
                }
                // Those of a shared network are placed when all its subnets are.
                Owner::Pool(_) if matches!(self.owner(parent), Owner::Network(_)) => continue,
                Owner::Pool(pool) => Item::Pool(pool),
                Owner::Root | Owner::Host(_) | Owner::Subclass => continue,
            };
            self.put(parent, Place::of(id), item);
        }
    }

    /// The pools of a shared network: in their subnet as long as that keeps their order, behind all subnets otherwise.
    /// Their scope lies in that of the network in both places.
    fn pools_of(&mut self, config: &Config, id: NetworkId) {
        let Some(network) = config.shared_networks.get(id.index()) else { return };
        let mut siblings = self.children.get(network.scope.index()).cloned().unwrap_or_default();
        siblings.sort_by_key(|(place, _)| *place);
        let last_subnet =
            siblings.iter().filter(|(_, item)| matches!(item, Item::Subnet(_))).map(|(place, _)| place.scope);
        let last_subnet = last_subnet.max().unwrap_or_default();
        let mut reached = 0;
        let mut behind = false;
        let mut order = 0;
        for pool_id in &network.pools {
            let Some(pool) = config.pools.get(pool_id.index()) else { continue };
            if config.scope(pool.scope).is_none_or(|scope| scope.parent != Some(network.scope)) {
                continue;
            }
            let mut subnets = pool.ranges.iter().map(|range| range.subnet);
            let first = subnets.next();
            let scope = match first.filter(|first| subnets.all(|other| other == *first)) {
                Some(subnet) => config.subnets.get(subnet.index()).map(|subnet| subnet.scope.0),
                None => None,
            };
            // Whatever was declared between the subnet and the pool may be what the pool names.
            let inside = scope.filter(|scope| {
                let next = siblings.partition_point(|(place, _)| place.scope <= *scope);
                *scope >= reached && siblings.get(next).is_none_or(|(place, _)| pool.scope.0 < place.scope)
            });
            match inside {
                Some(scope) if !behind => {
                    reached = scope;
                    self.put(ScopeId(scope), Place::of(pool.scope), Item::Pool(*pool_id));
                }
                _ => {
                    behind = true;
                    order += 1;
                    let behind = ScopeId(pool.scope.0.max(last_subnet));
                    let place = Place { order: (order, 0), ..Place::of(behind) };
                    self.put(network.scope, place, Item::Pool(*pool_id));
                }
            }
        }
    }
}

/// The classes that statements and permits name.
fn named_classes(config: &Config) -> HashSet<ClassId> {
    let mut named = Vec::new();
    config.scopes.iter().flat_map(|scope| scope.statements.iter()).for_each(|it| classes_in(it, &mut named));
    for pool in &config.pools {
        named.extend(pool.permits.iter().chain(&pool.prohibits).filter_map(permitted_class));
    }
    named.into_iter().collect()
}

/// The class of a permit.
pub(super) fn permitted_class(permit: &Permit) -> Option<ClassId> {
    match permit {
        Permit::MembersOf(class) => Some(*class),
        _ => None,
    }
}

/// The classes that a statement names.
pub(super) fn classes_in(statement: &Statement, found: &mut Vec<ClassId>) {
    match statement {
        Statement::Add(class) => found.push(*class),
        Statement::If { then, otherwise, .. } => {
            then.iter().chain(otherwise.iter()).for_each(|inner| classes_in(inner, found));
        }
        Statement::Switch { body, .. } | Statement::On { body: Some(body), .. } => {
            body.iter().for_each(|inner| classes_in(inner, found));
        }
        Statement::Define { function, .. } => {
            function.body.iter().for_each(|inner| classes_in(inner, found));
        }
        Statement::Set { value: crate::config::tree::Expr::Function(function), .. } => {
            function.body.iter().for_each(|inner| classes_in(inner, found));
        }
        _ => {}
    }
}

/// Whether an address lies in an IPv6 subnet.
pub(super) fn holds6(prefix: SubnetPrefix, address: std::net::Ipv6Addr) -> bool {
    match prefix {
        SubnetPrefix::V6 { address: net, length } => {
            address.to_bits() & crate::config::index::mask6(length) == net.to_bits()
        }
        SubnetPrefix::V4 { .. } => false,
    }
}
