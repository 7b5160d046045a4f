use super::*;

/// A configuration as it is read from an empty file but for one pool.
fn empty() -> Config {
    let text = b"subnet 10.0.0.0 netmask 255.0.0.0 { range 10.0.0.1 10.0.0.200; }".to_vec();
    let mut nothing = |_: &[u8]| Err(crate::syntax::LoadError { errno: None, message: String::new() });
    crate::config::build(&crate::syntax::parse(b"f", text, &mut nothing), crate::config::Family::V4).config
}

fn plain() -> Config {
    config(&[&[&[("10.0.0.10", "10.0.0.20")]]])
}

/// What the messages about a file are, the lines of each joined.
fn complaints(source: &[u8]) -> Vec<String> {
    messages(&loaded(&plain(), source).2)
}

fn only(source: &[u8]) -> Lease {
    let (db, _, lines) = loaded(&plain(), source);
    assert_eq!(messages(&lines), Vec::<String>::new());
    db.lease(id(&db, "10.0.0.10")).into_owned()
}

#[test]
fn every_statement_comes_back_as_dhcpd_writes_it() {
    let mut config = plain();
    config.failover_peers = Vec::new();
    let block = "lease 10.0.0.10 {\n  starts 4 2026/01/01 00:00:00;\n  ends never;\n  tstp 5 2026/01/02 00:00:00;\n  \
        tsfp 6 2026/01/03 00:00:00;\n  atsfp 0 2026/01/04 00:00:00;\n  cltt 1 2026/01/05 01:02:03;\n  \
        binding state active;\n  next binding state free;\n  rewind binding state backup;\n  reserved;\n  \
        dynamic-bootp;\n  hardware ethernet 02:00:00:00:00:0a;\n  uid \"\\001a \\\"\\\\\\377\";\n  \
        set vendor-class-identifier = \"MSFT 5.0\";\n  set n = %-5;\n  set t = true;\n  set f = false;\n  \
        option agent.circuit-id \"a\\$b\";\n  option agent.remote-id 0:1:ff;\n  option agent.link-selection 10.0.0.1;\n  \
        client-hostname \"my host\";\n  on expiry or release {\n    set a = \"x\" ;\n  }\n}\n";
    let (mut db, others, lines) = loaded(&config, block.as_bytes());
    assert_eq!(messages(&lines), Vec::<String>::new());
    let (file, lines) = rewritten(&config, &mut db, &others);
    // Variables are a stack: each rewrite turns them over.
    let turned = block.replacen(
        "  set vendor-class-identifier = \"MSFT 5.0\";\n  set n = %-5;\n  set t = true;\n  set f = false;\n",
        "  set f = false;\n  set t = true;\n  set n = %-5;\n  set vendor-class-identifier = \"MSFT 5.0\";\n",
        1,
    );
    let header = String::from_utf8(writer::header()).unwrap();
    assert_eq!(file, header + &turned);
    assert_eq!(lines, ["Wrote 1 leases to leases file."]);
}

#[test]
fn formats_of_identifiers_and_times_follow_the_configuration() {
    struct East(Config);
    impl Words for East {
        fn config(&self) -> &Config {
            &self.0
        }
        fn local_offset(&self, _: Seconds) -> Seconds {
            3600
        }
    }
    let mut config = plain();
    config.lease_id_format = crate::config::network::LeaseIdFormat::Hex;
    config.db_time_format_local = true;
    let lease = only(b"lease 10.0.0.10 { starts epoch 1767225600; ends never; uid 1:2:ff; }");
    let mut out = Vec::new();
    write_lease(&mut out, &lease, NOW, &East(config), &mut Vec::new());
    let text = "lease 10.0.0.10 {\n  starts epoch 1767225600; # Thu Jan 01 01:00:00 2026\n  ends never;\n  tstp never;\n  \
        binding state active;\n  next binding state free;\n  uid 01:02:ff;\n}\n";
    assert_eq!(String::from_utf8(out).unwrap(), text);
}

