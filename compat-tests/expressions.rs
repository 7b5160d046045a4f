//! Expressions and statements of a root scope, held against what the real dhcpd made of them.
//!
//! The tables are recorded: `compat-tests/expressions/own-cases.tsv` by the script beside it, and, where it is at hand,
//! the larger collection of the project (`RELET_SHARED`, else `../shared`). Each row becomes a configuration, which is
//! parsed, built and run by the library; exit status, log lines, what the parser says of a row that it refuses, and what
//! executed programs print must be the same.
//!
//! `RELET_EXPRESSIONS=v` prints every difference.

// A test reads files and runs programs.
#![allow(clippy::disallowed_methods)]

use relet::check::isc::{refusal, report};
use relet::config::{Family, build};
use relet::eval::bindings::Bindings;
use relet::eval::{Environment, Memory, NotRun, ResolveError};
use relet::log::Line;
use relet::server::globals::{CommandLine, read_globals};
use relet::syntax::{LoadError, parse};
use relet::time::Now;
use std::net::Ipv4Addr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// One row of a table.
struct Case {
    id: String,
    text: Vec<u8>,
    exit: String,
    stderr: Vec<u8>,
    stdout: Vec<u8>,
}

#[derive(Debug, PartialEq)]
struct Ran {
    exit: String,
    stderr: Vec<u8>,
    stdout: Vec<u8>,
}

#[test]
fn own_cases_are_as_the_real_dhcpd_has_them() {
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("compat-tests/expressions/own-cases.tsv");
    let (count, different) = compare(&table);
    assert!(count >= 150, "the table is whole");
    assert_eq!(different, Vec::<String>::new());
}

#[test]
fn the_shared_table_is_as_the_real_dhcpd_has_it() {
    let shared = std::env::var("RELET_SHARED")
        .map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let table = shared.join("spec/expressions/cases.tsv");
    if !table.is_file() {
        println!("{} is not here: only the cases of this repository were compared", table.display());
        return;
    }
    let (count, different) = compare(&table);
    println!("equal {}/{count}, different: {}", count - different.len(), different.join(" "));
    // Two rows show dhcpd picking up memory it had let go (`pick` after a call).
    assert!(different.len() * 100 <= count, "less than 99 of 100: {different:?}");
}

/// How many rows there are, and which come out differently.
fn compare(table: &Path) -> (usize, Vec<String>) {
    let table = table.to_owned();
    // A test has less of a stack than a server, and some functions recurse.
    let thread = std::thread::Builder::new().stack_size(16 << 20).spawn(move || compare_here(&table));
    thread.expect("a thread").join().expect("no panic")
}

fn compare_here(table: &Path) -> (usize, Vec<String>) {
    let verbose = std::env::var("RELET_EXPRESSIONS").is_ok();
    let cases = load(table);
    let mut different = Vec::new();
    for case in &cases {
        let ran = run(&case.text);
        // Where the real one crashes, it is enough not to.
        let same = case.exit == "crashed"
            || (ran.exit == case.exit && ran.stdout == case.stdout && ran.stderr == case.stderr);
        if !same {
            if verbose {
                println!("{}\n{}", case.id, case.text.escape_ascii());
                println!(
                    "  expected {} {} | {}",
                    case.exit,
                    case.stderr.escape_ascii(),
                    case.stdout.escape_ascii()
                );
                println!(
                    "  got      {} {} | {}",
                    ran.exit,
                    ran.stderr.escape_ascii(),
                    ran.stdout.escape_ascii()
                );
            }
            different.push(case.id.clone());
        }
    }
    (cases.len(), different)
}

fn run(text: &[u8]) -> Ran {
    let mut loader =
        |_: &[u8]| Err(LoadError { errno: None, message: "No such file or directory".to_owned() });
    let parsed = parse(b"case.conf", text.to_vec(), &mut loader);
    let built = build(&parsed, Family::V4);
    if !built.accepted() {
        let (mut log, last) = refusal(&parsed.source_map, &built, Family::V4, &mut loader);
        log.push(last);
        return finish("1", &log, Programs::default());
    }
    let mut log = report(&parsed.source_map, &built);
    let command_line = CommandLine {
        family: Family::V4,
        config_file: b"case.conf".to_vec(),
        lease_file: Vec::new(),
        pid_file: Vec::new(),
        quiet: true,
    };
    let now = Now { wall: 1_700_000_000, tick: Duration::ZERO };
    let (mut bindings, mut memory, mut programs) =
        (Bindings::default(), Memory::default(), Programs::default());
    let globals =
        read_globals(&built.config, &command_line, now, &mut bindings, &mut memory, &mut programs, &mut log);
    let exit = match globals {
        Ok(_) => "0",
        Err(fatal) => {
            log.push(fatal.0);
            "1"
        }
    };
    finish(exit, &log, programs)
}

