//! The chain of scopes a statement list is run through.

use super::Config;
use super::network::{Scope, ScopeId};
use super::tree::Block;

impl Config {
    /// A scope. An id of another configuration gets the root scope.
    pub fn scope(&self, id: ScopeId) -> Option<&Scope> {
        self.scopes.get(id.index())
    }

    /// The scope and all that enclose it, innermost first.
    pub fn enclosing(&self, scope: ScopeId) -> impl Iterator<Item = (ScopeId, &Scope)> {
        let mut at = Some(scope);
        // A scope is opened after the one it lies in; a named group that replaces a host's parent is older, too. The
        // bound makes the walk end even if that were broken.
        (0..=self.scopes.len()).map_while(move |_| {
            let id = at?;
            let scope = self.scopes.get(id.index())?;
            at = scope.parent;
            Some((id, scope))
        })
    }

    /// The scope and all that enclose it, outermost first: the order in which dhcpd runs their statements.
    pub fn scope_chain(&self, scope: ScopeId) -> Vec<ScopeId> {
        self.scope_chain_within(scope, None)
    }

    /// The same, but only what lies inside `limit`: `limit` itself and all that encloses it is left out (ISC
    /// `execute_statements_in_scope` with a limiting group).
    pub fn scope_chain_within(&self, scope: ScopeId, limit: Option<ScopeId>) -> Vec<ScopeId> {
        let outer: Vec<ScopeId> =
            limit.map(|limit| self.enclosing(limit).map(|(id, _)| id).collect()).unwrap_or_default();
        let mut chain: Vec<ScopeId> =
            self.enclosing(scope).map(|(id, _)| id).take_while(|id| !outer.contains(id)).collect();
        chain.reverse();
        chain
    }

    /// The statements of a scope.
    pub fn statements(&self, scope: ScopeId) -> Option<&Block> {
        self.scopes.get(scope.index()).map(|scope| &scope.statements)
    }

    /// Whether a scope is authoritative.
    pub fn is_authoritative(&self, scope: ScopeId) -> bool {
        self.scopes.get(scope.index()).is_some_and(|scope| scope.authoritative)
    }
}
