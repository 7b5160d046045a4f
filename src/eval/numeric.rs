//! Numeric expressions: unsigned 64 bit, wrapping.
//!
//! Mirrors ISC `common/tree.c:evaluate_numeric_expression`.

use super::bindings::Value;
use super::context::Context;
use super::data::evaluate_data;
use super::expression::{Type, call_in_vain, operator_number, type_of, variable_as};
use crate::config::tree::{Arithmetic, Expr, IntWidth};
use crate::log::Line;

const PLACE: &str = "evaluate_numeric_expression";

/// Evaluates a numeric expression; absent if it cannot be, after dhcpd's message where it has one.
pub fn evaluate_numeric(expr: &Expr, context: &mut Context<'_>) -> Option<u64> {
    // Literals are too frequent to be counted.
    if let Expr::Number(number) = expr {
        return Some(number.cast_unsigned());
    }
    context.deeper(|context| numeric(expr, context))
}

fn numeric(expr: &Expr, context: &mut Context<'_>) -> Option<u64> {
    match expr {
        Expr::Number(number) => Some(number.cast_unsigned()),
        Expr::ExtractInt(width, data) => {
            let data = evaluate_data(data, context)?;
            match width {
                // dhcpd crashes where there is no octet at all.
                IntWidth::One => data.first_octet().map(u64::from),
                IntWidth::Two => data.first_chunk().map(|&octets| u16::from_be_bytes(octets).into()),
                IntWidth::Four => data.first_chunk().map(|&octets| u32::from_be_bytes(octets).into()),
            }
        }
        Expr::Arithmetic(operator, sides) => {
            let [left, right] = &**sides;
            let left = evaluate_numeric(left, context);
            let right = evaluate_numeric(right, context);
            calculate(*operator, left?, right?)
        }
        Expr::LeaseTime => lease_time(context),
        // Only a client has one.
        Expr::ClientState => None,
        Expr::Variable(name) => variable_as(name, context, PLACE, |value| match value {
            Value::Number(number) => Some(number.cast_unsigned()),
            _ => None,
        }),
        Expr::Call { .. } => {
            call_in_vain(expr, context, 2, PLACE);
            context.emit(Line::error(format!("{PLACE}: bogus opcode {}", operator_number(expr))));
            None
        }
        Expr::Function(_) => {
            context.emit(Line::error("function definition in evaluate_numeric_expr"));
            None
        }
        _ => {
            let kind = if type_of(expr) == Type::Boolean { "Boolean" } else { "Data" };
            context.emit(Line::error(format!("{kind} opcode in {PLACE}: {}", operator_number(expr))));
            None
        }
    }
}

fn calculate(operator: Arithmetic, left: u64, right: u64) -> Option<u64> {
    Some(match operator {
        Arithmetic::Add => left.wrapping_add(right),
        Arithmetic::Subtract => left.wrapping_sub(right),
        Arithmetic::Multiply => left.wrapping_mul(right),
        Arithmetic::Divide => return left.checked_div(right),
        Arithmetic::Remainder => return left.checked_rem(right),
        Arithmetic::And => left & right,
        Arithmetic::Or => left | right,
        Arithmetic::Xor => left ^ right,
    })
}

/// Seconds left of the binding the lease had before this packet.
fn lease_time(context: &mut Context<'_>) -> Option<u64> {
    let Some(lease) = context.lease else {
        context.emit(Line::error("data: leased_lease: not available"));
        return None;
    };
    let (ends, now) = (lease.ends, context.now.wall);
    if ends < now {
        let (ends, now) = (ends.cast_unsigned(), now.cast_unsigned());
        context.emit(Line::error(format!("data: lease_time: lease ends at {ends} when it is now {now}")));
        return None;
    }
    Some(ends.wrapping_sub(now).cast_unsigned())
}
