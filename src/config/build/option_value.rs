//! Values of options written literally, read by the option's definition (ISC `common/parse.c:parse_option_data`,
//! `parse_option_token`).
//!
//! The tokens end where the statement's `;` stands; a value that wants more meets the `;`, one that wants less leaves
//! tokens over (`semicolon expected.`).

use super::expression::joined;
use super::number::convert;
use super::text::octets;
use super::{Builder, Refused};
use crate::config::diagnostic::{Code, Diagnostic, Severity};
use crate::config::tree::{Expr, Octets};
use crate::options::{Atom, DomainList, Enumeration, Item, OptionId, Spaces, encode_domain_name};
use crate::syntax::{OptionValue, Span, Token, TokenKind, WordClass};
use std::net::{Ipv4Addr, Ipv6Addr};

/// The tokens of a value, and how far they are read.
struct Reader<'t> {
    tokens: &'t [Token],
    at: usize,
    /// Where the value ends: the place of the `;`.
    end: Span,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<&'t Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<&'t Token> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        Some(token)
    }

    fn is(&self, character: u8) -> bool {
        self.peek().is_some_and(|token| token.is(character))
    }

    fn span(&self) -> Span {
        self.peek().map_or(self.end, |token| token.span)
    }
}

/// Why an atom could not be read: an optional one may fail without a word.
enum AtomFault {
    Silent,
    Said(Refused),
}

impl From<Refused> for AtomFault {
    fn from(refused: Refused) -> Self {
        Self::Said(refused)
    }
}

impl Builder {
    /// The value of an option written as tokens; all of them must be used. `end` is where the statement's `;` stands.
    pub fn literal_value(&mut self, option: OptionId, tokens: &[Token], end: Span) -> Result<Expr, Refused> {
        let mut reader = Reader { tokens, at: 0, end };
        let value = self.option_data(option, &mut reader)?;
        if let Some(left) = reader.peek() {
            let span = left.span;
            let kind = self.describe(option);
            let diagnostic = Diagnostic::error(Code::SemicolonExpected, span, "semicolon expected.")
                .message("the value ends before this")
                .note(kind);
            return Err(self.report(diagnostic));
        }
        Ok(value)
    }

    /// An option without its value: `option NAME;`. Right for options that have none.
    pub fn no_value(&mut self, option: OptionId, end: Span) -> Result<Expr, Refused> {
        if self.config.spaces.format(option).is_zero_length() {
            return Ok(Expr::Data(Octets::default()));
        }
        // dhcpd takes the `;` for the value and wants another; with it, it crashes.
        let name = self.config.spaces.full_name(option);
        let kind = self.describe(option);
        let diagnostic = Diagnostic::error(Code::ValueMissing, end, "semicolon expected.")
            .message(format!("option {name} needs a value"))
            .note(kind);
        Err(self.report(diagnostic))
    }

    /// An option without its value that dhcpd takes: `option NAME;;`, `option NAME =`. It means nothing here; dhcpd
    /// crashes when it runs the first of these.
    pub fn absent_value(&mut self, option: OptionId, value: &OptionValue, span: Span) -> Result<(), Refused> {
        if *value == OptionValue::Semicolon && self.config.spaces.format(option).is_zero_length() {
            let isc = "expecting a parameter or declaration";
            return Err(self.report(Diagnostic::error(Code::StrayToken, span, isc)));
        }
        let name = self.config.spaces.full_name(option);
        let kind = self.describe(option);
        let finding = Diagnostic::own(
            Code::ValueAbsent,
            Severity::Warning,
            span,
            format!("option {name} has no value, so that this statement does nothing"),
        )
        .note(kind);
        self.report(finding);
        Ok(())
    }

    fn describe(&self, option: OptionId) -> String {
        let spaces = &self.config.spaces;
        format!("{} has the format {}", spaces.full_name(option), spaces.format(option).letters())
    }

