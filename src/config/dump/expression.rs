//! Expressions as text that reads back as the same tree.
//!
//! dhcpd's grammar makes that less than obvious. How a number is read depends on the type of what stands to its left,
//! so [`Expected`] goes down with the operands as in `syntax/build/expressions.rs`. The precedence of operators is odd
//! and the right side of an operator may swallow the rest, so operands that are operations stand in parentheses.

use super::text;
use crate::config::tree::{Arithmetic, Expr, IntWidth};
use crate::options::{OptionId, Spaces};

/// What dhcpd expects where an operand stands, and so how it reads a bare number there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// A number is a hexadecimal octet.
    Octets,
    /// A number is a number.
    Numeric,
    /// The label of a `case`: as before, but octets would take the colon behind the label for one of theirs.
    NumericLabel,
    /// The label of a `case` in a switch over data.
    OctetsLabel,
}

/// The parentheses around the left sides of a run of operators that are written for readers alone.
const COURTESY: usize = 20;

/// How an option is reached by name: as `NAME`, or `SPACE.NAME` outside of `dhcp`. And which option that is now: when
/// a later definition has taken both its name and its code, it is the one of that code.
pub(super) fn option_name(spaces: &Spaces, option: OptionId) -> (String, OptionId) {
    let name = spaces.name(option);
    if spaces.option_named(option.space, &*name) == Some(option) {
        return (spaces.full_name(option), option);
    }
    let now = spaces.by_code(option.space, option.code);
    let newest = spaces.name(now);
    if !now.is_unknown() && spaces.option_named(now.space, &*newest) == Some(now) {
        return (spaces.full_name(now), now);
    }
    (spaces.full_name(OptionId::unknown(option.space, option.code)), now)
}

/// An expression where data, or anything at all, is expected.
pub(super) fn expression(spaces: &Spaces, expression: &Expr, expected: Expected) -> Vec<u8> {
    let mut printer = Printer { spaces, out: Vec::new() };
    printer.expression(expression, expected);
    printer.out
}

/// A condition of `if`, which takes a leading parenthesis for its own.
pub(super) fn condition(spaces: &Spaces, condition: &Expr) -> Vec<u8> {
    let text = expression(spaces, condition, Expected::Octets);
    if text.first() == Some(&b'(') { [b"(", &*text, b")"].concat() } else { text }
}

struct Printer<'a> {
    spaces: &'a Spaces,
    out: Vec<u8>,
}

