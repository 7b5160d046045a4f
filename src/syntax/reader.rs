//! Reading a configuration piece by piece, so that its syntax tree never stands in memory as a whole.
//!
//! The statements of a file come out in pieces of some hundreds. A large block and an included file are left unread in
//! the tree; whoever walks it asks for their statements when they are reached, and drops them before the next piece.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::Loader;
use super::ast::{Content, Fault, FaultKind, Include, IncludeError, Statement};
use super::build::Session;
use super::scan::{Pieces, Scan, Sizes, scan};
use super::source::{FileId, SourceMap, Span};

/// Whose statements a block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A file.
    File,
    /// A host.
    Host,
    /// A group.
    Group,
    /// A subnet or shared network.
    Network,
    /// A class or subclass.
    Class,
    /// A pool.
    Pool,
}

/// The statements of a large block that are not in the tree yet; [`Reader::block`] reads them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    range: Range<usize>,
    scope: Scope,
    /// How many blocks and files are open inside of it.
    depth: usize,
}

impl Unread {
    pub(super) fn new(range: Range<usize>, scope: Scope, depth: usize) -> Unread {
        Unread { range, scope, depth }
    }
}

/// A file that is being read: its bytes, and the grammar's view of them.
#[derive(Clone)]
pub struct OpenFile {
    file: FileId,
    bytes: Arc<Vec<u8>>,
    /// The text for the grammar where it is not the bytes themselves.
    patched: Option<Arc<Vec<u8>>>,
    end: usize,
    fault: Option<Fault>,
    /// Blocks end where their braces say.
    nests: bool,
}

impl OpenFile {
    /// A file of the source map.
    pub fn new(source_map: &SourceMap, file: FileId) -> Option<OpenFile> {
        let bytes = Arc::clone(&source_map.file(file)?.bytes);
        if u32::try_from(bytes.len()).is_err() {
            let fault = Some(Fault { kind: FaultKind::FileTooLarge, span: Span::new(file, 0, 0) });
            return Some(OpenFile { file, bytes, patched: None, end: 0, fault, nests: false });
        }
        let Scan { text, fault, nests } = scan(&bytes);
        let end = text.len();
        let patched = match text {
            Cow::Borrowed(_) => None,
            Cow::Owned(text) => Some(Arc::new(text.into_bytes())),
        };
        // Offsets fit: the file is smaller than 4 GiB.
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let fault = fault.map(|(kind, range)| {
            let span = Span::new(file, offset(range.start), offset(range.end));
            Fault { kind, span }
        });
        Some(OpenFile { file, bytes, patched, end, fault, nests })
    }

    /// Its id.
    pub fn file(&self) -> FileId {
        self.file
    }

    /// The bytes as read.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// One ASCII character for each byte up to where the file ends for us.
    pub fn text(&self) -> &[u8] {
        let text = self.patched.as_ref().unwrap_or(&self.bytes);
        text.get(..self.end).unwrap_or(text)
    }

    /// A stretch of it in pieces of about `sizes`; in one, where it cannot be told without the grammar what may be cut.
    pub fn pieces(&self, range: Range<usize>, sizes: Sizes) -> Pieces {
        let whole = Sizes { piece: usize::MAX, large: usize::MAX };
        Pieces::new(range, if self.nests { sizes } else { whole })
    }

    /// Why it ends before the last byte, if that is an error.
    pub fn fault(&self) -> Option<Fault> {
        self.fault.clone()
    }
}

/// Statements that are being read: those of a file or of a large block.
pub struct Stretch {
    open: OpenFile,
    pieces: Pieces,
    scope: Scope,
    /// The whole file, not a block of it.
    is_file: bool,
    /// How many blocks and files were open around it.
    outer_depth: usize,
    ended: bool,
}

impl Stretch {
    /// The file it lies in.
    pub fn file(&self) -> FileId {
        self.open.file()
    }
}

