//! Option values as text.
//!
//! The form in which dhcpd writes relay agent options to the lease file, passes options to scripts and names values in
//! its log (ISC `common/options.c:pretty_print_option`), quirks included: hexadecimal octets without leading zeros, a
//! blank or comma in odd places, complaints about values that do not fit their format.

use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::domain::{domain_name_text, unpack_domain_name};
use super::format::{Atom, Enumeration, Format, Item};
use super::space::{OptionId, Spaces};
use crate::log::Line;

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrintStyle {
    /// Array elements are separated by commas, not blanks.
    pub commas: bool,
    /// Text and domain lists stand in double quotes.
    pub quotes: bool,
}

impl PrintStyle {
    /// Configuration syntax: the lease file.
    pub const CONFIGURATION: PrintStyle = PrintStyle { commas: true, quotes: true };
    /// Words without quotes: variables of scripts.
    pub const PLAIN: PrintStyle = PrintStyle { commas: false, quotes: false };
}

/// What dhcpd prints for a value it cannot print.
const ERROR: &[u8] = b"<error>";

/// The text of an option's value. Complaints go to `lines`.
pub fn print_option(
    spaces: &Spaces,
    option: OptionId,
    value: &[u8],
    style: PrintStyle,
    lines: &mut Vec<Line>,
) -> Vec<u8> {
    let name = spaces.name(option);
    let format = spaces.format(option);
    let Some(layout) = Layout::new(&name, format, value, lines) else {
        return ERROR.to_vec();
    };
    layout.print(value, style, lines).unwrap_or_else(|| ERROR.to_vec())
}

/// One printed element.
#[derive(Clone, Copy, Debug)]
enum Element {
    Ip4,
    Ip6,
    Integer {
        octets: u8,
        signed: bool,
    },
    Time,
    HexOctet,
    Flag,
    ImpliedFlag,
    Text,
    DomainName,
    DomainList,
    Enumeration(&'static Enumeration),
    Nothing,
    /// A letter that has no text form.
    Letter(char),
}

/// How often the record is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeats {
    /// Once; more octets than the record has are reported.
    Once,
    /// Once; the last element takes all there is.
    OpenEnded,
    /// An array.
    Array,
}

/// The elements of a value, fitted to its length.
struct Layout {
    elements: Vec<Element>,
    /// Only the last element repeats.
    last_repeats: bool,
    /// Hexadecimal octets: separated by colons.
    hex: bool,
    hunks: usize,
}

