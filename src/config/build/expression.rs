//! Expressions: names become options, the rest keeps its shape (ISC `common/parse.c:parse_non_binary`).
//!
//! The syntax tree has the types right already; what is left is what needs definitions.

use super::{Builder, Refused};
use crate::config::diagnostic::{Code, Diagnostic, Severity};
use crate::config::tree::{Arithmetic, Expr, IntWidth, Octets};
use crate::options::OptionId;
use crate::syntax::{self, BinaryOperator, Constant, ExprKind, OptionName};

/// The only collection there is.
const COLLECTION: &[u8] = b"default";

/// How many operators or operands one after the other: the tree leans to the left, one level for each, and is walked
/// recursively.
const LONGEST_CHAIN: usize = 3000;

impl Builder {
    /// An expression.
    pub fn expression(&mut self, written: &syntax::Expr) -> Result<Expr, Refused> {
        let one = |builder: &mut Self, e: &syntax::Expr| builder.expression(e).map(Box::new);
        Ok(match &written.kind {
            ExprKind::String(octets) | ExprKind::Hex(octets) => Expr::Data(Octets::new(octets)),
            ExprKind::Substring { data, offset, length } => {
                Expr::Substring(self.operands([data, offset, length])?)
            }
            ExprKind::Suffix { data, length } => Expr::Suffix(self.operands([data, length])?),
            ExprKind::Lcase(data) => Expr::Lcase(one(self, data)?),
            ExprKind::Ucase(data) => Expr::Ucase(one(self, data)?),
            ExprKind::Concat(parts) => {
                self.expect_chain(parts.len(), written)?;
                let mut whole: Option<Expr> = None;
                for part in parts {
                    let part = self.expression(part)?;
                    whole = Some(match whole {
                        None => part,
                        Some(left) => Expr::Concat(Box::new([left, part])),
                    });
                }
                whole.unwrap_or(Expr::Null)
            }
            ExprKind::Pick(parts) => Expr::Pick(self.list(parts)?),
            ExprKind::Reverse { width, data } => Expr::Reverse(self.operands([width, data])?),
            ExprKind::BinaryToAscii { base, width, separator, data } => {
                Expr::BinaryToAscii(self.operands([base, width, separator, data])?)
            }
            ExprKind::EncodeInt { value, width } => Expr::EncodeInt(int_width(*width), one(self, value)?),
            ExprKind::Packet { offset, length } => Expr::Packet(self.operands([offset, length])?),
            ExprKind::V6Relay { relay, data } => Expr::V6Relay(self.operands([relay, data])?),
            ExprKind::GetHostName => Expr::Gethostname,
            ExprKind::GetHostByName(name) => Expr::HostLookup(self.name(&name.text)),
            ExprKind::Option(name) => Expr::Option(self.option_of(name)?),
            ExprKind::ConfigOption(name) => Expr::ConfigOption(self.option_of(name)?),
            ExprKind::Hardware => Expr::Hardware,
            ExprKind::LeasedAddress => Expr::LeasedAddress,
            ExprKind::HostDeclName => Expr::HostDeclName,
            ExprKind::Filename => Expr::Filename,
            ExprKind::ServerName => Expr::ServerName,
            ExprKind::Null => Expr::Null,
            ExprKind::Number(number) => Expr::Number(i64::from(*number)),
            ExprKind::ExtractInt { data, width } => Expr::ExtractInt(int_width(*width), one(self, data)?),
            ExprKind::LeaseTime => Expr::LeaseTime,
            ExprKind::ClientState => Expr::ClientState,
            ExprKind::Constant(constant) => Expr::Number(named_number(*constant)),
            ExprKind::Exists(name) => Expr::Exists(self.option_of(name)?),
            ExprKind::Known => Expr::Known,
            ExprKind::Static => Expr::Static,
            ExprKind::Check(name) => {
                if *name.text != *COLLECTION {
                    self.at(name.span);
                    return Err(self.refuse(Code::CollectionUnknown, "unknown collection."));
                }
                Expr::Check(self.name(&name.text))
            }
            ExprKind::Defined(name) => Expr::Defined(self.name(&name.text)),
            ExprKind::Not(inner) => Expr::Not(one(self, inner)?),
            ExprKind::Variable(name) => Expr::Variable(self.name(&name.text)),
            ExprKind::Call { name, arguments } => {
                Expr::Call { name: self.name(&name.text), arguments: self.list(arguments)? }
            }
            ExprKind::Operation { first, rest } => {
                self.expect_chain(rest.len(), written)?;
                let mut left = self.expression(first)?;
                for (operator, right) in rest {
                    let right = self.expression(right)?;
                    left = operation(*operator, left, right);
                }
                left
            }
        })
    }

    fn operands<const N: usize>(&mut self, written: [&syntax::Expr; N]) -> Result<Box<[Expr; N]>, Refused> {
        let mut operands = Vec::with_capacity(N);
        for operand in written {
            operands.push(self.expression(operand)?);
        }
        // One for each of N.
        operands.into_boxed_slice().try_into().map_err(|_| Refused)
    }

    fn list(&mut self, written: &[syntax::Expr]) -> Result<Vec<Expr>, Refused> {
        written.iter().map(|expr| self.expression(expr)).collect()
    }

    fn expect_chain(&mut self, length: usize, written: &syntax::Expr) -> Result<(), Refused> {
        if length <= LONGEST_CHAIN {
            return Ok(());
        }
        let text = format!("more than {LONGEST_CHAIN} operands in one expression");
        Err(self.report(Diagnostic::own(Code::TooDeep, Severity::Error, written.span, text)))
    }

