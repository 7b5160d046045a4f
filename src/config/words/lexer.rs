//! Octets to tokens with dhcpd's bookkeeping, white space included.
//!
//! Mirrors ISC `common/conflex.c:get_raw_token` and what it calls. dhcpd's token buffer shows in some messages, as its
//! text at the end of the file is what earlier tokens left there; so there is such a buffer here, too.

use crate::log::Line;
use crate::log::echo::{Echo, Position};
use crate::syntax::KEYWORDS;
use std::sync::Arc;

/// dhcpd's token buffer, its NUL included.
const ROOM: usize = 1500;
/// To dhcpd this octet is the end of the file.
const END: u8 = 0xff;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The end of the file, an octet 0xff, or a fatal error.
    End,
    /// A run of white space; only for those who ask for it.
    Space,
    String,
    Number,
    NumberOrName,
    Name,
    /// A keyword, in lower case. Of words with one number (`pick`, `client-updates`, `do-forward-update`) this is the
    /// one named here.
    Keyword(&'static str),
    /// Any other octet.
    Char(u8),
}

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub kind: Kind,
    /// Its text, of a string what the escapes mean. At the end of the file whatever dhcpd's buffer holds.
    pub text: Arc<[u8]>,
}

impl Token {
    /// The text as C reads it: up to the first NUL.
    pub fn c_text(&self) -> &[u8] {
        self.text.split(|octet| *octet == 0).next().unwrap_or_default()
    }

    /// Is it this character?
    pub fn is(&self, character: u8) -> bool {
        self.kind == Kind::Char(character)
    }

    /// Is it this keyword?
    pub fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Keyword(word_name(word))
    }

    /// dhcpd's number of it.
    pub fn number(&self) -> i32 {
        match self.kind {
            Kind::End => 607,
            Kind::Space => 652,
            Kind::String => 262,
            Kind::Number => 263,
            Kind::NumberOrName => 264,
            Kind::Name => 265,
            Kind::Keyword(word) => find(word.as_bytes()).map_or(265, |(_, number)| i32::from(number)),
            Kind::Char(octet) => i32::from(octet as i8),
        }
    }

    /// ISC `is_identifier`: words of all kinds but numbers. Octets above 0x7f count too, as token numbers are compared
    /// without a sign.
    pub fn is_identifier(&self) -> bool {
        match self.kind {
            Kind::NumberOrName | Kind::Name | Kind::Keyword(_) | Kind::Space => true,
            Kind::Char(octet) => octet >= 0x80,
            Kind::End | Kind::String | Kind::Number => false,
        }
    }

    /// NUMBER_OR_NAME or NAME: a word that is no keyword.
    pub fn is_name(&self) -> bool {
        matches!(self.kind, Kind::NumberOrName | Kind::Name)
    }
}

fn word_name(word: &str) -> &'static str {
    find(word.as_bytes()).map_or("", |(name, _)| name)
}

/// A keyword in any case: its name and number.
fn find(text: &[u8]) -> Option<(&'static str, u16)> {
    let lower = if text.len() <= 40 { text.to_ascii_lowercase() } else { return None };
    let at = KEYWORDS.binary_search_by(|(name, _)| name.as_bytes().cmp(&lower)).ok()?;
    let (name, number) = *KEYWORDS.get(at)?;
    let name = match name {
        "new" => "client-updates",
        "pick-first-value" => "pick",
        "do-forward-updates" => "do-forward-update",
        name => name,
    };
    Some((name, number))
}

/// Where the text of the last token is.
#[derive(Clone, Copy, Debug)]
enum Text {
    Buffer,
    Character(u8),
}

/// One file being read.
#[derive(Clone, Debug)]
pub(super) struct Lexer {
    source: Arc<[u8]>,
    pub at: usize,
    /// Where the last token read begins, looked at or consumed.
    pub token_start: usize,
    pub echo: Echo<Arc<[u8]>>,
    buffer: Box<[u8; ROOM]>,
    text: Text,
    /// What messages call the file.
    file: Arc<[u8]>,
    /// Lines so far.
    pub lines: Vec<Line>,
    /// Whether a message was printed.
    pub warned: bool,
    /// dhcpd has ended here. From then on nothing is read and nothing said.
    pub fatal: Option<Line>,
}