impl Layout {
    fn new(name: &str, format: &Format, value: &[u8], lines: &mut Vec<Line>) -> Option<Layout> {
        let mut fail = |text: String| lines.push(Line::error(text));
        let mut layout = Layout { elements: Vec::new(), last_repeats: false, hex: false, hunks: 1 };
        let mut repeats = Repeats::Once;
        // Octets of the whole record, of its optional part, and of the latest element of fixed size.
        let (mut size, mut optional, mut step) = (0, 0, 0);
        for (at, item) in format.items().iter().enumerate() {
            if repeats == Repeats::Array {
                let rest: String = format.items().iter().skip(at).map(letters).collect();
                let rest = rest + if format.is_array() { "A" } else { "" };
                fail(format!("{name}: Extra codes in format string: {rest}"));
                break;
            }
            let fixed = |octets: u8| (usize::from(octets), usize::from(octets));
            let (element, (octets, new_step)) = match &item.atom {
                Atom::Ip4 => (Element::Ip4, fixed(4)),
                Atom::Ip6 => (Element::Ip6, fixed(16)),
                Atom::Integer { octets, signed } => {
                    (Element::Integer { octets: *octets, signed: *signed }, fixed(*octets))
                }
                Atom::Time => (Element::Time, fixed(4)),
                Atom::Flag => (Element::Flag, fixed(1)),
                Atom::ImpliedFlag => (Element::ImpliedFlag, fixed(1)),
                Atom::Enumeration(e) => (Element::Enumeration(e), fixed(e.width)),
                Atom::Text | Atom::KeyName => {
                    repeats = Repeats::OpenEnded;
                    (Element::Text, (0, step))
                }
                Atom::DomainList { .. } => {
                    repeats = Repeats::OpenEnded;
                    (Element::DomainList, (0, step))
                }
                Atom::DomainName => match wire_length(value, size) {
                    Some(length) => (Element::DomainName, (length, step)),
                    None => {
                        fail("Invalid domain name.".into());
                        return None;
                    }
                },
                Atom::String | Atom::Encapsulation(_) => {
                    let text = value.strip_suffix(&[0]).unwrap_or(value);
                    if text.iter().all(|&c| is_print(c)) {
                        repeats = Repeats::OpenEnded;
                        (Element::Text, (0, step))
                    } else {
                        repeats = Repeats::Array;
                        (layout.last_repeats, layout.hex) = (true, true);
                        (Element::HexOctet, (1, 1))
                    }
                }
                Atom::ZeroLength => (Element::Nothing, (0, step)),
                Atom::SpaceName => {
                    fail(format!("{name}: garbage in format string: U"));
                    (Element::Letter('U'), (0, step))
                }
            };
            layout.elements.push(element);
            size += octets;
            step = new_step;
            if item.optional {
                layout.elements.push(Element::Letter('o'));
                optional += step;
            }
            if item.repeated {
                layout.last_repeats = true;
                repeats = Repeats::Array;
            }
        }
        if format.is_array() {
            repeats = Repeats::Array;
        }
        if size.saturating_sub(optional) > value.len() {
            fail(format!("{name}: expecting at least {size} bytes; got {}", value.len()));
            return None;
        }
        if repeats == Repeats::Once && size < value.len() {
            fail(format!("{name}: {} extra bytes", value.len() - size));
        }
        if repeats == Repeats::Array {
            let used = if layout.last_repeats {
                if step == 0 {
                    fail(format!("{name}: invalid 'a' format: {format}"));
                    return None;
                }
                let further = value.len().saturating_sub(size) / step;
                layout.hunks = further + 1;
                size + further * step
            } else {
                if size == 0 {
                    fail(format!("{name}: invalid 'A' format: {format}"));
                    return None;
                }
                layout.hunks = value.len() / size;
                layout.hunks * size
            };
            if used < value.len() {
                // The line break inside the message is dhcpd's.
                fail(format!("{name}: {} extra bytes at end of array\n", value.len() - used));
            }
        }
        Some(layout)
    }

    fn print(&self, value: &[u8], style: PrintStyle, lines: &mut Vec<Line>) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(value.len() * 2 + 2);
        let mut rest = value;
        let separator = match (self.hex, style.commas) {
            (true, _) => b':',
            (false, true) => b',',
            (false, false) => b' ',
        };
        for hunk in 0..self.hunks {
            let first = if self.last_repeats && hunk > 0 { self.elements.len().saturating_sub(1) } else { 0 };
            for (at, element) in self.elements.iter().enumerate().skip(first) {
                print_element(*element, value, &mut rest, style, &mut out, lines)?;
                if rest.is_empty() {
                    break;
                }
                if at + 1 < self.elements.len() && !self.hex {
                    out.push(b' ');
                }
            }
            if rest.is_empty() {
                break;
            }
            if hunk + 1 < self.hunks {
                out.push(separator);
            }
        }
        Some(out)
    }
}

