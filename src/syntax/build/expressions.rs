//! Expressions: from a flat list of operands and operators to a tree, as dhcpd's parser folds it.
//!
//! dhcpd's rules (ISC `parse.c:parse_expression`, `tree.c:op_val`) are kept as they are: the tighter operator has the
//! larger number, but `=` stands above `and`, which stands above `+`, which stands above `*`; and when the operator
//! behind a right operand binds tighter, everything that is left of the expression becomes the right operand.
//!
//! How a number is read depends on what is expected where it stands: at first by the statement, then by the type of
//! the operand before the last operator.

use super::super::MAX_DEPTH;
use super::super::ast::{Fault, FaultKind};
use super::super::expr::{BinaryOperator, Constant, Expr, ExprKind, ExprType, IntWidth, TypeFault};
use super::super::keyword::classify;
use super::super::lexical::atoi;
use super::super::source::Span;
use super::super::token::WordClass;
use super::{Built, Children, FileBuilder, Inner, P, Rule, inner};

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
        let outermost = self.expressions.get();
        self.expressions.set(outermost + 1);
        let mut list = inner(pair);
        let built = match list.next() {
            Some(first) => self.operand(first, expected).and_then(|first| match list.next() {
                Some(operator) => self.fold(first, operator, list),
                None => Ok(first),
            }),
            None => Err(unexpected(self.span_of(0, 0))),
        };
        self.expressions.set(outermost);
        match built {
            Ok(expr) if outermost == 0 && is_too_deep(&expr) => {
                Err(Fault { kind: FaultKind::TooDeep, span: expr.span })
            }
            built => built,
        }
    }

    pub(super) fn boolean(&self, pair: P<'_>) -> Built<Expr> {
        self.typed(pair, Expected::Boolean)
    }

    pub(super) fn data(&self, pair: P<'_>) -> Built<Expr> {
        self.typed(pair, Expected::Data)
    }

    /// An expression that must have a type, as far as it has one.
    fn typed(&self, pair: P<'_>, expected: Expected) -> Built<Expr> {
        let expr = self.expression(pair, expected)?;
        let fault = match (expected, expr.expr_type()) {
            (_, ExprType::Any) => return Ok(expr),
            (Expected::Boolean, ExprType::Boolean)
            | (Expected::Data, ExprType::Data)
            | (Expected::Numeric, ExprType::Numeric) => return Ok(expr),
            (Expected::Boolean, _) => TypeFault::WantBoolean,
            (Expected::Numeric, _) => TypeFault::WantNumeric,
            _ => TypeFault::WantData,
        };
        Err(Fault { kind: FaultKind::Type(fault), span: expr.span })
    }

    /// Folds the rest of a list, from its first operator.
    ///
    /// Where dhcpd calls itself for a tighter operator, the call takes all that is left. So an expression is a row of
    /// left-to-right chains, each the left side of the operator before the next chain; they are put together from the
    /// last to the first.
    fn fold<'i>(&self, first: Expr, operator: P<'i>, mut list: Inner<'i>) -> Built<Expr> {
        let mut chains: Vec<(Expr, BinaryOperator)> = Vec::new();
        let mut expected: Expected = first.expr_type().into();
        let mut left = first;
        let mut binary = self.operator(&operator)?;
        loop {
            let Some(operand) = list.next() else { return Err(unexpected(left.span)) };
            let right = self.operand(operand, expected)?;
            let next = list.next().map(|pair| self.operator(&pair)).transpose()?;
            let Some(next) = next else {
                relate(&left, binary, &right)?;
                return put_together(chains, combine(left, binary, right));
            };
            if binary.precedence() < next.precedence() {
                expected = expected_behind(next);
                chains.push((left, binary));
                left = right;
            } else {
                expected = right.expr_type().into();
                relate(&left, binary, &right)?;
                left = combine(left, binary, right);
            }
            binary = next;
        }
    }

    fn operator(&self, pair: &P<'_>) -> Built<BinaryOperator> {
        operator(pair.as_str()).ok_or_else(|| unexpected(self.span(pair)))
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
        let mut expr = self.value(children.required()?, expected)?;
        for not in negations.into_iter().rev() {
            if expr.expr_type() != ExprType::Boolean {
                return Err(Fault { kind: FaultKind::Type(TypeFault::NotBoolean), span: expr.span });
            }
            expr = Expr { span: not.to(expr.span), kind: ExprKind::Not(Box::new(expr)) };
        }
        Ok(expr)
    }

    /// A function with its arguments, or something simple. What is done around the recursion is kept in functions of
    /// its own, so that little is on the stack while it goes on.
    fn value(&self, pair: P<'_>, expected: Expected) -> Built<Expr> {
        use Expected::{Data, Numeric};
        let rule = pair.as_rule();
        let types: &[Expected] = match rule {
            Rule::parenthesis => {
                return self.expression(Children::of(self, pair).required()?, expected);
            }
            Rule::reference => return self.reference(pair),
            Rule::substring => &[Data, Numeric, Numeric],
            Rule::suffix => &[Data, Numeric],
            Rule::lcase | Rule::ucase | Rule::concat | Rule::pick | Rule::extract_int => &[Data],
            Rule::reverse | Rule::v6relay => &[Numeric, Data],
            Rule::binary_to_ascii => &[Numeric, Numeric, Data, Data],
            Rule::encode_int => &[Numeric],
            Rule::packet => &[Numeric, Numeric],
            _ => return self.simple(pair, expected),
        };
        let span = self.span(&pair);
        let (arguments, width) = self.arguments(pair, types)?;
        let kind = function(rule, arguments, width).ok_or_else(|| unexpected(span))?;
        Ok(Expr { span, kind })
    }

    /// The arguments of a function; the last type holds for all that follow. And the width, if there is one.
    fn arguments(&self, pair: P<'_>, types: &[Expected]) -> Built<(Vec<Expr>, Option<IntWidth>)> {
        let mut arguments = Vec::new();
        let mut width = None;
        for pair in inner(pair) {
            if pair.as_rule() == Rule::int_width {
                width = Some(self.int_width(&pair)?);
            } else {
                let expected = types.get(arguments.len()).or(types.last()).copied().unwrap_or(Expected::Any);
                arguments.push(self.typed(pair, expected)?);
            }
        }
        Ok((arguments, width))
    }

    /// A variable or a call.
    fn reference(&self, pair: P<'_>) -> Built<Expr> {
        let span = self.span(&pair);
        let mut children = Children::of(self, pair);
        let name = self.variable(&children.required()?)?;
        let Some(list) = children.next() else { return Ok(Expr { span, kind: ExprKind::Variable(name) }) };
        let mut arguments = Vec::new();
        for pair in inner(list) {
            arguments.push(self.expression(pair, Expected::Any)?);
        }
        Ok(Expr { span, kind: ExprKind::Call { name, arguments } })
    }

    /// What holds no expression.
    fn simple(&self, pair: P<'_>, expected: Expected) -> Built<Expr> {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::string => ExprKind::String(self.string(&pair)?),
            Rule::hex_list => self.number_or_octets(&pair, expected)?,
            Rule::simple_value => self.simple_value(&pair)?,
            Rule::constant => ExprKind::Constant(constant(pair.as_str()).ok_or_else(|| unexpected(span))?),
            Rule::gethostname => ExprKind::GetHostName,
            rule => {
                let first = Children::of(self, pair).required()?;
                match rule {
                    Rule::option_reference => ExprKind::Option(self.option_name(first)?),
                    Rule::config_option => ExprKind::ConfigOption(self.option_name(first)?),
                    Rule::exists => ExprKind::Exists(self.option_name(first)?),
                    Rule::check => ExprKind::Check(self.name(first)?),
                    Rule::defined => ExprKind::Defined(self.variable(&first)?),
                    Rule::gethostbyname => ExprKind::GetHostByName(self.name(first)?),
                    _ => return Err(unexpected(span)),
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

/// Whether an expression is deeper than those who walk it should bear: parentheses and runs of operators that alternate
/// add up. It takes a long text to be that deep.
fn is_too_deep(expr: &Expr) -> bool {
    const SHORT: u32 = 1000;
    if expr.span.len() < SHORT {
        return false;
    }
    let mut rest = vec![(expr, 0)];
    while let Some((expr, depth)) = rest.pop() {
        if depth > 2 * MAX_DEPTH {
            return true;
        }
        rest.extend(expr.children().into_iter().map(|child| (child, depth + 1)));
    }
    false
}

fn unexpected(span: Span) -> Fault {
    Fault { kind: FaultKind::Unexpected, span }
}

/// What is expected behind an operator that took the operand before it away from a looser one.
fn expected_behind(operator: BinaryOperator) -> Expected {
    use BinaryOperator::*;
    match operator {
        And | Or => Expected::Boolean,
        Equal | NotEqual | RegexMatch | RegexMatchIgnoringCase => Expected::Data,
        Add | Divide | Multiply | Remainder | BinaryAnd | BinaryOr | BinaryXor => Expected::Numeric,
    }
}

/// Puts chains together from the last to the first. Runs of `and` and runs of `or` are kept flat: for dhcpd's
/// three-valued logic, its shortcuts included, it makes no difference on which side their parentheses stand, and real
/// configurations have runs of thousands.
fn put_together(chains: Vec<(Expr, BinaryOperator)>, last: Expr) -> Built<Expr> {
    let mut operators = 0;
    let mut right = last;
    let mut chains = chains.into_iter().rev().peekable();
    while let Some((left, operator)) = chains.next() {
        relate(&left, operator, &right)?;
        let mut first = left;
        let mut others = Vec::new();
        if matches!(operator, BinaryOperator::And | BinaryOperator::Or) {
            while let Some((farther, _)) = chains.next_if(|(_, next)| *next == operator) {
                // What is built so far is boolean, whatever it holds.
                relate_boolean(&farther, &first)?;
                others.push(std::mem::replace(&mut first, farther));
            }
        }
        for operand in others.into_iter().rev() {
            first = combine(first, operator, operand);
        }
        right = combine(first, operator, right);
        operators += 1;
        if operators > MAX_DEPTH {
            return Err(Fault { kind: FaultKind::TooDeep, span: right.span });
        }
    }
    Ok(right)
}

/// The same as [`relate`] for `and` and `or` with a right side that is boolean and begins with `right`.
fn relate_boolean(left: &Expr, right: &Expr) -> Built<()> {
    let span = left.span.to(right.span);
    match left.expr_type() {
        ExprType::Boolean | ExprType::Any => Ok(()),
        _ => Err(Fault { kind: FaultKind::Type(TypeFault::DifferentTypes), span }),
    }
}

fn function(rule: Rule, arguments: Vec<Expr>, width: Option<IntWidth>) -> Option<ExprKind> {
    match rule {
        Rule::concat => return Some(ExprKind::Concat(arguments)),
        Rule::pick => return Some(ExprKind::Pick(arguments)),
        _ => {}
    }
    let mut arguments = arguments.into_iter().map(Box::new);
    let first = arguments.next()?;
    Some(match rule {
        Rule::lcase => ExprKind::Lcase(first),
        Rule::ucase => ExprKind::Ucase(first),
        Rule::encode_int => ExprKind::EncodeInt { value: first, width: width? },
        Rule::extract_int => ExprKind::ExtractInt { data: first, width: width? },
        _ => {
            let second = arguments.next()?;
            match rule {
                Rule::suffix => ExprKind::Suffix { data: first, length: second },
                Rule::reverse => ExprKind::Reverse { width: first, data: second },
                Rule::v6relay => ExprKind::V6Relay { relay: first, data: second },
                Rule::packet => ExprKind::Packet { offset: first, length: second },
                Rule::substring => {
                    ExprKind::Substring { data: first, offset: second, length: arguments.next()? }
                }
                Rule::binary_to_ascii => ExprKind::BinaryToAscii {
                    base: first,
                    width: second,
                    separator: arguments.next()?,
                    data: arguments.next()?,
                },
                _ => return None,
            }
        }
    })
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
