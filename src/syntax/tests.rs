//! Tests of the whole layer: the language statement by statement, recovery, includes, limits, and the properties that
//! hold for any input.

mod expressions;
mod properties;
mod shared;

use super::*;
use std::collections::HashMap;

fn no_files(_: &[u8]) -> Result<Vec<u8>, LoadError> {
    Err(LoadError { errno: Some(2), message: "No such file or directory".to_string() })
}

fn parsed(text: impl AsRef<[u8]>) -> Parsed {
    parse(b"dhcpd.conf", text.as_ref().to_vec(), &mut no_files)
}

/// The one statement of a text that has no fault.
fn statement(text: &str) -> StatementKind {
    let parsed = parsed(text);
    assert_eq!(parsed.faults, [], "{text}");
    assert_eq!(parsed.statements.len(), 1, "{text}");
    parsed.statements.into_iter().next().unwrap().kind
}

/// The statements of a block's text.
fn inside(outer: &str, text: &str) -> Vec<StatementKind> {
    let block = match statement(&format!("{outer} {{ {text} }}")) {
        StatementKind::Host(host) => host.block,
        StatementKind::Group(group) => group.block,
        StatementKind::SharedNetwork(network) => network.block,
        StatementKind::Subnet(subnet) => subnet.block,
        StatementKind::Subnet6(subnet) => subnet.block,
        StatementKind::Class(class) => class.block,
        StatementKind::Pool(block) | StatementKind::Pool6(block) => *block,
        StatementKind::On(on) => on.block.unwrap(),
        other => panic!("{other:?}"),
    };
    assert!(block.closed);
    block.statements.into_iter().map(|statement| statement.kind).collect()
}

/// The faults of a text: what is wrong, and the text it points at.
fn faults(text: &str) -> Vec<(FaultKind, String)> {
    let parsed = parsed(text);
    let text = |span| String::from_utf8_lossy(parsed.source_map.text(span)).into_owned();
    parsed.faults.iter().map(|fault| (fault.kind.clone(), text(fault.span))).collect()
}

fn accepted(text: &str) {
    assert_eq!(faults(text), [], "{text}");
}

fn refused(text: &str) {
    assert_ne!(faults(text), [], "{text}");
}

#[test]
fn networks() {
    let StatementKind::Subnet(subnet) = statement("subnet 10.0.0.0 netmask 255 . 255.255.0 { }") else {
        panic!()
    };
    assert_eq!(subnet.address.address.to_string(), "10.0.0.0");
    assert_eq!(subnet.netmask.address.to_string(), "255.255.255.0");
    let StatementKind::Subnet6(subnet) = statement("SUBNET6 2001:db8::/32 {interface eth0;}") else {
        panic!()
    };
    assert_eq!(
        (subnet.prefix.address.address.to_string(), subnet.prefix.length.value),
        ("2001:db8::".into(), 32)
    );
    let StatementKind::SharedNetwork(network) = statement("shared-network a . b.c. { interface \"x\"; }")
    else {
        panic!()
    };
    assert_eq!((&*network.name.text, network.name.quoted), (&b"a.b.c."[..], false));
    let members = inside(
        "pool",
        "range 1.2.3.4; range dynamic-bootp 1.2.3.5 1.2.3.9; no failover peer deny unknown clients;",
    );
    assert!(
        matches!(&members[1], StatementKind::Range(range) if range.dynamic_bootp && range.second.is_some())
    );
    assert!(matches!(members[2], StatementKind::NoFailoverPeer));
    let members = inside(
        "pool6",
        "range6 2001:db8::1 2001:db8::9; range6 2001:db8::/64 temporary; range6 ::1 temporary; prefix6 2001:: 2002:: / 48;",
    );
    assert_eq!(members.len(), 4);
    for text in [
        "subnet 10.0.0.256 netmask 255.0.0.0 { }",
        "subnet 10.0.0 netmask 255.0.0.0 { }",
        "subnet6 2001:db8 ::/32 { }",
        "subnet6 2001::/129 { }",
        "subnet6 2001::g/64 { }",
        "range 1.2.3.4 1.2.3.5 1.2.3.6;",
        "range6 ::1;",
        "pool { no failover peer; }",
    ] {
        refused(text);
    }
}

