//! Executable statements (ISC `common/parse.c:parse_executable_statement`).

use super::expression::{Context, no_variable};
use super::lexer::{Kind, Token};
use super::{Lost, Walk};
use crate::config::network::ScopeId;
use crate::config::tree::{Combine, Expr, Statement};
use crate::options::{OptionId, Spaces};
use crate::syntax::ExprType;
use std::sync::Arc;

/// `Ok(false)`: no statement, and the error is not claimed (ISC: 0, and `lose` is not set).
type Executed = Result<bool, Lost>;

/// What `allow`, `deny` and `ignore` take.
const PERMISSIONS: [&str; 8] = [
    "bootp",
    "booting",
    "dynamic-bootp",
    "unknown-clients",
    "duplicates",
    "declines",
    "client-updates",
    "leasequery",
];

/// The code of `dhcp-client-identifier`.
const CLIENT_IDENTIFIER: u32 = 61;

/// An `if` with the client identifiers that a statement sets somewhere inside: in a host dhcpd says that it may not.
fn conditional(identifiers: Vec<OptionId>) -> Statement {
    if identifiers.is_empty() {
        return Statement::Nothing;
    }
    let value = Arc::new(Expr::Null);
    let set = |option| Statement::Option { combine: Combine::Supersede, option, value: value.clone() };
    let then = identifiers.into_iter().map(set).collect();
    Statement::If { condition: Expr::Known, then, otherwise: Arc::from([]) }
}

