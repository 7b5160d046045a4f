//! Data expressions: octets.
//!
//! Mirrors ISC `common/tree.c:evaluate_data_expression`. All operands are evaluated, left to right, even after an
//! absent one, so that all their messages are logged.

use super::ascii::binary_to_ascii;
use super::bindings::Value;
use super::context::Context;
use super::expression::{Type, call_in_vain, operator_number, type_of, variable_as};
use super::names;
use super::numeric::evaluate_numeric;
use super::octets::{Data, until_nul};
use crate::config::tree::{Expr, IntWidth};
use crate::log::Line;
use crate::options::{OptionId, Spaces, join_domain_lists};
use crate::wire::packet::Header;
use std::sync::Arc;

const PLACE: &str = "evaluate_data_expression";

/// A result longer than this is refused. dhcpd goes on until it has no memory left.
const MAX_LENGTH: usize = 64 << 20;

/// Relays beyond this number mean the one nearest the server (ISC `MAX_V6RELAY_HOPS`).
const MAX_RELAY_HOPS: u64 = 32;

/// Evaluates a data expression; absent if it cannot be, after dhcpd's message where it has one.
pub fn evaluate_data<'e, 'a: 'e>(expr: &'e Expr, context: &mut Context<'a>) -> Option<Data<'e>> {
    // Literals are too frequent to be counted.
    if let Expr::Data(octets) = expr {
        return Some(Data::constant(octets));
    }
    context.deeper(|context| data(expr, context))
}

/// Evaluates an option's value to be sent. About a value that is nothing but a call dhcpd complains, and sends it all the
/// same, as it does not look whether the evaluation went well (ISC `common/options.c:store_options`).
pub fn evaluate_sent<'e, 'a: 'e>(expr: &'e Expr, context: &mut Context<'a>) -> Option<Data<'e>> {
    if !matches!(expr, Expr::Call { .. }) {
        return evaluate_data(expr, context);
    }
    let value = call_in_vain(expr, context, 1, PLACE);
    bogus_operator(expr, context);
    match value {
        Some(Value::Data(octets)) => Some(Data::kept(octets)),
        _ => None,
    }
}

fn bogus_operator(expr: &Expr, context: &mut Context<'_>) {
    context.emit(Line::error(format!("Bogus opcode in {PLACE}: {}", operator_number(expr))));
}

fn data<'e, 'a: 'e>(expr: &'e Expr, context: &mut Context<'a>) -> Option<Data<'e>> {
    match expr {
        Expr::Data(octets) => Some(Data::constant(octets)),
        Expr::Option(option) => request_option(*option, context),
        Expr::Substring(operands) => {
            let [data, offset, length] = &**operands;
            let data = evaluate_data(data, context);
            let offset = evaluate_numeric(offset, context);
            let length = evaluate_numeric(length, context);
            Some(data?.substring(offset?, length?))
        }
        Expr::Suffix(operands) => {
            let [data, length] = &**operands;
            let data = evaluate_data(data, context);
            let length = evaluate_numeric(length, context);
            Some(data?.suffix(length?))
        }
        Expr::Concat(_) => concat(expr, context),
        Expr::Lcase(inner) => {
            let mut octets = evaluate_data(inner, context)?.into_vec();
            octets.make_ascii_lowercase();
            Some(octets.into())
        }
        Expr::Ucase(inner) => {
            let mut octets = evaluate_data(inner, context)?.into_vec();
            octets.make_ascii_uppercase();
            Some(octets.into())
        }
        Expr::EncodeInt(width, number) => {
            let octets = evaluate_numeric(number, context)?.to_be_bytes();
            let [.., a, b, c, d] = octets;
            Some(match width {
                IntWidth::One => [d].into(),
                IntWidth::Two => [c, d].into(),
                IntWidth::Four => [a, b, c, d].into(),
            })
        }
        Expr::Pick(choices) => choices.iter().find_map(|choice| evaluate_data(choice, context)),
        Expr::Variable(name) => variable_as(name, context, PLACE, |value| match value {
            Value::Data(octets) => Some(Data::kept(octets.clone())),
            Value::Nowhere => Some(Data::nowhere()),
            _ => None,
        }),
        Expr::ConfigOption(option) => config_option(*option, context),
        Expr::Hardware => hardware(context),
        Expr::LeasedAddress => leased_address(context),
        Expr::HostDeclName => host_decl_name(context),
        Expr::Filename => text_field(context, |header| &header.file),
        Expr::ServerName => text_field(context, |header| &header.sname),
        Expr::Packet(operands) => packet(operands, context),
        Expr::BinaryToAscii(operands) => to_ascii(operands, context),
        Expr::Reverse(operands) => reverse(operands, context),
        Expr::V6Relay(operands) => v6relay(operands, context),
        Expr::HostLookup(name) => names::look_up(context, name),
        Expr::Gethostname => {
            let mut name = context.environment.hostname();
            name.truncate(255);
            Some(name.into())
        }
        Expr::ConcatDomainLists(sides) => concat_domain_lists(sides, context),
        Expr::Null => None,
        Expr::Call { .. } => {
            call_in_vain(expr, context, 1, PLACE);
            bogus_operator(expr, context);
            None
        }
        Expr::Function(_) => {
            context.emit(Line::error("function definition in evaluate_data_expression"));
            None
        }
        _ => {
            let kind = if type_of(expr) == Type::Numeric { "Numeric" } else { "Boolean" };
            context.emit(Line::error(format!("{kind} opcode in {PLACE}: {}", operator_number(expr))));
            None
        }
    }
}

