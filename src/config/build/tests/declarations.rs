//! Scopes, networks, pools, hosts, groups, classes, failover, keys and zones.

use super::*;
use crate::config::Config;
use crate::config::network::{Permit, Range6, ScopeId, ServerDuid, SubnetPrefix};
use crate::config::tree::{Expr, Octets, Statement};
use crate::time::NEVER;

fn subnet_names(config: &Config) -> Vec<String> {
    config
        .subnets
        .iter()
        .map(|subnet| match subnet.prefix {
            SubnetPrefix::V4 { .. } => subnet.prefix.network().unwrap().to_string(),
            SubnetPrefix::V6 { address, length } => format!("{address}/{length}"),
        })
        .collect()
}

/// The domain names set in a scope and those around it, outermost first.
fn domain_names(config: &Config, scope: ScopeId) -> Vec<String> {
    let mut found = Vec::new();
    for id in config.scope_chain(scope) {
        for statement in config.statements(id).unwrap().iter() {
            if let Statement::Option { option, value, .. } = statement
                && let (15, Expr::Data(octets)) = (option.code, &**value)
            {
                found.push(String::from_utf8_lossy(octets).into_owned());
            }
        }
    }
    found
}

#[test]
fn the_root_scope_starts_with_the_name_service_statements() {
    let built = good("option domain-name \"a\";");
    let statements = built.config.statements(ScopeId::ROOT).unwrap();
    let names: Vec<String> = statements
        .iter()
        .filter_map(|statement| match statement {
            Statement::Option { option, .. } => Some(built.config.spaces.full_name(*option)),
            _ => None,
        })
        .collect();
    assert_eq!(
        names,
        ["server.ddns-hostname", "server.ddns-domainname", "server.ddns-rev-domainname", "domain-name"]
    );
}

