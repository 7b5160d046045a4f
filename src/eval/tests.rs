//! Evaluation of trees built by hand; `compat-tests/expressions.rs` has what the real dhcpd says about many more.

use super::bindings::{Bindings, Value};
use super::names::NameCache;
use super::*;
use crate::config::build::Builder;
use crate::config::network::{Class, ClassId, Scope, ScopeId};
use crate::config::tree::{Arithmetic, Combine, Function, IntWidth, LogPriority, Statement};
use crate::config::{Config, Family};
use crate::log::{Level, Line};
use crate::options::{Format, Octets, OptionId, Spaces};
use crate::time::Now;
use std::collections::HashMap;
use std::time::Duration;

/// A world without network, programs or names, except for those told.
#[derive(Default)]
pub(crate) struct Isolated {
    pub(crate) addresses: HashMap<String, Vec<Ipv4Addr>>,
    pub(crate) asked: Vec<String>,
    pub(crate) executed: Vec<Vec<Vec<u8>>>,
    pub(crate) status: Option<i32>,
    /// No process can be made.
    pub(crate) crowded: bool,
}

impl Environment for Isolated {
    fn resolve(&mut self, name: &str) -> Result<Vec<Ipv4Addr>, ResolveError> {
        self.asked.push(name.to_owned());
        self.addresses.get(name).cloned().ok_or(ResolveError::HostUnknown)
    }
    fn reverse(&mut self, _: Ipv4Addr) -> Option<String> {
        None
    }
    fn hostname(&mut self) -> Vec<u8> {
        vec![b'h'; 300]
    }
    fn execute(&mut self, command: &[u8], arguments: &[Vec<u8>]) -> Result<i32, NotRun> {
        let mut words = vec![command.to_vec()];
        words.extend_from_slice(arguments);
        self.executed.push(words);
        if self.crowded {
            return Err(NotRun::NoProcess);
        }
        self.status.ok_or_else(|| NotRun::NotStarted("No such file or directory".to_owned()))
    }
}

/// All that a context borrows.
struct World {
    now: i64,
    config: Config,
    bindings: Bindings,
    environment: Isolated,
    memory: Memory,
    reply: ReplyOptions,
    handlers: Handlers,
    classes: Vec<ClassId>,
    vendor_options: PacketOptions,
    packet: Option<(Packet, PacketOptions)>,
    log: Vec<Line>,
}

impl World {
    fn new() -> Self {
        Self {
            now: 1000,
            config: empty_config(),
            bindings: Bindings::default(),
            environment: Isolated { status: Some(0), ..Isolated::default() },
            memory: Memory::default(),
            reply: ReplyOptions::new(),
            handlers: Handlers::default(),
            classes: Vec::new(),
            vendor_options: PacketOptions::new(),
            packet: None,
            log: Vec::new(),
        }
    }

    /// A packet of Ethernet address 2:0:0:0:0:1 with these options, each with its octets.
    fn with_packet(mut self, options: &[(u8, &[u8])]) -> Self {
        let mut raw = vec![0; 236];
        raw[..3].copy_from_slice(&[1, 1, 6]);
        raw[28..34].copy_from_slice(&[2, 0, 0, 0, 0, 1]);
        raw[108..113].copy_from_slice(b"boot\0");
        raw.extend([99, 130, 83, 99]);
        for (code, octets) in options {
            raw.extend([*code, u8::try_from(octets.len()).expect("short")]);
            raw.extend_from_slice(octets);
        }
        raw.push(255);
        let packet = Packet::decode(&raw).expect("whole");
        let mut parsed = PacketOptions::new();
        let fields = crate::options::OptionFields {
            options: packet.options().unwrap_or_default(),
            ..Default::default()
        };
        crate::options::parse_packet_options(&self.config.spaces, fields, &mut parsed, &mut Vec::new())
            .expect("well-formed");
        self.packet = Some((packet, parsed));
        self
    }