#[test]
fn what_is_left_out() {
    let config = plain();
    // Not printable, a quote, no value; a negative time.
    let mut lease = only(b"lease 10.0.0.10 { client-hostname \"a\\\"b\"; set x = \"\"; }");
    lease.starts = -1;
    lease.bindings.entries.push(("gone".into(), None));
    let mut out = Vec::new();
    write_lease(&mut out, &lease, NOW, &config, &mut Vec::new());
    assert_eq!(out, b"lease 10.0.0.10 {\n  binding state free;\n  set x = \"\";\n}\n");
    // A free lease without identity is not written at all.
    let (mut db, others, _) = loaded(&config, b"lease 10.0.0.10 { ends 4 2026/01/01 00:00:00; }");
    assert_eq!(rewritten(&config, &mut db, &others).1, ["Wrote 0 leases to leases file."]);
}

#[test]
fn a_billing_is_written_while_the_lease_runs() {
    let mut config = plain();
    let class = |name: &str, superclass, value: Option<&[u8]>| Class {
        name: name.into(),
        superclass,
        hash_value: value.map(Octets::new),
        scope: ScopeId::ROOT,
        match_if: None,
        submatch: None,
        spawning: true,
        subclasses: Default::default(),
        lease_limit: Some(1),
        dynamic: false,
        deleted: false,
    };
    config.classes = vec![class("c", None, None), class("c", Some(ClassId(0)), Some(b"text"))];
    config.classes[0].subclasses.insert(Octets::new(b"text"), ClassId(1));
    config.class_order = vec![ClassId(0)];
    let file = b"lease 10.0.0.10 { binding state active; ends never; billing class \"c\"; }\n\
        lease 10.0.0.11 { binding state active; ends never; billing subclass \"c\" \"text\"; }\n\
        lease 10.0.0.12 { binding state active; ends never; billing subclass \"c\" 1:2; }\n\
        lease 10.0.0.13 { binding state active; ends never; billing class \"c\"; }\n\
        lease 10.0.0.14 { binding state active; ends 4 2026/01/01 00:00:00; billing subclass \"c\" 9; }\n";
    let mut db = LeaseDb::new(&config).unwrap();
    let (mut others, mut spawned) = (Others::default(), Spawned::default());
    let mut config = Arc::new(config);
    let mut loading =
        Loading { config: &mut config, db: &mut db, others: &mut others, spawned: &mut spawned };
    assert!(loading.load(file, b"f", NOW, &mut |_, _, _| Ok(None)).is_empty());
    db.start();
    let billing = |last: u8| {
        let mut out = Vec::new();
        let lease = db.lease(id(&db, &format!("10.0.0.{last}")));
        write_lease(&mut out, &lease, NOW, &Both(&config, &spawned), &mut Vec::new());
        let text = String::from_utf8(out).unwrap();
        text.lines().find(|line| line.contains("billing")).map(str::to_owned)
    };
    assert_eq!(billing(10).unwrap(), "  billing class \"c\";");
    assert_eq!(billing(11).unwrap(), "  billing subclass \"c\" \"text\";");
    assert_eq!(billing(12).unwrap(), "  billing subclass \"c\" 01:02;");
    assert_eq!(billing(13), None, "the limit of one is used up");
    assert_eq!(billing(14), None, "it has ended");
}

#[test]
fn legacy_forms() {
    let lease = only(
        b"lease 10.0.0.10 { Class foo; ABANDONED; timestamp 4 2026/01/01 00:00:00; ddns-fwd-name \"a.b\"; \
          ddns-rev-name \"1.in-addr.arpa\"; client-hostname a.b-1.; uid 61:62; starts 4 126/01/01 00:00:00 3600; }",
    );
    assert_eq!((lease.state, lease.next_state), (BindingState::Abandoned, BindingState::Abandoned));
    assert_eq!(lease.client_hostname.as_deref(), Some(&b"a.b-1."[..]));
    assert_eq!(lease.uid.as_deref(), Some(&b"ab"[..]));
    assert_eq!(lease.starts, 1_767_229_200);
    assert_eq!(lease.bindings.data("ddns-fwd-name").map(|o| o.as_slice()), Some(&b"a.b"[..]));
    let lease = only(b"lease 10.0.0.10 { binding state bootp; }");
    assert_eq!((lease.state, lease.dynamic_bootp), (BindingState::Active, true));
    assert!(only(b"lease 10.0.0.10 { binding state reserved; }").reserved);
    let lease = only(b"lease 10.0.0.10 { hardware unknown-7 1:2; set x = aa:bb; }");
    assert_eq!(lease.hardware, Some(Hardware { htype: 7, address: vec![1, 2] }));
    assert_eq!(lease.bindings.data("x").map(|o| o.as_slice()), Some(&[0xaa, 0xbb][..]));
}

