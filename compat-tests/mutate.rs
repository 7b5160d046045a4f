//! Small mistakes in a configuration, as people make them: a token too many or too few, a brace forgotten, a line cut.

/// A small generator of numbers (SplitMix64): the same seed gives the same numbers everywhere.
pub struct Random(u64);

impl Random {
    /// Starts anew.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

/// Tokens that stray.
const STRAY: [&str; 30] = [
    ";", "{", "}", ",", "(", ")", ".", ":", "/", "=", "%", "\"", "#", "-", "~", "0", "1", "255", "70000",
    "ff", "foo", "\"foo\"", "option", "if", "else", "not", "and", "host", "subnet", "on",
];

/// Octets that stray.
const OCTETS: [u8; 7] = [0, 0xff, b'\r', 0xe9, 0x80, b'\t', b'\\'];

/// One mistake. `other` is a text to take tokens from.
pub fn mutate(text: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let tokens = tokens(text);
    if tokens.is_empty() {
        return STRAY[random.below(STRAY.len())].into();
    }
    let at = random.below(tokens.len());
    let token = tokens[at];
    let octets = |(start, end): (usize, usize)| &text[start..end];
    let (before, after) = (&text[..token.0], &text[token.1..]);
    match random.below(17) {
        0 | 1 => [before, after].concat(),
        2 | 3 => [before, octets(token), b" ", octets(token), after].concat(),
        4 => match tokens.get(at + 1) {
            Some(&next) => {
                [before, octets(next), &text[token.1..next.0], octets(token), &text[next.1..]].concat()
            }
            None => before.to_vec(),
        },
        5 => {
            let (one, two) = (at.min(random.below(tokens.len())), at);
            swap(text, tokens[one], tokens[two])
        }
        6 | 7 => [before, STRAY[random.below(STRAY.len())].as_bytes(), b" ", octets(token), after].concat(),
        8 => [before, STRAY[random.below(STRAY.len())].as_bytes(), after].concat(),
        9 => {
            let others = self::tokens(other);
            match others.get(random.below(others.len())) {
                Some(&(start, end)) => [before, &other[start..end], b" ", after].concat(),
                None => [before, after].concat(),
            }
        }
        10 => brace(text, &tokens, random),
        11 => text[..random.below(text.len() + 1)].to_vec(),
        12 => line(text, random, |line, _| line[..line.len() / 2].to_vec()),
        13 => line(text, random, |_, _| Vec::new()),
        14 => line(text, random, |line, next| [next, line].concat()),
        15 => {
            let offset = random.below(text.len() + 1);
            [&text[..offset], &[OCTETS[random.below(OCTETS.len())]], &text[offset..]].concat()
        }
        _ => {
            let offset = random.below(text.len());
            [&text[..offset], &text[offset + 1..]].concat()
        }
    }
}

/// Swaps two pieces; `one` is not behind `two`.
fn swap(text: &[u8], one: (usize, usize), two: (usize, usize)) -> Vec<u8> {
    if one == two {
        return [&text[..one.0], &text[one.1..]].concat();
    }
    [&text[..one.0], &text[two.0..two.1], &text[one.1..two.0], &text[one.0..one.1], &text[two.1..]].concat()
}

/// Takes one brace away, or doubles it.
fn brace(text: &[u8], tokens: &[(usize, usize)], random: &mut Random) -> Vec<u8> {
    let braces: Vec<_> = tokens.iter().filter(|token| matches!(text[token.0], b'{' | b'}')).collect();
    let Some(&&(start, end)) = braces.get(random.below(braces.len())) else {
        return [text, b"}"].concat();
    };
    let middle: &[u8] = if random.below(3) == 0 { &[text[start], b' ', text[start]] } else { b"" };
    [&text[..start], middle, &text[end..]].concat()
}

/// Changes a line; `change` gets it and the one after it.
fn line(text: &[u8], random: &mut Random, change: impl Fn(&[u8], &[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = text.split_inclusive(|octet| *octet == b'\n').collect();
    let at = random.below(lines.len());
    let next = lines.get(at + 1).copied().unwrap_or_default();
    let changed = change(lines[at], next);
    // Two lines that change places are both in `changed`.
    let moved = changed.len() > lines[at].len() && at + 1 < lines.len();
    let rest = lines.split_off(at + 1 + usize::from(moved));
    lines.pop();
    if moved {
        lines.pop();
    }
    [lines.concat(), changed, rest.concat()].concat()
}

/// Words, strings and other characters, without white space and comments: where each starts and ends.
fn tokens(text: &[u8]) -> Vec<(usize, usize)> {
    let mut tokens = Vec::new();
    let mut at = 0;
    let run = |from: usize, fits: fn(u8) -> bool| {
        text[from..].iter().position(|octet| !fits(*octet)).map_or(text.len(), |length| from + length)
    };
    while let Some(&octet) = text.get(at) {
        let end = match octet {
            b'#' => {
                at = run(at, |octet| octet != b'\n');
                continue;
            }
            _ if octet.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            b'"' => (run(at + 1, |octet| octet != b'"') + 1).min(text.len()),
            _ if word(octet) => run(at, word),
            _ => at + 1,
        };
        tokens.push((at, end));
        at = end;
    }
    tokens
}

fn word(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_'
}
