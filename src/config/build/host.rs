//! Hosts (ISC `server/confpars.c:parse_host_declaration`, `server/mdb.c:enter_host`).

use super::expression::constant;
use super::text::{hex_or_string, octets};
use super::{Builder, Refused};
use crate::config::diagnostic::{Code, Diagnostic, Severity};
use crate::config::network::{GroupId, Hardware, Host, HostId, HostIdentifier, ScopeId};
use crate::config::tree::{Combine, Expr, Octets, Statement};
use crate::log::Line;
use crate::options::Spaces;
use std::net::Ipv6Addr;
use std::sync::Arc;

/// The option that identifies a client: 61.
const DHCP_CLIENT_IDENTIFIER: u32 = 61;

/// A host between its braces.
#[derive(Clone, Debug)]
pub struct HostDraft {
    /// Its scope.
    pub scope: ScopeId,
    name: Vec<u8>,
    hardware: Option<Hardware>,
    uid: Option<Octets>,
    fixed_address: Option<Arc<Expr>>,
    fixed_address6: Vec<Ipv6Addr>,
    fixed_prefix6: Vec<(Ipv6Addr, u8)>,
    identifier: Option<HostIdentifier>,
    group: Option<GroupId>,
    dynamic: bool,
    deleted: bool,
}

impl Builder {
    /// Opens a `host`.
    pub fn open_host(&mut self, parent: ScopeId, name: &[u8]) -> HostDraft {
        HostDraft {
            scope: self.open_scope(parent),
            name: name.into(),
            hardware: None,
            uid: None,
            fixed_address: None,
            fixed_address6: Vec::new(),
            fixed_prefix6: Vec::new(),
            identifier: None,
            group: None,
            dynamic: false,
            deleted: false,
        }
    }

    /// Whether `hardware` may stand here: in a host, once. Asked before its value is read.
    pub fn expect_hardware(&mut self, host: &HostDraft) -> Result<(), Refused> {
        if host.hardware.is_none() {
            return Ok(());
        }
        let isc = octets!("Host ", host.name, " hardware address already configured.");
        Err(self.refuse(Code::HardwareTwice, isc))
    }

    /// `hardware TYPE ADDRESS;`
    pub fn set_hardware(&mut self, host: &mut HostDraft, hardware: Hardware) {
        host.hardware = Some(hardware);
    }

    /// `hardware` outside of a host.
    pub fn refuse_hardware(&mut self) -> Refused {
        self.refuse(Code::HostParameterNotHere, "hardware address parameter not allowed here.")
    }

    /// `fixed-address` outside of a host.
    pub fn refuse_fixed_address(&mut self) -> Refused {
        self.refuse(Code::HostParameterNotHere, "fixed-address parameter not allowed here.")
    }

    /// `fixed-address ADDRESS, ...;`
    pub fn set_fixed_address(&mut self, host: &mut HostDraft, addresses: Expr) -> Result<(), Refused> {
        self.expect_fixed_address(host)?;
        host.fixed_address = Some(Arc::new(addresses));
        Ok(())
    }

    /// `fixed-address6 ADDRESS, ...;`
    pub fn set_fixed_address6(
        &mut self,
        host: &mut HostDraft,
        addresses: Vec<Ipv6Addr>,
    ) -> Result<(), Refused> {
        self.expect_fixed_address(host)?;
        host.fixed_address6 = addresses;
        Ok(())
    }

    fn expect_fixed_address(&mut self, host: &HostDraft) -> Result<(), Refused> {
        if host.fixed_address.is_none() && host.fixed_address6.is_empty() {
            return Ok(());
        }
        let isc = "Only one fixed address declaration per host.";
        let diagnostic = Diagnostic::error(Code::FixedAddressTwice, self.span, isc)
            .note("one statement may list several addresses, separated by commas");
        Err(self.report(diagnostic))
    }

