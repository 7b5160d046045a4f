//! Option definitions and literal values.

use super::*;
use crate::config::network::ScopeId;
use crate::config::tree::{Expr, Statement};

/// The value of the last statement, an option of the root scope.
fn value(text: &str) -> Expr {
    let built = good(text);
    match built.config.statements(ScopeId::ROOT).unwrap().last() {
        Some(Statement::Option { value, .. }) => (**value).clone(),
        other => panic!("{other:?}"),
    }
}

fn octets(text: &str) -> Vec<u8> {
    match value(text) {
        Expr::Data(octets) => octets.to_vec(),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn values_are_read_by_the_type_of_their_option() {
    for (text, wanted) in [
        ("option subnet-mask 255.255.255.0;", &[255, 255, 255, 0][..]),
        ("option routers 10.0.0.1, 010 . 0 . 0 . 2;", &[10, 0, 0, 1, 10, 0, 0, 2]),
        (
            "option policy-filter 1.1.1.1 2.2.2.2, 3.3.3.3 4.4.4.4;",
            &[1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4],
        ),
        ("option time-offset -3600;", &[255, 255, 241, 240]),
        ("option time-offset 0x10;", &[0, 0, 0, 16]),
        ("option boot-size 010;", &[0, 8]),
        ("option boot-size -1;", &[255, 255]),
        ("option ip-forwarding TRUE;", &[1]),
        ("option ip-forwarding ignore;", &[2]),
        ("option host-name unquoted;", b"unquoted"),
        ("option host-name 1abc;", b"1abc"),
        ("option host-name \"a\\000b\";", b"a\0b"),
        ("option dhcp-client-identifier 1:a:FF;", &[1, 10, 255]),
        ("option dhcp-client-identifier \"text\";", b"text"),
        ("option domain-search \"a.b\", \"c.b\";", b"\x01a\x01b\0\x01c\xc0\x02"),
        ("option slp-directory-agent true 10.0.0.1, 10.0.0.2;", &[1, 10, 0, 0, 1, 10, 0, 0, 2]),
        ("option slp-service-scope true \"x\";", b"\x01x"),
        ("option slp-service-scope true;", &[1]),
        ("option slp-service-scope true 5;", &[1]),
        ("default-lease-time infinite;", &[255; 4]),
        ("default-lease-time 600;", &[0, 0, 2, 88]),
        ("ddns-update-style interim;", &[2]),
        ("log-facility local7;", &[184]),
        ("option dhcp6.preference 255;", &[255]),
        (
            "option dhcp6.name-servers 2001:db8::1, ::2;",
            &[
                0x20, 1, 13, 184, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                0, 0, 2,
            ],
        ),
        ("option dhcp6.rapid-commit;", &[]),
        ("omapi-key some.key;", b"some.key"),
        ("vendor-option-space MSFT;", b"MSFT"),
        ("server-identifier 10.0.0.1;", &[10, 0, 0, 1]),
        ("option unknown-250 1:2;", &[1, 2]),
        (
            "option x code 200 = array of { integer 8, ip-address }; option x 1 10.0.0.1, 2 10.0.0.2;",
            &[1, 10, 0, 0, 1, 2, 10, 0, 0, 2],
        ),
        (
            "option x code 200 = { array of unsigned integer 16, boolean }; option x 1, 2, 3 on;",
            &[0, 1, 0, 2, 0, 3, 1],
        ),
        ("option x code 200 = domain-name; option x a.example;", b"\x01a\x07example\0"),
        ("option x code 200 = domain-list; option x \"a\", \"a\";", b"\x01a\0\x01a\0"),
        ("allow bootp;", &[1]),
        ("ignore client-updates;", &[2]),
    ] {
        assert_eq!(octets(text), wanted, "{text}");
    }
}

#[test]
fn host_names_stay_to_be_looked_up() {
    let lookup = |name: &str| Expr::HostLookup(name.into());
    assert_eq!(value("option routers r1.example.org;"), lookup("r1.example.org"));
    assert_eq!(
        value("option routers 10.0.0.1, 3com.example, 10.0.0.2, 10.0.0.3;"),
        Expr::Concat(Box::new([
            Expr::Concat(Box::new([Expr::Data(vec![10, 0, 0, 1].into()), lookup("3com.example")])),
            Expr::Data(vec![10, 0, 0, 2, 10, 0, 0, 3].into()),
        ]))
    );
    // Where one address is wanted, one is taken.
    assert_eq!(
        value("next-server boot;"),
        Expr::Substring(Box::new([lookup("boot"), Expr::Number(0), Expr::Number(4)]))
    );
}

#[test]
fn bad_values_are_refused_in_dhcpds_words() {
    for (text, messages) in [
        ("option boot-size 70000;", vec!["70000 exceeds max (65535) for precision."]),
        ("option time-offset 08;", vec!["Bogus number 08: digit 8 not in base 8"]),
        ("option time-offset text;", vec!["expecting number."]),
        ("option time-offset 1 2;", vec!["semicolon expected."]),
        ("option ip-forwarding 1;", vec!["expecting identifier."]),
        ("option ip-forwarding maybe;", vec!["expecting boolean."]),
        ("option host-name 123;", vec!["expecting string."]),
        ("option host-name example.org;", vec!["semicolon expected."]),
        ("option domain-search example;", vec!["Expecting a domain string."]),
        ("option domain-search \"a..b\";", vec!["Error compressing domain list: Message too long"]),
        ("option routers \"10.0.0.1\";", vec!["10.0.0.1 (262): expecting IP address or hostname"]),
        ("option routers 10.0.0.1,;", vec!["; (59): expecting IP address or hostname"]),
        ("option routers 10.0.0;", vec!["too few numbers."]),
        ("option routers 10.0.0.256;", vec!["256 exceeds max (255) for precision."]),
        ("option dhcp-client-identifier text;", vec!["expecting string or hexadecimal data."]),
        ("option dhcp-client-identifier 1:zz;", vec!["expecting hexadecimal number."]),
        ("option dhcp-client-identifier 1:100;", vec!["100 exceeds max (255) for precision."]),
        ("ddns-update-style Interim;", vec!["unknown value"]),
        ("option dhcp6.name-servers 10.0.0.1;", vec!["Invalid IPv6 address."]),
        ("option dhcp6.rapid-commit 1;", vec!["semicolon expected."]),
        ("option nwip.illegal-1 1;", vec!["Bad format '"]),
        ("option domain-name;", vec!["semicolon expected."]),
        ("option nonsense 1;", vec!["unknown option dhcp.nonsense"]),
        ("option none.x 1;", vec!["no option space named none."]),
        ("supersede nonsense 1;", vec!["no option named nonsense in space dhcp"]),
        ("option unknown-255 1;", vec!["Option codes 0 and 255 are illegal in the dhcp space."]),
        ("allow known-clients;", vec!["expecting allow/deny key"]),
    ] {
        assert_eq!(said(text), messages, "{text}");
    }
}

#[test]
fn definitions_count_from_where_they_are_read() {
    assert_eq!(said("option x 1; option x code 200 = text;"), ["unknown option dhcp.x"]);
    // Two definitions of one name: each statement keeps the one it was read under.
    let built =
        good("option x code 200 = text; option x \"a\"; option x code 200 = ip-address; option x 1.2.3.4;");
    let codes: Vec<usize> = built.config.statements(ScopeId::ROOT).unwrap()[3..]
        .iter()
        .map(|statement| match statement {
            Statement::Option { value, .. } => match &**value {
                Expr::Data(octets) => octets.len(),
                _ => panic!(),
            },
            _ => panic!(),
        })
        .collect();
    assert_eq!(codes, [1, 4]);
    let built = good("option unknown-12 \"x\";");
    assert_eq!(
        logged(&built),
        [
            "option unknown-12 has been redefined as option host-name.  Please update your configs if necessary."
        ]
    );
    let built = good(
        "option space s code width 2 length width 2 hash size 5; option s.a code 70000 = text; option S.A \"x\";",
    );
    let space = built.config.spaces.space_named("s").unwrap();
    assert_eq!(built.config.spaces.space(space).code_width, 2);
}

#[test]
fn definitions_are_checked() {
    let long = format!("option x code 200 = {{ {} }};", vec!["boolean"; 129].join(", "));
    for (text, message) in [
        ("option x code 200 = integer 24;", "24 bit precision is not supported."),
        ("option x code 200 = array of text;", "arrays of text strings not yet supported."),
        ("option x code 200 = array of zerolen;", "array incompatible with zerolen."),
        ("option x code 200 = array of { array of boolean };", "no nested arrays."),
        ("option x code 200 = { text, boolean };", "text must be at end of record."),
        ("option x code 200 = { domain-name, boolean };", "string must be at end of record."),
        ("option x code 200 = { encapsulate agent, boolean };", "encapsulate must always be the last item."),
        ("option x code 200 = encapsulate none;", "unknown option space none"),
        (long.as_str(), "too many types in record."),
        ("option space s code width 3;", "invalid code width (3), expecting a 1, 2 or 4."),
        ("option space s length width 4;", "invalid length width (4) expecting 1 or 2."),
        ("option space s hash size -1;", "invalid hash length: -1"),
    ] {
        assert_eq!(said(text), [message], "{text}");
    }
    let twice = "option space s; option a code 200 = encapsulate s; option b code 201 = encapsulate s;";
    assert_eq!(
        said(twice),
        [
            "(E0606)",
            "fatal: Internal inconsistency: storage value has not been initialized to zero (from parse.c:1849)."
        ]
    );
}

#[test]
fn advice_names_the_likely_option() {
    let built = super::built("option domain-name-server 10.0.0.1;", Family::V4);
    assert_eq!(built.diagnostics[0].note.as_deref(), Some("there is an option domain-name-servers"));
}

#[test]
fn what_is_not_served_yet_is_listed() {
    let what = |text: &str| good(text).unsupported.into_iter().map(|u| u.what).collect::<Vec<_>>();
    assert_eq!(what("omapi-port 7911;"), ["omapi-port"]);
    assert_eq!(what("ddns-update-style interim;"), ["ddns-update-style other than none"]);
    assert_eq!(what("ddns-update-style none; default-lease-time 5;"), [] as [&str; 0]);
}