impl Printer<'_> {
    fn put(&mut self, text: impl AsRef<[u8]>) {
        self.out.extend_from_slice(text.as_ref());
    }

    fn expression(&mut self, expression: &Expr, expected: Expected) {
        use Expected::{Numeric, Octets};
        match expression {
            Expr::Data(octets) => self.data(octets, expected),
            Expr::Substring(parts) => self.call("substring", parts.iter().zip([Octets, Numeric, Numeric])),
            Expr::Suffix(parts) => self.call("suffix", parts.iter().zip([Octets, Numeric])),
            Expr::Lcase(data) => self.call("lcase", [(&**data, Octets)]),
            Expr::Ucase(data) => self.call("ucase", [(&**data, Octets)]),
            Expr::Concat(_) | Expr::ConcatDomainLists(_) => self.concat(expression),
            Expr::Reverse(parts) => self.call("reverse", parts.iter().zip([Numeric, Octets])),
            Expr::BinaryToAscii(parts) => {
                self.call("binary-to-ascii", parts.iter().zip([Numeric, Numeric, Octets, Octets]));
            }
            Expr::EncodeInt(width, value) => self.integer("encode-int", value, Numeric, *width),
            Expr::ExtractInt(width, data) => self.integer("extract-int", data, Octets, *width),
            Expr::Pick(parts) => self.call("pick-first-value", parts.iter().map(|part| (part, Octets))),
            Expr::Packet(parts) => self.call("packet", parts.iter().zip([Numeric, Numeric])),
            Expr::V6Relay(parts) => self.call("v6relay", parts.iter().zip([Numeric, Octets])),
            Expr::Gethostname => self.put("gethostname()"),
            Expr::HostLookup(name) => {
                self.put("gethostbyname(");
                self.put(text::quoted(name.as_bytes()));
                self.put(")");
            }
            Expr::Option(option) => self.option("option", *option),
            Expr::ConfigOption(option) => self.option("config-option", *option),
            Expr::Exists(option) => self.option("exists", *option),
            Expr::Hardware => self.put("hardware"),
            Expr::LeasedAddress => self.put("leased-address"),
            Expr::HostDeclName => self.put("host-decl-name"),
            Expr::Filename => self.put("filename"),
            Expr::ServerName => self.put("server-name"),
            // A function stands on the right side of `set` alone, which is written in another way.
            Expr::Null | Expr::Function(_) => self.put("null"),
            Expr::Number(number) => self.number(*number, expected),
            Expr::LeaseTime => self.put("lease-time"),
            Expr::ClientState => self.put("client-state"),
            Expr::Known => self.put("known"),
            Expr::Static => self.put("static"),
            Expr::Check(collection) => {
                self.put("check ");
                self.put(text::quoted(collection.as_bytes()));
            }
            Expr::Defined(name) => self.put(format!("defined({name})")),
            Expr::Not(inner) => {
                self.put("not ");
                self.operand(inner, Octets);
            }
            Expr::Variable(name) => self.put(&**name),
            Expr::Call { name, arguments } => {
                self.call(name, arguments.iter().map(|argument| (argument, Octets)));
            }
            Expr::Arithmetic(..)
            | Expr::Equal(_)
            | Expr::NotEqual(_)
            | Expr::And(_)
            | Expr::Or(_)
            | Expr::Regex { .. } => self.operation(expression, expected, false),
        }
    }

    /// Where a number may stand, the first octet would be taken for one; a label's colon for that of more octets.
    fn data(&mut self, octets: &[u8], expected: Expected) {
        let string = text::is_text(octets) || expected != Expected::Octets;
        self.put(if string { text::quoted(octets) } else { text::hex(octets) });
    }

    /// A number where a bare one would be octets can only have been one of the words for numbers.
    fn number(&mut self, number: i64, expected: Expected) {
        const WORDS: [(i64, &str); 17] = [
            (0, "noerror"),
            (1, "formerr"),
            (2, "booting"),
            (3, "select"),
            (4, "request"),
            (5, "bound"),
            (6, "renew"),
            (7, "rebind"),
            (27, "notimp"),
            (393_230, "servfail"),
            (393_231, "nxdomain"),
            (393_233, "refused"),
            (393_234, "yxdomain"),
            (393_235, "yxrrset"),
            (393_236, "nxrrset"),
            (393_237, "notauth"),
            (393_238, "notzone"),
        ];
        let word = WORDS.iter().find(|(value, _)| *value == number);
        match word {
            Some((_, word)) if matches!(expected, Expected::Octets | Expected::OctetsLabel) => self.put(word),
            _ => self.put(number.to_string()),
        }
    }

    fn call<'e>(&mut self, name: &str, arguments: impl IntoIterator<Item = (&'e Expr, Expected)>) {
        self.put(name);
        for (at, (argument, expected)) in arguments.into_iter().enumerate() {
            self.put(if at == 0 { "(" } else { ", " });
            self.expression(argument, expected);
        }
        self.put(")");
    }

    fn integer(&mut self, name: &str, operand: &Expr, expected: Expected, width: IntWidth) {
        self.put(name);
        self.put("(");
        self.expression(operand, expected);
        self.put(match width {
            IntWidth::One => ", 8)",
            IntWidth::Two => ", 16)",
            IntWidth::Four => ", 32)",
        });
    }

    /// What hangs on the left side, as parsed, is listed.
    fn concat(&mut self, expression: &Expr) {
        let mut parts = Vec::new();
        let mut at = expression;
        while let Expr::Concat(sides) | Expr::ConcatDomainLists(sides) = at {
            parts.push(&sides[1]);
            at = &sides[0];
        }
        parts.push(at);
        self.call("concat", parts.into_iter().rev().map(|part| (part, Expected::Octets)));
    }

    fn option(&mut self, word: &str, option: OptionId) {
        let (name, _) = option_name(self.spaces, option);
        self.put(format!("{word} {name}"));
    }

    /// An operand, in parentheses when it is an operation.
    fn operand(&mut self, expression: &Expr, expected: Expected) {
        if sides(expression).is_none() {
            return self.expression(expression, expected);
        }
        self.put("(");
        self.expression(expression, expected);
        self.put(")");
    }

    /// A run of operators that leans to the left, as a chain does. `swallowed`: it is the right side of a looser
    /// operator without parentheses around it.
    fn operation(&mut self, expression: &Expr, expected: Expected, swallowed: bool) {
        let mut run = Vec::new();
        let mut first = expression;
        while let Some((operator, [left, right])) = sides(first) {
            run.push((operator, right));
            first = left;
        }
        run.reverse();
        let start = self.out.len();
        self.expression(first, expected);
        let mut before: Option<Operator> = None;
        let mut left = kind(first);
        let mut courtesies = 0;
        for (at, (operator, right)) in run.iter().enumerate() {
            if let Some(before) = before.filter(|before| before.word != operator.word) {
                let needed = before.precedence < operator.precedence;
                // How a number is read depends on the last operand; behind a parenthesis, on the whole.
                let readable = !begins_with_number(right) || before.kind == Kind::Numeric;
                if needed || (courtesies < COURTESY && readable && !swallowed) {
                    self.out.insert(start, b'(');
                    self.put(")");
                    courtesies += 1;
                    left = before.kind;
                }
            }
            self.put(format!(" {} ", operator.word));
            let expected = match at {
                0 if swallowed && operator.arithmetic => Expected::Numeric,
                _ if left == Kind::Numeric => Expected::Numeric,
                _ => Expected::Octets,
            };
            let last = at + 1 == run.len();
            if last && must_be_swallowed(right, *operator) {
                self.operation(right, expected, true);
            } else {
                self.operand(right, expected);
            }
            left = kind(right);
            before = Some(*operator);
        }
    }
}

