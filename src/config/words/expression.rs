//! Expressions (ISC `common/parse.c:parse_expression`).
//!
//! Only the type of an expression matters here, as it decides what is said next; what comes out stands for any
//! expression of that type.

use super::lexer::{Kind, Token};
use super::{Lost, Walk};
use crate::config::tree::Expr;
use crate::syntax::{BinaryOperator, ExprType, TypeFault};

/// `Ok(None)`: there is no expression, and the error is not claimed (ISC: 0, and `lose` is not set).
pub(super) type Found<T> = Result<Option<T>, Lost>;

/// What a place wants (ISC `enum expression_context`). It matters for numbers only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Context {
    Any,
    Boolean,
    Data,
    Numeric,
    DataOrNumeric,
}

/// An operand of an operator that is written like a function.
#[derive(Clone, Copy)]
enum Operand {
    Data,
    /// Numeric; without one, what dhcpd asks for.
    Numeric(&'static str),
    /// 8, 16 or 32.
    Width,
}

const NEED_DATA: &str = "expecting data expression.";
const NEED_NUMERIC: &str = "expecting numeric expression.";

/// Operators with a fixed list of operands.
const FUNCTIONS: &[(&str, ExprType, &[Operand])] = {
    use ExprType::{Data, Numeric};
    use Operand::Width;
    const D: Operand = Operand::Data;
    const N: Operand = Operand::Numeric(NEED_NUMERIC);
    // Some of dhcpd's operators ask for data where they want a number.
    const M: Operand = Operand::Numeric(NEED_DATA);
    &[
        ("substring", Data, &[D, N, N]),
        ("suffix", Data, &[D, N]),
        ("lcase", Data, &[D]),
        ("ucase", Data, &[D]),
        ("binary-to-ascii", Data, &[M, M, D, D]),
        ("reverse", Data, &[M, D]),
        ("packet", Data, &[N, N]),
        ("v6relay", Data, &[M, D]),
        ("extract-int", Numeric, &[D, Width]),
    ]
};

impl Walk<'_> {
    /// A boolean expression (ISC `parse_boolean_expression`).
    pub(super) fn boolean_expression(&mut self) -> Found<Expr> {
        self.typed_expression(Context::Boolean, ExprType::Boolean, TypeFault::WantBoolean)
    }

    /// A data expression (ISC `parse_data_expression`).
    pub(super) fn data_expression(&mut self) -> Found<Expr> {
        self.typed_expression(Context::Data, ExprType::Data, TypeFault::WantData)
    }

    fn numeric_expression(&mut self) -> Found<Expr> {
        self.typed_expression(Context::Numeric, ExprType::Numeric, TypeFault::WantNumeric)
    }

    fn typed_expression(&mut self, context: Context, wanted: ExprType, fault: TypeFault) -> Found<Expr> {
        let Some(found) = self.expression(context)? else { return Ok(None) };
        if found != wanted && found != ExprType::Any {
            self.warn(fault.to_string());
            return Err(Lost);
        }
        Ok(Some(representative(found)))
    }

    /// An expression of any type (ISC `parse_expression`). Where an operator binds tighter than the one before it,
    /// dhcpd calls itself for all that follows; here that is a stack, as every `and a = b` is such a place.
    pub(super) fn expression(&mut self, context: Context) -> Found<ExprType> {
        let mut context = context;
        // Left sides and operators, the outer ones first. The last is the one at hand.
        let mut open: Vec<(ExprType, BinaryOperator)> = Vec::new();
        loop {
            let operand = match self.nested(|walk| walk.operand(context)) {
                Ok(Some(operand)) => operand,
                Ok(None) if open.is_empty() => return Ok(None),
                found => return self.or_lose(found, "expecting right-hand side.").map(Some),
            };
            let next = self.operator()?;
            if next.is_some() {
                context = context_of(operand);
            }
            match (open.last().copied(), next) {
                (None, None) => return Ok(Some(operand)),
                (None, Some(next)) => open.push((operand, next)),
                (Some((_, operator)), Some(next)) if operator.precedence() < next.precedence() => {
                    context = operand_context(next);
                    open.push((operand, next));
                }
                (Some((left, operator)), Some(next)) => {
                    self.expect_types(left, operator, operand)?;
                    open.pop();
                    open.push((operator.result_type(), next));
                }
                (Some(_), None) => {
                    let mut right = operand;
                    while let Some((left, operator)) = open.pop() {
                        self.expect_types(left, operator, right)?;
                        right = operator.result_type();
                    }
                    return Ok(Some(right));
                }
            }
            self.next();
        }
    }

