//! Declarations: heads of blocks, addresses, option definitions, failover.

use super::super::ast::*;
use super::super::source::Span;
use super::{Built, Children, FileBuilder, P, Rule, inner};

impl<'a> FileBuilder<'a, '_> {
    /// A declaration from its head and what reads its block.
    pub(super) fn assemble(
        &mut self,
        head: P<'a>,
        block: impl FnOnce(&mut Self) -> Option<Block>,
    ) -> StatementKind {
        let span = self.span(&head);
        let base = self.base;
        let built = self.head(head);
        if let Err(fault) = &built {
            self.session.faults.push(fault.clone());
        }
        let block = block(self);
        self.base = base;
        match built {
            Ok(head) => head.with(block),
            Err(fault) => {
                let tokens = self.tokens(span);
                super::malformed(fault, tokens, block)
            }
        }
    }

    pub(super) fn head(&self, pair: P<'a>) -> Built<Head> {
        let rule = pair.as_rule();
        let mut children = Children::of(self, pair);
        Ok(match rule {
            Rule::host_head => Head::Host(self.name(children.required()?)?),
            Rule::group_head => Head::Group(children.next().map(|pair| self.name(pair)).transpose()?),
            Rule::shared_network_head => Head::SharedNetwork(self.name(children.required()?)?),
            Rule::subnet_head => {
                Head::Subnet(self.ip4(&children.required()?)?, self.ip4(&children.required()?)?)
            }
            Rule::subnet6_head => Head::Subnet6(self.ip6_prefix(children.required()?)?),
            Rule::class_head => Head::Class(self.name(children.required()?)?),
            Rule::subclass_head => {
                Head::Subclass(self.name(children.required()?)?, self.octets(children.required()?)?)
            }
            Rule::old_class_head => {
                let user = children.required()?.as_rule() == Rule::user_class;
                Head::OldClass(user, self.name(children.required()?)?)
            }
            Rule::pool6_head => Head::Pool6,
            _ => Head::Pool,
        })
    }

    /// A declaration without statements of its own.
    pub(super) fn declaration(&mut self, pair: P<'a>) -> Built<StatementKind> {
        let rule = pair.as_rule();
        let span = self.span(&pair);
        let mut children = Children::of(self, pair);
        Ok(match rule {
            Rule::hardware => StatementKind::Hardware(Box::new(self.hardware(&mut children, true)?)),
            Rule::fixed_address => {
                let addresses = children.map(|pair| self.address_or_host(pair));
                StatementKind::FixedAddress(addresses.collect::<Built<_>>()?)
            }
            Rule::fixed_address6 => {
                StatementKind::FixedAddress6(children.map(|pair| self.ip6(&pair)).collect::<Built<_>>()?)
            }
            Rule::range => {
                let dynamic_bootp = children.take_if(Rule::dynamic_bootp).is_some();
                let first = self.ip4(&children.required()?)?;
                let second = children.next().map(|pair| self.ip4(&pair)).transpose()?;
                StatementKind::Range(Box::new(Range { dynamic_bootp, first, second }))
            }
            Rule::range6 => StatementKind::Range6(Box::new(self.range6(children)?)),
            Rule::prefix6 => StatementKind::Prefix6(Box::new(Prefix6 {
                low: self.ip6(&children.required()?)?,
                high: self.ip6(&children.required()?)?,
                length: self.prefix_length(children.required()?)?,
            })),
            Rule::fixed_prefix6 => {
                StatementKind::FixedPrefix6(Box::new(self.ip6_prefix(children.required()?)?))
            }
            Rule::authoritative => StatementKind::Authoritative(children.next().is_none()),
            Rule::server_identifier => {
                StatementKind::ServerIdentifier(Box::new(self.option_value(children.next())?))
            }
            Rule::lease_id_format => StatementKind::LeaseIdFormat(match children.required()?.as_rule() {
                Rule::octal => LeaseIdFormat::Octal,
                _ => LeaseIdFormat::Hex,
            }),
            Rule::server_duid => StatementKind::ServerDuid(Box::new(self.server_duid(children.required()?)?)),
            Rule::percent => {
                StatementKind::Percent(children.map(|pair| self.token(&pair)).collect::<Built<_>>()?)
            }
            Rule::option_space => StatementKind::OptionSpace(Box::new(self.option_space(children)?)),
            Rule::option_code => StatementKind::OptionCode(Box::new(self.option_code(children)?)),
            Rule::failover_reference => {
                StatementKind::FailoverReference(Box::new(self.name(children.required()?)?))
            }
            Rule::failover_peer => StatementKind::FailoverPeer(Box::new(self.failover_peer(children, span)?)),
            Rule::failover_state => {
                StatementKind::FailoverState(Box::new(self.failover_state(children, span)?))
            }
            Rule::no_failover_peer => StatementKind::NoFailoverPeer,
            Rule::dynamic => StatementKind::Dynamic,
            Rule::deleted => StatementKind::Deleted,
            Rule::static_flag => StatementKind::Static,
            Rule::host_group => StatementKind::HostGroup(Box::new(self.name(children.required()?)?)),
            Rule::uid => StatementKind::Uid(Box::new(self.octets(children.required()?)?)),
            Rule::host_identifier => {
                let relay = children.take_if(Rule::number).map(|pair| self.number(&pair)).transpose()?;
                let name = self.option_name(children.required()?)?;
                let value = self.literal(children.required()?)?;
                StatementKind::HostIdentifier(Box::new(HostIdentifier { relay, name, value }))
            }
            Rule::interface => StatementKind::Interface(Box::new(self.token(&children.required()?)?)),
            Rule::match_if => StatementKind::MatchIf(Box::new(self.boolean(children.required()?)?)),
            Rule::match_data => StatementKind::Match(Box::new(self.data(children.required()?)?)),
            Rule::spawn_with => StatementKind::SpawnWith(Box::new(self.data(children.required()?)?)),
            Rule::lease_limit => StatementKind::LeaseLimit(Box::new(self.number(&children.required()?)?)),
            _ => return Err(Fault { kind: FaultKind::UnknownStatement, span }),
        })
    }

    fn range6(&self, mut children: Children<'a>) -> Built<Range6> {
        let first = self.ip6(&children.required()?)?;
        let next = children.required()?;
        let end = match next.as_rule() {
            Rule::ip6 => Range6End::Address(self.ip6(&next)?),
            Rule::temporary => Range6End::Temporary,
            _ => {
                Range6End::Length { length: self.prefix_length(next)?, temporary: children.next().is_some() }
            }
        };
        Ok(Range6 { first, end })
    }

    fn prefix_length(&self, pair: P<'a>) -> Built<Number> {
        let length = self.number(&pair)?;
        if (0..=128).contains(&length.value) {
            Ok(length)
        } else {
            Err(Fault { kind: FaultKind::BadPrefixLength, span: length.span })
        }
    }

    fn server_duid(&self, pair: P<'a>) -> Built<ServerDuid> {
        let rule = pair.as_rule();
        let mut children = Children::of(self, pair);
        Ok(match rule {
            Rule::duid_llt => ServerDuid::Llt(match children.next() {
                Some(type_pair) => {
                    let hardware_type = self.hardware_type(&type_pair);
                    let time = self.number(&children.required()?)?;
                    let address_pair = children.required()?;
                    let span = self.span(&type_pair).to(self.span(&address_pair));
                    let address = self.hex_list(&address_pair)?;
                    Some(LinkLayerTime { hardware: Hardware { hardware_type, address, span }, time })
                }
                None => None,
            }),
            Rule::duid_ll => ServerDuid::Ll(match children.pairs.peek() {
                Some(_) => Some(self.hardware(&mut children, false)?),
                None => None,
            }),
            _ => {
                let number = self.number(&children.required()?)?;
                let identifier = self.octets(children.required()?)?;
                if rule == Rule::duid_en {
                    ServerDuid::En { enterprise: number, identifier }
                } else {
                    ServerDuid::Other { duid_type: number, identifier }
                }
            }
        })
    }

    fn option_space(&self, mut children: Children<'a>) -> Built<OptionSpace> {
        let name = self.word(&children.required()?)?;
        let mut clauses = Vec::new();
        for clause in children {
            let rule = clause.as_rule();
            let number = self.number(&Children::of(self, clause).required()?)?;
            clauses.push(match rule {
                Rule::code_width => OptionSpaceClause::CodeWidth(number),
                Rule::length_width => OptionSpaceClause::LengthWidth(number),
                _ => OptionSpaceClause::HashSize(number),
            });
        }
        Ok(OptionSpace { name, clauses })
    }

    fn option_code(&self, mut children: Children<'a>) -> Built<OptionCode> {
        let name = self.option_name(children.required()?)?;
        let code = self.number(&children.required()?)?;
        let type_pair = children.required()?;
        let type_span = self.span(&type_pair);
        let mut children = Children::of(self, type_pair);
        let array = children.take_if(Rule::array_of).is_some();
        let type_pair = children.required()?;
        let record = type_pair.as_rule() == Rule::record;
        let members = if record {
            inner(type_pair).map(|pair| self.record_member(pair)).collect::<Built<_>>()?
        } else {
            let span = self.span(&type_pair);
            vec![MemberType { array: false, simple: self.simple_type(type_pair)?, span }]
        };
        Ok(OptionCode { name, code, option_type: OptionType { array, members, record }, type_span })
    }

    fn record_member(&self, pair: P<'a>) -> Built<MemberType> {
        let span = self.span(&pair);
        let mut children = Children::of(self, pair);
        let array = children.take_if(Rule::array_of).is_some();
        Ok(MemberType { array, simple: self.simple_type(children.required()?)?, span })
    }

    fn simple_type(&self, pair: P<'a>) -> Built<SimpleType> {
        let inner = Children::of(self, pair).required()?;
        let rule = inner.as_rule();
        let text = inner.as_str().to_ascii_lowercase();
        let mut children = Children::of(self, inner);
        Ok(match rule {
            Rule::type_integer => {
                let signedness = children.take_if(Rule::signedness);
                let signed = signedness.is_none_or(|pair| pair.as_str().eq_ignore_ascii_case("signed"));
                SimpleType::Integer { signed, bits: self.number(&children.required()?)? }
            }
            Rule::type_domain_list => SimpleType::DomainList { compressed: children.next().is_some() },
            Rule::type_encapsulate => SimpleType::Encapsulate(self.word(&children.required()?)?),
            _ => match text.as_str() {
                "boolean" => SimpleType::Boolean,
                "ip-address" => SimpleType::IpAddress,
                "ip6-address" => SimpleType::Ip6Address,
                "text" => SimpleType::Text,
                "string" => SimpleType::String,
                "domain-name" => SimpleType::DomainName,
                _ => SimpleType::Zerolen,
            },
        })
    }

    fn failover_peer(&mut self, mut children: Children<'a>, span: Span) -> Built<FailoverPeer> {
        let name = self.name(children.required()?)?;
        let mut peer = FailoverPeer { name, statements: Vec::new(), closed: true };
        for pair in children {
            let member_span = self.span(&pair);
            let kind = match pair.as_rule() {
                Rule::unclosed => {
                    peer.closed = false;
                    self.unclosed(span);
                    continue;
                }
                Rule::malformed_member => FailoverStatementKind::Malformed(Box::new(self.malformed(pair))),
                _ => match self.failover_parameter(pair) {
                    Ok(kind) => kind,
                    Err(fault) => FailoverStatementKind::Malformed(self.refused_member(fault, member_span)),
                },
            };
            peer.statements.push(FailoverStatement { span: member_span, kind });
        }
        Ok(peer)
    }

    /// A statement of a declaration without blocks whose values turned out wrong.
    pub(super) fn refused_member(&mut self, fault: Fault, span: Span) -> Box<Malformed> {
        self.session.faults.push(fault.clone());
        let tokens = self.tokens(span).into();
        Box::new(Malformed { fault, tokens, block: None })
    }

    fn failover_parameter(&self, pair: P<'a>) -> Built<FailoverStatementKind> {
        let mut children = Children::of(self, pair);
        let mut peer = false;
        while children.take_if(Rule::peer).is_some() {
            peer = true;
        }
        let parameter = children.required()?;
        let span = self.span(&parameter);
        Ok(match parameter.as_rule() {
            Rule::primary => FailoverStatementKind::Primary,
            Rule::secondary => FailoverStatementKind::Secondary,
            Rule::failover_address => {
                let address = Children::of(self, parameter).required()?;
                FailoverStatementKind::Address { peer, address: self.address_or_host(address)? }
            }
            Rule::hba => FailoverStatementKind::Hba(self.octets(Children::of(self, parameter).required()?)?),
            _ => {
                let parameter = failover_parameter(parameter.as_str())
                    .ok_or(Fault { kind: FaultKind::Unexpected, span })?;
                FailoverStatementKind::Number { peer, parameter, value: self.number(&children.required()?)? }
            }
        })
    }

    fn failover_state(&mut self, mut children: Children<'a>, span: Span) -> Built<FailoverState> {
        let name = self.name(children.required()?)?;
        let mut state = FailoverState { name, statements: Vec::new(), closed: true };
        for pair in children {
            let member_span = self.span(&pair);
            let statement = match pair.as_rule() {
                Rule::unclosed => {
                    state.closed = false;
                    self.unclosed(span);
                    continue;
                }
                Rule::malformed_member => FailoverStateStatement::Malformed(Box::new(self.malformed(pair))),
                _ => match self.failover_state_statement(pair) {
                    Ok(statement) => statement,
                    Err(fault) => FailoverStateStatement::Malformed(self.refused_member(fault, member_span)),
                },
            };
            state.statements.push(statement);
        }
        Ok(state)
    }

    fn failover_state_statement(&self, pair: P<'a>) -> Built<FailoverStateStatement> {
        let rule = pair.as_rule();
        let mut children = Children::of(self, pair);
        let first = children.required()?;
        if rule == Rule::state_mclt {
            return Ok(FailoverStateStatement::Mclt(self.number(&first)?));
        }
        let state = self.word(&first)?;
        let date = children.next().map(|pair| self.date(pair)).transpose()?;
        Ok(if rule == Rule::my_state {
            FailoverStateStatement::My(state, date)
        } else {
            FailoverStateStatement::Partner(state, date)
        })
    }

    /// An option's value, or that there is none.
    pub(super) fn option_value(&self, pair: Option<P<'a>>) -> Built<OptionValue> {
        let Some(pair) = pair else { return Ok(OptionValue::None) };
        if pair.as_rule() == Rule::assigned_value {
            let expression = Children::of(self, pair).required()?;
            return Ok(OptionValue::Expression(self.data(expression)?));
        }
        Ok(OptionValue::Literal(self.literal(pair)?))
    }

    fn literal(&self, pair: P<'a>) -> Built<Box<[super::Token]>> {
        inner(pair).map(|pair| self.token(&pair)).collect()
    }
}

