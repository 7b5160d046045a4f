//! Values that stand in many statements: words, names, numbers, addresses, octets, dates, tokens.

use std::net::Ipv6Addr;

use super::super::ast::*;
use super::super::keyword::classify;
use super::super::lexical::{LONGEST_TOKEN, atoi, convert_number, read_string};
use super::super::source::Span;
use super::super::token::{Token, TokenKind, Word};
use super::{Built, Children, FileBuilder, P, Rule, inner};

/// The longest hardware address dhcpd keeps (ISC `dhcpd.h:HARDWARE_ADDR_LEN`).
const LONGEST_HARDWARE_ADDRESS: usize = 20;

impl FileBuilder<'_, '_> {
    /// Where a pair stands in the file.
    pub(super) fn span(&self, pair: &P<'_>) -> Span {
        let span = pair.as_span();
        self.span_of(span.start(), span.end())
    }

    /// The bytes of a span as they stand in the file.
    pub(super) fn octets_at(&self, span: Span) -> &[u8] {
        self.bytes.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    pub(super) fn word(&self, pair: &P<'_>) -> Built<Word> {
        let span = self.span(pair);
        let text: Box<[u8]> = self.short(self.octets_at(span), span)?.into();
        let class = classify(&text);
        Ok(Word { text, class, span })
    }

    /// A word that names a variable, a function or an argument.
    pub(super) fn variable(&self, pair: &P<'_>) -> Built<Word> {
        let word = self.word(pair)?;
        if word.class.is_variable_name() {
            Ok(word)
        } else {
            Err(Fault { kind: FaultKind::KeywordAsName, span: word.span })
        }
    }

    fn short<'t>(&self, text: &'t [u8], span: Span) -> Built<&'t [u8]> {
        if text.len() > LONGEST_TOKEN {
            return Err(Fault { kind: FaultKind::TokenTooLong, span });
        }
        Ok(text)
    }

    /// The octets of a string.
    pub(super) fn string(&self, pair: &P<'_>) -> Built<Box<[u8]>> {
        let span = self.span(pair);
        let (octets, fault) = self.read(span);
        match fault {
            Some(kind) => Err(Fault { kind, span }),
            None => Ok(octets.into()),
        }
    }

    fn read(&self, span: Span) -> (Vec<u8>, Option<FaultKind>) {
        let text = self.octets_at(span);
        // Most strings have no escape; their octets are their text.
        if let [b'"', inside @ .., b'"'] = text
            && !inside.contains(&b'\\')
            && inside.len() <= LONGEST_TOKEN
        {
            return (inside.to_vec(), None);
        }
        let mut octets = Vec::with_capacity(text.len());
        let (end, bad) = read_string(text, 1, |octet| octets.push(octet));
        let fault = if bad {
            Some(FaultKind::BadEscape)
        } else if end.is_none() {
            Some(FaultKind::UnclosedString)
        } else if octets.len() > LONGEST_TOKEN {
            Some(FaultKind::TokenTooLong)
        } else {
            None
        };
        (octets, fault)
    }

    /// A string, a word or a host name.
    pub(super) fn name(&self, pair: P<'_>) -> Built<Name> {
        let span = self.span(&pair);
        match pair.as_rule() {
            Rule::string => Ok(Name { text: self.string(&pair)?, quoted: true, span }),
            Rule::hostname => self.hostname(pair),
            _ => Ok(Name { text: self.word(&pair)?.text, quoted: false, span }),
        }
    }

    /// A dotted name; white space around the dots is left out, a trailing dot is kept (ISC `parse.c:parse_host_name`).
    fn hostname(&self, pair: P<'_>) -> Built<Name> {
        let span = self.span(&pair);
        let mut text = Vec::with_capacity(span.len() as usize);
        for part in inner(pair) {
            let span = self.span(&part);
            text.extend_from_slice(self.short(self.octets_at(span), span)?);
        }
        Ok(Name { text: text.into(), quoted: false, span })
    }

    pub(super) fn number(&self, pair: &P<'_>) -> Built<Number> {
        let span = self.span(pair);
        let text = self.short(self.octets_at(span), span)?;
        Ok(Number { value: atoi(text), text: text.into(), span })
    }

    /// Calls `part` with each word of a pair that is an atomic list of words, separators, white space and comments.
    fn words_of(&self, span: Span, mut part: impl FnMut(&[u8], Span) -> Built<()>) -> Built<()> {
        let text = self.octets_at(span);
        let mut at = 0;
        while let Some(byte) = text.get(at) {
            let start = at;
            match byte {
                b'#' => {
                    at = text.iter().skip(at).position(|byte| *byte == b'\n').map_or(text.len(), |n| at + n)
                }
                _ if byte.is_ascii_alphanumeric() || *byte == b'-' => {
                    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
                    while text.get(at).is_some_and(is_word) {
                        at += 1;
                    }
                    let word = text.get(start..at).unwrap_or_default();
                    let offset = |at: usize| span.start.saturating_add(u32::try_from(at).unwrap_or(u32::MAX));
                    let span = Span::new(span.file, offset(start), offset(at));
                    part(self.short(word, span)?, span)?;
                }
                _ => at += 1,
            }
        }
        Ok(())
    }

    /// A list of hexadecimal octets.
    pub(super) fn hex_list(&self, pair: &P<'_>) -> Built<Box<[u8]>> {
        let span = self.span(pair);
        let mut octets = Vec::with_capacity(span.len() as usize / 3 + 1);
        self.words_of(span, |word, span| match convert_number(word, 16, 8) {
            Ok(value) => {
                octets.push(value as u8);
                Ok(())
            }
            Err(kind) => Err(Fault { kind, span }),
        })?;
        Ok(octets.into())
    }

    /// The first word of a list, and whether there are more.
    pub(super) fn first_word(&self, pair: &P<'_>) -> (Span, usize) {
        let span = self.span(pair);
        let (mut first, mut count) = (span, 0);
        // Words that are too long end the walk; whoever reads the list reports them.
        let _ = self.words_of(span, |_, span| {
            if count == 0 {
                first = span;
            }
            count += 1;
            Ok(())
        });
        (first, count)
    }

    /// A string or a list of octets.
    pub(super) fn octets(&self, pair: P<'_>) -> Built<Octets> {
        let span = self.span(&pair);
        if pair.as_rule() == Rule::string {
            Ok(Octets { octets: self.string(&pair)?, quoted: true, span })
        } else {
            Ok(Octets { octets: self.hex_list(&pair)?, quoted: false, span })
        }
    }

    /// Four decimal numbers with dots between them.
    pub(super) fn ip4(&self, pair: &P<'_>) -> Built<Ip4> {
        let span = self.span(pair);
        let mut octets = [0; 4];
        let mut slots = octets.iter_mut();
        self.words_of(span, |word, span| match (convert_number(word, 10, 8), slots.next()) {
            (Ok(value), Some(slot)) => {
                *slot = value as u8;
                Ok(())
            }
            (Err(kind), _) => Err(Fault { kind, span }),
            (_, None) => Err(Fault { kind: FaultKind::Unexpected, span }),
        })?;
        Ok(Ip4 { address: octets.into(), span })
    }

    pub(super) fn ip6(&self, pair: &P<'_>) -> Built<Ip6> {
        let span = self.span(pair);
        let address: Result<Ipv6Addr, _> = pair.as_str().parse();
        address.map(|address| Ip6 { address, span }).map_err(|_| Fault { kind: FaultKind::BadIp6, span })
    }

    pub(super) fn ip6_prefix(&self, pair: P<'_>) -> Built<Ip6Prefix> {
        let mut children = Children::of(self, pair);
        let address = self.ip6(&children.required()?)?;
        let length = self.number(&children.required()?)?;
        if !(0..=128).contains(&length.value) {
            return Err(Fault { kind: FaultKind::BadPrefixLength, span: length.span });
        }
        Ok(Ip6Prefix { address, length })
    }

    pub(super) fn address_or_host(&self, pair: P<'_>) -> Built<AddressOrHost> {
        if pair.as_rule() == Rule::ip4 {
            Ok(AddressOrHost::Address(self.ip4(&pair)?))
        } else {
            Ok(AddressOrHost::Host(self.name(pair)?))
        }
    }

    pub(super) fn hardware_type(&self, pair: &P<'_>) -> HardwareType {
        let text = self.octets_at(self.span(pair));
        match text {
            _ if text.eq_ignore_ascii_case(b"ethernet") => HardwareType::Ethernet,
            _ if text.eq_ignore_ascii_case(b"token-ring") => HardwareType::TokenRing,
            _ if text.eq_ignore_ascii_case(b"fddi") => HardwareType::Fddi,
            _ if text.eq_ignore_ascii_case(b"infiniband") => HardwareType::Infiniband,
            // The number is stored in one octet.
            _ => HardwareType::Unknown(atoi(text.get(b"unknown-".len()..).unwrap_or_default()) as u8),
        }
    }

    /// A hardware type and perhaps an address. `limited` applies dhcpd's limit on the length of the address.
    pub(super) fn hardware(&self, children: &mut Children<'_>, limited: bool) -> Built<Hardware> {
        let type_pair = children.required()?;
        let mut span = self.span(&type_pair);
        let hardware_type = self.hardware_type(&type_pair);
        let address = match children.next() {
            Some(pair) => {
                span = span.to(self.span(&pair));
                self.hex_list(&pair)?
            }
            None => Box::default(),
        };
        if limited && address.len() > LONGEST_HARDWARE_ADDRESS {
            return Err(Fault { kind: FaultKind::HardwareAddressTooLong, span });
        }
        Ok(Hardware { hardware_type, address, span })
    }

    pub(super) fn option_name(&self, pair: P<'_>) -> Built<OptionName> {
        let span = self.span(&pair);
        let mut children = Children::of(self, pair);
        let first = self.word(&children.required()?)?;
        Ok(match children.next() {
            Some(second) => OptionName { space: Some(first), name: self.word(&second)?, span },
            None => OptionName { space: None, name: first, span },
        })
    }

    pub(super) fn date(&self, pair: P<'_>) -> Built<Date> {
        let inner = Children::of(self, pair).required()?;
        let rule = inner.as_rule();
        let mut children = Children::of(self, inner);
        let mut number = || self.number(&children.required()?);
        Ok(match rule {
            Rule::never => Date::Never,
            Rule::epoch => Date::Epoch(number()?),
            _ => Date::Calendar(Box::new(CalendarDate {
                weekday: number()?,
                year: number()?,
                month: number()?,
                day: number()?,
                hour: number()?,
                minute: number()?,
                second: number()?,
                offset: children.next().map(|pair| self.number(&pair)).transpose()?,
            })),
        })
    }

    /// A token; a string that is faulty is an error.
    pub(super) fn token(&self, pair: &P<'_>) -> Built<Token> {
        if pair.as_rule() == Rule::string {
            return Ok(Token { kind: TokenKind::String(self.string(pair)?), span: self.span(pair) });
        }
        let span = self.span(pair);
        if pair.as_rule() == Rule::word {
            self.short(self.octets_at(span), span)?;
        }
        Ok(self.any_token(pair))
    }

    /// A token as well as it can be read.
    pub(super) fn any_token(&self, pair: &P<'_>) -> Token {
        let span = self.span(pair);
        let text = self.octets_at(span);
        let kind = match pair.as_rule() {
            Rule::string | Rule::unclosed_string => TokenKind::String(self.read(span).0.into()),
            Rule::word => TokenKind::Word(text.into(), classify(text)),
            _ => TokenKind::Punctuation(text.first().copied().unwrap_or_default()),
        };
        Token { kind, span }
    }

    /// What is wrong with a token that fits nowhere.
    pub(super) fn token_fault(&self, pair: &P<'_>) -> Option<FaultKind> {
        match pair.as_rule() {
            Rule::string | Rule::unclosed_string => self.read(self.span(pair)).1,
            Rule::word if pair.as_str().len() > LONGEST_TOKEN => Some(FaultKind::TokenTooLong),
            _ => None,
        }
    }
}
