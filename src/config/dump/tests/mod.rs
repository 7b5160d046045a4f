//! What is printed reads back as the same configuration.

mod generated;
mod meaning;
mod shared;

use super::dump;
use crate::config::{Built, Family, build};
use crate::syntax::{LoadError, parse};
use meaning::meaning;

const BOTH: [Family; 2] = [Family::V4, Family::V6];

/// A configuration without included files.
fn built(text: &[u8], family: Family) -> Built {
    let mut no_files = |_: &[u8]| Err(LoadError { errno: Some(2), message: "No such file".to_owned() });
    build(&parse(b"dhcpd.conf", text.to_vec(), &mut no_files), family)
}

/// What is wrong with the text of a configuration, if anything.
fn fault(original: &Built, family: Family) -> Option<String> {
    let text = dump(&original.config, family);
    let shown = String::from_utf8_lossy(&text).into_owned();
    let again = built(&text, family);
    if !again.accepted() {
        return Some(format!("refused: {:?} {:?}\n{shown}", again.diagnostics, again.fatal));
    }
    let (was, is) = (meaning(&original.config), meaning(&again.config));
    if let Some((was, is)) = was.iter().zip(&is).find(|(was, is)| was != is) {
        return Some(format!("was {was}\nis  {is}\n{shown}"));
    }
    if was.len() != is.len() {
        return Some(format!("{} facts became {}\n{shown}", was.len(), is.len()));
    }
    let second = dump(&again.config, family);
    (second != text).then(|| format!("{shown}\nbecame\n{}", String::from_utf8_lossy(&second)))
}

fn accepted(text: &str, family: Family) -> Built {
    let built = built(text.as_bytes(), family);
    assert!(built.accepted(), "{text}: {:?} {:?}", built.diagnostics, built.fatal);
    built
}

fn dumped(text: &str) -> String {
    String::from_utf8(dump(&accepted(text, Family::V4).config, Family::V4)).unwrap()
}

/// The lines without comments.
fn statements(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#') && !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn an_example_in_full() {
    insta::assert_snapshot!(dumped(include_str!("../testdata/example.conf")));
}

/// Each case begins with a line `== 4` or `== 6`, the family.
#[test]
fn odd_configurations_read_back() {
    let cases = include_str!("../testdata/cases.conf");
    let mut count = 0;
    for case in cases.split("== ").skip(1) {
        let (family, text) = case.split_once('\n').unwrap();
        let family = if family == "6" { Family::V6 } else { Family::V4 };
        if let Some(fault) = fault(&accepted(text, family), family) {
            panic!("{text}\n{fault}");
        }
        count += 1;
    }
    assert!(count > 40);
}

#[test]
fn an_empty_configuration_says_its_defaults() {
    for family in BOTH {
        assert_eq!(fault(&accepted("", family), family), None);
    }
    assert_eq!(statements(&dumped("")), "");
    assert!(dumped("").contains("# default: log-facility daemon;\n"));
}