    fn context(&mut self) -> Context<'_> {
        let now = Now { wall: self.now, tick: Duration::ZERO };
        let mut context = Context::new(
            now,
            &self.config,
            &mut self.bindings,
            &mut self.environment,
            &mut self.memory,
            &mut self.log,
        );
        context.reply = Some(&mut self.reply);
        context.handlers = Some(&mut self.handlers);
        context.classes = Some(&mut self.classes);
        context.vendor_options = Some(&mut self.vendor_options);
        context.request = self.packet.as_ref().map(|(packet, options)| Request {
            packet,
            options,
            known: false,
            agent_options_in_reply: false,
            relayed_by: None,
        });
        context
    }

    fn run(&mut self, statements: &[Statement]) -> Result<(), Fatal> {
        execute(statements, &mut self.context())
    }

    fn octets(&mut self, expr: &Expr) -> Option<Vec<u8>> {
        evaluate_data(expr, &mut self.context()).map(|data| data.to_vec())
    }

    /// What was logged since the last time.
    fn lines(&mut self) -> Vec<String> {
        self.log.drain(..).map(|line| String::from_utf8_lossy(&line.text).into_owned()).collect()
    }
}

pub(crate) fn empty_config() -> Config {
    Builder::new(Family::V4).finish().config
}

fn text(text: &str) -> Expr {
    Expr::Data(Octets::new(text.as_bytes()))
}
fn number(number: i64) -> Expr {
    Expr::Number(number)
}
fn variable(name: &str) -> Expr {
    Expr::Variable(name.into())
}
fn concat(left: Expr, right: Expr) -> Expr {
    Expr::Concat(Box::new([left, right]))
}
fn equal(left: Expr, right: Expr) -> Expr {
    Expr::Equal(Box::new([left, right]))
}
fn substring(data: Expr, offset: i64, length: i64) -> Expr {
    Expr::Substring(Box::new([data, number(offset), number(length)]))
}
fn call(name: &str, argument: Expr) -> Expr {
    Expr::Call { name: name.into(), arguments: vec![argument] }
}
fn set(name: &str, value: Expr) -> Statement {
    Statement::Set { name: name.into(), value }
}
fn log(value: Expr) -> Statement {
    Statement::Log { priority: LogPriority::Info, value: Some(value) }
}
fn define(name: &str, parameter: &str, body: &[Statement]) -> Statement {
    let function = Function { parameters: vec![parameter.into()], body: body.into() };
    Statement::Define { name: name.into(), function: Arc::new(function) }
}
fn when(condition: Expr, then: &[Statement]) -> Statement {
    Statement::If { condition, then: then.into(), otherwise: Arc::new([]) }
}
fn dhcp(code: u32) -> OptionId {
    Spaces::new().by_code(Spaces::DHCP, code)
}
fn option(combine: Combine, option: OptionId, value: Expr) -> Statement {
    Statement::Option { combine, option, value: Arc::new(value) }
}

#[test]
fn booleans_have_three_values() {
    let truth =
        [(Some(true), Expr::Static), (Some(false), Expr::Not(Box::new(Expr::Static))), (None, Expr::Known)];
    let mut world = World::new();
    let mut context = world.context();
    context.lease = Some(LeaseFacts {
        address: Ipv4Addr::LOCALHOST,
        ends: 0,
        hardware: None,
        host_name: None,
        fixed: true,
    });
    for (left, left_expr) in &truth {
        for (right, right_expr) in &truth {
            let sides = || Box::new([left_expr.clone(), right_expr.clone()]);
            let and = if *left == Some(true) { *right } else { None };
            assert_eq!(evaluate_boolean(&Expr::And(sides()), &mut context), and, "{left:?} and {right:?}");
            let or = match (left, right) {
                (None, None) => None,
                _ => Some(*left == Some(true) || *right == Some(true)),
            };
            assert_eq!(evaluate_boolean(&Expr::Or(sides()), &mut context), or, "{left:?} or {right:?}");
        }
    }
}

#[test]
fn equality_is_never_absent_and_never_crosses_types() {
    let mut world = World::new();
    let mut is = |left: Expr, right: Expr| evaluate_boolean(&equal(left, right), &mut world.context());
    assert_eq!(is(text("a"), text("a")), Some(true));
    assert_eq!(is(Expr::Null, text("")), Some(false));
    assert_eq!(is(Expr::Null, variable("nothing")), Some(true));
    assert_eq!(is(text("\x05"), number(5)), Some(false));
    assert_eq!(is(number(-1), Expr::ExtractInt(IntWidth::Four, Box::new(text("")))), Some(false));
}

