//! The three lines of dhcpd's parser messages: `FILE line N: TEXT`, the echoed source line, a caret.
//!
//! Mirrors the bookkeeping of ISC `common/conflex.c` (`get_char`, `get_next_token`, `do_peek_token`) and
//! `common/parse.c:parse_warn`. dhcpd keeps two line buffers of 80 octets, fills them as it reads, and remembers where
//! the last consumed token began; what a message shows follows from how far the lexer has read, not from where the
//! fault is. A lexer tells an [`Echo`] how far it has read and when tokens are consumed or peeked at.

use super::Line;

/// How much of a line dhcpd remembers.
const WIDTH: usize = 80;
/// dhcpd takes this octet for the end of the file, and does not store it.
const END: u8 = 0xff;

/// Line and column of a character, both from 1; 0 for both before the first token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: u32,
    /// Column; a name, a number or white space in front of a token moves it one to the right.
    pub column: u32,
}

/// How far a lexer has read, and what a message would show now.
#[derive(Clone, Debug)]
pub struct Echo<S> {
    source: S,
    /// Characters before this offset have been read once.
    reached: usize,
    /// Position of the character at `reached`.
    at: Position,
    /// Where the line of `reached` starts, and where the one before it does.
    line_start: usize,
    previous_start: usize,
    /// Start of the last consumed token.
    token: Position,
    /// The line whose buffer is shown. Buffers alternate, so a later line of the same parity may have taken it over.
    shown: u32,
}

impl<S: AsRef<[u8]>> Echo<S> {
    /// Nothing read yet.
    pub fn new(source: S) -> Self {
        let at = Position { line: 1, column: 1 };
        Self {
            source,
            reached: 0,
            at,
            line_start: 0,
            previous_start: 0,
            token: Position::default(),
            shown: 1,
        }
    }

    /// The same bookkeeping over another copy of the source.
    pub fn over<T: AsRef<[u8]>>(&self, source: T) -> Echo<T> {
        let &Self { source: _, reached, at, line_start, previous_start, token, shown } = self;
        Echo { source, reached, at, line_start, previous_start, token, shown }
    }

    /// The lexer has looked at every character before `end`, the one it may have pushed back included.
    #[inline]
    pub fn read_to(&mut self, end: usize) {
        while self.reached < end {
            let Some(&octet) = self.source.as_ref().get(self.reached) else { return };
            self.reached += 1;
            match octet {
                b'\n' => {
                    self.at = Position { line: self.at.line.saturating_add(1), column: 1 };
                    self.previous_start = self.line_start;
                    self.line_start = self.reached;
                }
                END => {}
                _ => self.at.column = self.at.column.saturating_add(1),
            }
        }
    }

    /// The same for characters that are neither newlines nor octets 0xff: not looked at one by one.
    #[inline]
    pub fn read_plain_to(&mut self, end: usize) {
        let more = end.saturating_sub(self.reached);
        self.reached += more;
        self.at.column = self.at.column.saturating_add(more as u32);
    }

    /// The same for a run of white space that begins at `start`; where it ends.
    #[inline]
    pub fn read_white_space(&mut self, start: usize) -> usize {
        let mut at = start;
        while let Some(&octet) = self.source.as_ref().get(at) {
            if !matches!(octet, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r') {
                break;
            }
            at += 1;
            if at <= self.reached {
                continue;
            }
            self.reached = at;
            if octet == b'\n' {
                self.at = Position { line: self.at.line.saturating_add(1), column: 1 };
                self.previous_start = self.line_start;
                self.line_start = at;
            } else {
                self.at.column = self.at.column.saturating_add(1);
            }
        }
        at
    }

    /// Where the next character stands; asked before a token's first character is read.
    #[inline]
    pub fn position(&self) -> Position {
        self.at
    }

    /// A token begins there. Within the lexer, before the rest of the token is read.
    #[inline]
    pub fn begin(&mut self, at: Position) {
        self.token = at;
    }

    /// A token that was not peeked at has been read and consumed.
    #[inline]
    pub fn consumed(&mut self) {
        self.shown = self.at.line;
    }

