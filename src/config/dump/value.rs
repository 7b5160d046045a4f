//! Values of options as they are written literally, by the option's format (the inverse of `build/option_value.rs`).
//!
//! Where the octets do not fit the format, or the value is computed, the caller writes an expression instead.

use super::text::{self, is_hostname, is_text, is_word};
use crate::config::tree::Expr;
use crate::options::{
    Atom, DomainList, Format, Item, domain_name_text, encode_domain_name, ip6_text, unpack_domain_name,
};
use std::net::{Ipv4Addr, Ipv6Addr};

/// A value as literal text; empty for an option without one. `unjoined` is how constants stand inside of an `on`
/// block: atom by atom.
pub(super) fn literal(format: &Format, value: &Expr, unjoined: bool) -> Option<Vec<u8>> {
    if let Expr::Data(octets) = value {
        let (text, lengths) = decode(format, octets)?;
        return (!unjoined || lengths.len() <= 1).then_some(text);
    }
    let leaves = leaves(value)?;
    if let [Item { atom: Atom::Ip4, optional: false, repeated }] = format.items() {
        return addresses(&leaves, *repeated || format.is_array(), unjoined);
    }
    if !unjoined {
        return None;
    }
    let mut all = Vec::new();
    let mut given = Vec::new();
    for leaf in leaves {
        let Expr::Data(octets) = leaf else { return None };
        all.extend_from_slice(octets);
        given.push(octets.len());
    }
    let (text, lengths) = decode(format, &all)?;
    (lengths == given).then_some(text)
}

/// A list of addresses and names that are looked up. `uniform`: each stands for all of its addresses.
pub(super) fn addresses(leaves: &[&Expr], uniform: bool, unjoined: bool) -> Option<Vec<u8>> {
    if leaves.len() > 1 && !uniform {
        return None;
    }
    let mut parts: Vec<Vec<u8>> = Vec::new();
    let mut after_data = false;
    for leaf in leaves {
        match leaf {
            Expr::Data(octets) => {
                let (chunks, rest) = octets.as_chunks::<4>();
                let whole = !octets.is_empty() && rest.is_empty();
                if !whole || (chunks.len() > 1 && (unjoined || !uniform)) || (after_data && !unjoined) {
                    return None;
                }
                parts.extend(chunks.iter().map(|four| Ipv4Addr::from(*four).to_string().into_bytes()));
            }
            leaf => parts.push(looked_up(leaf, uniform)?.as_bytes().to_vec()),
        }
        after_data = matches!(leaf, Expr::Data(_));
    }
    Some(parts.join(&b", "[..]))
}

/// The name that is looked up where an address is wanted.
fn looked_up(expression: &Expr, uniform: bool) -> Option<&str> {
    let name = match expression {
        Expr::HostLookup(name) if uniform => name,
        Expr::Substring(parts) if !uniform => match &**parts {
            [Expr::HostLookup(name), Expr::Number(0), Expr::Number(4)] => name,
            _ => return None,
        },
        _ => return None,
    };
    is_hostname(name.as_bytes()).then_some(name)
}

/// What is concatenated, from left to right; `None` when something hangs on the right side.
pub(super) fn leaves(value: &Expr) -> Option<Vec<&Expr>> {
    let mut found = Vec::new();
    let mut at = value;
    while let Expr::Concat(sides) = at {
        if matches!(sides[1], Expr::Concat(_)) {
            return None;
        }
        found.push(&sides[1]);
        at = &sides[0];
    }
    found.push(at);
    found.reverse();
    Some(found)
}

/// The text of octets and the length of each atom.
fn decode(format: &Format, octets: &[u8]) -> Option<(Vec<u8>, Vec<usize>)> {
    let items = format.items();
    if let [Item { atom: Atom::ZeroLength, .. }] = items {
        return octets.is_empty().then(|| (Vec::new(), Vec::new()));
    }
    let mut text: Vec<u8> = Vec::new();
    let mut lengths = Vec::new();
    let mut rest = octets;
    let mut separator: &[u8] = b"";
    loop {
        for (at, item) in items.iter().enumerate() {
            let last = at + 1 == items.len() && !format.is_array();
            loop {
                if item.optional && rest.is_empty() {
                    break;
                }
                let (word, taken) = atom(&item.atom, rest, octets, last && !item.repeated)?;
                text.extend_from_slice(separator);
                text.extend(word);
                lengths.push(taken);
                rest = rest.get(taken..)?;
                separator = b", ";
                // Who repeats takes all there is: what follows would be cut off from it.
                if !item.repeated || (rest.is_empty() && last) {
                    break;
                }
                if !last {
                    return None;
                }
            }
            separator = b" ";
        }
        if rest.is_empty() {
            break;
        }
        if !format.is_array() {
            return None;
        }
        separator = b", ";
    }
    (!lengths.is_empty()).then_some((text, lengths))
}

