//! What the grammar found, turned into the syntax tree.
//!
//! A file goes to the parser in pieces (`scan`), each piece's pairs become statements at once and are dropped. All
//! that the grammar cannot say is decided here: the values of numbers and strings, the precedence and types of
//! expressions, which labels have a switch around them. Files are included on the way.

mod declarations;
mod executable;
mod expressions;
mod values;

use std::cell::Cell;
use std::iter::Peekable;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use pest::Parser;
use pest::error::InputLocation;
use pest::iterators::{Pair, Pairs};

use super::ast::*;
use super::expr::ExprType;
use super::reader::{OpenFile, Scope, Unread};
use super::scan::{Piece, Sizes};
use super::source::{FileId, SourceMap, Span};
use super::token::Token;
use super::{Loader, MAX_DEPTH, MAX_INCLUDE_DEPTH};

/// The parser that pest makes from `grammar/`.
mod grammar {
    #[derive(pest_derive::Parser)]
    #[grammar = "grammar/lexical.pest"]
    #[grammar = "grammar/declarations.pest"]
    #[grammar = "grammar/options.pest"]
    #[grammar = "grammar/statements.pest"]
    #[grammar = "grammar/expressions.pest"]
    pub struct Grammar;
}

use grammar::{Grammar, Rule};

type P<'i> = Pair<'i, Rule>;

/// A value, or why the statement that holds it is malformed.
type Built<T> = Result<T, Fault>;

/// How many faults get an exact place. Finding it means parsing the statement again.
const LOCATED_FAULTS: usize = 1000;

/// What all files of one parse share.
pub struct Session<'l> {
    pub source_map: SourceMap,
    pub faults: Vec<Fault>,
    /// How many faults got an exact place.
    pub located: usize,
    pub loader: &'l mut dyn Loader,
    /// The names of the files that are being read, outermost first.
    pub open_files: Vec<Box<[u8]>>,
    /// How many blocks and includes are open.
    pub depth: usize,
    /// How files are cut for the grammar.
    pub sizes: Sizes,
    /// Read everything at once; otherwise large blocks and included files are left for later.
    pub whole: bool,
}

impl<'l> Session<'l> {
    /// Begins with the file of that name and content.
    pub fn new(name: &[u8], bytes: Vec<u8>, loader: &'l mut dyn Loader, sizes: Sizes) -> Session<'l> {
        let mut source_map = SourceMap::default();
        source_map.add(name, bytes, None);
        let (faults, open_files) = (Vec::new(), Vec::new());
        Session { source_map, faults, located: 0, loader, open_files, depth: 0, sizes, whole: true }
    }

    /// Reads a file that is in the source map, whole.
    pub fn file(&mut self, file: FileId) -> Vec<Statement> {
        let Some(open) = OpenFile::new(&self.source_map, file) else { return Vec::new() };
        let Some(source) = self.source_map.file(file) else { return Vec::new() };
        self.open_files.push(source.name.clone());
        let mut builder = FileBuilder::new(&open, self);
        let mut statements = builder.statements(0..open.text().len(), Scope::File);
        statements.extend(self.fault_of_file(&open));
        self.open_files.pop();
        statements
    }

    /// The statements of one piece of a file.
    pub fn piece(&mut self, open: &OpenFile, piece: &Piece, scope: Scope) -> Vec<Statement> {
        let mut statements = Vec::new();
        FileBuilder::new(open, self).piece(piece, scope, &mut statements);
        statements
    }

    /// What stands for the end of a file that ends where it should not.
    pub fn fault_of_file(&mut self, open: &OpenFile) -> Option<Statement> {
        let fault = open.fault()?;
        self.faults.push(fault.clone());
        Some(Statement { span: fault.span, kind: malformed(fault, Vec::new(), None) })
    }

    /// Loads an included file. `depth` is how many blocks and files the `include` stands in.
    pub fn load(&mut self, name: &Name, depth: usize) -> Result<FileId, IncludeError> {
        // A name ends at its first NUL, as for the system.
        let text: Box<[u8]> = name.text.split(|octet| *octet == 0).next().unwrap_or_default().into();
        if self.open_files.contains(&text) {
            return Err(IncludeError::Cycle);
        }
        if self.open_files.len() > MAX_INCLUDE_DEPTH || depth > MAX_DEPTH {
            return Err(IncludeError::TooDeep);
        }
        let bytes = self.loader.load(&text)?;
        Ok(self.source_map.add(&text, bytes, Some(name.span)))
    }
}

fn malformed(fault: Fault, tokens: Vec<Token>, block: Option<Block>) -> StatementKind {
    StatementKind::Malformed(Box::new(Malformed { fault, tokens: tokens.into(), block }))
}

impl Scope {
    fn rule(self) -> Rule {
        match self {
            Scope::File => Rule::file,
            Scope::Host => Rule::host_members,
            Scope::Group => Rule::group_members,
            Scope::Network => Rule::network_members,
            Scope::Class => Rule::class_members,
            Scope::Pool => Rule::pool_members,
        }
    }

