//! Running statements.
//!
//! Mirrors ISC `common/execute.c`. A statement that sets an option stores the expression; it is evaluated when the
//! option is needed.

use super::bindings::{FunctionValue, Value};
use super::boolean::evaluate_boolean;
use super::classes;
use super::context::{Context, Fatal};
use super::data::evaluate_data;
use super::expression::{Outcome, Type, evaluate, type_of};
use super::numeric::evaluate_numeric;
use super::octets::until_nul;
use super::settings;
use super::{Handler, NotRun, Setting};
use crate::config::tree::{Block, Combine, Events, Expr, Function, LogPriority, Statement};
use crate::log::Line;
use crate::options::OptionId;
use std::sync::Arc;

/// What `wait` reports of a child that ended with status 127, as dhcpd's does when the program cannot be started.
const NOT_STARTED: i32 = 127 << 8;

/// Runs a list of statements in order.
///
/// Options go into [`Context::reply`], variables into [`Context::bindings`], handlers into [`Context::handlers`], lines
/// into [`Context::log`].
///
/// # Errors
///
/// [`Fatal`] when `log (fatal, ...)` ran: the server has to print its line and end.
pub fn execute(statements: &[Statement], context: &mut Context<'_>) -> Result<(), Fatal> {
    run(statements, context, None);
    match context.fatal() {
        Some(fatal) => Err(fatal),
        None => Ok(()),
    }
}

/// Runs statements; `returned`, given inside a function, takes the value of the first `return` that has one and ends
/// the function.
pub(super) fn run(statements: &[Statement], context: &mut Context<'_>, returned: Option<&mut Option<Value>>) {
    context.deeper(|context| {
        run_in_order(statements, context, returned);
        Some(())
    });
}

fn run_in_order(
    statements: &[Statement],
    context: &mut Context<'_>,
    mut returned: Option<&mut Option<Value>>,
) {
    for statement in statements {
        if context.is_stopped() {
            return;
        }
        match statement {
            Statement::Option { combine, option, value } => set_option(*combine, *option, value, context),
            Statement::If { condition, then, otherwise } => {
                let block = if evaluate_boolean(condition, context) == Some(true) { then } else { otherwise };
                run(block, context, returned.as_deref_mut());
            }
            Statement::Switch { on, body } => {
                if let Some(start) = matching_case(on, body, context) {
                    run(body.get(start..).unwrap_or_default(), context, returned.as_deref_mut());
                }
            }
            // It ends this list only: an enclosing one goes on.
            Statement::Break => return,
            Statement::Return(value) => {
                let value = value.as_ref().and_then(|value| evaluate(value, context).value());
                if let (Some(returned), Some(value)) = (returned.as_deref_mut(), value) {
                    *returned = Some(value.into_value());
                }
            }
            Statement::On { events, body } => install(*events, body.as_ref(), context),
            Statement::Set { name, value } => set(name, value, context),
            Statement::Define { name, function } => define(name, function, context),
            Statement::Unset(name) => unset(name, context),
            Statement::Eval(expr) => {
                evaluate(expr, context);
            }
            Statement::Log { priority, value } => log(*priority, value.as_ref(), context),
            Statement::Execute { command, arguments } => spawn(command, arguments, context),
            Statement::Add(class) => classes::add(*class, context),
            Statement::ParseVendorOption => settings::parse_vendor_option(context),
            Statement::Case(_) | Statement::DefaultCase | Statement::Nothing => {}
        }
        if returned.as_deref().is_some_and(Option::is_some) {
            return;
        }
    }
}

/// Where a `switch` starts: after the first label that is equal, else after the first `default`, wherever it stands.
fn matching_case(on: &Expr, body: &[Statement], context: &mut Context<'_>) -> Option<usize> {
    let found = if type_of(on) == Type::Data {
        evaluate_data(on, context).and_then(|value| {
            body.iter().position(|statement| match statement {
                Statement::Case(label) => evaluate_data(label, context).is_some_and(|label| *label == *value),
                _ => false,
            })
        })
    } else {
        evaluate_numeric(on, context).and_then(|value| {
            body.iter().position(|statement| match statement {
                Statement::Case(label) => evaluate_numeric(label, context) == Some(value),
                _ => false,
            })
        })
    };
    found
        .or_else(|| body.iter().position(|statement| matches!(statement, Statement::DefaultCase)))
        .map(|label| label + 1)
}

/// `on`: the block takes the place of the one installed before for each of its events; an empty one removes it.
fn install(events: Events, body: Option<&Block>, context: &mut Context<'_>) {
    let Some(handlers) = context.handlers.as_deref_mut() else { return };
    let handler = body.filter(|body| !body.is_empty()).map(|body| Handler { events, body: Arc::clone(body) });
    for (happens, place) in [
        (events.expiry, &mut handlers.expiry),
        (events.release, &mut handlers.release),
        (events.commit, &mut handlers.commit),
    ] {
        if happens {
            *place = handler.clone();
        }
    }
}