/// An option of the packet, with those that came in by `parse-vendor-option`.
pub(super) fn request_option<'a>(option: OptionId, context: &mut Context<'a>) -> Option<Data<'a>> {
    if context.reading_globals {
        return set_option(option, context);
    }
    let request = context.request?;
    if request.agent_options_in_reply && option.space == Spaces::AGENT {
        return set_option(option, context);
    }
    if let Some(value) = request.options.value(option.space, option.code) {
        return Some(Data::borrowed(value));
    }
    let vendor_options = context.vendor_options.as_deref()?;
    vendor_options.value(option.space, option.code).map(|value| Data::shared(value.octets.clone()))
}

/// An option of the reply as set so far, evaluated now.
fn config_option<'e>(option: OptionId, context: &mut Context<'_>) -> Option<Data<'e>> {
    if context.reading_globals { None } else { set_option(option, context) }
}

fn set_option<'e>(option: OptionId, context: &mut Context<'_>) -> Option<Data<'e>> {
    let setting = Arc::clone(context.reply.as_deref()?.value(option.space, option.code)?);
    evaluate_data(&setting, context).map(Data::into_owned)
}

/// A chain of pairs, left first; long chains are as common as deep ones are not, so it is walked, not descended.
fn concat<'e, 'a: 'e>(expr: &'e Expr, context: &mut Context<'a>) -> Option<Data<'e>> {
    let mut parts = Vec::new();
    let mut left = expr;
    while let Expr::Concat(sides) = left {
        parts.push(&sides[1]);
        left = &sides[0];
    }
    let mut joined = evaluate_data(left, context).map(Data::into_vec);
    for part in parts.into_iter().rev() {
        let part = evaluate_data(part, context);
        joined = match (joined, part) {
            (Some(joined), Some(part)) if joined.len() + part.len() > MAX_LENGTH => {
                context.emit(Line::error("data: concat: no memory"));
                None
            }
            (Some(mut joined), Some(part)) => {
                joined.extend_from_slice(&part);
                Some(joined)
            }
            _ => None,
        };
    }
    joined.map(Data::from)
}

fn concat_domain_lists<'e, 'a: 'e>(sides: &'e [Expr; 2], context: &mut Context<'a>) -> Option<Data<'e>> {
    let first = evaluate_data(&sides[0], context);
    let second = evaluate_data(&sides[1], context);
    match join_domain_lists(&first?, &second?) {
        Ok(joined) => Some(joined.into()),
        Err(error) => {
            context.emit(Line::error(error.to_string()));
            context.emit(Line::error("data: concat_dclist failed"));
            None
        }
    }
}

/// Hardware type and address of the client: from the packet, or from the lease where there is none.
fn hardware<'a>(context: &mut Context<'a>) -> Option<Data<'a>> {
    if let Some(request) = context.request {
        let header = &request.packet.header;
        let hlen = header.hlen;
        if usize::from(hlen) > header.chaddr.len() {
            // The empty line after it is dhcpd's.
            context.emit(Line::error(format!("data: hardware: invalid hlen ({hlen})\n")));
            return None;
        }
        let mut octets = [0; 17];
        octets[0] = header.htype;
        octets[1..].copy_from_slice(&header.chaddr);
        return Some(Data::from(octets).substring(0, 1 + u64::from(hlen)));
    }
    let Some(lease) = context.lease else {
        context.emit(Line::error("data: hardware: no raw packet or lease is available"));
        return None;
    };
    let mut octets = Vec::new();
    if let Some(hardware) = lease.hardware {
        octets.push(hardware.htype);
        octets.extend_from_slice(&hardware.address);
    }
    Some(octets.into())
}

