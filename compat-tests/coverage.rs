//! Every parameter of the server is shown by a scenario against the real dhcpd, or said not to be:
//! `server-options-coverage.txt` is held against our table of parameters and against the scenarios.

// A test reads the files it checks.
#![allow(clippy::disallowed_methods)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use relet::options::Spaces;

/// What is claimed of a parameter.
#[derive(Debug, PartialEq, Eq)]
enum Claim {
    /// These scenarios show what it does.
    Shown(Vec<String>),
    /// It is set in these and has no effect.
    Idle(Vec<String>),
    /// No scenario has it.
    Not,
}

/// One line of the table: the parameter and what is claimed of it.
fn claim(line: &str) -> Result<(String, Claim), String> {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let (name, rest) = line.split_once(char::is_whitespace).ok_or(format!("`{line}` claims nothing"))?;
    let (what, why) = match rest.split_once(':') {
        Some((what, why)) => (words(what), Some(why.trim())),
        None => (words(rest), None),
    };
    let reasoned = why.is_some_and(|why| !why.is_empty());
    let claim = match what.first().map(String::as_str) {
        Some("no") if what.len() == 1 && reasoned => Claim::Not,
        Some("idle") if what.len() > 1 && reasoned => Claim::Idle(what[1..].to_vec()),
        Some(first) if why.is_none() && first != "idle" && first != "no" => Claim::Shown(what),
        _ => return Err(format!("`{line}` is no claim")),
    };
    Ok((name.to_owned(), claim))
}

/// The words a configuration may set a parameter with: its name, or that of `allow` and `deny`.
fn spellings(name: &str) -> Vec<&str> {
    let keyword = match name {
        "boot-unknown-clients" => Some("unknown-clients"),
        "allow-bootp" => Some("bootp"),
        "allow-booting" => Some("booting"),
        _ => None,
    };
    keyword.into_iter().chain([name]).collect()
}

/// Does a file in the scenario set the parameter? The texts of files are indented; comments do not count.
fn mentions(scenario: &str, name: &str) -> bool {
    let spellings = spellings(name);
    scenario.lines().filter(|line| line.starts_with("    ")).any(|line| {
        let code = line.split('#').next().unwrap_or_default();
        let mut words = code.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        words.any(|word| spellings.contains(&word))
    })
}

fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("compat-tests")
}

fn table() -> (Vec<(String, Claim)>, Vec<String>) {
    let text = fs::read_to_string(home().join("server-options-coverage.txt")).expect("the table is there");
    let (mut claims, mut faults) = (Vec::new(), Vec::new());
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        match claim(line) {
            Ok(claim) => claims.push(claim),
            Err(fault) => faults.push(fault),
        }
    }
    (claims, faults)
}

#[test]
fn every_parameter_has_its_scenario() {
    let spaces = Spaces::new();
    let server = spaces.space_named("server").expect("a built-in space");
    let ours: BTreeSet<String> =
        spaces.options(server).iter().map(|option| option.name.to_string()).collect();
    let (claims, mut faults) = table();
    let mut times: BTreeMap<&str, u32> = BTreeMap::new();
    let (mut shown, mut idle) = (0, 0);
    for (name, claim) in &claims {
        *times.entry(name).or_default() += 1;
        if !ours.contains(name) {
            faults.push(format!("there is no parameter {name}"));
        }
        let scenarios = match claim {
            Claim::Shown(scenarios) => {
                shown += 1;
                scenarios
            }
            Claim::Idle(scenarios) => {
                idle += 1;
                scenarios
            }
            Claim::Not => continue,
        };
        for scenario in scenarios {
            match fs::read_to_string(home().join("scenarios").join(format!("{scenario}.scenario"))) {
                Err(_) => faults.push(format!("{name}: there is no scenario {scenario}")),
                Ok(text) if !mentions(&text, name) => {
                    faults.push(format!("{name}: the configuration of {scenario} does not set it"));
                }
                Ok(_) => {}
            }
        }
    }
    faults
        .extend(times.iter().filter(|(_, n)| **n > 1).map(|(name, _)| format!("{name} stands there twice")));
    let missing = ours.iter().filter(|name| !times.contains_key(name.as_str()));
    faults.extend(missing.map(|name| format!("{name} is missing")));
    println!(
        "server parameters: {} in all, {shown} shown, {idle} idle, {} without a scenario",
        ours.len(),
        claims.len() - shown - idle
    );
    assert!(faults.is_empty(), "server-options-coverage.txt:\n{}", faults.join("\n"));
}

#[test]
fn claims_are_read_strictly() {
    assert_eq!(
        claim("min-secs  min-secs other"),
        Ok(("min-secs".into(), Claim::Shown(vec!["min-secs".into(), "other".into()])))
    );
    assert_eq!(claim("a idle b: why"), Ok(("a".into(), Claim::Idle(vec!["b".into()]))));
    assert_eq!(claim("a no: why"), Ok(("a".into(), Claim::Not)));
    for wrong in ["a", "a no", "a no:", "a idle b", "a idle: why", "a b: why", "a no b: why"] {
        assert!(claim(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_mention_is_a_word_of_a_file() {
    assert!(mentions("x.conf:\n    default server.min-secs 5;\n", "min-secs"));
    assert!(mentions("    deny bootp;", "allow-bootp"));
    assert!(!mentions("# min-secs\n    # min-secs\n    min-secs-too 5;\nmin-secs", "min-secs"));
}
