//! Expressions: their shape, and the type rules.

use super::super::*;
use super::{faults, refused, statement};

/// An expression in a fixed notation: every operation in parentheses, octets with `#`, numbers plain.
fn shape(expr: &Expr) -> String {
    let list = |name: &str, parts: &[&Expr]| {
        let parts: Vec<String> = parts.iter().map(|part| shape(part)).collect();
        format!("{name}({})", parts.join(", "))
    };
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    match &expr.kind {
        ExprKind::String(octets) => format!("{:?}", text(octets)),
        ExprKind::Hex(octets) => octets.iter().map(|octet| format!("#{octet:02x}")).collect(),
        ExprKind::Number(number) => number.to_string(),
        ExprKind::Variable(word) => text(&word.text),
        ExprKind::Call { name, arguments } => list(&text(&name.text), &arguments.iter().collect::<Vec<_>>()),
        ExprKind::Option(name) => format!("option {}", text(&name.name.text)),
        ExprKind::Exists(name) => format!("exists {}", text(&name.name.text)),
        ExprKind::Not(inner) => format!("not {}", shape(inner)),
        ExprKind::ExtractInt { data, .. } => list("extract-int", &[data]),
        ExprKind::EncodeInt { value, .. } => list("encode-int", &[value]),
        ExprKind::Substring { data, offset, length } => list("substring", &[data, offset, length]),
        ExprKind::Concat(parts) => list("concat", &parts.iter().collect::<Vec<_>>()),
        ExprKind::Operation { first, rest } => rest
            .iter()
            .fold(shape(first), |left, (operator, right)| format!("({left} {operator:?} {})", shape(right))),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn set(text: &str) -> String {
    match statement(&format!("set v1x = {text};")) {
        StatementKind::Set(set) => shape(&set.value),
        other => panic!("{other:?}"),
    }
}

#[test]
fn precedence_is_as_odd_as_dhcpds() {
    for (text, expected) in [
        ("aa1z and bb1z or cc1z", "((aa1z And bb1z) Or cc1z)"),
        // `=` binds tighter than `and`, and takes all that follows with it.
        (
            "option a = \"b\" and option c = \"d\" or option e = \"f\"",
            "((option a Equal \"b\") And ((option c Equal \"d\") Or (option e Equal \"f\")))",
        ),
        (
            "known or option a = \"b\" or option c = \"d\" and static",
            "((known Or (option a Equal \"b\")) Or ((option c Equal \"d\") And static))",
        ),
        ("not known and static", "(not known And static)"),
        ("not (known and static)", "not (known And static)"),
        ("lease-time * 2 + 1", "(leasetime Multiply (2 Add 1))"),
        ("lease-time + 2 * 3", "((leasetime Add 2) Multiply 3)"),
        ("lease-time * 2 + 3 * 4", "(leasetime Multiply ((2 Add 3) Multiply 4))"),
        ("lease-time * 2 + 3 = 7", "(leasetime Multiply (2 Add (3 Equal 7)))"),
        ("option a ! = \"x\"", "(option a NotEqual \"x\")"),
        ("option a ~ ~ \"x\"", "(option a RegexMatchIgnoringCase \"x\")"),
    ] {
        if text.ends_with("= 7") {
            // A number and a truth value: dhcpd refuses it, too.
            assert_eq!(
                faults(&format!("set v1x = {text};"))[0].0,
                FaultKind::Type(TypeFault::DifferentTypes)
            );
        } else {
            assert_eq!(set(text), expected, "{text}");
        }
    }
}

#[test]
fn a_number_is_an_octet_unless_a_number_is_expected() {
    assert_eq!(set("5"), "#05");
    assert_eq!(set("10:ff"), "#10#ff");
    assert_eq!(set("variable-a = 10"), "(variable-a Equal #10)");
    assert_eq!(set("extract-int (10, 8) = 10"), "(extract-int(#10) Equal 10)");
    assert_eq!(set("lease-time = 010"), "(leasetime Equal 10)");
    assert_eq!(set("substring (10, 10, (10 + 2))"), "substring(#10, 10, (10 Add 2))");
    assert_eq!(set("encode-int (10, 32)"), "encode-int(10)");
    assert_eq!(set("call (10)"), "call(#10)");
    // Behind `and`, data is expected again.
    refused("set v1x = known and lease-time = 5;");
    for text in
        ["256", "x", "5 + 3", "0x5", "substring (1, aa, 2)", "substring (1, 1:2, 2)", "lease-time = 1:2"]
    {
        refused(&format!("set v1x = {text};"));
    }
}

#[test]
fn names() {
    assert_eq!(set("v1x"), "v1x");
    assert_eq!(set("fa"), "#fa");
    refused("set v1x = host;");
    refused("set v1x = substring;");
    refused("set v1x = call ();");
    refused("set let = 5;");
    assert_eq!(set("call (known, \"a\" = \"b\")"), "call(known, (\"a\" Equal \"b\"))");
}

#[test]
fn types() {
    let fault = |text: &str| match faults(&format!("set v1x = {text};")).remove(0).0 {
        FaultKind::Type(fault) => fault,
        other => panic!("{other:?}"),
    };
    assert_eq!(fault("\"a\" and known"), TypeFault::DifferentTypes);
    assert_eq!(fault("known = static"), TypeFault::DataOrNumeric);
    assert_eq!(fault("option a ~= variable-a"), TypeFault::RegexData);
    assert_eq!(fault("\"a\" and \"b\""), TypeFault::Booleans);
    assert_eq!(fault("\"a\" + \"b\""), TypeFault::Numerics);
    assert_eq!(fault("not option a = \"x\""), TypeFault::NotBoolean);
    assert_eq!(fault("not variable-a"), TypeFault::NotBoolean);
    assert_eq!(fault("lcase (known)"), TypeFault::WantData);
    assert_eq!(fault("packet (\"a\", 1)"), TypeFault::WantNumeric);
    assert!(matches!(faults("if \"a\" { }")[0].0, FaultKind::Type(TypeFault::WantBoolean)));
    refused("set v1x = encode-int (5, 64);");
}