#[test]
fn hosts() {
    let members = inside(
        "host 3com.example.",
        "hardware ethernet 02:0:AB : cd:e:f; fixed-address 10.0.0.1, 3com.example, 5; uid \"a\\000b\"; uid 1:2; group g; \
         host-identifier option x.y 1:2; host-identifier v6relopt 0 z \"q\"; dynamic; deleted; fixed-address6 ::1 , ::2; \
         fixed-prefix6 2001::/64; hardware unknown-7;",
    );
    let StatementKind::Hardware(hardware) = &members[0] else { panic!() };
    assert_eq!(
        (hardware.hardware_type, &*hardware.address),
        (HardwareType::Ethernet, &[2, 0, 0xab, 0xcd, 0xe, 0xf][..])
    );
    let StatementKind::FixedAddress(addresses) = &members[1] else { panic!() };
    assert!(matches!(
        addresses.as_slice(),
        [AddressOrHost::Address(_), AddressOrHost::Host(_), AddressOrHost::Host(_)]
    ));
    assert!(matches!(&members[2], StatementKind::Uid(uid) if *uid.octets == *b"a\0b"));
    assert!(
        matches!(&members[6], StatementKind::HostIdentifier(host) if host.relay.as_ref().unwrap().value == 0)
    );
    assert!(
        matches!(&members[11], StatementKind::Hardware(hardware) if hardware.hardware_type == HardwareType::Unknown(7))
    );
    refused("host \"quoted\" { }");
    refused("host h { hardware ethernet 02:00:00:00:00:100; }");
    refused("host h { hardware ethernet 0x1:2; }");
    accepted("host h { hardware infiniband 1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16:17:18:19:20; }");
    refused("host h { hardware infiniband 1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16:17:18:19:20:21; }");
    refused("host h { fixed-address 1.2.3; }");
}

#[test]
fn a_group_flag_wants_a_statement_behind_it() {
    accepted("group g { dynamic; default-lease-time 5; }");
    refused("group g { dynamic; }");
    refused("group g { dynamic; static; default-lease-time 5; }");
}

#[test]
fn classes() {
    let members = inside(
        "class \"a\"",
        "match if known; match hardware; spawn with option agent.remote-id; lease limit 4; dynamic; option x y;",
    );
    assert!(matches!(members[0], StatementKind::MatchIf(_)));
    assert!(matches!(members[1], StatementKind::Match(_)));
    assert!(matches!(&members[3], StatementKind::LeaseLimit(limit) if limit.value == 4));
    let StatementKind::Subclass(subclass) = statement("subclass \"a\" 1:02:3;") else { panic!() };
    assert_eq!((&*subclass.data.octets, subclass.block.is_none()), (&[1, 2, 3][..], true));
    assert!(matches!(statement("user-class \"a\" { }"), StatementKind::OldClass(class) if class.user));
    for text in [
        "class a { }",
        "class \"a\";",
        "subclass \"a\" foo;",
        "class \"a\" { match; }",
        "class \"a\" { spawn known; }",
    ] {
        refused(text);
    }
}

