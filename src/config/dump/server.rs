//! What belongs to the whole server: settings that are no options, keys, zones, failover peers.

use super::blocks::address_list;
use super::text;
use super::writer::Writer;
use crate::config::Config;
use crate::config::network::{FailoverPeer, LeaseIdFormat, ServerDuid, Zone};
use crate::options::ip6_text;

/// What a key's algorithm gets appended when it has no dot.
const ALGORITHM_SUFFIX: &str = ".SIG-ALG.REG.INT.";

/// `lease-id-format`, `db-time-format` and `server-duid`, where they are not the default.
pub(super) fn settings(config: &Config, out: &mut Writer) {
    match config.lease_id_format {
        LeaseIdFormat::Octal => out.line(["# default: lease-id-format octal;"]),
        LeaseIdFormat::Hex => out.line(["lease-id-format hex;"]),
    }
    match config.db_time_format_local {
        false => out.line(["# default: db-time-format default;"]),
        true => out.line(["db-time-format local;"]),
    }
    match &config.server_duid {
        None => {}
        Some(ServerDuid::GenerateLlt) => out.line(["server-duid llt;"]),
        Some(ServerDuid::GenerateLl) => out.line(["server-duid ll;"]),
        Some(ServerDuid::Octets(octets)) => out.line([b"server-duid ", &*duid(octets), b";"]),
    }
}

/// A DUID (RFC 8415 section 11): the forms of its types, where they can say it.
fn duid(octets: &[u8]) -> Vec<u8> {
    let hardware = |kind: &[u8]| match kind {
        [0, 1] => Some("ethernet"),
        [0, 6] => Some("token-ring"),
        [0, 8] => Some("fddi"),
        _ => None,
    };
    let (duid_type, rest) = octets.split_at_checked(2).unwrap_or((&[], octets));
    let number = |octets: &[u8]| octets.iter().fold(0u32, |sum, octet| sum << 8 | u32::from(*octet));
    match (duid_type, rest.split_at_checked(2), rest.split_at_checked(4), rest.split_at_checked(6)) {
        ([0, 1], _, _, Some((head, address))) if !address.is_empty() && hardware(&head[..2]).is_some() => {
            let kind = hardware(&head[..2]).unwrap_or_default();
            let time = number(&head[2..]) as i32;
            [format!("llt {kind} {time} ").as_bytes(), &*text::hex(address)].concat()
        }
        ([0, 3], Some((kind, address)), _, _) if !address.is_empty() && hardware(kind).is_some() => {
            let kind = hardware(kind).unwrap_or_default();
            [format!("ll {kind} ").as_bytes(), &*text::hex(address)].concat()
        }
        ([0, 2], _, Some((enterprise, identifier)), _) => {
            [format!("en {} ", number(enterprise) as i32).as_bytes(), &*text::quoted(identifier)].concat()
        }
        _ => [format!("{} ", number(duid_type)).as_bytes(), &*text::quoted(rest)].concat(),
    }
}

/// Keys, then the zones that use them.
pub(super) fn keys_and_zones(config: &Config, out: &mut Writer) {
    for key in &config.keys {
        out.gap();
        out.open([b"key ", &*host_or_string(&key.name)]);
        let algorithm = match key.algorithm.len().checked_sub(ALGORITHM_SUFFIX.len()) {
            Some(at) => match key.algorithm.split_at_checked(at) {
                Some((name, ALGORITHM_SUFFIX)) if !name.contains('.') => name,
                _ => &key.algorithm,
            },
            None => &key.algorithm,
        };
        out.line([format!("algorithm {algorithm};")]);
        let secret = text::base64(&key.secret);
        out.line([if secret.is_empty() { "secret \"\";".to_owned() } else { format!("secret {secret};") }]);
        out.close();
    }
    for zone in &config.zones {
        out.gap();
        zone_block(zone, out);
    }
}

fn zone_block(zone: &Zone, out: &mut Writer) {
    out.open([b"zone ", zone.name.as_bytes()]);
    for (word, servers) in [("primary", &zone.primary), ("secondary", &zone.secondary)] {
        if let Some(list) = servers.as_deref().and_then(address_list) {
            out.line([word.as_bytes(), b" ", &*list, b";"]);
        }
    }
    for (word, servers) in [("primary6", &zone.primary6), ("secondary6", &zone.secondary6)] {
        if !servers.is_empty() {
            let list: Vec<String> = servers.iter().map(|address| ip6_text(*address)).collect();
            out.line([format!("{word} {};", list.join(", "))]);
        }
    }
    if let Some(key) = &zone.key {
        out.line([b"key ", &*host_or_string(key), b";"]);
    }
    out.close();
}

/// Failover peers; those declared in a shared network as well: it then refers to them.
pub(super) fn peers(config: &Config, out: &mut Writer) {
    for peer in &config.failover_peers {
        out.gap();
        out.open([b"failover peer ", &*text::quoted(peer.name.as_bytes())]);
        peer_lines(peer, out);
        out.close();
    }
}

fn peer_lines(peer: &FailoverPeer, out: &mut Writer) {
    out.line([if peer.primary { "primary;" } else { "secondary;" }]);
    for (word, address) in [("address", &peer.address), ("peer address", &peer.peer_address)] {
        if let Some(list) = address.as_deref().and_then(address_list) {
            out.line([word.as_bytes(), b" ", &*list, b";"]);
        }
    }
    out.line([format!("port {};", peer.port)]);
    out.line([format!("peer port {};", peer.peer_port)]);
    match (peer.split, &peer.hba) {
        (Some(split), _) => out.line([format!("split {split};")]),
        (None, Some(hba)) => out.line([b"hba ", &*text::hex(hba), b";"]),
        (None, None) => {}
    }
    for (name, value) in [
        ("mclt", peer.mclt),
        ("max-response-delay", peer.max_response_delay),
        ("max-unacked-updates", peer.max_unacked_updates),
        ("peer max-response-delay", peer.peer_max_response_delay),
        ("peer max-unacked-updates", peer.peer_max_unacked_updates),
        ("load balance max seconds", peer.load_balance_max_seconds),
        ("max-lease-misbalance", peer.max_lease_misbalance),
        ("max-lease-ownership", peer.max_lease_ownership),
        ("max-balance", peer.max_balance),
        ("min-balance", peer.min_balance),
        ("auto-partner-down", peer.auto_partner_down),
    ] {
        if value != 0 {
            out.line([format!("{name} {};", value as i32)]);
        }
    }
}

fn host_or_string(name: &str) -> Vec<u8> {
    if text::is_hostname(name.as_bytes()) { name.as_bytes().to_vec() } else { text::quoted(name.as_bytes()) }
}
