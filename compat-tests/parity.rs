//! Holds `dhcpd -t` against the real dhcpd over whole folders of configurations: accepted or rejected alike, the first
//! diagnostic, all diagnostics.
//!
//! `parity-rates.txt` says per folder what share must agree. It is a ratchet: falling below fails, and so does being
//! clearly better than it says, until the numbers are raised. Folders that a user's checkout does not have are passed over.

// The outside world is what is compared here.
#![allow(clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use regex::Regex;

/// A rate may be this much better than the file says, in percent of all runs.
const SLACK: f64 = 0.5;

static DIAGNOSTIC: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?m)^(\S.*? line \d+: .*)$").expect("a constant expression"));

/// What one binary says about one file.
#[derive(Debug, PartialEq)]
struct Verdict {
    /// 0, 1, or something else for a crash or a hang.
    status: i32,
    diagnostics: Vec<String>,
}

/// How often two binaries agree.
#[derive(Default, Clone, Copy, Debug)]
struct Tally {
    runs: usize,
    verdict: usize,
    first: usize,
    text: usize,
    broken: usize,
}

fn ask(binary: &Path, family: &str, file: &Path) -> Verdict {
    let folder = file.parent().unwrap_or(Path::new("."));
    let spawned = Command::new(binary)
        .args(["-t", family, "-cf"])
        .arg(file.file_name().unwrap_or_default())
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = spawned else { return Verdict { status: 127, diagnostics: Vec::new() } };
    let mut pipe = child.stderr.take().expect("stderr was piped");
    let reader = thread::spawn(move || {
        let mut all = Vec::new();
        let _ = std::io::Read::read_to_end(&mut pipe, &mut all);
        all
    });
    let end = Instant::now() + Duration::from_secs(30);
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status.code().unwrap_or(128),
            Ok(None) if Instant::now() < end => thread::sleep(Duration::from_millis(2)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                break 124;
            }
        }
    };
    let text: String = reader.join().unwrap_or_default().iter().map(|b| char::from(*b)).collect();
    let diagnostics = DIAGNOSTIC.find_iter(&text).map(|m| m.as_str().trim_end().to_owned()).collect();
    Verdict { status, diagnostics }
}

fn configurations(folder: &Path, all: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|e| e.path()) {
        let other = ["expected", "leases", "md", "tsv", "args", "sh", "txt"];
        if path.is_dir() {
            configurations(&path, all);
        } else if !path.extension().is_some_and(|x| other.iter().any(|o| x == *o)) {
            all.push(path);
        }
    }
}

/// Compare over all files of `folder`, in both families; `say` gets a line for each run that differs.
fn compare(folder: &Path, oracle: &Path, subject: &Path, say: &Mutex<Vec<String>>) -> Tally {
    let mut files = Vec::new();
    configurations(folder, &mut files);
    files.sort();
    let families: &[&str] = if env::var_os("RELET_PARITY_4").is_some() { &["-4"] } else { &["-4", "-6"] };
    let queue = Mutex::new(files.iter().flat_map(|f| families.iter().map(move |family| (f, *family))));
    let tally = Mutex::new(Tally::default());
    let work = || {
        loop {
            let next = queue.lock().expect("no worker panics").next();
            let Some((file, family)) = next else { return };
            let (theirs, ours) = (ask(oracle, family, file), ask(subject, family, file));
            let mut t = tally.lock().expect("no worker panics");
            let note = |what: &str| {
                let name = file.strip_prefix(folder).unwrap_or(file).display();
                say.lock().expect("no worker panics").push(format!("{name} {family}: {what}"));
            };
            if !matches!(ours.status, 0 | 1) {
                t.broken += 1;
                note(&format!("ended with {}", ours.status));
            }
            // Where the real one crashes there is nothing to agree with.
            if !matches!(theirs.status, 0 | 1) {
                continue;
            }
            let same = theirs.status == ours.status;
            let first = same && theirs.diagnostics.first() == ours.diagnostics.first();
            let text = same && theirs.diagnostics == ours.diagnostics;
            t.runs += 1;
            t.verdict += usize::from(same);
            t.first += usize::from(first);
            t.text += usize::from(text);
            if !text {
                note(&format!(
                    "{} {:?}, ours {} {:?}",
                    theirs.status, theirs.diagnostics, ours.status, ours.diagnostics
                ));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(work);
        }
    });
    tally.into_inner().expect("no worker panics")
}