    fn of_head(head: Rule) -> Scope {
        match head {
            Rule::host_head => Scope::Host,
            Rule::group_head => Scope::Group,
            Rule::shared_network_head | Rule::subnet_head | Rule::subnet6_head => Scope::Network,
            Rule::pool_head | Rule::pool6_head => Scope::Pool,
            _ => Scope::Class,
        }
    }
}

/// Builds the statements of one file.
struct FileBuilder<'a, 'l> {
    /// ASCII characters only, one for each byte.
    text: &'a [u8],
    bytes: &'a [u8],
    open: &'a OpenFile,
    file: FileId,
    /// Where the text that is being parsed begins in the file.
    base: usize,
    /// How many expressions are being built inside each other.
    expressions: Cell<usize>,
    session: &'a mut Session<'l>,
}

/// The pairs inside a pair, comments and the end of the text left out.
type Inner<'i> = std::iter::Filter<Pairs<'i, Rule>, fn(&P<'i>) -> bool>;

fn inner(pair: P<'_>) -> Inner<'_> {
    pair.into_inner().filter(|pair| !matches!(pair.as_rule(), Rule::comment_text | Rule::EOI))
}

/// The children of a pair. The grammar says which there are; a missing one is a fault instead of a panic.
struct Children<'i> {
    pairs: Peekable<Inner<'i>>,
    span: Span,
}

impl<'i> Children<'i> {
    fn of(builder: &FileBuilder<'_, '_>, pair: P<'i>) -> Children<'i> {
        Children { span: builder.span(&pair), pairs: inner(pair).peekable() }
    }

    fn required(&mut self) -> Built<P<'i>> {
        self.pairs.next().ok_or(Fault { kind: FaultKind::Unexpected, span: self.span })
    }

    /// The next child if it is of this rule.
    fn take_if(&mut self, rule: Rule) -> Option<P<'i>> {
        self.pairs.next_if(|pair| pair.as_rule() == rule)
    }
}

impl<'i> Iterator for Children<'i> {
    type Item = P<'i>;

    fn next(&mut self) -> Option<P<'i>> {
        self.pairs.next()
    }
}

impl<'a, 'l> FileBuilder<'a, 'l> {
    fn new(open: &'a OpenFile, session: &'a mut Session<'l>) -> Self {
        let (text, bytes) = (open.text(), open.bytes());
        FileBuilder { text, bytes, open, file: open.file(), base: 0, expressions: Cell::new(0), session }
    }

    fn span_of(&self, start: usize, end: usize) -> Span {
        // Offsets fit: files of 4 GiB and more were refused.
        let offset = |at: usize| u32::try_from(self.base + at).unwrap_or(u32::MAX);
        Span::new(self.file, offset(start), offset(end))
    }

