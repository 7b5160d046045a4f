//! Lines, indented.

/// Text that grows line by line.
#[derive(Default)]
pub(super) struct Writer {
    out: Vec<u8>,
    depth: usize,
    /// The last line closed a block.
    closed: bool,
}

/// Deeper blocks are not indented further: dhcpd reads only so many blanks in a row.
const DEEPEST: usize = 100;

impl Writer {
    /// The text.
    pub(super) fn finish(self) -> Vec<u8> {
        self.out
    }

    /// A line of its own.
    pub(super) fn line<P: AsRef<[u8]>>(&mut self, parts: impl IntoIterator<Item = P>) {
        self.indent(self.depth);
        self.parts(parts);
        self.out.push(b'\n');
        self.closed = false;
    }

    /// A line that opens a block.
    pub(super) fn open<P: AsRef<[u8]>>(&mut self, head: impl IntoIterator<Item = P>) {
        self.indent(self.depth);
        self.parts(head);
        self.out.extend_from_slice(b" {\n");
        self.depth += 1;
        self.closed = false;
    }

    /// A line that closes a block and opens another one.
    pub(super) fn reopen<P: AsRef<[u8]>>(&mut self, head: impl IntoIterator<Item = P>) {
        self.indent(self.depth.saturating_sub(1));
        self.out.extend_from_slice(b"} ");
        self.parts(head);
        self.out.extend_from_slice(b" {\n");
    }

    /// The line that closes a block.
    pub(super) fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.indent(self.depth);
        self.out.extend_from_slice(b"}\n");
        self.closed = true;
    }

    /// A label, one step to the left.
    pub(super) fn label<P: AsRef<[u8]>>(&mut self, parts: impl IntoIterator<Item = P>) {
        self.indent(self.depth.saturating_sub(1));
        self.parts(parts);
        self.out.extend_from_slice(b":\n");
        self.closed = false;
    }

    /// An empty line between outermost blocks.
    pub(super) fn gap(&mut self) {
        if self.depth == 0 && !self.out.is_empty() && !self.out.ends_with(b"\n\n") {
            self.out.push(b'\n');
        }
    }

    /// An empty line behind an outermost block.
    pub(super) fn gap_after_block(&mut self) {
        if self.closed {
            self.gap();
        }
    }

    fn parts<P: AsRef<[u8]>>(&mut self, parts: impl IntoIterator<Item = P>) {
        parts.into_iter().for_each(|part| self.out.extend_from_slice(part.as_ref()));
    }

    fn indent(&mut self, depth: usize) {
        self.out.resize(self.out.len() + 2 * depth.min(DEEPEST), b' ');
    }
}
