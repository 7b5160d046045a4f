//! What is looked at in the bytes before the grammar sees them.
//!
//! One pass over a file finds where dhcpd's lexer would stop, or where our limits do, and makes a text for the grammar
//! with one ASCII character per byte, so that offsets into the text are offsets into the file. Further passes cut that
//! text into pieces at the ends of statements: the parser's memory then depends on the piece, not on the file.

use std::borrow::Cow;
use std::ops::Range;

use super::MAX_DEPTH;
use super::ast::FaultKind;
use super::lexical::{LONGEST_TOKEN, read_string};

/// What octets outside of ASCII become for the grammar: a character that is no part of any word.
const JUNK: u8 = 0x1a;

/// How a text is cut.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Statements are handed to the grammar in pieces of about this many bytes. Small ones are fastest: what the parser
    /// allocates for a piece then stays in the processor's cache.
    pub piece: usize,
    /// A statement with a block that is larger than this is not handed over whole: its block is cut into pieces too.
    pub large: usize,
}

impl Default for Sizes {
    fn default() -> Sizes {
        Sizes { piece: 4 * 1024, large: 32 * 1024 }
    }
}

/// A file's text for the grammar.
pub struct Scan<'a> {
    /// One ASCII character for each byte up to where the file ends for us.
    pub text: Cow<'a, str>,
    /// Why it ends before the last byte, if that is an error.
    pub fault: Option<(FaultKind, Range<usize>)>,
    /// No statement can take a brace along that is not its own (the grammar's `percent` and `log_nothing`). Only then
    /// blocks end where their braces say, and the text may be cut.
    pub nests: bool,
}

/// Looks at a whole file.
pub fn scan(bytes: &[u8]) -> Scan<'_> {
    let mut patches: Vec<(usize, u8)> = Vec::new();
    let Walked { end, fault, nests } = walk(bytes, &mut patches);
    let bytes = bytes.get(..end).unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) if bytes.is_ascii() && patches.is_empty() => Cow::Borrowed(text),
        _ => {
            let mut patched: Vec<u8> =
                bytes.iter().map(|byte| if byte.is_ascii() { *byte } else { JUNK }).collect();
            for (at, byte) in patches {
                if let Some(slot) = patched.get_mut(at) {
                    *slot = byte;
                }
            }
            // Every byte is ASCII now, so nothing is lossy here.
            Cow::Owned(String::from_utf8_lossy(&patched).into_owned())
        }
    };
    Scan { text, fault, nests }
}

/// What a walk over a file found out.
struct Walked {
    end: usize,
    fault: Option<(FaultKind, Range<usize>)>,
    nests: bool,
}

/// Finds the end of the file and the bytes that have to be replaced.
fn walk(bytes: &[u8], patches: &mut Vec<(usize, u8)>) -> Walked {
    let mut at = 0;
    let mut nests = true;
    let mut blocks: Vec<Inside> = Vec::new();
    // The first word of the statement at hand.
    let mut head: &[u8] = b"";
    // What comes behind a NUL, and where: looked for once in a run of them.
    let mut ahead: (usize, Option<u8>) = (0, None);
    let mut parentheses: usize = 0;
    let mut statement_may_begin = true;
    while let Some(byte) = bytes.get(at) {
        let start = at;
        at += 1;
        match byte {
            b'\t'..=b'\r' | b' ' => {
                at = skip_blanks(bytes, at);
                if at - start > LONGEST_TOKEN {
                    let fault = Some((FaultKind::WhiteSpaceTooLong, start..at));
                    return Walked { end: start, fault, nests };
                }
                continue;
            }
            b'#' => {
                at = skip_comment(bytes, at);
                if bytes.get(at) == Some(&0xff) {
                    // Quirk: in a comment 0xFF ends only the comment (ISC `conflex.c:skip_to_eol`).
                    patches.push((at, b'\n'));
                    at += 1;
                }
                continue;
            }
            b'"' => match read_string(bytes, at, |_| {}).0 {
                Some(end) => at = end,
                None => {
                    let rest = bytes.get(at..).unwrap_or_default();
                    let length = rest.iter().position(|byte| *byte == 0xff).unwrap_or(rest.len());
                    return Walked { end: at + length, fault: None, nests };
                }
            },
            0xff => return Walked { end: start, fault: None, nests },
            0 if statement_may_begin => {
                // Quirk: a NUL where a statement could begin is dropped (it reads as "no token peeked at yet"). By then
                // dhcpd expects a declaration, or has done with the statements of an executable block.
                let inside = blocks.last().copied().unwrap_or(Inside::Declarations);
                if ahead.0 < at {
                    ahead = next_significant(bytes, at);
                }
                let end = matches!(ahead.1, Some(b'}') | None);
                let dropped = match inside {
                    Inside::Declarations => !end,
                    Inside::Executables => end,
                    Inside::Key => false,
                };
                patches.push((start, if dropped { b' ' } else { JUNK }));
                if dropped {
                    continue;
                }
            }
            0 => patches.push((start, JUNK)),
            b'{' | b'(' => {
                if *byte == b'{' {
                    nests &= parentheses == 0;
                    blocks.push(Inside::of(head));
                    parentheses = 0;
                } else {
                    parentheses += 1;
                }
                if blocks.len() + parentheses > MAX_DEPTH {
                    return Walked { end: start, fault: Some((FaultKind::TooDeep, start..at)), nests };
                }
            }
            b'}' => {
                nests &= parentheses == 0;
                blocks.pop();
                parentheses = 0;
            }
            b'%' => nests = false,
            b';' => parentheses = 0,
            b')' => parentheses = parentheses.saturating_sub(1),
            _ if is_word_character(*byte) => {
                while bytes.get(at).is_some_and(|byte| is_word_character(*byte)) {
                    at += 1;
                }
                if statement_may_begin {
                    head = bytes.get(start..at).unwrap_or_default();
                }
                if bytes.get(at) == Some(&0xff) {
                    // Quirk: right behind a word 0xFF only ends the word (ISC `conflex.c:unget_char`).
                    patches.push((at, b' '));
                    at += 1;
                }
            }
            _ => {}
        }
        statement_may_begin = matches!(byte, b'{' | b'}' | b';');
        if statement_may_begin {
            head = b"";
        }
    }
    Walked { end: bytes.len(), fault: None, nests }
}