#[test]
fn numbers_are_unsigned_and_wrap() {
    let mut world = World::new();
    let mut calculate = |operator, left, right| {
        let expr = Expr::Arithmetic(operator, Box::new([number(left), number(right)]));
        evaluate_numeric(&expr, &mut world.context())
    };
    assert_eq!(calculate(Arithmetic::Divide, -7, 2), Some((u64::MAX - 6) / 2));
    assert_eq!(calculate(Arithmetic::Divide, 7, 0), None);
    assert_eq!(calculate(Arithmetic::Remainder, 7, 0), None);
    assert_eq!(calculate(Arithmetic::Add, -1, 2), Some(1));
    assert_eq!(calculate(Arithmetic::Subtract, 1, 2), Some(u64::MAX));
    assert_eq!(calculate(Arithmetic::Multiply, i64::MIN, 2), Some(0));
    assert_eq!(calculate(Arithmetic::Xor, 6, 3), Some(5));
}

#[test]
fn set_lets_the_old_value_go_before_it_evaluates() {
    let mut world = World::new();
    world.run(&[set("v", text("a")), set("V", concat(variable("v"), text("b")))]).unwrap();
    assert_eq!(world.bindings.value("v"), None);
    world
        .run(&[set("v", text("a")), set("w", concat(variable("v"), text("b"))), set("v", variable("w"))])
        .unwrap();
    assert_eq!(world.bindings.value("v"), Some(&Value::Data(Octets::new(b"ab"))));
    let names: Vec<&str> = world.bindings.entries.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["w", "v"]);
}

#[test]
fn functions_see_and_change_the_variables_of_their_callers() {
    let mut world = World::new();
    let inner = define("inner", "p", &[set("seen", variable("mine")), set("outer", variable("p"))]);
    let outer = define("f", "q", &[set("mine", text("m")), Statement::Eval(call("inner", variable("q")))]);
    world.run(&[inner, outer, set("outer", text("o")), Statement::Eval(call("f", text("x")))]).unwrap();
    assert_eq!(world.bindings.data("outer"), Some(&Octets::new(b"x")));
    assert_eq!(world.bindings.value("seen"), None, "local to the call");
    assert_eq!(world.bindings.value("mine"), None);
    world.run(&[log(call("f", text("x")))]).unwrap();
    assert_eq!(world.lines(), ["Bogus opcode in evaluate_data_expression: 45"]);
}

#[test]
fn a_bare_call_is_complained_about_and_sent() {
    let mut world = World::new();
    world.run(&[define("f", "p", &[Statement::Return(Some(variable("p")))])]).unwrap();
    let sent = evaluate_sent(&call("f", text("x")), &mut world.context()).map(|data| data.to_vec());
    assert_eq!(sent.as_deref(), Some(&b"x"[..]));
    assert_eq!(world.lines(), ["Bogus opcode in evaluate_data_expression: 45"]);
    assert_eq!(world.octets(&call("f", text("x"))), None);
}

#[test]
fn a_variable_remembers_whether_empty_data_had_storage() {
    let mut world = World::new();
    world.run(&[set("literal", text("")), set("made", concat(text(""), text("")))]).unwrap();
    assert_eq!(world.bindings.value("literal"), Some(&Value::Nowhere));
    assert_eq!(world.bindings.value("made"), Some(&Value::Data(Octets::new(b""))));
    world.run(&[set("copy", variable("literal"))]).unwrap();
    assert_eq!(world.bindings.value("copy"), Some(&Value::Nowhere));
    assert_eq!(world.octets(&variable("copy")).as_deref(), Some(&b""[..]));
}

#[test]
fn letting_the_last_holder_of_a_function_go_is_logged() {
    let mut world = World::new();
    world.run(&[define("f", "p", &[]), set("g", variable("f")), set("f", text("x"))]).unwrap();
    assert_eq!(world.lines(), Vec::<String>::new());
    world.run(&[Statement::Unset("g".into())]).unwrap();
    assert_eq!(world.lines(), ["execute.c(427): invalid binding type: 4"]);
    world.run(&[define("f", "p", &[]), define("f", "p", &[])]).unwrap();
    assert_eq!(world.lines(), ["execute.c(387): invalid binding type: 4"]);
}

#[test]
fn switch_falls_through_and_break_ends_one_block() {
    let mut world = World::new();
    let case = |label: &str| Statement::Case(text(label));
    let body = vec![
        log(text("never")),
        Statement::DefaultCase,
        log(text("default")),
        case("a"),
        when(equal(Expr::Null, Expr::Null), &[log(text("in")), Statement::Break, log(text("never"))]),
        case("b"),
        log(text("b")),
        Statement::Break,
        log(text("never")),
    ];
    let switch = |on: &str| Statement::Switch { on: text(on), body: body.clone().into() };
    world.run(&[switch("a"), switch("b"), switch("z"), log(text("end"))]).unwrap();
    assert_eq!(world.lines(), ["in", "b", "b", "default", "in", "b", "end"]);
}

