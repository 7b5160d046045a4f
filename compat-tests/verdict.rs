//! What `dhcpd -t` says about a configuration, asked of two binaries, and how often they agree.
//!
//! Shared by the tests that hold us against the real dhcpd: over files that somebody wrote (`parity.rs`) and over
//! files that a machine broke (`mutants.rs`).

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use regex::bytes::Regex;

/// After this long a run counts as hanging.
const LONGEST: Duration = Duration::from_secs(30);
/// More than this nobody reads, in octets.
const MOST_OUTPUT: u64 = 64 << 20;
/// A rate may be this much better than the file says, in percent of all runs.
const SLACK: f64 = 0.5;

static DIAGNOSTIC: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?m-u)^([^\s].*? line [0-9]+: .*)$").expect("a constant expression"));

/// The status of a binary that could not be started.
pub const NOT_THERE: i32 = 127;

/// The two binaries.
pub struct Binaries {
    /// The real dhcpd: `RELET_ORACLE`, else where Debian has it.
    pub oracle: PathBuf,
    /// Ours: `RELET_SUBJECT`, else the one just built.
    pub subject: PathBuf,
}

impl Binaries {
    /// `None`, with a line that says so, where the real dhcpd is not installed. `RELET_REQUIRE_ORACLE=1` makes that a
    /// failure.
    pub fn find() -> Option<Self> {
        let oracle = variable("RELET_ORACLE", "/usr/sbin/dhcpd".into());
        let subject = variable("RELET_SUBJECT", env!("CARGO_BIN_EXE_dhcpd").into());
        if ask(&oracle, "-4", Path::new("/dev/null")).status == NOT_THERE {
            assert!(env::var_os("RELET_REQUIRE_ORACLE").is_none_or(|v| v != "1"), "the oracle is required");
            println!("no oracle ({}): nothing to compare with", oracle.display());
            return None;
        }
        Some(Self { oracle, subject })
    }
}

/// The folder of a name in a table of rates: below this repository, or, for `shared/...`, among the larger collections
/// of the project (`RELET_SHARED`, else `../shared`).
pub fn folder(name: &str) -> PathBuf {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    match name.strip_prefix("shared/") {
        Some(rest) => variable("RELET_SHARED", home.join("../shared")).join(rest),
        None => home.join(name),
    }
}

fn variable(name: &str, default: PathBuf) -> PathBuf {
    env::var_os(name).map_or(default, PathBuf::from)
}

/// What one binary says about one file.
#[derive(Debug, PartialEq)]
pub struct Verdict {
    /// 0, 1, or something else for a crash or a hang.
    pub status: i32,
    /// The lines `FILE line N: TEXT`.
    pub diagnostics: Vec<String>,
    /// Everything on standard error.
    pub whole: Vec<u8>,
}

impl Verdict {
    fn without_words(status: i32) -> Self {
        Self { status, diagnostics: Vec::new(), whole: Vec::new() }
    }
}

/// Runs `BINARY -t FAMILY -cf FILE` in the folder of the file.
pub fn ask(binary: &Path, family: &str, file: &Path) -> Verdict {
    let folder = file.parent().unwrap_or(Path::new("."));
    let spawned = Command::new(binary)
        .args(["-t", family, "-cf"])
        .arg(file.file_name().unwrap_or_default())
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = spawned else { return Verdict::without_words(NOT_THERE) };
    let pipe = child.stderr.take().expect("stderr was piped");
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut all = Vec::new();
        let _ = pipe.take(MOST_OUTPUT).read_to_end(&mut all);
        // Nobody listens any more after a hang.
        let _ = sender.send(all);
    });
    let Ok(whole) = receiver.recv_timeout(LONGEST) else {
        let _ = child.kill();
        let _ = child.wait();
        return Verdict::without_words(124);
    };
    let status = child.wait().ok().and_then(|status| status.code()).unwrap_or(128);
    let line = |octets: &[u8]| octets.iter().map(|octet| char::from(*octet)).collect::<String>();
    let diagnostics = DIAGNOSTIC.find_iter(&whole).map(|m| line(m.as_bytes().trim_ascii_end())).collect();
    Verdict { status, diagnostics, whole }
}

/// How often two binaries agree.
#[derive(Default, Clone, Copy, Debug)]
pub struct Tally {
    /// Runs in which the real one came to an end.
    pub runs: usize,
    /// Accepted or refused alike.
    pub verdict: usize,
    /// And the first diagnostic.
    pub first: usize,
    /// And all diagnostics.
    pub text: usize,
    /// And every octet on standard error.
    pub whole: usize,
    /// The real one crashed or hung.
    pub oracle_broken: usize,
    /// Ours crashed or hung.
    pub broken: usize,
}

