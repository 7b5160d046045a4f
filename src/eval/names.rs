//! Host names in expressions, and how long their addresses are remembered.
//!
//! Mirrors ISC `common/tree.c:do_host_lookup`. Every place in the configuration that names a host has a memory of its
//! own: an answer counts for an hour, a failure for a minute - and while a failure is remembered, the value is empty
//! rather than absent.

use super::octets::Data;
use super::{Context, ResolveError};
use crate::log::Line;
use crate::options::Octets;
use crate::time::Seconds;
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// How long an answer counts, in seconds.
const ANSWER_LASTS: Seconds = 3600;

/// How long a failure counts, in seconds.
const FAILURE_LASTS: Seconds = 60;

/// What became of the host names looked up so far.
#[derive(Debug, Default)]
pub struct NameCache {
    /// By the address of the name in the tree, which stands for the place that names it; the entry holds the name, so
    /// that the address stays taken.
    answers: HashMap<usize, Answer>,
}

#[derive(Debug)]
struct Answer {
    _name: Arc<str>,
    until: Seconds,
    addresses: Octets,
}

/// The addresses of a host, one after the other; absent when it just turned out to have none.
pub(super) fn look_up<'e>(context: &mut Context<'_>, name: &Arc<str>) -> Option<Data<'e>> {
    // An address stands for itself; no resolver needs to be asked.
    if let Ok(address) = name.parse::<Ipv4Addr>() {
        return Some(address.octets().into());
    }
    let place = Arc::as_ptr(name).cast::<u8>() as usize;
    let now = context.now.wall;
    if let Some(answer) = context.memory.names.answers.get(&place)
        && now <= answer.until
    {
        return Some(Data::shared(answer.addresses.clone()));
    }
    let (lasts, addresses) = match context.environment.resolve(name) {
        Ok(addresses) => {
            (ANSWER_LASTS, Some(addresses.iter().flat_map(Ipv4Addr::octets).collect::<Vec<u8>>()))
        }
        Err(error) => {
            context.emit(Line::error(match error {
                ResolveError::HostUnknown => format!("{name}: host unknown."),
                ResolveError::TryAgain => format!("{name}: temporary name server failure"),
                ResolveError::NoRecovery => format!("{name}: name server failed"),
                ResolveError::NoAddress => format!("{name}: no A record associated with address"),
            }));
            (FAILURE_LASTS, None)
        }
    };
    let octets = Octets::new(addresses.as_deref().unwrap_or_default());
    let answer = Answer { _name: Arc::clone(name), until: now + lasts, addresses: octets.clone() };
    context.memory.names.answers.insert(place, answer);
    addresses.map(|_| Data::shared(octets))
}