#[test]
fn on_blocks_are_typed_and_shared() {
    let config = plain();
    let block = |last: u8, on: &str| {
        format!("lease 10.0.0.{last} {{\n  ends never;\n  tstp never;\n  binding state active;\n{on}}}\n")
    };
    let both = "  on expiry or release {\n    set a = \"x\" ;\n    log (info, \"gone\");\n  }\n";
    let apart = "  on expiry {\n    set a = \"x\" ;\n  }\n  on release {\n    set a = \"x\" ;\n  }\n";
    let wrong = "  on expiry {\n    nonsense here;\n  }\n";
    let file = block(10, both) + &block(11, both) + &block(12, apart) + &block(13, wrong);
    let mut db = LeaseDb::new(&config).unwrap();
    let (mut others, mut spawned) = (Others::default(), Spawned::default());
    let mut config = Arc::new(config);
    let mut loading =
        Loading { config: &mut config, db: &mut db, others: &mut others, spawned: &mut spawned };
    let lines = loading.load(file.as_bytes(), b"f", NOW, &mut *typed_handlers());
    assert_eq!(messages(&lines), ["f line 35: semicolon expected.", "    nonsense here;", "              ^"]);
    db.start();
    let expiry = |last: u8| db.lease(id(&db, &format!("10.0.0.{last}"))).handlers.expiry.clone();
    assert!(Arc::ptr_eq(&expiry(10).unwrap().body, &expiry(11).unwrap().body));
    assert!(expiry(13).is_none(), "what cannot be typed stays text");
    let (mut written, _) = rewritten(&config, &mut db, &others);
    written = written.split_off(writer::header().len());
    // Among equal ends the order is that of the addresses.
    assert_eq!(written, file);
}

#[test]
fn without_a_state_the_end_decides() {
    let lease = only(b"lease 10.0.0.10 { ends never; }");
    assert_eq!(
        (lease.state, lease.next_state, lease.tstp),
        (BindingState::Active, BindingState::Free, NEVER)
    );
    let lease = only(b"lease 10.0.0.10 { ends 4 2026/01/01 00:00:00; tstp 5 2026/01/02 00:00:00; }");
    assert_eq!((lease.state, lease.tstp), (BindingState::Free, 1_767_312_000));
    let lease = only(b"lease 10.0.0.10 { on expiry { set a = 1; } on commit { set b = 2; } }");
    assert_eq!((lease.state, lease.raw_handlers.map(|raw| raw.len())), (BindingState::Active, Some(1)));
    let lease = only(b"lease 10.0.0.10 { on expiry { } on release; }");
    assert_eq!((lease.state, lease.raw_handlers), (BindingState::Free, None));
}

#[test]
fn states_may_come_in_any_order() {
    let lease = only(
        b"lease 10.0.0.10 { next binding state free; rewind binding state free; binding state active; }",
    );
    use BindingState::{Active, Free};
    assert_eq!((lease.state, lease.next_state, lease.rewind_state), (Active, Free, Free));
}

