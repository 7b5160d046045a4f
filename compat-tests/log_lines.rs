//! Every line that ISC dhcpd can log has a row in `log-lines.tsv`, and what the row says is true: a scenario whose
//! transcript has the line, a test, a file of ours that has the text, a difference that dhcpd-differences(7) names, or
//! the reason why no server logs it.
//!
//! A format becomes a regular expression. A row that says the line cannot be logged is stale when a transcript has a
//! line that no other row explains. Where the notes on the original are at hand (`RELET_SHARED`, else `../shared`), the
//! list must be whole.

// Transcripts and sources are files.
#![allow(clippy::disallowed_methods)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

/// What a row says about a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Status {
    Produced,
    Part,
    Tested,
    Coded,
    Differs,
    Unreachable,
    Other,
    Missing,
}

impl Status {
    const ALL: [(&str, Status); 8] = [
        ("produced", Status::Produced),
        ("part", Status::Part),
        ("tested", Status::Tested),
        ("coded", Status::Coded),
        ("differs", Status::Differs),
        ("unreachable", Status::Unreachable),
        ("other", Status::Other),
        ("missing", Status::Missing),
    ];
}

struct Row {
    /// The line of the list.
    line: usize,
    file: String,
    function: String,
    format: String,
    status: Status,
    note: String,
}

impl Row {
    fn name(&self) -> String {
        format!("line {}: {} {} {:?}", self.line, self.file, self.function, self.format)
    }
}

fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(home().join("compat-tests/log-lines.tsv")).expect("the list");
    let row = |(at, line): (usize, &str)| {
        let columns: Vec<&str> = line.split('\t').collect();
        let [file, function, format, status, note] = columns[..] else { panic!("line {}: {line}", at + 1) };
        let status = Status::ALL.iter().find(|(word, _)| *word == status);
        let status = status.unwrap_or_else(|| panic!("line {}: no such status", at + 1)).1;
        let (file, function) = (file.to_owned(), function.to_owned());
        Row { line: at + 1, file, function, format: format.to_owned(), status, note: note.to_owned() }
    };
    text.lines().enumerate().filter(|(_, line)| !line.starts_with('#')).map(row).collect()
}

/// A conversion of printf(3).
static CONVERSION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"%[-+ #0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh|h|ll|l|z)?([a-zA-Z%])")
        .expect("a constant expression")
});

/// The line of a format that a log shows, without C escapes. Some have newlines in them.
fn shown(format: &str) -> String {
    let lines: Vec<&str> = format.split("\\n").filter(|line| !line.is_empty()).collect();
    lines
        .first()
        .unwrap_or(&"")
        .replace("\\t", "\t")
        .replace("\\\"", "\"")
        .replace("\\\\", "\\")
        .trim_end()
        .to_owned()
}

/// The text between the conversions of a format.
fn pieces(format: &str) -> Vec<String> {
    let shown = shown(format);
    CONVERSION.split(&shown).filter(|piece| letters(piece) >= 2).map(str::to_owned).collect()
}

fn letters(text: &str) -> usize {
    text.chars().filter(char::is_ascii_alphabetic).count()
}

/// What a format can have made.
fn expression(format: &str) -> String {
    let shown = shown(format);
    let mut out = String::new();
    let mut end = 0;
    for found in CONVERSION.captures_iter(&shown) {
        let whole = found.get(0).expect("the whole");
        out += &regex::escape(&shown[end..whole.start()]);
        out += match &found[1] {
            "%" => "%",
            "d" | "i" => r"-?\d+",
            "u" => r"\d+",
            "x" | "X" => "[0-9a-fA-F]+",
            "c" => ".",
            "s" => ".*",
            _ => ".+",
        };
        end = whole.end();
    }
    out + &regex::escape(&shown[end..])
}

/// A whole line: what the parser says begins with the file and the line.
fn whole(format: &str) -> Regex {
    Regex::new(&format!(r"^(?:\S+ line \d+: )?{}$", expression(format))).expect("made of escaped text")
}

/// The log lines of each recorded transcript.
fn transcripts() -> BTreeMap<String, Vec<String>> {
    let folder = fs::read_dir(home().join("compat-tests/transcripts")).expect("transcripts");
    let log =
        Regex::new(r"^(?:stdout|stderr|syslog)?\| ?(?:<\d+>@date dhcpd\[@pid\]: )?(.*)$").expect("constant");
    let near = Regex::new(r"<[~](-?\d+)>").expect("constant");
    let mut all = BTreeMap::new();
    for path in folder.flatten().map(|entry| entry.path()) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("a transcript");
        let lines = text
            .lines()
            .filter_map(|line| Some(near.replace_all(&log.captures(line)?[1], "$1").into_owned()));
        all.insert(name, lines.collect());
    }
    all
}

/// `SCENARIO` or `SCENARIO "TEXT"`.
fn evidence(note: &str) -> (&str, Option<&str>) {
    match note.split_once(' ') {
        Some((scenario, text)) => (scenario, Some(text.trim_matches('"'))),
        None => (note, None),
    }
}

fn source(path: &str) -> Option<String> {
    let text = fs::read_to_string(home().join(path)).ok()?;
    // A text goes on behind a backslash at the end of a line; an inserted value stands for any text.
    let joined = Regex::new(r"\\\n\s*").expect("constant").replace_all(&text, "").into_owned();
    Some(joined.replace("\\\"", "\""))
}

