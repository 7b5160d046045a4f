//! Executable statements as text that reads back as the same tree.
//!
//! `config::print` prints statements, too, but as dhcpd writes them into the lease file, where `return` loses its value
//! and numbers their base; that text does not read back.

use super::expression::{Expected, condition, expression, option_name};
use super::text;
use super::value;
use super::writer::Writer;
use crate::config::Config;
use crate::config::tree::{Block, Combine, Events, Expr, Function, LogPriority, Statement};
use crate::options::{OptionId, Spaces};

/// Where a statement stands, as far as that changes how it is written.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    /// Right inside of a pool, where `allow` and `deny` are permits.
    pub(super) pool: bool,
    /// Inside of an `on` block, where constants are not joined.
    pub(super) handler: bool,
}

/// `allow KEY` and its server option.
const PERMISSIONS: [(&str, &str); 8] = [
    ("allow-bootp", "bootp"),
    ("allow-booting", "booting"),
    ("dynamic-bootp", "dynamic-bootp"),
    ("boot-unknown-clients", "unknown-clients"),
    ("duplicates", "duplicates"),
    ("declines", "declines"),
    ("client-updates", "client-updates"),
    ("leasequery", "leasequery"),
];

/// A statement on lines of its own.
pub(super) fn statement(config: &Config, out: &mut Writer, written: &Statement, place: Place) {
    let spaces = &config.spaces;
    let data = |expr: &Expr| expression(spaces, expr, Expected::Octets);
    let inner = Place { pool: false, ..place };
    match written {
        Statement::If { condition: first, then, otherwise } => {
            out.open([b"if ", &*condition(spaces, first)]);
            block(config, out, then, inner);
            let mut otherwise = otherwise;
            while let [Statement::If { condition: next, then, otherwise: rest }] = &**otherwise {
                out.reopen([b"elsif ", &*condition(spaces, next)]);
                block(config, out, then, inner);
                otherwise = rest;
            }
            if !otherwise.is_empty() {
                out.reopen([b"else"]);
                block(config, out, otherwise, inner);
            }
            out.close();
        }
        Statement::Switch { on, body } => {
            out.open([b"switch (", &*expression(spaces, on, Expected::Numeric), b")"]);
            let label = match on {
                on if expression_is_data(on) => Expected::OctetsLabel,
                _ => Expected::NumericLabel,
            };
            for statement_or_label in body.iter() {
                match statement_or_label {
                    Statement::Case(value) => out.label([b"case ", &*expression(spaces, value, label)]),
                    Statement::DefaultCase => out.label([b"default"]),
                    other => statement(config, out, other, inner),
                }
            }
            out.close();
        }
        // Labels stand right inside of a switch alone, and are written there.
        Statement::Case(value) => out.label([b"case ", &*expression(spaces, value, Expected::NumericLabel)]),
        Statement::DefaultCase => out.label([b"default"]),
        Statement::Break => out.line([b"break;"]),
        Statement::On { events, body } => match body {
            Some(body) => {
                out.open([b"on ", event_words(*events).as_bytes()]);
                block(config, out, body, Place { handler: true, ..inner });
                out.close();
            }
            None => out.line([b"on ", event_words(*events).as_bytes(), b";"]),
        },
        Statement::Option { combine, option, value } => {
            out.line([setting(config, *combine, *option, value, place)]);
        }
        Statement::Add(class) => {
            let name = config.classes.get(class.index()).map(|class| class.name.clone()).unwrap_or_default();
            out.line([b"add ", &*text::quoted(name.as_bytes()), b";"]);
        }
        Statement::ParseVendorOption => out.line([b"parse-vendor-option;"]),
        Statement::Set { name, value: Expr::Function(function) } => {
            defined(config, out, "set", name, function, inner);
        }
        Statement::Set { name, value } => {
            out.line([b"set ", name.as_bytes(), b" = ", &*data(value), b";"]);
        }
        Statement::Define { name, function } => defined(config, out, "define", name, function, inner),
        Statement::Unset(name) => out.line([b"unset ", name.as_bytes(), b";"]),
        Statement::Eval(expr) => out.line([b"eval ", &*data(expr), b";"]),
        Statement::Return(Some(expr)) => out.line([b"return ", &*data(expr), b";"]),
        Statement::Return(None) => out.line([b"return null;"]),
        Statement::Log { priority, value } => {
            let priority: &[u8] = match priority {
                LogPriority::Fatal => b"fatal",
                LogPriority::Error => b"error",
                LogPriority::Debug => b"debug",
                LogPriority::Info => b"info",
            };
            let value = value.as_ref().map_or_else(|| b"\"\"".to_vec(), data);
            out.line([b"log (", priority, b", ", &*value, b");"]);
        }
        Statement::Execute { command, arguments } => {
            let mut line = [b"execute (", &*text::quoted(command)].concat();
            for argument in arguments {
                line.extend_from_slice(b", ");
                line.extend(data(argument));
            }
            out.line([&*line, b");"]);
        }
        // What acts when it is read is written where it belongs.
        Statement::Nothing => {}
    }
}