    /// The binary operator that follows. Its last character is only looked at.
    fn operator(&mut self) -> Result<Option<BinaryOperator>, Lost> {
        use BinaryOperator::*;
        Ok(Some(match self.peek().kind {
            Kind::Char(b'!') => {
                self.next();
                if !self.peek().is(b'=') {
                    return self.lose_statement("! in boolean context without =");
                }
                NotEqual
            }
            Kind::Char(b'~') => {
                self.next();
                match self.peek().kind {
                    Kind::Char(b'~') => RegexMatchIgnoringCase,
                    Kind::Char(b'=') => RegexMatch,
                    _ => return self.lose_statement("expecting ~= or ~~ operator"),
                }
            }
            Kind::Char(b'=') => Equal,
            Kind::Keyword("and") => And,
            Kind::Keyword("or") => Or,
            Kind::Char(b'+') => Add,
            Kind::Char(b'/') => Divide,
            Kind::Char(b'*') => Multiply,
            Kind::Char(b'%') => Remainder,
            Kind::Char(b'&') => BinaryAnd,
            Kind::Char(b'|') => BinaryOr,
            Kind::Char(b'^') => BinaryXor,
            _ => return Ok(None),
        }))
    }

    fn expect_types(
        &mut self,
        left: ExprType,
        operator: BinaryOperator,
        right: ExprType,
    ) -> Result<(), Lost> {
        match type_fault(left, operator, right) {
            None => Ok(()),
            Some(fault) => self.lose_statement(fault.to_string()),
        }
    }

    /// Says it and claims the error.
    pub(super) fn lose<T>(&mut self, text: impl AsRef<[u8]>) -> Result<T, Lost> {
        self.warn(text);
        Err(Lost)
    }

    /// Says it, skips the statement, and claims the error.
    pub(super) fn lose_statement<T>(&mut self, text: impl AsRef<[u8]>) -> Result<T, Lost> {
        self.warn(text);
        self.cursor.skip_to_semicolon();
        Err(Lost)
    }

    /// `expression`, or it is said what is missing.
    fn or_lose<T>(&mut self, found: Found<T>, missing: &str) -> Result<T, Lost> {
        match found? {
            Some(expression) => Ok(expression),
            None if self.hushed => Err(Lost),
            None => self.lose_statement(missing),
        }
    }

    fn expect_left_parenthesis(&mut self) -> Result<(), Lost> {
        if self.next().is(b'(') { Ok(()) } else { self.lose("left parenthesis expected.") }
    }

    fn expect_right_parenthesis(&mut self) -> Result<(), Lost> {
        if self.next().is(b')') { Ok(()) } else { self.lose("right parenthesis expected.") }
    }

    fn expect_comma(&mut self) -> Result<(), Lost> {
        if self.next().is(b',') { Ok(()) } else { self.lose("comma expected.") }
    }

