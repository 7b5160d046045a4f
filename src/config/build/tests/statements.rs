//! Executable statements and expressions.

use super::*;
use crate::config::network::ScopeId;
use crate::config::tree::{Arithmetic, Combine, Events, Expr, IntWidth, LogPriority, Statement};

/// The statements of the root scope but for the three every configuration starts with.
fn statements(text: &str) -> Vec<Statement> {
    let built = good(text);
    built.config.statements(ScopeId::ROOT).unwrap()[3..].to_vec()
}

fn expression(text: &str) -> Expr {
    match statements(&format!("set some_v = {text};")).pop() {
        Some(Statement::Set { value, .. }) => value,
        other => panic!("{other:?}"),
    }
}

fn data(octets: &[u8]) -> Expr {
    Expr::Data(octets.into())
}

#[test]
fn conditions_become_nested_ifs() {
    let built = statements("if known { break; } elsif static { } else { unset a_v; }");
    let [Statement::If { condition: Expr::Known, then, otherwise }] = &built[..] else { panic!("{built:?}") };
    assert_eq!(**then, [Statement::Break]);
    let [Statement::If { condition: Expr::Static, then, otherwise }] = &**otherwise else { panic!() };
    assert!(then.is_empty());
    assert_eq!(**otherwise, [Statement::Unset("a_v".into())]);
}

#[test]
fn statements_keep_their_shape() {
    let built = statements(
        "append domain-name \"x\"; prepend domain-name \"x\"; default domain-name \"x\"; send domain-name \"x\";
         on expiry or commit { log(info, \"gone\"); } on release;
         switch (option host-name) { case \"a\": break; default: return \"b\"; }
         define func (arg) { return arg; }
         parse-vendor-option; execute(\"cmd\", \"x\", option host-name); some_word; eval null; log(\"plain\");",
    );
    let combined: Vec<Combine> = built
        .iter()
        .filter_map(|statement| match statement {
            Statement::Option { combine, .. } => Some(*combine),
            _ => None,
        })
        .collect();
    assert_eq!(combined, [Combine::Append, Combine::Prepend, Combine::Default, Combine::Supersede]);
    let Statement::On { events, body: Some(body) } = &built[4] else { panic!() };
    assert_eq!(*events, Events { expiry: true, commit: true, release: false, transmission: false });
    assert!(matches!(&body[0], Statement::Log { priority: LogPriority::Info, .. }));
    assert!(matches!(&built[5], Statement::On { body: None, .. }));
    let Statement::Switch { body, .. } = &built[6] else { panic!() };
    assert!(matches!(
        &body[..],
        [Statement::Case(_), Statement::Break, Statement::DefaultCase, Statement::Return(_)]
    ));
    let Statement::Define { name, function } = &built[7] else { panic!() };
    assert_eq!((&**name, function.parameters.len(), function.body.len()), ("func", 1, 1));
    assert_eq!(built[8], Statement::ParseVendorOption);
    let Statement::Execute { command, arguments } = &built[9] else { panic!() };
    assert_eq!((&**command, arguments.len()), (&b"cmd"[..], 2));
    assert_eq!(built[10], Statement::Eval(Expr::Variable("some_word".into())));
    assert_eq!(built[11], Statement::Eval(Expr::Null));
    assert!(matches!(&built[12], Statement::Log { priority: LogPriority::Debug, .. }));
}

#[test]
fn expressions_are_typed_by_their_place() {
    assert_eq!(expression("\"a\""), data(b"a"));
    assert_eq!(expression("5"), data(&[5]));
    assert_eq!(expression("1:a0"), data(&[1, 0xa0]));
    assert_eq!(
        expression("encode-int(1 + 2 * 3, 16)"),
        // `*` binds less than `+` in dhcpd.
        Expr::EncodeInt(
            IntWidth::Two,
            Box::new(Expr::Arithmetic(
                Arithmetic::Multiply,
                Box::new([
                    Expr::Arithmetic(Arithmetic::Add, Box::new([Expr::Number(1), Expr::Number(2)])),
                    Expr::Number(3)
                ])
            ))
        )
    );
    assert_eq!(
        expression("concat(\"a\", \"b\", \"c\")"),
        Expr::Concat(Box::new([Expr::Concat(Box::new([data(b"a"), data(b"b")])), data(b"c")]))
    );
    assert_eq!(expression("extract-int(\"a\", 8)"), Expr::ExtractInt(IntWidth::One, Box::new(data(b"a"))));
    assert_eq!(expression("nxdomain"), Expr::Number(393_231));
    assert_eq!(expression("gethostbyname(\"x\")"), Expr::HostLookup("x".into()));
    assert!(matches!(expression("option agent.circuit-id"), Expr::Option(id) if id.code == 1));
    assert!(matches!(expression("known or static and known"), Expr::And(_)));
    assert!(matches!(expression("option host-name ~~ \"x\""), Expr::Regex { ignore_case: true, .. }));
}

#[test]
fn handlers_keep_the_parts_of_option_values() {
    let built = statements(
        "option x code 200 = { integer 8, text }; option x 1 \"a\"; on commit { option x 1 \"a\"; }",
    );
    let Statement::Option { value, .. } = &built[0] else { panic!() };
    assert_eq!(**value, data(b"\x01a"));
    let Statement::On { body: Some(body), .. } = &built[1] else { panic!() };
    let Statement::Option { value, .. } = &body[0] else { panic!() };
    assert_eq!(**value, Expr::Concat(Box::new([data(&[1]), data(b"a")])));
}

#[test]
fn statements_are_checked() {
    for (text, messages) in [
        ("if exists nonsense { }", vec!["no option named nonsense in space dhcp"]),
        ("if known { option nonsense 1; }", vec!["no option named nonsense in space dhcp"]),
        ("if check \"other\" { }", vec!["unknown collection."]),
        ("add \"none\";", vec!["class none: not found"]),
        ("some-typo value;", vec!["semicolon expected."]),
        ("if known { zone x { } break; }", vec!["(E0804)"]),
        ("if known { db-time-format local; break; }", vec!["(E0804)"]),
    ] {
        assert_eq!(said(text), messages, "{text}");
    }
    good("if known { db-time-format local; }");
}

#[test]
fn long_chains_have_a_limit() {
    let chain = |count: usize| format!("set some_v = {};", vec!["known"; count].join(" or "));
    good(&chain(3000));
    assert_eq!(said(&chain(3002)), ["(E0110)"]);
    let branches = |count: usize| format!("if known {{ }}{}", " elsif known { }".repeat(count - 1));
    good(&branches(1000));
    assert_eq!(said(&branches(1001)), ["(E0110)"]);
}
