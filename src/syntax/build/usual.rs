//! Hosts in their usual look, read without the grammar.
//!
//! This is for speed alone: large files are mostly hosts, and the grammar takes several times as long for one as dhcpd
//! does. `grammar/` stays the definition of the language. What is read here is a small part of it, with nothing odd in
//! it: a host with `hardware ethernet`, `fixed-address` and plain options. Everything else is left to the grammar, and a
//! property test holds the two against each other.

use super::super::ast::*;
use super::super::keyword::classify;
use super::super::lexical::LONGEST_TOKEN;
use super::super::source::Span;
use super::super::token::{Token, TokenKind, Word};
use super::FileBuilder;

/// The longest hardware address dhcpd keeps (ISC `dhcpd.h:HARDWARE_ADDR_LEN`).
const LONGEST_HARDWARE_ADDRESS: usize = 20;

impl FileBuilder<'_, '_> {
    /// The host that begins at `at` or behind white space and comments there, and where it ends. None when it is not one
    /// in its usual look.
    pub(super) fn usual_host(&self, at: usize, end: usize) -> Option<(Statement, usize)> {
        let mut cursor = Cursor { builder: self, text: self.text.get(..end)?, at };
        cursor.gap();
        let statement = cursor.host()?;
        Some((statement, cursor.at))
    }

    /// Whether nothing but white space and comments is left.
    pub(super) fn is_gap(&self, at: usize, end: usize) -> bool {
        let Some(text) = self.text.get(..end) else { return false };
        let mut cursor = Cursor { builder: self, text, at };
        cursor.gap();
        cursor.at >= end
    }
}

struct Cursor<'b, 'a, 'l> {
    builder: &'b FileBuilder<'a, 'l>,
    text: &'b [u8],
    at: usize,
}

