//! Reading a POSIX extended regular expression as glibc does.
//!
//! The rules are those of glibc's `RE_SYNTAX_POSIX_EXTENDED`: anchors are anchors everywhere, a repetition operator
//! without anything to repeat is an error, an unmatched `)` is an ordinary character, an unmatched `(` is not, and a
//! branch may be empty.

/// Part of a pattern.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Empty,
    /// One octet out of a set.
    Set(Box<Set>),
    Start,
    End,
    WordBoundary,
    NotWordBoundary,
    WordStart,
    WordEnd,
    /// A group and its number, from 1.
    Group(usize, Box<Node>),
    BackReference(usize),
    Sequence(Vec<Node>),
    Choice(Vec<Node>),
    Repeat {
        inner: Box<Node>,
        least: u32,
        most: Option<u32>,
    },
}

/// A set of octets.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Set([u64; 4]);

impl Set {
    pub(super) fn of(test: impl Fn(u8) -> bool) -> Self {
        let mut set = Self::default();
        for octet in (0..=u8::MAX).filter(|&octet| test(octet)) {
            set.insert(octet);
        }
        set
    }

    pub(super) fn insert(&mut self, octet: u8) {
        // Two bits of the octet choose among four words.
        self.0[usize::from(octet >> 6)] |= 1 << (octet & 63);
    }

    pub(super) fn contains(&self, octet: u8) -> bool {
        self.0[usize::from(octet >> 6)] >> (octet & 63) & 1 == 1
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0 == [0; 4]
    }

    /// Runs of octets, first and last.
    pub(super) fn ranges(&self) -> Vec<(u8, u8)> {
        let mut ranges: Vec<(u8, u8)> = Vec::new();
        for octet in (0..=u8::MAX).filter(|&octet| self.contains(octet)) {
            match ranges.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(octet) => *last = octet,
                _ => ranges.push((octet, octet)),
            }
        }
        ranges
    }
}

/// A pattern that was read.
#[derive(Clone, Debug)]
pub(super) struct Parsed {
    pub(super) root: Node,
    pub(super) has_back_reference: bool,
}

/// An invalid pattern. dhcpd does not say what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Invalid;

/// The greatest count of a repetition (glibc `RE_DUP_MAX`).
const MAX_COUNT: u32 = 0x7fff;

/// How deep groups may nest. glibc has no bound of its own.
const MAX_NESTING: usize = 200;

/// The longest name of a class, as glibc counts it.
const MAX_CLASS_NAME: usize = 32;

/// Reads a pattern. glibc ignores case by reading everything in upper case.
pub(super) fn parse(pattern: &[u8], ignore_case: bool) -> Result<Parsed, Invalid> {
    let mut reader = Reader {
        pattern,
        at: 0,
        ignore_case,
        groups: 0,
        completed: 0,
        nesting: 0,
        has_back_reference: false,
    };
    let root = reader.choice()?;
    Ok(Parsed { root, has_back_reference: reader.has_back_reference })
}