fn print_element(
    element: Element,
    value: &[u8],
    rest: &mut &[u8],
    style: PrintStyle,
    out: &mut Vec<u8>,
    lines: &mut Vec<Line>,
) -> Option<()> {
    let number = |octets: &[u8]| octets.iter().fold(0u32, |sum, &octet| sum << 8 | u32::from(octet));
    // Writing to a vector cannot fail.
    let mut write = |text: std::fmt::Arguments<'_>| out.write_fmt(text).ok();
    match element {
        Element::Ip4 => write(format_args!("{}", Ipv4Addr::from(number(take(rest, 4)?))))?,
        Element::Ip6 => {
            let octets: [u8; 16] = take(rest, 16)?.try_into().ok()?;
            write(format_args!("{}", ip6_text(octets.into())))?;
        }
        Element::Integer { octets, signed } => {
            let value = number(take(rest, usize::from(octets))?);
            match (signed, octets) {
                (true, 1) => write(format_args!("{}", value as u8 as i8))?,
                // dhcpd forgets the sign of 16-bit numbers.
                (true, 2) => write(format_args!("{value}"))?,
                (true, _) => write(format_args!("{}", value as i32))?,
                (false, _) => write(format_args!("{value}"))?,
            }
        }
        // dhcpd does not step over these four octets.
        Element::Time => match number(rest.get(..4)?) {
            u32::MAX => write(format_args!("infinite"))?,
            seconds => write(format_args!("{seconds}"))?,
        },
        Element::HexOctet => write(format_args!("{:x}", number(take(rest, 1)?)))?,
        Element::Flag => write(format_args!("{}", number(take(rest, 1)?) != 0))?,
        Element::ImpliedFlag => write(format_args!("true"))?,
        Element::Enumeration(enumeration) => {
            let width = usize::from(enumeration.width);
            let value = number(rest.get(..width)?);
            match enumeration.word(value) {
                Some(word) => {
                    write(format_args!("{word}"))?;
                    take(rest, width)?;
                }
                // Nor over a number without a word.
                None => write(format_args!("{value}"))?,
            }
        }
        Element::Text => {
            let text = std::mem::take(rest);
            if style.quotes {
                out.push(b'"');
            }
            escape(text, out);
            if style.quotes {
                out.push(b'"');
            }
        }
        Element::DomainName => {
            let at = value.len() - rest.len();
            let Some(length) = wire_length(value, at) else {
                lines.push(Line::error("invalid domain name."));
                return None;
            };
            let name = take(rest, length)?;
            labels(name, out);
        }
        Element::DomainList => domain_list(value, rest, style, out, lines),
        Element::Nothing => {}
        Element::Letter(letter) => lines.push(Line::error(format!("Unexpected format code {letter}"))),
    }
    Some(())
}

/// Takes octets off the front; the layout made sure that they are there, except for optional elements.
fn take<'v>(rest: &mut &'v [u8], octets: usize) -> Option<&'v [u8]> {
    let (taken, after) = rest.split_at_checked(octets)?;
    *rest = after;
    Some(taken)
}

fn domain_list(value: &[u8], rest: &mut &[u8], style: PrintStyle, out: &mut Vec<u8>, lines: &mut Vec<Line>) {
    while !rest.is_empty() {
        let at = value.len() - rest.len();
        if at > 0 {
            out.extend_from_slice(if style.quotes { b", " } else { b" " });
        }
        let Ok((name, taken)) = unpack_domain_name(value, at) else {
            lines.push(Line::error("Invalid domain list."));
            return;
        };
        if style.quotes {
            out.push(b'"');
            labels(&name, out);
            out.push(b'"');
        } else if let Ok(text) = domain_name_text(&name) {
            out.extend(text);
            out.push(b'.');
        }
        *rest = rest.get(taken..).unwrap_or_default();
    }
}

/// The labels of an uncompressed name, escaped, each followed by a dot.
fn labels(name: &[u8], out: &mut Vec<u8>) {
    let mut rest = name;
    while let Some((&length @ 1.., after)) = rest.split_first() {
        let Some((label, next)) = after.split_at_checked(usize::from(length)) else {
            return;
        };
        escape(label, out);
        out.push(b'.');
        rest = next;
    }
}

/// Octets of the name at `at`, root label included; no compression (ISC `MRns_name_len`).
fn wire_length(value: &[u8], at: usize) -> Option<usize> {
    let mut end = at;
    loop {
        let length = usize::from(*value.get(end)?);
        end += 1;
        if length == 0 {
            return Some(end - at);
        }
        end += length;
        if end >= value.len() {
            return None;
        }
    }
}

/// Text with `\ooo` for what is not printable (a NUL at the end vanishes) and a backslash before what a shell or the
/// configuration would take for something else (ISC `pretty_escape`).
fn escape(text: &[u8], out: &mut Vec<u8>) {
    for (at, &c) in text.iter().enumerate() {
        match c {
            b'"' | b'\'' | b'$' | b'`' | b'\\' | b'|' | b'&' => out.extend_from_slice(&[b'\\', c]),
            c if is_print(c) => out.push(c),
            0 if at + 1 == text.len() => {}
            _ => out.extend_from_slice(&[b'\\', b'0' + (c >> 6), b'0' + (c >> 3 & 7), b'0' + (c & 7)]),
        }
    }
}

