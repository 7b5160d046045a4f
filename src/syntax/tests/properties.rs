//! What holds for any input.

use proptest::prelude::*;

use super::super::scan::Sizes;
use super::super::*;
use super::no_files;

/// Pieces of configurations, good and bad, to throw together.
const PARTS: &[&str] = &[
    "host",
    "subnet",
    "subnet6",
    "group",
    "pool",
    "pool6",
    "class",
    "subclass",
    "shared-network",
    "option",
    "range",
    "if",
    "else",
    "elsif",
    "on",
    "commit",
    "switch",
    "case",
    "default",
    "set",
    "define",
    "log",
    "zone",
    "key",
    "failover peer",
    "include",
    "known",
    "and",
    "or",
    "not",
    "exists",
    "substring",
    "concat",
    "hardware",
    "ethernet",
    "fixed-address",
    "code",
    "space",
    "=",
    "array of",
    "integer 8",
    "text",
    "allow",
    "deny",
    "members of",
    "after",
    "epoch",
    "%",
    "netmask",
    "x",
    "foo",
    "face",
    "1",
    "10.0.0.1",
    "255.255.255.0",
    "2001:db8::1",
    "/64",
    "01:02:ff",
    "\"text\"",
    "\"\\\"}\"",
    "\"",
    "\\",
    ";",
    ";",
    ";",
    "{",
    "{",
    "}",
    "}",
    "(",
    ")",
    ",",
    ":",
    ".",
    "~",
    "!",
    "+",
    "# comment\n",
    "#\"{\n",
    "\n",
    "\t",
    "host h { hardware ethernet 1:2:3; }",
    "option routers 10.0.0.1;",
    "if known { option x y; } else { break; }",
    "subnet 10.0.0.0 netmask 255.0.0.0 { range 10.0.0.1; }",
    "failover peer \"a\" { primary; port 1; }",
    "key k { secret aGVsbG8=; };",
    "class \"c\" { match if known; }",
    "default-lease-time 600;",
    "switch (foo) { case 1: break; default: }",
    "\0",
    "\u{1a}",
    "authoritative;",
];

fn soup() -> impl Strategy<Value = String> {
    let part = prop::sample::select(PARTS);
    prop::collection::vec((part, prop::bool::weighted(0.8)), 0..60).prop_map(|parts| {
        parts.iter().map(|(part, space)| format!("{part}{}", if *space { " " } else { "" })).collect()
    })
}

/// Text between statements holds nothing but white space and comments.
fn is_blank(mut text: &[u8]) -> bool {
    while let [first, rest @ ..] = text {
        text = match first {
            b'\t'..=b'\r' | b' ' | 0 => rest,
            b'#' => rest.iter().position(|byte| *byte == b'\n').map_or(&[][..], |end| &rest[end..]),
            _ => return false,
        };
    }
    true
}

fn blocks(kind: &StatementKind) -> Vec<&Block> {
    match kind {
        StatementKind::Host(host) => vec![&host.block],
        StatementKind::Group(group) => vec![&group.block],
        StatementKind::SharedNetwork(network) => vec![&network.block],
        StatementKind::Subnet(subnet) => vec![&subnet.block],
        StatementKind::Subnet6(subnet) => vec![&subnet.block],
        StatementKind::Class(class) => vec![&class.block],
        StatementKind::Subclass(class) => class.block.iter().collect(),
        StatementKind::OldClass(class) => class.block.iter().collect(),
        StatementKind::Pool(block) | StatementKind::Pool6(block) => vec![block],
        StatementKind::If(statement) => {
            statement.branches.iter().map(|(_, block)| block).chain(&statement.otherwise).collect()
        }
        StatementKind::Switch(switch) => vec![&switch.block],
        StatementKind::On(on) => on.block.iter().collect(),
        StatementKind::Function(function) => vec![&function.block],
        StatementKind::Malformed(malformed) => malformed.block.iter().collect(),
        _ => Vec::new(),
    }
}

