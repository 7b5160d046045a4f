//! The programs that read dhcpd's log understand ours: the rules of logcheck that Debian ships with dhcpd, and the
//! script of logwatch. Both are given the syslog lines of the scenario `log-readers`, in which our lines equal the real
//! dhcpd's, priorities included; what they make of them is in `log-readers/`.
//!
//! `RELET_RECORD=1` writes those files anew.

// Rules, scripts and transcripts are files, and the readers are programs.
#![allow(clippy::disallowed_methods)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use regex::Regex;

const RULES: &str = "/etc/logcheck/ignore.d.server/isc-dhcp-server";
const SCRIPT: &str = "/usr/share/logwatch/scripts/services/dhcpd";

fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("compat-tests")
}

/// The text of each line of the scenario's log.
fn log() -> Vec<String> {
    let text = fs::read_to_string(home().join("transcripts/log-readers.txt")).expect("the transcript");
    let line = Regex::new(r"^syslog\| <\d+>@date dhcpd\[@pid\]: (.*)$").expect("constant");
    let lines: Vec<String> =
        text.lines().filter_map(|text| Some(line.captures(text)?[1].to_owned())).collect();
    assert!(lines.len() > 40, "a day's log");
    lines
}

/// What the program writes when it reads this.
fn read_by(mut program: Command, input: &str) -> String {
    let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    String::from_utf8(output.stdout).expect("text")
}

fn hold(name: &str, found: &str) {
    let path = home().join("log-readers").join(name);
    if std::env::var("RELET_RECORD").is_ok_and(|v| v == "1") {
        fs::create_dir_all(home().join("log-readers")).expect("a folder");
        fs::write(&path, found).expect("written");
    }
    assert_eq!(found, fs::read_to_string(&path).unwrap_or_default(), "{}", path.display());
}

#[test]
fn the_rules_of_logcheck_leave_what_they_always_left() {
    let Ok(rules) = fs::read_to_string(RULES) else {
        println!("{RULES} is not here: logcheck was not asked");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder for the rules");
    let path = folder.path().join("rules");
    let rules: Vec<&str> = rules.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    fs::write(&path, rules.join("\n")).expect("written");
    // The rules are older than process ids in brackets.
    let input: String = log().iter().map(|line| format!("Nov 22 05:00:00 host dhcpd: {line}\n")).collect();
    let mut grep = Command::new("grep");
    grep.args(["--extended-regexp", "--invert-match", "--file"]).arg(&path).env("LC_ALL", "C.UTF-8");
    hold("logcheck.txt", &read_by(grep, &input).replace("Nov 22 05:00:00 host dhcpd: ", ""));
}

#[test]
fn the_script_of_logwatch_counts_what_it_always_counted() {
    if !Path::new(SCRIPT).exists() {
        println!("{SCRIPT} is not here: logwatch was not asked");
        return;
    }
    let mut perl = Command::new("perl");
    perl.arg(SCRIPT).env("LOGWATCH_DETAIL_LEVEL", "10");
    // logwatch takes the time, the host and the process off before.
    let input: String = log().iter().map(|line| format!("{line}\n")).collect();
    hold("logwatch.txt", &read_by(perl, &input));
}
