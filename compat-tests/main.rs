//! The compatibility suite: every scenario is played against the real dhcpd and against ours, and what they did is
//! compared: reply frames octet by octet, log lines in order, lease file, exit status, files left behind.
//!
//! `README.md` beside this file says how scenarios are written and which environment variables matter.

// This is the outside world: clocks, files and processes are what the suite is made of.
#![allow(clippy::disallowed_methods)]

mod hex;
mod in_process;
mod known;
mod namespaced;
mod packet;
mod play;
mod scenario;
mod selftest;
mod show;
mod subject;
mod transcript;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::in_process::InProcess;
use crate::known::Known;
use crate::namespaced::Namespaced;
use crate::play::{Played, play};
use crate::scenario::Scenario;
use crate::transcript::{align, changed_lines, difference};

/// How often a scenario is played on a machine that is too slow.
const ATTEMPTS: usize = 3;

/// Names of tests that play a scenario with the engine alone begin like this.
const IN_PROCESS: &str = "in-process/";

/// What all scenarios share.
struct Suite {
    home: PathBuf,
    /// Why the oracle cannot run here, if it cannot.
    without: Option<String>,
    oracle: PathBuf,
    subject: PathBuf,
    record: bool,
    known: Vec<Known>,
    /// Scenarios that still differ because something is not built yet.
    not_yet: Vec<String>,
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Scenarios mostly wait.
    arguments.test_threads.get_or_insert(20);
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("compat-tests");
    let variable =
        |name: &str, default: &str| env::var_os(name).map_or_else(|| default.into(), PathBuf::from);
    let oracle = variable("RELET_ORACLE", "/usr/sbin/dhcpd");
    let without = if arguments.list { None } else { namespaced::possible(&oracle).err() };
    if let Some(why) = &without {
        println!("no oracle ({why}): comparing with the recorded transcripts");
        if env::var_os("RELET_REQUIRE_ORACLE").is_some_and(|v| v == "1") {
            eprintln!("RELET_REQUIRE_ORACLE=1, and the oracle cannot run");
            return ExitCode::FAILURE;
        }
    }
    let known = match known::read(&home.join("known-differences.txt")) {
        Ok(known) => known,
        Err(e) => {
            eprintln!("{e}");
            return ExitCode::FAILURE;
        }
    };
    let suite = Arc::new(Suite {
        subject: variable("RELET_SUBJECT", env!("CARGO_BIN_EXE_dhcpd")),
        record: env::var_os("RELET_RECORD").is_some_and(|v| v == "1"),
        not_yet: not_yet(&home.join("not-yet.txt")),
        home,
        without,
        oracle,
        known,
    });
    let in_process = suite.without.is_some() || env::var_os("RELET_IN_PROCESS").is_some_and(|v| v == "1");
    let mut trials = selftest::trials();
    let mut names = Vec::new();
    for path in scenario_files(&suite.home.join("scenarios")) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        names.push(name.clone());
        let suite = Arc::clone(&suite);
        if in_process {
            let (suite, name, path) = (Arc::clone(&suite), name.clone(), path.clone());
            let title = format!("{IN_PROCESS}{name}");
            trials
                .push(Trial::test(title, move || suite.check_in_process(&name, &path).map_err(Failed::from)));
        }
        let ignored = suite.without.is_some();
        let check = move || suite.check(&name, &path).map_err(Failed::from);
        trials.push(Trial::test(names[names.len() - 1].clone(), check).with_ignored_flag(ignored));
    }
    let listed = suite.known.iter().map(|k| k.scenario.clone()).chain(suite.not_yet.iter().cloned());
    let listed = listed.map(|name| name.strip_prefix(IN_PROCESS).unwrap_or(&name).to_owned());
    let unknown: Vec<String> = listed.filter(|name| !names.contains(name)).collect();
    trials.push(Trial::test("the_lists_name_scenarios", move || {
        if unknown.is_empty() {
            Ok(())
        } else {
            Err(format!("no such scenario: {}", unknown.join(", ")).into())
        }
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The names in `not-yet.txt`, one a line, `#` begins a comment.
fn not_yet(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let names = text.lines().map(|l| l.split('#').next().unwrap_or("").trim().to_owned());
    names.filter(|name| !name.is_empty()).collect()
}

fn scenario_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .map(|all| {
            all.flatten()
                .map(|e| e.path())
                .filter(|p| p.extension().is_some_and(|x| x == "scenario"))
                .collect()
        })
        .unwrap_or_default();
    files.sort();
    files
}

impl Suite {
    /// One test. On a machine that is too busy to play what happens at once within a second, clocks show what is no
    /// difference of the servers: what fails then is played again.
    fn check(&self, name: &str, path: &Path) -> Result<(), String> {
        let mut attempts = 1..=ATTEMPTS;
        loop {
            let mut late = false;
            let outcome = self.compare(name, path, &mut late);
            attempts.next();
            if outcome.is_ok() || !late || attempts.is_empty() {
                return outcome;
            }
            eprintln!("{name}: the machine was too slow, once more");
        }
    }

    fn compare(&self, name: &str, path: &Path, late: &mut bool) -> Result<(), String> {
        let text = fs::read_to_string(path).map_err(|e| e.to_string())?;
        let scenario = Scenario::parse(name, &text)?;
        let record = self.home.join("transcripts").join(format!("{name}.txt"));
        let recorded = fs::read_to_string(&record).ok();
        let (oracle, subject) = self.both(&scenario)?;
        *late = oracle.late || subject.as_ref().is_some_and(|played| played.late);
        if !oracle.failures.is_empty() {
            let failures = oracle.failures.join("\n");
            return Err(format!("the real dhcpd does not do this:\n{failures}\n\n{}", oracle.transcript));
        }
        self.hold_against_record(&record, recorded.as_deref(), &oracle.transcript)?;
        let Some(subject) = subject else { return Ok(()) };
        let diff = difference(&oracle.transcript, &subject.transcript, ("real dhcpd", "ours"));
        match diff {
            diff if self.subject == self.oracle || !self.not_yet.iter().any(|n| n == name) => {
                self.verdict(name, diff)
            }
            Some(_) => Ok(()),
            None => Err("this works now: take it out of not-yet.txt".to_owned()),
        }
    }

    /// One test of the engine alone against what the real dhcpd did when it was recorded.
    fn check_in_process(&self, name: &str, path: &Path) -> Result<(), String> {
        let text = fs::read_to_string(path).map_err(|e| e.to_string())?;
        let scenario = Scenario::parse(name, &text)?;
        if !in_process::can_play(&scenario) {
            return Ok(());
        }
        let record = self.home.join("transcripts").join(format!("{name}.txt"));
        let recorded = fs::read_to_string(&record).map_err(|e| format!("nothing recorded: {e}"))?;
        let mut driver = InProcess::new(&scenario)?;
        let played = play(&scenario, &mut driver)?;
        let diff = difference(&recorded, &played.transcript, ("recorded", "the engine alone"));
        let title = format!("{IN_PROCESS}{name}");
        match diff {
            Some(_) if self.not_yet.iter().any(|n| *n == name || *n == title) => Ok(()),
            None if self.not_yet.contains(&title) => {
                Err("this works now: take it out of not-yet.txt".to_owned())
            }
            diff => self.verdict(name, diff),
        }
    }

    /// Play the scenario against both servers at the same time; when recording, against the oracle alone.
    fn both(&self, scenario: &Scenario) -> Result<(Played, Option<Played>), String> {
        let run = |first: &Path, other: &Path| {
            let mut driver = Namespaced::new(scenario, [first.to_owned(), other.to_owned()])?;
            play(scenario, &mut driver)
        };
        // A scenario that swaps begins and ends with the real one.
        let (first, other) =
            if scenario.swaps() { (&self.oracle, &self.subject) } else { (&self.subject, &self.oracle) };
        std::thread::scope(|scope| {
            let subject = (!self.record).then(|| scope.spawn(|| run(first, other)));
            let oracle = run(&self.oracle, &self.oracle)?;
            let subject = match subject {
                None => None,
                Some(thread) => Some(thread.join().map_err(|_| "the driver panicked".to_owned())??),
            };
            Ok((oracle, subject))
        })
    }

    fn hold_against_record(&self, path: &Path, recorded: Option<&str>, now: &str) -> Result<(), String> {
        if self.record {
            let now = recorded.map_or_else(|| now.to_owned(), |old| align(old, now));
            return if recorded == Some(&now) {
                Ok(())
            } else {
                fs::write(path, now).map_err(|e| e.to_string())
            };
        }
        let Some(recorded) = recorded else {
            return Err("nothing recorded yet; RELET_RECORD=1 records".to_owned());
        };
        match difference(recorded, now, ("recorded", "real dhcpd now")) {
            None => Ok(()),
            Some(diff) => Err(format!(
                "the real dhcpd no longer does what was recorded (RELET_RECORD=1 records)\n{diff}"
            )),
        }
    }

    fn verdict(&self, name: &str, diff: Option<String>) -> Result<(), String> {
        let expected: Vec<&Known> = self.known.iter().filter(|k| k.scenario == name).collect();
        let Some(diff) = diff else {
            return match expected.first() {
                None => Ok(()),
                Some(k) => Err(format!("{} no longer differs: take it out of known-differences.txt", k.id)),
            };
        };
        let mut lines: Vec<String> = expected.iter().flat_map(|k| k.lines.clone()).collect();
        let mut changed = changed_lines(&diff);
        lines.sort();
        changed.sort();
        if lines == changed { Ok(()) } else { Err(diff) }
    }
}
