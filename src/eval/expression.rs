//! An expression whose type is known only when it is evaluated, and calls of functions.
//!
//! Mirrors ISC `common/tree.c:evaluate_expression`.

use super::bindings::{Bindings, FunctionValue, Value};
use super::boolean::evaluate_boolean;
use super::context::Context;
use super::data::evaluate_data;
use super::execute::run;
use super::numeric::evaluate_numeric;
use super::octets::Data;
use crate::config::tree::{Expr, IntWidth};
use crate::log::Line;
use std::sync::Arc;

/// A value as evaluation yields it.
#[derive(Clone, Debug)]
pub enum Evaluated<'e> {
    /// Octets.
    Data(Data<'e>),
    /// Unsigned 64 bit.
    Number(u64),
    /// True or false.
    Boolean(bool),
    /// A function, as a variable names it.
    Function(Arc<FunctionValue>),
}

impl Evaluated<'_> {
    /// As a variable keeps it.
    pub fn into_value(self) -> Value {
        match self {
            Self::Data(data) if !data.has_storage() => Value::Nowhere,
            Self::Data(data) => Value::Data(data.into_octets()),
            // Kept signed, as it prints.
            Self::Number(number) => Value::Number(number.cast_signed()),
            Self::Boolean(boolean) => Value::Boolean(boolean),
            Self::Function(function) => Value::Function(function),
        }
    }

    /// Whether `=` calls two values equal: never across types; functions only if they are the same definition.
    pub(super) fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Data(a), Self::Data(b)) => **a == **b,
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::Boolean(a), Self::Boolean(b)) => a == b,
            (Self::Function(a), Self::Function(b)) => Arc::ptr_eq(&a.0, &b.0),
            _ => false,
        }
    }
}

impl<'e> From<&Value> for Evaluated<'e> {
    fn from(value: &Value) -> Self {
        match value {
            Value::Data(octets) => Self::Data(Data::kept(octets.clone())),
            Value::Nowhere => Self::Data(Data::nowhere()),
            Value::Number(number) => Self::Number(number.cast_unsigned()),
            Value::Boolean(boolean) => Self::Boolean(*boolean),
            Value::Function(function) => Self::Function(Arc::clone(function)),
        }
    }
}

/// What came of an evaluation.
#[derive(Clone, Debug)]
pub enum Outcome<'e> {
    /// Nothing: an operand was absent, or there was an error, which was logged.
    Absent,
    /// A function ran to its end without returning a value.
    NoValue,
    /// A value.
    Value(Evaluated<'e>),
}

impl<'e> Outcome<'e> {
    /// The value, if there is one.
    pub fn value(self) -> Option<Evaluated<'e>> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::NoValue => None,
        }
    }

    fn of(value: Option<Evaluated<'e>>) -> Self {
        value.map_or(Self::Absent, Self::Value)
    }
}

/// Evaluates an expression of any type.
pub fn evaluate<'e, 'a: 'e>(expr: &'e Expr, context: &mut Context<'a>) -> Outcome<'e> {
    match expr {
        Expr::Variable(name) => Outcome::of(context.variable(name).map(Evaluated::from)),
        Expr::Call { name, arguments } => {
            context.deeper(|context| Some(call(name, arguments, context))).unwrap_or(Outcome::Absent)
        }
        Expr::Function(_) => {
            let operator = operator_number(expr);
            context.emit(Line::error(format!("evaluate_expression: invalid expression type: {operator}")));
            Outcome::Absent
        }
        _ => Outcome::of(match type_of(expr) {
            Type::Data => evaluate_data(expr, context).map(Evaluated::Data),
            Type::Numeric => evaluate_numeric(expr, context).map(Evaluated::Number),
            Type::Boolean => evaluate_boolean(expr, context).map(Evaluated::Boolean),
            // Taken care of above.
            Type::Unknown => None,
        }),
    }
}

/// Calls a function: the arguments are evaluated in the caller's scope and bound in a new one, around which the
/// caller's stays visible.
fn call<'e>(name: &Arc<str>, arguments: &[Expr], context: &mut Context<'_>) -> Outcome<'e> {
    let function = match context.variable(name) {
        None => {
            context.emit(Line::error(format!("{name}: no such function.")));
            return Outcome::Absent;
        }
        Some(Value::Function(function)) => Arc::clone(&function.0),
        Some(_) => {
            context.emit(Line::error(format!("{name}: not a function.")));
            return Outcome::Absent;
        }
    };
    let mut frame = Bindings::default();
    for (parameter, argument) in function.parameters.iter().zip(arguments) {
        let value = evaluate(argument, context).value().map(Evaluated::into_value);
        frame.push(parameter, value);
    }
    let complaint = match arguments.len().cmp(&function.parameters.len()) {
        std::cmp::Ordering::Greater => Some("too many"),
        std::cmp::Ordering::Less => Some("too few"),
        std::cmp::Ordering::Equal => None,
    };
    if let Some(complaint) = complaint {
        context.emit(Line::error(format!("{name}: {complaint} arguments.")));
        return Outcome::Absent;
    }
    context.progress.frames.push(frame);
    let mut returned = None;
    run(&function.body, context, Some(&mut returned));
    let frame = context.progress.frames.pop().unwrap_or_default();
    for (_, value) in frame.entries {
        context.forget(value, "tree.c(615)");
    }
    match returned {
        Some(value) => Outcome::Value(Evaluated::from(&value)),
        None => Outcome::NoValue,
    }
}

