//! What statements are made of: names, addresses, numbers, octets (ISC `common/parse.c`).

use super::Walk;
use super::lexer::{Kind, Token};
use crate::config::build::convert;
use crate::config::tree::{Expr, Octets};
use crate::syntax::atoi;
use std::net::{Ipv4Addr, Ipv6Addr};

impl Walk<'_> {
    /// ISC `parse_host_name`: names and numbers with dots between them, perhaps one at the end. `None`: no such thing
    /// here, and nothing was said.
    pub(super) fn host_name(&mut self) -> Option<Vec<u8>> {
        let mut name = Vec::new();
        loop {
            let token = self.peek();
            if !token.is_identifier() && token.kind != Kind::Number {
                break;
            }
            let token = self.next();
            name.extend_from_slice(token.c_text());
            if !self.peek().is(b'.') {
                break;
            }
            self.next();
            name.push(b'.');
        }
        (!name.is_empty()).then_some(name)
    }

    /// ISC `parse_numeric_aggregate`: numbers of `bits` each with a separator between them. `count` is how many; without
    /// it as many as there are. Values are big-endian octets. `None`: said and skipped.
    pub(super) fn aggregate(
        &mut self,
        count: Option<usize>,
        separator: u8,
        base: u32,
        bits: u32,
    ) -> Option<Vec<u8>> {
        self.aggregate_over(&[], count, separator, base, bits)
    }

    /// The same; at the end of the file `before` shows through where nothing was read.
    fn aggregate_over(
        &mut self,
        before: &[u8],
        count: Option<usize>,
        separator: u8,
        base: u32,
        bits: u32,
    ) -> Option<Vec<u8>> {
        let mut values: Vec<u32> = Vec::new();
        let mut written: Vec<Token> = Vec::new();
        let mut read = 0;
        loop {
            if read > 0 {
                let mut token = self.peek();
                if !token.is(separator) {
                    if count.is_none() {
                        break;
                    }
                    if !token.is(b'}') && !token.is(b'{') {
                        token = self.next();
                    }
                    self.warn("too few numbers.");
                    if !token.is(b';') {
                        self.cursor.skip_to_semicolon();
                    }
                    return None;
                }
                self.next();
            }
            let token = self.next();
            if token.kind == Kind::End {
                self.warn("unexpected end of file");
                break;
            }
            if token.kind != Kind::Number && (base != 16 || token.kind != Kind::NumberOrName) {
                self.warn("expecting numeric value.");
                self.cursor.skip_to_semicolon();
                return None;
            }
            if count.is_some() {
                let value = self.convert(token.c_text(), Some(base), bits);
                values.push(value);
            } else {
                written.push(token);
            }
            read += 1;
            if Some(read) == count {
                break;
            }
        }
        // A list of unknown length is converted at its end, the last number first.
        for token in written.iter().rev() {
            let value = self.convert(token.c_text(), Some(base), bits);
            values.push(value);
        }
        if count.is_none() {
            values.reverse();
            if values.is_empty() {
                return None;
            }
        }
        let width = (bits / 8) as usize;
        let mut octets = Vec::with_capacity(values.len() * width);
        for value in values {
            octets.extend_from_slice(value.to_be_bytes().get(4usize.saturating_sub(width)..)?);
        }
        octets.extend_from_slice(before.get(octets.len()..).unwrap_or_default());
        octets.resize(count.unwrap_or(read) * width, 0);
        Some(octets)
    }

    /// ISC `convert_num`: `base` `None` finds it out. The value in two's complement; only its low octets count.
    pub(super) fn convert(&mut self, text: &[u8], base: Option<u32>, bits: u32) -> u32 {
        let converted = convert(text, base, bits);
        for fault in converted.faults {
            self.warn(fault.to_string());
        }
        converted.value
    }

    /// ISC `parse_ip_addr`. `None`: said and skipped.
    pub(super) fn address(&mut self) -> Option<Ipv4Addr> {
        self.address_over(Ipv4Addr::UNSPECIFIED)
    }

    /// The same, read over `before`, of which something is left when the file ends too early.
    pub(super) fn address_over(&mut self, before: Ipv4Addr) -> Option<Ipv4Addr> {
        let octets = self.aggregate_over(&before.octets(), Some(4), b'.', 10, 8)?;
        Some(Ipv4Addr::from(<[u8; 4]>::try_from(octets.as_slice()).ok()?))
    }

    /// ISC `parse_ip6_addr`. `None`: said and skipped.
    pub(super) fn address6(&mut self) -> Option<Ipv6Addr> {
        /// The longest text of an address.
        const LONGEST: usize = 45;
        let mut text: Vec<u8> = Vec::new();
        let mut token = self.peek();
        loop {
            let fits = match token.kind {
                Kind::Name | Kind::NumberOrName => token.c_text().iter().all(u8::is_ascii_hexdigit),
                Kind::Number | Kind::Keyword("add") | Kind::Char(b'.' | b':') => true,
                _ => false,
            };
            if !fits {
                break;
            }
            let token_text = self.cursor.next_raw();
            if text.len() + token_text.c_text().len() > LONGEST {
                return self.bad_address6();
            }
            text.extend_from_slice(token_text.c_text());
            token = self.cursor.peek_raw();
        }
        match std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok()) {
            Some(address) => Some(address),
            None => self.bad_address6(),
        }
    }

    fn bad_address6(&mut self) -> Option<Ipv6Addr> {
        self.warn("Invalid IPv6 address.");
        self.cursor.skip_to_semicolon();
        None
    }

    /// ISC `parse_ip_addr_or_hostname`. `None`: said and skipped.
    pub(super) fn address_or_host(&mut self, uniform: bool) -> Option<Expr> {
        let mut token = self.peek();
        if token.kind == Kind::Number {
            let address = self.cursor.ahead(|cursor| {
                cursor.next();
                cursor.next().is(b'.') && cursor.next().kind == Kind::Number
            });
            if address {
                // dhcpd goes on to take it for a host name when it is no address.
                if let Some(octets) = self.aggregate(Some(4), b'.', 10, 8) {
                    return Some(Expr::Data(Octets::new(&octets)));
                }
            }
        }
        if token.is_identifier() || token.kind == Kind::Number {
            let name = self.host_name()?;
            return Some(self.act(|builder| builder.host_lookup(&name, uniform)));
        }
        if !token.is(b'}') && !token.is(b'{') {
            token = self.next();
        }
        let mut text = token.c_text().to_vec();
        text.extend_from_slice(format!(" ({}): expecting IP address or hostname", token.number()).as_bytes());
        self.warn(text);
        if !token.is(b';') {
            self.cursor.skip_to_semicolon();
        }
        None
    }

    /// ISC `parse_cshl`: octets in hexadecimal with colons between them. `None`: said and skipped.
    pub(super) fn hex_list(&mut self) -> Option<Vec<u8>> {
        let mut octets = Vec::new();
        loop {
            let token = self.next();
            if token.kind != Kind::Number && token.kind != Kind::NumberOrName {
                self.warn("expecting hexadecimal number.");
                self.cursor.skip_to_semicolon();
                return None;
            }
            let value = self.convert(token.c_text(), Some(16), 8);
            octets.push(value as u8);
            if !self.peek().is(b':') {
                return Some(octets);
            }
            self.next();
        }
    }

    /// A number as C's `atoi` reads it.
    pub(super) fn atoi(token: &Token) -> i32 {
        atoi(token.c_text())
    }
}
