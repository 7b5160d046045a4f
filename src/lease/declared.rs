//! Writing the declarations that were made while the server ran, or were in the lease file: classes, subclasses, groups
//! and hosts.
//!
//! Mirrors ISC `server/db.c` (`write_named_billing_class`, `write_group`, `write_host`) and the first half of
//! `server/mdb.c:write_leases`. Where dhcpd walks a hash table so do we, as the order shows in the file.

use super::writer::{
    Words, is_plain, write_address, write_class_value, write_hardware, write_hex, write_quoted,
};
use crate::config::network::{Class, ClassId, Group, GroupId, Host, HostId, ScopeId};
use crate::config::{Config, print_expression};
use crate::log::Line;

/// One declaration to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Class(ClassId),
    Group(GroupId),
    Host(HostId),
}

/// What is to be written of a configuration, in order, and what dhcpd says about it.
pub(super) fn items(config: &Config, lines: &mut Vec<Line>) -> Vec<Item> {
    let mut items = Vec::new();
    for &id in &config.class_order {
        let Some(class) = config.classes.get(id.index()) else { continue };
        let subclasses = class.subclasses.iter().map(|(value, id)| (&value[..], *id)).collect();
        let all = std::iter::once(id).chain(in_hash_order(subclasses, SUBCLASSES));
        let dynamic = |id: &ClassId| config.classes.get(id.index()).is_some_and(|class| class.dynamic);
        items.extend(all.filter(dynamic).map(Item::Class));
    }
    if !config.class_order.is_empty() {
        lines.push(Line::info(format!("Wrote {} class decls to leases file.", items.len())));
    }
    if !config.groups.is_empty() {
        let written = |group: &Group| if group.deleted { group.fixed } else { group.dynamic };
        let groups = config.groups.iter().enumerate().filter(|(_, group)| written(group));
        let groups = groups.map(|(at, group)| (group.name.as_bytes(), GroupId(at as u32))).collect();
        let before = items.len();
        items.extend(in_hash_order(groups, GROUPS).into_iter().map(Item::Group));
        lines.push(Line::info(format!("Wrote {} group decls to leases file.", items.len() - before)));
    }
    if !config.hosts.is_empty() {
        let pick = |which: &dyn Fn(&Host) -> bool| {
            let hosts = config.hosts.iter().enumerate().filter(|(_, host)| which(host));
            in_hash_order(hosts.map(|(at, host)| (host.name.as_bytes(), HostId(at as u32))).collect(), HOSTS)
        };
        let deleted = pick(&|host| host.deleted && host.fixed && plain(&host.name));
        lines.push(Line::info(format!("Wrote {} deleted host decls to leases file.", deleted.len())));
        items.extend(deleted.into_iter().map(Item::Host));
        // One that was deleted and is remembered is written again here.
        let dynamic = pick(&|host| host.dynamic && (!host.deleted || host.fixed));
        let known = |id: &HostId| {
            let host = config.hosts.get(id.index());
            host.is_some_and(|host| host.deleted || config.host_index.named(&host.name) == Some(*id))
        };
        let (writable, not): (Vec<HostId>, Vec<HostId>) = dynamic
            .into_iter()
            .filter(known)
            .partition(|id| config.hosts.get(id.index()).is_some_and(|host| plain(&host.name)));
        // dhcpd counts the hosts it failed to write.
        lines.push(Line::info(format!("Wrote {} new dynamic host decls to leases file.", not.len())));
        items.extend(writable.into_iter().map(Item::Host));
    }
    items
}

/// Appends a declaration.
pub(super) fn write_item(out: &mut Vec<u8>, item: Item, words: &dyn Words) {
    let config = words.config();
    match item {
        Item::Class(id) => {
            if let Some(class) = config.classes.get(id.index()) {
                write_class(out, class, words);
            }
        }
        Item::Group(id) => {
            if let Some(group) = config.groups.get(id.index()) {
                write_group(out, group, words);
            }
        }
        Item::Host(id) => {
            if let Some(host) = config.hosts.get(id.index()) {
                write_host(out, id, host, words);
            }
        }
    }
}

fn write_class(out: &mut Vec<u8>, class: &Class, words: &dyn Words) {
    let config = words.config();
    match &class.hash_value {
        None => {
            out.extend(b"class ");
            write_quoted(out, class.name.as_bytes());
        }
        Some(value) => {
            out.extend(b"subclass ");
            write_quoted(out, class.name.as_bytes());
            out.push(b' ');
            write_class_value(out, value);
        }
    }
    out.extend(b" {\n  dynamic;\n");
    if let Some(limit) = class.lease_limit {
        out.extend(format!("  lease limit {limit};\n").as_bytes());
    }
    if let Some(condition) = &class.match_if {
        out.extend(b"  match if ");
        out.extend(print_expression(config, condition, 5, 5));
        out.extend(b";\n");
    }
    if let Some(data) = &class.submatch {
        // dhcpd leaves out `with`, and then does not read the class.
        out.extend(if class.spawning { &b"  spawn with "[..] } else { b"  match " });
        out.extend(print_expression(config, data, 5, 5));
        out.extend(b";\n");
    }
    // dhcpd forgets the others.
    if config.is_authoritative(class.scope) {
        write_statements(out, class.scope, words);
    }
    out.extend(b"}\n\n");
}