/// A call where only one type will do. It is made, with all its side effects, but dhcpd never takes the value: after a
/// complaint about a type other than the wanted one the caller says `bogus opcode`.
pub(super) fn call_in_vain(
    expr: &Expr,
    context: &mut Context<'_>,
    wanted: u32,
    place: &str,
) -> Option<Value> {
    let (Expr::Call { name, .. }, Outcome::Value(value)) = (expr, evaluate(expr, context)) else {
        return None;
    };
    let value = value.into_value();
    let found = value.type_number();
    if found != wanted {
        context.emit(Line::error(format!("{name}() returned type {found} in {place}.")));
    }
    Some(value)
}

/// The value of a variable where only one type will do, through `take`; `wanted` is silent, other types are complained
/// about.
pub(super) fn variable_as<T>(
    name: &str,
    context: &mut Context<'_>,
    place: &str,
    take: impl FnOnce(&Value) -> Option<T>,
) -> Option<T> {
    let value = context.variable(name)?;
    let found = value.type_number();
    let taken = take(value);
    if taken.is_none() {
        context.emit(Line::error(format!("binding type {found} in {place}.")));
    }
    taken
}

/// The type of an operator's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Data,
    Numeric,
    Boolean,
    /// Known only when evaluated.
    Unknown,
}

/// The static type of an expression (ISC `is_data_expression` and its fellows).
pub(super) fn type_of(expr: &Expr) -> Type {
    match expr {
        Expr::Data(_)
        | Expr::Substring(_)
        | Expr::Suffix(_)
        | Expr::Lcase(_)
        | Expr::Ucase(_)
        | Expr::Concat(_)
        | Expr::ConcatDomainLists(_)
        | Expr::Reverse(_)
        | Expr::BinaryToAscii(_)
        | Expr::EncodeInt(..)
        | Expr::Pick(_)
        | Expr::Packet(_)
        | Expr::V6Relay(_)
        | Expr::Gethostname
        | Expr::HostLookup(_)
        | Expr::Option(_)
        | Expr::ConfigOption(_)
        | Expr::Hardware
        | Expr::LeasedAddress
        | Expr::HostDeclName
        | Expr::Filename
        | Expr::ServerName
        | Expr::Null => Type::Data,
        Expr::Number(_)
        | Expr::ExtractInt(..)
        | Expr::LeaseTime
        | Expr::ClientState
        | Expr::Arithmetic(..) => Type::Numeric,
        Expr::Equal(_)
        | Expr::NotEqual(_)
        | Expr::And(_)
        | Expr::Or(_)
        | Expr::Not(_)
        | Expr::Regex { .. }
        | Expr::Exists(_)
        | Expr::Known
        | Expr::Static
        | Expr::Check(_)
        | Expr::Defined(_) => Type::Boolean,
        Expr::Variable(_) | Expr::Call { .. } | Expr::Function(_) => Type::Unknown,
    }
}

/// The number dhcpd's messages call an operator by (ISC `includes/tree.h:enum expr_op`).
pub(super) fn operator_number(expr: &Expr) -> u32 {
    use crate::config::tree::Arithmetic::*;
    match expr {
        Expr::Check(_) => 2,
        Expr::Equal(_) => 3,
        Expr::Substring(_) => 4,
        Expr::Suffix(_) => 5,
        Expr::Concat(_) => 6,
        Expr::HostLookup(_) => 7,
        Expr::And(_) => 8,
        Expr::Or(_) => 9,
        Expr::Not(_) => 10,
        Expr::Option(_) => 11,
        Expr::Hardware => 12,
        Expr::Packet(_) => 13,
        Expr::Data(_) => 14,
        Expr::ExtractInt(IntWidth::One, _) => 15,
        Expr::ExtractInt(IntWidth::Two, _) => 16,
        Expr::ExtractInt(IntWidth::Four, _) => 17,
        Expr::EncodeInt(IntWidth::One, _) => 18,
        Expr::EncodeInt(IntWidth::Two, _) => 19,
        Expr::EncodeInt(IntWidth::Four, _) => 20,
        Expr::Number(_) => 21,
        Expr::Exists(_) => 22,
        Expr::Known => 24,
        Expr::Reverse(_) => 25,
        Expr::LeasedAddress => 26,
        Expr::BinaryToAscii(_) => 27,
        Expr::ConfigOption(_) => 28,
        Expr::HostDeclName => 29,
        Expr::Pick(_) => 30,
        Expr::LeaseTime => 31,
        Expr::Static => 33,
        Expr::NotEqual(_) => 38,
        Expr::Null => 39,
        Expr::Defined(_) => 40,
        Expr::Variable(_) => 41,
        Expr::Filename => 42,
        Expr::ServerName => 43,
        Expr::Call { .. } => 45,
        Expr::Function(_) => 46,
        Expr::Arithmetic(Add, _) => 47,
        Expr::Arithmetic(Subtract, _) => 48,
        Expr::Arithmetic(Multiply, _) => 49,
        Expr::Arithmetic(Divide, _) => 50,
        Expr::Arithmetic(Remainder, _) => 51,
        Expr::Arithmetic(And, _) => 52,
        Expr::Arithmetic(Or, _) => 53,
        Expr::Arithmetic(Xor, _) => 54,
        Expr::ClientState => 55,
        Expr::Ucase(_) => 56,
        Expr::Lcase(_) => 57,
        Expr::Regex { ignore_case: false, .. } => 58,
        Expr::Regex { ignore_case: true, .. } => 59,
        Expr::Gethostname => 60,
        Expr::V6Relay(_) => 61,
        Expr::ConcatDomainLists(_) => 62,
    }
}
