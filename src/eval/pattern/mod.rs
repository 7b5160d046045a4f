//! Regular expressions of `~=` and `~~`: POSIX extended ones as glibc understands them, in the C locale.
//!
//! dhcpd hands pattern and subject to `regcomp (REG_EXTENDED | REG_NOSUB)` and `regexec`. A pattern is read by
//! [`syntax`], glibc's rules included (`\w \W \s \S \b \B \< \> \1`, an empty branch matches, `^*` is an error), and
//! turned into an expression of the `regex` crate, which takes linear time. Patterns with back-references go to a small
//! matcher of our own, which is held to a number of steps.

mod backtrack;
mod syntax;

use regex::bytes::{Regex, RegexBuilder};
use std::collections::HashMap;
use std::fmt::Write as _;
use syntax::{Node, Set};

/// More patterns than this are not remembered: only patterns computed from packets can be so many.
const MAX_PATTERNS: usize = 512;

/// Bound on a compiled pattern, in octets.
const MAX_COMPILED: usize = 4 << 20;

/// Compiled patterns.
#[derive(Debug, Default)]
pub struct PatternCache {
    exact: HashMap<Box<[u8]>, Pattern>,
    ignoring_case: HashMap<Box<[u8]>, Pattern>,
}

impl PatternCache {
    /// Whether the pattern matches anywhere in the subject. A pattern that is invalid matches nothing.
    pub(super) fn is_match(&mut self, pattern: &[u8], ignore_case: bool, subject: &[u8]) -> bool {
        let patterns = if ignore_case { &mut self.ignoring_case } else { &mut self.exact };
        if let Some(compiled) = patterns.get(pattern) {
            return compiled.is_match(subject);
        }
        if patterns.len() >= MAX_PATTERNS {
            patterns.clear();
        }
        patterns.entry(pattern.into()).or_insert(Pattern::compile(pattern, ignore_case)).is_match(subject)
    }
}

/// A compiled pattern.
#[derive(Debug)]
enum Pattern {
    Invalid,
    Linear(Regex),
    Backtracking(backtrack::Program),
}

impl Pattern {
    fn compile(pattern: &[u8], ignore_case: bool) -> Self {
        let Ok(parsed) = syntax::parse(pattern, ignore_case) else { return Self::Invalid };
        if parsed.has_back_reference {
            return backtrack::Program::compile(&parsed.root, ignore_case)
                .map_or(Self::Invalid, Self::Backtracking);
        }
        let mut text = String::new();
        translate(&parsed.root, &mut text);
        RegexBuilder::new(&text)
            .unicode(false)
            .dot_matches_new_line(true)
            .size_limit(MAX_COMPILED)
            .dfa_size_limit(MAX_COMPILED)
            .build()
            .map_or(Self::Invalid, Self::Linear)
    }

    fn is_match(&self, subject: &[u8]) -> bool {
        match self {
            Self::Invalid => false,
            Self::Linear(regex) => regex.is_match(subject),
            Self::Backtracking(program) => program.is_match(subject),
        }
    }
}

/// Writes a pattern in the syntax of the `regex` crate.
fn translate(node: &Node, text: &mut String) {
    match node {
        Node::Empty => text.push_str("(?:)"),
        Node::Set(set) => translate_set(set, text),
        Node::Start => text.push_str(r"\A"),
        Node::End => text.push_str(r"\z"),
        Node::WordBoundary => text.push_str(r"\b"),
        Node::NotWordBoundary => text.push_str(r"\B"),
        Node::WordStart => text.push_str(r"\b{start}"),
        Node::WordEnd => text.push_str(r"\b{end}"),
        Node::Group(_, inner) => {
            text.push_str("(?:");
            translate(inner, text);
            text.push(')');
        }
        // Taken care of by the caller.
        Node::BackReference(_) => {}
        Node::Sequence(nodes) => nodes.iter().for_each(|node| translate(node, text)),
        Node::Choice(branches) => {
            text.push_str("(?:");
            for (at, branch) in branches.iter().enumerate() {
                if at > 0 {
                    text.push('|');
                }
                translate(branch, text);
            }
            text.push(')');
        }
        Node::Repeat { inner, least, most } => {
            text.push_str("(?:");
            translate(inner, text);
            // Writing to a `String` cannot fail.
            let _ = match most {
                Some(most) => write!(text, "){{{least},{most}}}"),
                None => write!(text, "){{{least},}}"),
            };
        }
    }
}

fn translate_set(set: &Set, text: &mut String) {
    if set.is_empty() {
        // Matches nothing.
        text.push_str(r"[^\x00-\xff]");
        return;
    }
    text.push('[');
    for (first, last) in set.ranges() {
        let _ = write!(text, r"\x{first:02x}-\x{last:02x}");
    }
    text.push(']');
}

#[cfg(test)]
mod tests;
