//! Expressions: from a flat list of operands and operators to a tree, as dhcpd's parser folds it.
//!
//! dhcpd's rules (ISC `parse.c:parse_expression`, `tree.c:op_val`) are kept as they are: the tighter operator has the
//! larger number, but `=` stands above `and`, which stands above `+`, which stands above `*`; and when the operator
//! behind a right operand binds tighter, everything that is left of the expression becomes the right operand.
//!
//! How a number is read depends on what is expected where it stands: at first by the statement, then by the type of
//! the operand before the last operator.

use std::iter::Peekable;

use super::super::MAX_DEPTH;
use super::super::ast::{Fault, FaultKind};
use super::super::expr::{BinaryOperator, Constant, Expr, ExprKind, ExprType, IntWidth, TypeFault};
use super::super::keyword::classify;
use super::super::lexical::atoi;
use super::super::source::Span;
use super::super::token::WordClass;
use super::{Built, Children, FileBuilder, P, Rule, inner};

/// What is expected where an operand stands.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Expected {
    Any,
    Boolean,
    Data,
    Numeric,
    DataOrNumeric,
}

impl From<ExprType> for Expected {
    fn from(expr_type: ExprType) -> Expected {
        match expr_type {
            ExprType::Any => Expected::Any,
            ExprType::Boolean => Expected::Boolean,
            ExprType::Data => Expected::Data,
            ExprType::Numeric => Expected::Numeric,
        }
    }
}

impl FileBuilder<'_, '_> {
    /// An expression whose type is not looked at.
    pub(super) fn expression(&self, pair: P<'_>, expected: Expected) -> Built<Expr> {
        self.fold(&mut inner(pair).peekable(), expected, None)
    }

    pub(super) fn boolean(&self, pair: P<'_>) -> Built<Expr> {
        let expr = self.expression(pair, Expected::Boolean)?;
        typed(expr, ExprType::Boolean, TypeFault::WantBoolean)
    }

    pub(super) fn data(&self, pair: P<'_>) -> Built<Expr> {
        let expr = self.expression(pair, Expected::Data)?;
        typed(expr, ExprType::Data, TypeFault::WantData)
    }

    fn numeric(&self, pair: P<'_>) -> Built<Expr> {
        let expr = self.expression(pair, Expected::Numeric)?;
        typed(expr, ExprType::Numeric, TypeFault::WantNumeric)
    }