    fn option_data(&mut self, option: OptionId, reader: &mut Reader<'_>) -> Result<Expr, Refused> {
        let format = self.config.spaces.format(option).clone();
        if format.items().is_empty() {
            // dhcpd prints the letter it does not know, which is the NUL that ends the format: the line ends there.
            return Err(self.refuse_at(reader.span(), Code::OptionType, "Bad format '"));
        }
        let one = format.items().len() == 1;
        let mut parts: Vec<Expr> = Vec::new();
        loop {
            for item in format.items() {
                let uniform = item.repeated || (format.is_array() && one);
                loop {
                    if item.optional && reader.peek().is_none() {
                        break;
                    }
                    match self.option_atom(option, item, uniform, reader) {
                        Ok(part) => parts.push(part),
                        Err(_) if item.optional => break,
                        Err(AtomFault::Said(refused)) => return Err(refused),
                        Err(AtomFault::Silent) => break,
                    }
                    if !(item.repeated && reader.is(b',')) {
                        break;
                    }
                    // The letter before the `a` is looked at again; of a name that letter is its final dot.
                    if matches!(item.atom, Atom::Encapsulation(_) | Atom::Enumeration(_)) {
                        let isc = "Bad format '.' in parse_option_token.";
                        return Err(self.refuse_at(reader.span(), Code::OptionType, isc));
                    }
                    reader.next();
                }
            }
            if format.is_array() && reader.is(b',') {
                reader.next();
                continue;
            }
            break;
        }
        let join = self.in_handler == 0;
        joined(parts, join).ok_or_else(|| {
            let diagnostic =
                Diagnostic::own(Code::ValueMissing, Severity::Error, reader.end, "the value is missing");
            self.report(diagnostic)
        })
    }

    fn refuse_at(&mut self, span: Span, code: Code, isc: impl Into<Vec<u8>>) -> Refused {
        self.report(Diagnostic::error(code, span, isc))
    }

    /// A complaint about an atom, which an optional one does not make.
    fn wrong(&mut self, item: &Item, span: Span, code: Code, isc: &str) -> AtomFault {
        if item.optional { AtomFault::Silent } else { AtomFault::Said(self.refuse_at(span, code, isc)) }
    }

    fn option_atom(
        &mut self,
        option: OptionId,
        item: &Item,
        uniform: bool,
        reader: &mut Reader<'_>,
    ) -> Result<Expr, AtomFault> {
        let span = reader.span();
        let data = |octets: &[u8]| Ok(Expr::Data(Octets::new(octets)));
        match &item.atom {
            Atom::SpaceName => match reader.next().and_then(Token::identifier) {
                Some(word) => data(word),
                None => Err(self.wrong(item, span, Code::ValueExpected, "expecting identifier.")),
            },
            Atom::String | Atom::Encapsulation(_) => match reader.peek().map(|token| &token.kind) {
                Some(TokenKind::Word(_, WordClass::Number | WordClass::NumberOrName)) => {
                    data(&self.hex_list(reader)?)
                }
                Some(TokenKind::String(octets)) => {
                    reader.next();
                    data(octets)
                }
                _ => {
                    reader.next();
                    let isc = "expecting string or hexadecimal data.";
                    Err(self.wrong(item, span, Code::ValueExpected, isc))
                }
            },
            Atom::DomainList { compressed } => data(&self.domain_list(*compressed, reader)?),
            Atom::DomainName => {
                let Some(name) = host_name(reader) else {
                    return Err(self.refuse_at(span, Code::BadDomain, "not a valid domain name.").into());
                };
                match encode_domain_name(&name) {
                    Ok(wire) => data(&wire),
                    Err(error) => {
                        let isc = format!("Error assembling domain name: {error}");
                        self.refuse_at(span, Code::BadDomain, isc);
                        Err(self.refuse_at(span, Code::BadDomain, "not a valid domain name.").into())
                    }
                }
            }
            Atom::Text => {
                let token = reader.next();
                match token.and_then(|token| token.string().or_else(|| token.identifier())) {
                    Some(text) => data(text),
                    None => Err(self.wrong(item, span, Code::ValueExpected, "expecting string.")),
                }
            }
            Atom::KeyName => {
                if let Some(text) = reader.peek().and_then(Token::string) {
                    reader.next();
                    return data(text.split(|c| *c == 0).next().unwrap_or_default());
                }
                match host_name(reader) {
                    Some(name) => data(&name),
                    None => Err(self.refuse_at(span, Code::ValueExpected, "not a valid key name.").into()),
                }
            }
            Atom::Enumeration(words) => {
                let Some(word) = reader.next().and_then(Token::identifier) else {
                    return Err(self.refuse_at(span, Code::ValueExpected, "identifier expected").into());
                };
                match words.value(word) {
                    Some(value) => Ok(Expr::Data(network_order(value, words.width))),
                    None => Err(self.unknown_word(option, words, word, span).into()),
                }
            }
            Atom::Ip4 => self.address_or_host(uniform, reader).map_err(Into::into),
            Atom::Ip6 => match ip6(reader) {
                Some(address) => data(&address.octets()),
                None => Err(self.refuse_at(span, Code::BadAddress, "Invalid IPv6 address.").into()),
            },
            Atom::Time if reader.peek().and_then(Token::identifier).is_some_and(infinite) => {
                reader.next();
                data(&[0xff; 4])
            }
            Atom::Time => self.number(item, 4, reader),
            Atom::Integer { octets, .. } => self.number(item, *octets, reader),
            Atom::Flag => {
                let Some(word) = reader.next().and_then(Token::identifier) else {
                    return Err(self.wrong(item, span, Code::ValueExpected, "expecting identifier."));
                };
                match flag(word) {
                    Some(value) => data(&[value]),
                    None => Err(self.wrong(item, span, Code::BadWord, "expecting boolean.")),
                }
            }
            Atom::ZeroLength => {
                if reader.peek().is_some() {
                    reader.at = reader.tokens.len();
                    return Err(self.refuse_at(span, Code::SemicolonExpected, "semicolon expected.").into());
                }
                data(&[])
            }
            Atom::ImpliedFlag => {
                let isc = "Bad format 'F' in parse_option_token.";
                Err(self.refuse_at(span, Code::OptionType, isc).into())
            }
        }
    }