impl Tally {
    /// Counts a run. What comes out says how the two differ, if they do.
    pub fn count(&mut self, theirs: &Verdict, ours: &Verdict) -> Option<String> {
        let ended = |verdict: &Verdict| matches!(verdict.status, 0 | 1);
        self.broken += usize::from(!ended(ours));
        // Where the real one crashes there is nothing to agree with.
        if !ended(theirs) {
            self.oracle_broken += 1;
            return (!ended(ours)).then(|| format!("both broken, ours ended with {}", ours.status));
        }
        let same = theirs.status == ours.status;
        let first = same && theirs.diagnostics.first() == ours.diagnostics.first();
        let text = same && theirs.diagnostics == ours.diagnostics;
        let whole = text && theirs.whole == ours.whole;
        self.runs += 1;
        self.verdict += usize::from(same);
        self.first += usize::from(first);
        self.text += usize::from(text);
        self.whole += usize::from(whole);
        let level = match (same, first, text, whole) {
            (false, ..) => "verdict",
            (_, false, ..) => "first",
            (_, _, false, _) => "text",
            (_, _, _, false) => "whole",
            _ => return None,
        };
        if level == "whole" {
            let (theirs, ours) = first_difference(&theirs.whole, &ours.whole);
            return Some(format!("whole: {theirs:?}, ours {ours:?}"));
        }
        Some(format!(
            "{level}: {} {:?}, ours {} {:?}",
            theirs.status, theirs.diagnostics, ours.status, ours.diagnostics
        ))
    }

    /// The shares of the four levels in percent.
    pub fn percent(&self) -> [f64; 4] {
        [self.verdict, self.first, self.text, self.whole].map(|n| n as f64 * 100.0 / self.runs.max(1) as f64)
    }

    /// A line for people.
    pub fn line(&self) -> String {
        format!(
            "runs {} verdict {} first {} text {} whole {}, oracle crashed or hung {}, ours {}",
            self.runs, self.verdict, self.first, self.text, self.whole, self.oracle_broken, self.broken
        )
    }
}

/// The first lines in which two texts differ.
fn first_difference(theirs: &[u8], ours: &[u8]) -> (String, String) {
    let lines = |text: &[u8]| -> Vec<String> {
        text.split(|c| *c == b'\n').map(|line| line.escape_ascii().to_string()).collect()
    };
    let (theirs, ours) = (lines(theirs), lines(ours));
    let at = (0..).find(|n| theirs.get(*n) != ours.get(*n)).unwrap_or_default();
    (theirs.get(at).cloned().unwrap_or_default(), ours.get(at).cloned().unwrap_or_default())
}

/// The files below a folder that are configurations, sorted.
pub fn configurations(folder: &Path) -> Vec<PathBuf> {
    fn collect(folder: &Path, all: &mut Vec<PathBuf>) {
        let other = ["expected", "leases", "md", "tsv", "args", "sh", "txt"];
        let Ok(entries) = fs::read_dir(folder) else { return };
        for path in entries.flatten().map(|e| e.path()) {
            if path.is_dir() {
                collect(&path, all);
            } else if !path.extension().is_some_and(|x| other.iter().any(|o| x == *o)) {
                all.push(path);
            }
        }
    }
    let mut files = Vec::new();
    collect(folder, &mut files);
    files.sort();
    files
}

/// What share of runs must agree, in percent; `None` is not held to anything yet.
pub type Wanted = [Option<f64>; 4];

/// Reads a table: `folder verdict first text whole` in percent, a line each, `-` for no rate.
pub fn rates(file: &str) -> BTreeMap<String, Wanted> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("compat-tests").join(file);
    let text = fs::read_to_string(&path).expect("the table of rates is part of the repository");
    text.lines()
        .map(|l| l.split('#').next().unwrap_or("").split_whitespace().collect::<Vec<_>>())
        .filter(|words| !words.is_empty())
        .map(|words| {
            let rate = |n: usize| match words.get(n) {
                Some(&"-") => None,
                Some(word) => Some(word.parse().expect("a rate in percent")),
                None => panic!("{file}: {} lacks a rate", words[0]),
            };
            (words[0].to_owned(), [rate(1), rate(2), rate(3), rate(4)])
        })
        .collect()
}

/// What is wrong with these percentages, if anything. A ratchet: falling below fails, and so does being clearly better
/// than the table says, until the numbers are raised.
pub fn ratchet(name: &str, wanted: Wanted, found: [f64; 4]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (level, (wanted, found)) in ["verdict", "first", "text", "whole"].iter().zip(wanted.iter().zip(found))
    {
        let Some(wanted) = wanted else { continue };
        if found + 1e-9 < *wanted {
            wrong.push(format!("{name}: {level} fell to {found:.2} %, {wanted} % stand in the table"));
        }
        if found > wanted + SLACK {
            wrong.push(format!("{name}: {level} rose to {found:.2} %: raise the {wanted} % in the table"));
        }
    }
    wrong
}