/// Reads a configuration piece by piece. Stretches end in the opposite order of their beginning: one that was opened
/// inside another has to be read to its end, unless nothing is read any more.
pub struct Reader<'l> {
    session: Session<'l>,
    /// The files that are open, and how often each: once for itself and once for each block.
    open: Vec<OpenFile>,
    /// How many stretches were opened so far.
    opened: usize,
}

impl<'l> Reader<'l> {
    /// Begins with the file of that name and content.
    pub fn new(name: &[u8], bytes: Vec<u8>, loader: &'l mut dyn Loader) -> Reader<'l> {
        Self::with_sizes(name, bytes, loader, Sizes::default())
    }

    pub(super) fn with_sizes(
        name: &[u8],
        bytes: Vec<u8>,
        loader: &'l mut dyn Loader,
        sizes: Sizes,
    ) -> Reader<'l> {
        let session = Session::new(name, bytes, loader, sizes);
        Reader { session: Session { whole: false, ..session }, open: Vec::new(), opened: 0 }
    }

    /// The statements of the file it began with.
    pub fn first_file(&mut self) -> Option<Stretch> {
        self.stretch_of_file(FileId(0), 0)
    }

    /// The statements of an included file. None when they are in the tree already.
    ///
    /// # Errors
    /// When there are none: it cannot be read, or includes itself.
    pub fn include(&mut self, include: &Include) -> Result<Option<Stretch>, IncludeError> {
        let Content::Unread { depth } = include.content else { return Ok(None) };
        let file = self.session.load(&include.name, depth)?;
        Ok(self.stretch_of_file(file, depth + 1))
    }

    /// The statements of a large block of the file that is being read.
    pub fn block(&mut self, unread: &Unread) -> Option<Stretch> {
        let open = self.open.last()?.clone();
        let pieces = open.pieces(unread.range.clone(), self.session.sizes);
        Some(self.begin(open, pieces, unread.scope, false, unread.depth))
    }

    fn stretch_of_file(&mut self, file: FileId, depth: usize) -> Option<Stretch> {
        let open = OpenFile::new(&self.session.source_map, file)?;
        self.session.open_files.push(self.session.source_map.file(file)?.name.clone());
        let pieces = open.pieces(0..open.text().len(), self.session.sizes);
        Some(self.begin(open, pieces, Scope::File, true, depth))
    }

    fn begin(
        &mut self,
        open: OpenFile,
        pieces: Pieces,
        scope: Scope,
        is_file: bool,
        depth: usize,
    ) -> Stretch {
        self.opened += 1;
        self.open.push(open.clone());
        let outer_depth = std::mem::replace(&mut self.session.depth, depth);
        Stretch { open, pieces, scope, is_file, outer_depth, ended: false }
    }

    /// The next statements of a stretch; none at its end. What is wrong with them is in [`Reader::take_faults`].
    pub fn next(&mut self, stretch: &mut Stretch) -> Option<Vec<Statement>> {
        if stretch.ended {
            return None;
        }
        if let Some(piece) = stretch.pieces.next(stretch.open.text()) {
            return Some(self.session.piece(&stretch.open, &piece, stretch.scope));
        }
        stretch.ended = true;
        let fault = if stretch.is_file { self.session.fault_of_file(&stretch.open) } else { None };
        self.open.pop();
        if stretch.is_file {
            self.session.open_files.pop();
        }
        self.session.depth = stretch.outer_depth;
        fault.map(|statement| vec![statement])
    }

    /// What did not fit the language since the last call, in the order of the text.
    pub fn take_faults(&mut self) -> Vec<Fault> {
        std::mem::take(&mut self.session.faults)
    }

    /// How many stretches were opened so far.
    pub fn opened(&self) -> usize {
        self.opened
    }

    /// All files that were read.
    pub fn into_source_map(self) -> SourceMap {
        self.session.source_map
    }
}
