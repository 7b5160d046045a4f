//! Findings as a person reads them: the line, what is marked in it, what to do.

use crate::config::diagnostic::{Diagnostic, Severity};
use crate::syntax::{SourceFile, SourceMap, Span};
use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};
use std::ops::Range;

/// Renders one finding, several lines without a final newline. `colour` is for terminals.
pub fn human(sources: &SourceMap, finding: &Diagnostic, colour: bool) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut main = level
        .primary_title(finding.message.as_str())
        .id(finding.code.as_str())
        .elements(Vec::<Snippet<'_, annotate_snippets::Annotation<'_>>>::new());
    // The labels that lie in the same file share its snippet; the others get one each.
    let here = Excerpt::around(
        sources,
        std::iter::once(finding.span)
            .chain(finding.labels.iter().map(|label| label.span))
            .filter(|span| span.file == finding.span.file),
    );
    if let Some(here) = &here {
        let mut annotations = vec![AnnotationKind::Primary.span(here.range(finding.span))];
        for label in finding.labels.iter().filter(|label| label.span.file == finding.span.file) {
            annotations.push(AnnotationKind::Context.span(here.range(label.span)).label(label.text.as_str()));
        }
        main = main.element(here.snippet().annotations(annotations));
    }
    let elsewhere: Vec<_> = finding
        .labels
        .iter()
        .filter(|label| label.span.file != finding.span.file)
        .filter_map(|label| Some((Excerpt::around(sources, std::iter::once(label.span))?, label)))
        .collect();
    for (excerpt, label) in &elsewhere {
        let annotation = AnnotationKind::Context.span(excerpt.range(label.span)).label(label.text.as_str());
        main = main.element(excerpt.snippet().annotation(annotation));
    }
    if let Some(note) = &finding.note {
        main = main.element(Level::NOTE.message(note.as_str()));
    }
    let mut groups: Vec<Group<'_>> = vec![main];
    let remedy = finding
        .suggestion
        .as_ref()
        .and_then(|s| Some((s, Excerpt::around(sources, std::iter::once(s.span))?)));
    if let Some((suggestion, excerpt)) = &remedy {
        let patch = Patch::new(excerpt.range(suggestion.span), suggestion.replacement.as_str());
        groups.push(
            Level::HELP.secondary_title(suggestion.text.as_str()).element(excerpt.patched().patch(patch)),
        );
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&groups).to_string()
}

/// A line is shown whole if it has not more octets than this on either side of what is marked, which itself is shown up
/// to this many.
const LONGEST: usize = 1000;
/// Of a longer line so many octets are shown on either side.
const KEPT: usize = 80;

fn start_of_line(octets: &[u8], at: usize) -> usize {
    let near = at.saturating_sub(LONGEST);
    let before = octets.get(near..at).unwrap_or_default();
    match before.iter().rposition(|octet| *octet == b'\n') {
        Some(newline) => near + newline + 1,
        None if near == 0 => 0,
        None => at.saturating_sub(KEPT),
    }
}

fn end_of_line(octets: &[u8], end: usize) -> usize {
    let after = octets.get(end..).unwrap_or_default();
    match after.iter().take(LONGEST).position(|octet| *octet == b'\n') {
        Some(newline) => end + newline,
        None if after.len() <= LONGEST => octets.len(),
        None => end + KEPT,
    }
}

/// The lines of a file that a message shows, as text. Octets are taken for Latin-1, one character each, since a
/// configuration need not be UTF-8.
struct Excerpt {
    name: String,
    text: String,
    first_line: usize,
    /// Byte offset in the file where the excerpt starts, and for each octet of it the place of its character in `text`.
    start: usize,
    places: Vec<usize>,
}

impl Excerpt {
    /// The whole lines from the first to the last of some spans of one file.
    fn around(sources: &SourceMap, spans: impl Iterator<Item = Span>) -> Option<Self> {
        let mut bounds: Option<Span> = None;
        for span in spans {
            bounds = Some(
                bounds.map_or(span, |b| Span::new(b.file, b.start.min(span.start), b.end.max(span.end))),
            );
        }
        let bounds = bounds?;
        let file: &SourceFile = sources.file(bounds.file)?;
        let octets: &[u8] = &file.bytes;
        let at = (bounds.start as usize).min(octets.len());
        let start = start_of_line(octets, at);
        let end = (bounds.end as usize).clamp(at, octets.len()).min(at.saturating_add(LONGEST));
        let stop = end_of_line(octets, end);
        let mut text = String::new();
        let mut places = Vec::new();
        for &octet in octets.get(start..stop)? {
            places.push(text.len());
            // Control characters would garble the picture.
            text.push(match octet {
                b'\n' | b'\t' => char::from(octet),
                0..=0x1f | 0x7f => ' ',
                _ => char::from(octet),
            });
        }
        places.push(text.len());
        let mut name = String::from_utf8_lossy(&file.name).into_owned();
        if start > 0 && octets.get(start - 1) != Some(&b'\n') {
            // Columns are counted from where the excerpt begins.
            let whole = Span::new(bounds.file, u32::try_from(start).ok()?, u32::try_from(start).ok()?);
            let column = sources.location(whole).map_or(0, |location| location.column);
            name.push_str(&format!(" (from column {column} on)"));
        }
        Some(Self { name, text, first_line: file.line_of(bounds.start), start, places })
    }

    /// A span as a range of `text`.
    fn range(&self, span: Span) -> Range<usize> {
        let place = |offset: u32| {
            let at = (offset as usize).saturating_sub(self.start);
            self.places.get(at).copied().unwrap_or(self.text.len())
        };
        place(span.start)..place(span.end).max(place(span.start))
    }

    fn snippet(&self) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
        Snippet::source(self.text.as_str()).path(self.name.as_str()).line_start(self.first_line)
    }

    fn patched(&self) -> Snippet<'_, Patch<'_>> {
        Snippet::source(self.text.as_str()).path(self.name.as_str()).line_start(self.first_line)
    }
}