    /// Parses a stretch of the file from `start`, with pairs relative to it.
    fn parse(&mut self, rule: Rule, range: Range<usize>) -> Result<Pairs<'a, Rule>, InputLocation> {
        allow_calls(range.len());
        self.base = range.start;
        // Nothing but ASCII, so this cannot fail.
        let text = self.text.get(range).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default();
        Grammar::parse(rule, text).map_err(|error| error.location)
    }

    /// The statements of a stretch that begins and ends between two statements.
    fn statements(&mut self, range: Range<usize>, scope: Scope) -> Vec<Statement> {
        let mut statements = Vec::new();
        let mut pieces = self.open.pieces(range, self.session.sizes);
        while let Some(piece) = pieces.next(self.text) {
            self.piece(&piece, scope, &mut statements);
        }
        statements
    }

    fn piece(&mut self, piece: &Piece, scope: Scope, statements: &mut Vec<Statement>) {
        if let Some(statement) = self.large_declaration(piece) {
            statements.push(statement);
            return;
        }
        match self.parse(scope.rule(), piece.range.clone()) {
            Ok(mut pairs) => {
                let members = pairs.next().map(inner).into_iter().flatten();
                statements.extend(members.map(|pair| self.statement(pair, None)));
            }
            Err(_) => {
                // The grammar takes any text, so this is pest's limit on stack or calls.
                self.base = 0;
                let span = self.span_of(piece.range.start, piece.range.end);
                let fault = Fault { kind: FaultKind::TooDeep, span };
                self.session.faults.push(fault.clone());
                statements.push(Statement { span, kind: malformed(fault, Vec::new(), None) });
            }
        }
    }

    /// A declaration with a block too large to be parsed as a whole: its head alone, then its statements in pieces.
    fn large_declaration(&mut self, piece: &Piece) -> Option<Statement> {
        let body = piece.opening? + 1..piece.range.end.checked_sub(1)?;
        if self.session.depth >= MAX_DEPTH {
            return None;
        }
        let mut opening = self.parse(Rule::opening, piece.range.start..body.start).ok()?;
        let head = inner(opening.next()?).next()?;
        let scope = Scope::of_head(head.as_rule());
        let start = self.span(&head).start;
        let end = self.span_of(0, 0).end.max(u32::try_from(piece.range.end).ok()?);
        let block_span = Span::new(self.file, u32::try_from(piece.opening?).ok()?, end);
        // Behind a head that does not fit nobody comes back for the block.
        let later = !self.session.whole && self.head(head.clone()).is_ok();
        let kind = self.assemble(head, |builder| {
            let mut block = Block { span: block_span, closed: true, ..Block::default() };
            builder.session.depth += 1;
            if later {
                block.unread = Some(Box::new(Unread::new(body, scope, builder.session.depth)));
            } else {
                block.statements = builder.statements(body, scope);
            }
            builder.session.depth -= 1;
            Some(block)
        });
        Some(Statement { span: Span::new(self.file, start, end), kind })
    }

    /// One statement. `labels` is the type of the cases of the switch whose block it stands in.
    fn statement(&mut self, pair: P<'a>, labels: Option<ExprType>) -> Statement {
        let mut span = self.span(&pair);
        let rule = pair.as_rule();
        let kind = match rule {
            Rule::malformed | Rule::malformed_member => {
                let malformed = self.malformed(pair);
                span = malformed_span(span, &malformed);
                StatementKind::Malformed(Box::new(malformed))
            }
            Rule::stray_brace => {
                let fault = Fault { kind: FaultKind::StrayBrace, span };
                self.session.faults.push(fault.clone());
                let token = self.any_token(&pair);
                malformed(fault, vec![token], None)
            }
            Rule::include => self.include(pair),
            Rule::host
            | Rule::group
            | Rule::shared_network
            | Rule::subnet
            | Rule::subnet6
            | Rule::class
            | Rule::subclass
            | Rule::old_class
            | Rule::pool
            | Rule::pool6 => {
                let mut parts = inner(pair);
                match parts.next() {
                    Some(head) => self.assemble(head, |builder| Some(builder.block(parts.next()?, None))),
                    None => self.refuse(Fault { kind: FaultKind::Unexpected, span }, span),
                }
            }
            _ => {
                let built =
                    if is_declaration(rule) { self.declaration(pair) } else { self.executable(pair, labels) };
                built.unwrap_or_else(|fault| self.refuse(fault, span))
            }
        };
        Statement { span, kind }
    }

    /// A statement whose values turned out wrong.
    fn refuse(&mut self, fault: Fault, span: Span) -> StatementKind {
        self.session.faults.push(fault.clone());
        let tokens = self.tokens(span);
        malformed(fault, tokens, None)
    }

    /// The tokens of a span.
    fn tokens(&mut self, span: Span) -> Vec<Token> {
        let base = self.base;
        let pairs = self.parse(Rule::tokens, span.start as usize..span.end as usize);
        let tokens = pairs.into_iter().flatten().flat_map(Pair::into_inner);
        let tokens =
            tokens.filter(|pair| pair.as_rule() != Rule::EOI).map(|pair| self.any_token(&pair)).collect();
        self.base = base;
        tokens
    }

    /// A block of statements. `labels` is the type of its cases if it belongs to a switch.
    fn block(&mut self, pair: P<'a>, labels: Option<ExprType>) -> Block {
        let span = self.span(&pair);
        let mut block = Block { span, closed: true, ..Block::default() };
        self.session.depth += 1;
        for pair in inner(pair) {
            if pair.as_rule() == Rule::unclosed {
                block.closed = false;
                self.unclosed(span);
            } else {
                let statement = self.statement(pair, labels);
                block.statements.push(statement);
            }
        }
        self.session.depth -= 1;
        block
    }

    /// Notes that the block which begins where `span` does has no end.
    fn unclosed(&mut self, span: Span) {
        let brace = self.octets_at(span).iter().position(|byte| *byte == b'{').unwrap_or(0);
        let start = span.start.saturating_add(u32::try_from(brace).unwrap_or(0));
        let span = Span::new(span.file, start, start.saturating_add(1));
        self.session.faults.push(Fault { kind: FaultKind::UnclosedBlock, span });
    }

    /// What did not fit the grammar.
    fn malformed(&mut self, pair: P<'a>) -> Malformed {
        let span = self.span(&pair);
        let mut tokens = Vec::new();
        let mut block = None;
        let mut ended = false;
        let mut fault = None;
        let mut block_pair = None;
        for pair in inner(pair) {
            match pair.as_rule() {
                Rule::malformed_block => block_pair = Some(pair),
                rule => {
                    ended |= rule == Rule::semicolon;
                    if fault.is_none() {
                        let span = self.span(&pair);
                        fault = self.token_fault(&pair).map(|kind| Fault { kind, span });
                    }
                    tokens.push(self.any_token(&pair));
                }
            }
        }
        let fault = fault.unwrap_or_else(|| self.locate(span, &tokens, ended || block_pair.is_some()));
        self.session.faults.push(fault.clone());
        if let Some(pair) = block_pair {
            block = Some(self.block(pair, None));
        }
        Malformed { fault, tokens: tokens.into(), block }
    }

    /// Where a statement stops fitting: the farthest place the grammar comes to without its recovery.
    pub(super) fn locate(&mut self, span: Span, tokens: &[Token], ended: bool) -> Fault {
        let Some(first) = tokens.first() else {
            let span = Span::new(span.file, span.start, span.start.saturating_add(1));
            return Fault { kind: FaultKind::UnknownStatement, span };
        };
        if first.is(b';') {
            return Fault { kind: FaultKind::StraySemicolon, span: first.span };
        }
        if first.word().is_none() {
            return Fault { kind: FaultKind::UnknownStatement, span: first.span };
        }
        let at_end = tokens.last().is_some_and(|last| {
            let rest = self.text.get(last.span.end as usize..).unwrap_or_default();
            rest.iter().all(u8::is_ascii_whitespace)
        });
        if !ended && at_end {
            let end = tokens.last().map_or(span.end, |last| last.span.end);
            return Fault { kind: FaultKind::UnexpectedEnd, span: Span::new(span.file, end, end) };
        }
        let unexpected = |span| Fault { kind: FaultKind::Unexpected, span };
        if self.session.located >= LOCATED_FAULTS {
            return unexpected(span);
        }
        self.session.located += 1;
        let base = self.base;
        let parsed = self.parse(Rule::strict_statement, span.start as usize..span.end as usize);
        self.base = base;
        let Err(InputLocation::Pos(at)) = parsed else { return unexpected(first.span) };
        let at = span.start.saturating_add(u32::try_from(at).unwrap_or(0));
        match tokens.iter().find(|token| token.span.end > at) {
            Some(token) if token.span == first.span => {
                Fault { kind: FaultKind::UnknownStatement, span: first.span }
            }
            Some(token) => unexpected(token.span),
            None => unexpected(Span::new(span.file, at.min(span.end), at.min(span.end))),
        }
    }

    /// `include "file";`, with the file's statements.
    fn include(&mut self, pair: P<'a>) -> StatementKind {
        let span = self.span(&pair);
        let name = Children::of(self, pair).required().and_then(|pair| self.name(pair));
        let name = match name {
            Ok(name) => name,
            Err(fault) => return self.refuse(fault, span),
        };
        if !self.session.whole {
            let content = Content::Unread { depth: self.session.depth };
            return StatementKind::Include(Box::new(Include { name, content }));
        }
        let content = self.included(&name);
        if let Err(error) = &content {
            let kind = match error {
                IncludeError::Cycle => FaultKind::IncludeCycle,
                IncludeError::Load(_) | IncludeError::TooDeep => FaultKind::Include,
            };
            self.session.faults.push(Fault { kind, span: name.span });
        }
        StatementKind::Include(Box::new(Include { name, content: Content::Read(content) }))
    }

    fn included(&mut self, name: &Name) -> Result<Included, IncludeError> {
        let session = &mut *self.session;
        let file = session.load(name, session.depth)?;
        session.depth += 1;
        let statements = session.file(file);
        session.depth -= 1;
        Ok(Included { file, statements })
    }
}

