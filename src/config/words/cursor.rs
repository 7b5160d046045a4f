//! Consuming tokens and peeking at them, and how dhcpd recovers from an error.
//!
//! Mirrors ISC `common/conflex.c:next_token`, `peek_token`, and `common/parse.c:parse_semi`, `skip_to_semi`,
//! `skip_to_rbrace`. A message stands at the last consumed token, so it matters what was only peeked at.

use super::Declared;
use super::lexer::{At, Kind, Lexer, Token};
use crate::log::Line;
use crate::log::echo::Echo;
use std::sync::Arc;

/// Where the walk is in one file.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    lexer: Lexer,
    peeked: Option<(Token, At)>,
}

impl Cursor {
    pub fn new(file: &[u8], source: Arc<[u8]>) -> Self {
        Self { lexer: Lexer::new(file, source), peeked: None }
    }

    /// Goes on in a file that something else has read up to `at`.
    pub fn resume(file: &[u8], source: Arc<[u8]>, at: usize, echo: Echo<Arc<[u8]>>) -> Self {
        Self { lexer: Lexer::resume(file, source, at, echo), peeked: None }
    }

    /// Leaves the file to somebody else.
    pub fn leave(self) -> Declared {
        let Self { lexer, peeked } = self;
        let peeked = peeked.map(|(_, at)| (lexer.token_start, at));
        let lines = lexer.lines.into_iter().chain(lexer.fatal).collect();
        Declared { lines, reached: lexer.at, echo: lexer.echo, peeked }
    }

    /// Consumes the next token.
    pub fn next(&mut self) -> Token {
        let mut token = self.next_raw();
        while token.kind == Kind::Space {
            token = self.lexer.raw(true);
            self.lexer.echo.consumed();
        }
        token
    }

    /// The same; white space counts.
    pub fn next_raw(&mut self) -> Token {
        match self.peeked.take() {
            Some((token, at)) => {
                self.lexer.echo.consumed_peeked(at);
                token
            }
            None => {
                let token = self.lexer.raw(true);
                self.lexer.echo.consumed();
                token
            }
        }
    }

    /// The next token, which stays.
    pub fn peek(&mut self) -> Token {
        self.look(false)
    }

    /// The same; white space counts.
    pub fn peek_raw(&mut self) -> Token {
        self.look(true)
    }

    fn look(&mut self, raw: bool) -> Token {
        if let Some((token, _)) = self.peeked.as_ref().filter(|(token, _)| raw || token.kind != Kind::Space) {
            return token.clone();
        }
        self.peeked = None;
        let before = self.lexer.echo.token();
        let mut token = self.lexer.raw(false);
        while !raw && token.kind == Kind::Space {
            token = self.lexer.raw(false);
        }
        let at = self.lexer.echo.peeked(before);
        // To dhcpd a NUL octet looks like no token at all, so that peeking loses it.
        if token.kind != Kind::Char(0) {
            self.peeked = Some((token.clone(), at));
        }
        token
    }

    /// ISC `parse_warn`.
    pub fn warn(&mut self, text: impl AsRef<[u8]>) {
        self.lexer.warn(text.as_ref());
    }

    /// A plain log line.
    pub fn log(&mut self, line: Line) {
        if self.lexer.fatal.is_none() {
            self.lexer.lines.push(line);
        }
    }

    /// dhcpd ends here.
    pub fn fail(&mut self, line: Line) {
        if self.lexer.fatal.is_none() {
            self.lexer.fatal = Some(line);
            self.peeked = None;
        }
    }

    /// Whether dhcpd has ended.
    pub fn failed(&self) -> bool {
        self.lexer.fatal.is_some()
    }

    /// Whether a message was printed about this file.
    pub fn warned(&self) -> bool {
        self.lexer.warned
    }

    /// What was said so far, and the last words.
    pub fn take_lines(&mut self) -> (Vec<Line>, Option<Line>) {
        (std::mem::take(&mut self.lexer.lines), self.lexer.fatal.clone())
    }

    /// Goes on where another file left off.
    pub fn continue_lines(&mut self, lines: Vec<Line>, fatal: Option<Line>) {
        self.lexer.lines = lines;
        self.lexer.fatal = fatal;
        if self.failed() {
            self.peeked = None;
        }
    }

    /// Looks ahead with `look`, and goes back. Messages on the way stay, but do not count.
    pub fn ahead<T>(&mut self, look: impl FnOnce(&mut Self) -> T) -> T {
        let (lines, _) = self.take_lines();
        let before = self.clone();
        self.lexer.lines = lines;
        let found = look(self);
        let (lines, fatal) = self.take_lines();
        *self = before;
        self.continue_lines(lines, fatal);
        found
    }

    /// Consumes a semicolon, or complains and skips.
    pub fn semicolon(&mut self) -> bool {
        if self.next().is(b';') {
            return true;
        }
        self.warn("semicolon expected.");
        self.skip_to_semicolon();
        false
    }

    /// To the end of the statement. Its blocks are skipped, too, and so is the `}` of the block around it if that comes
    /// first: this is how dhcpd loses its place.
    pub fn skip_to_semicolon(&mut self) {
        self.skip_to_brace(0);
    }

    /// Likewise, so many blocks deep.
    pub fn skip_to_brace(&mut self, depth: usize) {
        let mut depth = depth;
        loop {
            match self.peek().kind {
                Kind::Char(b'}') => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        self.next();
                        return;
                    }
                }
                Kind::Char(b'{') => depth += 1,
                Kind::Char(b';') if depth == 0 => {
                    self.next();
                    return;
                }
                _ => {}
            }
            if self.next().kind == Kind::End {
                return;
            }
        }
    }
}