    /// An expression without binary operator (ISC `parse_non_binary`).
    fn operand(&mut self, context: Context) -> Found<ExprType> {
        let token = self.peek();
        let word = match token.kind {
            Kind::Char(b'(') => return self.parenthesis(context).map(Some),
            Kind::String => {
                self.next();
                return Ok(Some(ExprType::Data));
            }
            Kind::Number if matches!(context, Context::Numeric | Context::DataOrNumeric) => {
                self.next();
                return Ok(Some(ExprType::Numeric));
            }
            // What is wrong with it is said, but not claimed.
            Kind::Number | Kind::NumberOrName => return Ok(self.hex_list().map(|_| ExprType::Data)),
            Kind::Name => return self.variable().map(Some),
            Kind::Keyword(word) => word,
            _ => return Ok(None),
        };
        let found = match word {
            "check" => {
                self.next();
                self.check()?
            }
            "not" => {
                self.next();
                let found = self.nested(|walk| walk.operand(Context::Boolean));
                match self.or_lose(found, "expression expected")? {
                    ExprType::Boolean => ExprType::Boolean,
                    _ => return self.lose_statement(TypeFault::NotBoolean.to_string()),
                }
            }
            "exists" | "option" | "config-option" => {
                self.next();
                if self.option_name(false).is_none() {
                    return Err(Lost);
                }
                if word == "exists" { ExprType::Boolean } else { ExprType::Data }
            }
            "static" | "known" => self.word(ExprType::Boolean),
            "hardware" | "leased-address" | "filename" | "server-name" | "null" | "host-decl-name" => {
                self.word(ExprType::Data)
            }
            "client-state" | "lease-time" | "formerr" | "noerror" | "notauth" | "notimp" | "notzone"
            | "nxdomain" | "nxrrset" | "refused" | "servfail" | "yxdomain" | "yxrrset" | "booting"
            | "reboot" | "select" | "request" | "bound" | "renew" | "rebind" => self.word(ExprType::Numeric),
            "concat" => {
                self.next();
                self.operand_list(2)?
            }
            "pick" => {
                self.next();
                self.operand_list(1)?
            }
            "encode-int" => {
                self.next();
                self.encode_int()?
            }
            "defined" => {
                self.next();
                self.defined()?
            }
            "gethostname" => {
                self.next();
                self.expect_left_parenthesis()?;
                self.expect_right_parenthesis()?;
                ExprType::Data
            }
            "gethostbyname" => {
                self.next();
                self.expect_left_parenthesis()?;
                if self.next().kind != Kind::String {
                    return self.lose_statement("Expecting quoted literal: \"foo.example.com\"");
                }
                self.expect_right_parenthesis()?;
                ExprType::Data
            }
            _ => match FUNCTIONS.iter().find(|(name, ..)| *name == word) {
                Some((_, result, operands)) => {
                    self.next();
                    self.function(operands)?;
                    *result
                }
                None => return Ok(None),
            },
        };
        Ok(Some(found))
    }

    fn word(&mut self, result: ExprType) -> ExprType {
        self.next();
        result
    }

    fn parenthesis(&mut self, context: Context) -> Result<ExprType, Lost> {
        self.next();
        let found = self.expression(context);
        let inner = self.or_lose(found, "expression expected")?;
        if !self.next().is(b')') {
            return self.lose_statement("right paren expected");
        }
        Ok(inner)
    }

    fn check(&mut self) -> Result<ExprType, Lost> {
        let token = self.next();
        if token.kind != Kind::String {
            return self.lose_statement("string expected.");
        }
        if token.c_text() != b"default" {
            return self.lose("unknown collection.");
        }
        Ok(ExprType::Boolean)
    }

    /// A fixed list of operands in parentheses.
    fn function(&mut self, operands: &[Operand]) -> Result<(), Lost> {
        self.expect_left_parenthesis()?;
        for (at, operand) in operands.iter().enumerate() {
            if at > 0 {
                self.expect_comma()?;
            }
            match operand {
                Operand::Data => {
                    let found = self.data_expression();
                    self.or_lose(found, NEED_DATA)?;
                }
                Operand::Numeric(missing) => {
                    let found = self.numeric_expression();
                    self.or_lose(found, missing)?;
                }
                Operand::Width => self.width()?,
            }
        }
        self.expect_right_parenthesis()
    }

    /// Data operands in parentheses, so many at least.
    fn operand_list(&mut self, least: usize) -> Result<ExprType, Lost> {
        self.expect_left_parenthesis()?;
        let mut read = 0;
        loop {
            let found = self.data_expression();
            self.or_lose(found, NEED_DATA)?;
            read += 1;
            let token = self.next();
            if token.is(b',') {
                continue;
            }
            if read < least {
                return self.lose("comma expected.");
            }
            return if token.is(b')') {
                Ok(ExprType::Data)
            } else {
                self.lose("right parenthesis expected.")
            };
        }
    }

