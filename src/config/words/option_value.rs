//! Values of options (ISC `common/parse.c:parse_option_statement`, `parse_option_token`, `parse_option_data`).

use super::lexer::{Kind, Token};
use super::{Lost, Walk};
use crate::config::network::ScopeId;
use crate::config::tree::{Combine, Expr, Octets, Statement};
use crate::options::{Atom, DomainList, Enumeration, Format, Item, OptionId, encode_domain_name};
use std::sync::Arc;

/// A value, or part of one, could not be read. What there is to say is said, and skipped.
struct NoValue;

impl Walk<'_> {
    /// ISC `parse_option_statement` with `supersede_option_statement`: the value and its semicolon.
    pub(super) fn option_value(&mut self, scope: ScopeId, option: OptionId) -> bool {
        let Some(value) = self.option_statement(option, true) else { return false };
        let statement = Statement::Option { combine: Combine::Supersede, option, value: Arc::new(value) };
        self.builder.push_statement(scope, statement);
        true
    }

    /// The value of an option in any statement, and the semicolon. Of an expression only the type comes out. When there is no data expression behind `=`, dhcpd
    /// looks at a variable that it has not set to see whether anybody said so. What is in it depends on who called:
    /// `quiet` is what it comes to.
    pub(super) fn option_statement(&mut self, option: OptionId, quiet: bool) -> Option<Expr> {
        let token = self.peek();
        let format = self.builder.config().spaces.format(option).clone();
        if token.is(b';') && !format.letters().starts_with('Z') {
            // dhcpd takes this semicolon for the value.
            self.next();
            return self.cursor.semicolon().then_some(Expr::Null);
        }
        let value = if token.is(b'=') {
            self.next();
            let hushed = std::mem::replace(&mut self.hushed, quiet);
            let value = self.data_expression();
            self.hushed = hushed;
            match value {
                Ok(Some(value)) => value,
                Ok(None) if !quiet => {
                    self.warn("expecting a data expression.");
                    self.cursor.skip_to_semicolon();
                    return None;
                }
                Ok(None) | Err(Lost) => return None,
            }
        } else {
            Expr::Data(Octets::new(&self.literal(&format).ok()?))
        };
        self.cursor.semicolon().then_some(value)
    }

    /// ISC `parse_option_data` of a `host-identifier`: the constant value, its semicolon not included.
    pub(super) fn option_data(&mut self, option: OptionId) -> Option<Vec<u8>> {
        let format = self.builder.config().spaces.format(option).clone();
        self.literal(&format).ok()
    }

    /// A value as its format wants it. Of host names, which are looked up later, nothing comes out.
    fn literal(&mut self, format: &Format) -> Result<Vec<u8>, NoValue> {
        if format.items().is_empty() {
            // dhcpd prints the letter it does not know, which is the NUL that ends the format: the line ends there.
            return self.no_value("Bad format '");
        }
        let mut value = Vec::new();
        loop {
            for item in format.items() {
                self.item(item, &mut value)?;
            }
            if !(format.is_array() && self.peek().is(b',')) {
                return Ok(value);
            }
            self.next();
        }
    }

    /// A member of a record with its repetitions.
    fn item(&mut self, item: &Item, value: &mut Vec<u8>) -> Result<(), NoValue> {
        loop {
            if item.optional && self.peek().is(b';') {
                return Ok(());
            }
            match self.atom(item) {
                Ok(octets) => value.extend_from_slice(&octets),
                Err(NoValue) if item.optional => {}
                Err(NoValue) => return Err(NoValue),
            }
            if !(item.repeated && self.peek().is(b',')) {
                return Ok(());
            }
            self.next();
            // dhcpd goes back by one letter; of a name that is its final dot.
            if matches!(item.atom, Atom::Encapsulation(_) | Atom::Enumeration(_)) {
                return self.no_value("Bad format '.' in parse_option_token.");
            }
        }
    }

    /// Says what is wrong and skips the statement.
    fn no_value<T>(&mut self, text: impl AsRef<[u8]>) -> Result<T, NoValue> {
        self.warn(text);
        self.cursor.skip_to_semicolon();
        Err(NoValue)
    }

    /// The same of a token that is consumed already, which may be the semicolon. Of what is optional nothing is said.
    fn wrong<T>(&mut self, item: &Item, token: &Token, text: &str) -> Result<T, NoValue> {
        if !item.optional {
            self.warn(text);
            if !token.is(b';') {
                self.cursor.skip_to_semicolon();
            }
        }
        Err(NoValue)
    }

    fn atom(&mut self, item: &Item) -> Result<Vec<u8>, NoValue> {
        match &item.atom {
            Atom::SpaceName => {
                let token = self.next();
                if !token.is_identifier() {
                    return self.wrong(item, &token, "expecting identifier.");
                }
                Ok(token.text.to_vec())
            }
            Atom::String | Atom::Encapsulation(_) => {
                if matches!(self.peek().kind, Kind::Number | Kind::NumberOrName) {
                    return self.hex_list().ok_or(NoValue);
                }
                let token = self.next();
                if token.kind == Kind::String {
                    return Ok(token.text.to_vec());
                }
                if item.optional {
                    return Err(NoValue);
                }
                // Here the semicolon is not spared: what follows it is skipped.
                self.no_value("expecting string or hexadecimal data.")
            }
            Atom::DomainList { compressed } => self.domain_list(item, *compressed),
            Atom::DomainName => {
                let encoded = self.host_name().map(|name| encode_domain_name(&name));
                match encoded {
                    Some(Ok(wire)) => return Ok(wire),
                    Some(Err(error)) => self.warn(format!("Error assembling domain name: {error}")),
                    None => {}
                }
                self.no_value("not a valid domain name.")
            }
            Atom::Text => {
                let token = self.next();
                if token.kind != Kind::String && !token.is_identifier() {
                    return self.wrong(item, &token, "expecting string.");
                }
                Ok(token.text.to_vec())
            }
            Atom::KeyName => {
                if self.peek().kind == Kind::String {
                    return Ok(self.next().c_text().to_vec());
                }
                match self.host_name() {
                    Some(name) => Ok(name),
                    None => self.no_value("not a valid key name."),
                }
            }
            Atom::Enumeration(words) => self.enumeration(words),
            Atom::Ip4 => match self.address_or_host(false) {
                Some(Expr::Data(octets)) => Ok(octets.to_vec()),
                Some(_) => Ok(Vec::new()),
                None => Err(NoValue),
            },
            Atom::Ip6 => match self.address6() {
                Some(address) => Ok(address.octets().to_vec()),
                None => Err(NoValue),
            },
            Atom::Time => {
                let token = self.next();
                if token.kind == Kind::Keyword("infinite") {
                    return Ok(vec![0xff; 4]);
                }
                self.integer(item, &token, 4)
            }
            Atom::Integer { octets, .. } => {
                let token = self.next();
                self.integer(item, &token, *octets)
            }
            Atom::Flag => {
                let token = self.next();
                if !token.is_identifier() {
                    return self.wrong(item, &token, "expecting identifier.");
                }
                match Format::flag(token.c_text()) {
                    Some(flag) => Ok(vec![flag]),
                    None => self.wrong(item, &token, "expecting boolean."),
                }
            }
            Atom::ZeroLength => {
                if !self.peek().is(b';') {
                    // Having skipped the statement, dhcpd wants its semicolon.
                    self.warn("semicolon expected.");
                    self.cursor.skip_to_semicolon();
                }
                Ok(Vec::new())
            }
            Atom::ImpliedFlag => self.no_value("Bad format 'F' in parse_option_token."),
        }
    }

    fn integer(&mut self, item: &Item, token: &Token, octets: u8) -> Result<Vec<u8>, NoValue> {
        if !matches!(token.kind, Kind::Number | Kind::NumberOrName) {
            return self.wrong(item, token, "expecting number.");
        }
        let value = self.convert(token.c_text(), None, u32::from(octets) * 8);
        Ok(Format::integer(value, octets).to_vec())
    }

    fn enumeration(&mut self, words: &'static Enumeration) -> Result<Vec<u8>, NoValue> {
        let token = self.next();
        if !token.is_identifier() {
            return self.no_value("identifier expected");
        }
        match words.value(token.c_text()) {
            Some(value) => Ok(Format::integer(value, words.width).to_vec()),
            None => self.no_value("unknown value"),
        }
    }

    /// Quoted names with commas between them.
    fn domain_list(&mut self, item: &Item, compressed: bool) -> Result<Vec<u8>, NoValue> {
        let mut list = DomainList::new(compressed);
        loop {
            let token = self.next();
            let fault = if token.kind != Kind::String {
                Some("Expecting a domain string.".to_owned())
            } else {
                let verb = if compressed { "compressing" } else { "assembling" };
                list.push(token.c_text()).err().map(|error| format!("Error {verb} domain list: {error}"))
            };
            if let Some(fault) = fault {
                self.warn(fault);
                if !item.optional {
                    self.cursor.skip_to_semicolon();
                }
                return Err(NoValue);
            }
            if !self.peek().is(b',') {
                return Ok(list.finish());
            }
            self.next();
        }
    }
}