#[test]
fn spelling_is_canonical() {
    let text = "OPTION Routers 010.0.0.1 ,10.0.0.2; max-lease-time 0x10; supersede domain-name \"a\\x62\";\n\
        option unknown-3 10.0.0.3; deny bootp; allow-booting on; set Var = Option host-name;\n\
        if (known) { eval var; } else if static { log(\"x\"); }";
    insta::assert_snapshot!(statements(&dumped(text)), @r#"
    option routers 10.0.0.1, 10.0.0.2;
    max-lease-time 16;
    option domain-name "ab";
    option routers 10.0.0.3;
    deny bootp;
    allow booting;
    set Var = option host-name;
    if known {
      eval var;
    } elsif static {
      log (debug, "x");
    }
    "#);
}

/// A definition whose name and code are both taken by a later one cannot be named any more. The octets stay the same.
#[test]
fn options_without_a_definition_of_their_own_are_written_by_the_newest() {
    let text = "option a code 200 = text; option a \"x\"; option a code 200 = integer 32; option a 5;\
        option b code 201 = text; option b \"x\"; option c code 201 = integer 8; option b code 202 = text;";
    insta::assert_snapshot!(statements(&dumped(text)), @r#"
    option a code 200 = text;
    option a code 200 = signed integer 32;
    option b code 201 = text;
    option c code 201 = signed integer 8;
    option b code 202 = text;
    option a = "x";
    option a 5;
    option unknown-201 = "x";
    "#);
}

#[test]
fn pieces_are_put_together() {
    let text = "class \"a\" { match hardware; } subclass \"a\" 1:2; class \"a\" { option host-name \"x\"; }\n\
        subnet 10.0.0.0 netmask 255.0.0.0 { range 10.0.0.1; pool { range 10.0.0.9 10.0.0.5; deny dynamic bootp clients; } }\n\
        key k { algorithm hmac-md5; secret AAAA; } key K { algorithm hmac-sha1.sig-alg.reg.int; secret \"AAAA\"; };\n\
        host gone { } host gone2 { hardware ethernet 1:2:3:4:5:6; } host gone { deleted; } group { }";
    insta::assert_snapshot!(statements(&dumped(text)), @r#"
    key K {
      algorithm hmac-sha1.sig-alg.reg.int.;
      secret AAAA;
    }
    class "a" {
      match hardware;
      option host-name "x";
    }
    subclass "a" 01:02;
    subnet 10.0.0.0 netmask 255.0.0.0 {
      pool {
        deny dynamic bootp clients;
        range 10.0.0.1;
        range 10.0.0.5 10.0.0.9;
      }
    }
    host gone2 {
      hardware ethernet 01:02:03:04:05:06;
    }
    "#);
}

#[test]
fn what_was_declared_too_early_to_inherit_authority_says_so() {
    let text = "subnet 10.0.0.0 netmask 255.0.0.0 { } authoritative; subnet 11.0.0.0 netmask 255.0.0.0 { }";
    insta::assert_snapshot!(statements(&dumped(text)), @r"
    authoritative;
    subnet 10.0.0.0 netmask 255.0.0.0 {
      not authoritative;
    }
    subnet 11.0.0.0 netmask 255.0.0.0 {
    }
    ");
}

/// The comments of the last block that say more than a default.
fn inherited(text: &str) -> Vec<String> {
    let text = dumped(text);
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("# inherited") || line.starts_with("# dep"));
    lines.map(str::to_owned).collect()
}

#[test]
fn values_come_from_the_innermost_scope() {
    let text = "option routers 1.1.1.1; option domain-name \"a\"; append domain-name-servers 9.9.9.9; default log-servers 3.3.3.3;\n\
        option log-servers 4.4.4.4; log-facility daemon; if known { option tftp-server-name \"x\"; log-facility mail; }\n\
        subnet 10.0.0.0 netmask 255.0.0.0 { option routers 2.2.2.2; default domain-name \"b\";\n\
        pool { range 10.0.0.1; option domain-name \"c\"; append domain-name-servers 8.8.8.8; } }";
    assert_eq!(
        inherited(text),
        [
            "# inherited: append domain-name-servers 9.9.9.9;  (outermost)",
            "# inherited: option log-servers 4.4.4.4;  (outermost)",
            "# depends on the client: option tftp-server-name  (outermost)",
            "# inherited: option routers 2.2.2.2;  (subnet 10.0.0.0 netmask 255.0.0.0)",
        ]
    );
}

#[test]
fn groups_count_for_more_than_the_subnet_of_a_fixed_address() {
    let text = "option routers 1.1.1.1; max-lease-time 5;\n\
        subnet 10.0.0.0 netmask 255.0.0.0 { option routers 2.2.2.2; option log-servers 5.5.5.5; max-lease-time 6; }\n\
        group \"g\" { option routers 3.3.3.3; host h { fixed-address 10.0.0.1; option log-servers 4.4.4.4; } }";
    assert_eq!(
        inherited(text),
        [
            "# inherited: max-lease-time 6;  (subnet 10.0.0.0 netmask 255.0.0.0)",
            "# inherited: option routers 3.3.3.3;  (group \"g\")",
        ]
    );
    let text = format!("{text} host i {{ group \"g\"; fixed-address nowhere.example; }}");
    assert_eq!(
        inherited(&text)[2..],
        [
            "# inherited: max-lease-time 5;  (outermost)",
            "# inherited: option routers 3.3.3.3;  (group \"g\")"
        ]
    );
}

#[test]
fn a_host_like_the_one_above_says_only_that() {
    let host = |name: &str, own: &str| format!("host {name} {{ {own} }}\n");
    let text = dumped(&format!(
        "max-lease-time 5;\n{}{}{}{}",
        host("a", ""),
        host("b", "hardware ethernet 1:2:3:4:5:6;"),
        host("c", "max-lease-time 6;"),
        host("d", "max-lease-time 7;")
    ));
    assert_eq!(text.matches("# inherited and default: as for the host above").count(), 2);
    assert_eq!(text.matches("# inherited: max-lease-time 5;  (outermost)").count(), 1);
}

#[test]
fn comments_hold_no_line_break() {
    let text = "option domain-name \"a\nhost x { }\n\"; shared-network \"b\n}\" { option host-name \"\n\"; \
        subnet 10.0.0.0 netmask 255.0.0.0 { pool { range 10.0.0.1; } } }";
    let built = accepted(text, Family::V4);
    assert_eq!(fault(&built, Family::V4), None);
}

/// 20,000 hosts take no longer each than 2,000, by the length of what is written.
#[test]
fn many_hosts_are_written_once_each() {
    let hosts = |count: u32| {
        let mut text = "subnet 10.0.0.0 netmask 255.0.0.0 { } group { option routers 10.0.0.1;\n".to_owned();
        for n in 0..count {
            let [_, a, b, c] = n.to_be_bytes();
            text += &format!(
                "host h{n} {{ hardware ethernet 0:0:0:{a:x}:{b:x}:{c:x}; fixed-address 10.{a}.{b}.{c}; }}\n"
            );
        }
        dumped(&(text + "}")).len()
    };
    let (few, many) = (hosts(100), hosts(1000));
    assert!(many < few * 10, "{few} octets for 100 hosts, {many} for 1000");
}