/// Statements follow each other without overlap, fill their stretch but for white space, and so do those inside.
fn check(text: &[u8], statements: &[Statement], mut at: usize, end: usize) {
    for statement in statements {
        let (start, stop) = (statement.span.start as usize, statement.span.end as usize);
        assert!(at <= start && start <= stop && stop <= end, "{at} {start} {stop} {end}: {statement:?}");
        assert!(is_blank(&text[at..start]), "{:?}", String::from_utf8_lossy(&text[at..start]));
        at = stop;
        for block in blocks(&statement.kind) {
            assert!(statement.span.contains(block.span), "{statement:?}");
            let inner_end = block.span.end as usize - usize::from(block.closed);
            assert_eq!(text[block.span.start as usize], b'{');
            check(text, &block.statements, block.span.start as usize + 1, inner_end);
        }
        if let StatementKind::Malformed(malformed) = &statement.kind {
            let mut last = start;
            for token in malformed.tokens.iter() {
                assert!(
                    last <= token.span.start as usize && token.span.end as usize <= stop,
                    "{statement:?}"
                );
                last = token.span.end as usize;
            }
        }
    }
    assert!(is_blank(&text[at..end]), "{:?}", String::from_utf8_lossy(&text[at..end]));
}

fn is_malformed(statement: &Statement) -> bool {
    let member = match &statement.kind {
        StatementKind::Malformed(_) => true,
        StatementKind::FailoverPeer(peer) => {
            !peer.closed
                || peer.statements.iter().any(|s| matches!(s.kind, FailoverStatementKind::Malformed(_)))
        }
        StatementKind::FailoverState(state) => {
            !state.closed
                || state.statements.iter().any(|s| matches!(s, FailoverStateStatement::Malformed(_)))
        }
        StatementKind::Zone(zone) => {
            !zone.closed || zone.statements.iter().any(|s| matches!(s.kind, ZoneStatementKind::Malformed(_)))
        }
        StatementKind::Key(key) => {
            !key.closed || key.statements.iter().any(|s| matches!(s.kind, KeyStatementKind::Malformed(_)))
        }
        StatementKind::Include(include) => matches!(include.content, Content::Read(Err(_))),
        _ => false,
    };
    member
        || blocks(&statement.kind)
            .iter()
            .any(|block| !block.closed || block.statements.iter().any(is_malformed))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let parsed = parse(b"x", bytes, &mut no_files);
        for fault in &parsed.faults {
            prop_assert!(parsed.source_map.location(fault.span).is_some());
        }
    }

    #[test]
    fn every_byte_belongs_somewhere(text in soup()) {
        let parsed = parse(b"x", text.clone().into_bytes(), &mut no_files);
        check(text.as_bytes(), &parsed.statements, 0, text.len());
        prop_assert_eq!(parsed.faults.is_empty(), !parsed.statements.iter().any(is_malformed), "{:?}", parsed.faults);
    }

    #[test]
    fn the_pieces_make_no_difference(text in soup()) {
        prop_assert_eq!(pieces(&text), Ok(()));
    }
}

/// Whether a text read in pieces is what it is as a whole; else both.
fn pieces(text: &str) -> Result<(), String> {
    let whole = parse(b"x", text.as_bytes().to_vec(), &mut no_files);
    let sizes = Sizes { piece: 1, large: 1 };
    let cut = parse_in_pieces(b"x", text.as_bytes().to_vec(), &mut no_files, sizes);
    match whole.statements == cut.statements && whole.faults == cut.faults {
        true => Ok(()),
        false => Err(format!(
            "{:#?}\n{:#?}\n{:#?}\n{:#?}",
            whole.statements, whole.faults, cut.statements, cut.faults
        )),
    }
}

/// Statements that take along a brace which is not their own.
#[test]
fn lost_braces_are_not_cut_at() {
    for text in [
        "{%}host",
        "group { % x } host a { } }",
        "group { log (info, } host a { } }",
        "group { log ( x { } } } a;",
    ] {
        assert_eq!(pieces(text), Ok(()), "{text}");
    }
}