#[test]
fn options() {
    let StatementKind::Option(option) = statement("option a . b 1.2.3.4, \"x\";") else { panic!() };
    assert_eq!(
        (option.verb, &*option.name.space.unwrap().text, &*option.name.name.text),
        (OptionVerb::Option, &b"a"[..], &b"b"[..])
    );
    let OptionValue::Literal(tokens) = option.value else { panic!() };
    assert_eq!(tokens.len(), 9);
    assert!(matches!(statement("supersede x = concat (\"a\", 1:2);"), StatementKind::Option(option)
        if option.verb == OptionVerb::Supersede && matches!(option.value, OptionValue::Expression(_))));
    assert!(
        matches!(statement("default rapid-commit;"), StatementKind::Option(option) if option.value == OptionValue::None)
    );
    assert!(matches!(statement("server-identifier 1.2.3.4;"), StatementKind::ServerIdentifier(_)));
    let StatementKind::OptionSpace(space) =
        statement("option space s code width 2 hash size 11 length width 1;")
    else {
        panic!()
    };
    assert_eq!(space.clauses.len(), 3);
    let StatementKind::OptionCode(code) = statement(
        "option s.x code -1 = array of { unsigned integer 8, array of ip-address, encapsulate s };",
    ) else {
        panic!()
    };
    assert!(code.option_type.array && code.option_type.record && code.option_type.members[1].array);
    assert!(
        matches!(&code.option_type.members[0].simple, SimpleType::Integer { signed: false, bits } if bits.value == 8)
    );
    refused("option 5 x;");
    refused("option x = ;");
    refused("option x { };");
    refused("option x;;");
    refused("option x code 1 = array of array of text;");
    refused("option x 1 2 3");
    accepted("option space space; option \u{61}dd 1; if known { option host-name code; }");
}

#[test]
fn words_have_two_readings() {
    let StatementKind::Word(word) = statement("ddns-updates on;") else { panic!() };
    assert!(word.value.is_some() && word.expression.is_none());
    let StatementKind::Word(word) = statement("some-typo;") else { panic!() };
    assert!(matches!((&word.value, &word.expression), (Some(OptionValue::None), Some(_))));
    let StatementKind::Word(word) = statement("f (1, \"x\");") else { panic!() };
    assert!(matches!(word.value, Some(OptionValue::Literal(_))));
    // `f` is an octet, so this is no call.
    assert_eq!(word.expression, None);
    let StatementKind::Word(word) = statement("call (1, \"x\");") else { panic!() };
    assert!(matches!(word.expression.unwrap().kind, ExprKind::Call { .. }));
    let StatementKind::Word(word) = statement("filename = \"x\";") else { panic!() };
    assert!(word.expression.is_none());
    let StatementKind::Word(word) = statement("foo = bar or x1z;") else { panic!() };
    assert!(word.value.is_none() && word.expression.is_some());
}

#[test]
fn executable_statements() {
    let StatementKind::If(statement_if) =
        statement("if (known) { } elsif static { break; } else if exists x { } else { unset v; }")
    else {
        panic!()
    };
    assert_eq!((statement_if.branches.len(), statement_if.otherwise.is_some()), (3, true));
    refused("if (known) and (static) { }");
    accepted("if ((known) and (static)) { }");
    accepted("if not (known) and static { }");
    refused("if \"a\" { }");
    refused("if known { } else option x y;");
    refused("if known { subnet 10.0.0.0 netmask 255.0.0.0 { } }");
    let StatementKind::On(on) = statement("on commit or expiry { set x1 = \"a\"; }") else { panic!() };
    assert_eq!(on.events.iter().map(|(event, _)| *event).collect::<Vec<_>>(), [Event::Commit, Event::Expiry]);
    accepted("on release;");
    refused("on booting { }");
    let StatementKind::Switch(switch) = statement(
        "switch (packet (0, 1)) { case \"a\": option x y; break; case (1:2): default: add \"c\"; }",
    ) else {
        panic!()
    };
    assert_eq!(switch.block.statements.len(), 6);
    accepted("switch (variable) { case 5: case 6: parse-vendor-option; }");
    refused("switch (\"x\") { case 5: break; }");
    refused("switch (\"x\") { case \"a\" = 5: break; }");
    refused("case 5: break;");
    refused("switch (variable) { if known { case 5: } }");
    accepted("switch (variable) { define fun () { case 5: } }");
    accepted("define fun (a, b, ) { return a; }");
    refused("define host (a) { }");
    refused("set ok = ;");
    accepted(
        "set foo = 5; eval foo; return foo; log (info, \"x\"); log (\"x\"); execute (\"a\", \"b\"); db-time-format local;",
    );
    refused("log (info);");
    refused("log (foo bar);");
    accepted("log (info, error); log (host, 5);");
    accepted("log (info, );");
    accepted(
        "key \"k\" { algorithm hmac-md5; secret aGVs bG8=; }; zone a.b. { primary 1.2.3.4, ns; secondary6 ::1; key k; }",
    );
    refused("key k { secret a-b; }");
    refused("zone z { }; ");
    let StatementKind::Key(key) = statement("key k { secret aGVsbG8+/w==; }") else { panic!() };
    assert!(
        matches!(&key.statements[0].kind, KeyStatementKind::Secret(secret) if **secret == *b"hello>\xff")
    );
}

