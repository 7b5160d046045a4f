//! What is wrong with a configuration, and what is odd about it.
//!
//! A [`Diagnostic`] carries two texts: dhcpd's own ([`Diagnostic::isc`], byte for byte what ISC `parse_warn` prints
//! after `FILE line N: `), and a better one for `--check`, with labels, a note and a suggestion where there is one. The
//! model knows nothing of how it is rendered.

pub mod codes;

pub use codes::Code;

use crate::log::Line;
use crate::syntax::Span;

/// How much a diagnostic weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The configuration is refused.
    Error,
    /// Accepted, but probably not what was meant.
    Warning,
    /// Worth knowing.
    Note,
}

/// A further place that has to do with a diagnostic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is there.
    pub text: String,
}

/// A change that would mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// What is replaced.
    pub span: Span,
    /// By what.
    pub replacement: String,
    /// Why.
    pub text: String,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its stable code.
    pub code: Code,
    /// Its weight.
    pub severity: Severity,
    /// Where.
    pub span: Span,
    /// What dhcpd's parser says, without file and line; `None` where it says nothing of its own (it logs a plain
    /// line, or crashes).
    pub isc: Option<Vec<u8>>,
    /// What we say.
    pub message: String,
    /// Other places.
    pub labels: Vec<Label>,
    /// Background.
    pub note: Option<String>,
    /// A remedy.
    pub suggestion: Option<Suggestion>,
    /// How many lines of [`super::Built::log`] come before this one.
    pub log_before: usize,
}

impl Diagnostic {
    /// An error in dhcpd's words, which serve as ours too until [`Diagnostic::message`] says better.
    pub fn error(code: Code, span: Span, isc: impl Into<Vec<u8>>) -> Self {
        let isc = isc.into();
        let message = String::from_utf8_lossy(&isc).into_owned();
        Self { isc: Some(isc), ..Self::own(code, Severity::Error, span, message) }
    }

    /// A finding for which dhcpd has no message.
    pub fn own(code: Code, severity: Severity, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            span,
            isc: None,
            message: message.into(),
            labels: Vec::new(),
            note: None,
            suggestion: None,
            log_before: 0,
        }
    }

    /// Our own words.
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// Another place.
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Background.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// A remedy.
    pub fn suggest(mut self, span: Span, replacement: impl Into<String>, text: impl Into<String>) -> Self {
        self.suggestion = Some(Suggestion { span, replacement: replacement.into(), text: text.into() });
        self
    }
}

/// What building a configuration has to say, in dhcpd's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A finding; an error when its severity says so.
    Diagnostic(Box<Diagnostic>),
    /// A plain log line, which refuses nothing.
    Line(Line),
    /// dhcpd ends here: `log_fatal` with this text.
    Fatal(Line),
}
