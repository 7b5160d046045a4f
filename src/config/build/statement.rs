//! Executable statements (ISC `common/parse.c:parse_executable_statement`).

use super::key_zone::ZoneServer;
use super::text::octets;
use super::{Builder, Refused};
use crate::config::diagnostic::{Code, Diagnostic, Severity};
use crate::config::tree::{Block, Combine, Events, Expr, Function, LogPriority, Octets, Statement};
use crate::options::{OptionId, Spaces};
use crate::syntax::{
    self, AddressOrHost, Event, KeyStatementKind, OptionValue, OptionVerb, PermissionKey, PermissionVerb,
    Span, StatementKind, ZoneStatementKind,
};
use std::sync::Arc;

/// How many branches an `if` may have: each `elsif` is one level deeper, and the tree is walked recursively.
const MOST_BRANCHES: usize = 1000;

/// What an executable statement turned out to be.
pub(super) enum Executed {
    /// A statement to be run.
    Statement(Statement),
    /// Something that acts when it is read (`zone`, `key`, `db-time-format`).
    Done,
    /// A statement that dhcpd loses without a word, and the rest of the block it stands in with it.
    Swallowed,
}

/// How dhcpd goes on in a block after a statement that it lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recovery {
    /// Drops all up to the next closing brace, whatever it closes (`if`, `elsif`, `on`).
    NextBrace,
    /// Drops all up to the end of the block (`switch`).
    End,
    /// Drops all up to the next semicolon or closing brace (functions).
    Semicolon,
    /// Drops nothing, and is out of the block all the same (`else`).
    Nothing,
}

impl Builder {
    /// An executable statement. Declarations are refused.
    pub(super) fn executable(&mut self, written: &syntax::Statement) -> Result<Executed, Refused> {
        let span = written.span;
        self.at(span);
        let statement = match &written.kind {
            StatementKind::If(clause) => {
                match self.if_statement(&clause.branches, clause.otherwise.as_ref())? {
                    Some(statement) => statement,
                    None => return Ok(Executed::Swallowed),
                }
            }
            StatementKind::Switch(switch) => Statement::Switch {
                on: self.expression(&switch.expression)?,
                body: match self.block(&switch.block, Recovery::End)? {
                    Some(body) => body,
                    None => return Ok(Executed::Swallowed),
                },
            },
            StatementKind::Case(label) => Statement::Case(self.expression(label)?),
            StatementKind::DefaultCase => Statement::DefaultCase,
            StatementKind::Break => Statement::Break,
            StatementKind::On(on) => {
                let mut events = Events::default();
                for (event, _) in &on.events {
                    match event {
                        Event::Expiry => events.expiry = true,
                        Event::Commit => events.commit = true,
                        Event::Release => events.release = true,
                        Event::Transmission => events.transmission = true,
                    }
                }
                self.in_handler += 1;
                let body = on.block.as_ref().map(|block| self.block(block, Recovery::NextBrace)).transpose();
                self.in_handler -= 1;
                let Some(body) = body?.map_or(Some(None), |body| body.map(Some)) else {
                    return Ok(Executed::Swallowed);
                };
                Statement::On { events, body }
            }
            StatementKind::Option(option) => {
                let id = self.option_of(&option.name)?;
                self.option_statement(combine(option.verb), id, &option.value, span)?
            }
            StatementKind::Permission(permission) => {
                let Some(key) = permission.key else { return Err(self.refuse_key()) };
                self.permission(permission.verb, key)?
            }
            StatementKind::Word(word) => {
                match self.config.spaces.option_named(Spaces::SERVER, &word.name.text) {
                    Some(id) => match &word.value {
                        Some(value) => self.option_statement(Combine::Supersede, id, value, span)?,
                        None => {
                            let isc = "expecting a data expression.";
                            return Err(self.refuse(Code::ValueExpected, isc));
                        }
                    },
                    None => match &word.expression {
                        Some(expression) => Statement::Eval(self.expression(expression)?),
                        None => return Err(self.unknown_word_statement(word)),
                    },
                }
            }
            StatementKind::Add(name) => match self.find_class(&name.text) {
                Some(class) => Statement::Add(class),
                None => {
                    let isc = octets!("class ", name.text, ": not found");
                    return Err(self.refuse(Code::ClassUnknown, isc));
                }
            },
            StatementKind::ParseVendorOption => Statement::ParseVendorOption,
            StatementKind::DbTimeFormat(local) => {
                self.set_db_time_format(*local);
                return Ok(Executed::Done);
            }
            StatementKind::Set(set) => {
                let name = self.name(&set.name.text);
                let value = self.expression(&set.value)?;
                if set.define {
                    // dhcpd binds something that is a function and does nothing sensible.
                    let function = Arc::new(Function { parameters: Vec::new(), body: Arc::from([]) });
                    Statement::Define { name, function }
                } else {
                    Statement::Set { name, value }
                }
            }
            StatementKind::Function(function) => {
                let name = self.name(&function.name.text);
                let parameters = function.arguments.iter().map(|word| self.name(&word.text)).collect();
                let Some(body) = self.block(&function.block, Recovery::Semicolon)? else {
                    return Ok(Executed::Swallowed);
                };
                let definition = Arc::new(Function { parameters, body });
                if function.define {
                    Statement::Define { name, function: definition }
                } else {
                    Statement::Set { name, value: Expr::Function(definition) }
                }
            }
            StatementKind::Unset(name) => Statement::Unset(self.name(&name.text)),
            StatementKind::Eval(expression) => Statement::Eval(self.expression(expression)?),
            StatementKind::Return(expression) => Statement::Return(Some(self.expression(expression)?)),
            StatementKind::Log(log) => Statement::Log {
                priority: match log.priority {
                    Some(syntax::LogPriority::Fatal) => LogPriority::Fatal,
                    Some(syntax::LogPriority::Error) => LogPriority::Error,
                    Some(syntax::LogPriority::Info) => LogPriority::Info,
                    Some(syntax::LogPriority::Debug) | None => LogPriority::Debug,
                },
                value: Some(self.expression(&log.data)?),
            },
            StatementKind::LogNothing(_) => {
                self.swallowed(span, "there is nothing to log");
                return Ok(Executed::Swallowed);
            }
            StatementKind::Execute(execute) => {
                let mut arguments = Vec::with_capacity(execute.arguments.len());
                for argument in &execute.arguments {
                    arguments.push(self.expression(argument)?);
                }
                let command = execute.command.text.split(|c| *c == 0).next().unwrap_or_default();
                Statement::Execute { command: Octets::new(command), arguments }
            }
            StatementKind::Zone(zone) => {
                self.zone(zone)?;
                return Ok(Executed::Done);
            }
            StatementKind::Key(key) => {
                self.key(key)?;
                return Ok(Executed::Done);
            }
            StatementKind::Malformed(malformed) => return Err(self.malformed(malformed, false)),
            _ => {
                let diagnostic = Diagnostic::error(Code::NotExecutable, span, "right brace expected.")
                    .message("only executable statements may stand here, no declarations");
                return Err(self.report(diagnostic));
            }
        };
        Ok(Executed::Statement(statement))
    }