fn is_print(c: u8) -> bool {
    (0x20..0x7f).contains(&c)
}

/// The letters of one item.
fn letters(item: &Item) -> String {
    let mut letters = match &item.atom {
        Atom::Ip4 => "I".into(),
        Atom::Ip6 => "6".into(),
        Atom::Integer { octets, signed } => match (octets, signed) {
            (1, true) => "b".into(),
            (1, false) => "B".into(),
            (2, true) => "s".into(),
            (2, false) => "S".into(),
            (_, true) => "l".into(),
            (_, false) => String::from("L"),
        },
        Atom::Time => "T".into(),
        Atom::Flag => "f".into(),
        Atom::ImpliedFlag => "F".into(),
        Atom::Text => "t".into(),
        Atom::KeyName => "k".into(),
        Atom::String => "X".into(),
        Atom::DomainName => "d".into(),
        Atom::DomainList { compressed: false } => "D".into(),
        Atom::DomainList { compressed: true } => "Dc".into(),
        Atom::ZeroLength => "Z".into(),
        Atom::SpaceName => "U".into(),
        Atom::Enumeration(e) => format!("N{}.", e.name),
        Atom::Encapsulation(space) => format!("E{}.", space.as_deref().unwrap_or("")),
    };
    if item.optional {
        letters.push('o');
    }
    if item.repeated {
        letters.push('a');
    }
    letters
}

