//! Executable statements, zones and keys.

use super::super::ast::*;
use super::super::expr::{Expr, ExprKind, ExprType};
use super::super::keyword::classify;
use super::super::source::Span;
use super::super::token::{Token, TokenKind, WordClass};
use super::expressions::Expected;
use super::{Built, Children, FileBuilder, P, Rule, inner};

impl<'a> FileBuilder<'a, '_> {
    /// An executable statement, a zone or a key. `labels` is the type of the cases of the switch around it.
    pub(super) fn executable(&mut self, pair: P<'a>, labels: Option<ExprType>) -> Built<StatementKind> {
        let rule = pair.as_rule();
        let span = self.span(&pair);
        let mut children = Children::of(self, pair);
        Ok(match rule {
            Rule::option_statement | Rule::executable_option => {
                self.option_statement(OptionVerb::Option, children)?
            }
            Rule::option_setting => {
                let verb = option_verb(children.required()?.as_str());
                self.option_statement(verb, children)?
            }
            Rule::word_statement | Rule::word_nothing => {
                StatementKind::Word(Box::new(self.word_statement(children, span)?))
            }
            Rule::permission => StatementKind::Permission(Box::new(self.permission(children)?)),
            Rule::if_statement => return self.if_statement(children),
            Rule::switch_statement => return self.switch_statement(children),
            Rule::on_statement => {
                let mut on = On { events: Vec::new(), block: None };
                for pair in children {
                    if pair.as_rule() == Rule::executable_block {
                        on.block = Some(self.block(pair, None));
                    } else {
                        on.events.push((event(pair.as_str()), self.span(&pair)));
                    }
                }
                StatementKind::On(Box::new(on))
            }
            Rule::case_label => {
                let labels = labels.ok_or(Fault { kind: FaultKind::LabelOutsideSwitch, span })?;
                StatementKind::Case(Box::new(self.case_label(children.required()?, labels)?))
            }
            Rule::default_label if labels.is_some() => StatementKind::DefaultCase,
            Rule::default_label => return Err(Fault { kind: FaultKind::LabelOutsideSwitch, span }),
            Rule::break_statement => StatementKind::Break,
            Rule::set_statement => {
                let define = is_define(&children.required()?);
                let name = self.variable(&children.required()?)?;
                let value = self.expression(children.required()?, Expected::Any)?;
                StatementKind::Set(Box::new(Set { define, name, value }))
            }
            Rule::function_definition => return self.function_definition(children, labels),
            Rule::unset_statement => StatementKind::Unset(Box::new(self.variable(&children.required()?)?)),
            Rule::eval_statement => {
                StatementKind::Eval(Box::new(self.expression(children.required()?, Expected::Data)?))
            }
            Rule::return_statement => {
                StatementKind::Return(Box::new(self.expression(children.required()?, Expected::Data)?))
            }
            Rule::log_statement => {
                let priority = children.take_if(Rule::priority).map(|pair| priority(pair.as_str()));
                let data = children.required()?;
                if self.begins_no_expression(&data) {
                    return Ok(StatementKind::LogNothing(self.tokens(span).into()));
                }
                StatementKind::Log(Box::new(Log { priority, data: self.data(data)? }))
            }
            Rule::log_nothing => {
                let first = children.find(|pair| pair.as_rule() != Rule::priority);
                let tokens = self.tokens(span);
                match first {
                    Some(first) if first.as_rule() == Rule::word && !self.begins_no_expression(&first) => {
                        return Err(self.locate(span, &tokens, true));
                    }
                    _ => StatementKind::LogNothing(tokens.into()),
                }
            }
            Rule::execute_statement => {
                let command = self.name(children.required()?)?;
                let arguments = children.map(|pair| self.data(pair)).collect::<Built<_>>()?;
                StatementKind::Execute(Box::new(Execute { command, arguments }))
            }
            Rule::add_statement => StatementKind::Add(Box::new(self.name(children.required()?)?)),
            Rule::parse_vendor_option => StatementKind::ParseVendorOption,
            Rule::db_time_format => {
                StatementKind::DbTimeFormat(children.required()?.as_rule() == Rule::local)
            }
            Rule::zone => StatementKind::Zone(Box::new(self.zone(children, span)?)),
            Rule::key => StatementKind::Key(Box::new(self.key(children, span)?)),
            _ => return Err(Fault { kind: FaultKind::UnknownStatement, span }),
        })
    }

    /// Whether the first word of a pair is a keyword, but none that an expression begins with.
    fn begins_no_expression(&self, pair: &P<'a>) -> bool {
        let text = pair.as_str();
        let is_word = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
        let word = text.split(|character| !is_word(character)).next().unwrap_or_default();
        matches!(classify(word.as_bytes()), WordClass::Keyword(_))
            && !EXPRESSION_KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
    }

    fn option_statement(&self, verb: OptionVerb, mut children: Children<'a>) -> Built<StatementKind> {
        let name = self.option_name(children.required()?)?;
        let value = self.option_value(children.next())?;
        Ok(StatementKind::Option(Box::new(OptionStatement { verb, name, value })))
    }

    fn word_statement(&mut self, mut children: Children<'a>, span: Span) -> Built<WordStatement> {
        let name = self.word(&children.required()?)?;
        let value = self.option_value(children.next());
        let expression = if name.class.is_variable_name() {
            let base = self.base;
            let pairs = self.parse(Rule::bare_expression, span.start as usize..span.end as usize);
            let pair = pairs.into_iter().flatten().flat_map(|pair| inner(pair).next()).next();
            let expression = pair.map(|pair| self.expression(pair, Expected::Data));
            self.base = base;
            expression
        } else {
            None
        };
        match (value, expression) {
            (Err(fault), None | Some(Err(_))) => Err(fault),
            (value, expression) => {
                Ok(WordStatement { name, value: value.ok(), expression: expression.and_then(Result::ok) })
            }
        }
    }

    fn permission(&self, mut children: Children<'a>) -> Built<Permission> {
        let verb = match children.required()?.as_str().to_ascii_lowercase().as_str() {
            "allow" => PermissionVerb::Allow,
            "deny" => PermissionVerb::Deny,
            _ => PermissionVerb::Ignore,
        };
        let what = children.required()?;
        let span = self.span(&what);
        let key = permission_key(what.as_str());
        let permit = match what.as_rule() {
            Rule::permit if verb != PermissionVerb::Ignore => Some(self.permit(what)?),
            _ => None,
        };
        if permit.is_none() && key.is_none() {
            return Err(Fault { kind: FaultKind::Unexpected, span });
        }
        Ok(Permission { verb, permit, key })
    }

    fn permit(&self, pair: P<'a>) -> Built<Permit> {
        let inner = Children::of(self, pair).required()?;
        Ok(match inner.as_rule() {
            Rule::permit_members => Permit::MembersOf(self.name(Children::of(self, inner).required()?)?),
            Rule::permit_after => Permit::After(self.date(Children::of(self, inner).required()?)?),
            _ => {
                let text = inner.as_str().to_ascii_lowercase();
                let is_word = |character: char| character.is_ascii_alphanumeric();
                match text.split(|character| !is_word(character)).next().unwrap_or_default() {
                    "known" => Permit::KnownClients,
                    "unknown" => Permit::UnknownClients,
                    "authenticated" => Permit::AuthenticatedClients,
                    "unauthenticated" => Permit::UnauthenticatedClients,
                    "all" => Permit::AllClients,
                    _ => Permit::DynamicBootpClients,
                }
            }
        })
    }

    /// `if`, with what follows. A wrong condition does not keep the blocks from being looked at.
    fn if_statement(&mut self, children: Children<'a>) -> Built<StatementKind> {
        let mut statement = If { branches: Vec::new(), otherwise: None };
        let mut condition: Option<Built<Expr>> = None;
        let mut fault: Option<Fault> = None;
        let mut head = None;
        let mut first_block = None;
        for pair in children {
            if pair.as_rule() == Rule::expression {
                head.get_or_insert(self.span(&pair));
                let built = self.boolean(pair);
                if let Err(wrong) = &built {
                    self.session.faults.push(wrong.clone());
                    fault.get_or_insert(wrong.clone());
                }
                condition = Some(built);
                continue;
            }
            let block = self.block(pair, None);
            match condition.take() {
                Some(Ok(condition)) => statement.branches.push((condition, block)),
                Some(Err(_)) => {
                    first_block.get_or_insert(block);
                }
                None => statement.otherwise = Some(block),
            }
        }
        match fault {
            None => Ok(StatementKind::If(Box::new(statement))),
            Some(fault) => Ok(self.malformed_head(fault, head, first_block)),
        }
    }

    /// A statement with a block whose head is wrong and was reported already.
    fn malformed_head(&mut self, fault: Fault, head: Option<Span>, block: Option<Block>) -> StatementKind {
        let tokens = head.map(|head| self.tokens(head)).unwrap_or_default();
        super::malformed(fault, tokens, block)
    }

    fn switch_statement(&mut self, mut children: Children<'a>) -> Built<StatementKind> {
        let expression = children.required()?;
        let head = self.span(&expression);
        let expression = self.expression(expression, Expected::DataOrNumeric);
        let labels = match &expression {
            Ok(expression) if expression.expr_type() == ExprType::Data => ExprType::Data,
            _ => ExprType::Numeric,
        };
        if let Err(fault) = &expression {
            self.session.faults.push(fault.clone());
        }
        let block = self.block(children.required()?, Some(labels));
        Ok(match expression {
            Ok(expression) => StatementKind::Switch(Box::new(Switch { expression, block })),
            Err(fault) => self.malformed_head(fault, Some(head), Some(block)),
        })
    }

    fn case_label(&self, pair: P<'a>, labels: ExprType) -> Built<Expr> {
        let span = self.span(&pair);
        if pair.as_rule() != Rule::case_number {
            let expr = self.expression(pair, labels.into())?;
            // Octets at the end would have taken the colon of the label for one of theirs.
            let last = last_operand(&expr);
            if matches!(last.kind, ExprKind::Hex(_)) && last.span.end == span.end {
                return Err(Fault { kind: FaultKind::Unexpected, span });
            }
            return Ok(expr);
        }
        if labels == ExprType::Data {
            return Err(Fault { kind: FaultKind::Unexpected, span });
        }
        let number = self.number(&Children::of(self, pair).required()?)?;
        Ok(Expr { span, kind: ExprKind::Number(number.value) })
    }

    fn function_definition(
        &mut self,
        mut children: Children<'a>,
        labels: Option<ExprType>,
    ) -> Built<StatementKind> {
        let verb = children.required()?;
        let define = is_define(&verb);
        let name_pair = children.required()?;
        let name = self.variable(&name_pair);
        let arguments = children.required()?;
        let head = self.span(&verb).to(self.span(&arguments));
        let arguments = inner(arguments).map(|pair| self.variable(&pair)).collect::<Built<Vec<_>>>();
        let named = name.and_then(|name| Ok((name, arguments?)));
        if let Err(fault) = &named {
            self.session.faults.push(fault.clone());
        }
        // The body of a function is read as if it stood where the function is defined.
        let block = self.block(children.required()?, labels);
        Ok(match named {
            Ok((name, arguments)) => {
                StatementKind::Function(Box::new(FunctionDefinition { define, name, arguments, block }))
            }
            Err(fault) => self.malformed_head(fault, Some(head), Some(block)),
        })
    }

    fn zone(&mut self, mut children: Children<'a>, span: Span) -> Built<Zone> {
        let name = self.name(children.required()?)?;
        let mut zone = Zone { name, statements: Vec::new(), closed: true };
        for pair in children {
            let span_of_member = self.span(&pair);
            let kind = match pair.as_rule() {
                Rule::unclosed => {
                    zone.closed = false;
                    self.unclosed(span);
                    continue;
                }
                Rule::malformed_member => ZoneStatementKind::Malformed(Box::new(self.malformed(pair))),
                _ => match self.zone_statement(pair) {
                    Ok(kind) => kind,
                    Err(fault) => ZoneStatementKind::Malformed(self.refused_member(fault, span_of_member)),
                },
            };
            zone.statements.push(ZoneStatement { span: span_of_member, kind });
        }
        Ok(zone)
    }

    fn zone_statement(&self, pair: P<'a>) -> Built<ZoneStatementKind> {
        let rule = pair.as_rule();
        let mut children = Children::of(self, pair);
        Ok(match rule {
            Rule::zone_primary | Rule::zone_secondary => {
                let servers = children.map(|pair| self.address_or_host(pair)).collect::<Built<_>>()?;
                if rule == Rule::zone_primary {
                    ZoneStatementKind::Primary(servers)
                } else {
                    ZoneStatementKind::Secondary(servers)
                }
            }
            Rule::zone_primary6 | Rule::zone_secondary6 => {
                let servers = children.map(|pair| self.ip6(&pair)).collect::<Built<_>>()?;
                if rule == Rule::zone_primary6 {
                    ZoneStatementKind::Primary6(servers)
                } else {
                    ZoneStatementKind::Secondary6(servers)
                }
            }
            _ => ZoneStatementKind::Key(self.name(children.required()?)?),
        })
    }

    fn key(&mut self, mut children: Children<'a>, span: Span) -> Built<Key> {
        let name = self.name(children.required()?)?;
        let mut key = Key { name, statements: Vec::new(), closed: true };
        for pair in children {
            let span_of_member = self.span(&pair);
            let kind = match pair.as_rule() {
                Rule::unclosed => {
                    key.closed = false;
                    self.unclosed(span);
                    continue;
                }
                Rule::malformed_member => KeyStatementKind::Malformed(Box::new(self.malformed(pair))),
                _ => match self.key_statement(pair) {
                    Ok(kind) => kind,
                    Err(fault) => KeyStatementKind::Malformed(self.refused_member(fault, span_of_member)),
                },
            };
            key.statements.push(KeyStatement { span: span_of_member, kind });
        }
        Ok(key)
    }

    fn key_statement(&self, pair: P<'a>) -> Built<KeyStatementKind> {
        let rule = pair.as_rule();
        let span = self.span(&pair);
        let mut children = Children::of(self, pair);
        if rule == Rule::key_algorithm {
            return Ok(KeyStatementKind::Algorithm(self.name(children.required()?)?));
        }
        let tokens = children.map(|pair| self.token(&pair)).collect::<Built<Vec<Token>>>()?;
        let bad = Fault { kind: FaultKind::BadBase64, span };
        let secret = base64(&tokens).ok_or(bad)?;
        Ok(KeyStatementKind::Secret(secret.into()))
    }
}

