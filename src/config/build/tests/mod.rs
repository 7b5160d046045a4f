//! Tests of the whole layer: from text to configuration.

mod declarations;
mod options;
mod oracle;
mod statements;

use super::{Built, Family, build, read};
use crate::config::Config;
use crate::config::diagnostic::Severity;
use crate::syntax::{LoadError, Loader, SourceMap, parse};
use std::collections::HashMap;

/// Builds a configuration from text. Nothing can be included.
pub(super) fn built(text: &str, family: Family) -> Built {
    with_files(text, family, &HashMap::new())
}

/// The same with files to include.
pub(super) fn with_files(text: &str, family: Family, files: &HashMap<&str, &str>) -> Built {
    let mut loader = |name: &[u8]| {
        let found = std::str::from_utf8(name).ok().and_then(|name| files.get(name));
        found
            .map(|text| text.as_bytes().to_vec())
            .ok_or_else(|| LoadError { errno: Some(2), message: "No such file or directory".to_owned() })
    };
    if text.len() > 10_000 {
        // Too deep to be compared.
        return build(&parse(b"x.conf", text.as_bytes().to_vec(), &mut loader), family);
    }
    // Blocks so large that they are read on their own.
    let padded = text.replace('{', &format!("{{#{}\n", " ".repeat(40_000)));
    assert_read_alike(&padded, family, &mut loader);
    assert_read_alike(text, family, &mut loader)
}

/// Reading a file piece by piece comes to the same as building its whole tree.
fn assert_read_alike(text: &str, family: Family, loader: &mut dyn Loader) -> Built {
    let parsed = parse(b"x.conf", text.as_bytes().to_vec(), loader);
    let whole = build(&parsed, family);
    let (source_map, pieces) = read(b"x.conf", text.as_bytes().to_vec(), loader, family);
    assert_eq!(pieces.diagnostics, whole.diagnostics, "{text}");
    assert_eq!(pieces.log, whole.log);
    assert_eq!(pieces.fatal, whole.fatal);
    assert_eq!(pieces.unsupported, whole.unsupported);
    let contents = |built: &Built| {
        let Config { scopes, shared_networks, subnets, pools, hosts, groups, class_order, .. } =
            &built.config;
        format!("{:?}", (scopes, shared_networks, subnets, pools, hosts, groups, class_order))
    };
    assert_eq!(contents(&pieces), contents(&whole));
    if whole.fatal.is_none() {
        let names = |map: &SourceMap| map.files().iter().map(|file| file.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&source_map), names(&parsed.source_map));
    }
    whole
}

/// A DHCPv4 configuration that must be accepted.
pub(super) fn good(text: &str) -> Built {
    let built = built(text, Family::V4);
    assert!(built.accepted(), "{:?} {:?}", built.diagnostics, built.fatal);
    built
}

/// What dhcpd says about a DHCPv4 configuration that must be refused: its parser's messages, then the line it ends with.
pub(super) fn said(text: &str) -> Vec<String> {
    messages(&built(text, Family::V4))
}

pub(super) fn messages(built: &Built) -> Vec<String> {
    assert!(!built.accepted());
    let lossy = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
    let mut all: Vec<String> = built
        .diagnostics
        .iter()
        .filter(|d| d.severity == Severity::Error)
        .map(|d| d.isc.as_deref().map_or_else(|| format!("({})", d.code.as_str()), lossy))
        .collect();
    all.extend(built.fatal.iter().map(|line| format!("fatal: {}", lossy(&line.text))));
    all
}

/// The plain lines that were logged.
pub(super) fn logged(built: &Built) -> Vec<String> {
    built.log.iter().map(|line| String::from_utf8_lossy(&line.text).into_owned()).collect()
}

/// A subnet for statements to stand in.
pub(super) fn in_subnet(statements: &str) -> String {
    format!("subnet 10.0.0.0 netmask 255.255.255.0 {{ {statements} }}")
}