#[test]
fn messages_about_a_lease() {
    let line = |rest: &str| complaints(format!("lease 10.0.0.10 {{ {rest} }}").as_bytes());
    let first = |rest: &str| line(rest)[0].clone();
    assert_eq!(first("uid \"a\" x;"), "f line 1: semicolon expected.");
    assert_eq!(first("client-hostname ;"), "f line 1: expecting a hostname.");
    assert_eq!(first("hardware foo 1:2;"), "f line 1: expecting a network hardware type");
    assert_eq!(first("hardware ethernet 1:2:zz;"), "f line 1: expecting numeric value.");
    let long = vec!["1"; 21].join(":");
    assert_eq!(first(&format!("hardware ethernet {long};")), "f line 1: hardware address too long");
    assert_eq!(first("next state free;"), "f line 1: expecting 'binding'");
    assert_eq!(first("binding free;"), "f line 1: expecting 'state'");
    assert_eq!(first("binding state used;"), "f line 1: used: expecting a binding state.");
    assert_eq!(first("billing class \"zz\";"), "f line 1: unknown class zz");
    assert_eq!(first("billing subclass \"zz\" 1;"), "f line 1: no class named zz");
    assert_eq!(first("billing zz;"), "f line 1: expecting \"class\"");
    assert_eq!(first("set state = 1;"), "f line 1: state can't be a variable name");
    assert_eq!(first("set x 1;"), "f line 1: expecting '=' in set statement.");
    assert_eq!(first("set x = 5;"), "f line 1: expecting a constant value.");
    assert_eq!(first("set x = %y;"), "f line 1: expecting decimal number.");
    assert_eq!(first("set x = maybe;"), "f line 1: expecting true or false");
    assert_eq!(first("option domain-name \"x\";"), "f line 1: agent option expected.");
    assert_eq!(first("option agent.nope 1;"), "f line 1: no option named nope in space agent");
    assert_eq!(first("option nope.x 1;"), "f line 1: no option space named nope.");
    assert_eq!(first("on full moon { }"), "f line 1: expecting a lease event type");
    assert_eq!(first("starts epoch x;"), "f line 1: Seconds since epoch expected.");
    assert_eq!(first("starts x;"), "f line 1: numeric day of week expected.");
    assert_eq!(
        first("starts 4 2026/01/01 00:00;"),
        "f line 1: expected colon separating minute from second."
    );
    assert_eq!(first("uid 100;"), "f line 1: 100 exceeds max (255) for precision.");
    assert_eq!(complaints(b"lease 10.0.0 { }")[0], "f line 1: too few numbers.");
    assert_eq!(complaints(b"lease foo { }")[0], "f line 1: expecting numeric value.");
    assert_eq!(complaints(b"lease 10.0.0.10 ;")[0], "f line 1: expecting left brace.");
    assert_eq!(complaints(b"lease 10.0.0.300 { }")[0], "f line 1: 300 exceeds max (255) for precision.");
    assert_eq!(line("starts x;").len(), 3, "the lease is used all the same");
}

#[test]
fn bad_octets_are_reported_from_the_last() {
    let lines = complaints(b"lease 10.0.0.10 { uid 1:100:200; }");
    assert_eq!(lines[0], "f line 1: 200 exceeds max (255) for precision.");
    assert_eq!(lines[3], "f line 1: 100 exceeds max (255) for precision.");
    assert_eq!(lines[2], format!("{}^", " ".repeat(28)));
}

#[test]
fn other_blocks_survive_a_rewrite() {
    let mut config = Arc::new(empty());
    let blocks = "class \"dyn\" {\n  dynamic;\n  match hardware;\n}\n\n\
        subclass \"dyn\" 01:02 {\n  dynamic;\n}\n\n\
        group g {\n  dynamic;\n        supersede domain-name = \"a{b\";\n}\n\
        host h.example {\n  dynamic;\n  hardware ethernet 02:00:00:00:00:01;\n}\n";
    let deleted = "host gone { dynamic; }\nhost gone { deleted; }\n";
    let (mut db, others, lines) = loaded_into(&mut config, (blocks.to_owned() + deleted).as_bytes());
    assert_eq!(messages(&lines), [""; 0]);
    let (file, lines) = rewritten(&config, &mut db, &others);
    assert_eq!(file, String::from_utf8(writer::header()).unwrap() + blocks);
    assert_eq!(
        lines,
        [
            "Wrote 2 class decls to leases file.",
            "Wrote 1 group decls to leases file.",
            "Wrote 0 deleted host decls to leases file.",
            "Wrote 0 new dynamic host decls to leases file.",
            "Wrote 0 leases to leases file."
        ]
    );
}

#[test]
fn every_lease_before_a_cut_is_loaded() {
    let config = plain();
    let block = |last: u8| {
        format!(
            "lease 10.0.0.{last} {{\n  starts 4 2026/01/01 00:00:00;\n  ends never;\n  binding state active;\n  \
             hardware ethernet 02:00:00:00:00:{last};\n  uid \"\\001{last}\";\n  set a = \"b\";\n  \
             client-hostname \"h\";\n  on expiry {{\n    set x = \"}}\" ;\n  }}\n}}\n"
        )
    };
    let blocks: Vec<String> = (10..14).map(block).collect();
    let whole = String::from_utf8(writer::header()).unwrap() + &blocks.concat();
    let mut ends = Vec::new();
    let mut at = writer::header().len();
    for block in &blocks {
        // Without its newline it is complete, too.
        at += block.len();
        ends.push(at - 1);
    }
    for cut in 0..=whole.len() {
        let (db, _, _) = loaded(&config, &whole.as_bytes()[..cut]);
        let complete = ends.iter().filter(|&&end| end <= cut).count();
        for last in 10..10 + complete {
            let lease = db.lease(id(&db, &format!("10.0.0.{last}")));
            assert_eq!(lease.state, BindingState::Active, "cut at {cut}, lease {last}");
            assert!(lease.hardware.is_some() && lease.uid.is_some() && lease.raw_handlers.is_some());
        }
    }
}

