//! Where a piece of the configuration stands: files, spans, lines.
//!
//! dhcpd prints the file name exactly as it was given (`-cf` argument or the string of `include`), so that is what a
//! [`SourceFile`] keeps. Lines end at `\n` alone, as in dhcpd's lexer.

use std::sync::{Arc, OnceLock};

/// Which file of a [`SourceMap`] a span lies in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A range of bytes in one file, end exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

impl Span {
    /// A span from `start` up to, not including, `end`.
    pub fn new(file: FileId, start: u32, end: u32) -> Span {
        Span { file, start, end }
    }

    /// The smallest span that holds both. Both must lie in the same file; the other file's span is ignored otherwise.
    pub fn to(self, other: Span) -> Span {
        if self.file != other.file {
            return self;
        }
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// Length in bytes.
    pub fn len(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    /// Whether it holds no byte.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether `inner` lies wholly inside this span.
    pub fn contains(self, inner: Span) -> bool {
        self.file == inner.file && self.start <= inner.start && inner.end <= self.end
    }
}

/// One file that was read: its name as given, its bytes, where its lines start.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// The name as given on the command line or in `include`.
    pub name: Box<[u8]>,
    /// The bytes as read.
    pub bytes: Arc<Vec<u8>>,
    /// The `include` string that named this file; none for the file the parse began with.
    pub included_at: Option<Span>,
    /// Found when the first line is asked for.
    line_starts: OnceLock<Vec<u32>>,
}

impl SourceFile {
    fn new(name: &[u8], bytes: Vec<u8>, included_at: Option<Span>) -> SourceFile {
        SourceFile { name: name.into(), bytes: Arc::new(bytes), included_at, line_starts: OnceLock::new() }
    }

    fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let newlines = self.bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
            // No span lies in a file of 4 GiB and more, so the offsets fit.
            let starts = newlines.map(|(at, _)| u32::try_from(at + 1).unwrap_or(u32::MAX));
            std::iter::once(0).chain(starts).collect()
        })
    }

    /// How many lines the file has; text after the last newline counts as one, and so does nothing at all.
    pub fn line_count(&self) -> usize {
        self.line_starts().len()
    }

    /// The text of line `number` (from 1) without its newline; empty when there is no such line.
    pub fn line_text(&self, number: usize) -> &[u8] {
        let Some(start) = number.checked_sub(1).and_then(|index| self.line_starts().get(index)) else {
            return &[];
        };
        let rest = self.bytes.get(*start as usize..).unwrap_or_default();
        rest.split(|byte| *byte == b'\n').next().unwrap_or_default()
    }

    /// The line of a byte offset, from 1.
    pub fn line_of(&self, offset: u32) -> usize {
        self.line_starts().partition_point(|start| *start <= offset)
    }
}

/// A place as a reader knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location<'a> {
    /// The file's name as given.
    pub file: &'a [u8],
    /// Line, from 1.
    pub line: usize,
    /// Column in bytes, from 1.
    pub column: usize,
    /// The line's text without its newline.
    pub text: &'a [u8],
}

/// All files of one parse, in the order in which they were opened; [`FileId`] 0 is the file the parse began with.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// Adds a file and says what its id is.
    pub fn add(&mut self, name: &[u8], bytes: Vec<u8>, included_at: Option<Span>) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(SourceFile::new(name, bytes, included_at));
        id
    }

    /// The file of an id; none only for an id of another map.
    pub fn file(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// All files, in the order in which they were opened.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// The bytes of a span; empty when it lies in no file of this map.
    pub fn text(&self, span: Span) -> &[u8] {
        self.file(span.file)
            .and_then(|file| file.bytes.get(span.start as usize..span.end as usize))
            .unwrap_or_default()
    }

    /// Where a span starts.
    pub fn location(&self, span: Span) -> Option<Location<'_>> {
        let file = self.file(span.file)?;
        let line = file.line_of(span.start);
        let start = file.line_starts().get(line.checked_sub(1)?)?;
        let column = span.start.saturating_sub(*start) as usize + 1;
        Some(Location { file: &file.name, line, column, text: file.line_text(line) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_becomes_file_line_and_column() {
        let mut map = SourceMap::default();
        let id = map.add(b"dhcpd.conf", b"one\ntwo three\n\nfour".to_vec(), None);
        let location = map.location(Span::new(id, 8, 13)).unwrap();
        assert_eq!((location.file, location.line, location.column), (&b"dhcpd.conf"[..], 2, 5));
        assert_eq!(location.text, b"two three");
        assert_eq!(map.text(Span::new(id, 8, 13)), b"three");
        let end = map.location(Span::new(id, 19, 19)).unwrap();
        assert_eq!((end.line, end.column, end.text), (4, 5, &b"four"[..]));
    }

    #[test]
    fn foreign_offsets_do_not_panic() {
        let mut map = SourceMap::default();
        let id = map.add(b"x", Vec::new(), None);
        assert_eq!(map.text(Span::new(id, 5, 9)), b"");
        assert_eq!(map.text(Span::new(FileId(7), 0, 1)), b"");
        assert!(map.location(Span::new(FileId(7), 0, 1)).is_none());
        assert_eq!(map.location(Span::new(id, 100, 100)).unwrap().line, 1);
        assert_eq!(map.files()[0].line_text(0), b"");
        assert_eq!(map.files()[0].line_text(9), b"");
    }
}
