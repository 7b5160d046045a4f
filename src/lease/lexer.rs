//! The lexer of the lease file: octets to tokens without an allocation per token.
//!
//! Mirrors ISC `common/conflex.c`. Words are slices of the file; so are strings without escapes, others are decoded
//! into one buffer that the next such string reuses.

use crate::log::Line;
use crate::log::echo::{Echo, Position};
use crate::syntax::keyword;

/// dhcpd's token buffer: a token keeps one octet less.
const TOKEN_ROOM: usize = 1500;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The end of the file, or an octet 0xff.
    End,
    String,
    /// An optional `-` and digits.
    Number,
    /// Begins with a digit, continues with hexadecimal digits.
    HexNumber,
    /// Begins with a letter, continues with hexadecimal digits only. Perhaps a keyword.
    HexWord,
    /// Any other word. Perhaps a keyword.
    Word,
    /// Any other octet.
    Other(u8),
}

/// A token; its text is asked of the lexer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub kind: Kind,
    /// The text is in the buffer, not in the file.
    decoded: bool,
    /// Of the text in the file; at most the size of dhcpd's buffer.
    length: u32,
    start: usize,
}

impl Token {
    pub fn is(self, octet: u8) -> bool {
        self.kind == Kind::Other(octet)
    }

    fn end(self) -> usize {
        self.start + self.length as usize
    }

    /// Where its text begins in the file; meaningless for strings.
    pub fn offset(self) -> usize {
        self.start
    }
}

/// Tokens of a lease file, and the messages about them.
pub(super) struct Lexer<'a> {
    source: &'a [u8],
    /// The name messages give the file.
    file: &'a [u8],
    at: usize,
    echo: Echo<&'a [u8]>,
    peeked: Option<(Token, Position)>,
    /// Where the last consumed token ends.
    consumed: usize,
    /// The token read last, consumed or not.
    last: Token,
    buffer: Vec<u8>,
    /// Messages so far; the reader takes them.
    pub lines: Vec<Line>,
}