/// `set`: the old value goes before the new one is evaluated.
fn set(name: &Arc<str>, value: &Expr, context: &mut Context<'_>) {
    let home = context.home_of(name);
    if home.exists {
        let old = context.scope_mut(home).entry_mut(name).and_then(Option::take);
        context.forget(old, "execute.c(387)");
    } else {
        context.scope_mut(home).push(name, None);
    }
    let Outcome::Value(value) = evaluate(value, context) else { return };
    let value = value.into_value();
    if let Some(place) = context.scope_mut(home).entry_mut(name)
        && place.replace(value).is_some()
    {
        // A call on the right side set the variable meanwhile.
        context.emit(Line::error("execute.c(394): non-null pointer"));
    }
}

fn define(name: &Arc<str>, function: &Arc<Function>, context: &mut Context<'_>) {
    let home = context.home_of(name);
    let value = Value::Function(Arc::new(FunctionValue(Arc::clone(function))));
    if home.exists {
        let old = context.scope_mut(home).entry_mut(name).and_then(|place| place.replace(value));
        context.forget(old, "execute.c(387)");
    } else {
        context.scope_mut(home).push(name, Some(value));
    }
}

fn unset(name: &Arc<str>, context: &mut Context<'_>) {
    let home = context.home_of(name);
    let old = context.scope_mut(home).entry_mut(name).and_then(Option::take);
    context.forget(old, "execute.c(427)");
}

/// `log`: the text up to its first NUL; absent data logs nothing, and does not end the server.
fn log(priority: LogPriority, value: Option<&Expr>, context: &mut Context<'_>) {
    let Some(text) = value.and_then(|value| evaluate_data(value, context)) else { return };
    let text = until_nul(&text);
    match priority {
        LogPriority::Fatal => context.end_with(Line::error(text)),
        LogPriority::Error => context.emit(Line::error(text)),
        LogPriority::Debug => context.emit(Line::debug(text)),
        LogPriority::Info => context.emit(Line::info(text)),
    }
}

/// `execute`: runs a program and waits for it.
fn spawn(command: &[u8], arguments: &[Expr], context: &mut Context<'_>) {
    let command = until_nul(command);
    context.emit(Line::debug([b"execute_statement argv[0] = ", command].concat()));
    let mut words = Vec::with_capacity(arguments.len());
    for (argument, at) in arguments.iter().zip(1..) {
        let Some(word) = evaluate_data(argument, context) else {
            context.emit(Line::debug(format!("execute: bad arg {at}")));
            return;
        };
        let word = until_nul(&word).to_vec();
        context.emit(Line::debug([format!("execute_statement argv[{at}] = ").as_bytes(), &word].concat()));
        words.push(word);
    }
    if context.is_stopped() {
        return;
    }
    let status = match context.environment.execute(command, &words) {
        Ok(status) => status,
        Err(NotRun::NoProcess) => return context.emit(Line::error("execute: fork() failed")),
        Err(NotRun::NotStarted(error)) => {
            let error = format!(": {error}");
            context.emit(Line::error([b"Unable to execute ", command, error.as_bytes()].concat()));
            NOT_STARTED
        }
    };
    if status != 0 {
        let status = format!(" exit status {status}");
        context.emit(Line::error([b"execute: ", command, status.as_bytes()].concat()));
    }
}

/// An option statement (ISC `common/options.c:set_option`).
fn set_option(combine: Combine, option: OptionId, value: &Setting, context: &mut Context<'_>) {
    let spaces = &context.config.spaces;
    let Some(reply) = context.reply.as_deref_mut() else { return };
    match combine {
        Combine::Supersede => reply.set(spaces, option, Arc::clone(value)),
        Combine::Default => reply.set_default(spaces, option, Arc::clone(value)),
        Combine::Append | Combine::Prepend => {
            let Some(entry) = reply.get(option.space, option.code) else {
                reply.set(spaces, option, Arc::clone(value));
                return;
            };
            let there = entry.option;
            let (first, second) = match combine {
                Combine::Append => (&entry.value, value),
                _ => (value, &entry.value),
            };
            let sides = Box::new([Expr::clone(first), Expr::clone(second)]);
            let compressed = [option, there].map(|option| spaces.format(option).is_compressed_domain_list());
            let joined = match compressed {
                [true, true] => Expr::ConcatDomainLists(sides),
                [false, false] => Expr::Concat(sides),
                _ => {
                    context.emit(Line::error("Both options must be Dc format"));
                    return;
                }
            };
            reply.set(spaces, there, Arc::new(joined));
        }
    }
}