    /// The width of an integer.
    fn width(&mut self) -> Result<(), Lost> {
        let token = self.next();
        if token.kind != Kind::Number {
            return self.lose("number expected.");
        }
        match Self::atoi(&token) {
            8 | 16 | 32 => Ok(()),
            width => self.lose_statement(format!("unsupported integer size {width}")),
        }
    }

    /// Says that it wants a number even if something was said already.
    fn encode_int(&mut self) -> Result<ExprType, Lost> {
        self.expect_left_parenthesis()?;
        if !matches!(self.numeric_expression(), Ok(Some(_))) {
            return self.lose_statement(NEED_NUMERIC);
        }
        self.expect_comma()?;
        self.width()?;
        self.expect_right_parenthesis()?;
        Ok(ExprType::Data)
    }

    fn defined(&mut self) -> Result<ExprType, Lost> {
        self.expect_left_parenthesis()?;
        let token = self.next();
        if !token.is_name() {
            return self.lose_statement(no_variable(&token));
        }
        self.expect_right_parenthesis()?;
        Ok(ExprType::Boolean)
    }

    /// A variable or the call of a function.
    fn variable(&mut self) -> Result<ExprType, Lost> {
        self.next();
        if !self.peek().is(b'(') {
            return Ok(ExprType::Any);
        }
        self.next();
        loop {
            match self.expression(Context::Any) {
                Ok(Some(_)) => {}
                Ok(None) if !self.hushed => return self.lose_statement("expecting expression."),
                Ok(None) | Err(Lost) => {
                    self.cursor.skip_to_semicolon();
                    return Err(Lost);
                }
            }
            let token = self.next();
            if token.is(b')') {
                return Ok(ExprType::Any);
            }
            if !token.is(b',') {
                return self.lose_statement("Right parenthesis expected.");
            }
        }
    }
}

/// What dhcpd says of a token that should name a variable.
pub(super) fn no_variable(token: &Token) -> Vec<u8> {
    [token.c_text(), b" can't be a variable name"].concat()
}

/// What is wrong with the types of an operator's two sides.
fn type_fault(left: ExprType, operator: BinaryOperator, right: ExprType) -> Option<TypeFault> {
    use BinaryOperator::*;
    let is = |wanted| right == wanted || right == ExprType::Any;
    if left != right && left != ExprType::Any && right != ExprType::Any {
        return Some(TypeFault::DifferentTypes);
    }
    match operator {
        Equal | NotEqual => (right == ExprType::Boolean).then_some(TypeFault::DataOrNumeric),
        // A variable will not do.
        RegexMatch => (right != ExprType::Data).then_some(TypeFault::RegexData),
        RegexMatchIgnoringCase => None,
        And | Or => (!is(ExprType::Boolean)).then_some(TypeFault::Booleans),
        Add | Divide | Multiply | Remainder | BinaryAnd | BinaryOr | BinaryXor => {
            (!is(ExprType::Numeric)).then_some(TypeFault::Numerics)
        }
    }
}

/// What the right side of an operator is read as when the operator takes the rest of the expression (ISC
/// `common/tree.c:op_context`).
fn operand_context(operator: BinaryOperator) -> Context {
    use BinaryOperator::*;
    match operator {
        Equal | NotEqual | RegexMatch | RegexMatchIgnoringCase => Context::Data,
        And | Or => Context::Boolean,
        Add | Divide | Multiply | Remainder | BinaryAnd | BinaryOr | BinaryXor => Context::Numeric,
    }
}

fn context_of(found: ExprType) -> Context {
    match found {
        ExprType::Any => Context::Any,
        ExprType::Boolean => Context::Boolean,
        ExprType::Data => Context::Data,
        ExprType::Numeric => Context::Numeric,
    }
}

fn representative(found: ExprType) -> Expr {
    match found {
        ExprType::Data | ExprType::Any => Expr::Null,
        ExprType::Numeric => Expr::Number(0),
        ExprType::Boolean => Expr::Known,
    }
}