impl<'a> Lexer<'a> {
    pub fn new(source: &'a [u8], file: &'a [u8]) -> Self {
        let echo = Echo::new(source);
        let last = Token { kind: Kind::End, start: 0, length: 0, decoded: false };
        Self {
            source,
            file,
            at: 0,
            echo,
            peeked: None,
            consumed: 0,
            last,
            buffer: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// Consumes the next token (ISC `next_token`).
    pub fn next(&mut self) -> Token {
        match self.peeked.take() {
            Some((token, at)) => {
                self.echo.consumed_peeked(at);
                self.consumed = token.end();
                token
            }
            None => {
                let token = self.raw(true);
                self.echo.consumed();
                self.consumed = token.end();
                token
            }
        }
    }

    /// The next token without consuming it (ISC `peek_token`).
    pub fn peek(&mut self) -> Token {
        if let Some((token, _)) = self.peeked {
            return token;
        }
        let before = self.echo.token();
        let token = self.raw(false);
        let at = self.echo.peeked(before);
        // To dhcpd a NUL octet looks like no token at all, so that peeking loses it.
        if token.kind != Kind::Other(0) {
            self.peeked = Some((token, at));
        }
        token
    }

    /// A token's text. That of a string is only good until the next token is read.
    pub fn text(&self, token: Token) -> &[u8] {
        if token.decoded { &self.buffer } else { self.slice(token.start, token.end()) }
    }

    /// A token's text up to its first NUL, as C reads a string.
    pub fn c_text(&self, token: Token) -> &[u8] {
        let text = self.text(token);
        text.split(|&octet| octet == 0).next().unwrap_or_default()
    }

    /// Is it this keyword? `word` is lower case.
    pub fn is_word(&self, token: Token, word: &str) -> bool {
        matches!(token.kind, Kind::Word | Kind::HexWord)
            && self.text(token).eq_ignore_ascii_case(word.as_bytes())
    }

    /// NUMBER_OR_NAME or NAME: a word that is no keyword.
    pub fn is_name(&self, token: Token) -> bool {
        match token.kind {
            Kind::HexNumber => true,
            Kind::Word | Kind::HexWord => keyword(self.text(token)).is_none(),
            _ => false,
        }
    }

    /// NUMBER_OR_NAME: hexadecimal digits, but no keyword.
    pub fn is_number_or_name(&self, token: Token) -> bool {
        match token.kind {
            Kind::HexNumber => true,
            // No keyword of two letters has hexadecimal digits only.
            Kind::HexWord => match self.text(token) {
                [first, _] if first.is_ascii_hexdigit() => true,
                text => keyword(text).is_none(),
            },
            _ => false,
        }
    }

    /// Words of all kinds but numbers; octets above 0x7f count too, as dhcpd compares token numbers without a sign.
    pub fn is_identifier(&self, token: Token) -> bool {
        match token.kind {
            Kind::Word | Kind::HexWord | Kind::HexNumber => true,
            Kind::Other(octet) => octet >= 0x80,
            Kind::End | Kind::String | Kind::Number => false,
        }
    }

    /// ISC `parse_warn`.
    pub fn warn(&mut self, text: &[u8]) {
        self.lines.extend(self.echo.warn(self.file, text));
    }

    /// Octets of the file.
    pub fn slice(&self, start: usize, end: usize) -> &'a [u8] {
        self.source.get(start..end).unwrap_or_default()
    }

    /// How far the file was read, and what messages would show; for somebody else to go on with.
    pub fn leave(&self) -> (usize, &Echo<&'a [u8]>) {
        (self.at, &self.echo)
    }

    /// Goes on where somebody else left off, who had looked at the token that begins at `peeked`.
    pub fn resume<S: AsRef<[u8]>>(&mut self, at: usize, echo: &Echo<S>, peeked: Option<(usize, Position)>) {
        self.peeked = None;
        if let Some((start, position)) = peeked {
            // Read again for what it is; what there was to say about it has been said.
            let said = self.lines.len();
            self.at = start;
            let token = self.raw(false);
            self.lines.truncate(said);
            self.peeked = Some((token, position));
        }
        self.at = at;
        self.echo = echo.over(self.source);
    }

    /// Where the last consumed token ends; meaningless after a string.
    pub fn consumed_end(&self) -> usize {
        self.consumed
    }

    /// A character; `None` at the end and for 0xff.
    #[inline]
    fn get(&mut self) -> Option<u8> {
        let &octet = self.source.get(self.at)?;
        self.at += 1;
        (octet != 0xff).then_some(octet)
    }

    fn token(&self, kind: Kind, start: usize, end: usize) -> Token {
        // A token is never longer than its buffer.
        Token { kind, start, length: (end - start) as u32, decoded: false }
    }

    /// ISC `get_raw_token`, white space left out.
    fn raw(&mut self, consuming: bool) -> Token {
        let token = self.raw_token(consuming);
        self.last = token;
        token
    }

    fn raw_token(&mut self, consuming: bool) -> Token {
        loop {
            let position = self.echo.position();
            let start = self.at;
            let octet = self.get();
            self.echo.read_to(self.at);
            match octet {
                None => return self.end(start, start),
                Some(b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r') => {
                    if !self.white_space() {
                        return self.end(start, self.at);
                    }
                    if consuming {
                        // To dhcpd white space is a token like others.
                        self.echo.consumed();
                    }
                }
                Some(b'#') => {
                    // To the end of the line, or an octet 0xff.
                    let rest = self.source.get(self.at..).unwrap_or_default();
                    let length =
                        rest.iter().position(|&c| c == b'\n' || c == 0xff).map_or(rest.len(), |n| n + 1);
                    self.at += length;
                    self.echo.read_to(self.at);
                }
                Some(b'"') => {
                    self.echo.begin(position);
                    return self.string();
                }
                Some(c) if c.is_ascii_digit() || c == b'-' => {
                    self.echo.begin(position);
                    return self.number(start);
                }
                Some(c) if c.is_ascii_alphabetic() => {
                    self.echo.begin(position);
                    return self.word(start);
                }
                Some(c) => {
                    self.echo.begin(position);
                    return self.token(Kind::Other(c), start, self.at);
                }
            }
        }
    }

    /// The end of the file. Its text is what the token before left in dhcpd's buffer, with the white space in front of
    /// the end written over it: some messages show it.
    #[cold]
    fn end(&mut self, start: usize, end: usize) -> Token {
        let over = self.slice(start, end);
        let mut text = over.iter().copied().filter(|&c| c != 0xff).collect::<Vec<u8>>();
        let last = self.last;
        text.extend(self.text(last).iter().skip(text.len()));
        self.buffer = text;
        Token { kind: Kind::End, start: end, length: 0, decoded: true }
    }

    /// The rest of a run of white space; false when the file ends with it.
    #[inline]
    fn white_space(&mut self) -> bool {
        let end = self.echo.read_white_space(self.at);
        if end - self.at >= TOKEN_ROOM - 1 {
            // dhcpd gives up here and ends; the file is readable all the same.
            self.warn(b"whitespace too long, buffer overflow.");
        }
        self.at = end;
        // One more is looked at, and pushed back unless it is an octet 0xff.
        let after = self.get();
        self.echo.read_to(self.at);
        if after.is_some() {
            self.at -= 1;
        }
        after.is_some()
    }

    /// A date as the server writes it, with its semicolon, in one step: year, month, day, hour, minute, second. `None`,
    /// and nothing consumed, when it looks otherwise.
    pub fn plain_date(&mut self) -> Option<[u16; 6]> {
        if self.peeked.is_some() {
            return None;
        }
        // ` W YYYY/MM/DD HH:MM:SS;`
        let text: &[u8; 23] = self.source.get(self.at..self.at + 23)?.first_chunk()?;
        let digit = |at: usize| {
            let digit = text.get(at).map_or(255, |c| c.wrapping_sub(b'0'));
            (digit < 10).then_some(u16::from(digit))
        };
        let two = |at: usize| Some(digit(at)? * 10 + digit(at + 1)?);
        let marks =
            [(0, b' '), (2, b' '), (7, b'/'), (10, b'/'), (13, b' '), (16, b':'), (19, b':'), (22, b';')];
        if marks.into_iter().any(|(at, mark)| text.get(at) != Some(&mark)) {
            return None;
        }
        digit(1)?;
        let date = [two(3)? * 100 + two(5)?, two(8)?, two(11)?, two(14)?, two(17)?, two(20)?];
        self.last = self.token(Kind::Other(b';'), self.at + 22, self.at + 23);
        self.at += 23;
        self.echo.read_plain_to(self.at);
        // The number before the semicolon has looked at it already.
        let position = self.echo.position();
        self.echo.begin(position);
        self.echo.consumed();
        self.consumed = self.at;
        Some(date)
    }

    /// ISC `read_num_or_name`.
    fn word(&mut self, start: usize) -> Token {
        let room = self.slice(start, self.source.len().min(start + TOKEN_ROOM));
        let mut class = HEX;
        let mut length = 1;
        for &c in room.iter().skip(1) {
            let this = class_of(c);
            if this & WORD == 0 {
                break;
            }
            class &= this;
            length += 1;
        }
        let kind = if class == HEX { Kind::HexWord } else { Kind::Word };
        self.at = start + length;
        if length < TOKEN_ROOM {
            let after = self.get();
            return self.word_end(kind, start, after);
        }
        self.echo.read_to(self.at);
        self.warn(b"token larger than internal buffer");
        self.token(kind, start, self.at - 1)
    }

    /// ISC `read_number`.
    fn number(&mut self, start: usize) -> Token {
        let mut kind = Kind::Number;
        while self.at - start < TOKEN_ROOM {
            let octet = self.get();
            kind = match (octet, kind) {
                (Some(c), Kind::Number) if c.is_ascii_digit() => Kind::Number,
                (Some(c), Kind::Number | Kind::HexNumber) if c.is_ascii_hexdigit() => Kind::HexNumber,
                // `0x` is a name until a hexadecimal digit follows.
                (Some(c), Kind::Word)
                    if c.is_ascii_hexdigit() && self.at - start == 3 && self.is_0x(start) =>
                {
                    Kind::HexNumber
                }
                (Some(c), _) if c.is_ascii_alphanumeric() || c == b'-' || c == b'_' => Kind::Word,
                (other, _) => return self.word_end(kind, start, other),
            };
        }
        self.echo.read_to(self.at);
        self.warn(b"numeric token larger than internal buffer");
        self.token(kind, start, self.at - 1)
    }

    fn is_0x(&self, start: usize) -> bool {
        matches!(self.slice(start, start + 2), [b'0', b'x' | b'X'])
    }

    /// The character after a word is pushed back, unless it is an octet 0xff, which is lost.
    fn word_end(&mut self, kind: Kind, start: usize, after: Option<u8>) -> Token {
        let lost = after.is_none() && self.source.get(self.at.wrapping_sub(1)) == Some(&0xff);
        let end = if after.is_some() || lost { self.at - 1 } else { self.at };
        self.echo.read_plain_to(end);
        self.echo.read_to(self.at);
        if after.is_some() {
            self.at -= 1;
        }
        self.token(kind, start, end)
    }

    /// ISC `read_string`, behind the opening quote.
    fn string(&mut self) -> Token {
        let start = self.at;
        let window = self.slice(start, self.source.len().min(start + TOKEN_ROOM));
        match window.iter().position(|c| matches!(c, b'"' | b'\\' | 0xff)) {
            Some(length) if window.get(length) == Some(&b'"') => {
                self.at = start + length + 1;
                self.echo.read_to(self.at);
                self.token(Kind::String, start, start + length)
            }
            _ => {
                self.escaped_string();
                Token { kind: Kind::String, start, length: 0, decoded: true }
            }
        }
    }

    /// Decodes a string with escapes, or without an end, into the buffer. dhcpd's mistakes with bad escapes included;
    /// where it leaves an octet of an earlier token in place this leaves a NUL.
    fn escaped_string(&mut self) {
        #[derive(Clone, Copy)]
        enum Escape {
            None,
            Backslash,
            Hex { digits: u8, value: u8 },
            Octal { digits: u8, value: u32 },
        }
        let mut out = std::mem::take(&mut self.buffer);
        out.clear();
        let mut escape = Escape::None;
        // What a dropped bad escape leaves behind.
        const STALE: u8 = 0;
        loop {
            if out.len() == TOKEN_ROOM {
                self.echo.read_to(self.at);
                self.warn(b"string constant larger than internal buffer");
                out.pop();
                break;
            }
            let Some(c) = self.get() else {
                self.echo.read_to(self.at);
                self.warn(b"eof in string constant");
                break;
            };
            escape = match escape {
                Escape::None => match c {
                    b'"' => break,
                    b'\\' => Escape::Backslash,
                    _ => {
                        out.push(c);
                        Escape::None
                    }
                },
                Escape::Backslash => match c {
                    b'0'..=b'3' => Escape::Octal { digits: 1, value: u32::from(c - b'0') },
                    b'x' => Escape::Hex { digits: 0, value: 0 },
                    _ => {
                        out.push(match c {
                            b't' => b'\t',
                            b'r' => b'\r',
                            b'n' => b'\n',
                            b'b' => 8,
                            other => other,
                        });
                        Escape::None
                    }
                },
                Escape::Hex { digits, value } => match char::from(c).to_digit(16) {
                    // A digit is below 16.
                    Some(digit) => {
                        let value = value.wrapping_mul(16) | digit as u8;
                        if digits == 1 {
                            out.push(value);
                            Escape::None
                        } else {
                            Escape::Hex { digits: digits + 1, value }
                        }
                    }
                    None => {
                        self.echo.read_to(self.at);
                        self.warn(format!("invalid hex digit: {:x}", signed(c)).as_bytes());
                        out.push(STALE);
                        Escape::None
                    }
                },
                Escape::Octal { digits, value } => match c {
                    b'0'..=b'7' => {
                        let value = value.wrapping_mul(8).wrapping_add(u32::from(c - b'0'));
                        if digits == 2 {
                            out.push(value as u8);
                            Escape::None
                        } else {
                            Escape::Octal { digits: digits + 1, value }
                        }
                    }
                    _ if value != 0 => {
                        self.echo.read_to(self.at);
                        self.warn(format!("invalid octal digit {:x}", signed(c)).as_bytes());
                        out.push(STALE);
                        Escape::Octal { digits, value }
                    }
                    // The bad digit is dropped, and the next character taken for the one after a backslash.
                    _ => Escape::Backslash,
                },
            };
        }
        self.echo.read_to(self.at);
        self.buffer = out;
    }
}

/// Part of a word; hexadecimal digit.
const WORD: u8 = 1;
const HEX: u8 = 2;

/// [`WORD`] and [`HEX`] as they apply.
#[inline]
fn class_of(c: u8) -> u8 {
    const CLASSES: [u8; 256] = {
        let mut classes = [0; 256];
        let mut at = 0;
        while at < 256 {
            let c = at as u8;
            if c.is_ascii_alphanumeric() || c == b'-' || c == b'_' {
                classes[at] |= WORD;
            }
            if c.is_ascii_hexdigit() {
                classes[at] |= HEX;
            }
            at += 1;
        }
        classes
    };
    CLASSES[usize::from(c)]
}

/// A character as C's `%x` prints a signed one.
fn signed(c: u8) -> i32 {
    i32::from(c as i8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tokens(source: &[u8]) -> Vec<(Kind, Vec<u8>)> {
        let mut lexer = Lexer::new(source, b"f");
        let mut tokens = Vec::new();
        loop {
            let token = lexer.next();
            if token.kind == Kind::End {
                return tokens;
            }
            tokens.push((token.kind, lexer.text(token).to_vec()));
        }
    }

    fn kinds(source: &[u8]) -> Vec<Kind> {
        tokens(source).into_iter().map(|(kind, _)| kind).collect()
    }

    #[test]
    fn words_and_numbers() {
        use Kind::*;
        assert_eq!(
            kinds(b"10 1f 10xyz 5-3 0x1f 0xg -0x10 - -7"),
            [Number, HexNumber, Word, Word, HexNumber, Word, Word, Number, Number]
        );
        assert_eq!(
            kinds(b"x p1 face foo a-b ends;"),
            [HexWord, HexWord, HexWord, Word, Word, Word, Other(b';')]
        );
        assert_eq!(kinds(b"600#c\n7"), [Number, Number]);
    }

    #[test]
    fn strings() {
        let text = |source: &[u8]| tokens(source)[0].1.clone();
        assert_eq!(text(br#""a b""#), b"a b");
        assert_eq!(text(br#""\001\377\"\\\t\x41\400""#), b"\x01\xff\"\\\tA400");
        assert_eq!(text(b"\"a\\0zb\""), b"a\x08");
        assert_eq!(text(b"\"open"), b"open");
        assert_eq!(text(b"\"two\nlines\""), b"two\nlines");
        let long = [&b"\""[..], &[b'x'; 1600], b"\""].concat();
        assert_eq!(text(&long).len(), 1499);
        assert_eq!(tokens(&long)[1], (Kind::Word, b"x".repeat(100)));
    }

    #[test]
    fn an_octet_0xff_ends_the_file_and_a_nul_is_lost_when_peeked_at() {
        let mut lexer = Lexer::new(b"a\xff b", b"f");
        assert_eq!(lexer.next().kind, Kind::HexWord);
        assert_eq!(lexer.next().kind, Kind::HexWord, "the octet after a word is swallowed with it");
        let mut lexer = Lexer::new(b"a; \xff b", b"f");
        let seen: Vec<Kind> = (0..4).map(|_| lexer.next().kind).collect();
        assert_eq!(seen, [Kind::HexWord, Kind::Other(b';'), Kind::End, Kind::HexWord]);
        let mut lexer = Lexer::new(b";\0a", b"f");
        lexer.next();
        assert_eq!(lexer.peek().kind, Kind::Other(0));
        assert_eq!(lexer.peek().kind, Kind::HexWord);
    }

    proptest! {
        #[test]
        fn any_octets_end(source in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut lexer = Lexer::new(&source, b"f");
            for _ in 0..=2 * source.len() + 1 {
                lexer.peek();
                lexer.next();
            }
            prop_assert_eq!(lexer.next().kind, Kind::End);
        }
    }
}