/// An IPv6 address as `inet_ntop` prints it: as Rust does, except that an IPv4-compatible address ends in dotted form.
pub fn ip6_text(address: Ipv6Addr) -> String {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => {
            format!("::{}", Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
        }
        _ => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::SpaceId;
    use proptest::prelude::*;

    fn print(format: &str, value: &[u8], style: PrintStyle) -> (String, Vec<String>) {
        let mut spaces = Spaces::new();
        let space: SpaceId = spaces.define_space("test", 1, 1);
        let option = spaces.define_option(space, "o", 1, Format::parse(format).unwrap()).unwrap();
        let mut lines = Vec::new();
        let text = print_option(&spaces, option, value, style, &mut lines);
        let lines = lines.into_iter().map(|line| String::from_utf8_lossy(&line.text).into_owned()).collect();
        (String::from_utf8(text).unwrap(), lines)
    }

    fn configuration(format: &str, value: &[u8]) -> String {
        let (text, lines) = print(format, value, PrintStyle::CONFIGURATION);
        assert!(lines.is_empty(), "{lines:?}");
        text
    }

    #[test]
    fn plain_types() {
        assert_eq!(configuration("IA", &[10, 0, 0, 1, 10, 0, 0, 2]), "10.0.0.1,10.0.0.2");
        assert_eq!(
            configuration("IIA", &[1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4]),
            "1.1.1.1 2.2.2.2,3.3.3.3 4.4.4.4"
        );
        assert_eq!(configuration("L", &[0, 0, 1, 0]), "256");
        assert_eq!(configuration("l", &[255, 255, 255, 254]), "-2");
        assert_eq!(configuration("s", &[255, 254]), "65534");
        assert_eq!(configuration("b", &[254]), "-2");
        assert_eq!(configuration("SA", &[1, 0, 0, 2]), "256,2");
        assert_eq!(configuration("T", &[255; 4]), "infinite");
        assert_eq!(configuration("f", &[2]), "true");
        assert_eq!(configuration("fIa", &[1, 1, 2, 3, 4, 5, 6, 7, 8]), "true 1.2.3.4,5.6.7.8");
        assert_eq!(configuration("fto", &[0]), "false");
        assert_eq!(configuration("Nstatus-codes.to", &[0, 2, b'n', b'o']), "NoAddrsAvail \"no\"");
        assert_eq!(configuration("6", &[0; 16]), "::");
        assert_eq!(ip6_text("::1.2.3.4".parse().unwrap()), "::1.2.3.4");
        assert_eq!(ip6_text("::1".parse().unwrap()), "::1");
        assert_eq!(print("IA", &[1, 2, 3, 4, 5, 6, 7, 8], PrintStyle::PLAIN).0, "1.2.3.4 5.6.7.8");
    }

    #[test]
    fn text_and_octets() {
        assert_eq!(configuration("t", b"a\"b'c$d\\e\x01\xff\0"), r#""a\"b\'c\$d\\e\001\377""#);
        assert_eq!(print("t", b"a b", PrintStyle::PLAIN).0, "a b");
        assert_eq!(configuration("X", b"eth0/1"), "\"eth0/1\"");
        assert_eq!(configuration("X", b"eth0\0"), "\"eth0\"");
        assert_eq!(configuration("X", &[1, 2, 255]), "1:2:ff");
        assert_eq!(configuration("X", &[]), "\"\"");
        assert_eq!(configuration("BX", &[0, 17, 18]), "011:12");
        assert_eq!(configuration("E.", &[1, 1, 5]), "1:1:5");
    }

    #[test]
    fn domain_names() {
        assert_eq!(configuration("d", b"\x02pc\x07example\0"), "pc.example.");
        assert_eq!(configuration("D", b"\x01a\x01b\0\x01c\0"), "\"a.b.\", \"c.\"");
        assert_eq!(configuration("Dc", b"\x01a\x01b\0\x01c\xc0\x02"), "\"a.b.\", \"c.b.\"");
        assert_eq!(print("D", b"\x01a\x01b\0\x01c\0", PrintStyle::PLAIN).0, "a.b. c.");
        let (text, lines) = print("d", b"\x05ab", PrintStyle::PLAIN);
        assert_eq!((text.as_str(), lines), ("<error>", vec!["Invalid domain name.".to_owned()]));
    }

    #[test]
    fn values_that_do_not_fit() {
        let printed = |format, value: &[u8]| print(format, value, PrintStyle::CONFIGURATION);
        assert_eq!(
            printed("I", &[1, 2]),
            ("<error>".into(), vec!["o: expecting at least 4 bytes; got 2".into()])
        );
        assert_eq!(printed("I", &[1, 2, 3, 4, 5]), ("1.2.3.4".into(), vec!["o: 1 extra bytes".into()]));
        assert_eq!(
            printed("IA", &[1, 2, 3, 4, 5]),
            ("1.2.3.4".into(), vec!["o: 1 extra bytes at end of array\n".into()])
        );
        assert_eq!(printed("IaB", &[1, 2, 3, 4, 5]).1[0], "o: Extra codes in format string: B");
    }

    /// `vectors.tsv` holds values that relays sent, how the real server (4.4.3-P1) wrote them to its lease file, and
    /// what it complained about.
    fn replay(vectors: &str) {
        let mut different = Vec::new();
        let mut count = 0;
        for row in vectors.lines().filter(|line| !line.starts_with('#')) {
            let columns: Vec<&str> = row.split('\t').collect();
            let &[format, hex, expected, complaints] = columns.as_slice() else { panic!("{row}") };
            // Empty values are not written.
            if expected == "-" {
                continue;
            }
            let mut value: Vec<u8> = (0..hex.len() / 2)
                .map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap())
                .collect();
            // As received: text without trailing NULs.
            let received = Format::parse(format).unwrap();
            while received.has_text() && value.len() > received.min_length() && value.last() == Some(&0) {
                value.pop();
            }
            let (text, lines) = print(format, &value, PrintStyle::CONFIGURATION);
            let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
            if text != expected || lines.join("|") != complaints {
                different.push(format!("{row}\n  {text} {lines:?}"));
            }
            count += 1;
        }
        assert!(
            count > 0 && different.is_empty(),
            "{} of {count} differ:\n{}",
            different.len(),
            different.join("\n")
        );
    }

    #[test]
    fn values_print_as_the_real_server_prints_them() {
        replay(include_str!("print/vectors.tsv"));
    }

    proptest! {
        #[test]
        fn octets_never_panic(
            format in prop::sample::select(vec!["IA", "fIa", "BB6Ia", "fto", "BIID", "d", "Dc", "X", "BX", "T", "Nstatus-codes.to", "Z", "", "U", "IaB", "Sa", "t"]),
            value: Vec<u8>,
            commas: bool,
            quotes: bool,
        ) {
            let _ = print(format, &value, PrintStyle { commas, quotes });
        }
    }
}