/// What a block holds, as far as it matters for a NUL.
#[derive(Clone, Copy)]
enum Inside {
    Declarations,
    /// Executable statements, or those of a zone.
    Executables,
    Key,
}

impl Inside {
    /// By the first word of the statement.
    fn of(head: &[u8]) -> Inside {
        let is = |words: &[&str]| words.iter().any(|word| head.eq_ignore_ascii_case(word.as_bytes()));
        if is(&["if", "elsif", "else", "on", "switch", "set", "define", "zone"]) {
            Inside::Executables
        } else if is(&["key"]) {
            Inside::Key
        } else {
            Inside::Declarations
        }
    }
}

/// The first octet from `at` that is neither white space, comment nor NUL, and where it is; none at the end of the file.
fn next_significant(bytes: &[u8], mut at: usize) -> (usize, Option<u8>) {
    loop {
        match bytes.get(at).copied().filter(|byte| *byte != 0xff) {
            Some(b'#') => at = skip_comment(bytes, at + 1),
            Some(b'\t'..=b'\r' | b' ' | 0) => at += 1,
            significant => return (at, significant),
        }
    }
}

fn is_word_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

fn skip_blanks(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(|byte| matches!(byte, b'\t'..=b'\r' | b' ')) {
        at += 1;
    }
    at
}

/// The offset of the newline, the 0xFF or the end that ends a comment.
fn skip_comment(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| matches!(byte, b'\n' | 0xff)).unwrap_or(rest.len())
}

/// The offset behind a comment, string or single character that begins at `at`.
fn skip_one(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(b'#') => skip_comment(bytes, at + 1),
        Some(b'"') => read_string(bytes, at + 1, |_| {}).0.unwrap_or(bytes.len()),
        _ => at + 1,
    }
}

/// A stretch of text that holds whole statements.
#[derive(Debug, PartialEq)]
pub struct Piece {
    /// Where it lies.
    pub range: Range<usize>,
    /// For a single large statement with a closed block at its end: the offset of its opening brace.
    pub opening: Option<usize>,
}

/// Cuts a stretch of text, which begins where a statement may begin, into pieces.
#[derive(Debug)]
pub struct Pieces {
    at: usize,
    end: usize,
    sizes: Sizes,
    /// A statement that was found to be large after smaller ones had been collected.
    pending: Option<Piece>,
}

impl Pieces {
    /// The pieces of `range`.
    pub fn new(range: Range<usize>, sizes: Sizes) -> Pieces {
        Pieces { at: range.start, end: range.end, sizes, pending: None }
    }

    /// The next piece; `text` is always the same text.
    pub fn next(&mut self, text: &[u8]) -> Option<Piece> {
        if let Some(piece) = self.pending.take() {
            return Some(piece);
        }
        let text = text.get(..self.end).unwrap_or(text);
        let start = self.at;
        let mut after_flag = false;
        while self.at < text.len() {
            let statement = self.at;
            let (end, opening) = statement_end(text, statement);
            self.at = end;
            if opening.is_some()
                && end - statement > self.sizes.large
                && !after_flag
                && may_cut(text, statement)
                && may_cut(text, end)
            {
                let large = Piece { range: statement..end, opening };
                if start == statement {
                    return Some(large);
                }
                self.pending = Some(large);
                return Some(Piece { range: start..statement, opening: None });
            }
            after_flag = is_flag(text, statement);
            if end - start >= self.sizes.piece && !after_flag && may_cut(text, end) {
                break;
            }
        }
        (start < self.at).then_some(Piece { range: start..self.at, opening: None })
    }
}

