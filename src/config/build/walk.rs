//! The walk over the syntax tree: which statement may stand where, and which action it calls (ISC
//! `server/confpars.c:parse_statement` and the loops of the declarations around it).

use super::failover::PeerNumber;
use super::range6::Range6Extent;
use super::statement::Executed;
use super::text::octets;
use super::{
    Builder, ClassDraft, Family, GroupDraft, HostDraft, PoolDraft, RangePlace, Refused, Resolution, date,
};
use crate::config::diagnostic::{Code, Diagnostic, Notice, Severity};
use crate::config::network::{
    Hardware, HostIdentifier, LeaseIdFormat, NetworkId, Permit, ScopeId, ServerDuid, SubnetId,
};
use crate::config::tree::{Block, Combine, Octets};
use crate::syntax::{
    self, FailoverParameter, FailoverStateStatement, FailoverStatementKind, HardwareType, IncludeError,
    OptionVerb, Parsed, PermissionVerb, Range6End, Span, StatementKind,
};

/// What encloses a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Root,
    Group,
    Host,
    SharedNetwork,
    Subnet,
    Class,
    Pool,
}

/// The declaration a statement belongs to. Inside an included file there is none: dhcpd reads it with the scope and kind
/// of the block, but the block's own statements are not known there.
enum Draft<'a> {
    None,
    Host(&'a mut HostDraft),
    Group(&'a mut GroupDraft),
    Class(&'a mut ClassDraft),
    Pool(&'a mut PoolDraft),
}

/// Where a statement stands.
struct Place<'a> {
    kind: Kind,
    scope: ScopeId,
    network: Option<NetworkId>,
    subnet: Option<SubnetId>,
    draft: Draft<'a>,
    /// Right inside the block, not in a file included there.
    direct: bool,
    /// The statement before was a declaration: dhcpd words one message by it.
    declaration: bool,
}

impl<'a> Place<'a> {
    fn new(kind: Kind, scope: ScopeId) -> Self {
        Self {
            kind,
            scope,
            network: None,
            subnet: None,
            draft: Draft::None,
            direct: true,
            declaration: false,
        }
    }

    fn network(mut self, network: NetworkId) -> Self {
        self.network = Some(network);
        self
    }

    fn subnet(mut self, subnet: SubnetId) -> Self {
        self.subnet = Some(subnet);
        self
    }

    fn draft(mut self, draft: Draft<'a>) -> Self {
        self.draft = draft;
        self
    }
}

/// Builds everything a parsed file says.
pub(super) fn walk(builder: &mut Builder, parsed: &Parsed) {
    builder.take_faults(parsed.faults.clone());
    let mut root = Place::new(Kind::Root, ScopeId::ROOT);
    builder.statements(&parsed.statements, &mut root);
    builder.flush_faults();
}

/// The same for executable statements alone.
pub(super) fn walk_block(builder: &mut Builder, parsed: &Parsed) -> Result<Block, Vec<Diagnostic>> {
    builder.take_faults(parsed.faults.clone());
    let block = syntax::Block { span: Span::default(), closed: true, statements: parsed.statements.clone() };
    let built = builder.block(&block);
    builder.flush_faults();
    let findings: Vec<Diagnostic> = builder
        .take_notices()
        .into_iter()
        .filter_map(|notice| match notice {
            Notice::Diagnostic(diagnostic) if diagnostic.severity == Severity::Error => Some(*diagnostic),
            _ => None,
        })
        .collect();
    match built {
        Ok(built) if findings.is_empty() => Ok(built),
        _ => Err(findings),
    }
}

impl Builder {
    fn statements(&mut self, statements: &[syntax::Statement], place: &mut Place<'_>) {
        for statement in statements {
            if self.stopped() {
                return;
            }
            self.flush_faults_before(statement);
            self.at(statement.span);
            let declaration = place.declaration;
            place.declaration = match self.statement(statement, place) {
                Ok(after) => after.unwrap_or(declaration),
                Err(Refused) => declaration,
            };
        }
    }

    /// One statement. What comes out says whether dhcpd takes it for a declaration; `None` leaves that as it was.
    fn statement(
        &mut self,
        written: &syntax::Statement,
        place: &mut Place<'_>,
    ) -> Result<Option<bool>, Refused> {
        let span = written.span;
        let (declared, parameter, unchanged) = (Ok(Some(true)), Ok(Some(false)), Ok(None));
        match &written.kind {
            StatementKind::Include(include) => {
                self.include(include, place);
                declared
            }
            StatementKind::Host(host) => {
                self.host(host, place)?;
                declared
            }
            StatementKind::Group(group) => {
                if matches!(place.kind, Kind::Host | Kind::Class) {
                    let isc = match (&place.draft, &group.name) {
                        (Draft::Host(_), None) => "expecting string or identifier.",
                        (Draft::Host(_), Some(_)) => "semicolon expected.",
                        _ => "group declarations not allowed here.",
                    };
                    return Err(self.refuse(Code::GroupNotHere, isc));
                }
                let name = group.name.as_ref().map(|name| &*name.text);
                let mut draft = self.open_group(place.scope, name);
                let mut inner = Place::new(Kind::Group, draft.scope).draft(Draft::Group(&mut draft));
                self.statements(&group.block.statements, &mut inner);
                self.close_group(draft);
                declared
            }
            StatementKind::SharedNetwork(network) => {
                if matches!(place.kind, Kind::SharedNetwork | Kind::Host | Kind::Subnet | Kind::Class) {
                    let isc = "shared-network parameters not allowed here.";
                    return Err(self.refuse(Code::SharedNetworkNotHere, isc));
                }
                self.at(network.name.span);
                let id = self.open_shared_network(place.scope, &network.name.text);
                let mut inner = Place::new(Kind::SharedNetwork, self.network_scope(id)).network(id);
                self.statements(&network.block.statements, &mut inner);
                if network.block.closed && !self.stopped() {
                    self.at(network.name.span).close_shared_network(id)?;
                }
                declared
            }
            StatementKind::Subnet(subnet) => {
                self.subnet_here(place)?;
                self.at(subnet.address.span.to(subnet.netmask.span));
                let (address, mask) = (subnet.address.address, subnet.netmask.address);
                let network = self.enclosing_network(place);
                let id = self.open_subnet(place.scope, network, address, mask)?;
                self.subnet_body(id, &subnet.block);
                Ok(Some(network.is_none()))
            }
            StatementKind::Subnet6(subnet) => {
                self.subnet_here(place)?;
                if self.family != Family::V6 {
                    self.only_dhcp6("subnet6")?;
                }
                self.unsupported("subnet6");
                let prefix = &subnet.prefix;
                self.at(prefix.address.span.to(prefix.length.span));
                let (address, length) = (prefix.address.address, prefix.length.value);
                let network = self.enclosing_network(place);
                let id = self.open_subnet6(place.scope, network, address, length)?;
                self.subnet_body(id, &subnet.block);
                Ok(Some(network.is_none()))
            }
            StatementKind::Class(class) => {
                self.class_here(place)?;
                let mut draft = self.open_class(place.scope, &class.name.text);
                self.class_body(&mut draft, &class.block);
                self.close_class(draft);
                declared
            }
            StatementKind::Subclass(subclass) => {
                self.class_here(place)?;
                self.at(subclass.class.span);
                self.find_superclass(&subclass.class.text)?;
                self.at(span);
                let value = &subclass.data.octets;
                let mut draft = self.open_subclass(&subclass.class.text, value, subclass.block.is_some())?;
                if let Some(block) = &subclass.block {
                    self.class_body(&mut draft, block);
                }
                self.close_class(draft);
                declared
            }
            StatementKind::OldClass(class) => {
                self.class_here(place)?;
                self.at(class.name.span);
                let name = class.name.text.split(|c| *c == 0).next().unwrap_or_default();
                let mut draft = self.open_subclass(name, name, class.block.is_some())?;
                if let Some(block) = &class.block {
                    self.class_body(&mut draft, block);
                }
                self.close_class(draft);
                declared
            }
            StatementKind::Pool(block) => {
                self.pool(block, place)?;
                unchanged
            }
            StatementKind::Pool6(block) => {
                self.pool6(block, place)?;
                unchanged
            }
            StatementKind::Range(range) => {
                self.range(range, place)?;
                unchanged
            }
            StatementKind::Range6(range) => {
                let extent = match &range.end {
                    Range6End::Address(last) => Range6Extent::To(last.address),
                    Range6End::Length { length, temporary } => Range6Extent::Length(length.value, *temporary),
                    Range6End::Temporary => Range6Extent::Temporary,
                };
                let subnet = self.six_here(place, "range6")?;
                let pool = pool_of(place);
                self.add_range6(subnet, pool, range.first.address, extent)?;
                unchanged
            }
            StatementKind::Prefix6(prefix) => {
                let subnet = self.six_here(place, "prefix6")?;
                let pool = pool_of(place);
                let length = prefix.length.value;
                self.add_prefix6(subnet, pool, prefix.low.address, prefix.high.address, length)?;
                unchanged
            }
            StatementKind::FixedPrefix6(prefix) => {
                let Draft::Host(host) = &mut place.draft else {
                    let isc = "fixed-prefix6 declaration not allowed here.";
                    return Err(self.refuse(Code::HostParameterNotHere, isc));
                };
                self.add_fixed_prefix6(host, prefix.address.address, prefix.length.value)?;
                parameter
            }
            StatementKind::Hardware(written) => {
                let Draft::Host(host) = &mut place.draft else { return Err(self.refuse_hardware()) };
                self.expect_hardware(host)?;
                self.set_hardware(host, hardware(written));
                parameter
            }
            StatementKind::FixedAddress(addresses) => {
                let addresses = self.addresses(addresses, true);
                let Draft::Host(host) = &mut place.draft else { return Err(self.refuse_fixed_address()) };
                self.set_fixed_address(host, addresses)?;
                parameter
            }
            StatementKind::FixedAddress6(addresses) => {
                let Draft::Host(host) = &mut place.draft else { return Err(self.refuse_fixed_address()) };
                let addresses = addresses.iter().map(|one| one.address).collect();
                self.set_fixed_address6(host, addresses)?;
                parameter
            }
            StatementKind::Authoritative(authoritative) => {
                self.set_authoritative(place.scope, *authoritative, place.kind == Kind::Host)?;
                parameter
            }
            StatementKind::ServerIdentifier(value) => {
                let option = self.server_identifier();
                let statement = self.option_statement(Combine::Supersede, option, value, span)?;
                self.push_statement(place.scope, statement);
                unchanged
            }
            StatementKind::Option(option) if option.verb == OptionVerb::Option => {
                self.at(option.name.span);
                let space = option.name.space.as_ref().map(|space| &*space.text);
                let id = self.declared_option(space, &option.name.name.text)?;
                let statement = self.option_statement(Combine::Supersede, id, &option.value, span)?;
                self.push_statement(place.scope, statement);
                unchanged
            }
            StatementKind::OptionSpace(space) => {
                if place.kind != Kind::Root {
                    return Err(self.refuse_definition(true));
                }
                self.define_space(&space.name.text, &space.clauses)?;
                unchanged
            }
            StatementKind::OptionCode(definition) => {
                self.at(definition.name.span);
                let space = definition.name.space.as_ref().map(|space| &*space.text);
                let named: Resolution = self.resolve_option(space, &definition.name.name.text)?;
                self.at(span);
                if place.kind != Kind::Root {
                    return Err(self.refuse_definition(false));
                }
                let letters = self.type_letters(&definition.option_type)?;
                self.at(span);
                let name = &definition.name.name.text;
                self.define_option(named, name, definition.code.value, letters)?;
                unchanged
            }
            StatementKind::FailoverPeer(_)
            | StatementKind::FailoverState(_)
            | StatementKind::FailoverReference(_)
            | StatementKind::NoFailoverPeer => {
                self.failover(written, place)?;
                parameter
            }
            StatementKind::ServerDuid(duid) => {
                self.set_server_duid(server_duid(duid));
                parameter
            }
            StatementKind::LeaseIdFormat(format) => {
                self.set_lease_id_format(match format {
                    syntax::LeaseIdFormat::Octal => LeaseIdFormat::Octal,
                    syntax::LeaseIdFormat::Hex => LeaseIdFormat::Hex,
                });
                parameter
            }
            StatementKind::Percent(_) => parameter,
            StatementKind::Permission(permission)
                if matches!(place.draft, Draft::Pool(_)) && permission.verb != PermissionVerb::Ignore =>
            {
                self.pool_permit(permission, place)?;
                unchanged
            }
            StatementKind::Malformed(malformed) => Err(self.malformed(malformed, place.declaration)),
            StatementKind::Dynamic
            | StatementKind::Deleted
            | StatementKind::Static
            | StatementKind::HostGroup(_)
            | StatementKind::Uid(_)
            | StatementKind::HostIdentifier(_)
            | StatementKind::Interface(_)
            | StatementKind::Match(_)
            | StatementKind::MatchIf(_)
            | StatementKind::SpawnWith(_)
            | StatementKind::LeaseLimit(_) => {
                self.own_statement(written, place)?;
                unchanged
            }
            _ => {
                if let Executed::Statement(statement) = self.executable(written)? {
                    self.push_statement(place.scope, statement);
                }
                unchanged
            }
        }
    }

    fn include(&mut self, include: &syntax::Include, place: &mut Place<'_>) {
        let name = &*include.name.text;
        match &include.content {
            Ok(included) => {
                let errors = self.error_count();
                let mut inner = Place {
                    kind: place.kind,
                    scope: place.scope,
                    network: place.network,
                    subnet: place.subnet,
                    draft: Draft::None,
                    direct: false,
                    declaration: false,
                };
                self.statements(&included.statements, &mut inner);
                self.flush_faults_of(included.file);
                if self.error_count() > errors && !self.stopped() {
                    self.at(include.name.span).refuse(Code::Include, octets!(name, ": bad parse."));
                }
            }
            Err(error) => {
                let text = match error {
                    IncludeError::Load(error) => {
                        // EISDIR comes when reading, everything else when opening.
                        let verb = if error.errno == Some(21) { "Can't read in " } else { "Can't open " };
                        octets!(verb, name, ": ", error.message)
                    }
                    IncludeError::Cycle | IncludeError::TooDeep => {
                        octets!("Can't open ", name, ": Too many open files")
                    }
                };
                let shown = String::from_utf8_lossy(name);
                let message = format!("cannot include {shown}: {error}");
                self.report(Diagnostic::own(Code::Include, Severity::Error, include.name.span, message));
                self.fail(text);
            }
        }
    }

    fn host(&mut self, host: &syntax::Host, place: &Place<'_>) -> Result<(), Refused> {
        if matches!(place.kind, Kind::Host | Kind::Class) {
            return Err(self.refuse(Code::HostNotHere, "host declarations not allowed here."));
        }
        self.at(host.name.span);
        if matches!(place.kind, Kind::Subnet | Kind::SharedNetwork) {
            self.warn_host_scope();
        }
        let mut draft = self.open_host(place.scope, &host.name.text);
        let mut inner = Place::new(Kind::Host, draft.scope).draft(Draft::Host(&mut draft));
        self.statements(&host.block.statements, &mut inner);
        self.at(host.name.span).close_host(draft)
    }

    fn subnet_here(&mut self, place: &Place<'_>) -> Result<(), Refused> {
        if matches!(place.kind, Kind::Host | Kind::Subnet | Kind::Class) {
            return Err(self.refuse(Code::SubnetNotHere, "subnet declarations not allowed here."));
        }
        Ok(())
    }

    /// The shared network a subnet joins: the one it stands right inside of. In a group inside a shared network it gets
    /// an implicit one of its own.
    fn enclosing_network(&self, place: &Place<'_>) -> Option<NetworkId> {
        place.network.filter(|_| place.kind == Kind::SharedNetwork)
    }

    fn subnet_body(&mut self, id: SubnetId, block: &syntax::Block) {
        let (scope, network) = (self.subnet_scope(id), self.subnet_network(id));
        let mut inner = Place::new(Kind::Subnet, scope).network(network).subnet(id);
        self.statements(&block.statements, &mut inner);
        self.close_subnet(id);
    }

    fn class_here(&mut self, place: &Place<'_>) -> Result<(), Refused> {
        if place.kind == Kind::Class {
            return Err(self.refuse(Code::ClassNotHere, "class declarations not allowed here."));
        }
        Ok(())
    }

    fn class_body(&mut self, draft: &mut ClassDraft, block: &syntax::Block) {
        let mut inner = Place::new(Kind::Class, draft.scope).draft(Draft::Class(draft));
        self.statements(&block.statements, &mut inner);
    }

    fn pool(&mut self, block: &syntax::Block, place: &Place<'_>) -> Result<(), Refused> {
        let network = match place.kind {
            Kind::Pool => return Err(self.refuse(Code::PoolNotHere, "pool declared within pool.")),
            Kind::Subnet | Kind::SharedNetwork => place.network,
            _ => None,
        };
        let Some(network) = network else {
            return Err(self.refuse(Code::PoolNotHere, "pool declared outside of network"));
        };
        let mut draft = self.open_pool(network);
        let span = self.span;
        let mut inner = Place::new(Kind::Pool, draft.scope).network(network);
        inner.subnet = place.subnet;
        inner.draft = Draft::Pool(&mut draft);
        self.statements(&block.statements, &mut inner);
        if self.stopped() || !block.closed {
            return Ok(());
        }
        self.at(span).close_pool(draft)
    }

    fn pool6(&mut self, block: &syntax::Block, place: &Place<'_>) -> Result<(), Refused> {
        let subnet = match place.kind {
            Kind::Pool => return Err(self.refuse(Code::PoolNotHere, "pool6 declared within pool.")),
            Kind::Subnet => place.subnet,
            _ => None,
        };
        let Some(subnet) = subnet else {
            return Err(self.refuse(Code::PoolNotHere, "pool6 declared outside of network"));
        };
        let mut draft = self.open_pool6(subnet);
        let span = self.span;
        let mut inner = Place::new(Kind::Pool, draft.scope).subnet(subnet).draft(Draft::Pool(&mut draft));
        self.statements(&block.statements, &mut inner);
        if self.stopped() || !block.closed {
            return Ok(());
        }
        self.at(span).close_pool(draft)
    }

    fn range(&mut self, range: &syntax::Range, place: &mut Place<'_>) -> Result<(), Refused> {
        let at = match (&place.draft, place.kind) {
            (Draft::Pool(_), _) => match (place.subnet, place.network) {
                (Some(subnet), _) => Some(RangePlace::Subnet(subnet)),
                (None, Some(network)) => Some(RangePlace::Network(network)),
                (None, None) => None,
            },
            (_, Kind::Subnet) => place.subnet.map(RangePlace::Subnet),
            _ => None,
        };
        let Some(at) = at else {
            return Err(self.refuse(Code::RangeNotHere, "range declaration not allowed here."));
        };
        let low = range.first.address;
        let high = range.second.map_or(low, |second| second.address);
        self.add_range(at, pool_of(place), range.dynamic_bootp, low, high)
    }

    /// The subnet of `range6` and `prefix6`.
    fn six_here(&mut self, place: &Place<'_>, statement: &str) -> Result<SubnetId, Refused> {
        let in_pool = matches!(place.draft, Draft::Pool(_));
        match place.subnet.filter(|_| in_pool || place.kind == Kind::Subnet) {
            Some(subnet) => Ok(subnet),
            None => {
                let isc = format!("{statement} declaration not allowed here.");
                Err(self.refuse(Code::RangeNotHere, isc))
            }
        }
    }

    fn pool_permit(&mut self, permission: &syntax::Permission, place: &mut Place<'_>) -> Result<(), Refused> {
        let permit = match &permission.permit {
            None => {
                let diagnostic = Diagnostic::error(Code::PermitUnknown, self.span, "expecting permit type.")
                    .message("this permits nobody in a pool")
                    .note(
                        "in a pool allow and deny take: known-clients, unknown-clients, all clients, dynamic \
                             bootp clients, members of \"class\", after DATE",
                    );
                return Err(self.report(diagnostic));
            }
            Some(syntax::Permit::KnownClients) => Permit::KnownClients,
            Some(syntax::Permit::UnknownClients) => Permit::UnknownClients,
            Some(syntax::Permit::AuthenticatedClients) => Permit::AuthenticatedClients,
            Some(syntax::Permit::UnauthenticatedClients) => Permit::UnauthenticatedClients,
            Some(syntax::Permit::AllClients) => Permit::AllClients,
            Some(syntax::Permit::DynamicBootpClients) => Permit::DynamicBootpClients,
            Some(syntax::Permit::MembersOf(name)) => {
                self.at(name.span);
                Permit::MembersOf(self.permit_class(&name.text)?)
            }
            Some(syntax::Permit::After(when)) => Permit::After(date::seconds(when)),
        };
        let allow = permission.verb == PermissionVerb::Allow;
        match &mut place.draft {
            Draft::Pool(pool) => self.add_permit(pool, allow, permit),
            _ => Err(self.refuse_key()),
        }
    }

    fn failover(&mut self, written: &syntax::Statement, place: &mut Place<'_>) -> Result<(), Refused> {
        if let Draft::Pool(pool) = &mut place.draft {
            return match &written.kind {
                StatementKind::NoFailoverPeer => {
                    self.clear_pool_peer(pool);
                    Ok(())
                }
                StatementKind::FailoverReference(name) if name.quoted => {
                    self.at(name.span);
                    self.set_pool_peer(pool, &name.text)
                }
                StatementKind::FailoverReference(name) => {
                    self.at(name.span);
                    Err(self.refuse(Code::ValueExpected, "expecting string."))
                }
                _ => Err(self.refuse(Code::FailoverNotHere, "semicolon expected.")),
            };
        }
        if !matches!(place.kind, Kind::Root | Kind::SharedNetwork) {
            return Err(self.refuse_failover());
        }
        let network = place.network.filter(|_| place.kind == Kind::SharedNetwork);
        match &written.kind {
            StatementKind::FailoverReference(name) => self.refer_to_peer(network, &name.text),
            StatementKind::FailoverPeer(peer) => self.failover_peer(peer, network),
            StatementKind::FailoverState(state) => {
                self.expect_peer_state(&state.name.text)?;
                for statement in &state.statements {
                    if let FailoverStateStatement::Malformed(malformed) = statement {
                        return Err(self.malformed(malformed, false));
                    }
                }
                Ok(())
            }
            _ => Err(self.refuse(Code::FailoverNotHere, "expecting a parameter or declaration")),
        }
    }

    fn failover_peer(
        &mut self,
        written: &syntax::FailoverPeer,
        network: Option<NetworkId>,
    ) -> Result<(), Refused> {
        let span = self.span;
        let mut draft = self.open_peer(&written.name.text)?;
        for statement in &written.statements {
            self.at(statement.span);
            match &statement.kind {
                FailoverStatementKind::Primary => self.set_peer_role(&mut draft, true),
                FailoverStatementKind::Secondary => self.set_peer_role(&mut draft, false),
                FailoverStatementKind::Address { peer, address } => {
                    let address = self.addresses(std::slice::from_ref(address), false);
                    self.set_peer_address(&mut draft, *peer, address);
                }
                FailoverStatementKind::Number { parameter: FailoverParameter::Split, value, .. } => {
                    self.expect_balance(&draft);
                    // A bad value is reported; the declaration goes on.
                    let _ = self.set_peer_split(&mut draft, value.value);
                }
                FailoverStatementKind::Number { peer, parameter, value } => {
                    if let Some(number) = peer_number(*parameter, *peer) {
                        self.set_peer_number(&mut draft, number, value.value);
                    }
                }
                FailoverStatementKind::Hba(octets) => {
                    self.expect_balance(&draft);
                    let _ = self.set_peer_hba(&mut draft, &octets.octets);
                }
                FailoverStatementKind::Malformed(malformed) => {
                    return Err(self.malformed(malformed, false));
                }
            }
        }
        self.at(written.name.span).close_peer(draft, network);
        self.at(span);
        Ok(())
    }

    /// Statements that one kind of block alone knows.
    fn own_statement(&mut self, written: &syntax::Statement, place: &mut Place<'_>) -> Result<(), Refused> {
        match (&written.kind, &mut place.draft) {
            (StatementKind::Dynamic, Draft::Host(host)) => self.set_host_dynamic(host),
            (StatementKind::Deleted, Draft::Host(host)) => self.set_host_deleted(host),
            (StatementKind::HostGroup(name), Draft::Host(host)) => {
                self.at(name.span);
                self.set_host_group(host, &name.text)?;
            }
            (StatementKind::Uid(uid), Draft::Host(host)) => self.set_uid(host, &uid.octets)?,
            (StatementKind::HostIdentifier(identifier), Draft::Host(host)) => {
                self.host_identifier(identifier, written.span, host)?;
            }
            (StatementKind::Dynamic, Draft::Group(group)) => self.set_group_dynamic(group),
            (StatementKind::Deleted, Draft::Group(group)) => self.set_group_deleted(group),
            (StatementKind::Static, Draft::Group(_)) => {}
            (StatementKind::Dynamic, Draft::Class(class)) => self.set_class_dynamic(class),
            (StatementKind::Deleted, Draft::Class(class)) => self.set_class_deleted(class),
            (StatementKind::Match(data), Draft::Class(class)) => {
                let data = self.expression(data)?;
                self.at(written.span).set_submatch(class, data, false)?;
            }
            (StatementKind::MatchIf(condition), Draft::Class(class)) => {
                let condition = self.expression(condition)?;
                self.at(written.span).set_match_if(class, condition)?;
            }
            (StatementKind::SpawnWith(data), Draft::Class(class)) => {
                let data = self.expression(data)?;
                self.at(written.span).set_submatch(class, data, true)?;
            }
            (StatementKind::LeaseLimit(limit), Draft::Class(class)) => {
                self.set_lease_limit(class, limit.value);
            }
            (StatementKind::Interface(name), _)
                if place.direct && matches!(place.kind, Kind::Subnet | Kind::SharedNetwork) =>
            {
                let text = self.token_text(name);
                if let Some(network) = place.network {
                    self.at(name.span).set_interface(network, place.subnet, &text)?;
                }
            }
            _ => {
                let isc = if place.declaration {
                    "expecting a declaration"
                } else {
                    "expecting a parameter or declaration"
                };
                let diagnostic = Diagnostic::error(Code::StatementNotHere, written.span, isc)
                    .message("this statement belongs into another kind of block")
                    .note("a block's own statements are not known in a file included there");
                return Err(self.report(diagnostic));
            }
        }
        Ok(())
    }

    fn token_text(&self, token: &syntax::Token) -> Vec<u8> {
        match &token.kind {
            syntax::TokenKind::String(text) | syntax::TokenKind::Word(text, _) => text.to_vec(),
            syntax::TokenKind::Punctuation(c) => vec![*c],
        }
    }

    fn host_identifier(
        &mut self,
        written: &syntax::HostIdentifier,
        span: Span,
        host: &mut HostDraft,
    ) -> Result<(), Refused> {
        self.expect_host_identifier(host)?;
        let relay = match &written.relay {
            Some(number) => {
                self.at(number.span);
                Some(self.host_identifier_relay(number.value)?)
            }
            None => None,
        };
        self.at(written.name.span);
        let space = written.name.space.as_ref().map(|space| &*space.text);
        let option = self.declared_option(space, &written.name.name.text)?;
        let end = Span::new(span.file, span.end.saturating_sub(1).max(span.start), span.end);
        let value = self.literal_value(option, &written.value, end)?;
        let value = super::expression::constant(&value).unwrap_or_default();
        self.set_host_identifier(host, HostIdentifier { option, value, relay });
        Ok(())
    }

    fn error_count(&self) -> usize {
        self.notices
            .iter()
            .filter(|notice| matches!(notice, Notice::Diagnostic(d) if d.severity == Severity::Error))
            .count()
    }
}

fn pool_of<'a>(place: &'a mut Place<'_>) -> Option<&'a mut PoolDraft> {
    match &mut place.draft {
        Draft::Pool(pool) => Some(pool),
        _ => None,
    }
}

fn hardware(written: &syntax::Hardware) -> Hardware {
    Hardware { htype: hardware_type(written.hardware_type), address: written.address.to_vec() }
}

/// The ARP hardware type of a word.
fn hardware_type(written: HardwareType) -> u8 {
    match written {
        HardwareType::Ethernet => 1,
        HardwareType::TokenRing => 6,
        HardwareType::Fddi => 8,
        HardwareType::Infiniband => 32,
        HardwareType::Unknown(number) => number,
    }
}

fn peer_number(parameter: FailoverParameter, peer: bool) -> Option<PeerNumber> {
    Some(match (parameter, peer) {
        (FailoverParameter::Port, false) => PeerNumber::Port,
        (FailoverParameter::Port, true) => PeerNumber::PeerPort,
        (FailoverParameter::MaxResponseDelay, false) => PeerNumber::MaxResponseDelay,
        (FailoverParameter::MaxResponseDelay, true) => PeerNumber::PeerMaxResponseDelay,
        (FailoverParameter::MaxUnackedUpdates, false) => PeerNumber::MaxUnackedUpdates,
        (FailoverParameter::MaxUnackedUpdates, true) => PeerNumber::PeerMaxUnackedUpdates,
        (FailoverParameter::Mclt, _) => PeerNumber::Mclt,
        (FailoverParameter::LoadBalanceMaxSeconds, _) => PeerNumber::LoadBalanceMaxSeconds,
        (FailoverParameter::MaxLeaseMisbalance, _) => PeerNumber::MaxLeaseMisbalance,
        (FailoverParameter::MaxLeaseOwnership, _) => PeerNumber::MaxLeaseOwnership,
        (FailoverParameter::MaxBalance, _) => PeerNumber::MaxBalance,
        (FailoverParameter::MinBalance, _) => PeerNumber::MinBalance,
        (FailoverParameter::AutoPartnerDown, _) => PeerNumber::AutoPartnerDown,
        (FailoverParameter::Split, _) => return None,
    })
}

/// RFC 8415 section 11: type, then what belongs to it.
fn server_duid(written: &syntax::ServerDuid) -> ServerDuid {
    let hardware = |hardware: &syntax::Hardware| [0, hardware_type(hardware.hardware_type)];
    let octets = match written {
        syntax::ServerDuid::Llt(None) => return ServerDuid::GenerateLlt,
        syntax::ServerDuid::Ll(None) => return ServerDuid::GenerateLl,
        syntax::ServerDuid::Llt(Some(parts)) => {
            octets!([0, 1], hardware(&parts.hardware), parts.time.value.to_be_bytes(), parts.hardware.address)
        }
        syntax::ServerDuid::Ll(Some(parts)) => octets!([0, 3], hardware(parts), parts.address),
        syntax::ServerDuid::En { enterprise, identifier } => {
            octets!([0, 2], enterprise.value.to_be_bytes(), identifier.octets)
        }
        syntax::ServerDuid::Other { duid_type, identifier } => {
            octets!((duid_type.value as u16).to_be_bytes(), identifier.octets)
        }
    };
    ServerDuid::Octets(Octets::new(&octets))
}