struct Reader<'p> {
    pattern: &'p [u8],
    at: usize,
    ignore_case: bool,
    /// Groups opened so far.
    groups: usize,
    /// Groups 1 to 9 closed so far, one bit each.
    completed: u16,
    nesting: usize,
    has_back_reference: bool,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.pattern.get(self.at).copied()
    }

    fn peek_after(&self, skip: usize) -> Option<u8> {
        self.pattern.get(self.at + skip).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let octet = self.peek()?;
        self.at += 1;
        Some(octet)
    }

    fn folded(&self, octet: u8) -> u8 {
        if self.ignore_case { octet.to_ascii_uppercase() } else { octet }
    }

    /// The octets that are read as one of those the test holds for.
    fn set(&self, test: impl Fn(u8) -> bool) -> Node {
        Node::Set(Box::new(Set::of(|octet| test(self.folded(octet)))))
    }

    fn literal(&self, octet: u8) -> Node {
        let octet = self.folded(octet);
        self.set(|other| other == octet)
    }

    fn choice(&mut self) -> Result<Node, Invalid> {
        let mut branches = vec![self.branch()?];
        while self.peek() == Some(b'|') {
            self.at += 1;
            branches.push(self.branch()?);
        }
        match branches.pop() {
            Some(only) if branches.is_empty() => Ok(only),
            last => {
                branches.extend(last);
                Ok(Node::Choice(branches))
            }
        }
    }

    fn branch(&mut self) -> Result<Node, Invalid> {
        let mut nodes = Vec::new();
        while let Some(octet) = self.peek() {
            if octet == b'|' || (octet == b')' && self.nesting > 0) {
                break;
            }
            nodes.push(self.repeated()?);
        }
        match nodes.pop() {
            None => Ok(Node::Empty),
            Some(only) if nodes.is_empty() => Ok(only),
            Some(last) => {
                nodes.push(last);
                Ok(Node::Sequence(nodes))
            }
        }
    }

    fn repeated(&mut self) -> Result<Node, Invalid> {
        let mut node = match self.next().ok_or(Invalid)? {
            b'\\' => match self.next().ok_or(Invalid)? {
                digit @ b'1'..=b'9' => {
                    let number = usize::from(digit - b'0');
                    if self.completed >> number & 1 == 0 {
                        return Err(Invalid);
                    }
                    self.has_back_reference = true;
                    Node::BackReference(number)
                }
                b'w' => self.set(is_word),
                b'W' => self.set(|octet| !is_word(octet)),
                b's' => self.set(is_space),
                b'S' => self.set(|octet| !is_space(octet)),
                // Nothing repeats an anchor: an operator after one has nothing to repeat.
                b'b' => return Ok(Node::WordBoundary),
                b'B' => return Ok(Node::NotWordBoundary),
                b'<' => return Ok(Node::WordStart),
                b'>' => return Ok(Node::WordEnd),
                b'`' => return Ok(Node::Start),
                b'\'' => return Ok(Node::End),
                // Read as it is, even where case is ignored: a lower-case letter matches nothing then.
                octet => self.set(|other| other == octet),
            },
            b'^' => return Ok(Node::Start),
            b'$' => return Ok(Node::End),
            b'*' | b'+' | b'?' | b'{' => return Err(Invalid),
            b'(' => self.group()?,
            b'[' => self.bracket()?,
            b'.' => self.set(|_| true),
            octet => self.literal(octet),
        };
        let mut levels = 0;
        while let Some(operator @ (b'*' | b'+' | b'?' | b'{')) = self.peek() {
            self.at += 1;
            let (least, most) = match operator {
                b'*' => (0, None),
                b'+' => (1, None),
                b'?' => (0, Some(1)),
                _ => self.counts()?,
            };
            levels += 1;
            if levels > MAX_NESTING {
                return Err(Invalid);
            }
            node = match most {
                Some(0) => Node::Empty,
                most => Node::Repeat { inner: Box::new(node), least, most },
            };
        }
        Ok(node)
    }

    /// `n}`, `n,}`, `n,m}`, `,m}`, `,}` after the brace.
    fn counts(&mut self) -> Result<(u32, Option<u32>), Invalid> {
        let (least, comma) = self.count()?;
        let (least, most) = match (least, comma) {
            (None, false) => return Err(Invalid),
            (Some(exactly), false) => (exactly, Some(exactly)),
            (least, true) => match self.count()? {
                (_, true) => return Err(Invalid),
                (most, false) => (least.unwrap_or(0), most),
            },
        };
        if most.is_some_and(|most| least > most) || most.unwrap_or(least) > MAX_COUNT {
            return Err(Invalid);
        }
        Ok((least, most))
    }

    /// A number, if there is one, and whether a comma ended it rather than the brace.
    fn count(&mut self) -> Result<(Option<u32>, bool), Invalid> {
        let mut number = None;
        loop {
            match self.next().ok_or(Invalid)? {
                b',' => return Ok((number, true)),
                b'}' => return Ok((number, false)),
                digit @ b'0'..=b'9' => {
                    let sum = number.unwrap_or(0) * 10 + u32::from(digit - b'0');
                    number = Some(sum.min(MAX_COUNT + 1));
                }
                _ => return Err(Invalid),
            }
        }
    }

    fn group(&mut self) -> Result<Node, Invalid> {
        self.groups += 1;
        let number = self.groups;
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(Invalid);
        }
        let inner = self.choice()?;
        if self.next() != Some(b')') {
            return Err(Invalid);
        }
        self.nesting -= 1;
        if number <= 9 {
            self.completed |= 1 << number;
        }
        Ok(Node::Group(number, Box::new(inner)))
    }

    /// A bracket expression, after `[`.
    fn bracket(&mut self) -> Result<Node, Invalid> {
        let negated = self.peek() == Some(b'^');
        if negated {
            self.at += 1;
        }
        let mut set = Set::default();
        let mut first = true;
        loop {
            let element = match self.bracket_token()? {
                Token::Close if first => Element::Octet(b']'),
                Token::Close => break,
                token => self.element(token, first)?,
            };
            first = false;
            let Element::Octet(start) = element else {
                if let Element::Class(class) = element {
                    (0..=u8::MAX).filter(|octet| class(octet)).for_each(|octet| set.insert(octet));
                }
                continue;
            };
            // A hyphen before the closing bracket is itself.
            if self.peek() == Some(b'-') && !self.three_hyphens() && self.peek_after(1) != Some(b']') {
                self.at += 1;
                let token = self.bracket_token()?;
                let Element::Octet(end) = self.element(token, true)? else { return Err(Invalid) };
                if start > end {
                    return Err(Invalid);
                }
                (start..=end).for_each(|octet| set.insert(octet));
            } else {
                set.insert(start);
            }
        }
        Ok(self.set(|octet| set.contains(octet) != negated))
    }

    /// `---` is one hyphen.
    fn three_hyphens(&self) -> bool {
        self.pattern.get(self.at..).is_some_and(|rest| rest.starts_with(b"---"))
    }

    fn bracket_token(&mut self) -> Result<Token, Invalid> {
        let three = self.three_hyphens();
        Ok(match self.next().ok_or(Invalid)? {
            b']' => Token::Close,
            b'-' if three => {
                self.at += 2;
                Token::Octet(b'-')
            }
            b'-' => Token::Hyphen,
            b'[' => match self.peek() {
                Some(kind @ (b'.' | b'=' | b':')) => {
                    self.at += 1;
                    Token::Open(kind)
                }
                _ => Token::Octet(b'['),
            },
            octet => Token::Octet(self.folded(octet)),
        })
    }

    /// A character, a collating symbol or a class. A hyphen that is neither first nor last must end a range.
    fn element(&mut self, token: Token, hyphen_allowed: bool) -> Result<Element, Invalid> {
        match token {
            Token::Octet(octet) => Ok(Element::Octet(octet)),
            Token::Close => Ok(Element::Octet(b']')),
            Token::Hyphen if hyphen_allowed || self.peek() == Some(b']') => Ok(Element::Octet(b'-')),
            Token::Hyphen => Err(Invalid),
            Token::Open(kind) => {
                let rest = self.pattern.get(self.at..).unwrap_or_default();
                let length = rest.windows(2).position(|pair| pair == [kind, b']']).ok_or(Invalid)?;
                let name = rest.get(..length).unwrap_or_default();
                self.at += length + 2;
                // glibc fails when the pattern ends with the symbol, as the bracket is still open.
                if length >= MAX_CLASS_NAME || self.peek().is_none() {
                    return Err(Invalid);
                }
                match (kind, name) {
                    (b':', name) => class_named(name, self.ignore_case).map(Element::Class).ok_or(Invalid),
                    (b'.', &[octet]) => Ok(Element::Octet(self.folded(octet))),
                    // An equivalence class has only itself, but cannot be the end of a range.
                    (_, &[octet]) => Ok(Element::Class(single(self.folded(octet)))),
                    _ => Err(Invalid),
                }
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Token {
    Octet(u8),
    Hyphen,
    Close,
    /// `[.`, `[=` or `[:`.
    Open(u8),
}

enum Element {
    Octet(u8),
    Class(Class),
}

/// Which octets are of a class.
type Class = Box<dyn Fn(&u8) -> bool>;

fn single(octet: u8) -> Class {
    Box::new(move |&other| other == octet)
}

fn class_named(name: &[u8], ignore_case: bool) -> Option<Class> {
    let test: fn(&u8) -> bool = match name {
        b"upper" | b"lower" if ignore_case => u8::is_ascii_alphabetic,
        b"alnum" => u8::is_ascii_alphanumeric,
        b"cntrl" => u8::is_ascii_control,
        b"lower" => u8::is_ascii_lowercase,
        b"space" => |&octet| is_space(octet),
        b"alpha" => u8::is_ascii_alphabetic,
        b"digit" => u8::is_ascii_digit,
        b"print" => |octet| (b' '..=b'~').contains(octet),
        b"upper" => u8::is_ascii_uppercase,
        b"blank" => |octet| matches!(octet, b' ' | b'\t'),
        b"graph" => u8::is_ascii_graphic,
        b"punct" => u8::is_ascii_punctuation,
        b"xdigit" => u8::is_ascii_hexdigit,
        _ => return None,
    };
    Some(Box::new(test))
}

pub(super) fn is_word(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || octet == b'_'
}

fn is_space(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t'..=b'\r')
}