/// One atom at the front of `rest`, and how many octets it takes; `last` may take all.
fn atom(atom: &Atom, rest: &[u8], all: &[u8], last: bool) -> Option<(Vec<u8>, usize)> {
    let number = |octets: u8| {
        let taken = rest.get(..usize::from(octets))?;
        Some(taken.iter().fold(0u32, |sum, octet| sum << 8 | u32::from(*octet)))
    };
    let short = |text: String, octets: u8| Some((text.into_bytes(), usize::from(octets)));
    match atom {
        Atom::Ip4 => short(Ipv4Addr::from(number(4)?).to_string(), 4),
        Atom::Ip6 => {
            let octets: [u8; 16] = rest.get(..16)?.try_into().ok()?;
            short(ip6_text(Ipv6Addr::from(octets)), 16)
        }
        Atom::Integer { octets, signed } => {
            let value = number(*octets)?;
            let text = match (signed, octets) {
                (true, 1) => (value as u8 as i8).to_string(),
                (true, 2) => (value as u16 as i16).to_string(),
                (true, _) => (value as i32).to_string(),
                (false, _) => value.to_string(),
            };
            short(text, *octets)
        }
        Atom::Time => match number(4)? {
            u32::MAX => short("infinite".to_owned(), 4),
            seconds => short(seconds.to_string(), 4),
        },
        Atom::Flag => {
            let word = ["false", "true", "ignore"].get(number(1)? as usize)?;
            short((*word).to_owned(), 1)
        }
        Atom::Enumeration(words) => short(words.word(number(words.width)?)?.to_owned(), words.width),
        Atom::Text | Atom::KeyName if last && is_text(rest) => Some((text::quoted(rest), rest.len())),
        // A NUL would end it.
        Atom::Text | Atom::KeyName => {
            let whole = last && rest.len() <= text::LONGEST_TOKEN && !rest.contains(&0);
            whole.then(|| (text::quoted(rest), rest.len()))
        }
        Atom::String | Atom::Encapsulation(_) => last.then(|| (text::octets(rest), rest.len())),
        Atom::SpaceName => (last && is_word(rest)).then(|| (rest.to_vec(), rest.len())),
        Atom::DomainName => {
            // A name that ends without its root label was written without a final dot.
            let (name, taken) = unpack_domain_name(rest, 0).ok()?;
            let text = domain_name_text(&name).ok()?;
            let same = encode_domain_name(&text).ok()? == *rest.get(..taken)?;
            (same && is_hostname(&text)).then_some((text, taken))
        }
        Atom::DomainList { compressed } => {
            if !last {
                return None;
            }
            let from = all.len() - rest.len();
            let mut list = DomainList::new(*compressed);
            let mut names = Vec::new();
            let mut at = 0;
            while at < rest.len() {
                // Compression pointers count from the beginning of the list.
                let (name, taken) = unpack_domain_name(rest, at).ok()?;
                let name = domain_name_text(&name).ok()?;
                list.push(&name).ok()?;
                names.push(text::quoted(&name));
                at += taken;
            }
            let same = from == 0 && !names.is_empty() && list.finish() == rest;
            same.then(|| (names.join(&b", "[..]), rest.len()))
        }
        Atom::ZeroLength | Atom::ImpliedFlag => None,
    }
}

/// Addresses and names of which only the first address counts, as in zones and failover peers: there a list is one
/// value all the same.
pub(super) fn zone_addresses(leaves: &[&Expr]) -> Option<Vec<u8>> {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for leaf in leaves {
        match leaf {
            Expr::Data(octets) => {
                let (chunks, rest) = octets.as_chunks::<4>();
                if octets.is_empty() || !rest.is_empty() {
                    return None;
                }
                parts.extend(chunks.iter().map(|four| Ipv4Addr::from(*four).to_string().into_bytes()));
            }
            leaf => parts.push(looked_up(leaf, false)?.as_bytes().to_vec()),
        }
    }
    Some(parts.join(&b", "[..]))
}
