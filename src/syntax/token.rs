//! Tokens as dhcpd's lexer cuts them.
//!
//! Words are not reserved in this language: most places take any word, some (variable and function names) only a word
//! that is not a keyword, and some only a number. So a word keeps its text, in the case it was written, and its class.

use super::source::Span;

/// What dhcpd's lexer takes a run of letters, digits, `-` and `_` for (ISC `conflex.c:read_number`,
/// `read_num_or_name`, `intern`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WordClass {
    /// An optional `-` and digits; also a lone `-`, which dhcpd never takes for a minus sign.
    Number,
    /// Every character after the first is a hexadecimal digit (the first one is not checked when it is a letter):
    /// `1f`, `face`, but also `x` and `p1`. Also `0x1f`.
    NumberOrName,
    /// Any other word that is not a keyword.
    Name,
    /// A word of dhcpd's keyword table, with the token number that shows in some of dhcpd's messages.
    Keyword(u16),
}

impl WordClass {
    /// Whether the word may name a variable or function: it is not a keyword and not a number.
    pub fn is_variable_name(self) -> bool {
        matches!(self, WordClass::Name | WordClass::NumberOrName)
    }

    /// Whether the word is what dhcpd calls an identifier: anything but a number.
    pub fn is_identifier(self) -> bool {
        !matches!(self, WordClass::Number)
    }

    /// dhcpd's number for this token, as printed in `%s (%d): expecting IP address or hostname`.
    pub fn token_number(self) -> u16 {
        match self {
            WordClass::Number => 263,
            WordClass::NumberOrName => 264,
            WordClass::Name => 265,
            WordClass::Keyword(number) => number,
        }
    }
}

/// A word: letters, digits, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The text as written.
    pub text: Box<[u8]>,
    /// What the lexer takes it for.
    pub class: WordClass,
    /// Where it stands.
    pub span: Span,
}

impl Word {
    /// Whether the word equals `other` without regard to ASCII case, as keywords, option names and space names do.
    pub fn is(&self, other: &str) -> bool {
        self.text.eq_ignore_ascii_case(other.as_bytes())
    }
}

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A quoted string: its octets after the escapes were decoded.
    String(Box<[u8]>),
    /// A word of any class, with its text as written.
    Word(Box<[u8]>, WordClass),
    /// Any other single character, `{`, `;`, `.` and so on; octets from 0x80 stand here too.
    Punctuation(u8),
}

/// A token with its place. White space and comments are no tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it stands; the span of a string includes its quotes.
    pub span: Span,
}

impl Token {
    /// The word, if it is one.
    pub fn word(&self) -> Option<(&[u8], WordClass)> {
        match &self.kind {
            TokenKind::Word(text, class) => Some((text, *class)),
            _ => None,
        }
    }

    /// The text of a word that is an identifier: any word but a number.
    pub fn identifier(&self) -> Option<&[u8]> {
        self.word().and_then(|(text, class)| class.is_identifier().then_some(text))
    }

    /// The text of a number token.
    pub fn number(&self) -> Option<&[u8]> {
        self.word().and_then(|(text, class)| (class == WordClass::Number).then_some(text))
    }

    /// The octets of a string.
    pub fn string(&self) -> Option<&[u8]> {
        match &self.kind {
            TokenKind::String(octets) => Some(octets),
            _ => None,
        }
    }

    /// Whether it is this punctuation character.
    pub fn is(&self, character: u8) -> bool {
        self.kind == TokenKind::Punctuation(character)
    }

    /// dhcpd's number for this token, as printed in `%s (%d): expecting IP address or hostname`.
    pub fn token_number(&self) -> u16 {
        match &self.kind {
            TokenKind::String(_) => 262,
            TokenKind::Word(_, class) => class.token_number(),
            TokenKind::Punctuation(character) => u16::from(*character),
        }
    }
}
