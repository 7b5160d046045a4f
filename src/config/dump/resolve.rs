//! What holds in a scope without being set there: inherited values, and dhcpd's defaults.
//!
//! Statements are gone over in the order in which dhcpd runs them, outermost scope first (ISC
//! `common/execute.c:execute_statements_in_scope`). What an `if` or a `switch` sets depends on the client, so it is only
//! named.

use super::defaults::{Default, Holds, SERVER_WIDE, defaults};
use super::expression::option_name;
use super::statement::{Place, setting};
use crate::config::Config;
use crate::config::build::Family;
use crate::config::network::ScopeId;
use crate::config::tree::{Combine, Statement};
use crate::options::{OptionId, SpaceId, Spaces};
use std::collections::{HashMap, HashSet};

/// An option, whatever it is called.
pub(super) type Key = (SpaceId, u32);

/// An inherited statement.
#[derive(Clone, Debug)]
pub(super) struct Inherited {
    /// What it sets.
    pub(super) key: Key,
    /// The statement, or the name of the option when that depends on the client.
    pub(super) text: Vec<u8>,
    /// Where it stands.
    pub(super) scope: ScopeId,
    /// One of the statements every dhcpd starts with.
    pub(super) built_in: bool,
    /// It stands in an `if` or a `switch`.
    pub(super) conditional: bool,
}

/// How many statements of the root scope every dhcpd starts with.
pub(super) const BUILT_IN: usize = 3;

/// What a client gets from these scopes, outermost first, together.
pub(super) fn inherited(config: &Config, chain: &[ScopeId]) -> Vec<Inherited> {
    let mut found: Vec<Option<Inherited>> = Vec::new();
    let mut by_key: HashMap<Key, Vec<usize>> = HashMap::new();
    for scope in chain {
        let Some(statements) = config.statements(*scope) else { continue };
        let mut named = HashSet::new();
        for (at, statement) in statements.iter().enumerate() {
            let built_in = *scope == ScopeId::ROOT && at < BUILT_IN;
            match statement {
                Statement::Option { option, .. } if is_server_wide(config, *option) => {}
                Statement::Option { combine, option, value } => {
                    let key = key(*option);
                    let there = by_key.entry(key).or_default();
                    let set = |at: &usize| matches!(found.get(*at), Some(Some(it)) if !it.conditional);
                    match combine {
                        Combine::Supersede => there.drain(..).for_each(|at| {
                            if let Some(slot) = found.get_mut(at) {
                                *slot = None;
                            }
                        }),
                        Combine::Default if there.iter().any(set) => continue,
                        Combine::Default | Combine::Append | Combine::Prepend => {}
                    }
                    there.push(found.len());
                    let text =
                        setting(config, *combine, *option, value, Place { pool: true, handler: false });
                    found.push(Some(Inherited { key, text, scope: *scope, built_in, conditional: false }));
                }
                Statement::If { .. } | Statement::Switch { .. } => {
                    let mut options = Vec::new();
                    options_in(statement, &mut options);
                    for option in options {
                        let key = key(option);
                        if is_server_wide(config, option) || !named.insert(key) {
                            continue;
                        }
                        by_key.entry(key).or_default().push(found.len());
                        let text = match option_name(&config.spaces, option) {
                            (name, option) if option.space == Spaces::SERVER => config
                                .spaces
                                .definition(option)
                                .map_or(name, |definition| definition.name.to_string()),
                            (name, _) => format!("option {name}"),
                        };
                        found.push(Some(Inherited {
                            key,
                            text: text.into_bytes(),
                            scope: *scope,
                            built_in,
                            conditional: true,
                        }));
                    }
                }
                _ => {}
            }
        }
    }
    found.into_iter().flatten().collect()
}

/// The options that a scope's own statements set in any case, so that nothing is inherited.
pub(super) fn set_here(statements: &[Statement]) -> HashSet<Key> {
    let set = |statement: &Statement| match statement {
        Statement::Option { combine: Combine::Supersede, option, .. } => Some(key(*option)),
        _ => None,
    };
    statements.iter().filter_map(set).collect()
}

/// The options that a scope's own statements give a value to, alone or together with what is inherited.
pub(super) fn given_here(statements: &[Statement]) -> HashSet<Key> {
    let given = |statement: &Statement| match statement {
        Statement::Option { option, .. } => Some(key(*option)),
        _ => None,
    };
    statements.iter().filter_map(given).collect()
}

/// The options that inherited statements give a value to in any case.
pub(super) fn given(inherited: &[Inherited]) -> HashSet<Key> {
    inherited.iter().filter(|it| !it.conditional && !it.built_in).map(|it| it.key).collect()
}

/// The defaults that hold where nothing of `given` and `here` says otherwise, as statements.
pub(super) fn unset(
    config: &Config,
    family: Family,
    holds: Holds,
    given: &HashSet<Key>,
    here: &HashSet<Key>,
) -> Vec<&'static str> {
    let applies = |default: &&Default| {
        let option = config.spaces.option_named(Spaces::SERVER, default.name());
        default.holds(family, holds)
            && option.is_some_and(|option| !given.contains(&key(option)) && !here.contains(&key(option)))
    };
    defaults().iter().filter(applies).map(|default| default.statement).collect()
}

/// Whether a parameter is read once, from the outermost scope alone.
fn is_server_wide(config: &Config, option: OptionId) -> bool {
    let name = || config.spaces.definition(option).map(|definition| &*definition.name);
    option.space == Spaces::SERVER && name().is_some_and(|name| SERVER_WIDE.contains(&name))
}

/// What identifies an option.
pub(super) fn key(option: OptionId) -> Key {
    (option.space, option.code)
}

fn options_in(statement: &Statement, found: &mut Vec<OptionId>) {
    match statement {
        Statement::Option { option, .. } => found.push(*option),
        Statement::If { then, otherwise, .. } => {
            then.iter().chain(otherwise.iter()).for_each(|inner| options_in(inner, found));
        }
        Statement::Switch { body, .. } => body.iter().for_each(|inner| options_in(inner, found)),
        _ => {}
    }
}