    /// The statements of an executable block. One that is refused leaves the rest to be looked at. `None`: dhcpd drops
    /// the block without a word.
    pub(super) fn block(
        &mut self,
        block: &syntax::Block,
        recovery: Recovery,
    ) -> Result<Option<Block>, Refused> {
        let mut list = Vec::with_capacity(block.statements.len());
        let mut refused = None;
        let lost = block.statements.iter().position(swallowed);
        if lost.is_some() && !block.closed && recovery != Recovery::Nothing {
            self.drop_faults(Span { end: block.span.start.saturating_add(1), ..block.span });
        }
        for (at, written) in block.statements.iter().enumerate() {
            self.flush_faults_before(written);
            match self.executable(written) {
                Ok(Executed::Statement(Statement::Nothing)) => {}
                Ok(Executed::Statement(statement)) => list.push(statement),
                Ok(Executed::Done) => {
                    // dhcpd crashes when another statement follows.
                    if let Some(next) = block.statements.get(at + 1) {
                        let diagnostic = Diagnostic::own(
                            Code::NotLast,
                            Severity::Error,
                            next.span,
                            "nothing may follow zone, key or db-time-format in an executable block",
                        )
                        .label(written.span, "must be the last statement");
                        refused = Some(self.report(diagnostic));
                    }
                }
                Ok(Executed::Swallowed) => {
                    let rest = block.statements.get(at + 1..).unwrap_or_default();
                    let goes_on = match recovery {
                        Recovery::NextBrace => rest.iter().any(has_braces),
                        Recovery::End => false,
                        Recovery::Semicolon => !rest.is_empty(),
                        Recovery::Nothing => true,
                    };
                    if goes_on {
                        let text = "this statement is lost, and with it which brace closes which block";
                        let finding = Diagnostic::own(Code::Swallowed, Severity::Error, written.span, text);
                        return Err(self.report(finding));
                    }
                    self.drop_faults(Span { start: written.span.end, ..block.span });
                    return refused.map_or(Ok(None), Err);
                }
                Err(why) => refused = Some(why),
            }
            if self.stopped() {
                return Err(Refused);
            }
        }
        match refused {
            Some(why) => Err(why),
            None => Ok(Some(list.into())),
        }
    }

    /// Says that dhcpd skips something without a word.
    pub(super) fn swallowed(&mut self, span: Span, why: &str) {
        let finding = Diagnostic::own(Code::Swallowed, Severity::Warning, span, why).note(
            "ISC dhcpd skips this without a word, and inside an executable block the whole block with it",
        );
        self.report(finding);
    }