    /// `fixed-prefix6 PREFIX/LENGTH;`
    pub fn add_fixed_prefix6(
        &mut self,
        host: &mut HostDraft,
        address: Ipv6Addr,
        length: i32,
    ) -> Result<(), Refused> {
        let length = self.length6(length)?;
        self.mask_fits(address, length)?;
        host.fixed_prefix6.push((address, length));
        Ok(())
    }

    /// Whether `uid` may stand here: once. Asked before its value is read.
    pub fn expect_uid(&mut self, host: &HostDraft) -> Result<(), Refused> {
        if let Some(there) = host.uid.as_ref().filter(|uid| !uid.is_empty()) {
            let isc = octets!("Host '", host.name, "' already has a uid '", hex_or_string(there), "'");
            return Err(self.refuse(Code::UidTwice, isc));
        }
        Ok(())
    }

    /// `uid OCTETS;`
    pub fn set_uid(&mut self, host: &mut HostDraft, uid: &[u8]) -> Result<(), Refused> {
        self.expect_uid(host)?;
        host.uid = Some(Octets::new(uid));
        Ok(())
    }

    /// Whether `host-identifier` may stand here: once. Asked before its value is read.
    pub fn expect_host_identifier(&mut self, host: &HostDraft) -> Result<(), Refused> {
        if host.identifier.is_none() {
            return Ok(());
        }
        Err(self.refuse(Code::HostIdentifier, "only one host-identifier allowed per host"))
    }

    /// The number of `v6relopt`.
    pub fn host_identifier_relay(&mut self, relay: i32) -> Result<u32, Refused> {
        u32::try_from(relay).map_err(|_| {
            self.refuse(Code::HostIdentifier, "host-identifier v6relopt must have a number >= 0")
        })
    }

    /// `host-identifier`
    pub fn set_host_identifier(&mut self, host: &mut HostDraft, identifier: HostIdentifier) {
        host.identifier = Some(identifier);
    }

    /// `group NAME;` in a host.
    pub fn set_host_group(&mut self, host: &mut HostDraft, name: &[u8]) -> Result<(), Refused> {
        let Some(group) = self.find_group(name) else {
            let isc = octets!("unknown group ", name, " in host ", host.name);
            return Err(self.refuse(Code::GroupUnknown, isc));
        };
        host.group = Some(group);
        Ok(())
    }

    /// `dynamic;` in a host.
    pub fn set_host_dynamic(&mut self, host: &mut HostDraft) {
        host.dynamic = true;
    }

    /// `deleted;` in a host.
    pub fn set_host_deleted(&mut self, host: &mut HostDraft) {
        host.deleted = true;
    }

    /// The closing brace of a host: it takes over its named group's statements and its client identifier, and is
    /// entered. A `deleted` one takes an earlier host of its name away instead.
    pub fn close_host(&mut self, mut draft: HostDraft) -> Result<(), Refused> {
        let name = self.host_name(&draft.name);
        if self.lease_file {
            self.host_as_told(&mut draft);
        }
        if draft.deleted {
            if let Some(id) = self.config.host_index.named(&name) {
                self.config.host_index.remove(id, &self.config.hosts);
                if let Some(host) = self.config.hosts.get_mut(id.index()) {
                    host.deleted = true;
                    if host.fixed {
                        self.deleted_hosts.insert(name, id);
                    }
                }
            }
            return Ok(());
        }
        let own = draft.scope;
        self.join_group(&mut draft);
        self.take_client_identifier(&mut draft);
        self.seal_scope(own);
        // As many as statements: fits.
        let id = HostId(self.config.hosts.len() as u32);
        let host = Host {
            name,
            scope: draft.scope,
            hardware: draft.hardware,
            uid: draft.uid.filter(|uid| !uid.is_empty()),
            fixed_address: draft.fixed_address,
            fixed_address6: draft.fixed_address6,
            fixed_prefix6: draft.fixed_prefix6,
            identifier: draft.identifier,
            group: draft.group,
            dynamic: draft.dynamic,
            fixed: !draft.dynamic,
            deleted: false,
        };
        let entered = self.config.host_index.enter(id, &host);
        let replaced = if entered.is_ok() { self.deleted_hosts.remove(&host.name) } else { None };
        self.config.hosts.push(Host { fixed: host.fixed || replaced.is_some(), ..host });
        if let Some(old) = replaced.and_then(|old| self.config.hosts.get_mut(old.index())) {
            // The new one remembers instead.
            old.fixed = false;
        }
        entered.map_err(|_| {
            let isc = octets!("host ", draft.name, ": already exists");
            self.refuse(Code::HostTwice, isc)
        })
    }

