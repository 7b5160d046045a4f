//! Running the statements of scopes, in dhcpd's order.
//!
//! Mirrors ISC `common/execute.c:execute_statements_in_scope`: a scope runs after the scopes around it, outermost
//! first, except for those already run. What is already run is given as a limit: the scope that ran last, with all
//! around it.
//!
//! For an OFFER or ACK that is [`network`], [`classes`] and [`host`], the last two with [`limit`]; INFORM, NAK and the
//! others run the same pieces with other limits (`server/dhcp.c`).

use crate::config::Config;
use crate::config::network::{HostId, PoolId, ScopeId, SubnetId};
use crate::eval::{Context, Fatal, execute};

/// Runs a scope and all around it, outermost first. Nothing that is `limit`, or around it, runs again.
pub fn in_scope(scope: ScopeId, limit: Option<ScopeId>, context: &mut Context<'_>) -> Result<(), Fatal> {
    let config = context.config;
    let todo = || outward(config, scope).take_while(|&scope| !is_within(config, limit, scope));
    for inside in (0..todo().count()).rev() {
        if let Some(scope) = todo().nth(inside).and_then(|scope| config.scopes.get(scope.index())) {
            execute(&scope.statements, context)?;
        }
    }
    Ok(())
}

/// Runs the scopes of a subnet, then those of the pool, if there is one.
pub fn network(subnet: SubnetId, pool: Option<PoolId>, context: &mut Context<'_>) -> Result<(), Fatal> {
    let config = context.config;
    if let Some(subnet) = config.subnets.get(subnet.index()) {
        in_scope(subnet.scope, None, context)?;
    }
    pool.map_or(Ok(()), |id| self::pool(id, context))
}

/// Runs the scopes of a pool inside its network; none if the pool is an implied one.
pub fn pool(pool: PoolId, context: &mut Context<'_>) -> Result<(), Fatal> {
    let config = context.config;
    let Some(pool) = config.pools.get(pool.index()) else { return Ok(()) };
    let network = config.shared_networks.get(pool.network.index()).map(|network| network.scope);
    in_scope(pool.scope, network, context)
}

/// The scope that was run when an address is used: that of its pool, or of its subnet where there is no pool.
pub fn limit(config: &Config, subnet: SubnetId, pool: Option<PoolId>) -> Option<ScopeId> {
    match pool {
        Some(pool) => config.pools.get(pool.index()).map(|pool| pool.scope),
        None => config.subnets.get(subnet.index()).map(|subnet| subnet.scope),
    }
}

/// Runs the classes of the packet, from the last matched or added to the first; a subclass after its class.
///
/// Classes that the statements add meanwhile do not run.
pub fn classes(limit: Option<ScopeId>, context: &mut Context<'_>) -> Result<(), Fatal> {
    let members = context.classes.as_deref().cloned().unwrap_or_default();
    for class in members.into_iter().rev() {
        if let Some(class) = context.memory.spawned.declaration(context.config, class) {
            in_scope(class.scope, limit, context)?;
        }
    }
    Ok(())
}

/// Runs the groups around a host and the host.
pub fn host(host: HostId, limit: Option<ScopeId>, context: &mut Context<'_>) -> Result<(), Fatal> {
    match context.config.hosts.get(host.index()) {
        Some(host) => in_scope(host.scope, limit, context),
        None => Ok(()),
    }
}

/// A scope and those around it, innermost first.
fn outward(config: &Config, scope: ScopeId) -> impl Iterator<Item = ScopeId> {
    std::iter::successors(Some(scope), |scope| config.scopes.get(scope.index())?.parent)
        // A configuration has no cycles; if it had, every scope would still run once at most.
        .take(config.scopes.len())
}

/// Is a scope the limit, or around it?
fn is_within(config: &Config, limit: Option<ScopeId>, scope: ScopeId) -> bool {
    limit.is_some_and(|limit| outward(config, limit).any(|around| around == scope))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Family, build};
    use crate::eval::bindings::Bindings;
    use crate::eval::tests::Isolated;
    use crate::eval::{Memory, ReplyOptions};
    use crate::syntax::{LoadError, parse};
    use crate::time::Now;
    use std::time::Duration;

    /// `log` marks each scope.
    const TEXT: &str = r#"