    fn if_statement(
        &mut self,
        branches: &[(syntax::Expr, syntax::Block)],
        otherwise: Option<&syntax::Block>,
    ) -> Result<Option<Statement>, Refused> {
        if branches.len() > MOST_BRANCHES {
            let text = format!("more than {MOST_BRANCHES} branches in one if statement");
            return Err(self.report(Diagnostic::own(Code::TooDeep, Severity::Error, self.span, text)));
        }
        let mut conditions = Vec::with_capacity(branches.len());
        let mut refused = false;
        for (at, (condition, written)) in branches.iter().enumerate() {
            let condition = self.expression(condition);
            let block = self.block(written, Recovery::NextBrace);
            match (condition, block) {
                (Ok(condition), Ok(Some(block))) => conditions.push((condition, block)),
                (Ok(_), Ok(None)) if at + 1 == branches.len() && otherwise.is_none() => {
                    return if refused { Err(Refused) } else { Ok(None) };
                }
                (Ok(_), Ok(None)) => {
                    let text = "the block above is lost, so that this follows no if";
                    return Err(self.report(Diagnostic::own(
                        Code::Swallowed,
                        Severity::Error,
                        written.span,
                        text,
                    )));
                }
                _ => refused = true,
            }
        }
        let mut rest: Block = Arc::from([]);
        if let Some(block) = otherwise {
            match self.block(block, Recovery::Nothing)? {
                Some(block) => rest = block,
                None => return Ok(None),
            }
        }
        if refused {
            return Err(Refused);
        }
        // From the last branch inwards, each `elsif` an `else` block with one `if`.
        while let Some((condition, then)) = conditions.pop() {
            let statement = Statement::If { condition, then, otherwise: rest };
            if conditions.is_empty() {
                return Ok(Some(statement));
            }
            rest = Arc::from([statement]);
        }
        // The grammar gives every `if` a branch.
        Err(Refused)
    }

    /// A statement that sets an option.
    pub(super) fn option_statement(
        &mut self,
        combine: Combine,
        option: OptionId,
        value: &OptionValue,
        span: Span,
    ) -> Result<Statement, Refused> {
        let end = Span::new(span.file, span.end.saturating_sub(1).max(span.start), span.end);
        let value = match value {
            OptionValue::Expression(expression) => self.expression(expression)?,
            OptionValue::Literal(tokens) => self.literal_value(option, tokens, end)?,
            OptionValue::None => self.no_value(option, end)?,
            OptionValue::Semicolon | OptionValue::Missing => {
                self.absent_value(option, value, span)?;
                return Ok(Statement::Nothing);
            }
        };
        self.at(span);
        self.note_unsupported_parameter(option, &value);
        Ok(Statement::Option { combine, option, value: Arc::new(value) })
    }

    /// Parameters that would change what the server does, but are not served yet.
    fn note_unsupported_parameter(&mut self, option: OptionId, value: &Expr) {
        if option.space != Spaces::SERVER {
            return;
        }
        let name = self.config.spaces.name(option).into_owned();
        let none = matches!(value, Expr::Data(octets) if octets.as_slice() == [0]);
        match name.as_str() {
            "omapi-port" | "omapi-key" => self.unsupported(name),
            "ddns-update-style" if !none => self.unsupported("ddns-update-style other than none"),
            _ => {}
        }
    }

    /// `allow`, `deny` and `ignore` of a server option.
    pub(super) fn permission(
        &mut self,
        verb: PermissionVerb,
        key: PermissionKey,
    ) -> Result<Statement, Refused> {
        let name = match key {
            PermissionKey::Bootp => "allow-bootp",
            PermissionKey::Booting => "allow-booting",
            PermissionKey::DynamicBootp => "dynamic-bootp",
            PermissionKey::UnknownClients => "boot-unknown-clients",
            PermissionKey::Duplicates => "duplicates",
            PermissionKey::Declines => "declines",
            PermissionKey::ClientUpdates => "client-updates",
            PermissionKey::Leasequery => "leasequery",
        };
        let value = match verb {
            PermissionVerb::Allow => 1,
            PermissionVerb::Deny => 0,
            PermissionVerb::Ignore => 2,
        };
        // The server's own options cannot be taken away: definitions add to that space at most.
        let Some(option) = self.config.spaces.option_named(Spaces::SERVER, name) else { return Err(Refused) };
        let value = Arc::new(Expr::Data(Octets::new(&[value])));
        Ok(Statement::Option { combine: Combine::Supersede, option, value })
    }

