//! The pieces several statements of the lease file share: semicolons, numbers, dates, names, values of options,
//! recovery.
//!
//! Mirrors helpers of ISC `common/parse.c`, message for message.

use super::date::{self, Fields};
use super::lexer::{Kind, Token};
use super::reader::{Reader, atoi};
use crate::log::Line;
use crate::options::{DomainList, Enumeration, Format, Octets, OptionId, Resolved};
use crate::time::{NEVER, Seconds};
use std::net::Ipv6Addr;

/// The most octets an option's value in a lease file has.
const HUNK: usize = 1024;
const OVERFLOW: &[u8] = b"option data buffer overflow";
/// More than any text of an IPv6 address with its NUL.
const ADDRESS6_TEXT: usize = 46;

impl<'a> Reader<'a, '_> {
    /// ISC `parse_semi`.
    pub fn semi(&mut self) -> bool {
        let right = self.lexer.next().is(b';');
        if !right {
            self.lexer.warn(b"semicolon expected.");
            self.skip_to_semi();
        }
        right
    }

    /// ISC `parse_lbrace`.
    pub fn left_brace(&mut self) -> bool {
        let right = self.lexer.next().is(b'{');
        if !right {
            self.lexer.warn(b"expecting left brace.");
            self.skip_to_semi();
        }
        right
    }

    /// Past the next semicolon outside braces, or past a closing brace.
    pub fn skip_to_semi(&mut self) {
        self.skip_to_rbrace(0);
    }

    /// The same, `depth` braces deep.
    pub fn skip_to_rbrace(&mut self, mut depth: usize) {
        loop {
            let token = self.lexer.peek();
            if token.is(b'}') {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    self.lexer.next();
                    return;
                }
            } else if token.is(b'{') {
                depth += 1;
            } else if token.is(b';') && depth == 0 {
                self.lexer.next();
                return;
            }
            if self.lexer.next().kind == Kind::End {
                return;
            }
        }
    }

    /// Past the brace that closes the one just read; where it stands. `None` at the end of the file.
    pub fn block_end(&mut self) -> Option<usize> {
        let mut depth = 0usize;
        loop {
            let token = self.lexer.next();
            match token.kind {
                Kind::End => return None,
                Kind::Other(b'{') => depth += 1,
                Kind::Other(b'}') if depth == 0 => return Some(token.offset()),
                Kind::Other(b'}') => depth -= 1,
                _ => {}
            }
        }
    }

    /// Four octets with dots between (ISC `parse_numeric_aggregate`, fixed length).
    pub fn octets_of_address(&mut self, octets: &mut [u8; 4]) -> bool {
        for (at, octet) in octets.iter_mut().enumerate() {
            if at > 0 {
                if !self.lexer.peek().is(b'.') {
                    let mut token = self.lexer.peek();
                    if !token.is(b'{') && !token.is(b'}') {
                        token = self.lexer.next();
                    }
                    self.lexer.warn(b"too few numbers.");
                    if !token.is(b';') {
                        self.skip_to_semi();
                    }
                    return false;
                }
                self.lexer.next();
            }
            let token = self.lexer.next();
            match token.kind {
                Kind::End => {
                    self.lexer.warn(b"unexpected end of file");
                    return true;
                }
                Kind::Number => *octet = self.octet(token, 10),
                _ => {
                    self.lexer.warn(b"expecting numeric value.");
                    self.skip_to_semi();
                    return false;
                }
            }
        }
        true
    }

    /// Any number of octets in hexadecimal with colons between (ISC `parse_numeric_aggregate`). dhcpd converts them
    /// when it has them all, the last one first, so complaints come in that order.
    pub fn hex_list(&mut self) -> Option<Vec<u8>> {
        // Room for an Ethernet address.
        let mut octets = Vec::with_capacity(6);
        let mut complaints = Vec::new();
        loop {
            if !octets.is_empty() {
                if !self.lexer.peek().is(b':') {
                    break;
                }
                self.lexer.next();
            }
            let token = self.lexer.next();
            match token.kind {
                Kind::End => {
                    self.lexer.warn(b"unexpected end of file");
                    break;
                }
                Kind::Number => {}
                _ if self.lexer.is_number_or_name(token) => {}
                _ => {
                    self.lexer.warn(b"expecting numeric value.");
                    self.skip_to_semi();
                    return None;
                }
            }
            let (octet, complaint) = number(self.lexer.text(token), 16, 8);
            octets.push(octet as u8);
            complaints.extend(complaint);
        }
        complaints.into_iter().rev().for_each(|complaint| self.lexer.warn(&complaint));
        if octets.is_empty() { None } else { Some(octets) }
    }

    /// The same list where dhcpd parses it with ISC `parse_cshl`.
    pub fn colon_separated_hex(&mut self) -> Option<Vec<u8>> {
        let mut octets = Vec::new();
        loop {
            let token = self.lexer.next();
            if token.kind != Kind::Number && !self.lexer.is_number_or_name(token) {
                self.lexer.warn(b"expecting hexadecimal number.");
                self.skip_to_semi();
                return None;
            }
            octets.push(self.octet(token, 16));
            if !self.lexer.peek().is(b':') {
                return Some(octets);
            }
            self.lexer.next();
        }
    }

    /// ISC `convert_num` to one octet.
    fn octet(&mut self, token: Token, base: u32) -> u8 {
        let (value, complaint) = number(self.lexer.text(token), base, 8);
        if let Some(complaint) = complaint {
            self.lexer.warn(&complaint);
        }
        value as u8
    }

    /// ISC `parse_host_name`: words with dots between, a last dot allowed.
    pub fn host_name(&mut self) -> Option<Vec<u8>> {
        let mut name = Vec::new();
        loop {
            let token = self.lexer.peek();
            if token.kind != Kind::Number && !self.lexer.is_identifier(token) {
                break;
            }
            self.lexer.next();
            name.extend(self.lexer.c_text(token));
            if !self.lexer.peek().is(b'.') {
                break;
            }
            self.lexer.next();
            name.push(b'.');
        }
        (!name.is_empty()).then_some(name)
    }

    /// An option's name and value up to its semicolon (ISC `parse_option_decl`).
    pub fn option(&mut self) -> Option<(OptionId, Octets)> {
        let option = self.option_name()?;
        let format = self.config.spaces.format(option).clone();
        let value = self.option_value(&format)?;
        Some((option, Octets::from(value)))
    }

    /// ISC `parse_option_name`.
    fn option_name(&mut self) -> Option<OptionId> {
        let first = self.lexer.next();
        if !self.lexer.is_identifier(first) {
            self.lexer.warn(b"expecting identifier after option keyword.");
            if !first.is(b';') {
                self.skip_to_semi();
            }
            return None;
        }
        let mut name = self.lexer.c_text(first).to_vec();
        let mut space_name = b"dhcp".to_vec();
        if self.lexer.peek().is(b'.') {
            self.lexer.next();
            let second = self.lexer.next();
            if !self.lexer.is_identifier(second) {
                self.lexer.warn(b"expecting identifier after '.'");
                if !second.is(b';') {
                    self.skip_to_semi();
                }
                return None;
            }
            space_name = std::mem::replace(&mut name, self.lexer.c_text(second).to_vec());
        }
        let Some(space) = self.config.spaces.space_named(&space_name) else {
            self.lexer.warn(&[b"no option space named ", &space_name[..], b"."].concat());
            self.skip_to_semi();
            return None;
        };
        match self.config.spaces.resolve(space, &name) {
            Ok(Resolved::Defined(option) | Resolved::Unknown(option)) => Some(option),
            Ok(Resolved::Redefined(option)) => {
                let mut text = [b"option ", &name[..], b" has been redefined as option "].concat();
                text.extend(self.config.spaces.name(option).as_bytes());
                text.extend(b".  Please update your configs if necessary.");
                self.lexer.lines.push(Line::info(text));
                Some(option)
            }
            Err(error) => {
                self.lexer.warn(error.to_string().as_bytes());
                self.skip_to_semi();
                None
            }
        }
    }

    /// A value up to its semicolon, at most [`HUNK`] octets of it. What is no statement any more ends at its semicolon,
    /// but a wrong domain list and a wrong address only end the value, as in dhcpd.
    fn option_value(&mut self, format: &Format) -> Option<Vec<u8>> {
        let letters = format.letters().as_bytes();
        let mut value = Vec::new();
        let mut at = 0;
        loop {
            // `a` repeats the letter before it, `A` the whole.
            while let Some(&letter) = letters.get(at) {
                match letter {
                    b'A' => {
                        at = 0;
                        break;
                    }
                    b'a' => {
                        at = at.saturating_sub(1);
                        break;
                    }
                    b'E' | b'X' => {
                        if letter == b'E' {
                            at = behind_name(letters, at);
                        }
                        let room = HUNK.saturating_sub(value.len());
                        value.extend(self.string_or_hex(room)?);
                    }
                    b'N' => {
                        let end = behind_name(letters, at);
                        let name = letters.get(at + 1..end).unwrap_or_default();
                        at = end;
                        let octets = self.word_of(name)?;
                        self.add(&mut value, &octets)?;
                    }
                    b'D' => {
                        let compressed = letters.get(at + 1) == Some(&b'c');
                        at += usize::from(compressed);
                        let list = self.domain_list(compressed)?;
                        self.add(&mut value, &list)?;
                    }
                    b't' if letters.get(at + 1) == Some(&b'o') && self.lexer.peek().is(b';') => at += 1,
                    b'o' if at > 0 => {}
                    _ => {
                        let octets = self.simple_value(letter)?;
                        // A text takes its NUL along.
                        let room = HUNK - usize::from(letter == b't');
                        if value.len() + octets.len() > room {
                            return self.refuse(OVERFLOW);
                        }
                        value.extend(octets);
                    }
                }
                at += 1;
            }
            let token = self.lexer.next();
            if at < letters.len() && token.is(b',') {
                continue;
            }
            if !token.is(b';') {
                self.lexer.warn(b"semicolon expected.");
                self.skip_to_semi();
                return None;
            }
            return Some(value);
        }
    }

    /// Adds octets to a value that has room for them.
    fn add(&mut self, value: &mut Vec<u8>, octets: &[u8]) -> Option<()> {
        if value.len() + octets.len() > HUNK {
            return self.refuse(OVERFLOW);
        }
        value.extend(octets);
        Some(())
    }

    /// ISC `parse_X`: at most `room` octets. What cannot be read is empty.
    pub fn string_or_hex(&mut self, room: usize) -> Option<Vec<u8>> {
        let token = self.lexer.peek();
        if token.kind == Kind::String {
            self.lexer.next();
            // dhcpd needs room for the NUL, too.
            if self.lexer.text(token).len() >= room {
                return self.nothing(b"string constant too long.");
            }
            return Some(self.lexer.text(token).to_vec());
        }
        if token.kind != Kind::Number && !self.lexer.is_number_or_name(token) {
            return self.nothing(b"expecting string or hexadecimal data");
        }
        let mut octets = Vec::new();
        loop {
            let token = self.lexer.next();
            if token.kind != Kind::Number && !self.lexer.is_number_or_name(token) {
                return self.nothing(b"expecting hexadecimal constant.");
            }
            if octets.len() >= room {
                return self.nothing(b"hexadecimal constant too long.");
            }
            octets.push(self.octet(token, 16));
            if !self.lexer.peek().is(b':') {
                return Some(octets);
            }
            self.lexer.next();
        }
    }

    /// A complaint after which reading goes on with no octets.
    fn nothing(&mut self, text: &[u8]) -> Option<Vec<u8>> {
        self.lexer.warn(text);
        self.skip_to_semi();
        Some(Vec::new())
    }

    /// A word of the enumeration of this name.
    fn word_of(&mut self, enumeration: &[u8]) -> Option<Vec<u8>> {
        let words = std::str::from_utf8(enumeration).ok().and_then(Enumeration::named)?;
        let token = self.lexer.next();
        if !self.lexer.is_identifier(token) {
            return self.refuse(b"identifier expected");
        }
        match words.value(self.lexer.c_text(token)) {
            Some(value) => Some(Format::integer(value, words.width).to_vec()),
            None => self.refuse(b"unknown value"),
        }
    }

    /// Quoted names with commas between them (ISC `parse_domain_list`).
    fn domain_list(&mut self, compressed: bool) -> Option<Vec<u8>> {
        let mut list = DomainList::new(compressed);
        loop {
            let token = self.lexer.next();
            if token.kind != Kind::String {
                self.lexer.warn(b"Expecting a domain string.");
                return None;
            }
            if let Err(error) = list.push(self.lexer.c_text(token)) {
                let verb = if compressed { "compressing" } else { "assembling" };
                self.lexer.warn(format!("Error {verb} domain list: {error}").as_bytes());
                return None;
            }
            if !self.lexer.peek().is(b',') {
                return Some(list.finish());
            }
            self.lexer.next();
        }
    }

    /// What stands together without blanks and may be an address (ISC `parse_ip6_addr`).
    fn address6(&mut self) -> Option<[u8; 16]> {
        let mut text = Vec::new();
        let mut end = None;
        loop {
            let token = self.lexer.peek();
            let spelled = self.lexer.text(token);
            let hexadecimal = spelled.iter().all(u8::is_ascii_hexdigit)
                && (self.lexer.is_name(token) || self.lexer.is_word(token, "add"));
            let part = hexadecimal || token.kind == Kind::Number || token.is(b'.') || token.is(b':');
            if !part || end.is_some_and(|end| end != token.offset()) {
                break;
            }
            text.extend_from_slice(spelled);
            self.lexer.next();
            end = Some(self.lexer.consumed_end());
            if text.len() >= ADDRESS6_TEXT {
                break;
            }
        }
        let address = std::str::from_utf8(&text).ok().and_then(|text| text.parse::<Ipv6Addr>().ok());
        if address.is_none() {
            self.lexer.warn(b"Invalid IPv6 address.");
            self.skip_to_semi();
        }
        address.map(|address| address.octets())
    }

    fn simple_value(&mut self, letter: u8) -> Option<Vec<u8>> {
        Some(match letter {
            b't' => {
                let token = self.lexer.next();
                if token.kind != Kind::String {
                    return self.refuse(b"expecting string.");
                }
                self.lexer.text(token).to_vec()
            }
            b'6' => self.address6()?.to_vec(),
            b'I' => {
                let mut address = [0; 4];
                if !self.octets_of_address(&mut address) {
                    return None;
                }
                address.to_vec()
            }
            b'L' | b'l' => self.integer(32)?,
            b'S' | b's' => self.integer(16)?,
            b'B' | b'b' => self.integer(8)?,
            b'f' => {
                let token = self.lexer.next();
                if !self.lexer.is_identifier(token) {
                    self.lexer.warn(b"expecting identifier.");
                    if !token.is(b';') {
                        self.skip_to_semi();
                    }
                    return None;
                }
                let text = self.lexer.text(token).to_ascii_lowercase();
                match &text[..] {
                    b"true" | b"on" => vec![1],
                    b"false" | b"off" => vec![0],
                    _ => return self.refuse(b"expecting boolean."),
                }
            }
            b'Z' => {
                if !self.lexer.peek().is(b';') {
                    return self.refuse(b"semicolon expected.");
                }
                Vec::new()
            }
            // Domain names, key names and more: dhcpd reads them in dhcpd.conf alone.
            _ => {
                let text = [b"parse_option_param: Bad format ", &[letter][..]].concat();
                self.lexer.lines.push(Line::error(text));
                self.skip_to_semi();
                return None;
            }
        })
    }

    fn integer(&mut self, size: u32) -> Option<Vec<u8>> {
        let token = self.lexer.next();
        if token.kind != Kind::Number && !self.lexer.is_number_or_name(token) {
            self.lexer.warn(b"expecting number.");
            if !token.is(b';') {
                self.skip_to_semi();
            }
            return None;
        }
        let (number, complaint) = number(self.lexer.text(token), 0, size);
        if let Some(complaint) = complaint {
            self.lexer.warn(&complaint);
        }
        let octets = number.to_be_bytes();
        Some(octets.into_iter().skip(4 - size as usize / 8).collect())
    }

    fn refuse<T>(&mut self, text: &[u8]) -> Option<T> {
        self.lexer.warn(text);
        self.skip_to_semi();
        None
    }

    /// A date and its semicolon; 0 when either is wrong.
    pub fn date(&mut self) -> Seconds {
        if let Some([year, month, day, hour, minute, second]) = self.lexer.plain_date() {
            let [month, day, hour, minute, second] = [month, day, hour, minute, second].map(i32::from);
            let year = i32::from(if year > 1900 { year - 1900 } else { year });
            return date::guess(Fields { year, month: month - 1, day, hour, minute, second, offset: 0 });
        }
        let date = self.date_core();
        if self.semi() { date } else { 0 }
    }

    fn date_core(&mut self) -> Seconds {
        let token = self.lexer.peek();
        if self.lexer.is_word(token, "never") {
            self.lexer.next();
            return NEVER;
        }
        if self.lexer.is_word(token, "epoch") {
            self.lexer.next();
            return self.number_of_date("Seconds since epoch expected.").map_or(0, Seconds::from);
        }
        self.calendar_date().map_or(0, date::guess)
    }

    fn calendar_date(&mut self) -> Option<Fields> {
        self.number_of_date("numeric day of week expected.")?;
        let year = self.number_of_date("numeric year expected.")?;
        self.mark_of_date(b'/', "expected slash separating year from month.")?;
        let month = self.number_of_date("numeric month expected.")?.wrapping_sub(1);
        self.mark_of_date(b'/', "expected slash separating month from day.")?;
        let day = self.number_of_date("numeric day of month expected.")?;
        let hour = self.number_of_date("numeric hour expected.")?;
        self.mark_of_date(b':', "expected colon separating hour from minute.")?;
        let minute = self.number_of_date("numeric minute expected.")?;
        self.mark_of_date(b':', "expected colon separating minute from second.")?;
        let second = self.number_of_date("numeric second expected.")?;
        let token = self.lexer.peek();
        let offset = if token.kind == Kind::Number {
            self.lexer.next();
            atoi(self.lexer.text(token))
        } else if token.is(b';') {
            0
        } else {
            self.lexer.next();
            self.lexer.warn(b"Time zone offset or semicolon expected.");
            return None;
        };
        let year = if year > 1900 { year - 1900 } else { year };
        Some(Fields { year, month, day, hour, minute, second, offset })
    }

    fn number_of_date(&mut self, otherwise: &str) -> Option<i32> {
        let token = self.lexer.peek();
        if token.kind == Kind::Number {
            self.lexer.next();
            return Some(atoi(self.lexer.text(token)));
        }
        self.bad_date(token, otherwise);
        None
    }

    fn mark_of_date(&mut self, mark: u8, otherwise: &str) -> Option<()> {
        let token = self.lexer.peek();
        if token.is(mark) {
            self.lexer.next();
            return Some(());
        }
        self.bad_date(token, otherwise);
        None
    }

    #[cold]
    fn bad_date(&mut self, token: Token, text: &str) {
        if !token.is(b';') {
            self.lexer.next();
        }
        self.lexer.warn(text.as_bytes());
    }

    /// A number token as C's `atoi` reads it.
    pub fn plain_number(&mut self, token: Token) -> i32 {
        atoi(self.lexer.text(token))
    }
}

