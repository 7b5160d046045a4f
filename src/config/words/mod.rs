//! Why a configuration is refused, in dhcpd's words.
//!
//! The syntax tree and [`super::build`] decide whether a file is accepted. When it is not, this walk goes over the
//! octets once more, token by token as ISC `server/confpars.c` and `common/parse.c` do, with their recovery from errors:
//! what they report twice, what they skip, which brace they lose. What a statement means comes from the same
//! [`Builder`] actions; the walk prints what they say where dhcpd would stand.

mod class;
mod cursor;
mod declarations;
mod expression;
mod failover;
mod host;
mod key_zone;
mod lexer;
mod option_definition;
mod option_value;
mod pieces;
mod pool;
mod statement;
mod subnet;

use super::build::{Builder, Family};
use super::diagnostic::{Notice, Severity};
use super::network::ScopeId;
use crate::log::Line;
use crate::log::echo::{Echo, Position};
use crate::options::OptionId;
use crate::syntax::{LoadError, Loader};
use cursor::Cursor;
use declarations::Place;
use lexer::Token;
use std::sync::Arc;

/// How deep blocks, parentheses and files may nest; deeper the walk gives up.
const DEEPEST: usize = 150;

/// How many octets all included files together may have; with more the walk gives up.
const MOST_INCLUDED: usize = 64 << 20;

/// What dhcpd says about a configuration.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// In order.
    pub lines: Vec<Line>,
    /// What it ended with, if it did not get to the end of the file.
    pub fatal: Option<Line>,
    /// Whether anything was said that makes dhcpd refuse the file.
    pub refused: bool,
}

/// Reads a file as dhcpd does. `name` is what messages call it.
pub fn explain(name: &[u8], source: &[u8], family: Family, loader: &mut dyn Loader) -> Option<Words> {
    let mut walk = Walk {
        cursor: Cursor::new(name, source.into()),
        builder: Builder::new(family),
        family,
        loader,
        depth: 0,
        open_files: vec![name.to_vec()],
        included: 0,
        lost: false,
        lease_file: false,
        hushed: false,
        client_identifiers: Vec::new(),
    };
    walk.file(Place::new(declarations::Kind::Root, ScopeId::ROOT));
    let refused = walk.cursor.warned() || walk.cursor.failed();
    let (lines, fatal) = walk.cursor.take_lines();
    (!walk.lost).then_some(Words { lines, fatal, refused })
}

/// A declaration of a lease file, as dhcpd reads it.
#[derive(Debug)]
pub struct Declared {
    /// What is said about it, in order.
    pub lines: Vec<Line>,
    /// How far the file was read.
    pub reached: usize,
    /// What messages from here on would show.
    pub echo: Echo<Arc<[u8]>>,
    /// A token that was looked at and not consumed: where it begins in the file, and for messages.
    pub peeked: Option<(usize, Position)>,
}

/// The declarations that a lease file may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Declaration {
    Class,
    Subclass,
    Host,
    Group,
}

/// Reads a declaration of a lease file behind its keyword, which ends before `at`; `echo` has seen it. `None` when it is
/// nested too deep.
pub fn declared(
    builder: Builder,
    declaration: Declaration,
    file: &[u8],
    at: usize,
    echo: Echo<Arc<[u8]>>,
    source: Arc<[u8]>,
) -> (Builder, Option<Declared>) {
    let mut no_loader = no_file;
    let mut walk = Walk::in_lease_file(builder, Cursor::resume(file, source, at, echo), &mut no_loader);
    let root = Place::new(declarations::Kind::Root, ScopeId::ROOT);
    match declaration {
        Declaration::Class => walk.class(root, "class"),
        Declaration::Subclass => walk.class(root, "subclass"),
        Declaration::Host => walk.host(root),
        Declaration::Group => walk.group(root),
    }
    let Walk { cursor, builder, lost, .. } = walk;
    (builder, (!lost).then(|| cursor.leave()))
}

/// Reads the statements of an `on` block in a lease file, behind its opening brace at `at`, for what dhcpd says.
pub fn handler(
    builder: Builder,
    file: &[u8],
    at: usize,
    echo: Echo<Arc<[u8]>>,
    source: Arc<[u8]>,
) -> (Builder, Declared) {
    let mut no_loader = no_file;
    let mut walk = Walk::in_lease_file(builder, Cursor::resume(file, source, at, echo), &mut no_loader);
    if walk.executables(expression::Context::Any).is_err() {
        // To the next closing brace, whichever that is.
        while !matches!(walk.next().kind, lexer::Kind::End | lexer::Kind::Char(b'}')) {}
    } else if !walk.next().is(b'}') {
        walk.refuse("right brace expected.");
    }
    let Walk { cursor, builder, .. } = walk;
    (builder, cursor.leave())
}

fn no_file(_: &[u8]) -> Result<Vec<u8>, LoadError> {
    Err(LoadError { errno: None, message: "No such file or directory".to_owned() })
}

/// The sign that a statement came to nothing and that its error has been dealt with (ISC: `lose` is set).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lost;

/// The walk.
struct Walk<'a> {
    cursor: Cursor,
    builder: Builder,
    family: Family,
    loader: &'a mut dyn Loader,
    depth: usize,
    /// The names of the files being read, the outermost first.
    open_files: Vec<Vec<u8>>,
    /// Octets of all included files so far.
    included: usize,
    /// Nested too deep to go on.
    lost: bool,
    /// A lease file is being read.
    lease_file: bool,
    /// Reading an expression whose errors dhcpd takes for said already: there it looks at a variable that was not set.
    hushed: bool,
    /// Those `option dhcp-client-identifier` of the executable statement at hand.
    client_identifiers: Vec<OptionId>,
}

impl<'a> Walk<'a> {
    fn in_lease_file(builder: Builder, cursor: Cursor, loader: &'a mut dyn Loader) -> Self {
        Self {
            cursor,
            builder,
            family: Family::V4,
            loader,
            depth: 0,
            open_files: Vec::new(),
            included: 0,
            lost: false,
            lease_file: true,
            hushed: false,
            client_identifiers: Vec::new(),
        }
    }
}

impl Walk<'_> {
    /// Consumes the next token.
    fn next(&mut self) -> Token {
        self.cursor.next()
    }

    /// The next token, which stays.
    fn peek(&mut self) -> Token {
        self.cursor.peek()
    }

    /// A message at the last consumed token.
    fn warn(&mut self, text: impl AsRef<[u8]>) {
        self.cursor.warn(text);
    }

    /// Does something to the configuration and prints what there is to say about it, here.
    fn act<T>(&mut self, action: impl FnOnce(&mut Builder) -> T) -> T {
        let result = action(&mut self.builder);
        for notice in self.builder.take_notices() {
            match notice {
                Notice::Diagnostic(finding) if finding.severity == Severity::Error => {
                    if let Some(text) = &finding.isc {
                        self.cursor.warn(text);
                    }
                }
                Notice::Diagnostic(_) => {}
                Notice::Line(line) => self.cursor.log(line),
                Notice::Fatal(line) => self.cursor.fail(line),
            }
        }
        result
    }

    /// Goes one level deeper. Too deep, there is nothing more to read.
    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> T) -> T {
        self.depth += 1;
        if self.depth > DEEPEST {
            self.give_up();
        }
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// The walk cannot tell.
    fn give_up(&mut self) {
        self.lost = true;
        self.cursor.fail(Line::error(""));
    }
}

#[cfg(test)]
mod tests;
