//! The walk over the syntax tree: which statement may stand where, and which action it calls (ISC
//! `server/confpars.c:parse_statement` and the loops of the declarations around it).

mod blocks;
mod failover;
mod own;

use super::fault::block_of;
use super::range6::Range6Extent;
use super::statement::{Executed, Recovery};
use super::{Builder, ClassDraft, Family, GroupDraft, HostDraft, Kind, PoolDraft, Refused, Resolution};
use crate::config::diagnostic::{Code, Diagnostic, Notice, Severity};
use crate::config::network::{LeaseIdFormat, NetworkId, ScopeId, SubnetId};
use crate::config::tree::{Block, Combine};
use crate::syntax::{
    self, Fault, OptionVerb, Parsed, PermissionVerb, Range6End, Reader, StatementKind, Stretch,
};

use own::{hardware, server_duid};

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

/// Where statements come from that are not in the tree: none with a whole tree.
struct Source<'r, 'l>(Option<&'r mut Reader<'l>>);

impl Source<'_, '_> {
    /// How many stretches were opened so far.
    fn opened(&self) -> usize {
        self.0.as_ref().map_or(0, |reader| reader.opened())
    }

    fn block(&mut self, unread: &syntax::Unread) -> Option<Stretch> {
        self.0.as_mut()?.block(unread)
    }

    /// The next statements, and what is wrong with them.
    fn next(&mut self, stretch: &mut Stretch) -> Option<(Vec<syntax::Statement>, Vec<Fault>)> {
        let reader = self.0.as_mut()?;
        let statements = reader.next(stretch);
        let faults = reader.take_faults();
        statements.map(|statements| (statements, faults))
    }
}

/// Builds everything a parsed file says.
pub(super) fn walk(builder: &mut Builder, parsed: &Parsed) {
    builder.add_faults(parsed.faults.clone());
    let mut root = Place::new(Kind::Root, ScopeId::ROOT);
    builder.statements(&parsed.statements, &mut root, &mut Source(None));
    builder.flush_faults();
}

/// The same while it is being read.
pub(super) fn walk_reader(builder: &mut Builder, reader: &mut Reader<'_>) {
    let mut root = Place::new(Kind::Root, ScopeId::ROOT);
    if let Some(stretch) = reader.first_file() {
        builder.stretch(stretch, &mut root, &mut Source(Some(reader)));
    }
    builder.flush_faults();
}

/// The first declaration only.
pub(super) fn walk_first(builder: &mut Builder, parsed: &Parsed) {
    builder.add_faults(parsed.faults.clone());
    let mut root = Place::new(Kind::Root, ScopeId::ROOT);
    let first = parsed.statements.get(..1).unwrap_or_default();
    builder.statements(first, &mut root, &mut Source(None));
    builder.flush_faults();
}

/// The same for executable statements alone.
pub(super) fn walk_block(builder: &mut Builder, parsed: &Parsed) -> Result<Block, Vec<Diagnostic>> {
    builder.add_faults(parsed.faults.clone());
    let statements = parsed.statements.clone();
    let block = syntax::Block { closed: true, statements, ..syntax::Block::default() };
    let built = builder.block(&block, Recovery::NextBrace);
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
        Ok(Some(built)) if findings.is_empty() => Ok(built),
        _ => Err(findings),
    }
}

impl Builder {
    fn statements(
        &mut self,
        statements: &[syntax::Statement],
        place: &mut Place<'_>,
        source: &mut Source<'_, '_>,
    ) {
        for statement in statements {
            if self.stopped() {
                return;
            }
            self.flush_faults_before(statement);
            self.at(statement.span);
            let declaration = place.declaration;
            let opened = source.opened();
            place.declaration = match self.statement(statement, place, source) {
                Ok(after) => after.unwrap_or(declaration),
                Err(Refused) => {
                    if source.opened() == opened
                        && let Some(stretch) = unread(&statement.kind).and_then(|unread| source.block(unread))
                    {
                        self.skip(stretch, source);
                    }
                    declaration
                }
            };
        }
    }

    /// The statements of a block, those that are read only now included.
    fn body(&mut self, block: &syntax::Block, place: &mut Place<'_>, source: &mut Source<'_, '_>) {
        self.statements(&block.statements, place, source);
        if let Some(stretch) = block.unread.as_ref().and_then(|unread| source.block(unread)) {
            self.stretch(stretch, place, source);
        }
    }

    /// Reads and builds statements piece by piece.
    fn stretch(&mut self, mut stretch: Stretch, place: &mut Place<'_>, source: &mut Source<'_, '_>) {
        while !self.stopped()
            && let Some((statements, faults)) = source.next(&mut stretch)
        {
            self.add_faults(faults);
            self.statements(&statements, place, source);
        }
    }

    /// Reads the statements of a declaration that was refused, for what is wrong with them in themselves.
    fn skip(&mut self, mut stretch: Stretch, source: &mut Source<'_, '_>) {
        while let Some((_, faults)) = source.next(&mut stretch) {
            self.add_faults(faults);
            self.flush_faults_of(stretch.file());
        }
    }

    /// One statement. What comes out says whether dhcpd takes it for a declaration; `None` leaves that as it was.
    fn statement(
        &mut self,
        written: &syntax::Statement,
        place: &mut Place<'_>,
        source: &mut Source<'_, '_>,
    ) -> Result<Option<bool>, Refused> {
        let span = written.span;
        let (declared, parameter, unchanged) = (Ok(Some(true)), Ok(Some(false)), Ok(None));
        match &written.kind {
            StatementKind::Include(include) => {
                self.include(include, place, source);
                declared
            }
            StatementKind::Host(host) => {
                self.host(host, place, source)?;
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
                self.body(&group.block, &mut inner, source);
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
                self.body(&network.block, &mut inner, source);
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
                self.subnet_body(id, &subnet.block, source);
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
                self.subnet_body(id, &subnet.block, source);
                Ok(Some(network.is_none()))
            }
            StatementKind::Class(class) => {
                self.class_here(place)?;
                let mut draft = self.open_class(place.scope, &class.name.text);
                self.class_body(&mut draft, &class.block, source);
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
                    self.class_body(&mut draft, block, source);
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
                    self.class_body(&mut draft, block, source);
                }
                self.close_class(draft);
                declared
            }
            StatementKind::Pool(block) => {
                self.pool(block, place, source)?;
                unchanged
            }
            StatementKind::Pool6(block) => {
                self.pool6(block, place, source)?;
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
                self.begin_definition(named);
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
            StatementKind::Percent(_) => {
                self.swallowed(span, "everything behind a percent sign is skipped");
                parameter
            }
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
}

/// The part of a declaration's block that is not read yet.
fn unread(kind: &StatementKind) -> Option<&syntax::Unread> {
    block_of(kind)?.unread.as_deref()
}

fn pool_of<'a>(place: &'a mut Place<'_>) -> Option<&'a mut PoolDraft> {
    match &mut place.draft {
        Draft::Pool(pool) => Some(pool),
        _ => None,
    }
}
