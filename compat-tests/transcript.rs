//! What happened, as text that two servers can be compared by.
//!
//! Only what must differ is normalised: the clock (dates near the scenario's become `<+12s>`, seconds from its
//! beginning), process ids, pointers, and the directory of the run. Times are equal when they are at most a second apart.

use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use similar::{ChangeTag, TextDiff};

use crate::scenario::Approx;

fn expression(text: &str) -> Regex {
    Regex::new(text).expect("a constant expression")
}

static DATE: LazyLock<Regex> = LazyLock::new(|| expression(r"\b(\d) (\d{4}/\d\d/\d\d \d\d:\d\d:\d\d)\b"));
static EPOCH: LazyLock<Regex> =
    LazyLock::new(|| expression(r"\bepoch (\d+); # \w{3} \w{3} [ \d]\d [\d:]{8} \d{4}"));
/// The DUID that dhcpd makes up at its first start: type 1, hardware type 1, then the time as four octets.
static DUID: LazyLock<Regex> = LazyLock::new(|| {
    let octet = r#"(?:\\[0-7]{3}|\\.|[^"\\])"#;
    expression(&format!(r#"(server-duid "\\000\\001\\000\\001)({octet}{{4}})"#))
});
/// How old a lease is when it is given again.
static AGE: LazyLock<Regex> = LazyLock::new(|| expression(r"^reuse_lease: lease age (\d+) \(secs\)"));
/// The end of a lease that is over, and the moment, in seconds since 1970.
static ENDED: LazyLock<Regex> = LazyLock::new(|| expression(r"\b(ends at|it is now) (\d{9,10})\b"));
static POINTER: LazyLock<Regex> = LazyLock::new(|| expression(r"\bpool [0-9a-f]{9,16}\b"));
static SYSLOG: LazyLock<Regex> = LazyLock::new(|| expression(r"^(<\d+>)\w{3} [ \d]\d [\d:]{8} (\w+)\[\d+\]"));
static TEMPORARY: LazyLock<Regex> = LazyLock::new(|| expression(r"\.\d{9,11}\b"));
static TOKEN: LazyLock<Regex> = LazyLock::new(|| expression(r"<([+~])(-?\d+)s?>"));

/// Dates further away than this were written into the scenario as they are.
const NEAR: i64 = 400 * 86_400;

/// Turns what differs from run to run into what does not.
pub struct Normaliser<'a> {
    pub epoch: i64,
    pub directory: String,
    pub approx: &'a [Approx],
}

impl Normaliser<'_> {
    /// A line of a log or of an output.
    pub fn line(&self, octets: &[u8]) -> String {
        let mut line = crate::hex::text(octets).replace(&self.directory, "@dir");
        line = POINTER.replace_all(&line, "pool @pointer").into_owned();
        line = SYSLOG.replace(&line, "$1@date $2[@pid]").into_owned();
        if line.contains("lease") {
            line = TEMPORARY.replace_all(&line, ".@time").into_owned();
        }
        line = self.soften(&AGE, &line);
        line = ENDED.replace_all(&line, |c: &Captures<'_>| self.moment(c)).into_owned();
        for approx in self.approx {
            if let Approx::Log(expression) = approx {
                line = self.soften(expression, &line);
            }
        }
        line
    }

    /// The groups of `expression` become approximate numbers.
    fn soften(&self, expression: &Regex, line: &str) -> String {
        let Some(found) = expression.captures(line) else { return line.to_owned() };
        let mut out = line.to_owned();
        for group in found.iter().skip(1).flatten().collect::<Vec<_>>().into_iter().rev() {
            out.replace_range(group.range(), &format!("<~{}>", group.as_str()));
        }
        out
    }

    /// A line of a lease file.
    pub fn lease_line(&self, octets: &[u8]) -> String {
        let line = crate::hex::text(octets);
        let line = DATE.replace_all(&line, |c: &Captures<'_>| self.date(c));
        let line = DUID.replace(&line, |c: &Captures<'_>| self.duid(c));
        EPOCH.replace_all(&line, |c: &Captures<'_>| self.seconds(c)).into_owned()
    }

    fn moment(&self, c: &Captures<'_>) -> String {
        let offset = c[2].parse::<i64>().unwrap_or(0) - self.epoch;
        if offset.abs() > NEAR { c[0].to_owned() } else { format!("{} <{offset:+}s>", &c[1]) }
    }

    fn date(&self, c: &Captures<'_>) -> String {
        let Ok(date) = chrono::NaiveDateTime::parse_from_str(&c[2], "%Y/%m/%d %H:%M:%S") else {
            return c[0].to_owned();
        };
        let offset = date.and_utc().timestamp() - self.epoch;
        let weekday = date.format("%w").to_string() == c[1];
        if offset.abs() > NEAR || !weekday { c[0].to_owned() } else { format!("<{offset:+}s>") }
    }

    fn seconds(&self, c: &Captures<'_>) -> String {
        let offset = c[1].parse::<i64>().unwrap_or(0) - self.epoch;
        if offset.abs() > NEAR { c[0].to_owned() } else { format!("epoch <{offset:+}s> # date") }
    }

    /// The time in a DUID counts from the year 2000.
    fn duid(&self, c: &Captures<'_>) -> String {
        let mut octets = Vec::new();
        let mut rest = c[2].bytes();
        while let Some(b) = rest.next() {
            octets.push(match b {
                b'\\' => match rest.next() {
                    Some(d @ b'0'..=b'7') => {
                        rest.by_ref().take(2).fold(d - b'0', |n, d| n.wrapping_mul(8) + (d & 7))
                    }
                    other => other.unwrap_or(0),
                },
                other => other,
            });
        }
        let time = octets.iter().fold(0i64, |n, b| n << 8 | i64::from(*b)) + 946_684_800;
        let offset = time - self.epoch;
        if offset.abs() > NEAR { c[0].to_owned() } else { format!("{}<{offset:+}s>", &c[1]) }
    }

    /// A file name.
    pub fn name(&self, name: &str) -> String {
        TEMPORARY.replace_all(name, ".@time").into_owned()
    }
}

/// The text without its times, and the times: two lines are equal when the texts are and the times nearly.
fn split(line: &str) -> (String, Vec<i64>) {
    let times = TOKEN.captures_iter(line).map(|c| c[2].parse().unwrap_or(i64::MAX)).collect();
    (TOKEN.replace_all(line, "<$1>").into_owned(), times)
}

/// `other`, with each time that is near enough to the one in `truth` replaced by that one.
pub fn align(truth: &str, other: &str) -> String {
    let (ours, theirs): (Vec<_>, Vec<_>) =
        (truth.lines().map(split).collect(), other.lines().map(split).collect());
    let texts =
        |all: &[(String, Vec<i64>)]| all.iter().map(|(text, _)| format!("{text}\n")).collect::<Vec<_>>();
    let (left, right) = (texts(&ours), texts(&theirs));
    let (left, right): (Vec<&str>, Vec<&str>) =
        (left.iter().map(String::as_str).collect(), right.iter().map(String::as_str).collect());
    let diff = TextDiff::from_slices(&left, &right);
    let mut out: Vec<String> = other.lines().map(str::to_owned).collect();
    let truth: Vec<&str> = truth.lines().collect();
    for change in diff.iter_all_changes().filter(|c| c.tag() == ChangeTag::Equal) {
        let (Some(at), Some(to)) = (change.old_index(), change.new_index()) else { continue };
        let near = ours[at].1.iter().zip(&theirs[to].1).all(|(a, b)| a.abs_diff(*b) <= 1);
        if near {
            out[to] = truth[at].to_owned();
        }
    }
    out.iter().flat_map(|l| [l.as_str(), "\n"]).collect()
}

/// A unified diff, or nothing when the two are equal but for times.
pub fn difference(truth: &str, other: &str, names: (&str, &str)) -> Option<String> {
    let other = align(truth, other);
    if truth == other {
        return None;
    }
    let diff = TextDiff::from_lines(truth, &other);
    Some(diff.unified_diff().context_radius(6).header(names.0, names.1).to_string())
}

/// The lines of a unified diff that say what differs.
pub fn changed_lines(diff: &str) -> Vec<String> {
    diff.lines()
        .skip(2)
        .filter(|l| l.starts_with('+') || l.starts_with('-'))
        .map(|l| l.trim_end().to_owned())
        .collect()
}

/// A transcript as it grows.
#[derive(Default)]
pub struct Transcript {
    text: String,
}

impl Transcript {
    /// Begin the part of one step.
    pub fn step(&mut self, text: &str) {
        let _ = writeln!(self.text, "> {text}");
    }

    /// One line of what happened.
    pub fn line(&mut self, text: &str) {
        let _ = writeln!(self.text, "{}", text.trim_end());
    }

    /// All of it.
    pub fn text(&self) -> &str {
        &self.text
    }
}
