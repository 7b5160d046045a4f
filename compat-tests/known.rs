//! The list of deliberate differences, `known-differences.txt`: each names a scenario, says why, and holds the exact
//! lines that differ. An entry whose scenario no longer differs in just that way fails the suite.

use std::path::Path;

/// One entry.
#[derive(Debug)]
pub struct Known {
    pub id: String,
    pub scenario: String,
    pub why: String,
    /// The `-` and `+` lines of the diff, without context.
    pub lines: Vec<String>,
}

/// Read the list; a missing file is an empty list.
pub fn read(path: &Path) -> Result<Vec<Known>, String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    parse(&text)
}

fn parse(text: &str) -> Result<Vec<Known>, String> {
    let mut all: Vec<Known> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let fault = |why: &str| format!("known-differences.txt line {}: {why}", index + 1);
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        if let Some(id) = line.strip_prefix("difference ") {
            let new =
                Known { id: id.to_owned(), scenario: String::new(), why: String::new(), lines: Vec::new() };
            all.push(new);
            continue;
        }
        let entry = all.last_mut().ok_or_else(|| fault("no difference begun"))?;
        if let Some(name) = line.strip_prefix("scenario ") {
            entry.scenario = name.to_owned();
        } else if let Some(why) = line.strip_prefix("why ") {
            entry.why = format!("{}{}{why}", entry.why, if entry.why.is_empty() { "" } else { " " });
        } else if let Some(changed) = line.strip_prefix("    ") {
            entry.lines.push(changed.trim_end().to_owned());
        } else {
            return Err(fault("neither scenario, why, nor an indented line of a diff"));
        }
    }
    match all.iter().find(|k| k.scenario.is_empty() || k.why.is_empty() || k.lines.is_empty()) {
        Some(k) => Err(format!("known-differences.txt: {} lacks a scenario, a reason or its lines", k.id)),
        None => Ok(all),
    }
}