    /// Folds the rest of a list. `left` is the operand and operator that were read already.
    fn fold<'i>(
        &self,
        list: &mut Peekable<impl Iterator<Item = P<'i>>>,
        mut expected: Expected,
        left: Option<(Expr, BinaryOperator)>,
    ) -> Built<Expr> {
        let mut left = left;
        loop {
            let operand = list.next().ok_or_else(|| Fault {
                kind: FaultKind::Unexpected,
                span: left.as_ref().map_or_else(|| self.span_of(0, 0), |(left, _)| left.span),
            })?;
            let mut right = self.operand(operand, expected)?;
            let mut next = list.peek().and_then(|pair| operator(pair.as_str()));
            if next.is_some() {
                expected = right.expr_type().into();
            }
            let Some((left_operand, binary)) = left.take() else {
                let Some(next) = next else { return Ok(right) };
                list.next();
                left = Some((right, next));
                continue;
            };
            if let Some(tighter) = next.filter(|next| precedence(binary) < precedence(*next)) {
                list.next();
                let inside = match tighter {
                    BinaryOperator::And | BinaryOperator::Or => Expected::Boolean,
                    BinaryOperator::Equal
                    | BinaryOperator::NotEqual
                    | BinaryOperator::RegexMatch
                    | BinaryOperator::RegexMatchIgnoringCase => Expected::Data,
                    _ => Expected::Numeric,
                };
                right = self.fold(list, inside, Some((right, tighter)))?;
                next = None;
            }
            relate(&left_operand, binary, &right)?;
            let combined = combine(left_operand, binary, right);
            let Some(next) = next else { return Ok(combined) };
            list.next();
            left = Some((combined, next));
        }
    }

    /// `not` and what it is applied to.
    fn operand(&self, pair: P<'_>, expected: Expected) -> Built<Expr> {
        let mut children = Children::of(self, pair);
        let mut negations: Vec<Span> = Vec::new();
        while let Some(not) = children.take_if(Rule::negation) {
            negations.push(self.span(&not));
        }
        if let Some(last) = negations.get(MAX_DEPTH) {
            return Err(Fault { kind: FaultKind::TooDeep, span: *last });
        }
        let expected = if negations.is_empty() { expected } else { Expected::Boolean };
        let mut expr = self.primary(children.required()?, expected)?;
        for not in negations.into_iter().rev() {
            if expr.expr_type() != ExprType::Boolean {
                return Err(Fault { kind: FaultKind::Type(TypeFault::NotBoolean), span: expr.span });
            }
            expr = Expr { span: not.to(expr.span), kind: ExprKind::Not(Box::new(expr)) };
        }
        Ok(expr)
    }

    fn primary(&self, pair: P<'_>, expected: Expected) -> Built<Expr> {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::string => ExprKind::String(self.string(&pair)?),
            Rule::hex_list => self.number_or_octets(&pair, expected)?,
            Rule::simple_value => self.simple_value(&pair)?,
            Rule::constant => ExprKind::Constant(constant(pair.as_str()).ok_or_else(|| unexpected(span))?),
            Rule::gethostname => ExprKind::GetHostName,
            rule => return self.composite(rule, pair, expected, span),
        };
        Ok(Expr { span, kind })
    }

    fn composite(&self, rule: Rule, pair: P<'_>, expected: Expected, span: Span) -> Built<Expr> {
        let mut children = Children::of(self, pair);
        let first = children.required()?;
        let kind = match rule {
            Rule::parenthesis => return self.expression(first, expected),
            Rule::option_reference => ExprKind::Option(self.option_name(first)?),
            Rule::config_option => ExprKind::ConfigOption(self.option_name(first)?),
            Rule::exists => ExprKind::Exists(self.option_name(first)?),
            Rule::check => ExprKind::Check(self.name(first)?),
            Rule::defined => ExprKind::Defined(self.variable(&first)?),
            Rule::gethostbyname => ExprKind::GetHostByName(self.name(first)?),
            Rule::substring => ExprKind::Substring {
                data: Box::new(self.data(first)?),
                offset: Box::new(self.numeric(children.required()?)?),
                length: Box::new(self.numeric(children.required()?)?),
            },
            Rule::suffix => ExprKind::Suffix {
                data: Box::new(self.data(first)?),
                length: Box::new(self.numeric(children.required()?)?),
            },
            Rule::lcase => ExprKind::Lcase(Box::new(self.data(first)?)),
            Rule::ucase => ExprKind::Ucase(Box::new(self.data(first)?)),
            Rule::concat | Rule::pick => {
                let operands = std::iter::once(first).chain(children).map(|pair| self.data(pair));
                let operands = operands.collect::<Built<Vec<Expr>>>()?;
                if rule == Rule::concat { ExprKind::Concat(operands) } else { ExprKind::Pick(operands) }
            }
            Rule::reverse => ExprKind::Reverse {
                width: Box::new(self.numeric(first)?),
                data: Box::new(self.data(children.required()?)?),
            },
            Rule::binary_to_ascii => ExprKind::BinaryToAscii {
                base: Box::new(self.numeric(first)?),
                width: Box::new(self.numeric(children.required()?)?),
                separator: Box::new(self.data(children.required()?)?),
                data: Box::new(self.data(children.required()?)?),
            },
            Rule::encode_int => ExprKind::EncodeInt {
                value: Box::new(self.numeric(first)?),
                width: self.int_width(&children.required()?)?,
            },
            Rule::extract_int => ExprKind::ExtractInt {
                data: Box::new(self.data(first)?),
                width: self.int_width(&children.required()?)?,
            },
            Rule::packet => ExprKind::Packet {
                offset: Box::new(self.numeric(first)?),
                length: Box::new(self.numeric(children.required()?)?),
            },
            Rule::v6relay => ExprKind::V6Relay {
                relay: Box::new(self.numeric(first)?),
                data: Box::new(self.data(children.required()?)?),
            },
            _ => {
                let name = self.variable(&first)?;
                match children.next() {
                    Some(arguments) => {
                        let arguments = inner(arguments).map(|pair| self.expression(pair, Expected::Any));
                        ExprKind::Call { name, arguments: arguments.collect::<Built<Vec<Expr>>>()? }
                    }
                    None => ExprKind::Variable(name),
                }
            }
        };
        Ok(Expr { span, kind })
    }

    /// Where a number is expected a NUMBER token is one; everywhere else it is a hexadecimal octet.
    fn number_or_octets(&self, pair: &P<'_>, expected: Expected) -> Built<ExprKind> {
        if matches!(expected, Expected::Numeric | Expected::DataOrNumeric) {
            let (first, count) = self.first_word(pair);
            if classify(self.octets_at(first)) == WordClass::Number {
                if count > 1 {
                    return Err(unexpected(Span::new(first.file, first.end, self.span(pair).end)));
                }
                return Ok(ExprKind::Number(atoi(self.octets_at(first))));
            }
        }
        Ok(ExprKind::Hex(self.hex_list(pair)?))
    }

    fn int_width(&self, pair: &P<'_>) -> Built<IntWidth> {
        match atoi(pair.as_str().as_bytes()) {
            8 => Ok(IntWidth::Bits8),
            16 => Ok(IntWidth::Bits16),
            32 => Ok(IntWidth::Bits32),
            _ => Err(Fault { kind: FaultKind::BadIntegerSize, span: self.span(pair) }),
        }
    }

    fn simple_value(&self, pair: &P<'_>) -> Built<ExprKind> {
        Ok(match pair.as_str().to_ascii_lowercase().as_str() {
            "hardware" => ExprKind::Hardware,
            "leased-address" => ExprKind::LeasedAddress,
            "host-decl-name" => ExprKind::HostDeclName,
            "filename" => ExprKind::Filename,
            "server-name" => ExprKind::ServerName,
            "null" => ExprKind::Null,
            "lease-time" => ExprKind::LeaseTime,
            "client-state" => ExprKind::ClientState,
            "known" => ExprKind::Known,
            "static" => ExprKind::Static,
            _ => return Err(unexpected(self.span(pair))),
        })
    }
}