#[test]
fn permissions() {
    let permission = |text| match statement(text) {
        StatementKind::Permission(permission) => *permission,
        other => panic!("{other:?}"),
    };
    let both = permission("deny unknown-clients;");
    assert_eq!((both.permit, both.key), (Some(Permit::UnknownClients), Some(PermissionKey::UnknownClients)));
    assert_eq!(permission("allow dynamic bootp clients;").permit, Some(Permit::DynamicBootpClients));
    assert_eq!(permission("ignore new;").key, Some(PermissionKey::ClientUpdates));
    let after = permission("allow after 4 2007/08/24 09:14:32 -3600;");
    assert!(
        matches!(after.permit, Some(Permit::After(Date::Calendar(date))) if date.offset.as_ref().unwrap().value == -3600)
    );
    assert!(matches!(permission("deny members of \"c\";").permit, Some(Permit::MembersOf(_))));
    refused("ignore known clients;");
    refused("allow known;");
    refused("allow after 2007/08/24;");
}

#[test]
fn failover() {
    let StatementKind::FailoverPeer(peer) = statement(
        "failover peer \"dhcp\" { primary; address 10.0.0.1; peer address ns.example; port 647; peer port 847; \
         max-response-delay 60; mclt 3600; split 128; load balance max  seconds 3; hba ff:00; auto-partner-down 0; }",
    ) else {
        panic!()
    };
    assert_eq!(peer.statements.len(), 11);
    assert!(matches!(
        peer.statements[4].kind,
        FailoverStatementKind::Number { peer: true, parameter: FailoverParameter::Port, .. }
    ));
    assert!(matches!(statement("failover peer x;"), StatementKind::FailoverReference(_)));
    let StatementKind::FailoverState(state) =
        statement("failover peer x state { my state normal at never; partner state recover-done; mclt 5; }")
    else {
        panic!()
    };
    assert_eq!(state.statements.len(), 3);
    refused("failover peer x { load balance max secs 3; }");
    refused("failover peer { }");
}

#[test]
fn server_statements() {
    assert!(matches!(statement("not authoritative;"), StatementKind::Authoritative(false)));
    assert!(matches!(statement("lease-id-format hex;"), StatementKind::LeaseIdFormat(LeaseIdFormat::Hex)));
    for text in [
        "server-duid llt;",
        "server-duid LLT ethernet 9 1:2:3:4:5:6;",
        "server-duid ll fddi 1:2;",
        "server-duid en 5 \"x\";",
        "server-duid 7 \"x\";",
        "% anything { at all; { } }",
        "% anything;",
        "% anything { at all",
    ] {
        accepted(text);
    }
    refused("server-duid ll infiniband 1:2;");
    refused("authoritative true;");
}