    /// A word that `allow`, `deny` and `ignore` do not take outside of pools.
    pub(super) fn refuse_key(&mut self) -> Refused {
        let diagnostic = Diagnostic::error(Code::AllowKey, self.span, "expecting allow/deny key")
            .message("allow, deny and ignore do not take this outside of a pool")
            .note(
                "they take bootp, booting, dynamic-bootp, unknown-clients, duplicates, declines, client-updates and \
                 leasequery; permits such as \"known clients\" belong into a pool",
            );
        self.report(diagnostic)
    }

    fn unknown_word_statement(&mut self, word: &syntax::WordStatement) -> Refused {
        let shown = String::from_utf8_lossy(&word.name.text).into_owned();
        let isc = if word.name.class.is_variable_name() {
            "semicolon expected."
        } else {
            "expecting a parameter or declaration"
        };
        let diagnostic = Diagnostic::error(Code::UnknownStatement, self.span, isc)
            .message(format!("{shown} is no statement and no parameter"));
        self.report(diagnostic)
    }

    fn zone(&mut self, written: &syntax::Zone) -> Result<(), Refused> {
        let mut zone = self.open_zone(&written.name.text);
        for statement in &written.statements {
            self.at(statement.span);
            match &statement.kind {
                ZoneStatementKind::Primary(servers) => {
                    let servers = self.addresses(servers, false);
                    self.set_zone_servers(&mut zone, ZoneServer::Primary, servers)?;
                }
                ZoneStatementKind::Secondary(servers) => {
                    let servers = self.addresses(servers, false);
                    self.set_zone_servers(&mut zone, ZoneServer::Secondary, servers)?;
                }
                ZoneStatementKind::Primary6(servers) => {
                    let servers = servers.iter().map(|server| server.address).collect();
                    self.set_zone_servers6(&mut zone, ZoneServer::Primary, servers)?;
                }
                ZoneStatementKind::Secondary6(servers) => {
                    let servers = servers.iter().map(|server| server.address).collect();
                    self.set_zone_servers6(&mut zone, ZoneServer::Secondary, servers)?;
                }
                ZoneStatementKind::Key(name) => {
                    let known = self.set_zone_key(&mut zone, &name.text);
                    if self.stopped() {
                        return known;
                    }
                }
                ZoneStatementKind::Malformed(malformed) => return Err(self.malformed(malformed, false)),
            }
        }
        self.close_zone(zone);
        Ok(())
    }

    fn key(&mut self, written: &syntax::Key) -> Result<(), Refused> {
        let mut key = self.open_key(&written.name.text);
        for statement in &written.statements {
            self.at(statement.span);
            match &statement.kind {
                KeyStatementKind::Algorithm(name) => {
                    self.expect_algorithm(&key)?;
                    self.set_algorithm(&mut key, &name.text);
                }
                KeyStatementKind::Secret(secret) => {
                    self.expect_secret(&key)?;
                    self.set_secret(&mut key, secret);
                }
                KeyStatementKind::Malformed(malformed) => return Err(self.malformed(malformed, false)),
            }
        }
        self.close_key(key)
    }

    /// Addresses and host names as one expression; of a name outside a `uniform` list only the first address counts.
    pub(super) fn addresses(&mut self, written: &[AddressOrHost], uniform: bool) -> Expr {
        let parts = written
            .iter()
            .map(|one| match one {
                AddressOrHost::Address(address) => Expr::Data(Octets::new(&address.address.octets())),
                AddressOrHost::Host(name) => self.host_lookup(&name.text, uniform),
            })
            .collect();
        super::expression::joined(parts, true).unwrap_or(Expr::Null)
    }
}

/// Whether dhcpd loses a statement without a word.
fn swallowed(statement: &syntax::Statement) -> bool {
    let inside = |block: &syntax::Block| block.statements.iter().any(swallowed);
    match &statement.kind {
        StatementKind::LogNothing(_) => true,
        StatementKind::If(clause) => {
            clause.branches.iter().any(|(_, block)| inside(block))
                || clause.otherwise.as_ref().is_some_and(inside)
        }
        StatementKind::Switch(switch) => inside(&switch.block),
        StatementKind::On(on) => on.block.as_ref().is_some_and(inside),
        StatementKind::Function(function) => inside(&function.block),
        _ => false,
    }
}

/// Whether a statement holds a closing brace.
fn has_braces(statement: &syntax::Statement) -> bool {
    matches!(
        statement.kind,
        StatementKind::If(_)
            | StatementKind::Switch(_)
            | StatementKind::On(_)
            | StatementKind::Function(_)
            | StatementKind::Zone(_)
            | StatementKind::Key(_)
            | StatementKind::Malformed(_)
    )
}

fn combine(verb: OptionVerb) -> Combine {
    match verb {
        OptionVerb::Option | OptionVerb::Supersede | OptionVerb::Send => Combine::Supersede,
        OptionVerb::Append => Combine::Append,
        OptionVerb::Prepend => Combine::Prepend,
        OptionVerb::Default => Combine::Default,
    }
}
