//! What the parser found wrong, as diagnostics among those of the meaning, in the order of the text.

use super::{Builder, Refused};
use crate::config::diagnostic::{Code, Diagnostic};
use crate::syntax::{self, Fault, FaultKind, FileId, Span, StatementKind};
use std::collections::VecDeque;

/// The faults not reported yet, in the order of the text.
#[derive(Debug, Default)]
pub(super) struct Pending(VecDeque<Fault>);

impl Builder {
    /// Takes the parser's faults over: all, or those of the statements that come next.
    pub(super) fn add_faults(&mut self, faults: Vec<Fault>) {
        // What is pending already stands behind an include or a block that is only now being read.
        for fault in faults.into_iter().rev() {
            self.faults.0.push_front(fault);
        }
    }

    /// Reports the faults that stand before the body of a statement: dhcpd's lexer finds them before the statement is
    /// acted upon. The statement's own fault, if it is malformed, is left for [`Builder::malformed`].
    pub(super) fn flush_faults_before(&mut self, statement: &syntax::Statement) {
        if self.faults.0.is_empty() {
            return;
        }
        let own = match &statement.kind {
            StatementKind::Malformed(malformed) => Some(&malformed.fault),
            _ => None,
        };
        let span = statement.span;
        let head = body(&statement.kind).map_or(span.end, |body| body.start);
        while let Some(fault) = self.faults.0.front() {
            if fault.span.file != span.file || fault.span.start >= head || Some(fault) == own {
                return;
            }
            self.flush_one();
        }
    }

    /// Reports what is left of one file.
    pub(super) fn flush_faults_of(&mut self, file: FileId) {
        while self.faults.0.front().is_some_and(|fault| fault.span.file == file) {
            self.flush_one();
        }
    }

    /// Reports what is left.
    pub(super) fn flush_faults(&mut self) {
        while !self.stopped() && !self.faults.0.is_empty() {
            self.flush_one();
        }
    }

    fn flush_one(&mut self) {
        // A file that cannot be included is reported at its statement, which dhcpd does not survive.
        let stops = |fault: &Fault| matches!(fault.kind, FaultKind::Include | FaultKind::IncludeCycle);
        if let Some(fault) = self.faults.0.pop_front().filter(|fault| !stops(fault)) {
            self.report_fault(&fault, false);
        }
    }

    /// Reports a malformed statement. Its fault is among the pending ones, too, and taken from there.
    pub(super) fn malformed(&mut self, malformed: &syntax::Malformed, after_declaration: bool) -> Refused {
        if let Some(at) = self.faults.0.iter().take(64).position(|fault| *fault == malformed.fault) {
            self.faults.0.remove(at);
        }
        self.report_fault(&malformed.fault, after_declaration)
    }

    fn report_fault(&mut self, fault: &Fault, after_declaration: bool) -> Refused {
        let (code, isc) = words(&fault.kind, after_declaration);
        let message = fault.kind.to_string();
        let diagnostic = match isc {
            Some(isc) => Diagnostic::error(code, fault.span, isc).message(message),
            None => Diagnostic::own(code, crate::config::diagnostic::Severity::Error, fault.span, message),
        };
        self.report(diagnostic)
    }
}

/// The block of a declaration, which is read after the statement's head was acted upon.
fn body(kind: &StatementKind) -> Option<Span> {
    block_of(kind).map(|block| block.span)
}

/// The block of a declaration or statement.
pub(super) fn block_of(kind: &StatementKind) -> Option<&syntax::Block> {
    Some(match kind {
        StatementKind::Host(host) => &host.block,
        StatementKind::Group(group) => &group.block,
        StatementKind::SharedNetwork(network) => &network.block,
        StatementKind::Subnet(subnet) => &subnet.block,
        StatementKind::Subnet6(subnet) => &subnet.block,
        StatementKind::Class(class) => &class.block,
        StatementKind::Subclass(subclass) => subclass.block.as_ref()?,
        StatementKind::OldClass(class) => class.block.as_ref()?,
        StatementKind::Pool(block) | StatementKind::Pool6(block) => block,
        StatementKind::If(clause) => &clause.branches.first()?.1,
        StatementKind::Switch(switch) => &switch.block,
        StatementKind::On(on) => on.block.as_ref()?,
        StatementKind::Function(function) => &function.block,
        StatementKind::Malformed(malformed) => malformed.block.as_ref()?,
        _ => return None,
    })
}

/// Our code, and dhcpd's words where they do not depend on how it got there.
fn words(kind: &FaultKind, after_declaration: bool) -> (Code, Option<String>) {
    let no_statement = || {
        let words = if after_declaration {
            "expecting a declaration"
        } else {
            "expecting a parameter or declaration"
        };
        Some(words.to_owned())
    };
    let said = |text: &str| Some(text.to_owned());
    match kind {
        FaultKind::Unexpected | FaultKind::KeywordAsName => (Code::Syntax, None),
        FaultKind::UnknownStatement => (Code::UnknownStatement, no_statement()),
        FaultKind::StrayBrace | FaultKind::StraySemicolon => (Code::StrayToken, no_statement()),
        FaultKind::LabelOutsideSwitch => (Code::CaseOutside, said("case statement in inappropriate scope.")),
        FaultKind::UnexpectedEnd => (Code::UnexpectedEnd, said("unexpected end of file")),
        FaultKind::UnclosedBlock => (Code::UnclosedBlock, said("unexpected end of file")),
        FaultKind::UnclosedString => (Code::BadString, said("eof in string constant")),
        FaultKind::BadEscape => (Code::BadString, None),
        FaultKind::TokenTooLong => (Code::TokenTooLong, said("token larger than internal buffer")),
        FaultKind::WhiteSpaceTooLong => (Code::TokenTooLong, said("whitespace too long, buffer overflow.")),
        FaultKind::BadNumber { .. } => (Code::BadNumber, None),
        FaultKind::BadIntegerSize => (Code::BadNumber, None),
        FaultKind::BadIp6 => (Code::BadAddress, said("Invalid IPv6 address.")),
        FaultKind::BadPrefixLength => (Code::BadPrefix, said("networks have 0 to 128 bits")),
        FaultKind::BadBase64 => (Code::ValueExpected, None),
        FaultKind::HardwareAddressTooLong => (Code::ValueExpected, said("hardware address too long")),
        FaultKind::Type(fault) => (Code::BadExpressionType, Some(fault.to_string())),
        FaultKind::TooDeep => (Code::TooDeep, None),
        FaultKind::IncludeCycle | FaultKind::Include | FaultKind::FileTooLarge => (Code::Include, None),
    }
}