#[test]
fn handlers_replace_each_other() {
    let mut world = World::new();
    let on = |commit, release, text: Option<&str>| Statement::On {
        events: Events { commit, release, ..Events::default() },
        body: text.map(|text| Arc::from([log(self::text(text))])),
    };
    world.run(&[on(true, true, Some("1")), on(false, true, Some("2"))]).unwrap();
    let body = |handler: &Option<Handler>| handler.as_ref().map(|handler| handler.body.clone());
    assert_eq!(body(&world.handlers.commit), Some(Arc::from([log(text("1"))])));
    assert_eq!(body(&world.handlers.release), Some(Arc::from([log(text("2"))])));
    assert_eq!(world.handlers.expiry, None);
    world.run(&[on(true, false, None)]).unwrap();
    assert_eq!(world.handlers.commit, None);
}

#[test]
fn lines_end_at_nul_and_at_1023_octets() {
    let mut world = World::new();
    world.run(&[log(text("a\0b")), log(text(&"x".repeat(2000))), log(text("")), log(Expr::Null)]).unwrap();
    assert_eq!(world.lines(), ["a".to_owned(), "x".repeat(1023), String::new()]);
}

#[test]
fn a_fatal_line_ends_everything() {
    let mut world = World::new();
    let fatal = |value| Statement::Log { priority: LogPriority::Fatal, value: Some(value) };
    let body = [fatal(Expr::Null), fatal(text("over")), log(text("no"))];
    let statements = [define("f", "p", &body), log(call("f", text(""))), set("v", text("no"))];
    assert_eq!(world.run(&statements), Err(Fatal(Line { level: Level::Error, text: b"over".to_vec() })));
    assert_eq!(world.lines(), Vec::<String>::new());
    assert_eq!(world.bindings.value("v"), None);
}

#[test]
fn unbounded_recursion_is_given_up_with_one_line() {
    // A test has less of a stack than a server.
    std::thread::Builder::new()
        .stack_size(8 << 20)
        .spawn(|| {
            let mut world = World::new();
            let body = [set("a", call("f", variable("p"))), set("b", call("f", variable("p")))];
            world
                .run(&[define("f", "p", &body), set("r", call("f", text("x"))), log(text("not reached"))])
                .unwrap();
            let lines = world.lines();
            assert_eq!(lines.len(), 1, "{lines:?}");
            assert!(lines[0].contains("nested more than"), "{lines:?}");
            world.run(&[log(text("on"))]).unwrap();
            assert_eq!(world.lines(), ["on"]);
            // An option that refers to itself.
            world.run(&[option(Combine::Supersede, dhcp(12), Expr::ConfigOption(dhcp(12)))]).unwrap();
            assert_eq!(world.octets(&Expr::ConfigOption(dhcp(12))), None);
            assert_eq!(world.lines().len(), 1);
            // Once for every octet of a long option is fine.
            let rest = Expr::Substring(Box::new([variable("p"), number(1), number(1000)]));
            let body = [
                when(equal(variable("p"), text("")), &[Statement::Return(Some(text("end")))]),
                set("t", call("walk", rest)),
                Statement::Return(Some(variable("t"))),
            ];
            let start = [
                define("walk", "p", &body),
                set("r", call("walk", text(&"x".repeat(255)))),
                log(variable("r")),
            ];
            world.run(&start).unwrap();
            assert_eq!(world.lines().last().map(String::as_str), Some("end"));
        })
        .expect("a thread")
        .join()
        .expect("no panic");
}