impl Lexer {
    pub fn new(file: &[u8], source: Arc<[u8]>) -> Self {
        Self {
            echo: Echo::new(source.clone()),
            source,
            at: 0,
            token_start: 0,
            buffer: Box::new([0; ROOM]),
            text: Text::Buffer,
            file: file.into(),
            lines: Vec::new(),
            warned: false,
            fatal: None,
        }
    }

    /// Goes on in a file that something else has read up to `at`.
    pub fn resume(file: &[u8], source: Arc<[u8]>, at: usize, echo: Echo<Arc<[u8]>>) -> Self {
        Self { echo, at, ..Self::new(file, source) }
    }

    /// ISC `parse_warn`.
    pub fn warn(&mut self, text: &[u8]) {
        if self.fatal.is_none() {
            self.lines.extend(self.echo.warn(&self.file, text));
            self.warned = true;
        }
    }

    /// A character; `None` at the end and for 0xff.
    fn get(&mut self) -> Option<u8> {
        let octet = *self.source.get(self.at)?;
        self.at += 1;
        self.echo.read_to(self.at);
        (octet != END).then_some(octet)
    }

    /// Pushes the character got last back. The end cannot be pushed back.
    fn unget(&mut self, octet: Option<u8>) {
        if octet.is_some() {
            self.at -= 1;
        }
    }

    fn put(&mut self, at: usize, octet: u8) {
        if let Some(slot) = self.buffer.get_mut(at) {
            *slot = octet;
        }
    }

    fn token(&mut self, kind: Kind, length: usize) -> Token {
        self.put(length, 0);
        self.text = Text::Buffer;
        Token { kind, text: self.buffer.get(..length).unwrap_or_default().into() }
    }