proptest! {
    #[test]
    fn random_octets_do_no_harm(source in proptest::collection::vec(any::<u8>(), 0..600)) {
        let (mut db, others, _) = loaded(&plain(), &source);
        rewritten(&plain(), &mut db, &others);
    }

    /// Words of the language in any order.
    #[test]
    fn random_words_do_no_harm(picks in proptest::collection::vec(0usize..64, 0..120)) {
        const WORDS: [&str; 64] = [
            "lease", "10.0.0.10", "{", "}", ";", "starts", "ends", "never", "epoch", "4", "2026/01/01", "00:00:00",
            "binding", "state", "active", "free", "next", "rewind", "uid", "\"\\001\\377\"", "1:2:ff", "hardware",
            "ethernet", "set", "x", "=", "%5", "true", "option", "agent.circuit-id", "agent.agent-id", "client-hostname",
            "billing", "class", "\"c\"", "subclass", "on", "expiry", "or", "release", "commit", "host", "group",
            "failover", "peer", "ia-na", "server-duid", "authoring-byte-order", "little-endian", "spawn", "with",
            "dynamic", "deleted", "\"open", "\\", "#", "\n", "\u{ff}", "-", "99999999999", "0x", "tstp", "abandoned", "lease 10.0.0.11 {",
        ];
        let text: String = picks.iter().map(|&at| WORDS[at].to_owned() + " ").collect();
        let (mut db, others, _) = loaded(&plain(), text.as_bytes());
        rewritten(&plain(), &mut db, &others);
    }

    /// What is written is read back as it was.
    #[test]
    fn written_is_read(
        uid in proptest::collection::vec(any::<u8>(), 1..40),
        value in proptest::collection::vec(any::<u8>(), 0..40),
        circuit in proptest::collection::vec(any::<u8>(), 1..30),
        hardware in proptest::collection::vec(any::<u8>(), 0..20),
        (htype, number) in (any::<u8>(), any::<i64>()),
        times in proptest::array::uniform6(0i64..2_145_916_800),
        (state, next, rewind) in (0usize..7, 0usize..7, 0usize..7),
    ) {
        use BindingState::*;
        let states = [Free, Active, Expired, Released, Abandoned, Reset, Backup];
        let mut lease = Lease::virgin(Ipv4Addr::new(10, 0, 0, 10), PoolId(0), SubnetId(0));
        [lease.starts, lease.ends, lease.tstp, lease.tsfp, lease.atsfp, lease.cltt] = times;
        if lease.tstp == 0 {
            lease.tstp = lease.ends;
        }
        (lease.state, lease.next_state, lease.rewind_state) = (states[state], states[next], states[rewind]);
        lease.uid = Some(Octets::new(&uid));
        lease.hardware = Some(Hardware { htype, address: hardware });
        lease.bindings.entries.push(("a".into(), Some(Value::Data(Octets::new(&value)))));
        lease.bindings.entries.push(("b".into(), Some(Value::Number(number))));
        // A last NUL of a text is not written.
        let circuit: Vec<u8> = circuit.into_iter().map(|c| c.max(1)).collect();
        let value = Octets::new(&circuit);
        lease.agent_options.push(AgentOption { code: 1, value, configured: false });
        let config = plain();
        let mut out = Vec::new();
        write_lease(&mut out, &lease, NOW, &config, &mut Vec::new());
        struct Take(Option<Lease>, Vec<Line>);
        impl Sink for Take {
            fn lease(&mut self, lease: Lease) -> Option<Line> {
                self.0 = Some(lease);
                None
            }
            fn other(&mut self, _: OtherBlock) {}
            fn line(&mut self, line: Line) {
                self.1.push(line);
            }
        }
        let mut take = Take(None, Vec::new());
        read(&out, b"f", &config, NOW, &mut take);
        lease.bindings.entries.reverse();
        prop_assert_eq!(messages(&take.1), Vec::<String>::new());
        prop_assert_eq!(take.0, Some(lease));
    }
}