    /// dhcpd keeps some of what it says is wrong: a host's own statements are what its reading made of them.
    fn host_as_told(&mut self, draft: &mut HostDraft) {
        if let Some(told) = self.told.hosts.pop_front().filter(|told| told.name == draft.name) {
            let HostDraft { hardware, uid, group, dynamic, deleted, .. } = told;
            *draft = HostDraft { hardware, uid, group, dynamic, deleted, ..draft.clone() };
        }
        self.closed.hosts.push_back(draft.clone());
    }

    /// Host names are many and mostly unique: they stay out of the table of shared names.
    fn host_name(&self, name: &[u8]) -> Arc<str> {
        String::from_utf8_lossy(name).into()
    }

    /// A host of a named group inherits from that group instead of the scope it stands in; without statements of its
    /// own it simply uses the group's scope.
    fn join_group(&mut self, draft: &mut HostDraft) {
        let group = draft.group.and_then(|id| self.config.groups.get(id.index()));
        let Some(group) = group.filter(|group| !group.deleted).map(|group| group.scope) else { return };
        let authority = |scope: ScopeId| self.config.scopes.get(scope.index()).map(|s| s.authoritative);
        if self.scope_statements(draft.scope).is_empty() && authority(draft.scope) == authority(group) {
            draft.scope = group;
        } else if let Some(scope) = self.config.scopes.get_mut(draft.scope.index()) {
            scope.parent = Some(group);
        }
    }

    /// `option dhcp-client-identifier` in a host is its `uid` (ISC `find_uid_statement`).
    fn take_client_identifier(&mut self, draft: &mut HostDraft) {
        let mut search = UidSearch::default();
        search.look(self.scope_statements(draft.scope), false);
        let UidSearch { found, lines } = search;
        for line in lines {
            self.log(Line::error(line));
        }
        let Some(value) = found.as_deref().and_then(constant) else { return };
        match draft.uid.as_ref().filter(|uid| !uid.is_empty()) {
            Some(uid) if !value.is_empty() => {
                let text = octets!(
                    "Warning, host declaration '",
                    draft.name,
                    "' already has uid '",
                    hex_or_string(uid),
                    "', ignoring dhcp-client-identifier '",
                    hex_or_string(&value),
                    "'"
                );
                let diagnostic = Diagnostic::own(
                    Code::UidIgnored,
                    Severity::Warning,
                    self.span,
                    "this host has a uid and a dhcp-client-identifier; the uid counts",
                );
                self.report(diagnostic);
                self.log(Line::error(text));
            }
            _ => draft.uid = Some(value),
        }
    }
}

/// Looks for statements that set the client identifier.
#[derive(Default)]
struct UidSearch {
    found: Option<Arc<Expr>>,
    lines: Vec<&'static str>,
}

impl UidSearch {
    fn look(&mut self, statements: &[Statement], conditional: bool) {
        for statement in statements {
            match statement {
                Statement::Option { combine: Combine::Supersede, option, value }
                    if option.space == Spaces::DHCP && option.code == DHCP_CLIENT_IDENTIFIER =>
                {
                    if conditional {
                        self.lines.push("dhcp client identifier may not be specified conditionally.");
                    } else if self.found.is_some() {
                        self.lines.push("only one dhcp client identifier may be specified");
                    } else {
                        self.found = Some(value.clone());
                    }
                }
                Statement::If { then, otherwise, .. } => {
                    self.look(then, true);
                    self.look(otherwise, true);
                }
                Statement::On { body: Some(body), .. } | Statement::Switch { body, .. } => {
                    self.look(body, true);
                }
                _ => {}
            }
        }
    }
}