    fn unknown_word(
        &mut self,
        option: OptionId,
        words: &'static Enumeration,
        word: &[u8],
        span: Span,
    ) -> Refused {
        let name = self.config.spaces.full_name(option);
        let known: Vec<&str> = words.values.iter().map(|(word, _)| *word).collect();
        let diagnostic = Diagnostic::error(Code::BadWord, span, "unknown value")
            .message(format!("{} is no value of {name}", String::from_utf8_lossy(word)))
            .note(format!("it is one of {}", known.join(", ")));
        self.report(diagnostic)
    }

    fn number(&mut self, item: &Item, octets: u8, reader: &mut Reader<'_>) -> Result<Expr, AtomFault> {
        let span = reader.span();
        let token = reader.next();
        let Some(text) = token.and_then(numeral) else {
            return Err(self.wrong(item, span, Code::ValueExpected, "expecting number."));
        };
        let value = self.converted(text, None, octets, span);
        Ok(Expr::Data(network_order(value, octets)))
    }

    /// A number with dhcpd's complaints about it; it keeps the value all the same.
    fn converted(&mut self, text: &[u8], base: Option<u32>, octets: u8, span: Span) -> u32 {
        let converted = convert(text, base, u32::from(octets) * 8);
        for fault in converted.faults {
            let code = match fault {
                super::NumberFault::Range { .. } => Code::NumberRange,
                _ => Code::BadNumber,
            };
            self.refuse_at(span, code, fault.to_string());
        }
        converted.value
    }

    /// Hexadecimal octets separated by colons (ISC `parse_cshl`).
    fn hex_list(&mut self, reader: &mut Reader<'_>) -> Result<Vec<u8>, Refused> {
        let mut octets = Vec::new();
        loop {
            let span = reader.span();
            let Some(text) = reader.next().and_then(numeral) else {
                return Err(self.refuse_at(span, Code::BadNumber, "expecting hexadecimal number."));
            };
            octets.push(self.converted(text, Some(16), 1, span) as u8);
            if !reader.is(b':') {
                return Ok(octets);
            }
            reader.next();
        }
    }

    fn domain_list(&mut self, compressed: bool, reader: &mut Reader<'_>) -> Result<Vec<u8>, Refused> {
        let mut list = DomainList::new(compressed);
        loop {
            let span = reader.span();
            let Some(name) = reader.next().and_then(Token::string) else {
                let diagnostic = Diagnostic::error(Code::BadDomain, span, "Expecting a domain string.")
                    .note("domain names of this option are written in quotes, separated by commas");
                return Err(self.report(diagnostic));
            };
            if let Err(error) = list.push(name) {
                let verb = if compressed { "compressing" } else { "assembling" };
                return Err(self.refuse_at(
                    span,
                    Code::BadDomain,
                    format!("Error {verb} domain list: {error}"),
                ));
            }
            if !reader.is(b',') {
                return Ok(list.finish());
            }
            reader.next();
        }
    }