/// The statements of a block whose brace is open.
fn block(config: &Config, out: &mut Writer, statements: &Block, place: Place) {
    for written in statements.iter() {
        statement(config, out, written, place);
    }
}

fn defined(config: &Config, out: &mut Writer, verb: &str, name: &str, function: &Function, place: Place) {
    let parameters = function.parameters.join(", ");
    out.open([format!("{verb} {name} ({parameters})").as_bytes()]);
    block(config, out, &function.body, place);
    out.close();
}

/// A statement that sets an option or a server parameter, on one line.
pub(super) fn setting(
    config: &Config,
    combine: Combine,
    option: OptionId,
    value: &Expr,
    place: Place,
) -> Vec<u8> {
    let spaces = &config.spaces;
    let (name, reached) = option_name(spaces, option);
    // By another definition than its own, a literal would say something else.
    let redefined = reached != option;
    let option = reached;
    let parameter = match option {
        option if option.space == Spaces::SERVER && combine == Combine::Supersede => {
            parameter(spaces, option)
        }
        _ => None,
    };
    if let (Some(parameter), Expr::Data(octets)) = (parameter, value)
        && let Some((_, key)) = PERMISSIONS.iter().find(|(known, _)| *known == parameter)
        && let Some(verb) = match (octets.as_slice(), place.pool) {
            ([0], false) => Some("deny"),
            ([1], false) => Some("allow"),
            ([2], _) => Some("ignore"),
            _ => None,
        }
    {
        return format!("{verb} {key};").into_bytes();
    }
    let mut line = match (combine, parameter) {
        (_, Some(parameter)) => parameter.to_owned(),
        (Combine::Supersede, None) => format!("option {name}"),
        (Combine::Default, None) => format!("default {name}"),
        (Combine::Append, None) => format!("append {name}"),
        (Combine::Prepend, None) => format!("prepend {name}"),
    }
    .into_bytes();
    let literal = value::literal(spaces.format(option), value, place.handler);
    match literal.filter(|_| !redefined) {
        Some(literal) if literal.is_empty() => {}
        Some(literal) => {
            line.push(b' ');
            line.extend(literal);
        }
        None => {
            line.extend_from_slice(b" = ");
            line.extend(expression(spaces, value, Expected::Octets));
        }
    }
    line.push(b';');
    line
}

/// The statement of a server parameter: its name alone, unless that word begins another statement or is not its own.
fn parameter(spaces: &Spaces, option: OptionId) -> Option<&str> {
    let definition = spaces.definition(option)?;
    let own = &*definition.name != "authoritative" && !definition.name.starts_with("unknown-");
    // All parameters are predefined; what a configuration adds to their space goes by the long name.
    (own && option.code < FIRST_UNUSED).then_some(&*definition.name)
}

/// Server parameters have codes below this one.
const FIRST_UNUSED: u32 = 101;

fn expression_is_data(expression: &Expr) -> bool {
    !matches!(
        expression,
        Expr::Number(_)
            | Expr::ExtractInt(..)
            | Expr::LeaseTime
            | Expr::ClientState
            | Expr::Arithmetic(..)
            | Expr::Variable(_)
            | Expr::Call { .. }
    )
}

fn event_words(events: Events) -> String {
    let words = [
        (events.expiry, "expiry"),
        (events.commit, "commit"),
        (events.release, "release"),
        (events.transmission, "transmission"),
    ];
    words.iter().filter(|(set, _)| *set).map(|(_, word)| *word).collect::<Vec<_>>().join(" or ")
}
