//! Boolean expressions: true, false or absent.
//!
//! Mirrors ISC `common/tree.c:evaluate_boolean_expression`. `and` with a false left side is absent, not false.

use super::bindings::Value;
use super::classes;
use super::context::Context;
use super::data::{evaluate_data, request_option};
use super::expression::{Type, call_in_vain, evaluate, operator_number, type_of, variable_as};
use crate::config::tree::Expr;
use crate::log::Line;

const PLACE: &str = "evaluate_boolean_expression";

/// Evaluates a boolean expression; absent if it cannot be, after dhcpd's message where it has one.
pub fn evaluate_boolean(expr: &Expr, context: &mut Context<'_>) -> Option<bool> {
    context.deeper(|context| boolean(expr, context))
}

fn boolean(expr: &Expr, context: &mut Context<'_>) -> Option<bool> {
    match expr {
        Expr::Equal(sides) => Some(equal(sides, context)),
        Expr::NotEqual(sides) => Some(!equal(sides, context)),
        Expr::And(sides) => match evaluate_boolean(&sides[0], context) {
            Some(true) => evaluate_boolean(&sides[1], context),
            Some(false) | None => None,
        },
        Expr::Or(sides) => {
            let left = evaluate_boolean(&sides[0], context);
            if left == Some(true) {
                return left;
            }
            evaluate_boolean(&sides[1], context).or(left)
        }
        Expr::Not(inner) => evaluate_boolean(inner, context).map(|truth| !truth),
        Expr::Regex { ignore_case, sides } => matches(sides, *ignore_case, context),
        Expr::Exists(option) => Some(request_option(*option, context).is_some()),
        Expr::Known => context.request.map(|request| request.known),
        Expr::Static => Some(context.lease.is_some_and(|lease| lease.fixed)),
        Expr::Check(_) => Some(classes::check(context)),
        Expr::Defined(name) => Some(context.variable(name).is_some()),
        Expr::Variable(name) => variable_as(name, context, PLACE, |value| match value {
            Value::Boolean(truth) => Some(*truth),
            _ => None,
        }),
        Expr::Call { .. } => {
            call_in_vain(expr, context, 0, PLACE);
            context.emit(Line::error(format!("Bogus opcode in {PLACE}: {}", operator_number(expr))));
            None
        }
        Expr::Function(_) => {
            context.emit(Line::error("function definition in evaluate_boolean_expr"));
            None
        }
        _ => {
            let kind = if type_of(expr) == Type::Numeric { "Numeric" } else { "Data" };
            context.emit(Line::error(format!("{kind} opcode in {PLACE}: {}", operator_number(expr))));
            None
        }
    }
}

/// `=` is never absent: two absent sides are equal, an absent and a present one are not.
fn equal(sides: &[Expr; 2], context: &mut Context<'_>) -> bool {
    let left = evaluate(&sides[0], context).value();
    let right = evaluate(&sides[1], context).value();
    match (left, right) {
        (Some(left), Some(right)) => left.equals(&right),
        (None, None) => true,
        _ => false,
    }
}

/// `~=` and `~~`. A pattern that does not compile matches nothing, silently.
fn matches(sides: &[Expr; 2], ignore_case: bool, context: &mut Context<'_>) -> Option<bool> {
    let left = evaluate_data(&sides[0], context).filter(|subject| {
        let usable = subject.has_storage();
        if !usable {
            context.emit(Line::error("data_string_new: src cannot be NULL tree.c(811)"));
        }
        usable
    });
    let right = evaluate_data(&sides[1], context);
    let (left, right) = (left?, right?);
    let (Some(subject), Some(pattern)) = (left.subject(), right.pattern()) else {
        return Some(false);
    };
    Some(context.memory.patterns.is_match(pattern, ignore_case, subject))
}