    /// The next token. `consuming` says whether it counts as consumed (not peeked at): then what it says about itself
    /// shows differently.
    pub fn raw(&mut self, consuming: bool) -> Token {
        loop {
            let position = self.echo.position();
            self.token_start = self.at;
            let octet = if self.fatal.is_some() { None } else { self.get() };
            let Some(octet) = octet else { return self.end() };
            match octet {
                b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r' => {
                    let token = self.space(octet);
                    if consuming {
                        self.echo.consumed();
                    }
                    return token;
                }
                b'#' => while !matches!(self.get(), None | Some(b'\n')) {},
                b'"' => {
                    self.echo.begin(position);
                    return self.string();
                }
                b'0'..=b'9' | b'-' => {
                    self.echo.begin(position);
                    return self.number(octet);
                }
                b'A'..=b'Z' | b'a'..=b'z' => {
                    self.echo.begin(position);
                    return self.word(octet);
                }
                octet => {
                    self.echo.begin(position);
                    self.text = Text::Character(octet);
                    return Token { kind: Kind::Char(octet), text: [octet].as_slice().into() };
                }
            }
        }
    }

    fn end(&self) -> Token {
        let text = match self.text {
            Text::Character(octet) => [octet].as_slice().into(),
            Text::Buffer => self.buffer.split(|octet| *octet == 0).next().unwrap_or_default().into(),
        };
        Token { kind: Kind::End, text }
    }

    fn space(&mut self, first: u8) -> Token {
        let mut length = 0;
        let mut octet = first;
        loop {
            if length >= ROOM - 1 {
                self.warn(b"whitespace too long, buffer overflow.");
                self.fatal = Some(Line::error("Exiting"));
                return self.end();
            }
            self.put(length, octet);
            length += 1;
            match self.get() {
                None => return self.end(),
                Some(next @ (b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')) => octet = next,
                other => {
                    self.unget(other);
                    return self.token(Kind::Space, length);
                }
            }
        }
    }

    fn word(&mut self, first: u8) -> Token {
        self.put(0, first);
        let (mut length, mut kind) = (1, Kind::NumberOrName);
        while length < ROOM {
            match self.get() {
                Some(octet) if octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_' => {
                    if !octet.is_ascii_hexdigit() {
                        kind = Kind::Name;
                    }
                    self.put(length, octet);
                    length += 1;
                }
                other => {
                    self.unget(other);
                    break;
                }
            }
        }
        if length == ROOM {
            self.warn(b"token larger than internal buffer");
            length -= 1;
        }
        if let Some((name, _)) = self.buffer.get(..length).and_then(find) {
            kind = Kind::Keyword(name);
        }
        self.token(kind, length)
    }

    /// A number is promoted to NUMBER_OR_NAME and NAME, and never back, but for the digits behind `0x`.
    fn number(&mut self, first: u8) -> Token {
        self.put(0, first);
        let (mut length, mut kind) = (1, Kind::Number);
        while length < ROOM {
            let octet = self.get();
            kind = match (octet, kind) {
                (Some(c), Kind::Number) if c.is_ascii_digit() => Kind::Number,
                (Some(c), Kind::Number | Kind::NumberOrName) if c.is_ascii_hexdigit() => Kind::NumberOrName,
                (Some(c), _)
                    if c.is_ascii_hexdigit()
                        && length == 2
                        && matches!(self.buffer.get(..2), Some(b"0x" | b"0X")) =>
                {
                    Kind::NumberOrName
                }
                (Some(c), _) if c.is_ascii_alphanumeric() || c == b'-' || c == b'_' => Kind::Name,
                (other, _) => {
                    self.unget(other);
                    break;
                }
            };
            self.put(length, octet.unwrap_or_default());
            length += 1;
        }
        if length == ROOM {
            self.warn(b"numeric token larger than internal buffer");
            length -= 1;
        }
        self.token(kind, length)
    }

    /// The rest of a string. A bad escape is dropped, and leaves in its place what was in the buffer.
    fn string(&mut self) -> Token {
        #[derive(Clone, Copy)]
        enum Escape {
            None,
            Backslash,
            Hex { digits: u8, value: u8 },
            Octal { digits: u8, value: u32 },
        }
        let (mut length, mut escape) = (0, Escape::None);
        loop {
            if length == ROOM {
                self.warn(b"string constant larger than internal buffer");
                length -= 1;
                break;
            }
            let Some(c) = self.get() else {
                self.warn(b"eof in string constant");
                break;
            };
            let stored = match escape {
                Escape::None if c == b'"' => break,
                Escape::None if c == b'\\' => {
                    escape = Escape::Backslash;
                    continue;
                }
                Escape::None => c,
                Escape::Backslash => match c {
                    b'0'..=b'3' => {
                        escape = Escape::Octal { digits: 1, value: u32::from(c - b'0') };
                        continue;
                    }
                    b'x' => {
                        escape = Escape::Hex { digits: 0, value: 0 };
                        continue;
                    }
                    b't' => b'\t',
                    b'r' => b'\r',
                    b'n' => b'\n',
                    b'b' => 8,
                    other => other,
                },
                Escape::Hex { digits, value } => match char::from(c).to_digit(16) {
                    Some(digit) => {
                        // A digit is below 16.
                        let value = value.wrapping_mul(16) | digit as u8;
                        if digits == 0 {
                            escape = Escape::Hex { digits: 1, value };
                            continue;
                        }
                        value
                    }
                    None => {
                        self.warn(format!("invalid hex digit: {:x}", i32::from(c as i8)).as_bytes());
                        escape = Escape::None;
                        length += 1;
                        continue;
                    }
                },
                Escape::Octal { digits, value } => match c {
                    b'0'..=b'7' => {
                        let value = value.wrapping_mul(8).wrapping_add(u32::from(c - b'0'));
                        if digits < 2 {
                            escape = Escape::Octal { digits: digits + 1, value };
                            continue;
                        }
                        value as u8
                    }
                    _ if value != 0 => {
                        self.warn(format!("invalid octal digit {:x}", i32::from(c as i8)).as_bytes());
                        length += 1;
                        continue;
                    }
                    _ => {
                        // What follows is read as if a backslash stood before it.
                        self.put(length, 0);
                        escape = Escape::Backslash;
                        continue;
                    }
                },
            };
            escape = Escape::None;
            self.put(length, stored);
            length += 1;
        }
        self.token(Kind::String, length)
    }
}

/// Where the next token will say it begins, once consumed.
pub(super) type At = Position;