fn leased_address<'e>(context: &mut Context<'_>) -> Option<Data<'e>> {
    let Some(lease) = context.lease else {
        context.emit(Line::debug(
            "data: \"leased-address\" configuration directive: there is no lease associated with this client.",
        ));
        return None;
    };
    Some(lease.address.octets().into())
}

fn host_decl_name<'a>(context: &mut Context<'a>) -> Option<Data<'a>> {
    let name = context.lease.and_then(|lease| lease.host_name);
    if name.is_none() {
        context.emit(Line::error("data: host_decl_name: not available"));
    }
    name.map(|name| Data::borrowed(name.as_bytes()))
}

/// A text field of the packet up to its NUL; an empty one is absent.
fn text_field<'a>(context: &mut Context<'a>, field: fn(&'a Header) -> &'a [u8]) -> Option<Data<'a>> {
    let text = until_nul(field(&context.request?.packet.header));
    (!text.is_empty()).then(|| Data::borrowed(text))
}

/// Part of the raw message.
fn packet<'a>(operands: &[Expr; 2], context: &mut Context<'a>) -> Option<Data<'a>> {
    let Some(request) = context.request else {
        context.emit(Line::error("data: packet: raw packet not available"));
        return None;
    };
    let offset = evaluate_numeric(&operands[0], context);
    let length = evaluate_numeric(&operands[1], context);
    let (offset, length) = (offset?, length?);
    let raw: &[u8] = &request.packet.raw;
    // A length so large that the sum wraps crashes dhcpd.
    offset.checked_add(length)?;
    let rest = raw.get(usize::try_from(offset).ok()?..).filter(|rest| !rest.is_empty())?;
    let length = usize::try_from(length).unwrap_or(usize::MAX).min(rest.len());
    // A copy in dhcpd: nothing lies beyond its end.
    Some(Data::borrowed(rest.get(..length)?))
}

fn to_ascii<'e, 'a: 'e>(operands: &'e [Expr; 4], context: &mut Context<'a>) -> Option<Data<'e>> {
    let [base, width, separator, data] = operands;
    let base = evaluate_numeric(base, context);
    let width = evaluate_numeric(width, context);
    let separator = evaluate_data(separator, context);
    let data = evaluate_data(data, context);
    let (base, width, separator, data) = (base?, width?, separator?, data?);
    let octets = match width {
        8 => 1,
        16 => 2,
        32 => 4,
        _ => {
            let width = width.cast_signed();
            context.emit(Line::info(format!("binary_to_ascii: invalid width {width}!")));
            return None;
        }
    };
    if data.len() % octets != 0 {
        let length = data.len();
        context.emit(Line::info(format!(
            "binary-to-ascii: length of buffer {length} not a multiple of width {octets}!"
        )));
        return None;
    }
    if data.len().saturating_mul(separator.len()) > MAX_LENGTH {
        context.emit(Line::error("data: binary-to-ascii: no memory"));
        return None;
    }
    // The base is handed on as 32 bits.
    binary_to_ascii(base as u32, octets, &separator, &data).map(Data::from)
}

fn reverse<'e, 'a: 'e>(operands: &'e [Expr; 2], context: &mut Context<'a>) -> Option<Data<'e>> {
    let width = evaluate_numeric(&operands[0], context);
    let data = evaluate_data(&operands[1], context);
    let (width, data) = (width?, data?);
    // dhcpd divides by a width of zero.
    let rest = (data.len() as u64).checked_rem(width)?;
    if rest != 0 {
        let (length, width) = (data.len(), width.cast_signed());
        context
            .emit(Line::info(format!("reverse: length of buffer {length} not a multiple of width {width}!")));
        return None;
    }
    let group = usize::try_from(width).unwrap_or(usize::MAX);
    Some(data.rchunks(group).flatten().copied().collect::<Vec<u8>>().into())
}

/// Evaluates in the context of a relay: 0 is the message itself, 1 the relay nearest the client.
fn v6relay<'e, 'a: 'e>(operands: &'e [Expr; 2], context: &mut Context<'a>) -> Option<Data<'e>> {
    let relay = evaluate_numeric(&operands[0], context)?;
    let here = context.request;
    let mut there = here;
    let mut left = relay;
    while left > 0 {
        match there.and_then(|request| request.relayed_by) {
            Some(outer) => there = Some(*outer),
            // Beyond the number of hops there can be, the outermost will do, if there is any.
            None if relay > MAX_RELAY_HOPS && left < relay => break,
            None => return None,
        }
        left -= 1;
    }
    context.request = there;
    let result = evaluate_data(&operands[1], context);
    context.request = here;
    result
}