/// What dhcpd's parser takes an expression for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Any,
    Boolean,
    Data,
    Numeric,
}

#[derive(Clone, Copy)]
struct Operator {
    word: &'static str,
    precedence: u8,
    kind: Kind,
    arithmetic: bool,
}

fn sides(expression: &Expr) -> Option<(Operator, &[Expr; 2])> {
    let (word, precedence, kind, sides) = match expression {
        Expr::Equal(sides) => ("=", 4, Kind::Boolean, sides),
        Expr::NotEqual(sides) => ("!=", 4, Kind::Boolean, sides),
        Expr::Regex { ignore_case: false, sides } => ("~=", 4, Kind::Boolean, sides),
        Expr::Regex { ignore_case: true, sides } => ("~~", 4, Kind::Boolean, sides),
        Expr::And(sides) => ("and", 3, Kind::Boolean, sides),
        Expr::Or(sides) => ("or", 3, Kind::Boolean, sides),
        Expr::Arithmetic(operator, sides) => {
            let (word, precedence) = match operator {
                Arithmetic::And => ("&", 100),
                Arithmetic::Or => ("|", 100),
                Arithmetic::Xor => ("^", 100),
                Arithmetic::Add => ("+", 2),
                // Never read: a `-` belongs to the number behind it.
                Arithmetic::Subtract => ("-", 2),
                Arithmetic::Multiply => ("*", 1),
                Arithmetic::Divide => ("/", 1),
                Arithmetic::Remainder => ("%", 1),
            };
            (word, precedence, Kind::Numeric, sides)
        }
        _ => return None,
    };
    Some((Operator { word, precedence, kind, arithmetic: kind == Kind::Numeric }, sides))
}

fn kind(expression: &Expr) -> Kind {
    match expression {
        Expr::Variable(_) | Expr::Call { .. } => Kind::Any,
        Expr::Number(_) | Expr::ExtractInt(..) | Expr::LeaseTime | Expr::ClientState => Kind::Numeric,
        Expr::Exists(_) | Expr::Known | Expr::Static | Expr::Check(_) | Expr::Defined(_) | Expr::Not(_) => {
            Kind::Boolean
        }
        expression => sides(expression).map_or(Kind::Data, |(operator, _)| operator.kind),
    }
}

fn begins_with_number(expression: &Expr) -> bool {
    let mut at = expression;
    while let Some((_, [left, _])) = sides(at) {
        at = left;
    }
    matches!(at, Expr::Number(_))
}

/// A number behind a variable is one only where a tighter operator took both away from a looser one, so no parenthesis
/// may come between.
fn must_be_swallowed(expression: &Expr, looser: Operator) -> bool {
    let mut at = expression;
    let mut all_tighter = true;
    let mut behind_any = false;
    while let Some((operator, [left, right])) = sides(at) {
        all_tighter &= operator.precedence > looser.precedence;
        behind_any = operator.arithmetic && kind(left) == Kind::Any && begins_with_number(right);
        at = left;
    }
    all_tighter && behind_any
}
