//! Findings as dhcpd's parser prints them: `FILE line N: TEXT`, the source line, a caret.

use crate::config::build::{Family, Unsupported};
use crate::config::diagnostic::{Diagnostic, Severity};
use crate::config::{Built, words};
use crate::log::Line;
use crate::syntax::{FileId, Loader, SourceMap};

/// Everything dhcpd prints while it reads the configuration, in order.
pub fn report(source_map: &SourceMap, built: &Built, _family: Family) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut said = built.log.iter();
    for finding in &built.diagnostics {
        let before = finding.log_before.saturating_sub(built.log.len() - said.len());
        lines.extend(said.by_ref().take(before).cloned());
        if finding.severity == Severity::Error {
            lines.extend(warning(source_map, finding));
        }
    }
    lines.extend(said.cloned());
    lines
}

/// Everything dhcpd prints about a configuration that it refuses, and its last line. Should the walk in dhcpd's words
/// find nothing wrong, the findings are told where they are.
pub fn refusal(
    source_map: &SourceMap,
    built: &Built,
    family: Family,
    loader: &mut dyn Loader,
) -> (Vec<Line>, Line) {
    let errors = || Line::error("Configuration file errors encountered -- exiting");
    let words = source_map.file(FileId(0)).and_then(|file| {
        words::explain(&file.name, &file.bytes, family, loader).filter(|words| words.refused)
    });
    match words {
        Some(words) => (words.lines, words.fatal.unwrap_or_else(errors)),
        None => (report(source_map, built, family), built.fatal.clone().unwrap_or_else(errors)),
    }
}

/// `FILE line N: WHAT` for something that is not served yet.
pub fn place(source_map: &SourceMap, unsupported: &Unsupported) -> String {
    match source_map.location(unsupported.span) {
        Some(at) => format!("{} line {}: {}", String::from_utf8_lossy(at.file), at.line, unsupported.what),
        None => unsupported.what.clone(),
    }
}

fn warning(source_map: &SourceMap, finding: &Diagnostic) -> Vec<Line> {
    let text = finding.isc.as_deref().unwrap_or(finding.message.as_bytes());
    let Some(at) = source_map.location(finding.span) else { return vec![Line::error(text)] };
    let first = [at.file, format!(" line {}: ", at.line).as_bytes(), text].concat();
    let caret = [vec![b' '; at.column.saturating_sub(1)], b"^".to_vec()].concat();
    vec![Line::error(first), Line::error(at.text), Line::error(caret)]
}
