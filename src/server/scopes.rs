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
