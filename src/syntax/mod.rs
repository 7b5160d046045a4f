//! The `syntax` layer: text of dhcpd.conf to a syntax tree with spans.
//!
//! `grammar/*.pest` is the reference for the language; this module runs it and turns what it finds into our own tree,
//! resolving `include` on the way through a [`Loader`] of the caller's. Parsing never fails and never stops at the
//! first fault: what does not fit stays in the tree as [`StatementKind::Malformed`] and is listed in
//! [`Parsed::faults`]. A file with a fault is one that dhcpd refuses.
//!
//! The way of a file: `scan` looks at its bytes and cuts it into pieces between statements, pest parses a piece,
//! `build` makes statements of it, and the next piece follows. [`parse`] gives the whole tree; a [`Reader`] hands it out
//! piece by piece, for files of any size.

mod ast;
mod build;
mod expr;
mod keyword;
mod lexical;
mod reader;
mod scan;
mod source;
mod token;

#[cfg(test)]
mod tests;

pub use ast::*;
pub use expr::{BinaryOperator, Constant, Expr, ExprKind, ExprType, IntWidth, TypeFault};
pub use keyword::{KEYWORDS, classify, keyword};
pub use lexical::{LONGEST_TOKEN, atoi, convert_number};
pub use reader::{Reader, Scope, Stretch, Unread};
pub use source::{FileId, Location, SourceFile, SourceMap, Span};
pub use token::{Token, TokenKind, Word, WordClass};

/// How deep blocks and parentheses may be nested together. dhcpd has no limit but its stack; no real file comes near.
pub const MAX_DEPTH: usize = 100;

/// How deep files may include each other.
pub const MAX_INCLUDE_DEPTH: usize = 50;

/// Reads included files for [`parse`]. The name is what stands in the `include`; a relative one is relative to the
/// server's working directory, not to the including file.
pub trait Loader {
    /// The file's bytes.
    fn load(&mut self, name: &[u8]) -> Result<Vec<u8>, LoadError>;
}

impl<F: FnMut(&[u8]) -> Result<Vec<u8>, LoadError>> Loader for F {
    fn load(&mut self, name: &[u8]) -> Result<Vec<u8>, LoadError> {
        self(name)
    }
}

/// What became of a configuration file.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// All files that were read.
    pub source_map: SourceMap,
    /// The first file's statements; those of included files hang below their [`Include`].
    pub statements: Vec<Statement>,
    /// Everything that does not fit the language, in the order of the text. dhcpd refuses a file that has any.
    pub faults: Vec<Fault>,
}

/// Parses a configuration. `name` is the file's name as the administrator gave it; `bytes` its content.
pub fn parse(name: &[u8], bytes: Vec<u8>, loader: &mut dyn Loader) -> Parsed {
    parse_in_pieces(name, bytes, loader, scan::Sizes::default())
}

fn parse_in_pieces(name: &[u8], bytes: Vec<u8>, loader: &mut dyn Loader, sizes: scan::Sizes) -> Parsed {
    let mut session = build::Session::new(name, bytes, loader, sizes);
    let statements = session.file(FileId(0));
    Parsed { source_map: session.source_map, statements, faults: session.faults }
}