    /// A token was peeked at: `before` is what [`Echo::token`] was before the lexer went for it. Returns where the
    /// peeked token begins, for [`Echo::consumed_peeked`].
    #[inline]
    pub fn peeked(&mut self, before: Position) -> Position {
        if self.token.line != before.line {
            self.shown = self.at.line.wrapping_sub(1);
        }
        std::mem::replace(&mut self.token, before)
    }

    /// The token that was peeked at is consumed.
    #[inline]
    pub fn consumed_peeked(&mut self, token: Position) {
        if token.line != self.token.line {
            self.shown = self.at.line;
        }
        self.token = token;
    }

    /// Start of the last consumed token.
    #[inline]
    pub fn token(&self) -> Position {
        self.token
    }

    /// The three lines of a message. Like C strings, what they print ends at a NUL.
    pub fn warn(&self, file: &[u8], text: &[u8]) -> [Line; 3] {
        let mut first = [file, format!(" line {}: ", self.token.line).as_bytes(), text].concat();
        first.truncate(4095);
        let echo = self.echo();
        let caret = caret(&echo, self.token.column);
        [Line::error(first), Line::error(echo), Line::error(caret)]
    }

    /// What is in the buffer that is shown.
    fn echo(&self) -> Vec<u8> {
        let range = if self.shown % 2 == self.at.line % 2 {
            self.line_start..self.reached
        } else {
            // Without the newline; nothing before the second line.
            self.previous_start..self.line_start.saturating_sub(1).max(self.previous_start)
        };
        let line = self.source.as_ref().get(range).unwrap_or_default().iter().copied();
        line.filter(|&octet| octet != END).take(WIDTH).take_while(|&octet| octet != 0).collect()
    }
}

/// The caret under `column`; in the first column when that is beyond what dhcpd remembers of a line.
fn caret(echo: &[u8], column: u32) -> Vec<u8> {
    /// ISC's buffer for it, less its NUL.
    const ROOM: usize = 255;
    let mut line = Vec::new();
    if column as usize <= WIDTH {
        // Column 0 wraps around in dhcpd: then the whole echo counts.
        let count = (column as usize).checked_sub(1).unwrap_or(usize::MAX);
        for &octet in echo.iter().take(count) {
            line.push(b' ');
            while octet == b'\t' && line.len() % 8 != 0 {
                line.push(b' ');
            }
        }
        line.truncate(ROOM);
    }
    line.push(b'^');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(lines: [Line; 3]) -> String {
        lines.map(|line| String::from_utf8_lossy(&line.text).into_owned()).join("|")
    }

    #[test]
    fn before_the_first_token() {
        let mut echo = Echo::new(b"}");
        let before = echo.token();
        let at = echo.position();
        echo.read_to(1);
        echo.begin(at);
        echo.peeked(before);
        assert_eq!(text(echo.warn(b"f", b"t")), "f line 0: t||^");
    }

    #[test]
    fn a_name_is_shown_with_the_character_after_it() {
        let mut echo = Echo::new(b"\tab cd\n");
        echo.read_to(2);
        let at = echo.position();
        echo.read_to(4);
        echo.begin(at);
        echo.consumed();
        assert_eq!(text(echo.warn(b"f", b"t")), "f line 1: t|\tab |         ^");
    }

    #[test]
    fn past_column_eighty() {
        let source = vec![b'x'; 100];
        let mut echo = Echo::new(source);
        echo.read_to(90);
        echo.begin(Position { line: 1, column: 81 });
        echo.consumed();
        assert_eq!(text(echo.warn(b"f", b"t")), format!("f line 1: t|{}|^", "x".repeat(80)));
    }

    #[test]
    fn nul_cuts_and_0xff_is_not_stored() {
        let mut echo = Echo::new(b"a\xffb\0c");
        echo.read_to(5);
        echo.consumed();
        assert_eq!(echo.position(), Position { line: 1, column: 5 });
        assert_eq!(&echo.warn(b"f", b"t")[1].text, b"ab");
    }
}