/// Puts what programs wrote to their standard error where it came: after the line about the last argument.
fn finish(exit: &str, log: &[Line], programs: Programs) -> Ran {
    let mut errors = programs.stderr.into_iter();
    let mut stderr = Vec::new();
    let words =
        |line: Option<&Line>| line.is_some_and(|line| line.text.starts_with(b"execute_statement argv["));
    let first = |line: &Line| line.text.starts_with(b"execute_statement argv[0]");
    for (at, line) in log.iter().enumerate() {
        stderr.extend_from_slice(&line.text);
        stderr.push(b'\n');
        let next = log.get(at + 1);
        let goes_on = words(next) && !next.is_some_and(first);
        let refused = next.is_some_and(|line| line.text.starts_with(b"execute: bad arg"));
        if words(Some(line)) && !goes_on && !refused {
            stderr.extend(errors.next().unwrap_or_default());
        }
    }
    Ran { exit: exit.to_owned(), stderr, stdout: programs.stdout }
}

/// Runs programs as the recording did; knows no names but `localhost` and its own.
#[derive(Default)]
struct Programs {
    stdout: Vec<u8>,
    stderr: Vec<Vec<u8>>,
}

impl Environment for Programs {
    fn resolve(&mut self, name: &str) -> Result<Vec<Ipv4Addr>, ResolveError> {
        if name == "localhost" { Ok(vec![Ipv4Addr::LOCALHOST]) } else { Err(ResolveError::TryAgain) }
    }

    fn reverse(&mut self, _: Ipv4Addr) -> Option<String> {
        None
    }

    fn hostname(&mut self) -> Vec<u8> {
        std::fs::read("/proc/sys/kernel/hostname")
            .map(|name| name.trim_ascii_end().to_vec())
            .unwrap_or_default()
    }

    fn execute(&mut self, command: &[u8], arguments: &[Vec<u8>]) -> Result<i32, NotRun> {
        use std::os::unix::ffi::OsStrExt;
        let word = std::ffi::OsStr::from_bytes;
        let output = Command::new(word(command))
            .args(arguments.iter().map(|argument| word(argument)))
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .output();
        match output {
            Ok(output) => {
                self.stdout.extend(output.stdout);
                self.stderr.push(output.stderr);
                Ok(output.status.into_raw())
            }
            Err(error) => {
                self.stderr.push(Vec::new());
                let text = error.to_string();
                Err(NotRun::NotStarted(text.split(" (os error").next().unwrap_or_default().to_owned()))
            }
        }
    }
}

fn load(table: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(table).expect("a table");
    let rows = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    rows.map(|row| {
        let fields: Vec<&str> = row.split('\t').collect();
        let [id, context, prelude, expression, exit, stderr, stdout] = fields[..] else {
            panic!("seven fields: {row}");
        };
        let mut text = unescape(prelude);
        if !text.is_empty() {
            text.push(b'\n');
        }
        let expression = unescape(expression);
        let mut pieces = wrapping(context).split("%s");
        text.extend(pieces.next().unwrap_or_default().bytes());
        for piece in pieces {
            text.extend_from_slice(&expression);
            text.extend(piece.bytes());
        }
        text.push(b'\n');
        Case {
            id: id.to_owned(),
            text,
            exit: exit.to_owned(),
            stderr: unescape(stderr),
            stdout: unescape(stdout),
        }
    })
    .collect()
}

/// How an expression becomes statements, as in the recording script.
fn wrapping(context: &str) -> &'static str {
    match context {
        "data" => r#"log (info, concat ("v=[", binary-to-ascii (16, 8, ":", %s), "]"));"#,
        "text" => "log (info, %s);",
        "numeric" => r#"log (info, concat ("v=", binary-to-ascii (10, 32, "", encode-int (%s, 32))));"#,
        "numeric64" => concat!(
            r#"log (info, concat ("v=", binary-to-ascii (10, 32, "", encode-int (%s, 32))));"#,
            "\n",
            r#"log (info, concat ("hi=", binary-to-ascii (10, 32, "", encode-int (((%s) / 65536) / 65536, 32))));"#
        ),
        "boolean" => {
            r#"if (%s) { log (info, "true"); } elsif not (%s) { log (info, "false"); } else { log (info, "null"); }"#
        }
        "cond" => r#"if (%s) { log (info, "true"); } else { log (info, "not true"); }"#,
        "stmt" => "%s",
        other => panic!("context {other}"),
    }
}

/// `\\ \n \t \r \xNN`
fn unescape(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match (octet, octet == b'\\') {
            (_, false) => octet,
            _ => match rest.next() {
                Some(b'n') => b'\n',
                Some(b't') => b'\t',
                Some(b'r') => b'\r',
                Some(b'x') => {
                    let mut digit =
                        || rest.next().and_then(|d| char::from(d).to_digit(16)).expect("a hex digit");
                    u8::try_from(digit() * 16 + digit()).expect("two digits")
                }
                Some(other) => other,
                None => b'\\',
            },
        });
    }
    octets
}