impl Walk<'_> {
    /// An executable statement among declarations. `Ok(false)`: no statement, and the error is not claimed (ISC: 0, and
    /// `lose` is not set).
    pub(super) fn executable_statement(&mut self, scope: ScopeId) -> Result<bool, Lost> {
        let word = self.peek().kind;
        self.client_identifiers.clear();
        let read = self.executable(Context::Any);
        if read == Ok(true) {
            let block = !self.lease_file && matches!(word, Kind::Keyword("if" | "on" | "switch"));
            let identifiers = if block { std::mem::take(&mut self.client_identifiers) } else { Vec::new() };
            self.builder.push_statement(scope, conditional(identifiers));
        }
        read
    }

    /// A statement. `cases` says what the labels of the `switch` around it are; [`Context::Any`] when there is none.
    fn executable(&mut self, cases: Context) -> Executed {
        let token = self.peek();
        if let Kind::Keyword(word) = token.kind {
            let read = match word {
                "db-time-format" => Self::db_time_format,
                "if" => |walk: &mut Self| {
                    walk.next();
                    walk.nested(Self::if_statement)
                },
                "add" => Self::add,
                "break" | "parse-vendor-option" => Self::bare_word,
                "send" | "supersede" | "option" | "prepend" | "append" => |walk: &mut Self| {
                    walk.next();
                    walk.named_option()
                },
                "allow" | "deny" | "ignore" => Self::permission,
                "on" => Self::on,
                "unset" => Self::unset,
                "eval" | "return" => Self::eval,
                "execute" => Self::execute,
                "log" => Self::log_statement,
                "zone" => |walk: &mut Self| {
                    walk.next();
                    walk.zone_statement()
                },
                "key" => |walk: &mut Self| {
                    walk.next();
                    walk.key_statement()
                },
                "default" => return self.default_statement(cases),
                "switch" => return self.nested(Self::switch),
                "case" => return self.case(cases),
                "define" | "set" => return self.nested(|walk| walk.set(word, cases)),
                _ => return self.parameter(&token),
            };
            return read(self);
        }
        self.parameter(&token)
    }

    /// Statements up to one that is none (ISC `parse_executable_statements`).
    pub(super) fn executables(&mut self, cases: Context) -> Result<(), Lost> {
        while self.executable(cases)? {}
        Ok(())
    }

    fn semicolon_or_lose(&mut self) -> Executed {
        if self.cursor.semicolon() { Ok(true) } else { Err(Lost) }
    }

    /// A server parameter, or an expression for its own sake.
    fn parameter(&mut self, token: &Token) -> Executed {
        if token.is_identifier() {
            let option = self.builder.config().spaces.option_named(Spaces::SERVER, token.c_text());
            if let Some(option) = option {
                self.next();
                return Ok(self.option_statement(option, true).is_some());
            }
        }
        if !token.is_name() {
            return Ok(false);
        }
        self.expression_statement(Context::Data, "expecting function call.")
    }

    /// An expression and its semicolon. When there is none that is said, but not claimed.
    fn expression_statement(&mut self, context: Context, missing: &str) -> Executed {
        match self.expression(context) {
            Ok(Some(_)) => self.semicolon_or_lose(),
            Ok(None) => {
                self.warn(missing);
                self.cursor.skip_to_semicolon();
                Ok(false)
            }
            Err(Lost) => {
                self.cursor.skip_to_semicolon();
                Err(Lost)
            }
        }
    }

    /// `option NAME VALUE;` after its verb.
    fn named_option(&mut self) -> Executed {
        match self.option_name(false) {
            Some(option) => {
                let read = self.option_statement(option, false).is_some();
                let identifier = option.space == Spaces::DHCP && option.code == CLIENT_IDENTIFIER;
                if read && identifier {
                    self.client_identifiers.push(option);
                }
                Ok(read)
            }
            None => Err(Lost),
        }
    }

    fn bare_word(&mut self) -> Executed {
        self.next();
        self.semicolon_or_lose()
    }

    fn db_time_format(&mut self) -> Executed {
        self.next();
        let token = self.next();
        if !token.is_word("default") && !token.is_word("local") {
            self.warn("Expecting 'local' or 'default'.");
            if !token.is(b';') {
                self.cursor.skip_to_semicolon();
            }
            return Err(Lost);
        }
        if self.next().is(b';') { Ok(true) } else { self.lose("Expecting a semicolon.") }
    }

    fn add(&mut self) -> Executed {
        self.next();
        let token = self.next();
        if token.kind != Kind::String {
            return self.lose_statement("expecting class name.");
        }
        if self.builder.find_class(token.c_text()).is_none() {
            return self.lose_statement([b"class ", token.c_text(), b": not found"].concat());
        }
        self.semicolon_or_lose()
    }

    /// `allow`, `deny` and `ignore`; a missing semicolon is said, but harms nothing.
    fn permission(&mut self) -> Executed {
        self.next();
        let token = self.next();
        if !PERMISSIONS.iter().any(|word| token.kind == Kind::Keyword(word)) {
            self.warn("expecting allow/deny key");
            self.cursor.skip_to_semicolon();
            return Ok(false);
        }
        self.cursor.semicolon();
        Ok(true)
    }

    fn default_statement(&mut self, cases: Context) -> Executed {
        self.next();
        if !self.peek().is(b':') {
            return self.named_option();
        }
        self.next();
        if cases == Context::Any {
            return self.lose("switch default statement in inappropriate scope.");
        }
        Ok(true)
    }

    fn case(&mut self, cases: Context) -> Executed {
        self.next();
        if cases == Context::Any {
            return self.lose_statement("case statement in inappropriate scope.");
        }
        match self.expression(cases) {
            Ok(Some(_)) => {}
            Ok(None) => {
                let what = if cases == Context::Data { "data" } else { "numeric" };
                return self.lose_statement(format!("expecting {what} expression."));
            }
            Err(Lost) => {
                self.cursor.skip_to_semicolon();
                return Err(Lost);
            }
        }
        if self.next().is(b':') { Ok(true) } else { self.lose_statement("colon expected.") }
    }

    /// ISC `parse_switch_statement`
    fn switch(&mut self) -> Executed {
        self.next();
        if !self.next().is(b'(') {
            return self.lose_statement("expecting left brace.");
        }
        let cases = match self.expression(Context::DataOrNumeric)? {
            Some(ExprType::Data) => Context::Data,
            Some(_) => Context::Numeric,
            None => return self.lose_statement("expecting data or numeric expression."),
        };
        if !self.next().is(b')') {
            return self.lose_statement("right paren expected.");
        }
        if !self.next().is(b'{') {
            return self.lose_statement("left brace expected.");
        }
        if self.executables(cases).is_err() {
            self.cursor.skip_to_brace(1);
            return Err(Lost);
        }
        self.right_brace()
    }

    fn right_brace(&mut self) -> Executed {
        if self.next().is(b'}') { Ok(true) } else { self.lose_statement("right brace expected.") }
    }

    /// ISC `parse_on_statement`
    fn on(&mut self) -> Executed {
        self.next();
        let after = loop {
            if !matches!(self.next().kind, Kind::Keyword("expiry" | "commit" | "release" | "transmission")) {
                return self.lose_statement("expecting a lease event type");
            }
            let token = self.next();
            if !token.is_word("or") {
                break token;
            }
        };
        if after.is(b';') {
            return Ok(true);
        }
        if !after.is(b'{') {
            return self.lose_statement("left brace expected.");
        }
        self.nested(Self::block)
    }

    /// Statements and the closing brace. After an error all is dropped up to the next closing brace, whatever it
    /// closes.
    fn block(&mut self) -> Executed {
        if self.executables(Context::Any).is_ok() {
            return self.right_brace();
        }
        loop {
            let token = self.next();
            if token.kind == Kind::End || token.is(b'}') {
                return Err(Lost);
            }
        }
    }

    /// ISC `parse_if_statement`, `if` or `elsif` being consumed. Any number of branches one after the other; whatever
    /// goes wrong in one ends them all.
    fn if_statement(&mut self) -> Executed {
        loop {
            let parenthesis = self.peek().is(b'(');
            if parenthesis {
                self.next();
            }
            if self.boolean_expression()?.is_none() {
                return self.lose("boolean expression expected.");
            }
            if parenthesis && !self.next().is(b')') {
                return self.lose("expecting right paren.");
            }
            if !self.next().is(b'{') {
                return self.lose_statement("left brace expected.");
            }
            self.block()?;
            match self.peek().kind {
                Kind::Keyword("elsif") => {
                    self.next();
                    continue;
                }
                Kind::Keyword("else") => {
                    self.next();
                }
                _ => return Ok(true),
            }
            match self.peek().kind {
                Kind::Keyword("if") => {
                    self.next();
                }
                Kind::Char(b'{') => {
                    self.next();
                    // Here nothing is dropped after an error.
                    self.executables(Context::Any)?;
                    return self.right_brace();
                }
                _ => return self.lose_statement("left brace or if expected."),
            }
        }
    }

    /// `set` and `define`, with a value or a function.
    fn set(&mut self, verb: &str, cases: Context) -> Executed {
        self.next();
        let name = self.next();
        if !name.is_name() {
            return self.lose_statement(no_variable(&name));
        }
        let token = self.next();
        if token.is(b'(') {
            return self.function_definition(cases);
        }
        if !token.is(b'=') {
            return self.lose_statement(format!("expecting '=' in {verb} statement."));
        }
        self.expression_statement(Context::Any, "expecting expression.")
    }

    fn function_definition(&mut self, cases: Context) -> Executed {
        let mut token;
        loop {
            token = self.next();
            if token.is(b')') {
                break;
            }
            if !token.is_name() {
                return self.lose_statement("expecting argument name");
            }
            token = self.next();
            if !token.is(b',') {
                break;
            }
        }
        if !token.is(b')') {
            return self.lose_statement("expecting right paren.");
        }
        if !self.next().is(b'{') {
            return self.lose_statement("expecting left brace.");
        }
        if self.executables(cases).is_err() {
            self.cursor.skip_to_semicolon();
            return Err(Lost);
        }
        if self.next().is(b'}') { Ok(true) } else { self.lose_statement("expecting right brace.") }
    }

    fn unset(&mut self) -> Executed {
        self.next();
        let name = self.next();
        if !name.is_name() {
            return self.lose_statement(no_variable(&name));
        }
        self.semicolon_or_lose()
    }

    /// `eval` and `return`. A missing semicolon after `eval` or `execute` does not keep dhcpd from reading on.
    fn eval(&mut self) -> Executed {
        let eval = self.next().is_word("eval");
        if !eval {
            return self.expression_statement(Context::Data, "expecting data expression.");
        }
        match self.expression(Context::Data) {
            Ok(Some(_)) => {
                self.cursor.semicolon();
                Ok(true)
            }
            Ok(None) => {
                self.warn("expecting data expression.");
                self.cursor.skip_to_semicolon();
                Ok(false)
            }
            Err(Lost) => {
                self.cursor.skip_to_semicolon();
                Err(Lost)
            }
        }
    }

    fn execute(&mut self) -> Executed {
        self.next();
        if !self.next().is(b'(') {
            return self.lose_statement("left parenthesis expected.");
        }
        if self.next().kind != Kind::String {
            return self.lose_statement("Expecting a quoted string.");
        }
        let mut token = self.next();
        while token.is(b',') {
            match self.data_expression() {
                Ok(Some(_)) => {}
                Ok(None) => return self.lose_statement("expecting expression."),
                Err(Lost) => {
                    self.cursor.skip_to_semicolon();
                    return Err(Lost);
                }
            }
            token = self.next();
        }
        if !token.is(b')') {
            return self.lose_statement("right parenthesis expected.");
        }
        self.cursor.semicolon();
        Ok(true)
    }

    /// `log`. A missing expression is skipped without a word.
    fn log_statement(&mut self) -> Executed {
        self.next();
        if !self.next().is(b'(') {
            return self.lose_statement("left parenthesis expected.");
        }
        if matches!(self.peek().kind, Kind::Keyword("fatal" | "error" | "debug" | "info")) {
            self.next();
            if !self.next().is(b',') {
                return self.lose_statement("comma expected.");
            }
        }
        if !matches!(self.data_expression(), Ok(Some(_))) {
            self.cursor.skip_to_semicolon();
            return Err(Lost);
        }
        if !self.next().is(b')') {
            return self.lose_statement("right parenthesis expected.");
        }
        if !self.next().is(b';') {
            return self.lose_statement("semicolon expected.");
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