/// `folder verdict first text` in percent, a line each; `-` is not held to anything yet.
fn rates(text: &str) -> BTreeMap<String, [Option<f64>; 3]> {
    text.lines()
        .map(|l| l.split('#').next().unwrap_or("").split_whitespace().collect::<Vec<_>>())
        .filter(|words| !words.is_empty())
        .map(|words| {
            let rate = |n: usize| match words.get(n) {
                Some(&"-") => None,
                Some(word) => Some(word.parse().expect("a rate in percent")),
                None => panic!("parity-rates.txt: {} lacks a rate", words[0]),
            };
            (words[0].to_owned(), [rate(1), rate(2), rate(3)])
        })
        .collect()
}

/// What is wrong with these percentages, if anything.
fn ratchet(name: &str, wanted: [Option<f64>; 3], found: [f64; 3]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (level, (wanted, found)) in ["verdict", "first", "text"].iter().zip(wanted.iter().zip(found)) {
        let Some(wanted) = wanted else { continue };
        if found + 1e-9 < *wanted {
            wrong.push(format!("{name}: {level} fell to {found:.2} %, {wanted} % stand in parity-rates.txt"));
        }
        if found > wanted + SLACK {
            wrong.push(format!(
                "{name}: {level} rose to {found:.2} %: raise the {wanted} % in parity-rates.txt"
            ));
        }
    }
    wrong
}

#[test]
fn the_ratchet_goes_one_way() {
    let wanted = [Some(99.0), Some(98.0), None];
    assert!(ratchet("x", wanted, [99.3, 98.0, 12.5]).is_empty());
    assert_eq!(ratchet("x", wanted, [98.9, 98.0, 97.0]).len(), 1);
    assert_eq!(ratchet("x", wanted, [100.0, 98.0, 97.0]).len(), 1);
}

#[test]
fn configurations_are_judged_alike() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let variable = |name: &str, default: PathBuf| env::var_os(name).map_or(default, PathBuf::from);
    let oracle = variable("RELET_ORACLE", "/usr/sbin/dhcpd".into());
    let subject = variable("RELET_SUBJECT", env!("CARGO_BIN_EXE_dhcpd").into());
    let shared = variable("RELET_SHARED", home.join("../shared"));
    if ask(&oracle, "-4", Path::new("/dev/null")).status == 127 {
        assert!(env::var_os("RELET_REQUIRE_ORACLE").is_none_or(|v| v != "1"), "the oracle is required");
        println!("no oracle ({}): nothing to compare with", oracle.display());
        return;
    }
    let text = fs::read_to_string(home.join("compat-tests/parity-rates.txt")).expect("parity-rates.txt");
    let mut wrong = Vec::new();
    for (name, wanted) in rates(&text) {
        let folder = match name.strip_prefix("shared/") {
            Some(rest) => shared.join(rest),
            None => home.join(&name),
        };
        if !folder.is_dir() {
            println!("{name} is absent");
            continue;
        }
        let say = Mutex::new(Vec::new());
        let t = compare(&folder, &oracle, &subject, &say);
        if t.runs == 0 {
            println!("{name} holds no configuration");
            continue;
        }
        println!(
            "{name}: runs {} verdict {} first {} text {} crashed or hung {}",
            t.runs, t.verdict, t.first, t.text, t.broken
        );
        if env::var_os("RELET_PARITY_SHOW").is_some() {
            let mut lines = say.into_inner().expect("no worker panics");
            lines.sort();
            lines.iter().for_each(|l| println!("  {l}"));
        }
        let percent = |n: usize| n as f64 * 100.0 / t.runs as f64;
        wrong.extend(ratchet(&name, wanted, [percent(t.verdict), percent(t.first), percent(t.text)]));
        if t.broken > 0 {
            wrong.push(format!("{name}: {} runs crashed or hung", t.broken));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