#[test]
fn scopes_inherit_from_what_encloses_them() {
    let built = good(
        "option domain-name \"root\";
         group { option domain-name \"group\";
           shared-network s { option domain-name \"net\";
             subnet 10.0.0.0 netmask 255.255.255.0 { option domain-name \"subnet\";
               pool { option domain-name \"pool\"; range 10.0.0.1; } }
             host h { option domain-name \"host\"; } } }
         subnet 10.0.1.0 netmask 255.255.255.0 { option domain-name \"lone\"; range 10.0.1.1; }",
    );
    let config = &built.config;
    let subnet = config.subnet_containing("10.0.0.9".parse().unwrap()).unwrap();
    let chain = |scope| domain_names(config, scope);
    assert_eq!(chain(config.subnets[subnet.index()].scope), ["root", "group", "net", "subnet"]);
    // A pool's scope lies in its network's, not in its subnet's.
    assert_eq!(chain(config.pools[0].scope), ["root", "group", "net", "pool"]);
    assert_eq!(chain(config.hosts[0].scope), ["root", "group", "net", "host"]);
    // An implicit network shares its subnet's scope; its implicit pool has an own, empty one inside.
    let lone = &config.shared_networks[1];
    assert!(lone.implicit && &*lone.name == "10.0.1.0/24");
    assert_eq!(
        lone.scope,
        config.subnets[config.subnet_containing("10.0.1.1".parse().unwrap()).unwrap().index()].scope
    );
    assert_eq!(chain(config.pools[1].scope), ["root", "lone"]);
    // What lies inside the network, for a client whose network's scope ran already.
    let host = config.hosts[0].scope;
    let limit = Some(config.subnets[subnet.index()].scope);
    assert_eq!(config.scope_chain_within(host, limit), [host]);
    assert_eq!(
        logged(&built),
        ["WARNING: Host declarations are global.  They are not limited to the scope you declared them in."]
    );
}

#[test]
fn authority_is_inherited_as_it_stood_when_the_scope_was_opened() {
    let built = good(
        "subnet 10.0.0.0 netmask 255.255.255.0 { }
         authoritative;
         subnet 10.0.1.0 netmask 255.255.255.0 { }
         subnet 10.0.2.0 netmask 255.255.255.0 { not authoritative; }",
    );
    let config = &built.config;
    let authority = |address: &str| {
        let subnet = config.subnet_containing(address.parse().unwrap()).unwrap();
        config.is_authoritative(config.subnets[subnet.index()].scope)
    };
    assert_eq!([authority("10.0.0.1"), authority("10.0.1.1"), authority("10.0.2.1")], [false, true, false]);
    assert_eq!(said("host h { authoritative; }"), ["authority makes no sense here."]);
}

#[test]
fn subnets_are_looked_up_newest_first_however_wide_they_are() {
    let built = good(
        "subnet 10.0.0.0 netmask 255.0.0.0 { }
         subnet 10.0.1.0 netmask 255.255.255.0 { range 10.0.1.7; }
         subnet 192.168.0.0 netmask 255.255.0.0 { }
         subnet 10.0.0.0 netmask 255.255.0.0 { }",
    );
    let config = &built.config;
    assert_eq!(subnet_names(config), ["10.0.0.0/16", "192.168.0.0/16", "10.0.1.0/24", "10.0.0.0/8"]);
    // The range still names its own subnet after the order was settled.
    assert_eq!(config.pools[0].ranges[0].subnet.index(), 2);
    assert_eq!(config.subnet_containing("10.0.1.7".parse().unwrap()).map(|id| id.index()), Some(0));
    // dhcpd speaks of its neighbour only.
    assert_eq!(logged(&built), ["Warning: subnet 10.0.1.0/24 overlaps subnet 10.0.0.0/8"]);
    assert_eq!(built.diagnostics.len(), 3);
    assert_eq!(built.diagnostics[0].code.as_str(), "W0301");
}

#[test]
fn overlap_lines_print_the_lengths_dhcpd_computes() {
    let built = built("subnet6 ::/0 { } subnet6 2001:db8::/64 { }", Family::V6);
    assert_eq!(logged(&built), ["Warning: subnet 2001:db8::/32 overlaps subnet ::/-28"]);
    let built = good("subnet 0.0.0.0 netmask 0.0.0.0 { } subnet 10.0.0.0 netmask 255.255.255.0 { }");
    assert_eq!(logged(&built), ["Warning: subnet 10.0.0.0/24 overlaps subnet 0.0.0.0/-26"]);
}

#[test]
fn networks_are_checked() {
    let bad = "subnet 10.0.0.1 netmask 255.255.255.0: bad subnet number/mask combination.";
    assert_eq!(said("subnet 10.0.0.1 netmask 255.255.255.0 { }"), [bad]);
    assert_eq!(said("shared-network s { }"), ["empty shared-network decl"]);
    assert_eq!(
        said("shared-network \"\" { subnet 10.0.0.0 netmask 255.255.255.0 { } }"),
        ["zero-length shared network name"]
    );
    assert_eq!(
        said(&in_subnet("interface a; interface b;")),
        ["A subnet or shared network can't be connected to two interfaces."]
    );
    let mixed = built("subnet 10.0.0.0 netmask 255.255.255.0 { } subnet6 2001:db8::/64 { }", Family::V6);
    assert_eq!(messages(&mixed), ["fatal: subnet_number():inet.c:45: Addr/mask length mismatch."]);
    assert_eq!(said("subnet6 2001:db8::/64 { }"), ["subnet6 statement is only supported in DHCPv6 mode."]);
}

#[test]
fn implicit_networks_take_the_subnets_interface() {
    let built = good(&in_subnet("interface eth7;"));
    assert_eq!(built.config.shared_networks[0].interface.as_deref(), Some("eth7"));
}

#[test]
fn bare_ranges_share_implicit_pools() {
    let built = good(
        "shared-network s {
           subnet 10.0.0.0 netmask 255.255.255.0 { range 10.0.0.9 10.0.0.5; }
           subnet 10.0.1.0 netmask 255.255.255.0 { range 10.0.1.1; range dynamic-bootp 10.0.1.2; }
         }",
    );
    let pools = &built.config.pools;
    assert_eq!(pools.len(), 2);
    assert_eq!((pools[0].permits.len(), &pools[0].prohibits), (0, &vec![Permit::DynamicBootpClients]));
    assert_eq!((pools[1].permits.as_slice(), pools[1].prohibits.len()), (&[Permit::AllClients][..], 0));
    let first: Vec<String> =
        pools[0].ranges.iter().map(|range| format!("{}-{}", range.first, range.last)).collect();
    assert_eq!(first, ["10.0.0.5-10.0.0.9", "10.0.1.1-10.0.1.1"]);
}

#[test]
fn a_bare_range_joins_the_pool_before_the_implicit_one() {
    let built = good(
        "class \"x\" { match if known; }
         subnet 10.0.0.0 netmask 255.255.255.0 {
           pool { allow members of \"x\"; range 10.0.0.1; } range 10.0.0.2; range 10.0.0.3; }",
    );
    let addresses: Vec<Vec<String>> = built
        .config
        .pools
        .iter()
        .map(|pool| pool.ranges.iter().map(|range| range.first.to_string()).collect())
        .collect();
    assert_eq!(addresses, [vec!["10.0.0.1", "10.0.0.3"], vec!["10.0.0.2"]]);
}

#[test]
fn pools_that_differ_in_nothing_but_dates_are_merged() {
    let built = good(
        "class \"x\" { match if known; }
         subnet 10.0.0.0 netmask 255.255.255.0 {
           pool { allow known-clients; allow members of \"x\"; range 10.0.0.1; }
           pool { allow members of \"x\"; allow known clients; range 10.0.0.2; }
           pool { allow known-clients; range 10.0.0.3; }
           pool { deny after epoch 100; range 10.0.0.4; }
           pool { deny after never; range 10.0.0.5; }
           pool { allow known-clients; range 10.0.0.6; option domain-name \"own\"; }
         }",
    );
    let addresses: Vec<Vec<u8>> = built
        .config
        .pools
        .iter()
        .map(|pool| pool.ranges.iter().map(|range| range.first.octets()[3]).collect())
        .collect();
    assert_eq!(addresses, [vec![1, 2], vec![3], vec![4, 5], vec![6]]);
    let dated = &built.config.pools[2];
    assert_eq!((dated.valid_from, dated.valid_until, &dated.prohibits), (0, 100, &vec![Permit::After(100)]));
}

#[test]
fn pools_and_permits_are_checked() {
    let built = built(&in_subnet("pool { allow known-clients; }"), Family::V4);
    assert_eq!(messages(&built), ["Pool declaration with no address range."]);
    assert_eq!(logged(&built), ["Pool declarations must always contain at least", "one range statement."]);
    assert_eq!(said("pool { }"), ["pool declared outside of network"]);
    assert_eq!(said(&in_subnet("pool { range 10.0.0.1; pool { } }")), ["pool declared within pool."]);
    assert_eq!(
        said(&in_subnet("pool { range 10.0.0.1; allow after never; deny after epoch 5; }")),
        ["duplicate \"after\" clause."]
    );
    assert_eq!(
        said(&in_subnet("pool { range 10.0.0.1; allow members of \"none\"; }")),
        ["no such class: none"]
    );
    assert_eq!(said(&in_subnet("pool { range 10.0.0.1; allow bootp; }")), ["expecting permit type."]);
    let built = good(&in_subnet("pool { range 10.0.0.1; ignore bootp; allow after 4 2026/11/19 10:00:00; }"));
    assert_eq!(built.config.pools[0].valid_from, 1_795_082_400);
    assert_eq!(built.config.statements(built.config.pools[0].scope).unwrap().len(), 1);
    let built = good(&in_subnet("pool { range 10.0.0.1; allow after 4 2040/01/01 00:00:00; }"));
    assert_eq!(built.config.pools[0].valid_from, NEVER);
}

#[test]
fn ranges_are_checked() {
    assert_eq!(said("range 10.0.0.1;"), ["range declaration not allowed here."]);
    assert_eq!(
        said(&in_subnet("range 10.0.0.1 10.0.1.1; option nonsense;")),
        ["(E0306)", "fatal: bad range, address 10.0.1.1 not in subnet 10.0.0.0 netmask 255.255.255.0"]
    );
    assert_eq!(
        said(&in_subnet("range 10.0.0.1 10.0.0.3; range 10.0.0.3 10.0.0.5; range 10.0.0.2 10.0.0.2;")),
        ["lease 10.0.0.3 is declared twice!", "lease 10.0.0.2 is declared twice!"]
    );
    let wide = |range: &str| format!("subnet 10.0.0.0 netmask 255.0.0.0 {{ range {range}; }}");
    assert!(super::built(&wide("10.0.0.0 10.215.148.51"), Family::V4).accepted());
    assert_eq!(
        said(&wide("10.0.0.0 10.215.148.52")),
        ["10.0.0.0-10.215.148.52 is an overly large address range.", "fatal: Memory overflow."]
    );
    let early = "shared-network s { subnet 10.0.1.0 netmask 255.255.255.0 { } pool { range 10.0.0.1; }
                 subnet 10.0.0.0 netmask 255.255.255.0 { } }";
    let built = super::built(early, Family::V4);
    assert_eq!(messages(&built)[0], "address range not on network s");
    assert_eq!(logged(&built)[0], "Be sure to place pool statement after related subnet declarations.");
}

#[test]
fn duplicates_are_found_in_any_order_and_not_listed_without_end() {
    let text = in_subnet("range 10.0.0.10 10.0.0.12; range 10.0.0.20 10.0.0.22; range 10.0.0.11 10.0.0.21;");
    assert_eq!(said(&text).len(), 4);
    let twice = "range 10.0.0.0 10.1.255.255; ".repeat(2);
    let built = super::built(&format!("subnet 10.0.0.0 netmask 255.0.0.0 {{ {twice} }}"), Family::V4);
    assert_eq!(messages(&built).len(), 4096);
}

#[test]
fn dhcp6_ranges() {
    let text = |inner: &str| format!("subnet6 2001:db8::/64 {{ {inner} }}");
    let six = |inner: &str| super::built(&text(inner), Family::V6);
    let built = six("range6 2001:db8::9 2001:db8::5; range6 2001:db8::/80 temporary;
                     pool6 { allow known-clients; prefix6 3ffe:: 3ffe:0:3:: /48; }");
    assert!(built.accepted(), "{:?}", built.diagnostics);
    let ranges = &built.config.pools[0].ranges6;
    assert_eq!(ranges[0], Range6::Addresses("2001:db8::5".parse().unwrap(), "2001:db8::9".parse().unwrap()));
    assert_eq!(ranges[1], Range6::Block("2001:db8::".parse().unwrap(), 80, true));
    assert_eq!(built.config.pools[1].ranges6.len(), 1);
    assert_eq!(built.unsupported.len(), 1);
    for (inner, message) in [
        ("range6 2001:db9::1 2001:db9::2;", "range6 start address is outside the subnet"),
        ("range6 2001:db8::1 2001:db9::2;", "range6 end address is outside the subnet"),
        ("range6 2001:db8::/32;", "network mask smaller than subnet mask"),
        ("range6 2001:db8::1/96;", "network mask too short"),
        ("range6 2001:db8::1/128 temporary;", "temporary singleton?"),
        ("prefix6 3ffe:: 3ffe:: /128;", "networks have 0 to 128 bits (exclusive)"),
        ("prefix6 3ffe::1 3ffe::1 /64;", "network mask too short"),
        ("pool6 { }", "Pool6 declaration with no address range6 or prefix6."),
    ] {
        assert_eq!(messages(&six(inner)), [message], "{inner}");
    }
}

#[test]
fn hosts_are_found_and_identified() {
    let built = good(
        "host a { hardware ethernet 1:2:3:4:5:6; fixed-address 10.0.0.1, 10.0.0.2, n.example.org; }
         host b { option dhcp-client-identifier \"id-b\"; }
         host c { uid 01:02; option dhcp-client-identifier \"ignored\"; }
         host d { host-identifier option agent.remote-id \"port\"; }
         host e { hardware ethernet 1:2:3:4:5:6; if known { option dhcp-client-identifier \"x\"; } }
         host f { deleted; } host c { deleted; } host c { uid 09; }",
    );
    let config = &built.config;
    let names = |chain: crate::config::index::HostChain<'_>| {
        chain.map(|id| config.hosts[id.index()].name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(config.hosts_by_hardware(1, &[1, 2, 3, 4, 5, 6])), ["a", "e"]);
    assert_eq!(names(config.hosts_by_uid(b"id-b")), ["b"]);
    assert_eq!(names(config.hosts_by_uid(&[9])), ["c"]);
    assert_eq!(names(config.hosts_by_uid(&[1, 2])), [] as [&str; 0]);
    let table = config.host_index.identifiers().next().unwrap();
    assert_eq!(names(config.host_index.by_identifier(table, b"port")), ["d"]);
    let Some(Expr::Concat(sides)) = config.hosts[0].fixed_address.as_deref() else { panic!() };
    assert_eq!(sides[0], Expr::Data(vec![10, 0, 0, 1, 10, 0, 0, 2].into()));
    assert_eq!(sides[1], Expr::HostLookup("n.example.org".into()));
    assert_eq!(
        logged(&built),
        [
            "Warning, host declaration 'c' already has uid '01:02', ignoring dhcp-client-identifier '\"ignored\"'",
            "dhcp client identifier may not be specified conditionally.",
        ]
    );
}

#[test]
fn hosts_are_checked() {
    for (text, message) in [
        ("host a { } host a { }", "host a: already exists"),
        (
            "host a { hardware ethernet 1:2:3:4:5:6; hardware ethernet 1:2:3:4:5:7; }",
            "Host a hardware address already configured.",
        ),
        (
            "host a { fixed-address 10.0.0.1; fixed-address6 2001:db8::1; }",
            "Only one fixed address declaration per host.",
        ),
        ("host a { uid 01:02; uid \"x\"; }", "Host 'a' already has a uid '01:02'"),
        ("host a { group none; }", "unknown group none in host a"),
        ("host a { host-identifier option nothing 1; }", "unknown option dhcp.nothing"),
        (
            "host a { host-identifier v6relopt -1 dhcp6.client-id 1; }",
            "host-identifier v6relopt must have a number >= 0",
        ),
        ("host a { host b { } }", "host declarations not allowed here."),
        ("hardware ethernet 1:2:3:4:5:6;", "hardware address parameter not allowed here."),
        ("fixed-address 10.0.0.1;", "fixed-address parameter not allowed here."),
        ("fixed-prefix6 2001:db8::/48;", "fixed-prefix6 declaration not allowed here."),
        ("host a { fixed-prefix6 2001:db8::1/48; }", "network mask too short"),
    ] {
        assert_eq!(said(text), [message], "{text}");
    }
}

#[test]
fn hosts_join_named_groups() {
    let built = good(
        "option domain-name \"root\";
         group { option domain-name \"plain\";
           group \"g\" { option domain-name \"named\"; option dhcp-client-identifier \"from-group\"; } }
         host a { group g; }
         group { option domain-name \"outer\"; host b { group g; option domain-name \"b\"; } }",
    );
    let config = &built.config;
    assert_eq!(domain_names(config, config.hosts[0].scope), ["root", "plain", "named"]);
    // Without statements of its own a host uses the group's scope, its client identifier included.
    assert_eq!(config.hosts[0].scope, config.groups[0].scope);
    assert_eq!(config.hosts[0].uid.as_deref(), Some(&b"from-group"[..]));
    // The named group replaces the scope the host stands in.
    assert_eq!(domain_names(config, config.hosts[1].scope), ["root", "plain", "named", "b"]);
    // A second group of that name makes both unknown, a third one counts again.
    assert_eq!(said("group g { } group g { } host h { group g; }"), ["unknown group g in host h"]);
    good("group g { } group g { } group g { } host h { group g; }");
    good("group g { dynamic; option domain-name \"x\"; }");
}

#[test]
fn classes_keep_their_order_and_subclasses_their_values() {
    let built = good(
        "class \"b\" { match if known; }
         class \"a\" { match hardware; lease limit 4; }
         class \"b\" { option domain-name \"more\"; match if not known; }
         subclass \"a\" 1:2:3:4:5:6:7;
         subclass \"a\" \"text\" { option domain-name \"sub\"; lease limit 2; }
         class \"s\" { spawn with option host-name; }",
    );
    let config = &built.config;
    let names: Vec<&str> = config.class_order.iter().map(|id| &*config.classes[id.index()].name).collect();
    assert_eq!(names, ["b", "a", "s"]);
    let b = &config.classes[config.class_order[0].index()];
    assert_eq!(b.match_if.as_deref(), Some(&Expr::Not(Box::new(Expr::Known))));
    assert_eq!(domain_names(config, b.scope), ["more"]);
    let a = &config.classes[config.class_order[1].index()];
    assert_eq!((a.lease_limit, a.subclasses.len()), (Some(4), 2));
    let plain = &config.classes[a.subclasses[&Octets::from([1, 2, 3, 4, 5, 6, 7])].index()];
    assert_eq!((plain.scope, plain.lease_limit), (a.scope, Some(4)));
    let text = &config.classes[a.subclasses[&Octets::from(*b"text")].index()];
    assert_eq!((text.lease_limit, domain_names(config, text.scope)), (Some(2), vec!["sub".to_owned()]));
    assert!(config.classes[config.class_order[2].index()].spawning);
}

#[test]
fn classes_are_checked() {
    for (text, message) in [
        ("subclass \"none\" 1:2;", "no class named none"),
        ("vendor-class \"none\" { }", "no class named none"),
        ("class \"a\" { match if known; match if static; }", "A class may only have one 'match if' clause."),
        ("class \"a\" { match hardware; spawn with hardware; }", "can't override existing submatch/spawn."),
        ("class \"a\" { } subclass \"a\" 1 { match hardware; }", "invalid match in subclass."),
        ("class \"a\" { } subclass \"a\" 1 { spawn with hardware; }", "invalid spawn in subclass."),
        ("class \"a\" { add \"a\"; }", "class a: not found"),
        ("class \"a\" { class \"b\" { } }", "class declarations not allowed here."),
    ] {
        assert_eq!(said(text), [message], "{text}");
    }
    good("class \"x\" { } vendor-class \"x\" { option domain-name \"y\"; }");
}

#[test]
fn what_may_stand_where() {
    for (text, message) in [
        ("host a { group { } }", "expecting string or identifier."),
        ("class \"a\" { group { } }", "group declarations not allowed here."),
        ("class \"a\" { shared-network s { } }", "shared-network parameters not allowed here."),
        ("host a { subnet 10.0.0.0 netmask 255.0.0.0 { } }", "subnet declarations not allowed here."),
        ("group { option space x; }", "option space definitions may not be scoped."),
        ("group { option x code 200 = text; }", "option definitions may not be scoped."),
        ("group { failover peer \"x\"; }", "failover peers may only be defined in shared-network"),
    ] {
        assert_eq!(said(text)[0], message, "{text}");
    }
    // A subnet in a group of a shared network stands alone.
    let built = good(
        "shared-network s { subnet 10.0.0.0 netmask 255.255.255.0 { }
           group { subnet 10.0.1.0 netmask 255.255.255.0 { } } }",
    );
    let names: Vec<&str> = built.config.shared_networks.iter().map(|network| &*network.name).collect();
    assert_eq!(names, ["s", "10.0.1.0/24"]);
}

#[test]
fn included_files_stand_in_the_scope_of_the_include() {
    let files = HashMap::from([
        ("inner", "option domain-name \"included\"; range 10.0.0.5;"),
        ("host", "hardware ethernet 1:2:3:4:5:6;"),
    ]);
    let built = with_files(&in_subnet("include \"inner\";"), Family::V4, &files);
    assert!(built.accepted(), "{:?}", built.diagnostics);
    assert_eq!(domain_names(&built.config, built.config.subnets[0].scope), ["included"]);
    assert_eq!(built.config.pools.len(), 1);
    // A block's own statements are not known in an included file.
    let built = with_files("host h { include \"host\"; }", Family::V4, &files);
    assert_eq!(messages(&built), ["hardware address parameter not allowed here.", "host: bad parse."]);
    let built = with_files(&in_subnet("pool { range 10.0.0.1; include \"inner\"; }"), Family::V4, &files);
    assert_eq!(messages(&built), ["range declaration not allowed here.", "inner: bad parse."]);
    assert_eq!(
        said("include \"absent\"; nonsense"),
        ["(E0109)", "fatal: Can't open absent: No such file or directory"]
    );
}

#[test]
fn failover_peers_get_their_defaults() {
    let text = "failover peer \"p\" { primary; address 10.0.0.1; peer address peer.example.org; port 519;
                  mclt 600; split 128; load balance max seconds 3; }
                subnet 10.0.0.0 netmask 255.255.255.0 { pool { failover peer \"p\"; range 10.0.0.9; } }";
    let built = good(text);
    let peer = &built.config.failover_peers[0];
    assert_eq!((peer.primary, peer.port, peer.peer_port, peer.mclt), (true, 519, 647, 600));
    assert_eq!((peer.max_response_delay, peer.max_unacked_updates), (20, 100));
    assert_eq!((peer.max_lease_misbalance, peer.max_lease_ownership), (15, 10));
    assert_eq!((peer.max_balance, peer.min_balance, peer.referring_pools), (3600, 60, 1));
    let hba = peer.hba.unwrap();
    assert!(hba[..16].iter().all(|octet| *octet == 255) && hba[16..].iter().all(|octet| *octet == 0));
    assert!(matches!(peer.peer_address.as_deref(), Some(Expr::Substring(_))));
    assert_eq!(built.config.pools[0].failover_peer.map(|id| id.index()), Some(0));
    assert!(built.unsupported.iter().any(|unsupported| unsupported.what == "failover peer"));
    let (lines, failed) = super::super::failover_sanity(&built.config);
    assert!(lines.is_empty() && !failed);
    // A network hands its peer to its pools, but that does not count as naming it.
    let inherited = good(
        "failover peer \"p\" { secondary; peer address 10.0.0.1; }
         shared-network s { failover peer \"p\"; subnet 10.0.0.0 netmask 255.255.255.0 { }
           pool { range 10.0.0.9; } pool { no failover peer range 10.0.0.10; } }",
    );
    assert!(inherited.config.pools[0].failover_peer.is_some());
    assert!(inherited.config.pools[1].failover_peer.is_none());
    let (lines, failed) = super::super::failover_sanity(&inherited.config);
    assert!(failed);
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[2].text, b"Failover configuration sanity check failed");
}

#[test]
fn failover_peers_are_checked() {
    for (text, messages) in [
        (
            "failover peer \"p\" { }",
            vec!["peer address may not be omitted", "primary failover server must have hba or split."],
        ),
        (
            "failover peer \"p\" { peer address 10.0.0.1; split 128; }",
            vec!["primary failover server must have mclt."],
        ),
        (
            "failover peer \"p\" { peer address 10.0.0.1; split 257; mclt 1; }",
            vec![
                "split must be between 0 and 256, inclusive",
                "primary failover server must have hba or split.",
            ],
        ),
        (
            "failover peer \"p\" { secondary; peer address 10.0.0.1; split 1; }",
            vec!["secondary may not define load balance settings."],
        ),
        (
            "failover peer \"p\" { secondary; peer address 10.0.0.1; } failover peer \"p\" { secondary; }",
            vec!["redeclaration of failover peer p"],
        ),
        ("failover peer \"p\";", vec!["failover peer reference not in shared-network declaration"]),
        ("failover peer \"p\" state { }", vec!["state declaration for unknown failover peer p"]),
        (
            "shared-network s { failover peer \"p\"; subnet 10.0.0.0 netmask 255.0.0.0 { } }",
            vec!["reference to unknown failover peer p"],
        ),
        (
            "subnet 10.0.0.0 netmask 255.0.0.0 { pool { failover peer \"p\"; range 10.0.0.1; } }",
            vec!["failover peer p: not found"],
        ),
    ] {
        assert_eq!(said(text), messages, "{text}");
    }
}

#[test]
fn keys_and_zones() {
    let built = good(
        "key first { algorithm hmac-md5; secret c2VjcmV0; };
         key FIRST { algorithm HMAC-SHA256.SIG-ALG.REG.INT; secret \"b3RoZXI=\"; }
         key odd { algorithm rot13; secret AAAA; }
         zone example.org. { primary 127.0.0.1, ns.example.org; key First; }
         zone 0.10.in-addr.arpa { primary6 ::1; secondary 10.0.0.1; }",
    );
    let keys = &built.config.keys;
    assert_eq!(
        (keys.len(), &*keys[0].name, &*keys[0].algorithm),
        (2, "FIRST", "HMAC-SHA256.SIG-ALG.REG.INT.")
    );
    assert_eq!(&*keys[0].secret, b"other");
    let zones = &built.config.zones;
    assert_eq!((&*zones[0].name, zones[0].key.as_deref()), ("example.org.", Some("FIRST")));
    assert_eq!((&*zones[1].name, zones[1].primary6.len()), ("0.10.in-addr.arpa.", 1));
    assert_eq!(logged(&built), ["Unable to create tsec structure for odd"]);
    let key = "key a { algorithm hmac-md5; secret AAAA; } ";
    for (text, messages) in [
        ("key a { secret AAAA; }", vec!["(E0905)"]),
        ("key a { algorithm hmac-md5; }", vec!["(E0905)"]),
        ("key a { algorithm hmac-md5; algorithm hmac-md5; }", vec!["key a: too many algorithms"]),
        ("key a { secret AAAA; secret AAAA; }", vec!["key a: too many secrets"]),
        ("zone x { key none; }", vec!["unknown key none"]),
        ("zone x { primary 10.0.0.1; primary 10.0.0.2; }", vec!["more than one primary."]),
        ("zone x { primary6 ::1; primary6 ::2; }", vec!["more than one primary6."]),
        ("zone x { key a; key a; }", vec!["(E0908)", "fatal: Multiple key definitions for zone x.."]),
    ] {
        let text = if text.starts_with("zone") { format!("{key}{text}") } else { text.to_owned() };
        assert_eq!(said(&text), messages, "{text}");
    }
}

#[test]
fn server_wide_statements() {
    let built = good("lease-id-format hex; db-time-format local; server-duid en 2495 \"ab\";");
    assert_eq!(logged(&built), ["lease_id_format is: hex"]);
    assert!(built.config.db_time_format_local);
    assert_eq!(
        built.config.server_duid,
        Some(ServerDuid::Octets([&[0, 2, 0, 0, 9, 191][..], b"ab"].concat().into()))
    );
    let duid = |text: &str| good(text).config.server_duid.unwrap();
    assert_eq!(duid("server-duid llt;"), ServerDuid::GenerateLlt);
    assert_eq!(
        duid("server-duid llt ethernet 5 1:2:3;"),
        ServerDuid::Octets(vec![0, 1, 0, 1, 0, 0, 0, 5, 1, 2, 3].into())
    );
    assert_eq!(duid("server-duid ll ethernet 1:2;"), ServerDuid::Octets(vec![0, 3, 0, 1, 1, 2].into()));
}