/// The place of the `.` behind the name that a format letter takes.
fn behind_name(letters: &[u8], at: usize) -> usize {
    letters.iter().skip(at).position(|&c| c == b'.').map_or(letters.len(), |n| at + n)
}

/// ISC `convert_num`: the value, and what dhcpd says about it. Base 0 is told from the text.
fn number(text: &[u8], base: u32, size: u32) -> (u32, Option<Vec<u8>>) {
    // The common case: two hexadecimal digits.
    if let (16, [a, b]) = (base, text)
        && let (Some(a), Some(b)) = (char::from(*a).to_digit(16), char::from(*b).to_digit(16))
    {
        return (a * 16 + b, None);
    }
    let (negative, mut digits) = match text.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let mut base = base;
    if base == 0 {
        (base, digits) = match digits {
            [b'0', b'x', rest @ ..] => (16, rest),
            [b'0', rest @ ..] if rest.first().is_some_and(u8::is_ascii_digit) => (8, rest),
            _ => (10, digits),
        };
    }
    let mut complaint = None;
    let mut value: u32 = 0;
    // dhcpd's loop reads one character even of an empty text.
    let characters = if digits.is_empty() { &[0][..] } else { digits };
    for &c in characters {
        let digit = match c {
            b'a'.. => u32::from(c - b'a') + 10,
            b'A'..=b'`' => u32::from(c - b'A') + 10,
            b'0'..=b'@' => u32::from(c - b'0'),
            _ => {
                complaint = Some([b"Bogus number: ", text, b"."].concat());
                break;
            }
        };
        if digit >= base {
            let mut line = [b"Bogus number ", text, b": "].concat();
            line.extend(format!("digit {digit} not in base {base}").as_bytes());
            complaint = Some(line);
            break;
        }
        value = value.wrapping_mul(base).wrapping_add(digit);
    }
    let half = 1u32 << (size - 1);
    let max = if negative { half } else { half.wrapping_add(half - 1) };
    if value > max {
        let sign = if negative { "-" } else { "" };
        let shown = match base {
            8 => format!("{value:o}"),
            16 => format!("{value:x}"),
            _ => value.to_string(),
        };
        let line = format!("{sign}{shown} exceeds max ({}) for precision.", max as i32);
        // Both can be said of one number.
        complaint = Some(match complaint {
            Some(first) => [&first[..], line.as_bytes()].concat(),
            None => line.into_bytes(),
        });
    }
    (if negative { value.wrapping_neg() } else { value }, complaint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(number(b"fe", 16, 8), (0xfe, None));
        assert_eq!(number(b"0x1f", 0, 32), (0x1f, None));
        assert_eq!(number(b"010", 0, 32), (8, None));
        assert_eq!(number(b"-1", 0, 8), (u32::MAX, None));
        assert_eq!(number(b"4294967296", 0, 32), (0, None));
        assert_eq!(number(b"999", 10, 8).1.unwrap(), b"999 exceeds max (255) for precision.");
        assert_eq!(number(b"fff", 16, 8).1.unwrap(), b"fff exceeds max (255) for precision.");
        assert_eq!(number(b"0x1", 16, 8).1.unwrap(), b"Bogus number 0x1: digit 33 not in base 16");
        assert_eq!(number(b"-", 10, 8).1.unwrap(), b"Bogus number: -.");
    }
}
