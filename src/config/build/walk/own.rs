//! Statements that one kind of block alone knows, and the values they carry.

use super::{Draft, Kind, Place};
use crate::config::build::expression::constant;
use crate::config::build::text::octets;
use crate::config::build::{Builder, HostDraft, Refused};
use crate::config::diagnostic::{Code, Diagnostic};
use crate::config::network::{Hardware, HostIdentifier, ServerDuid};
use crate::config::tree::Octets;
use crate::syntax::{self, HardwareType, Span, StatementKind};

impl Builder {
    /// Statements that one kind of block alone knows.
    pub(super) fn own_statement(
        &mut self,
        written: &syntax::Statement,
        place: &mut Place<'_>,
    ) -> Result<(), Refused> {
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
            (StatementKind::Static, Draft::Group(group)) => self.set_group_static(group),
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
        let value = constant(&value).unwrap_or_default();
        self.set_host_identifier(host, HostIdentifier { option, value, relay });
        Ok(())
    }
}

pub(super) fn hardware(written: &syntax::Hardware) -> Hardware {
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

/// RFC 8415 section 11: type, then what belongs to it.
pub(super) fn server_duid(written: &syntax::ServerDuid) -> ServerDuid {
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
