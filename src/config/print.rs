//! Statements and expressions as dhcpd prints them into the lease file (`on` blocks).
//!
//! Mirrors ISC `common/execute.c:write_statements`, `common/tree.c:write_expression` and `common/print.c`, with all their
//! habits of layout: compound expressions start a line of their own, lines break at column 79, a variable forgets where
//! the line began, `return` loses its value, `add` its semicolon.

use super::Config;
use super::tree::{Arithmetic, Combine, Events, Expr, IntWidth, LogPriority, Statement};
use crate::options::{OptionId, Spaces};

/// Lines are broken before this column.
const WIDTH: usize = 79;

/// The statements, each on lines of its own that begin with a newline and `indent` blanks.
pub fn print_statements(config: &Config, statements: &[Statement], indent: usize) -> Vec<u8> {
    let mut printer = Printer { config, out: Vec::new() };
    printer.statements(statements, indent);
    printer.out
}

/// An expression that begins in this column; `indent` is where a line begins that it is broken into.
pub fn print_expression(config: &Config, expression: &Expr, col: usize, indent: usize) -> Vec<u8> {
    let mut printer = Printer { config, out: Vec::new() };
    printer.expression(expression, col, indent, false);
    printer.out
}

struct Printer<'a> {
    config: &'a Config,
    out: Vec<u8>,
}