#[test]
fn the_lexer() {
    accepted("default-lease-time 600#comment\n;");
    accepted("DEFAULT-lease-TIME\t600\x0b;\r\n# the end");
    refused("default-lease-time 600; // no comment\n");
    accepted("\0\0authoritative;\0");
    accepted("log (\"\\\" } # \\\\\");");
    let latin1 = parsed(b"log (\"caf\xe9\"); # \xe9\n\xe9");
    assert!(
        matches!(&latin1.statements[0].kind, StatementKind::Log(log) if log.data.kind == ExprKind::String(Box::from(*b"caf\xe9")))
    );
    assert_eq!(latin1.faults[0].kind, FaultKind::UnknownStatement);
    let string = |length| format!("log (\"{}\");", "x".repeat(length));
    accepted(&string(1499));
    assert_eq!(faults(&string(1500))[0].0, FaultKind::TokenTooLong);
    assert_eq!(faults("log (\"\\x4g\");")[0].0, FaultKind::BadEscape);
    assert_eq!(faults("log (\"x);")[0].0, FaultKind::UnclosedString);
    accepted(&format!("option x {};", "a".repeat(1499)));
    refused(&format!("option x {};", "a".repeat(1500)));
}

#[test]
fn faults_are_found_in_one_pass_and_the_rest_is_read() {
    let text = "range x;\nauthoritative;\nsubnet 10.0.0.0 netmask 255.0.0.0.0 {\n  range 10.0.0.1;\n  pool { junk here }\n}\n}\n\
                ;\n5 x;\nhost h { hardware ethernet zz; }\noption domain-name \"x\";\nhost i {";
    let expected = [
        (FaultKind::Unexpected, "x"),
        (FaultKind::Unexpected, "."),
        (FaultKind::Unexpected, ""),
        (FaultKind::StrayBrace, "}"),
        (FaultKind::StraySemicolon, ";"),
        (FaultKind::UnknownStatement, "5"),
        (FaultKind::Unexpected, "zz"),
        (FaultKind::UnclosedBlock, "{"),
    ];
    let expected = expected.map(|(kind, text)| (kind, text.to_string()));
    assert_eq!(faults(text), expected);
    let parsed = parsed(text);
    let StatementKind::Malformed(subnet) = &parsed.statements[2].kind else { panic!() };
    let block = subnet.block.as_ref().unwrap();
    assert!(matches!(block.statements[0].kind, StatementKind::Range(_)));
    assert!(matches!(parsed.statements.last().unwrap().kind, StatementKind::Host(_)));
}

#[test]
fn a_missing_semicolon_costs_one_statement() {
    let parsed = parsed("range 10.0.0.1\nhost h { }\n# x\nrange6 ::1 temporary\n  option a b;\nadd \"x\"");
    assert!(matches!(parsed.statements[1].kind, StatementKind::Host(_)));
    assert!(matches!(parsed.statements[3].kind, StatementKind::Option(_)));
    assert_eq!(parsed.faults.len(), 3);
    assert_eq!(parsed.faults[2].kind, FaultKind::UnexpectedEnd);
}

fn with_files(text: &str, files: &[(&str, &str)]) -> Parsed {
    let files: HashMap<&[u8], &str> = files.iter().map(|(name, text)| (name.as_bytes(), *text)).collect();
    let mut load = |name: &[u8]| match files.get(name) {
        Some(text) => Ok(text.as_bytes().to_vec()),
        None => no_files(name),
    };
    parse(b"dhcpd.conf", text.as_bytes().to_vec(), &mut load)
}

#[test]
fn included_files_hang_below_their_include() {
    let parsed = with_files(
        "host h { include \"a\"; }\ninclude \"b\";",
        &[("a", "option x y;\ninclude \"c\";"), ("b", "uid 1;"), ("c", "")],
    );
    let StatementKind::Host(host) = &parsed.statements[0].kind else { panic!() };
    let StatementKind::Include(include) = &host.block.statements[0].kind else { panic!() };
    let Content::Read(Ok(included)) = &include.content else { panic!() };
    assert!(matches!(included.statements[0].kind, StatementKind::Option(_)));
    let location = parsed.source_map.location(included.statements[1].span).unwrap();
    assert_eq!((location.file, location.line, location.column), (&b"a"[..], 2, 1));
    assert_eq!(parsed.source_map.files().len(), 4);
    // `uid` is known directly in a host only.
    assert_eq!(parsed.faults.len(), 1);
}