#[test]
fn options_combine() {
    let mut world = World::new();
    let name = dhcp(12);
    world
        .run(&[
            option(Combine::Append, name, text("b")),
            option(Combine::Append, name, text("c")),
            option(Combine::Prepend, name, text("a")),
            option(Combine::Default, name, text("no")),
        ])
        .unwrap();
    assert_eq!(world.octets(&Expr::ConfigOption(name)), Some(b"abc".to_vec()));
    world.run(&[option(Combine::Append, name, Expr::Null)]).unwrap();
    assert_eq!(world.octets(&Expr::ConfigOption(name)), None);
    world.run(&[option(Combine::Default, name, text("no"))]).unwrap();
    assert_eq!(world.octets(&Expr::ConfigOption(name)), None, "set, if to nothing");
    world
        .run(&[set("v", text("1")), option(Combine::Supersede, name, variable("v")), set("v", text("2"))])
        .unwrap();
    assert_eq!(world.octets(&Expr::ConfigOption(name)), Some(b"2".to_vec()), "evaluated when needed");
    // Compressed domain lists are joined as lists.
    let search = dhcp(119);
    let list = |octets: &[u8]| Expr::Data(Octets::new(octets));
    world
        .run(&[
            option(Combine::Append, search, list(b"\x01a\x02bc\x00")),
            option(Combine::Append, search, list(b"\x01d\x02bc\x00")),
        ])
        .unwrap();
    assert_eq!(world.octets(&Expr::ConfigOption(search)), Some(b"\x01a\x02bc\x00\x01d\xc0\x02".to_vec()));
}

#[test]
fn a_packet_is_seen() {
    let mut world = World::new().with_packet(&[(60, b"PXEClient:Arch"), (12, b"pc\0"), (53, &[1])]);
    let class = substring(Expr::Option(dhcp(60)), 0, 9);
    assert_eq!(evaluate_boolean(&equal(class, text("PXEClient")), &mut world.context()), Some(true));
    assert_eq!(world.octets(&Expr::Option(dhcp(12))), Some(b"pc".to_vec()));
    assert_eq!(world.octets(&Expr::Hardware), Some(vec![1, 2, 0, 0, 0, 0, 1]));
    assert_eq!(world.octets(&Expr::Filename), Some(b"boot".to_vec()));
    assert_eq!(world.octets(&Expr::ServerName), None);
    let packet = |offset, length| Expr::Packet(Box::new([number(offset), number(length)]));
    assert_eq!(world.octets(&packet(236, 4)), Some(vec![99, 130, 83, 99]));
    assert_eq!(world.octets(&packet(-1, 1)), None);
    assert_eq!(world.octets(&packet(2, -1)), None, "dhcpd crashes");
    assert_eq!(world.octets(&packet(0, 3)), Some(vec![1, 1, 6]));
    assert_eq!(evaluate_boolean(&Expr::Exists(dhcp(60)), &mut world.context()), Some(true));
    assert_eq!(evaluate_boolean(&Expr::Exists(dhcp(61)), &mut world.context()), Some(false));
    assert_eq!(evaluate_boolean(&Expr::Known, &mut world.context()), Some(false));
    assert_eq!(world.octets(&Expr::LeasedAddress), None);
    assert_eq!(evaluate_numeric(&Expr::LeaseTime, &mut world.context()), None);
    assert_eq!(world.lines().len(), 2);
}

#[test]
fn relays_are_counted_from_the_client() {
    let world = World::new();
    let inner = World::new().with_packet(&[(12, b"client")]);
    let relays = [World::new().with_packet(&[(12, b"near")]), World::new().with_packet(&[(12, b"far")])];
    let request = |world: &'static World, relayed_by| {
        let (packet, options) = world.packet.as_ref().expect("a packet");
        Request { packet, options, known: false, agent_options_in_reply: false, relayed_by }
    };
    // A context borrows for as long as it lives; a test may leak.
    let leak = |world: World| &*Box::leak(Box::new(world));
    let [near, far] = relays.map(leak);
    let far = Box::leak(Box::new(request(far, None)));
    let near = Box::leak(Box::new(request(near, Some(far))));
    let world = Box::leak(Box::new(world));
    let mut context = world.context();
    context.request = Some(request(leak(inner), Some(near)));
    let mut relay = |number: i64, data: Expr| {
        let expr = Expr::V6Relay(Box::new([self::number(number), data]));
        evaluate_data(&expr, &mut context).map(|data| String::from_utf8_lossy(&data).into_owned())
    };
    let name = || Expr::Option(dhcp(12));
    assert_eq!(relay(0, name()).as_deref(), Some("client"));
    assert_eq!(relay(1, name()).as_deref(), Some("near"));
    assert_eq!(relay(2, name()).as_deref(), Some("far"));
    assert_eq!(relay(3, name()), None);
    assert_eq!(relay(33, name()).as_deref(), Some("far"));
    assert_eq!(relay(-1, name()).as_deref(), Some("far"));
    assert_eq!(relay(1, Expr::V6Relay(Box::new([number(1), name()]))).as_deref(), Some("far"));
}