/// What stands before the block of a declaration.
pub(super) enum Head {
    Host(Name),
    Group(Option<Name>),
    SharedNetwork(Name),
    Subnet(Ip4, Ip4),
    Subnet6(Ip6Prefix),
    Class(Name),
    Subclass(Name, Octets),
    OldClass(bool, Name),
    Pool,
    Pool6,
}

impl Head {
    fn with(self, block: Option<Block>) -> StatementKind {
        match self {
            Head::Subclass(class, data) => {
                return StatementKind::Subclass(Box::new(Subclass { class, data, block }));
            }
            Head::OldClass(user, name) => {
                return StatementKind::OldClass(Box::new(OldClass { user, name, block }));
            }
            _ => {}
        }
        let block = block.unwrap_or_default();
        match self {
            Head::Host(name) => StatementKind::Host(Box::new(Host { name, block })),
            Head::Group(name) => StatementKind::Group(Box::new(Group { name, block })),
            Head::SharedNetwork(name) => {
                StatementKind::SharedNetwork(Box::new(SharedNetwork { name, block }))
            }
            Head::Subnet(address, netmask) => {
                StatementKind::Subnet(Box::new(Subnet { address, netmask, block }))
            }
            Head::Subnet6(prefix) => StatementKind::Subnet6(Box::new(Subnet6 { prefix, block })),
            Head::Class(name) => StatementKind::Class(Box::new(Class { name, block })),
            Head::Pool6 => StatementKind::Pool6(Box::new(block)),
            Head::Pool | Head::Subclass(..) | Head::OldClass(..) => StatementKind::Pool(Box::new(block)),
        }
    }
}

fn failover_parameter(text: &str) -> Option<FailoverParameter> {
    let text = text.to_ascii_lowercase();
    Some(match text.as_str() {
        "port" => FailoverParameter::Port,
        "max-response-delay" => FailoverParameter::MaxResponseDelay,
        "max-unacked-updates" => FailoverParameter::MaxUnackedUpdates,
        "mclt" => FailoverParameter::Mclt,
        "split" => FailoverParameter::Split,
        "max-lease-misbalance" => FailoverParameter::MaxLeaseMisbalance,
        "max-lease-ownership" => FailoverParameter::MaxLeaseOwnership,
        "max-balance" => FailoverParameter::MaxBalance,
        "min-balance" => FailoverParameter::MinBalance,
        "auto-partner-down" => FailoverParameter::AutoPartnerDown,
        // `load balance max seconds`, with any white space between the words.
        _ if text.starts_with("load") => FailoverParameter::LoadBalanceMaxSeconds,
        _ => return None,
    })
}