fn write_group(out: &mut Vec<u8>, group: &Group, words: &dyn Words) {
    out.extend(b"group ");
    write_group_name(out, group.name.as_bytes());
    out.extend(b" {");
    for (flag, text) in [(group.dynamic, "\n  dynamic;"), (group.fixed, "\n  static;")] {
        if flag {
            out.extend(text.as_bytes());
        }
    }
    if group.deleted {
        out.extend(b"\n  deleted;");
    } else {
        write_statements(out, group.scope, words);
    }
    out.extend(b"\n}\n");
}

/// dhcpd leaves out the quotes, and then reads only what looks like a word.
fn write_group_name(out: &mut Vec<u8>, name: &[u8]) {
    let word = |c: &u8| c.is_ascii_alphanumeric() || *c == b'-' || *c == b'_';
    if name.first().is_some_and(u8::is_ascii_alphabetic) && name.iter().all(word) {
        out.extend(name);
    } else {
        write_quoted(out, name);
    }
}

fn write_host(out: &mut Vec<u8>, id: HostId, host: &Host, words: &dyn Words) {
    let config = words.config();
    out.extend(b"host ");
    out.extend(host.name.as_bytes());
    out.extend(b" {");
    if host.dynamic {
        out.extend(b"\n  dynamic;");
    }
    if host.deleted {
        out.extend(b"\n  deleted;\n}\n");
        return;
    }
    if let Some(hardware) = &host.hardware {
        out.extend(b"\n  ");
        write_hardware(out, hardware);
    }
    if let Some(uid) = host.uid.as_ref().filter(|uid| !uid.is_empty()) {
        out.extend(b"\n  uid ");
        if uid.iter().copied().all(is_plain) {
            out.push(b'"');
            out.extend(uid.as_slice());
            out.push(b'"');
        } else {
            write_hex(out, uid);
        }
        out.push(b';');
    }
    if let Some(addresses) = words.fixed_addresses(id, host) {
        out.extend(b"\n  fixed-address ");
        let (addresses, _) = addresses.as_chunks::<4>();
        for (at, &address) in addresses.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            write_address(out, address);
        }
        out.push(b';');
    }
    let group = host.group.and_then(|id| config.groups.get(id.index()));
    if let Some(group) = group {
        out.extend(b"\n  group ");
        write_quoted(out, group.name.as_bytes());
        out.push(b';');
    }
    if group.is_none_or(|group| group.scope != host.scope) {
        write_statements(out, host.scope, words);
    }
    out.extend(b"\n}\n");
}

fn write_statements(out: &mut Vec<u8>, scope: ScopeId, words: &dyn Words) {
    if let Some(statements) = words.config().statements(scope) {
        words.statements(statements, 8, out);
    }
}

/// Sizes of dhcpd's hash tables.
const SUBCLASSES: u32 = 12_007;
const GROUPS: u32 = 9973;
const HOSTS: u32 = 22_501;

/// The ids in the order in which dhcpd meets their keys in a hash table: by bucket, in each the newest first. An id that
/// is greater was entered later.
fn in_hash_order<T: Copy + Ord>(keyed: Vec<(&[u8], T)>, size: u32) -> Vec<T> {
    let mut order: Vec<(u32, std::cmp::Reverse<T>)> =
        keyed.into_iter().map(|(key, id)| (string_hash(key) % size, std::cmp::Reverse(id))).collect();
    order.sort_unstable();
    order.into_iter().map(|(_, std::cmp::Reverse(id))| id).collect()
}

/// ISC `omapip/hash.c:do_string_hash`: 16 bit with carry.
fn string_hash(key: &[u8]) -> u32 {
    key.iter().fold(0, |sum, &octet| {
        let mut sum = (sum << 1) + u32::from(octet);
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        sum
    })
}