    /// The option of a name in an expression or executable statement.
    pub(super) fn option_of(&mut self, name: &OptionName) -> Result<OptionId, Refused> {
        self.at(name.span);
        self.option_named(name.space.as_ref().map(|space| &*space.text), &name.name.text)
    }
}

fn operation(operator: BinaryOperator, left: Expr, right: Expr) -> Expr {
    let sides = Box::new([left, right]);
    let arithmetic = |which, sides| Expr::Arithmetic(which, sides);
    match operator {
        BinaryOperator::Equal => Expr::Equal(sides),
        BinaryOperator::NotEqual => Expr::NotEqual(sides),
        BinaryOperator::RegexMatch => Expr::Regex { ignore_case: false, sides },
        BinaryOperator::RegexMatchIgnoringCase => Expr::Regex { ignore_case: true, sides },
        BinaryOperator::And => Expr::And(sides),
        BinaryOperator::Or => Expr::Or(sides),
        BinaryOperator::Add => arithmetic(Arithmetic::Add, sides),
        BinaryOperator::Divide => arithmetic(Arithmetic::Divide, sides),
        BinaryOperator::Multiply => arithmetic(Arithmetic::Multiply, sides),
        BinaryOperator::Remainder => arithmetic(Arithmetic::Remainder, sides),
        BinaryOperator::BinaryAnd => arithmetic(Arithmetic::And, sides),
        BinaryOperator::BinaryOr => arithmetic(Arithmetic::Or, sides),
        BinaryOperator::BinaryXor => arithmetic(Arithmetic::Xor, sides),
    }
}

fn int_width(width: syntax::IntWidth) -> IntWidth {
    match width {
        syntax::IntWidth::Bits8 => IntWidth::One,
        syntax::IntWidth::Bits16 => IntWidth::Two,
        syntax::IntWidth::Bits32 => IntWidth::Four,
    }
}

/// dhcpd's result codes and client states behind the words.
fn named_number(constant: Constant) -> i64 {
    match constant {
        Constant::Formerr => 1,
        Constant::Noerror => 0,
        Constant::Notimp => 27,
        Constant::Servfail => 393_230,
        Constant::Nxdomain => 393_231,
        Constant::Refused => 393_233,
        Constant::Yxdomain => 393_234,
        Constant::Yxrrset => 393_235,
        Constant::Nxrrset => 393_236,
        Constant::Notauth => 393_237,
        Constant::Notzone => 393_238,
        Constant::Reboot => 1,
        Constant::Booting => 2,
        Constant::Select => 3,
        Constant::Request => 4,
        Constant::Bound => 5,
        Constant::Renew => 6,
        Constant::Rebind => 7,
    }
}

/// The parts of a value one after the other. With `join` constants next to each other become one; without, the
/// expression is what dhcpd's parser builds and prints.
pub(super) fn joined(parts: Vec<Expr>, join: bool) -> Option<Expr> {
    if !join && parts.len() <= LONGEST_CHAIN {
        return parts.into_iter().reduce(|left, right| Expr::Concat(Box::new([left, right])));
    }
    let mut merged: Vec<Expr> = Vec::new();
    let mut run: Vec<u8> = Vec::new();
    let mut in_run = false;
    let flush = |merged: &mut Vec<Expr>, run: &mut Vec<u8>| {
        merged.push(Expr::Data(std::mem::take(run).into()));
    };
    for part in parts {
        match part {
            Expr::Data(octets) => {
                run.extend_from_slice(&octets);
                in_run = true;
            }
            other => {
                if std::mem::take(&mut in_run) {
                    flush(&mut merged, &mut run);
                }
                merged.push(other);
            }
        }
    }
    if in_run {
        flush(&mut merged, &mut run);
    }
    // Host names still to be looked up can be many, too; what is beyond the limit nobody can send.
    merged.truncate(LONGEST_CHAIN);
    merged.into_iter().reduce(|left, right| Expr::Concat(Box::new([left, right])))
}

/// The value of a data expression that needs neither packet nor lease; `None` when it does, or fails.
pub(super) fn constant(expression: &Expr) -> Option<Octets> {
    let number = |expression: &Expr| match expression {
        Expr::Number(number) => usize::try_from(*number).ok(),
        _ => None,
    };
    match expression {
        Expr::Data(octets) => Some(octets.clone()),
        Expr::Concat(sides) => Some(constant(&sides[0])?.concat(&constant(&sides[1])?)),
        Expr::Lcase(data) => Some(constant(data)?.to_ascii_lowercase().into()),
        Expr::Ucase(data) => Some(constant(data)?.to_ascii_uppercase().into()),
        Expr::Substring(parts) => {
            let data = constant(&parts[0])?;
            let (offset, length) = (number(&parts[1])?, number(&parts[2])?);
            let end = data.len().min(offset.saturating_add(length));
            Some(Octets::new(data.get(offset..end).unwrap_or_default()))
        }
        Expr::Suffix(parts) => {
            let data = constant(&parts[0])?;
            let start = data.len().saturating_sub(number(&parts[1])?);
            Some(Octets::new(data.get(start..).unwrap_or_default()))
        }
        Expr::EncodeInt(width, value) => {
            let Expr::Number(value) = **value else { return None };
            let octets = value.to_be_bytes();
            let keep = match width {
                IntWidth::One => 1,
                IntWidth::Two => 2,
                IntWidth::Four => 4,
            };
            Some(Octets::new(octets.get(octets.len() - keep..).unwrap_or(&octets)))
        }
        Expr::Pick(parts) => parts.iter().find_map(constant),
        _ => None,
    }
}