#[test]
fn names_are_remembered_for_each_place() {
    let mut world = World::new();
    world
        .environment
        .addresses
        .insert("two".into(), vec![Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2)]);
    let (two, none) = (Expr::HostLookup("two".into()), Expr::HostLookup("none".into()));
    assert_eq!(world.octets(&two), Some(vec![10, 0, 0, 1, 10, 0, 0, 2]));
    assert_eq!(world.octets(&none), None);
    assert_eq!(world.octets(&none), Some(vec![]), "empty while the failure is remembered");
    assert_eq!(world.octets(&Expr::HostLookup("none".into())), None, "another place asks itself");
    assert_eq!(world.lines(), ["none: host unknown.", "none: host unknown."]);
    world.now += 60;
    assert_eq!(world.octets(&none), Some(vec![]));
    world.now += 1;
    assert_eq!(world.octets(&none), None);
    world.now += 3600 - 61;
    world.environment.asked.clear();
    assert_eq!(world.octets(&two).map(|octets| octets.len()), Some(8));
    assert_eq!(world.environment.asked, Vec::<String>::new());
    world.now += 1;
    world.octets(&two);
    assert_eq!(world.environment.asked, ["two"]);
    assert_eq!(world.octets(&Expr::HostLookup("10.0.0.9".into())), Some(vec![10, 0, 0, 9]));
    assert_eq!(world.octets(&Expr::Gethostname).map(|name| name.len()), Some(255));
    world.memory.names = NameCache::default();
}

#[test]
fn programs_run_and_their_status_is_logged() {
    let mut world = World::new();
    let run = |arguments: &[Expr]| Statement::Execute {
        command: Octets::new(b"/bin/x"),
        arguments: arguments.into(),
    };
    world.run(&[run(&[text("a\0b"), text("")])]).unwrap();
    assert_eq!(world.environment.executed, [[b"/bin/x".to_vec(), b"a".to_vec(), Vec::new()]]);
    assert_eq!(
        world.lines(),
        [
            "execute_statement argv[0] = /bin/x",
            "execute_statement argv[1] = a",
            "execute_statement argv[2] = "
        ]
    );
    world.run(&[run(&[text("a"), Expr::Null, text("b")])]).unwrap();
    assert_eq!(world.lines().last().map(String::as_str), Some("execute: bad arg 2"));
    assert_eq!(world.environment.executed.len(), 1);
    world.environment.status = Some(256);
    world.run(&[run(&[])]).unwrap();
    assert_eq!(world.lines().last().map(String::as_str), Some("execute: /bin/x exit status 256"));
    world.environment.status = None;
    world.run(&[run(&[])]).unwrap();
    assert_eq!(
        world.lines()[1..],
        ["Unable to execute /bin/x: No such file or directory", "execute: /bin/x exit status 32512"]
    );
    world.environment.crowded = true;
    world.run(&[run(&[])]).unwrap();
    assert_eq!(world.lines().last().map(String::as_str), Some("execute: fork() failed"));
}

/// A class with its own scope.
fn class(
    config: &mut Config,
    name: &str,
    match_if: Option<Expr>,
    submatch: Option<Expr>,
    spawning: bool,
) -> ClassId {
    let id = ClassId(u32::try_from(config.classes.len()).expect("few"));
    config.scopes.push(Scope {
        parent: Some(ScopeId::ROOT),
        statements: Arc::from([log(text(name))]),
        authoritative: false,
    });
    let scope = ScopeId(u32::try_from(config.scopes.len() - 1).expect("few"));
    config.classes.push(Class {
        name: name.into(),
        superclass: None,
        hash_value: None,
        scope,
        match_if: match_if.map(Arc::new),
        submatch: submatch.map(Arc::new),
        spawning,
        subclasses: HashMap::new(),
        lease_limit: None,
        dynamic: false,
        deleted: false,
    });
    config.class_order.push(id);
    id
}