/// The operand that stands last in the text.
fn last_operand(mut expr: &Expr) -> &Expr {
    loop {
        expr = match &expr.kind {
            ExprKind::Not(inner) => inner,
            ExprKind::Operation { rest, .. } => match rest.last() {
                Some((_, last)) => last,
                None => return expr,
            },
            _ => return expr,
        };
    }
}

/// The octets of a secret, read as dhcpd does (ISC `parse.c:parse_base64`): padding may be missing, bits that are left
/// over must be zero, and there must be an octet.
fn base64(tokens: &[Token]) -> Option<Vec<u8>> {
    let mut octets = Vec::new();
    let mut terminated = false;
    let (mut bits, mut count) = (0_u32, 0_usize);
    for token in tokens {
        let text = match &token.kind {
            TokenKind::String(text) | TokenKind::Word(text, _) => text.as_ref(),
            TokenKind::Punctuation(character) => std::slice::from_ref(character),
        };
        // A NUL ends the text of a token for dhcpd.
        for character in text.iter().take_while(|character| **character != 0) {
            count += 1;
            let value = match character {
                b'=' => {
                    terminated = true;
                    continue;
                }
                _ if terminated => return None,
                b'A'..=b'Z' => character - b'A',
                b'a'..=b'z' => character - b'a' + 26,
                b'0'..=b'9' => character - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(value);
            match (count - 1) % 4 {
                0 => {}
                1 => {
                    octets.push((bits >> 4) as u8);
                    bits &= 0x0f;
                }
                2 => {
                    octets.push((bits >> 2) as u8);
                    bits &= 0x03;
                }
                _ => {
                    octets.push(bits as u8);
                    bits = 0;
                }
            }
        }
    }
    let left_over = count % 4 != 0 && bits != 0;
    (!left_over && !octets.is_empty()).then_some(octets)
}

/// The keywords that an expression may begin with.
const EXPRESSION_KEYWORDS: &[&str] = &[
    "not",
    "option",
    "config-option",
    "exists",
    "check",
    "defined",
    "substring",
    "suffix",
    "lcase",
    "ucase",
    "concat",
    "pick",
    "pick-first-value",
    "reverse",
    "binary-to-ascii",
    "encode-int",
    "extract-int",
    "packet",
    "v6relay",
    "gethostname",
    "gethostbyname",
    "hardware",
    "leased-address",
    "host-decl-name",
    "filename",
    "server-name",
    "null",
    "lease-time",
    "client-state",
    "known",
    "static",
    "formerr",
    "noerror",
    "notauth",
    "notimp",
    "notzone",
    "nxdomain",
    "nxrrset",
    "refused",
    "servfail",
    "yxdomain",
    "yxrrset",
    "booting",
    "reboot",
    "select",
    "request",
    "bound",
    "renew",
    "rebind",
];

fn is_define(verb: &P<'_>) -> bool {
    verb.as_str().eq_ignore_ascii_case("define")
}

fn option_verb(text: &str) -> OptionVerb {
    match text.to_ascii_lowercase().as_str() {
        "supersede" => OptionVerb::Supersede,
        "send" => OptionVerb::Send,
        "append" => OptionVerb::Append,
        "prepend" => OptionVerb::Prepend,
        _ => OptionVerb::Default,
    }
}

fn event(text: &str) -> Event {
    match text.to_ascii_lowercase().as_str() {
        "expiry" => Event::Expiry,
        "commit" => Event::Commit,
        "release" => Event::Release,
        _ => Event::Transmission,
    }
}

fn priority(text: &str) -> LogPriority {
    match text.to_ascii_lowercase().as_str() {
        "fatal" => LogPriority::Fatal,
        "error" => LogPriority::Error,
        "info" => LogPriority::Info,
        _ => LogPriority::Debug,
    }
}

fn permission_key(text: &str) -> Option<PermissionKey> {
    // `new` is the same token as `client-updates` for dhcpd, by accident.
    const CLIENT_UPDATES: u16 = 601;
    if matches!(classify(text.as_bytes()), WordClass::Keyword(CLIENT_UPDATES)) {
        return Some(PermissionKey::ClientUpdates);
    }
    Some(match text.to_ascii_lowercase().as_str() {
        "bootp" => PermissionKey::Bootp,
        "booting" => PermissionKey::Booting,
        "dynamic-bootp" => PermissionKey::DynamicBootp,
        "unknown-clients" => PermissionKey::UnknownClients,
        "duplicates" => PermissionKey::Duplicates,
        "declines" => PermissionKey::Declines,
        "leasequery" => PermissionKey::Leasequery,
        _ => return None,
    })
}
