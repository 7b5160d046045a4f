//! Hosts (ISC `server/confpars.c:parse_host_declaration`, `parse_fixed_prefix6`).

use super::Walk;
use super::declarations::{Kind, Place};
use super::lexer::Kind as Word;
use crate::config::build::HostDraft;
use crate::config::network::HostIdentifier;
use crate::config::tree::Octets;

impl Walk<'_> {
    pub(super) fn host(&mut self, place: Place) {
        let Some(name) = self.host_name() else {
            return self.refuse("expecting a name for host declaration.");
        };
        let mut host = self.act(|builder| builder.open_host(place.scope, &name));
        if !self.left_brace() {
            return;
        }
        let inner = Place::new(Kind::Host, host.scope);
        self.statements(inner, Some(&mut host), |walk, word, host| {
            let host = host?;
            match word {
                "dynamic" | "deleted" => {
                    walk.next();
                    match word {
                        "dynamic" => walk.builder.set_host_dynamic(host),
                        _ => walk.builder.set_host_deleted(host),
                    }
                    Some(walk.cursor.semicolon())
                }
                "group" => Some(walk.host_group(host)),
                "uid" => Some(walk.uid(host)),
                "host-identifier" => Some(walk.host_identifier(host)),
                _ => None,
            }
        });
        // A host that is there already is refused with a message.
        let _ = self.act(|builder| builder.close_host(host));
    }

    /// Each of these: false when dhcpd takes the host for finished.
    fn host_group(&mut self, host: &mut HostDraft) -> bool {
        self.next();
        let name = self.next();
        if name.kind != Word::String && !name.is_identifier() {
            self.warn("expecting string or identifier.");
            self.cursor.skip_to_brace(1);
            return false;
        }
        // An unknown group is refused with a message; the statement goes on.
        let _ = self.act(|builder| builder.set_host_group(host, name.c_text()));
        self.cursor.semicolon()
    }

    fn uid(&mut self, host: &mut HostDraft) -> bool {
        self.next();
        if self.act(|builder| builder.expect_uid(host)).is_err() {
            self.cursor.skip_to_brace(1);
            return false;
        }
        let uid = if self.peek().kind == Word::String {
            self.next().text.to_vec()
        } else {
            match self.aggregate(None, b':', 16, 8) {
                Some(octets) => octets,
                None => {
                    self.refuse("expecting hex list.");
                    Vec::new()
                }
            }
        };
        // Looked at above.
        let _ = self.act(|builder| builder.set_uid(host, &uid));
        self.cursor.semicolon()
    }

    fn host_identifier(&mut self, host: &mut HostDraft) -> bool {
        let good = self.host_identifier_value(host);
        if good == Some(false) {
            self.cursor.skip_to_brace(1);
        }
        good == Some(true)
    }

    /// `Some(false)`: the host is skipped; `None`: something else was.
    fn host_identifier_value(&mut self, host: &mut HostDraft) -> Option<bool> {
        if self.act(|builder| builder.expect_host_identifier(host)).is_err() {
            return Some(false);
        }
        self.next();
        let mut relay = None;
        match self.next().kind {
            Word::Keyword("v6relopt") => {
                let number = self.next();
                if number.kind != Word::Number {
                    self.warn("host-identifier v6relopt must have a number");
                    return Some(false);
                }
                match self.act(|builder| builder.host_identifier_relay(Self::atoi(&number))) {
                    Ok(number) => relay = Some(number),
                    Err(_) => return Some(false),
                }
            }
            Word::Keyword("option") => {}
            _ => {
                self.warn("host-identifier must be an option or v6relopt");
                return Some(false);
            }
        }
        let option = self.option_name(true)?;
        let Some(value) = self.option_data(option) else { return Some(false) };
        if !self.cursor.semicolon() {
            return Some(false);
        }
        let identifier = HostIdentifier { option, value: Octets::new(&value), relay };
        self.builder.set_host_identifier(host, identifier);
        Some(true)
    }

    pub(super) fn fixed_prefix6(&mut self, host: &mut HostDraft) {
        let Some(address) = self.address6() else { return };
        let Some(length) = self.slash_number() else { return };
        if self.cursor.semicolon() {
            // Refused with a message; there is nothing to skip.
            let _ = self.act(|builder| builder.add_fixed_prefix6(host, address, length));
        }
    }
}
