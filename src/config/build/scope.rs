//! Scopes: statement lists and what they inherit from (ISC `struct group`, `common/memory.c:clone_group`).

use super::{Builder, Refused};
use crate::config::diagnostic::{Code, Diagnostic, Severity};
use crate::config::network::{Scope, ScopeId};
use crate::config::tree::{Combine, Expr, Octets, Statement};
use crate::options::Spaces;
use std::sync::Arc;

/// What encloses a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Kind {
    Root,
    Group,
    Host,
    SharedNetwork,
    Subnet,
    Class,
    Pool,
}

impl Builder {
    /// Opens a scope inside another; `authoritative` is inherited as it stands at this moment.
    pub fn open_scope(&mut self, parent: ScopeId) -> ScopeId {
        let authoritative = self.config.scopes.get(parent.index()).is_some_and(|scope| scope.authoritative);
        // Scopes are at most as many as statements in files of less than 4 GiB each: fits.
        let id = ScopeId(self.config.scopes.len() as u32);
        let statements = self.empty.clone();
        self.config.scopes.push(Scope { parent: Some(parent), statements, authoritative });
        id
    }

    /// Adds a statement at the end of a scope; one that does nothing is not worth the room.
    pub fn push_statement(&mut self, scope: ScopeId, statement: Statement) {
        if statement == Statement::Nothing {
            return;
        }
        let sealed = self.config.scopes.get(scope.index());
        let list = self.statements.entry(scope).or_insert_with(|| {
            // A class may be opened again.
            sealed.map(|scope| scope.statements.to_vec()).unwrap_or_default()
        });
        list.push(statement);
    }

    /// The end of a scope's block: its statements take the form they will keep.
    pub(super) fn seal_scope(&mut self, id: ScopeId) {
        if let Some(list) = self.statements.remove(&id)
            && let Some(scope) = self.config.scopes.get_mut(id.index())
        {
            scope.statements = list.into();
        }
    }

    /// The same for all scopes whose blocks are still open.
    pub(super) fn seal_scopes(&mut self) {
        for (id, list) in std::mem::take(&mut self.statements) {
            if let Some(scope) = self.config.scopes.get_mut(id.index()) {
                scope.statements = list.into();
            }
        }
    }

    /// The statements of a scope so far.
    pub(super) fn scope_statements(&self, scope: ScopeId) -> &[Statement] {
        let sealed = || self.config.scopes.get(scope.index()).map_or(&[][..], |scope| &scope.statements);
        self.statements.get(&scope).map_or_else(sealed, Vec::as_slice)
    }

    /// `authoritative;` and `not authoritative;`. A host takes no authority: `in_host` is refused, but still acts.
    pub fn set_authoritative(
        &mut self,
        scope: ScopeId,
        authoritative: bool,
        in_host: bool,
    ) -> Result<(), Refused> {
        if let Some(scope) = self.config.scopes.get_mut(scope.index()) {
            scope.authoritative = authoritative;
        }
        if in_host {
            return Err(self.refuse(Code::AuthoritativeNotHere, "authority makes no sense here."));
        }
        Ok(())
    }

    /// A host right inside a subnet or shared-network: dhcpd warns once that hosts are global.
    pub fn warn_host_scope(&mut self) {
        if self.host_scope_warned {
            return;
        }
        self.host_scope_warned = true;
        let text =
            "WARNING: Host declarations are global.  They are not limited to the scope you declared them in.";
        self.report(
            Diagnostic::own(
                Code::HostsAreGlobal,
                Severity::Warning,
                self.span,
                "this host is not limited to the network it stands in",
            )
            .note("a host declaration is found wherever its client appears; the network lends it only its statements"),
        );
        self.log(crate::log::Line::error(text));
    }

    /// The statements that stand in the root scope before any file is read: how a client's DNS name is found (what
    /// ISC `server/dhcpd.c` calls `standard name service update routine`).
    pub(super) fn standard_name_service(&mut self) {
        let spaces = &self.config.spaces;
        let option = |space, name: &str| spaces.option_named(space, name);
        let (Some(hostname), Some(domainname), Some(reverse)) = (
            option(Spaces::SERVER, "ddns-hostname"),
            option(Spaces::SERVER, "ddns-domainname"),
            option(Spaces::SERVER, "ddns-rev-domainname"),
        ) else {
            return;
        };
        let (Some(fqdn), Some(host_name), Some(domain_name)) = (
            option(Spaces::FQDN, "hostname"),
            option(Spaces::DHCP, "host-name"),
            option(Spaces::DHCP, "domain-name"),
        ) else {
            return;
        };
        let names =
            Expr::Pick(vec![Expr::Option(fqdn), Expr::Option(host_name), Expr::ConfigOption(host_name)]);
        for (option, value) in [
            (hostname, names),
            (domainname, Expr::ConfigOption(domain_name)),
            (reverse, Expr::Data(Octets::new(b"in-addr.arpa."))),
        ] {
            let value = Arc::new(value);
            self.push_statement(
                ScopeId::ROOT,
                Statement::Option { combine: Combine::Supersede, option, value },
            );
        }
    }
}
