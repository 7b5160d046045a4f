//! Findings as dhcpd's parser prints them: `FILE line N: TEXT`, the source line, a caret.

use crate::config::build::{Family, Unsupported};
use crate::config::diagnostic::{Code, Diagnostic, Severity};
use crate::config::{Built, words};
use crate::log::Line;
use crate::syntax::{FileId, Loader, SourceMap};

/// Everything dhcpd prints while it reads the configuration, in order.
pub fn report(source_map: &SourceMap, built: &Built) -> Vec<Line> {
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
    if let Some(words) = words {
        return (words.lines, words.fatal.unwrap_or_else(errors));
    }
    // What our limits refuse would only be blurred by what follows from it.
    match built.diagnostics.iter().find(|finding| finding.code == Code::TooDeep) {
        Some(deep) => (warning(source_map, deep), errors()),
        None => (report(source_map, built), built.fatal.clone().unwrap_or_else(errors)),
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
    // Like dhcpd, no more of a long line, and the caret in the first column behind that.
    let shown = at.text.get(..WIDTH).unwrap_or(at.text);
    let indent = at.column.saturating_sub(1);
    let caret = [vec![b' '; if indent < WIDTH { indent } else { 0 }], b"^".to_vec()].concat();
    vec![Line::error(first), Line::error(shown), Line::error(caret)]
}

/// How much of a line dhcpd shows.
const WIDTH: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::build;
    use crate::syntax::{LoadError, parse};

    /// What a refused file is told: how many lines, and the last messages without those about the file as a whole.
    fn refused(text: Vec<u8>) -> (usize, String) {
        let mut no_files = |_: &[u8]| Err(LoadError { errno: Some(2), message: "No such file".to_owned() });
        let parsed = parse(b"f", text, &mut no_files);
        let built = build(&parsed, Family::V4);
        assert!(!built.accepted());
        let (lines, last) = refusal(&parsed.source_map, &built, Family::V4, &mut no_files);
        assert_eq!(last.text, b"Configuration file errors encountered -- exiting");
        let said = lines.iter().map(|line| String::from_utf8_lossy(&line.text).into_owned());
        let messages: Vec<String> = said.filter(|line| line.starts_with("f line ")).collect();
        (messages.len(), messages.last().cloned().unwrap_or_default())
    }

    #[test]
    fn what_is_nested_too_deeply_is_said_once() {
        let deep = |open: &str| open.repeat(2_000).into_bytes();
        for text in [
            deep("group { "),
            deep("if known { "),
            format!("if {}known {{ }}", "(".repeat(2_000)).into_bytes(),
            format!("if {}known {{ }}", "not ".repeat(2_000)).into_bytes(),
            [b"} ".repeat(500), deep("group { ")].concat(),
        ] {
            let start = String::from_utf8_lossy(text.get(..40).unwrap_or_default()).into_owned();
            assert_eq!(refused(text), (1, "f line 1: nested too deeply".to_owned()), "{start}");
        }
    }

    #[test]
    fn many_faults_on_one_line_are_all_told() {
        assert_eq!(
            refused(b"}".repeat(5_000)),
            (5_000, "f line 1: expecting a parameter or declaration".to_owned())
        );
        assert_eq!(
            refused(b"option bogus 1; ".repeat(5_000)),
            (5_000, "f line 1: unknown option dhcp.bogus".to_owned())
        );
        assert_eq!(refused(b"a ".repeat(100_000)), (1, "f line 1: semicolon expected.".to_owned()));
        let (count, last) =
            refused(b"host h { hardware ethernet 1:zz; fixed-address 10.0; }\n".repeat(5_000));
        assert_eq!((count, last.as_str()), (14_999, "f line 5000: host h: already exists"));
    }

    #[test]
    fn what_has_no_end_ends() {
        let long = |start: &[u8], octets: &[u8]| [start, &octets.repeat(300_000 / octets.len())].concat();
        for (text, last) in [
            (long(b"option domain-name \"", b"a"), "f line 1: token larger than internal buffer"),
            (long(b"option domain-name \"", b"a;\n"), "f line 501: semicolon expected."),
            (long(b"option domain-name \"", b"\\"), "f line 1: semicolon expected."),
            (long(b"zone a { ", b"key \"b\"; "), "f line 1: expecting right brace."),
            (long(b"", b"\xe9"), "f line 0: expecting a parameter or declaration"),
        ] {
            assert_eq!(refused(text).1, last);
        }
    }
}