    /// An IPv4 address, or a host name that is looked up when the value is used; outside of a plain list of addresses
    /// (`uniform`) only its first address counts (ISC `parse_ip_addr_or_hostname`).
    fn address_or_host(&mut self, uniform: bool, reader: &mut Reader<'_>) -> Result<Expr, Refused> {
        let span = reader.span();
        let first = reader.peek();
        let ahead = |step: usize| reader.tokens.get(reader.at + step);
        let address = first.and_then(Token::number).is_some()
            && ahead(1).is_some_and(|token| token.is(b'.'))
            && ahead(2).and_then(Token::number).is_some();
        if address {
            return Ok(Expr::Data(Octets::new(&self.dotted_address(reader)?.octets())));
        }
        match host_name(reader) {
            Some(name) => Ok(self.host_lookup(&name, uniform)),
            None => {
                let (text, number): (&[u8], u16) = match first {
                    None => (b";", u16::from(b';')),
                    Some(token) => match &token.kind {
                        TokenKind::String(octets) => (octets, token.token_number()),
                        TokenKind::Word(text, _) => (text, token.token_number()),
                        TokenKind::Punctuation(c) => (std::slice::from_ref(c), token.token_number()),
                    },
                };
                let isc = octets!(text, format!(" ({number}): expecting IP address or hostname"));
                Err(self.refuse_at(span, Code::BadAddress, isc))
            }
        }
    }

    /// A host name where an address is wanted.
    pub fn host_lookup(&mut self, name: &[u8], uniform: bool) -> Expr {
        let lookup = Expr::HostLookup(self.name(name));
        if uniform {
            return lookup;
        }
        Expr::Substring(Box::new([lookup, Expr::Number(0), Expr::Number(4)]))
    }

    fn dotted_address(&mut self, reader: &mut Reader<'_>) -> Result<Ipv4Addr, Refused> {
        let mut address = [0u8; 4];
        for (at, octet) in address.iter_mut().enumerate() {
            if at > 0 {
                if !reader.is(b'.') {
                    return Err(self.refuse_at(reader.span(), Code::BadAddress, "too few numbers."));
                }
                reader.next();
            }
            let span = reader.span();
            let Some(text) = reader.next().and_then(Token::number) else {
                return Err(self.refuse_at(span, Code::BadAddress, "expecting numeric value."));
            };
            *octet = self.converted(text, Some(10), 1, span) as u8;
        }
        Ok(address.into())
    }

    /// The option of `server-identifier`.
    pub fn server_identifier(&self) -> OptionId {
        self.config.spaces.by_code(Spaces::DHCP, 54)
    }
}

/// The text of a token that may be a number.
fn numeral(token: &Token) -> Option<&[u8]> {
    match token.word() {
        Some((text, WordClass::Number | WordClass::NumberOrName)) => Some(text),
        _ => None,
    }
}

fn infinite(word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(b"infinite")
}

/// The value of a flag: false 0, true 1, ignore 2.
fn flag(word: &[u8]) -> Option<u8> {
    const WORDS: [(&[u8], u8); 5] = [(b"true", 1), (b"on", 1), (b"false", 0), (b"off", 0), (b"ignore", 2)];
    WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, value)| *value)
}

/// A number in network order, in its last octets.
fn network_order(value: u32, octets: u8) -> Octets {
    let all = value.to_be_bytes();
    Octets::new(all.get(4 - usize::from(octets.min(4))..).unwrap_or(&all))
}

/// Words joined by dots (ISC `parse_host_name`); a final dot stays.
fn host_name(reader: &mut Reader<'_>) -> Option<Vec<u8>> {
    let mut name = Vec::new();
    while let Some((text, _)) = reader.peek().and_then(Token::word) {
        reader.next();
        name.extend_from_slice(text);
        if !reader.is(b'.') {
            break;
        }
        reader.next();
        name.push(b'.');
    }
    (!name.is_empty()).then_some(name)
}

/// An IPv6 address: tokens without white space between them that look like parts of one, glued together (ISC
/// `parse_ip6_addr`).
fn ip6(reader: &mut Reader<'_>) -> Option<Ipv6Addr> {
    /// One octet less than dhcpd's buffer, which also holds a NUL.
    const LONGEST: usize = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255".len();
    let mut text = Vec::new();
    let mut end: Option<Span> = None;
    while let Some(token) = reader.peek() {
        if end.is_some_and(|end| end.file != token.span.file || end.end != token.span.start) {
            break;
        }
        let hex = |word: &[u8]| word.iter().all(u8::is_ascii_hexdigit);
        let part = match &token.kind {
            TokenKind::Word(word, WordClass::Number) => word,
            TokenKind::Word(word, WordClass::Name | WordClass::NumberOrName) if hex(word) => word,
            TokenKind::Word(word, WordClass::Keyword(_)) if word.eq_ignore_ascii_case(b"add") => word,
            TokenKind::Punctuation(c @ (b'.' | b':')) => {
                text.push(*c);
                end = Some(token.span);
                reader.next();
                continue;
            }
            _ => break,
        };
        text.extend_from_slice(part);
        end = Some(token.span);
        reader.next();
    }
    if text.len() > LONGEST {
        return None;
    }
    std::str::from_utf8(&text).ok()?.parse().ok()
}
