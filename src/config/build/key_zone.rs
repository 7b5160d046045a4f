//! Keys and DNS zones (ISC `common/parse.c:parse_key`, `parse_zone`).

use super::text::octets;
use super::{Builder, Refused};
use crate::config::diagnostic::{Code, Diagnostic, Severity};
use crate::config::network::{Key, Zone};
use crate::config::tree::{Expr, Octets};
use crate::log::Line;
use crate::syntax::Span;
use std::net::Ipv6Addr;
use std::sync::Arc;

/// The algorithms that can sign (ISC `includes/omapip/isclib.h`).
const ALGORITHMS: [&str; 6] =
    ["hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"];
/// What an algorithm's bare name stands for.
const ALGORITHM_SUFFIX: &str = ".SIG-ALG.REG.INT.";

/// A key between its braces.
#[derive(Clone, Debug)]
pub struct KeyDraft {
    name: Vec<u8>,
    span: Span,
    algorithm: Option<String>,
    secret: Option<Octets>,
}

/// A zone between its braces.
#[derive(Clone, Debug)]
pub struct ZoneDraft {
    name: Arc<str>,
    primary: Option<Arc<Expr>>,
    secondary: Option<Arc<Expr>>,
    primary6: Vec<Ipv6Addr>,
    secondary6: Vec<Ipv6Addr>,
    key: Option<Arc<str>>,
}

/// Which servers of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZoneServer {
    /// `primary`, `primary6`
    Primary,
    /// `secondary`, `secondary6`
    Secondary,
}

impl Builder {
    /// Opens `key NAME {`.
    pub fn open_key(&mut self, name: &[u8]) -> KeyDraft {
        KeyDraft { name: name.into(), span: self.span, algorithm: None, secret: None }
    }

    /// Whether a further `algorithm` may stand here. Asked before its value is read.
    pub fn expect_algorithm(&mut self, key: &KeyDraft) -> Result<(), Refused> {
        if key.algorithm.is_none() {
            return Ok(());
        }
        Err(self.refuse(Code::KeyTwice, octets!("key ", key.name, ": too many algorithms")))
    }

    /// `algorithm NAME;`: a name without a dot gets the registry's suffix, any other a final dot.
    pub fn set_algorithm(&mut self, key: &mut KeyDraft, name: &[u8]) {
        let name = String::from_utf8_lossy(name);
        key.algorithm = Some(match name.rfind('.') {
            None => format!("{name}{ALGORITHM_SUFFIX}"),
            Some(_) if name.ends_with('.') => name.into_owned(),
            Some(_) => format!("{name}."),
        });
    }

    /// Whether a further `secret` may stand here. Asked before its value is read.
    pub fn expect_secret(&mut self, key: &KeyDraft) -> Result<(), Refused> {
        if key.secret.is_none() {
            return Ok(());
        }
        Err(self.refuse(Code::KeyTwice, octets!("key ", key.name, ": too many secrets")))
    }

    /// `secret BASE64;`, decoded.
    pub fn set_secret(&mut self, key: &mut KeyDraft, secret: &[u8]) {
        key.secret = Some(Octets::new(secret));
    }

    /// The closing brace: enters the key in place of an older one of that name.
    pub fn close_key(&mut self, draft: KeyDraft) -> Result<(), Refused> {
        let (Some(algorithm), Some(secret)) = (draft.algorithm, draft.secret) else {
            // dhcpd crashes here.
            let shown = String::from_utf8_lossy(&draft.name);
            let diagnostic = Diagnostic::own(
                Code::KeyIncomplete,
                Severity::Error,
                draft.span,
                format!("key {shown} needs an algorithm and a secret"),
            );
            return Err(self.report(diagnostic));
        };
        let usable = algorithm
            .len()
            .checked_sub(ALGORITHM_SUFFIX.len())
            .and_then(|at| algorithm.split_at_checked(at))
            .is_some_and(|(name, suffix)| {
                suffix.eq_ignore_ascii_case(ALGORITHM_SUFFIX)
                    && ALGORITHMS.iter().any(|known| known.eq_ignore_ascii_case(name))
            });
        if !usable {
            self.report(Diagnostic::own(
                Code::KeyAlgorithm,
                Severity::Warning,
                draft.span,
                format!("{algorithm} is no algorithm this server can sign with"),
            ));
            self.log(Line::error(octets!("Unable to create tsec structure for ", draft.name)));
        }
        let name = self.name(&draft.name);
        let folded = name.to_ascii_lowercase();
        let key = Key { name, algorithm: algorithm.into(), secret };
        match self.keys.get(&folded).and_then(|at| self.config.keys.get_mut(*at)) {
            Some(there) => *there = key,
            None => {
                self.keys.insert(folded, self.config.keys.len());
                self.config.keys.push(key);
            }
        }
        Ok(())
    }