impl Cursor<'_, '_, '_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t'..=b'\r')) {
            self.at += 1;
        }
    }

    fn gap(&mut self) {
        self.blanks();
        while self.peek() == Some(b'#') {
            while self.peek().is_some_and(|byte| byte != b'\n') {
                self.at += 1;
            }
            self.blanks();
        }
    }

    /// The given character.
    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// A word, as a range of offsets.
    fn word(&mut self) -> Option<(usize, usize)> {
        let start = self.at;
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if self.peek()? == b'_' {
            return None;
        }
        while self.peek().is_some_and(word) {
            self.at += 1;
        }
        (start < self.at && self.at - start <= LONGEST_TOKEN).then_some((start, self.at))
    }

    fn span(&self, start: usize, end: usize) -> Span {
        // Offsets fit: files of 4 GiB and more were refused.
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span::new(self.builder.file, offset(start), offset(end))
    }

    fn octets(&self, start: usize, end: usize) -> &[u8] {
        self.text.get(start..end).unwrap_or_default()
    }

    fn host(&mut self) -> Option<Statement> {
        let (start, end) = self.word()?;
        if !self.octets(start, end).eq_ignore_ascii_case(b"host") {
            return None;
        }
        self.blanks();
        let (name_start, mut name_end) = self.word()?;
        while self.peek() == Some(b'.') {
            self.at += 1;
            name_end = self.word()?.1;
        }
        let text = self.octets(name_start, name_end).into();
        let name = Name { text, quoted: false, span: self.span(name_start, name_end) };
        self.blanks();
        let opening = self.at;
        self.take(b'{')?;
        let mut statements = Vec::with_capacity(4);
        loop {
            self.blanks();
            if self.take(b'}').is_some() {
                break;
            }
            statements.push(self.member()?);
        }
        let block = Block { span: self.span(opening, self.at), closed: true, statements, unread: None };
        let kind = StatementKind::Host(Box::new(Host { name, block }));
        Some(Statement { span: self.span(start, self.at), kind })
    }

    fn member(&mut self) -> Option<Statement> {
        let (start, end) = self.word()?;
        self.blanks();
        let kind = match self.octets(start, end) {
            b"hardware" => self.hardware()?,
            b"fixed-address" => self.fixed_address()?,
            b"option" => self.option()?,
            _ => return None,
        };
        self.blanks();
        self.take(b';')?;
        Some(Statement { span: self.span(start, self.at), kind })
    }

    fn hardware(&mut self) -> Option<StatementKind> {
        let (start, end) = self.word()?;
        if self.octets(start, end) != b"ethernet" {
            return None;
        }
        self.blanks();
        let mut address = Vec::with_capacity(6);
        loop {
            let (from, to) = self.word()?;
            let digit = |byte: &u8| char::from(*byte).to_digit(16);
            let octet = match self.octets(from, to) {
                [low] => digit(low)?,
                [high, low] => digit(high)? * 16 + digit(low)?,
                _ => return None,
            };
            // Two digits of base 16 fit.
            address.push(octet as u8);
            if self.take(b':').is_none() {
                break;
            }
        }
        if address.len() > LONGEST_HARDWARE_ADDRESS {
            return None;
        }
        let span = self.span(start, self.at);
        let address = address.into();
        Some(StatementKind::Hardware(Box::new(Hardware {
            hardware_type: HardwareType::Ethernet,
            address,
            span,
        })))
    }

    fn fixed_address(&mut self) -> Option<StatementKind> {
        let start = self.at;
        let mut octets = [0; 4];
        for (at, octet) in octets.iter_mut().enumerate() {
            if at > 0 {
                self.take(b'.')?;
            }
            let (from, to) = self.word()?;
            let text = self.octets(from, to);
            // No sign, no letter, and nothing above 255.
            *octet = std::str::from_utf8(text).ok().filter(|text| text.len() <= 3)?.parse().ok()?;
        }
        let address = Ip4 { address: octets.into(), span: self.span(start, self.at) };
        Some(StatementKind::FixedAddress(vec![AddressOrHost::Address(address)]))
    }

    fn option(&mut self) -> Option<StatementKind> {
        let (start, end) = self.word()?;
        let text = self.octets(start, end);
        if !text.first()?.is_ascii_alphabetic() || text.eq_ignore_ascii_case(b"space") {
            return None;
        }
        let span = self.span(start, end);
        let name =
            OptionName { space: None, name: Word { text: text.into(), class: classify(text), span }, span };
        let mut tokens = Vec::with_capacity(1);
        loop {
            self.blanks();
            if self.peek()? == b';' {
                break;
            }
            let token = self.token()?;
            // A dot would belong to the name, and `code` begins a definition.
            let odd =
                token.is(b'.') || token.word().is_some_and(|(word, _)| word.eq_ignore_ascii_case(b"code"));
            if tokens.is_empty() && odd {
                return None;
            }
            tokens.push(token);
        }
        if tokens.is_empty() {
            return None;
        }
        let value = OptionValue::Literal(tokens.into());
        let verb = OptionVerb::Option;
        Some(StatementKind::Option(Box::new(OptionStatement { verb, name, value })))
    }

    fn token(&mut self) -> Option<Token> {
        let start = self.at;
        let kind = match self.peek()? {
            b'"' => {
                let rest = self.text.get(start + 1..)?;
                let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
                if rest.get(length) != Some(&b'"') || length > LONGEST_TOKEN {
                    return None;
                }
                self.at = start + length + 2;
                // The text for the grammar has no octets above 127; the file may.
                TokenKind::String(self.builder.bytes.get(start + 1..start + 1 + length)?.into())
            }
            byte @ (b'.' | b',' | b':' | b'/') => {
                self.at += 1;
                TokenKind::Punctuation(byte)
            }
            _ => {
                let (from, to) = self.word()?;
                let text = self.octets(from, to);
                TokenKind::Word(text.into(), classify(text))
            }
        };
        Some(Token { kind, span: self.span(start, self.at) })
    }
}
