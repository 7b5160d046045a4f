use super::explain;
use crate::config::Family;
use crate::config::build;
use crate::config::diagnostic::Severity;
use crate::log::Line;
use crate::syntax::{self, LoadError};
use proptest::prelude::*;

fn no_files(_: &[u8]) -> Result<Vec<u8>, LoadError> {
    Err(LoadError { errno: Some(2), message: "No such file or directory".to_owned() })
}

fn said(lines: &[Line]) -> Vec<String> {
    lines.iter().map(|line| String::from_utf8_lossy(&line.text).into_owned()).collect()
}

/// What dhcpd prints about a file named `f`.
fn words(source: &str) -> Vec<String> {
    let words = explain(b"f", source.as_bytes(), Family::V4, &mut no_files).unwrap();
    let mut lines = said(&words.lines);
    lines.extend(words.fatal.map(|line| format!("fatal {}", String::from_utf8_lossy(&line.text))));
    lines
}

#[test]
fn a_message_stands_at_the_last_consumed_token() {
    assert_eq!(words("}"), ["f line 0: expecting a parameter or declaration", "", "^"]);
    assert_eq!(
        words("subnet 10.0.0.0 {\n}\n"),
        ["f line 1: Expecting netmask", "subnet 10.0.0.0 {", "                 ^"]
    );
}

#[test]
fn a_lost_brace_runs_on_to_the_end() {
    assert_eq!(
        words("host a { hardware ethernet 1:2 }\nhost b { }\n"),
        [
            "f line 1: expecting semicolon.",
            "host a { hardware ethernet 1:2 }",
            "                                ^",
            "f line 2: unexpected end of file",
            "host b { }",
            "          ^",
        ]
    );
}

#[test]
fn an_included_file_is_reported_twice() {
    let mut loader = |_: &[u8]| Ok(b"}".to_vec());
    let words = explain(b"f", b"include \"g\";\n", Family::V4, &mut loader).unwrap();
    assert_eq!(
        said(&words.lines),
        [
            "g line 0: expecting a parameter or declaration",
            "",
            "^",
            "f line 1: g: bad parse.",
            "include \"g\"",
            "         ^",
        ]
    );
    assert_eq!(self::words("include \"g\";"), ["fatal Can't open g: No such file or directory"]);
}

#[test]
fn a_file_that_includes_itself_ends() {
    let mut loader = |_: &[u8]| Ok(b"include \"g\";".to_vec());
    let words = explain(b"f", b"include \"g\";", Family::V4, &mut loader).unwrap();
    assert!(words.refused && words.fatal.is_none());
    let said: Vec<String> =
        words.lines.iter().map(|line| String::from_utf8_lossy(&line.text).into_owned()).collect();
    assert_eq!(said[0], "g line 1: g: this file includes itself.");
    assert_eq!(said[3], "f line 1: g: bad parse.");
}

#[test]
fn deep_nesting_is_given_up() {
    let source = "group { ".repeat(100_000);
    assert!(explain(b"f", source.as_bytes(), Family::V4, &mut no_files).is_none());
}

/// Pieces that make files which are nearly right.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "subnet 10.0.0.0 netmask 255.255.255.0 { ",
        "pool { ",
        "range 10.0.0.1 10.0.0.9; ",
        "host a { ",
        "hardware ethernet 0:1:2:3:4:5; ",
        "fixed-address 10.0.0.3; ",
        "} ",
        "{ ",
        "; ",
        "class \"a\" { ",
        "match if known; ",
        "option routers 10.0.0.1; ",
        "option x code 200 = text; ",
        "if known { ",
        "else ",
        "set a = \"b\"; ",
        "allow unknown-clients; ",
        "deny after 4 2026/1/1 0:0:0; ",
        "zone a. { ",
        "key b { ",
        "failover peer \"p\" { ",
        "primary; ",
        "split 3; ",
        "shared-network s { ",
        "group { ",
        "= ",
        "\"",
        "\\x",
        "include \"f\"; ",
        "option space q; ",
        "log(info, \"x\"); ",
        "execute(\"a\", 1); ",
        "switch (a) { case 1: ",
        "subclass \"a\" 1:2 { ",
        "uid 1:2; ",
        "authoritative; ",
        "option domain-name \"a\"; ",
        "# c\n",
        "\n",
        "on commit { ",
        "default-lease-time 5; ",
        "concat(",
        "substring(option host-name, 1, ",
        ") ",
        "and ",
        "not ",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_octets_come_to_an_end(source in prop::collection::vec(any::<u8>(), 0..400)) {
        explain(b"f", &source, Family::V4, &mut no_files);
    }

    #[test]
    fn the_walk_finds_something_when_the_file_is_refused(source in pieces(), six in any::<bool>()) {
        let family = if six { Family::V6 } else { Family::V4 };
        let words = explain(b"f", source.as_bytes(), family, &mut no_files).unwrap();
        let parsed = syntax::parse(b"f", source.clone().into_bytes(), &mut no_files);
        let accepted = build(&parsed, family).accepted();
        // What dhcpd dies of is refused without its words.
        if words.refused {
            prop_assert!(!accepted, "dhcpd refuses: {source} {:?}", said(&words.lines));
        }
    }
}

/// The real-world configurations and samples that lie beside the project, where they are.
#[test]
#[allow(clippy::disallowed_methods, reason = "this test reads files")]
fn the_walk_finds_something_exactly_when_a_file_is_refused() {
    let root = std::env::var_os("RELET_SHARED").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        std::path::PathBuf::from,
    );
    let folders = [root.join("corpus/conf"), root.join("spec/snippets")];
    for entry in folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten() {
        let path = entry.unwrap().path();
        let known = path.extension().and_then(|e| e.to_str());
        if !path.is_file()
            || matches!(known, Some("expected" | "leases" | "md" | "tsv" | "args" | "sh" | "txt"))
        {
            continue;
        }
        let source = std::fs::read(&path).unwrap();
        for family in [Family::V4, Family::V6] {
            let built = build(&syntax::parse(b"f", source.clone(), &mut no_files), family);
            // Some refusals are our own: dhcpd dies of such a file, or will.
            let own = built.fatal.is_none()
                && built.diagnostics.iter().all(|d| d.severity != Severity::Error || d.isc.is_none());
            // `option NAME;;` is taken without a word, and dhcpd dies when it runs: D101 of dhcpd-differences(7).
            let own = own || path.to_string_lossy().contains("option-no-value-double-semi");
            let words = explain(b"f", &source, family, &mut no_files).unwrap();
            assert!(words.refused != built.accepted() || own, "{} {family:?}", path.display());
        }
    }
    if !root.is_dir() {
        println!("{} is absent: nothing compared", root.display());
    }
}
