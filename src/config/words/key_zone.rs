//! Keys and zones (ISC `common/parse.c:parse_key`, `parse_zone`, `parse_base64`).

use super::lexer::Kind as Word;
use super::{Lost, Walk};
use crate::config::build::{KeyDraft, ZoneDraft, ZoneServer};
use crate::config::tree::Expr;

impl Walk<'_> {
    /// A string, or a dotted name.
    fn key_name(&mut self) -> Option<Vec<u8>> {
        if self.peek().kind == Word::String {
            return Some(self.next().c_text().to_vec());
        }
        let name = self.host_name();
        if name.is_none() {
            self.refuse("expecting key name.");
        }
        name
    }

    /// A `key` statement, the word being consumed.
    pub(super) fn key_statement(&mut self) -> Result<bool, Lost> {
        let name = self.key_name().ok_or(Lost)?;
        if !self.next().is(b'{') {
            self.warn("expecting left brace");
            self.builder.forget_key(&name);
            return Err(Lost);
        }
        let mut key = self.act(|builder| builder.open_key(&name));
        if !self.key_body(&mut key) {
            self.cursor.skip_to_brace(1);
            self.builder.forget_key(&name);
            return Err(Lost);
        }
        if self.peek().is(b';') {
            self.next();
        }
        // A key without its parts makes dhcpd crash, so there is nothing it says.
        let _ = self.act(|builder| builder.close_key(key));
        Ok(true)
    }

    fn key_body(&mut self, key: &mut KeyDraft) -> bool {
        loop {
            match self.next().kind {
                Word::Keyword("algorithm") => {
                    if self.act(|builder| builder.expect_algorithm(key)).is_err() {
                        return false;
                    }
                    let Some(name) = self.host_name() else {
                        self.warn("expecting key algorithm name.");
                        return false;
                    };
                    if !self.cursor.semicolon() {
                        return false;
                    }
                    self.builder.set_algorithm(key, &name);
                }
                Word::Keyword("secret") => {
                    if self.act(|builder| builder.expect_secret(key)).is_err() {
                        return false;
                    }
                    let Some(secret) = self.base64() else { return false };
                    self.builder.set_secret(key, &secret);
                    if !self.cursor.semicolon() {
                        return false;
                    }
                }
                Word::Char(b'}') => return true,
                _ => {
                    self.warn("expecting right brace.");
                    return false;
                }
            }
        }
    }

    /// ISC `parse_base64`: tokens as long as they look like base64. `None`: said, or nothing was in it.
    fn base64(&mut self) -> Option<Vec<u8>> {
        let mut tokens = Vec::new();
        loop {
            tokens.push(self.next());
            let next = self.peek();
            let fits = |c: &u8| *c == b'=' || base64_value(*c).is_some();
            // dhcpd never gets past the end of the file.
            if next.kind == Word::End || !next.c_text().iter().all(fits) {
                break;
            }
        }
        let (mut octets, mut sum, mut count, mut terminated) = (Vec::new(), 0u32, 0u32, false);
        for token in &tokens {
            let text = token.c_text();
            for (at, &c) in text.iter().enumerate() {
                if terminated && c != b'=' {
                    let rest = text.get(at..).unwrap_or_default();
                    self.warn([b"stuff after base64 '=' terminator: ", rest, b"."].concat());
                    return None;
                }
                if c == b'=' {
                    terminated = true;
                } else {
                    let Some(value) = base64_value(c) else {
                        self.warn(format!("invalid base64 character {}.", i32::from(c as i8)));
                        return None;
                    };
                    sum = (sum << 6).wrapping_add(value);
                    let keep = match count % 4 {
                        0 => None,
                        1 => Some(4),
                        2 => Some(2),
                        _ => Some(0),
                    };
                    if let Some(keep) = keep {
                        // The low octet is meant.
                        octets.push((sum >> keep) as u8);
                        sum &= (1 << keep) - 1;
                    }
                }
                count = count.wrapping_add(1);
            }
        }
        if count % 4 != 0 && sum != 0 {
            self.warn(format!("partial base64 value left over: {}.", sum as i32));
        }
        (!octets.is_empty()).then_some(octets)
    }

    /// A `zone` statement, the word being consumed.
    pub(super) fn zone_statement(&mut self) -> Result<bool, Lost> {
        let Some(name) = self.host_name() else {
            self.refuse("expecting hostname.");
            return Err(Lost);
        };
        let mut zone = self.act(|builder| builder.open_zone(&name));
        if !self.zone_body(&mut zone) {
            self.cursor.skip_to_semicolon();
            return Err(Lost);
        }
        self.act(|builder| builder.close_zone(zone));
        Ok(true)
    }

    fn zone_body(&mut self, zone: &mut ZoneDraft) -> bool {
        if !self.next().is(b'{') {
            self.warn("expecting left brace");
            return false;
        }
        loop {
            let good = match self.peek().kind {
                Word::Keyword("primary") => self.zone_servers(zone, ZoneServer::Primary, false),
                Word::Keyword("secondary") => self.zone_servers(zone, ZoneServer::Secondary, false),
                Word::Keyword("primary6") => self.zone_servers(zone, ZoneServer::Primary, true),
                Word::Keyword("secondary6") => self.zone_servers(zone, ZoneServer::Secondary, true),
                Word::Keyword("key") => self.zone_key(zone),
                _ => break,
            };
            if !good {
                return false;
            }
        }
        if !self.next().is(b'}') {
            self.warn("expecting right brace.");
            return false;
        }
        true
    }

    fn zone_servers(&mut self, zone: &mut ZoneDraft, which: ZoneServer, six: bool) -> bool {
        if self.act(|builder| builder.expect_zone_servers(zone, which, six)).is_err() {
            self.cursor.skip_to_semicolon();
            return false;
        }
        self.next();
        let (mut first, mut addresses) = (None, Vec::new());
        let last = loop {
            let good = if six {
                self.address6().map(|address| addresses.push(address)).is_some()
            } else {
                self.address_or_host(false).map(|address| first = first.take().or(Some(address))).is_some()
            };
            if !good {
                self.refuse(if six { "expecting IPv6 addr." } else { "expecting IP addr or hostname." });
                return false;
            }
            let token = self.next();
            if !token.is(b',') {
                break token;
            }
        };
        if !last.is(b';') {
            self.refuse("expecting semicolon.");
            return false;
        }
        // Looked at above.
        let _ = self.act(|builder| match six {
            true => builder.set_zone_servers6(zone, which, addresses),
            false => builder.set_zone_servers(zone, which, first.unwrap_or(Expr::Null)),
        });
        true
    }

    fn zone_key(&mut self, zone: &mut ZoneDraft) -> bool {
        self.next();
        let Some(name) = self.key_name() else { return false };
        // An unknown key is refused with a message; the statement goes on.
        let _ = self.act(|builder| builder.set_zone_key(zone, &name));
        self.cursor.semicolon()
    }
}

fn base64_value(c: u8) -> Option<u32> {
    Some(u32::from(match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}