#[test]
fn includes_that_fail_are_values() {
    let parsed = with_files(
        "include \"a\"; include \"missing\"; include b; authoritative;",
        &[("a", "include \"dhcpd.conf\"; include \"a\";")],
    );
    let kinds: Vec<_> = parsed.faults.iter().map(|fault| fault.kind.clone()).collect();
    assert_eq!(
        kinds,
        [FaultKind::IncludeCycle, FaultKind::IncludeCycle, FaultKind::Include, FaultKind::Unexpected]
    );
    let StatementKind::Include(missing) = &parsed.statements[1].kind else { panic!() };
    assert!(
        matches!(&missing.content, Content::Read(Err(IncludeError::Load(error))) if error.errno == Some(2))
    );
    assert!(matches!(parsed.statements[3].kind, StatementKind::Authoritative(true)));
    let mut number = 0;
    let mut chain = |_: &[u8]| {
        number += 1;
        Ok(format!("group {{ group {{ include \"{number}\"; }} }}").into_bytes())
    };
    let parsed = parse(b"x", b"include \"0\";".to_vec(), &mut chain);
    assert_eq!(
        parsed.faults.iter().map(|fault| fault.kind.clone()).collect::<Vec<_>>(),
        [FaultKind::Include]
    );
    assert!(parsed.source_map.files().len() > 30);
}

#[test]
fn a_fault_stays_in_its_file() {
    let parsed = with_files("include \"a\"; authoritative;", &[("a", "group { \"")]);
    assert!(matches!(parsed.statements[1].kind, StatementKind::Authoritative(true)));
    assert!(!parsed.faults.is_empty());
}

#[test]
fn depth_is_limited_and_length_is_not() {
    let nested =
        |open: &str, depth: usize, close: &str| format!("{}{}", open.repeat(depth), close.repeat(depth));
    accepted(&nested("group { ", MAX_DEPTH, "}"));
    assert!(
        faults(&nested("group { ", MAX_DEPTH + 1, "}")).iter().any(|(kind, _)| *kind == FaultKind::TooDeep)
    );
    accepted(&nested("if known { ", MAX_DEPTH, "}"));
    let parentheses = |depth: usize| format!("set foo = {}\"a\"{};", "(".repeat(depth), ")".repeat(depth));
    accepted(&parentheses(MAX_DEPTH));
    refused(&parentheses(20_000));
    let calls = |depth: usize| {
        format!("set foo = {}\"a\"{};", "concat (lcase (".repeat(depth), "), \"\")".repeat(depth))
    };
    accepted(&calls(MAX_DEPTH / 2));
    accepted(&format!("set foo = {} known;", "not".to_string() + &" not".repeat(50)));
    refused(&format!("set foo = {} known;", "not ".repeat(2_000)));
    accepted(&format!("if known{} {{ }}", " or hardware = 1:2".repeat(2_000)));
    accepted(&format!("if hardware = 1 {{ }} elsif known{} {{ }}", " and hardware = 1 or static".repeat(40)));
    refused(&format!("if hardware = 1{} {{ }}", " and hardware = 1 or hardware = 2".repeat(2_000)));
    let alternating = " and hardware = 1 or hardware = 2".repeat(20);
    let both = (0..20).fold("known".to_string(), |inner, _| format!("(known{alternating} and ({inner}))"));
    refused(&format!("if {both} {{ }}"));
    accepted(&format!("if known {{ }} {}", "elsif known { }\n".repeat(2_000)));
    accepted(&format!("set foo = pick (null{});", ", null".repeat(3_000)));
    refused(&"{".repeat(3_000));
    refused(&"}".repeat(10_000));
    refused(&"group ".repeat(10_000));
    refused(&"if known ".repeat(10_000));
    refused(&"(".repeat(3_000));
    refused(&"option a code 1 = { array of ".repeat(3_000));
    refused(&"\"\\0z0z".repeat(10_000));
}
