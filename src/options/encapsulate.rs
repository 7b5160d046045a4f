//! A whole option space as the value of the option that carries it.
//!
//! Mirrors the `encapsulate` functions of ISC `common/options.c`: the options of the space in their order, each as code,
//! length and value, then the spaces carried by options of this space. Values are computed one by one while the
//! octets are laid out, because they may be expressions.

use super::fqdn::Members;
use super::packet::MAX_DEPTH;
use super::space::{OptionId, Space, SpaceId, Spaces, Wire};
use super::state::{Entry, OptionState};

/// Computes the value of an option, appending its octets. `false`: the option has no value now, which is not the same
/// as an empty one.
pub type Evaluate<'e, V> = dyn FnMut(&Entry<V>, &mut Vec<u8>) -> bool + 'e;

/// Appends the options of `space` to `out` as they stand inside their carrier, without its code and length. `false`:
/// there is nothing to send, and `out` is as before.
pub fn encapsulate_space<V>(
    spaces: &Spaces,
    options: &OptionState<V>,
    space: SpaceId,
    evaluate: &mut Evaluate<'_, V>,
    out: &mut Vec<u8>,
) -> bool {
    let start = out.len();
    let any = encapsulate(spaces, options, space, evaluate, out, 0);
    if !any {
        out.truncate(start);
    }
    any
}

fn encapsulate<V>(
    spaces: &Spaces,
    options: &OptionState<V>,
    id: SpaceId,
    evaluate: &mut Evaluate<'_, V>,
    out: &mut Vec<u8>,
    depth: usize,
) -> bool {
    let space = spaces.space(id);
    match space.wire {
        Wire::Never => return false,
        Wire::Fqdn | Wire::Fqdn6 => return fqdn(options, space.wire, evaluate, out),
        Wire::Nwip => return nwip(options, evaluate, out),
        Wire::Options => {}
    }
    let entries = options.entries(id);
    // dhcpd does not even look for carried spaces when no option of this one was ever set.
    if entries.is_empty() {
        return false;
    }
    let mut any = false;
    let mut value = Vec::new();
    for entry in entries {
        value.clear();
        if evaluate(entry, &mut value) {
            any |= append(spaces, space, entry.option, &value, out);
        }
    }
    if depth < MAX_DEPTH {
        for (inner, carried) in spaces.iter() {
            let Some(carrier) = carried_by(carried, spaces, id) else {
                continue;
            };
            if options.contains(id, carrier.code) {
                continue;
            }
            value.clear();
            if encapsulate(spaces, options, inner, evaluate, &mut value, depth + 1) {
                any |= append(spaces, space, carrier, &value, out);
            }
        }
    }
    any
}

/// The option of `outer` that carries `inner` and nothing else.
fn carried_by(inner: &Space, spaces: &Spaces, outer: SpaceId) -> Option<OptionId> {
    let carrier = inner.carrier.filter(|carrier| carrier.space == outer)?;
    spaces.format(carrier).encapsulation().map(|_| carrier)
}

/// Appends one option. Codes and lengths are cut to the width of the space; an empty value is left out unless the
/// option never has one (ISC `append_option`).
fn append(spaces: &Spaces, space: &Space, option: OptionId, value: &[u8], out: &mut Vec<u8>) -> bool {
    if value.is_empty() && !spaces.format(option).is_zero_length() {
        return false;
    }
    let tail = |number: u32, width: u8, out: &mut Vec<u8>| {
        out.extend(number.to_be_bytes().into_iter().skip(4usize.saturating_sub(usize::from(width))));
    };
    tail(option.code, space.code_width, out);
    tail(value.len() as u32, space.length_width, out);
    out.extend_from_slice(value);
    true
}

/// Option 63. As soon as one option of the space has a value dhcpd sends nothing (it forgets the length of what it built);
/// if none has, it says that there is no data.
fn nwip<V>(options: &OptionState<V>, evaluate: &mut Evaluate<'_, V>, out: &mut Vec<u8>) -> bool {
    let entries = options.entries(Spaces::NWIP);
    if entries.is_empty() {
        return false;
    }
    let mut value = Vec::new();
    for entry in entries {
        value.clear();
        if evaluate(entry, &mut value) && !value.is_empty() {
            return false;
        }
    }
    out.extend([1, 2, 1, 0]);
    true
}

/// Options 81 and DHCPv6 39.
fn fqdn<V>(options: &OptionState<V>, wire: Wire, evaluate: &mut Evaluate<'_, V>, out: &mut Vec<u8>) -> bool {
    let entries = options.entries(Spaces::FQDN);
    if entries.is_empty() {
        return false;
    }
    let mut members = Members::default();
    let mut value = Vec::new();
    for entry in entries {
        value.clear();
        if !evaluate(entry, &mut value) {
            value.clear();
        }
        members.take(entry.option.code, &value);
    }
    match wire {
        Wire::Fqdn6 => members.encode6(out).is_some(),
        _ => members.encode(out).is_some(),
    }
}