/// ISC `db_printable`: what can stand in the file unquoted, or between quotes as it is.
fn plain(name: &str) -> bool {
    name.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Family, build};
    use crate::lease::{LeaseDb, Loading, Others, Rewrite, typed_handlers};
    use crate::syntax::{LoadError, parse};
    use proptest::prelude::*;
    use std::sync::Arc;

    /// A configuration and a lease file to one with the declarations of the file; the file rewritten, what was said.
    fn rewritten(config: &str, leases: &[u8]) -> (Vec<u8>, Vec<String>, Arc<Config>) {
        let mut nothing = |_: &[u8]| Err(LoadError { errno: None, message: String::new() });
        let built = build(&parse(b"c", config.as_bytes().to_vec(), &mut nothing), Family::V4);
        let mut config = Arc::new(built.config);
        let mut db = LeaseDb::new(&config).unwrap();
        let (mut others, mut spawned) = (Others::default(), Default::default());
        let mut loading =
            Loading { config: &mut config, db: &mut db, others: &mut others, spawned: &mut spawned };
        let lines = loading.load(leases, b"f", 1_800_000_000, &mut *typed_handlers());
        db.start();
        let (file, _) = Rewrite::whole(&mut db, &others, 1_800_000_000, &*config);
        let lines = lines.iter().map(|line| String::from_utf8_lossy(&line.text).into_owned()).collect();
        (file[crate::lease::writer::header().len()..].to_vec(), lines, config)
    }

    const SUBNET: &str = "subnet 10.0.0.0 netmask 255.0.0.0 { range 10.0.0.10 10.0.0.20; }\n";

    #[test]
    fn the_order_is_that_of_dhcpd_s_hash_tables() {
        let hosts: String = ["hstat", "h1", "hg", "hu", "hx"]
            .iter()
            .map(|name| format!("host {name} {{\n  dynamic;\n}}\n"))
            .collect();
        let (file, lines, _) = rewritten(SUBNET, hosts.as_bytes());
        assert_eq!(lines, [""; 0]);
        let names: Vec<String> = String::from_utf8(file)
            .unwrap()
            .lines()
            .filter_map(|line| Some(line.strip_prefix("host ")?.split(' ').next()?.to_owned()))
            .collect();
        // As the real one writes them.
        assert_eq!(names, ["h1", "hg", "hu", "hx", "hstat"]);
        assert_eq!(string_hash(b"a"), 97);
    }

    #[test]
    fn a_deleted_host_of_the_configuration_is_remembered() {
        let config =
            format!("{SUBNET}host a {{ fixed-address 10.0.0.1; uid \"a\"; }} host b {{ uid \"a\"; }}");
        let (file, _, config) = rewritten(&config, b"host a { dynamic; deleted; }");
        assert_eq!(file, b"host a {\n  deleted;\n}\n");
        let left: Vec<HostId> = config.host_index.by_uid(b"a").collect();
        assert_eq!(left, [HostId(1)]);
    }

    fn octets() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(any::<u8>(), 1..20)
    }

    fn quoted(octets: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        write_quoted(&mut out, octets);
        out
    }

    proptest! {
        /// What is written is read again, and then written as it is.
        #[test]
        fn written_is_read(
            hosts in proptest::collection::vec(("[a-z][a-z0-9-]{0,12}(\\.[a-z][a-z0-9]{0,5})?", octets(), any::<u32>(), 0u8..8), 0..8),
            groups in proptest::collection::vec("[ -~]{1,12}", 0..4),
            classes in proptest::collection::vec(("[ -~]{1,12}", proptest::collection::vec(octets(), 0..5)), 0..3),
        ) {
            let mut file = Vec::new();
            for (name, values) in &classes {
                file.extend([b"class ", &quoted(name.as_bytes())[..], b" { dynamic; match hardware; }\n"].concat());
                for value in values {
                    let parts: [&[u8]; 5] = [b"subclass ", &quoted(name.as_bytes()), b" ", &quoted(value), b" { dynamic; }\n"];
                    file.extend(parts.concat());
                }
            }
            for name in &groups {
                file.extend([b"group ", &quoted(name.as_bytes())[..], b" { dynamic; option domain-name \"g\"; }\n"].concat());
            }
            for (name, uid, address, what) in &hosts {
                file.extend(format!("host {name} {{ dynamic; ").as_bytes());
                if what & 1 != 0 {
                    file.extend([b"uid ", &quoted(uid)[..], b"; "].concat());
                }
                if what & 2 != 0 {
                    file.extend(format!("fixed-address {}; ", std::net::Ipv4Addr::from_bits(*address)).as_bytes());
                }
                if what & 4 != 0
                    && let Some(group) = groups.first()
                {
                    file.extend([b"group ", &quoted(group.as_bytes())[..], b"; "].concat());
                }
                file.extend(b"option host-name \"x\\\"y\"; }\n");
            }
            let (first, lines, _) = rewritten(SUBNET, &file);
            // Names may come twice.
            prop_assert!(lines.iter().all(|line| !line.contains("Corrupt")), "{:?}", lines);
            let (second, lines, _) = rewritten(SUBNET, &first);
            prop_assert_eq!(lines, Vec::<String>::new(), "{}", String::from_utf8_lossy(&first));
            // In a bucket of a hash table the order turns each time.
            let (third, _, _) = rewritten(SUBNET, &second);
            prop_assert_eq!(String::from_utf8_lossy(&third), String::from_utf8_lossy(&first));
        }
    }
}
