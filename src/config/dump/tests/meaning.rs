//! What a configuration means, fact by fact, without the numbers that only say in which order it was read.

use crate::config::Config;
use crate::config::network::{Class, ClassId, Permit, ScopeId};

/// The facts, in an order that two equal configurations share.
pub(super) fn meaning(config: &Config) -> Vec<String> {
    let mut facts = vec![format!(
        "{:?} {} {:?}",
        config.lease_id_format, config.db_time_format_local, config.server_duid
    )];
    spaces(config, &mut facts);
    facts.extend(config.keys.iter().map(|key| format!("{key:?}")));
    facts.extend(config.zones.iter().map(|zone| format!("{zone:?}")));
    for peer in &config.failover_peers {
        let mut peer = peer.clone();
        peer.referring_pools = peer.referring_pools.min(1);
        facts.push(format!("{peer:?}"));
    }
    facts.push(scope(config, ScopeId::ROOT));
    networks(config, &mut facts);
    facts.extend(config.subnets.iter().map(|subnet| format!("looked up: {:?}", subnet.prefix)));
    classes(config, &mut facts);
    hosts(config, &mut facts);
    facts
}

fn spaces(config: &Config, facts: &mut Vec<String>) {
    for (_, space) in config.spaces.iter() {
        facts.push(format!(
            "space {} {} {} {:?}",
            space.name, space.code_width, space.length_width, space.carrier
        ));
    }
    for definition in
        config.spaces.definitions().iter().skip(crate::options::Spaces::new().definitions().len())
    {
        facts.push(format!("{:?} {} {:?}", definition.id, definition.name, definition.format));
    }
}

/// The statements of a scope and of all around it, and its authority.
fn scope(config: &Config, scope: ScopeId) -> String {
    let all: Vec<String> = config
        .enclosing(scope)
        .filter(|(_, scope)| !scope.statements.is_empty())
        .map(|(_, scope)| classes_by_name(config, format!("{:?}", scope.statements)))
        .collect();
    all.join(" inside of ")
}

/// A text that shows `ClassId(7)` with the class's name instead.
fn classes_by_name(config: &Config, text: String) -> String {
    let mut named = String::new();
    for (at, piece) in text.split("ClassId(").enumerate() {
        let number = piece.split_once(')').filter(|_| at > 0);
        match number.and_then(|(number, rest)| Some((number.parse::<u32>().ok()?, rest))) {
            Some((number, rest)) => {
                let class = config.classes.get(ClassId(number).index());
                named += &format!("class {:?}{rest}", class.map(|class| &class.name));
            }
            None => named += piece,
        }
    }
    named
}

fn networks(config: &Config, facts: &mut Vec<String>) {
    let mut networks: Vec<_> = config.shared_networks.iter().collect();
    networks.sort_by_key(|network| network.scope);
    for network in networks {
        facts.push(format!(
            "network {} {} {:?} {:?} {} {}",
            network.name,
            network.implicit,
            network.interface,
            network.failover_peer,
            config.is_authoritative(network.scope),
            scope(config, network.scope)
        ));
        for subnet in network.subnets.iter().map(|id| &config.subnets[id.index()]) {
            facts.push(format!(
                "subnet {:?} {:?} {} {}",
                subnet.prefix,
                subnet.interface,
                config.is_authoritative(subnet.scope),
                scope(config, subnet.scope)
            ));
        }
        for pool in network.pools.iter().map(|id| &config.pools[id.index()]) {
            let ranges: Vec<_> = pool
                .ranges
                .iter()
                .map(|range| (range.first, range.last, config.subnets[range.subnet.index()].prefix))
                .collect();
            let permits = |permits: &[Permit]| classes_by_name(config, format!("{permits:?}"));
            facts.push(format!(
                "pool {ranges:?} {:?} allow {} deny {} from {} until {} {:?} {} {}",
                pool.ranges6,
                permits(&pool.permits),
                permits(&pool.prohibits),
                pool.valid_from,
                pool.valid_until,
                pool.failover_peer,
                config.is_authoritative(pool.scope),
                scope(config, pool.scope)
            ));
        }
    }
}

fn classes(config: &Config, facts: &mut Vec<String>) {
    let class = |class: &Class| {
        classes_by_name(
            config,
            format!(
                "{:?} {:?} {} {:?} {} {}",
                class.match_if,
                class.submatch,
                class.spawning,
                class.lease_limit,
                class.dynamic,
                scope(config, class.scope)
            ),
        )
    };
    for top in config.class_order.iter().map(|id| &config.classes[id.index()]) {
        facts.push(format!("class {:?} {}", top.name, class(top)));
        let mut subclasses: Vec<_> = top
            .subclasses
            .iter()
            .map(|(value, id)| format!("subclass {value:?} {}", class(&config.classes[id.index()])))
            .collect();
        subclasses.sort();
        facts.extend(subclasses);
    }
}

fn hosts(config: &Config, facts: &mut Vec<String>) {
    let mut hosts: Vec<_> = config.hosts.iter().filter(|host| !host.deleted).collect();
    hosts.sort_by_key(|host| &host.name);
    for host in hosts {
        let group = host.group.map(|group| &config.groups[group.index()].name);
        let identifier = host.identifier.as_ref().filter(|identifier| !identifier.value.is_empty());
        facts.push(format!(
            "host {} {:?} {:?} {:?} {:?} {:?} {identifier:?} {group:?} {} {}",
            host.name,
            host.hardware,
            host.uid,
            host.fixed_address,
            host.fixed_address6,
            host.fixed_prefix6,
            host.dynamic,
            scope(config, host.scope)
        ));
    }
    let mut groups: Vec<_> = config
        .groups
        .iter()
        .filter(|group| !group.deleted)
        .map(|group| format!("group {} {} {}", group.name, group.dynamic, scope(config, group.scope)))
        .collect();
    groups.sort();
    facts.extend(groups);
}