impl Printer<'_> {
    fn put(&mut self, text: impl AsRef<[u8]>) {
        self.out.extend_from_slice(text.as_ref());
    }

    fn line(&mut self, indent: usize) {
        self.out.push(b'\n');
        self.out.resize(self.out.len() + indent, b' ');
    }

    /// ISC `token_print_indent`: a token with what stands before and after it, on a new line if it does not fit. The
    /// column after it.
    fn token(
        &mut self,
        mut col: usize,
        indent: usize,
        before: &str,
        after: &str,
        text: impl AsRef<[u8]>,
    ) -> usize {
        let text = text.as_ref();
        let length = before.len() + text.len();
        if col + length > WIDTH {
            if indent + length < WIDTH {
                self.line(indent);
                col = indent;
            } else {
                self.line(col);
                col = if length > WIDTH { 0 } else { (WIDTH - length).saturating_sub(1) };
            }
        } else {
            self.put(before);
            col += before.len();
        }
        self.put(text);
        col += text.len();
        if !after.is_empty() {
            if col + after.len() > WIDTH {
                self.line(indent);
                col = indent;
            } else {
                self.put(after);
                col += after.len();
            }
        }
        col
    }

    /// As text where the same is read from it again. dhcpd escapes neither quotes nor backslashes, and so loses what it
    /// has written, or reads something else from it.
    fn data(&mut self, mut col: usize, indent: usize, octets: &[u8]) -> usize {
        if octets.iter().all(|c| (0x20..0x7f).contains(c) && !matches!(c, b'"' | b'\\')) {
            let quoted = [b"\"", octets, b"\""].concat();
            return self.token(col, indent, "", "", quoted);
        }
        for (at, octet) in octets.iter().enumerate() {
            if at > 0 {
                col = self.token(col, indent, "", "", ":");
            }
            col = self.token(col, indent, "", "", format!("{octet:02x}"));
        }
        col
    }

    fn statements(&mut self, statements: &[Statement], indent: usize) {
        for statement in statements {
            self.statement(statement, indent);
        }
    }

    fn statement(&mut self, statement: &Statement, indent: usize) {
        match statement {
            Statement::On { events, body } => {
                self.line(indent);
                self.put("on ");
                self.put(event_words(*events));
                match body.as_deref() {
                    Some(body) if !body.is_empty() => {
                        self.put(" {");
                        self.statements(body, indent + 2);
                        self.line(indent);
                        self.put("}");
                    }
                    _ => self.put(";"),
                }
            }
            Statement::Switch { on, body } => {
                self.line(indent);
                self.put("switch (");
                let col = self.expression(on, indent + 7, indent + 7, true);
                let col = self.token(col, indent + 7, "", "", ")");
                self.token(col, indent, " ", "", "{");
                self.statements(body, indent + 2);
                self.line(indent);
                self.put("}");
            }
            Statement::Case(label) => {
                self.line(indent.saturating_sub(1));
                self.put("case ");
                let col = self.expression(label, indent + 5, indent + 5, true);
                self.token(col, indent + 5, "", "", ":");
            }
            Statement::DefaultCase => {
                self.line(indent.saturating_sub(1));
                self.put("default: ");
            }
            Statement::If { condition, then, otherwise } => {
                self.line(indent);
                self.put("if ");
                self.branches(condition, then, otherwise, indent);
            }
            Statement::Eval(expression) => {
                self.line(indent);
                self.put("eval ");
                self.expression(expression, indent + 5, indent + 5, true);
                self.put(";");
            }
            Statement::Return(_) => {
                self.line(indent);
                self.put("return;");
            }
            Statement::Add(class) => {
                self.line(indent);
                let name = self.config.classes.get(class.index()).map(|class| class.name.clone());
                self.put(format!("add \"{}\"", name.as_deref().unwrap_or_default()));
            }
            Statement::Break => {
                self.line(indent);
                self.put("break;");
            }
            Statement::Option { combine, option, value } => {
                let verb = match combine {
                    Combine::Supersede => "supersede",
                    Combine::Default => "default",
                    Combine::Append => "append",
                    Combine::Prepend => "prepend",
                };
                let name = self.config.spaces.full_name(*option);
                self.line(indent);
                self.put(format!("{verb} {name} = "));
                let col = indent + verb.len() + name.len() + 4;
                self.expression(value, col, indent + 8, true);
                self.put(";");
            }
            Statement::Set { name, value } => {
                self.line(indent);
                self.put("set ");
                let col = self.token(indent + 4, indent + 4, "", "", &**name);
                self.token(col, indent + 4, " ", " ", "=");
                let col = self.expression(value, indent + 3, indent + 3, false);
                self.token(col, indent + 4, " ", "", ";");
            }
            Statement::Unset(name) => {
                self.line(indent);
                self.put("unset ");
                let col = self.token(indent + 6, indent + 6, "", "", &**name);
                self.token(col, indent + 6, " ", "", ";");
            }
            Statement::Log { priority, value } => {
                self.line(indent);
                self.put("log ");
                let col = self.token(indent + 4, indent + 4, "", "", "(");
                let priority = match priority {
                    LogPriority::Fatal => "fatal,",
                    LogPriority::Error => "error,",
                    LogPriority::Debug => "debug,",
                    LogPriority::Info => "info,",
                };
                self.token(col, indent + 4, "", " ", priority);
                let col = match value {
                    Some(value) => self.expression(value, indent + 4, indent + 4, false),
                    None => indent + 4,
                };
                self.token(col, indent + 4, "", "", ");");
            }
            Statement::Execute { command, arguments } => {
                self.line(indent);
                let col = self.token(indent + 4, indent + 4, "", "", "execute");
                let col = self.token(col, indent + 4, " ", "", "(");
                let mut col = self.token(col, indent + 4, "", "", [b"\"", &**command, b"\""].concat());
                for argument in arguments {
                    col = self.token(col, indent + 4, "", " ", ",");
                    col = self.expression(argument, col, indent + 4, false);
                }
                self.token(col, indent + 4, "", "", ");");
            }
            Statement::ParseVendorOption => {
                self.line(indent);
                self.put("parse-vendor-option;");
            }
            // dhcpd ends with "bogus statement type" here; what is defined globally needs no copy in a lease.
            Statement::Define { .. } | Statement::Nothing => {}
        }
    }

    /// The condition of an `if` and all that follows: an `else` that holds one `if` alone is an `elsif`.
    fn branches(&mut self, condition: &Expr, then: &[Statement], otherwise: &[Statement], indent: usize) {
        let (mut condition, mut then, mut otherwise) = (condition, then, otherwise);
        let mut col = self.expression(condition, indent + 3, indent + 3, true);
        loop {
            self.token(col, indent, " ", "", "{");
            self.statements(then, indent + 2);
            let [Statement::If { condition: c, then: t, otherwise: o }] = otherwise else { break };
            (condition, then, otherwise) = (c, t, o);
            self.line(indent);
            self.put("} elsif ");
            col = self.expression(condition, indent + 6, indent + 6, true);
        }
        if !otherwise.is_empty() {
            self.line(indent);
            self.put("} else {");
            self.statements(otherwise, indent + 2);
        }
        self.line(indent);
        self.put("}");
    }

    /// ISC `write_expression`: the column after it. `first` things do not start a new line.
    fn expression(&mut self, expression: &Expr, col: usize, indent: usize, first: bool) -> usize {
        let mut col = col;
        if !first && is_compound(expression) {
            self.line(indent);
            col = indent;
        }
        match expression {
            Expr::Data(octets) => self.data(col, indent, octets),
            Expr::Substring(parts) => {
                col = self.token(col, indent, "", "", "substring");
                col = self.token(col, indent, " ", "", "(");
                let start = col;
                col = self.expression(&parts[0], col, start, true);
                col = self.token(col, indent, "", " ", ",");
                col = self.expression(&parts[1], col, indent, false);
                col = self.token(col, start, "", " ", ",");
                col = self.expression(&parts[2], col, start, false);
                self.token(col, indent, "", "", ")")
            }
            Expr::Suffix(parts) => self.call("suffix", &[&parts[0], &parts[1]], col, indent),
            Expr::Lcase(data) => self.call("lcase", &[data], col, indent),
            Expr::Ucase(data) => self.call("ucase", &[data], col, indent),
            Expr::Concat(_) | Expr::ConcatDomainLists(_) => self.concat(expression, col, indent),
            Expr::Reverse(parts) => self.call("reverse", &[&parts[0], &parts[1]], col, indent),
            Expr::BinaryToAscii(parts) => {
                let parts: Vec<&Expr> = parts.iter().collect();
                self.call("binary-to-ascii", &parts, col, indent)
            }
            Expr::Pick(parts) => {
                let parts: Vec<&Expr> = parts.iter().collect();
                self.call("pick-first-value", &parts, col, indent)
            }
            Expr::V6Relay(parts) => self.call("v6relay", &[&parts[0], &parts[1]], col, indent),
            Expr::Packet(parts) => {
                col = self.token(col, indent, "", "", "packet");
                col = self.token(col, indent, " ", "", "(");
                let start = col;
                col = self.expression(&parts[0], col, indent, true);
                col = self.token(col, start, "", " ", ",");
                col = self.expression(&parts[1], col, start, false);
                self.token(col, indent, "", "", ")")
            }
            Expr::EncodeInt(width, value) => self.integer("encode-int", *width, value, col, indent),
            Expr::ExtractInt(width, data) => self.integer("extract-int", *width, data, col, indent),
            Expr::Gethostname => self.token(col, indent, "", "", "gethostname()"),
            Expr::HostLookup(name) => {
                col = self.token(col, indent, "", "", "gethostbyname");
                col = self.token(col, indent, " ", "", "(");
                col = self.token(col, indent, "", "", format!("\"{name}\""));
                self.token(col, indent, "", "", ")")
            }
            Expr::Option(option) => self.option("option", *option, col, indent),
            Expr::ConfigOption(option) => self.option("config-option", *option, col, indent),
            Expr::Exists(option) => self.option("exists", *option, col, indent),
            Expr::Hardware => self.token(col, indent, "", "", "hardware"),
            Expr::LeasedAddress => self.token(col, indent, "", "", "leased-address"),
            Expr::HostDeclName => self.token(col, indent, "", "", "host-decl-name"),
            // dhcpd ends with "invalid expression type" at these two.
            Expr::Filename => self.token(col, indent, "", "", "filename"),
            Expr::ServerName => self.token(col, indent, "", "", "server-name"),
            Expr::Null | Expr::Function(_) => self.token(col, indent, "", "", "null"),
            Expr::Number(number) => self.token(col, indent, "", "", (*number as u64).to_string()),
            Expr::LeaseTime => self.token(col, indent, "", "", "lease-time"),
            Expr::ClientState => self.token(col, indent, "", "", "client-state"),
            Expr::Arithmetic(operator, sides) => {
                let operator = match operator {
                    Arithmetic::Add => "+",
                    Arithmetic::Subtract => "-",
                    Arithmetic::Multiply => "*",
                    Arithmetic::Divide => "/",
                    Arithmetic::Remainder => "%",
                    Arithmetic::And => "&",
                    Arithmetic::Or => "|",
                    Arithmetic::Xor => "^",
                };
                self.binary(operator, sides, col, indent)
            }
            Expr::Equal(sides) => self.binary("=", sides, col, indent),
            Expr::NotEqual(sides) => self.binary("!=", sides, col, indent),
            Expr::And(sides) => self.binary("and", sides, col, indent),
            Expr::Or(sides) => self.binary("or", sides, col, indent),
            Expr::Regex { ignore_case: false, sides } => self.binary("~=", sides, col, indent),
            Expr::Regex { ignore_case: true, sides } => self.binary("~~", sides, col, indent),
            Expr::Not(inner) => {
                col = self.token(col, indent, "", " ", "not");
                self.expression(inner, col, indent + 2, true)
            }
            Expr::Known => self.token(col, indent, "", "", "known"),
            Expr::Static => self.token(col, indent, "", "", "static"),
            Expr::Check(collection) => {
                col = self.token(col, indent, "", "", "check");
                self.token(col, indent, " ", "", format!("\"{collection}\""))
            }
            Expr::Defined(name) => {
                col = self.token(indent, indent, "", "", "defined");
                col = self.token(col, indent, " ", "", "(");
                col = self.token(col, indent, "", "", &**name);
                self.token(col, indent, "", "", ")")
            }
            Expr::Variable(name) => self.token(indent, indent, "", "", &**name),
            Expr::Call { name, arguments } => {
                col = self.token(indent, indent, "", "", &**name);
                col = self.token(col, indent, " ", "", "(");
                for (at, argument) in arguments.iter().enumerate() {
                    if at > 0 {
                        col = self.token(col, indent, "", " ", ",");
                    }
                    col = self.expression(argument, col, indent, at == 0);
                }
                self.token(col, indent, "", "", ")")
            }
        }
    }

    /// `name (a, b, ...)` with operands that line up behind the parenthesis.
    fn call(&mut self, name: &str, operands: &[&Expr], mut col: usize, indent: usize) -> usize {
        col = self.token(col, indent, "", "", name);
        col = self.token(col, indent, " ", "", "(");
        let start = col;
        for (at, operand) in operands.iter().enumerate() {
            if at > 0 {
                col = self.token(col, start, "", " ", ",");
            }
            col = self.expression(operand, col, start, at == 0);
        }
        self.token(col, indent, "", "", ")")
    }

    /// `concat (a, b)`: what hangs on the right side is listed, what hangs on the left (as parsed) is nested.
    fn concat(&mut self, expression: &Expr, mut col: usize, indent: usize) -> usize {
        col = self.token(col, indent, "", "", "concat");
        col = self.token(col, indent, " ", "", "(");
        let start = col;
        let mut at = expression;
        let mut first = true;
        while let Expr::Concat(sides) | Expr::ConcatDomainLists(sides) = at {
            col = self.expression(&sides[0], col, start, first);
            first = false;
            col = self.token(col, start, "", " ", ",");
            at = &sides[1];
        }
        col = self.expression(at, col, start, false);
        self.token(col, indent, "", "", ")")
    }

    fn integer(
        &mut self,
        name: &str,
        width: IntWidth,
        operand: &Expr,
        mut col: usize,
        indent: usize,
    ) -> usize {
        let bits = match width {
            IntWidth::One => "8",
            IntWidth::Two => "16",
            IntWidth::Four => "32",
        };
        col = self.token(col, indent, "", "", name);
        col = self.token(col, indent, " ", "", "(");
        let start = col;
        col = self.expression(operand, col, indent, true);
        col = self.token(col, start, "", " ", ",");
        col = self.token(col, start, " ", "", bits);
        self.token(col, indent, "", "", ")")
    }

    fn option(&mut self, word: &str, option: OptionId, mut col: usize, indent: usize) -> usize {
        let spaces = &self.config.spaces;
        let name = spaces.name(option).into_owned();
        let space = (option.space != Spaces::DHCP).then(|| spaces.space(option.space).name.to_string());
        col = self.token(col, indent, "", "", word);
        match space {
            Some(space) => {
                col = self.token(col, indent, " ", "", space);
                col = self.token(col, indent, "", "", ".");
                self.token(col, indent, "", "", name)
            }
            None => self.token(col, indent, " ", "", name),
        }
    }

    fn binary(&mut self, operator: &str, sides: &[Expr; 2], mut col: usize, indent: usize) -> usize {
        col = self.expression(&sides[0], col, indent, true);
        col = self.token(col, indent, " ", " ", operator);
        self.expression(&sides[1], col, indent + 2, false)
    }
}