/// The end of the statement that begins at `at`, and its opening brace when it ends with a block of its own.
fn statement_end(text: &[u8], mut at: usize) -> (usize, Option<usize>) {
    let mut depth = 0_usize;
    let mut opening = None;
    while let Some(byte) = text.get(at) {
        at = match byte {
            b'#' | b'"' => skip_one(text, at),
            _ => at + 1,
        };
        match byte {
            b'{' => {
                if depth == 0 && opening.is_none() {
                    opening = Some(at - 1);
                }
                depth += 1;
            }
            b'}' if depth <= 1 => return (at, opening.filter(|_| depth == 1)),
            b'}' => depth -= 1,
            b';' if depth == 0 => return (at, None),
            _ => {}
        }
    }
    (text.len(), None)
}

/// Whether a statement is one of the flags of a group, which have to be followed by another statement.
fn is_flag(text: &[u8], mut at: usize) -> bool {
    loop {
        at = skip_blanks(text, at);
        if text.get(at) != Some(&b'#') {
            break;
        }
        at = skip_comment(text, at);
    }
    let word = text.get(at..).unwrap_or_default();
    let length = word.iter().position(|byte| !is_word_character(*byte)).unwrap_or(word.len());
    let word = word.get(..length).unwrap_or_default();
    [&b"deleted"[..], b"dynamic", b"static"].iter().any(|flag| word.eq_ignore_ascii_case(flag))
}

/// Whether a piece may end here: what follows is not the rest of an `if`, or a semicolon behind a key's brace.
fn may_cut(text: &[u8], mut at: usize) -> bool {
    loop {
        at = skip_blanks(text, at);
        match text.get(at) {
            Some(b'#') => at = skip_comment(text, at),
            Some(b'e' | b'E' | b';') => return false,
            _ => return true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        scan(bytes).text.into_owned()
    }

    #[test]
    fn an_octet_ff_ends_the_file_where_a_token_could_begin() {
        assert_eq!(text(b"authoritative;\xffjunk"), "authoritative;");
        assert_eq!(text(b"authoritative; \xffjunk"), "authoritative; ");
        assert_eq!(text(b"# a \xff comment;"), "# a \n comment;");
        assert_eq!(text(b"authoritative\xff;"), "authoritative ;");
        assert_eq!(text(b"log (\"a\xffb\");"), "log (\"a");
    }

    #[test]
    fn other_octets_keep_their_place() {
        assert_eq!(text(b"# caf\xe9\nlog (\"\xe9\");\xe9"), "# caf\x1a\nlog (\"\x1a\");\x1a");
        assert_eq!(text(b"\0authoritative;\0\0not\0;"), " authoritative;  not\x1a;");
        assert_eq!(text(b"group { \0 }\0"), "group { \x1a }\x1a");
        assert_eq!(text(b"if known { \0set x = 1; \0 }"), "if known { \x1aset x = 1;   }");
        assert!(matches!(scan(b"plain").text, Cow::Borrowed("plain")));
    }

    #[test]
    fn the_limits() {
        let blanks = vec![b' '; LONGEST_TOKEN];
        assert_eq!(scan(&blanks).fault, None);
        let blanks = vec![b'\n'; LONGEST_TOKEN + 1];
        assert_eq!(scan(&blanks).fault, Some((FaultKind::WhiteSpaceTooLong, 0..1500)));
        let deep = "group {".repeat(MAX_DEPTH);
        assert_eq!(scan(deep.as_bytes()).fault, None);
        let deep = "group {".repeat(MAX_DEPTH) + "log (";
        assert_eq!(scan(deep.as_bytes()).fault, Some((FaultKind::TooDeep, 704..705)));
        assert_eq!(scan("log ((\"(((\"));".repeat(200).as_bytes()).fault, None);
    }

    fn pieces(text: &str) -> Vec<(&str, bool)> {
        let mut pieces = Pieces::new(0..text.len(), Sizes::default());
        let pieces = std::iter::from_fn(|| pieces.next(text.as_bytes()));
        pieces.map(|piece| (&text[piece.range], piece.opening.is_some())).collect()
    }

    #[test]
    fn pieces_hold_whole_statements() {
        let Sizes { piece, large } = Sizes::default();
        assert_eq!(pieces(""), []);
        assert_eq!(pieces("a; b {c;} d"), [("a; b {c;} d", false)]);
        let block = format!("group {{ {} }}", "a \"}\"; # }\n".repeat(large / 8));
        let whole = format!("a;{block}\nb; }} c");
        assert_eq!(pieces(&whole), [("a;", false), (block.as_str(), true), ("\nb; } c", false)]);
        let with_else = format!("{block} # x\n else {{}} b;");
        let cut = pieces(&with_else);
        assert!(cut[0].0.ends_with("else {}") && !cut[0].1 && cut[1] == (" b;", false), "{}", cut.len());
        let many = "host a { b; }\n".repeat(piece / 7);
        let cut = pieces(&many);
        assert_eq!(cut.len(), 2, "{}", cut.len());
        assert!(cut[0].0.len() < piece + 100 && cut[0].0.ends_with('}'));
        let flag = format!("{}\n# x\n Static ; host a {{ }}", "a;".repeat(piece / 2));
        let cut = pieces(&flag);
        assert!(cut.len() == 2 && cut[1].0.ends_with("Static ; host a { }"), "{}", cut.len());
        let open = format!("group {{ {}", "a;".repeat(large));
        assert_eq!(pieces(&open), [(open.as_str(), false)]);
    }
}