#[test]
fn every_row_is_true() {
    let (rows, transcripts) = (rows(), transcripts());
    let differences = source("man/dhcpd-differences.7").expect("the manual page");
    let mut faults = Vec::new();
    for row in &rows {
        let fault = match row.status {
            Status::Produced | Status::Part => {
                let (scenario, text) = evidence(&row.note);
                let wanted = match row.status {
                    Status::Part => Regex::new(&expression(&row.format)).expect("made of escaped text"),
                    _ => whole(&row.format),
                };
                let shows =
                    |line: &String| text.is_none_or(|text| line.contains(text)) && wanted.is_match(line);
                match transcripts.get(scenario) {
                    None => Some(format!("no transcript {scenario}")),
                    Some(_) if letters(&pieces(&row.format).concat()) < 3 && text.is_none() => {
                        Some("fits everything: say which text it makes".to_owned())
                    }
                    Some(lines) => (!lines.iter().any(shows)).then(|| format!("{scenario} has no such line")),
                }
            }
            Status::Tested => {
                let (file, name) = row.note.split_once(' ').unwrap_or((&row.note, ""));
                let there = source(file).is_some_and(|text| text.contains(&format!("fn {name}(")));
                (!there).then(|| format!("no test {name} in {file}"))
            }
            Status::Coded => {
                let text = source(&row.note).unwrap_or_default();
                // What is between the words may stand elsewhere.
                let words = |piece: &String| {
                    piece.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != ')').to_owned()
                };
                let lost: Vec<String> =
                    pieces(&row.format).iter().map(words).filter(|piece| !text.contains(piece)).collect();
                (!lost.is_empty()).then(|| format!("{} does not have {lost:?}", row.note))
            }
            Status::Differs => {
                let there = differences.contains(&format!(".It {}\n", row.note));
                (!there).then(|| format!("dhcpd-differences(7) has no {}", row.note))
            }
            Status::Unreachable | Status::Other => row.note.is_empty().then(|| "says nothing".to_owned()),
            Status::Missing => None,
        };
        faults.extend(fault.map(|fault| format!("{}: {fault}", row.name())));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_row_is_stale() {
    let rows = rows();
    let produced: BTreeSet<String> = rows
        .iter()
        .filter(|row| matches!(row.status, Status::Produced | Status::Part))
        .map(|row| expression(&row.format))
        .collect();
    let silent: Vec<(&Row, Regex)> = rows
        .iter()
        .filter(|row| matches!(row.status, Status::Unreachable | Status::Other | Status::Missing))
        .filter(|row| {
            letters(&pieces(&row.format).concat()) >= 3 && !produced.contains(&expression(&row.format))
        })
        .map(|row| (row, whole(&row.format)))
        .collect();
    let known: Vec<Regex> = rows
        .iter()
        .filter(|row| row.status == Status::Produced && letters(&pieces(&row.format).concat()) >= 3)
        .map(|row| whole(&row.format))
        .collect();
    let lines: BTreeSet<String> = transcripts().into_values().flatten().collect();
    let mut stale = Vec::new();
    for (row, format) in silent {
        let piece = pieces(&row.format).into_iter().max_by_key(String::len).unwrap_or_default();
        let fits = |line: &&String| {
            line.contains(&piece) && format.is_match(line) && !known.iter().any(|known| known.is_match(line))
        };
        if let Some(line) = lines.iter().find(fits) {
            stale.push(format!("{} is logged: {line}", row.name()));
        }
    }
    assert!(stale.is_empty(), "{}", stale.join("\n"));
}

#[test]
fn the_list_is_whole() {
    let rows = rows();
    let mut counts: BTreeMap<Status, usize> = BTreeMap::new();
    for row in &rows {
        *counts.entry(row.status).or_default() += 1;
    }
    let count = |status| counts.get(&status).copied().unwrap_or(0);
    let shown = count(Status::Produced) + count(Status::Part);
    let reachable = shown
        + count(Status::Tested)
        + count(Status::Coded)
        + count(Status::Differs)
        + count(Status::Missing);
    let words = Status::ALL.iter().map(|(word, status)| format!("{word} {}", count(*status)));
    println!(
        "log lines: {shown} produced / {reachable} reachable / {} in all ({})",
        rows.len(),
        words.collect::<Vec<_>>().join(", ")
    );
    let mut seen = BTreeSet::new();
    let twice: Vec<String> = rows
        .iter()
        .filter(|row| !seen.insert((&row.file, &row.function, &row.format)))
        .map(Row::name)
        .collect();
    assert!(twice.is_empty(), "twice: {}", twice.join("\n"));

    let shared = std::env::var("RELET_SHARED").map_or_else(|_| home().join("../shared"), PathBuf::from);
    let path = shared.join("spec/log-messages.tsv");
    let Ok(text) = fs::read_to_string(&path) else {
        println!("{} is not here: whether the list is whole was not looked at", path.display());
        return;
    };
    let built = text.lines().filter_map(|line| match line.split('\t').collect::<Vec<_>>()[..] {
        [file, function, _, format, _, _, "yes", ..] => Some((file, function, format)),
        _ => None,
    });
    let known: BTreeSet<(&str, &str, &str)> =
        rows.iter().map(|row| (&row.file[..], &row.function[..], &row.format[..])).collect();
    let lost: Vec<String> = built.filter(|row| !known.contains(row)).map(|row| format!("{row:?}")).collect();
    assert!(lost.is_empty(), "not in the list:\n{}", lost.join("\n"));
}
