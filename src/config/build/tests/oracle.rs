//! The verdicts of a real dhcpd over a collection of configurations, where that collection is at hand.
//!
//! `RELET_SHARED` names its folder (else `../shared`): `spec/snippets/*.conf` with `.expected` beside each, which holds
//! what `dhcpd -t` said. Prints how many verdicts and first messages agree; `RELET_PARITY=v` also which do not.
#![allow(clippy::disallowed_methods)]

use super::super::{Built, Family, build, failover_sanity};
use crate::config::diagnostic::Severity;
use crate::syntax::{LoadError, Parsed, SourceMap, parse};
use std::path::{Path, PathBuf};

/// What a real dhcpd said.
struct Expected {
    accepted: bool,
    crashed: bool,
    family: Family,
    first: Option<String>,
}

fn shared() -> Option<PathBuf> {
    let folder = std::env::var("RELET_SHARED")
        .map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    folder.is_dir().then_some(folder)
}

fn expected(text: &str) -> Expected {
    let line = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default().trim();
    let verdict = line("verdict:");
    let first = text.lines().find(|line| diagnostic(line)).map(str::to_owned);
    Expected {
        accepted: verdict == "accepted",
        crashed: verdict != "accepted" && verdict != "rejected",
        family: if line("args:").contains("-6") { Family::V6 } else { Family::V4 },
        first,
    }
}

/// `FILE line N: TEXT`
fn diagnostic(line: &str) -> bool {
    let Some((_, rest)) = line.split_once(" line ") else { return false };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    digits > 0 && rest[digits..].starts_with(": ")
}

/// Parses and builds a file as `dhcpd -t` would find it, with includes relative to its folder.
fn read(file: &Path, family: Family) -> (Parsed, Built) {
    let folder = file.parent().unwrap();
    let mut loader = |name: &[u8]| {
        let path = folder.join(String::from_utf8_lossy(name).as_ref());
        std::fs::read(path).map_err(|error| LoadError {
            errno: error.raw_os_error(),
            message: error.to_string().split(" (os error").next().unwrap_or_default().to_owned(),
        })
    };
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let parsed = parse(name.as_bytes(), std::fs::read(file).unwrap(), &mut loader);
    let built = build(&parsed, family);
    (parsed, built)
}

fn accepted(built: &Built) -> bool {
    built.accepted() && !failover_sanity(&built.config).1
}

fn first_message(built: &Built, map: &SourceMap) -> Option<String> {
    let first = built.diagnostics.iter().find(|d| d.severity == Severity::Error)?;
    let at = map.location(first.span)?;
    let isc = String::from_utf8_lossy(first.isc.as_deref().unwrap_or(b"?")).into_owned();
    Some(format!("{} line {}: {isc}", String::from_utf8_lossy(at.file), at.line))
}

#[test]
fn snippets_get_the_verdicts_of_the_real_server() {
    let Some(shared) = shared() else {
        println!("the collection of configurations is not here: nothing compared");
        return;
    };
    let verbose = std::env::var("RELET_PARITY").is_ok();
    let mut files: Vec<PathBuf> = std::fs::read_dir(shared.join("spec/snippets"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension().is_some_and(|e| e == "conf") && path.with_extension("expected").exists()
        })
        .collect();
    files.sort();
    let (mut runs, mut verdicts, mut firsts) = (0, 0, 0);
    let mut wrong = Vec::new();
    for file in &files {
        let text = std::fs::read(file.with_extension("expected")).unwrap();
        let expected = expected(&String::from_utf8_lossy(&text));
        let (parsed, built) = read(file, expected.family);
        if expected.crashed {
            continue;
        }
        runs += 1;
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let first = first_message(&built, &parsed.source_map);
        let same = accepted(&built) == expected.accepted;
        verdicts += usize::from(same);
        let same_first = same && (first == expected.first);
        firsts += usize::from(same_first);
        if !same {
            wrong.push(name.clone());
        }
        if verbose && !same_first {
            println!(
                "{}{name}\n   real: {}\n   ours: {} {:?}",
                if same { "" } else { "VERDICT " },
                expected.first.as_deref().unwrap_or("-"),
                first.as_deref().unwrap_or("-"),
                built.fatal.as_ref().map(|line| String::from_utf8_lossy(&line.text).into_owned()),
            );
        }
    }
    println!("snippets: {runs} runs, verdict {verdicts}, first message {firsts}");
    // A handful are refused by what runs after the file is read (`log (fatal, ...)`, parameters of wrong length).
    assert!(verdicts * 100 >= runs * 97, "{verdicts} of {runs} verdicts agree; not {wrong:?}");
}
