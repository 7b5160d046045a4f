//! Holds `dhcpd --dump-config` against the real dhcpd: what it prints of any configuration the real one takes, the real
//! one takes as well, in the same family. And what it refuses, it refuses as `-t` does.
//!
//! Folders that a user's checkout does not have are passed over.

// The outside world is what is compared here.
#![allow(clippy::disallowed_methods)]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::thread;

fn run(binary: &Path, flags: &[&str], file: &Path) -> Option<Output> {
    Command::new(binary)
        .args(flags)
        .arg("-cf")
        .arg(file.file_name().unwrap_or_default())
        .current_dir(file.parent().unwrap_or(Path::new(".")))
        .stdin(Stdio::null())
        .output()
        .ok()
}

fn configurations(folder: &Path, all: &mut Vec<PathBuf>) {
    for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        let other = ["expected", "leases", "md", "tsv", "args", "sh", "txt"];
        if path.is_dir() {
            configurations(&path, all);
        } else if !path.extension().is_some_and(|extension| other.iter().any(|other| extension == *other)) {
            all.push(path);
        }
    }
}

/// The cases of the unit tests, each as a file of its own.
fn cases(folder: &Path) -> Vec<(PathBuf, &'static str)> {
    let text = include_str!("../src/config/dump/testdata/cases.conf");
    let mut all = Vec::new();
    for (at, case) in text.split("== ").skip(1).enumerate() {
        let (family, text) = case.split_once('\n').expect("a line with the family");
        let path = folder.join(format!("case-{at}.conf"));
        fs::write(&path, text).expect("a file in the temporary folder");
        all.push((path, if family == "6" { "-6" } else { "-4" }));
    }
    all
}

/// What became of one file.
enum Outcome {
    /// The real dhcpd, or ours, would not have it.
    Refused,
    Good,
    Wrong(String),
}

fn judge(oracle: &Path, subject: &Path, file: &Path, family: &str, dump: &Path) -> Outcome {
    let wrong = |what: &str, output: &Output| {
        let said: Vec<String> = String::from_utf8_lossy(&output.stderr)
            .lines()
            .filter(|l| l.contains(" line "))
            .map(str::to_owned)
            .collect();
        Outcome::Wrong(format!("{} {family}: {what} {}", file.display(), said.join(" | ")))
    };
    let (Some(test), Some(ours)) =
        (run(oracle, &["-t", family], file), run(subject, &["--dump-config", family], file))
    else {
        return Outcome::Wrong(format!("{}: cannot be run", file.display()));
    };
    if !ours.status.success() {
        let same = run(subject, &["-t", family], file).is_some_and(|test| {
            test.status == ours.status && test.stderr == ours.stderr && ours.stdout.is_empty()
        });
        return if same { Outcome::Refused } else { wrong("refused in other words than by -t", &ours) };
    }
    if !test.status.success() {
        return Outcome::Refused;
    }
    if fs::write(dump, &ours.stdout).is_err() {
        return wrong("cannot be written", &ours);
    }
    match (run(oracle, &["-t", family], dump), run(subject, &["--dump-config", family], dump)) {
        (Some(theirs), _) if !theirs.status.success() => {
            wrong("the real one refuses what was printed:", &theirs)
        }
        (_, Some(again)) if again.stdout != ours.stdout => wrong("printed again it is another text", &again),
        (Some(_), Some(_)) => Outcome::Good,
        _ => wrong("cannot be read again", &ours),
    }
}

#[test]
fn the_real_server_takes_what_is_printed() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let variable = |name: &str, default: PathBuf| env::var_os(name).map_or(default, PathBuf::from);
    let oracle = variable("RELET_ORACLE", "/usr/sbin/dhcpd".into());
    let subject = variable("RELET_SUBJECT", env!("CARGO_BIN_EXE_dhcpd").into());
    let shared = variable("RELET_SHARED", home.join("../shared"));
    if run(&oracle, &["-t"], Path::new("/dev/null")).is_none() {
        assert!(env::var_os("RELET_REQUIRE_ORACLE").is_none_or(|v| v != "1"), "the oracle is required");
        println!("no oracle ({}): nothing to ask", oracle.display());
        return;
    }
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let folders = [home.join("sample-configs"), shared.join("corpus/conf"), shared.join("spec/snippets")];
    let mut groups = vec![("cases".to_owned(), cases(scratch.path()))];
    for folder in folders {
        if !folder.is_dir() {
            println!("{} is absent", folder.display());
            continue;
        }
        let mut files = Vec::new();
        configurations(&folder, &mut files);
        files.sort();
        let both = files.into_iter().flat_map(|file| [(file.clone(), "-4"), (file, "-6")]).collect();
        groups.push((folder.display().to_string(), both));
    }
    let mut all_wrong = Vec::new();
    for (name, files) in groups {
        let queue = Mutex::new(files.iter().enumerate());
        let found = Mutex::new((0, 0, Vec::new()));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    loop {
                        let next = queue.lock().expect("no worker panics").next();
                        let Some((at, (file, family))) = next else { return };
                        let dump = scratch.path().join(format!("dump-{at}.conf"));
                        let outcome = judge(&oracle, &subject, file, family, &dump);
                        let mut found = found.lock().expect("no worker panics");
                        match outcome {
                            Outcome::Good => found.0 += 1,
                            Outcome::Refused => found.1 += 1,
                            Outcome::Wrong(what) => found.2.push(what),
                        }
                    }
                });
            }
        });
        let (good, refused, wrong) = found.into_inner().expect("no worker panics");
        println!("{name}: {good} taken as printed, {} not, {refused} refused before", wrong.len());
        assert!(good > 0, "{name}: nothing was printed");
        all_wrong.extend(wrong);
    }
    assert!(all_wrong.is_empty(), "\n{}", all_wrong.join("\n"));
}