/// A malformed statement ends with its last token or its block.
fn malformed_span(span: Span, malformed: &Malformed) -> Span {
    let end = malformed.block.as_ref().map(|block| block.span.end);
    let end = end.or_else(|| malformed.tokens.last().map(|token| token.span.end));
    Span { end: end.unwrap_or(span.end), ..span }
}

fn is_declaration(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::hardware
            | Rule::fixed_address
            | Rule::fixed_address6
            | Rule::range
            | Rule::range6
            | Rule::prefix6
            | Rule::fixed_prefix6
            | Rule::authoritative
            | Rule::server_identifier
            | Rule::lease_id_format
            | Rule::server_duid
            | Rule::percent
            | Rule::option_space
            | Rule::option_code
            | Rule::failover_reference
            | Rule::failover_state
            | Rule::failover_peer
            | Rule::no_failover_peer
            | Rule::dynamic
            | Rule::deleted
            | Rule::static_flag
            | Rule::host_group
            | Rule::uid
            | Rule::host_identifier
            | Rule::interface
            | Rule::match_if
            | Rule::match_data
            | Rule::spawn_with
            | Rule::lease_limit
    )
}

/// Keeps pest's limit on calls far above what a text of this length can need. The limit is one for the whole process,
/// so it only ever grows.
fn allow_calls(length: usize) {
    static LIMIT: AtomicUsize = AtomicUsize::new(0);
    const CALLS_PER_BYTE: usize = 2000;
    let wanted = length.saturating_mul(CALLS_PER_BYTE).saturating_add(10_000_000);
    if LIMIT.fetch_max(wanted, Ordering::Relaxed) < wanted {
        pest::set_call_limit(std::num::NonZeroUsize::new(wanted));
    }
}