fn unexpected(span: Span) -> Fault {
    Fault { kind: FaultKind::Unexpected, span }
}

/// An expression that must have a type, as far as it has one.
fn typed(expr: Expr, wanted: ExprType, fault: TypeFault) -> Built<Expr> {
    match expr.expr_type() {
        ExprType::Any => Ok(expr),
        expr_type if expr_type == wanted => Ok(expr),
        _ => Err(Fault { kind: FaultKind::Type(fault), span: expr.span }),
    }
}

/// Whether an operator may stand between these two.
fn relate(left: &Expr, operator: BinaryOperator, right: &Expr) -> Built<()> {
    use BinaryOperator::*;
    let (left_type, right_type) = (left.expr_type(), right.expr_type());
    let span = left.span.to(right.span);
    let fault = |fault| Err(Fault { kind: FaultKind::Type(fault), span });
    if left_type != right_type && left_type != ExprType::Any && right_type != ExprType::Any {
        return fault(TypeFault::DifferentTypes);
    }
    match operator {
        Equal | NotEqual if right_type == ExprType::Boolean => fault(TypeFault::DataOrNumeric),
        // Only this one wants to know that it is data; `~~` takes anything.
        RegexMatch if right_type != ExprType::Data => fault(TypeFault::RegexData),
        And | Or if !matches!(right_type, ExprType::Boolean | ExprType::Any) => fault(TypeFault::Booleans),
        Add | Divide | Multiply | Remainder | BinaryAnd | BinaryOr | BinaryXor
            if !matches!(right_type, ExprType::Numeric | ExprType::Any) =>
        {
            fault(TypeFault::Numerics)
        }
        _ => Ok(()),
    }
}

fn combine(left: Expr, operator: BinaryOperator, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    let kind = match left {
        // A chain stays flat; from left to right it means the same.
        Expr { kind: ExprKind::Operation { first, mut rest }, .. } => {
            rest.push((operator, right));
            ExprKind::Operation { first, rest }
        }
        left => ExprKind::Operation { first: Box::new(left), rest: vec![(operator, right)] },
    };
    Expr { span, kind }
}

/// How tightly an operator binds; the larger, the tighter.
fn precedence(operator: BinaryOperator) -> u8 {
    use BinaryOperator::*;
    match operator {
        BinaryAnd | BinaryOr | BinaryXor => 100,
        Equal | NotEqual | RegexMatch | RegexMatchIgnoringCase => 4,
        And | Or => 3,
        Add => 2,
        Multiply | Divide | Remainder => 1,
    }
}

/// The operator of a text; between the two characters of one there may be white space.
fn operator(text: &str) -> Option<BinaryOperator> {
    use BinaryOperator::*;
    let bytes = text.as_bytes();
    Some(match (bytes.first()?.to_ascii_lowercase(), bytes.last()?) {
        (b'=', _) => Equal,
        (b'!', _) => NotEqual,
        (b'~', b'=') => RegexMatch,
        (b'~', _) => RegexMatchIgnoringCase,
        (b'a', _) => And,
        (b'o', _) => Or,
        (b'+', _) => Add,
        (b'*', _) => Multiply,
        (b'/', _) => Divide,
        (b'%', _) => Remainder,
        (b'&', _) => BinaryAnd,
        (b'|', _) => BinaryOr,
        (b'^', _) => BinaryXor,
        _ => return None,
    })
}

fn constant(text: &str) -> Option<Constant> {
    Some(match text.to_ascii_lowercase().as_str() {
        "formerr" => Constant::Formerr,
        "noerror" => Constant::Noerror,
        "notauth" => Constant::Notauth,
        "notimp" => Constant::Notimp,
        "notzone" => Constant::Notzone,
        "nxdomain" => Constant::Nxdomain,
        "nxrrset" => Constant::Nxrrset,
        "refused" => Constant::Refused,
        "servfail" => Constant::Servfail,
        "yxdomain" => Constant::Yxdomain,
        "yxrrset" => Constant::Yxrrset,
        "booting" => Constant::Booting,
        "reboot" => Constant::Reboot,
        "select" => Constant::Select,
        "request" => Constant::Request,
        "bound" => Constant::Bound,
        "renew" => Constant::Renew,
        "rebind" => Constant::Rebind,
        _ => return None,
    })
}