#[test]
fn packets_are_matched_to_classes() {
    let mut world = World::new();
    let vendor = || Expr::Option(dhcp(60));
    let pxe = class(&mut world.config, "pxe", Some(equal(vendor(), text("PXE"))), None, false);
    class(&mut world.config, "other", Some(equal(vendor(), text("other"))), None, false);
    let by_name = class(&mut world.config, "by-name", None, Some(Expr::Option(dhcp(12))), false);
    let declared = class(&mut world.config, "by-name", None, None, false);
    world.config.class_order.pop();
    world.config.classes[declared.index()].superclass = Some(by_name);
    world.config.classes[by_name.index()].subclasses.insert(Octets::new(b"pc"), declared);
    let spawn = class(&mut world.config, "spawn", Some(Expr::Exists(dhcp(61))), Some(Expr::Hardware), true);
    let mut world = world.with_packet(&[(60, b"PXE"), (12, b"pc"), (61, b"\x01x")]);
    let check = Expr::Check("default".into());
    assert_eq!(evaluate_boolean(&check, &mut world.context()), Some(true));
    let spawned = world.classes[2];
    assert!(spawned.index() >= world.config.classes.len());
    assert_eq!(world.classes, [pxe, declared, spawned]);
    assert_eq!(world.memory.spawned.superclass(&world.config, spawned), Some(spawn));
    assert_eq!(world.memory.spawned.superclass(&world.config, declared), Some(by_name));
    assert_eq!(
        world.memory.spawned.declaration(&world.config, spawned).map(|class| &*class.name),
        Some("spawn")
    );
    assert_eq!(
        world.memory.spawned.value(&world.config, spawned),
        Some(&Octets::new(&[1, 2, 0, 0, 0, 0, 1])),
    );
    // Again: the same spawned subclass, and no more than five.
    assert_eq!(evaluate_boolean(&check, &mut world.context()), Some(true));
    assert_eq!(world.classes, [pxe, declared, spawned, pxe, declared]);
    assert_eq!(world.lines(), ["too many classes match 02:00:00:00:00:01"]);
    world.run(&[Statement::Add(pxe)]).unwrap();
    assert_eq!(world.lines(), ["too many classes match 02:00:00:00:00:01"]);
    assert_eq!(evaluate_boolean(&check, &mut World::new().context()), Some(false), "no packet");
}

#[test]
fn vendor_options_are_parsed_on_demand() {
    let mut world = World::new();
    let acme = world.config.spaces.define_space("acme", 1, 1);
    let name =
        world.config.spaces.define_option(acme, "name", 1, Format::parse("t").expect("text")).expect("new");
    let mut world = world.with_packet(&[(43, &[1, 2, b'h', b'i'])]);
    world.run(&[Statement::ParseVendorOption]).unwrap();
    assert_eq!(world.octets(&Expr::Option(name)), None, "no space is named");
    let space = OptionId::unknown(Spaces::SERVER, settings::code::VENDOR_OPTION_SPACE);
    world.run(&[option(Combine::Supersede, space, text("acme")), Statement::ParseVendorOption]).unwrap();
    assert_eq!(world.octets(&Expr::Option(name)), Some(b"hi".to_vec()));
    assert_eq!(evaluate_boolean(&Expr::Exists(name), &mut world.context()), Some(true));
}

#[test]
fn parameters_are_read() {
    use settings::{Flag, code};
    let mut world = World::new().with_packet(&[]);
    let parameter = |code, value: &[u8]| {
        let value = Expr::Data(Octets::new(value));
        option(Combine::Supersede, OptionId::unknown(Spaces::SERVER, code), value)
    };
    world
        .run(&[
            parameter(code::DEFAULT_LEASE_TIME, &[0, 0, 2, 88]),
            parameter(code::MIN_SECS, &[7]),
            parameter(code::ALLOW_BOOTP, &[2]),
            parameter(code::PING_CHECK, &[1]),
            parameter(code::DECLINES, &[]),
        ])
        .unwrap();
    let mut context = world.context();
    assert_eq!(settings::number(code::DEFAULT_LEASE_TIME, &mut context), Some(600));
    assert_eq!(settings::number(code::MIN_SECS, &mut context), None);
    assert_eq!(settings::octet(code::MIN_SECS, &mut context), Some(7));
    assert_eq!(settings::flag(code::ALLOW_BOOTP, &mut context), Some(Flag::Ignore));
    assert_eq!(settings::flag(code::PING_CHECK, &mut context), Some(Flag::True));
    assert_eq!(settings::flag(code::DECLINES, &mut context), Some(Flag::False));
    assert_eq!(settings::flag(code::DUPLICATES, &mut context), None);
}
