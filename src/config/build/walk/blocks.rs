//! Declarations with a block of their own, and included files.

use super::{Draft, Kind, Place, Source, pool_of};
use crate::config::build::text::octets;
use crate::config::build::{Builder, ClassDraft, RangePlace, Refused, date};
use crate::config::diagnostic::{Code, Diagnostic, Severity};
use crate::config::network::{NetworkId, Permit, SubnetId};
use crate::syntax::{self, Content, IncludeError, PermissionVerb};

impl Builder {
    pub(super) fn include(
        &mut self,
        include: &syntax::Include,
        place: &mut Place<'_>,
        source: &mut Source<'_, '_>,
    ) {
        let name = &*include.name.text;
        let stretch = match (&include.content, &mut source.0) {
            (Content::Unread { .. }, Some(reader)) => reader.include(include),
            _ => Ok(None),
        };
        let error = match (&stretch, &include.content) {
            (Err(error), _) | (_, Content::Read(Err(error))) => Some(error),
            _ => None,
        };
        if let Some(error) = error {
            return self.refuse_include(include, error);
        }
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
        let file = match (stretch, &include.content) {
            (Ok(Some(stretch)), _) => {
                let file = stretch.file();
                self.stretch(stretch, &mut inner, source);
                file
            }
            (_, Content::Read(Ok(included))) => {
                self.statements(&included.statements, &mut inner, source);
                included.file
            }
            _ => return,
        };
        self.flush_faults_of(file);
        if self.error_count() > errors && !self.stopped() {
            self.at(include.name.span).refuse(Code::Include, octets!(name, ": bad parse."));
        }
    }

    /// A file that cannot be included ends dhcpd.
    fn refuse_include(&mut self, include: &syntax::Include, error: &IncludeError) {
        let name = &*include.name.text;
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

    pub(super) fn host(
        &mut self,
        host: &syntax::Host,
        place: &Place<'_>,
        source: &mut Source<'_, '_>,
    ) -> Result<(), Refused> {
        if matches!(place.kind, Kind::Host | Kind::Class) {
            return Err(self.refuse(Code::HostNotHere, "host declarations not allowed here."));
        }
        self.at(host.name.span);
        if matches!(place.kind, Kind::Subnet | Kind::SharedNetwork) {
            self.warn_host_scope();
        }
        let mut draft = self.open_host(place.scope, &host.name.text);
        let mut inner = Place::new(Kind::Host, draft.scope).draft(Draft::Host(&mut draft));
        self.body(&host.block, &mut inner, source);
        self.at(host.name.span).close_host(draft)
    }

    pub(super) fn subnet_here(&mut self, place: &Place<'_>) -> Result<(), Refused> {
        if matches!(place.kind, Kind::Host | Kind::Subnet | Kind::Class) {
            return Err(self.refuse(Code::SubnetNotHere, "subnet declarations not allowed here."));
        }
        Ok(())
    }

    /// The shared network a subnet joins: the one it stands right inside of. In a group inside a shared network it gets
    /// an implicit one of its own.
    pub(super) fn enclosing_network(&self, place: &Place<'_>) -> Option<NetworkId> {
        place.network.filter(|_| place.kind == Kind::SharedNetwork)
    }

    pub(super) fn subnet_body(&mut self, id: SubnetId, block: &syntax::Block, source: &mut Source<'_, '_>) {
        let (scope, network) = (self.subnet_scope(id), self.subnet_network(id));
        let mut inner = Place::new(Kind::Subnet, scope).network(network).subnet(id);
        self.body(block, &mut inner, source);
        self.close_subnet(id);
    }

    pub(super) fn class_here(&mut self, place: &Place<'_>) -> Result<(), Refused> {
        if place.kind == Kind::Class {
            return Err(self.refuse(Code::ClassNotHere, "class declarations not allowed here."));
        }
        Ok(())
    }

    pub(super) fn class_body(
        &mut self,
        draft: &mut ClassDraft,
        block: &syntax::Block,
        source: &mut Source<'_, '_>,
    ) {
        let mut inner = Place::new(Kind::Class, draft.scope).draft(Draft::Class(draft));
        self.body(block, &mut inner, source);
    }

    pub(super) fn pool(
        &mut self,
        block: &syntax::Block,
        place: &Place<'_>,
        source: &mut Source<'_, '_>,
    ) -> Result<(), Refused> {
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
        self.body(block, &mut inner, source);
        if self.stopped() || !block.closed {
            return Ok(());
        }
        self.at(span).close_pool(draft)
    }

    pub(super) fn pool6(
        &mut self,
        block: &syntax::Block,
        place: &Place<'_>,
        source: &mut Source<'_, '_>,
    ) -> Result<(), Refused> {
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
        self.body(block, &mut inner, source);
        if self.stopped() || !block.closed {
            return Ok(());
        }
        self.at(span).close_pool(draft)
    }

    pub(super) fn range(&mut self, range: &syntax::Range, place: &mut Place<'_>) -> Result<(), Refused> {
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
    pub(super) fn six_here(&mut self, place: &Place<'_>, statement: &str) -> Result<SubnetId, Refused> {
        let in_pool = matches!(place.draft, Draft::Pool(_));
        match place.subnet.filter(|_| in_pool || place.kind == Kind::Subnet) {
            Some(subnet) => Ok(subnet),
            None => {
                let isc = format!("{statement} declaration not allowed here.");
                Err(self.refuse(Code::RangeNotHere, isc))
            }
        }
    }

    pub(super) fn pool_permit(
        &mut self,
        permission: &syntax::Permission,
        place: &mut Place<'_>,
    ) -> Result<(), Refused> {
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

    pub(super) fn error_count(&self) -> usize {
        self.errors
    }
}