log (info, "root");
class "one" { match if known; log (info, "one"); }
class "two" { match pick (option host-name, "x"); log (info, "two"); }
subclass "two" "x" { log (info, "two-x"); }
group {
    log (info, "group");
    shared-network net {
        log (info, "net");
        subnet 10.1.0.0 netmask 255.255.0.0 {
            log (info, "subnet");
            pool { range 10.1.0.1 10.1.0.9; log (info, "pool"); }
            host inside { hardware ethernet 2:0:0:0:0:1; log (info, "host-inside"); }
        }
        subnet 10.2.0.0 netmask 255.255.0.0 { range 10.2.0.1; }
    }
    host grouped { hardware ethernet 2:0:0:0:0:2; log (info, "host-grouped"); }
}
"#;

    struct World {
        config: Config,
        bindings: Bindings,
        environment: Isolated,
        memory: Memory,
        log: Vec<crate::log::Line>,
        reply: ReplyOptions,
        classes: Vec<crate::config::network::ClassId>,
    }

    impl World {
        fn new(text: &str) -> Self {
            let mut loader = |_: &[u8]| Err(LoadError { errno: None, message: String::new() });
            let built = build(&parse(b"t", text.as_bytes().to_vec(), &mut loader), Family::V4);
            assert!(built.accepted(), "{:?}", built.diagnostics);
            Self {
                config: built.config,
                bindings: Bindings::default(),
                environment: Isolated::default(),
                memory: Memory::default(),
                log: Vec::new(),
                reply: ReplyOptions::new(),
                classes: Vec::new(),
            }
        }

        fn run(&mut self, run: impl FnOnce(&mut Context<'_>) -> Result<(), Fatal>) -> String {
            let now = Now { wall: 0, tick: Duration::ZERO };
            let mut context = Context::new(
                now,
                &self.config,
                &mut self.bindings,
                &mut self.environment,
                &mut self.memory,
                &mut self.log,
            );
            context.reply = Some(&mut self.reply);
            context.classes = Some(&mut self.classes);
            run(&mut context).unwrap();
            let lines = self.log.drain(..).map(|line| String::from_utf8(line.text).unwrap());
            lines.collect::<Vec<_>>().join(" ")
        }

        fn host(&self, name: &str) -> HostId {
            let at = self.config.hosts.iter().position(|host| &*host.name == name).unwrap();
            HostId(u32::try_from(at).unwrap())
        }

        /// The subnet whose pool has a scope of its own comes first.
        fn places(&self) -> [(SubnetId, PoolId); 2] {
            let pool = |address: &str| {
                let address: std::net::Ipv4Addr = address.parse().unwrap();
                let subnet = self.config.subnet_containing(address).unwrap();
                let at = self.config.pools.iter().position(|pool| {
                    pool.ranges.iter().any(|range| (range.first..=range.last).contains(&address))
                });
                (subnet, PoolId(u32::try_from(at.unwrap()).unwrap()))
            };
            [pool("10.1.0.5"), pool("10.2.0.1")]
        }
    }

    #[test]
    fn scopes_run_outermost_first_and_once() {
        let mut world = World::new(TEXT);
        let [(subnet, pool), (plain, implied)] = world.places();
        assert_eq!(world.run(|context| network(subnet, Some(pool), context)), "root group net subnet pool");
        assert_eq!(world.run(|context| network(subnet, None, context)), "root group net subnet");
        assert_eq!(world.run(|context| network(plain, Some(implied), context)), "root group net");
        let covered = limit(&world.config, subnet, Some(pool));
        let (inside, grouped) = (world.host("inside"), world.host("grouped"));
        // A host inside a subnet runs the subnet again: it is not around the pool.
        assert_eq!(world.run(|context| host(inside, covered, context)), "subnet host-inside");
        assert_eq!(world.run(|context| host(grouped, covered, context)), "host-grouped");
        assert_eq!(world.run(|context| host(grouped, None, context)), "root group host-grouped");
        let covered = limit(&world.config, subnet, None);
        assert_eq!(world.run(|context| host(inside, covered, context)), "host-inside");
    }

    #[test]
    fn classes_run_from_the_last_to_the_first() {
        let mut world = World::new(TEXT);
        let [(subnet, pool), _] = world.places();
        let covered = limit(&world.config, subnet, Some(pool));
        let order = world.config.class_order.clone();
        let [one, two] = order[..] else { panic!("two classes: {order:?}") };
        let sub = *world.config.classes[two.index()].subclasses.values().next().unwrap();
        world.classes = vec![one, sub, two];
        assert_eq!(world.run(|context| classes(covered, context)), "two two two-x one");
        assert_eq!(world.run(|context| classes(None, context)), "root two root two two-x root one");
        assert_eq!(world.run(|context| in_scope(ScopeId::ROOT, covered, context)), "");
    }
}