fn event_words(events: Events) -> String {
    let mut words = Vec::new();
    for (set, word) in [(events.expiry, "expiry"), (events.commit, "commit"), (events.release, "release")] {
        if set {
            words.push(word);
        }
    }
    words.join(" or ")
}

/// Expressions that start a line of their own (ISC `is_compound_expression`).
fn is_compound(expression: &Expr) -> bool {
    matches!(
        expression,
        Expr::Substring(_)
            | Expr::Suffix(_)
            | Expr::Option(_)
            | Expr::Concat(_)
            | Expr::EncodeInt(..)
            | Expr::ExtractInt(..)
            | Expr::BinaryToAscii(_)
            | Expr::Reverse(_)
            | Expr::Pick(_)
            | Expr::ConfigOption(_)
            | Expr::V6Relay(_)
    )
}

#[cfg(test)]
mod tests {
    use super::print_statements;
    use crate::config::{Family, build, build_block};
    use crate::syntax::{LoadError, Parsed, parse};

    fn parsed(text: &str) -> Parsed {
        let mut nothing = |_: &[u8]| Err(LoadError { errno: None, message: String::new() });
        parse(b"test", text.as_bytes().to_vec(), &mut nothing)
    }

    /// `testdata/handler.printed` is what a real dhcpd made of `testdata/handler.conf` as an `on expiry` block.
    #[test]
    fn statements_print_as_the_real_server_prints_them() {
        let definitions = "option space FOO; option FOO.bar code 1 = text;\n\
            option arr code 200 = array of ip-address; option rec code 201 = { integer 8, text };\n\
            class \"foo\" { match if known; }";
        let built = build(&parsed(definitions), Family::V4);
        assert!(built.accepted(), "{:?}", built.diagnostics);
        let block = build_block(&built.config, &parsed(include_str!("testdata/handler.conf"))).unwrap();
        let printed = String::from_utf8(print_statements(&built.config, &block, 4)).unwrap();
        let real = include_str!("testdata/handler.printed");
        for (ours, real) in printed.trim_start_matches('\n').lines().zip(real.lines()) {
            assert_eq!(ours, real);
        }
        assert_eq!(printed.trim_start_matches('\n'), real.trim_end_matches('\n'));
    }

    #[test]
    fn what_is_wrong_in_a_block_is_said() {
        let built = build(&parsed(""), Family::V4);
        assert!(build_block(&built.config, &parsed("set x1y = \"a\"; option nonsense 1;")).is_err());
        assert!(build_block(&built.config, &parsed("subnet 10.0.0.0 netmask 255.0.0.0 { }")).is_err());
        assert!(build_block(&built.config, &parsed("")).unwrap().is_empty());
    }
}