    /// A `key` statement came to nothing. With it goes the key of that name, if there is one.
    pub fn forget_key(&mut self, name: &[u8]) {
        let name = self.name(name).to_ascii_lowercase();
        self.keys.remove(&name);
    }

    /// Opens `zone NAME {`. The name gets a final dot.
    pub fn open_zone(&mut self, name: &[u8]) -> ZoneDraft {
        let dot: &[u8] = if name.ends_with(b".") { b"" } else { b"." };
        let name = self.name(&octets!(name, dot));
        ZoneDraft {
            name,
            primary: None,
            secondary: None,
            primary6: Vec::new(),
            secondary6: Vec::new(),
            key: None,
        }
    }

    /// Whether `primary` or `secondary` (`six`: `primary6`, `secondary6`) may stand here: each once. Asked before the
    /// addresses are read.
    pub fn expect_zone_servers(
        &mut self,
        zone: &ZoneDraft,
        which: ZoneServer,
        six: bool,
    ) -> Result<(), Refused> {
        let (taken, isc) = match (which, six) {
            (ZoneServer::Primary, false) => (zone.primary.is_some(), "more than one primary."),
            (ZoneServer::Secondary, false) => (zone.secondary.is_some(), "more than one secondary."),
            (ZoneServer::Primary, true) => (!zone.primary6.is_empty(), "more than one primary6."),
            (ZoneServer::Secondary, true) => (!zone.secondary6.is_empty(), "more than one secondary6."),
        };
        if taken {
            return Err(self.refuse(Code::ZoneTwice, isc));
        }
        Ok(())
    }

    /// `primary` and `secondary`.
    pub fn set_zone_servers(
        &mut self,
        zone: &mut ZoneDraft,
        which: ZoneServer,
        servers: Expr,
    ) -> Result<(), Refused> {
        self.expect_zone_servers(zone, which, false)?;
        let slot = match which {
            ZoneServer::Primary => &mut zone.primary,
            ZoneServer::Secondary => &mut zone.secondary,
        };
        *slot = Some(Arc::new(servers));
        Ok(())
    }

    /// `primary6` and `secondary6`.
    pub fn set_zone_servers6(
        &mut self,
        zone: &mut ZoneDraft,
        which: ZoneServer,
        servers: Vec<Ipv6Addr>,
    ) -> Result<(), Refused> {
        self.expect_zone_servers(zone, which, true)?;
        let slot = match which {
            ZoneServer::Primary => &mut zone.primary6,
            ZoneServer::Secondary => &mut zone.secondary6,
        };
        *slot = servers;
        Ok(())
    }

    /// `key NAME;` in a zone.
    pub fn set_zone_key(&mut self, zone: &mut ZoneDraft, name: &[u8]) -> Result<(), Refused> {
        if zone.key.is_some() {
            self.report(Diagnostic::own(
                Code::ZoneTwice,
                Severity::Error,
                self.span,
                format!("zone {} has a key already", zone.name),
            ));
            return Err(self.fail(format!("Multiple key definitions for zone {}.", zone.name)));
        }
        let folded = String::from_utf8_lossy(name).to_ascii_lowercase();
        let Some(key) = self.keys.get(&folded).and_then(|at| self.config.keys.get(*at)) else {
            return Err(self.refuse(Code::KeyUnknown, octets!("unknown key ", name)));
        };
        zone.key = Some(key.name.clone());
        Ok(())
    }

    /// The closing brace: enters the zone in place of an older one of that name.
    pub fn close_zone(&mut self, draft: ZoneDraft) {
        let folded = draft.name.to_ascii_lowercase();
        let zone = Zone {
            name: draft.name,
            primary: draft.primary,
            secondary: draft.secondary,
            primary6: draft.primary6,
            secondary6: draft.secondary6,
            key: draft.key,
        };
        match self.zones.get(&folded).and_then(|at| self.config.zones.get_mut(*at)) {
            Some(there) => *there = zone,
            None => {
                self.zones.insert(folded, self.config.zones.len());
                self.config.zones.push(zone);
            }
        }
    }
}
