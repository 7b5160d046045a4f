//! Configurations made up from a seed: whatever is accepted reads back.

use super::{BOTH, built, fault};
use crate::config::Family;
use proptest::prelude::*;
use std::fmt::Write;

/// Makes configurations. Most of what it writes is right; the parser decides.
struct Author {
    seed: u64,
    family: Family,
    text: String,
    count: u32,
    classes: u32,
    groups: u32,
}

/// What an expression is to be.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Data,
    Numeric,
    Boolean,
}

impl Author {
    fn below(&mut self, limit: u32) -> u32 {
        // Knuth's multiplier; the upper bits are good enough to pick by.
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.seed >> 33) % u64::from(limit)) as u32
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len() as u32) as usize]
    }

    fn put(&mut self, text: impl AsRef<str>) {
        self.text += text.as_ref();
    }

    fn next(&mut self) -> u32 {
        self.count += 1;
        self.count
    }

    fn expression(&mut self, kind: Kind, depth: u32) -> String {
        use Kind::*;
        let leaf = depth == 0 || self.below(4) == 0;
        let deeper = depth.saturating_sub(1);
        if leaf {
            return self.leaf(kind);
        }
        let mut e = |kind| self.expression(kind, deeper);
        let (a, b) = (e(Data), e(Data));
        let (m, n) = (e(Numeric), e(Numeric));
        let (p, q) = (e(Boolean), e(Boolean));
        let choice = self.below(12);
        match kind {
            Data => match choice {
                0 => format!("substring({a}, {m}, {n})"),
                1 => format!("suffix({a}, {m})"),
                2 => format!("concat({a}, {b})"),
                3 => format!("concat({a}, {b}, {a})"),
                4 => format!("pick-first-value({a}, {b})"),
                5 => format!("reverse({m}, {a})"),
                6 => format!("binary-to-ascii({m}, {n}, {a}, {b})"),
                7 => format!("encode-int({m}, 32)"),
                8 => format!("lcase(ucase({a}))"),
                9 => format!("v6relay({m}, {a})"),
                10 => format!("call({a}, {m}, {p})"),
                _ => format!("({a})"),
            },
            Numeric => match choice {
                0..=8 => {
                    let operator = self.one(&["+", "*", "/", "%", "&", "|", "^"]);
                    if self.below(2) == 0 {
                        format!("({m} {operator} {n})")
                    } else {
                        format!("{m} {operator} {n}")
                    }
                }
                9 => format!("extract-int({a}, 8)"),
                _ => format!("({m})"),
            },
            Boolean => match choice {
                0 => format!("{a} = {b}"),
                1 => format!("{m} != {n}"),
                2 => format!("({m} = {n})"),
                3 => format!("{a} ~= {b}"),
                4 => format!("({a} ~~ {b})"),
                5 => format!("not ({p})"),
                6 => format!("{p} and {q}"),
                7 => format!("{p} or {q}"),
                8 => format!("({p}) or ({q}) and {p}"),
                9 => format!("{p} and {a} = {b} or {q}"),
                _ => format!("({p} and {q})"),
            },
        }
    }

    fn leaf(&mut self, kind: Kind) -> String {
        let of: &[&str] = match kind {
            Kind::Data => &[
                "\"text\"",
                "\"\"",
                "\"q\\\"\\\\\\001\\377\"",
                "01:02:ff",
                "5",
                "0a",
                "variable",
                "option host-name",
                "option agent.circuit-id",
                "config-option server.ddns-hostname",
                "hardware",
                "leased-address",
                "host-decl-name",
                "filename",
                "server-name",
                "null",
                "gethostname()",
                "gethostbyname(\"a.example\")",
                "packet(28, 16)",
                "option unknown-201",
                "\"\u{e9}\"",
            ],
            Kind::Numeric => &[
                "5",
                "0",
                "10",
                "-3",
                "lease-time",
                "client-state",
                "nxdomain",
                "bound",
                "variable",
                "extract-int(option host-name, 16)",
            ],
            Kind::Boolean => &[
                "known",
                "static",
                "exists host-name",
                "exists agent.circuit-id",
                "check \"default\"",
                "defined(variable)",
                "not known",
            ],
        };
        self.one(of).to_owned()
    }

    fn executable(&mut self, depth: u32) {
        use Kind::*;
        let deeper = depth.saturating_sub(1);
        let choice = self.below(if depth == 0 { 12 } else { 18 });
        let (data, condition) = (self.expression(Data, 2), self.expression(Boolean, 2));
        match choice {
            0..=3 => self.option(),
            4 => self.put(format!("set variable = {data};\n")),
            5 => self.put(format!("log(info, {data});\n")),
            6 => self.put(format!("option host-name = {data};\n")),
            7 => self.put(format!("execute(\"a\\\"b\", {data}, \"c\");\n")),
            8 => self.put("unset variable; parse-vendor-option;\n"),
            9 => self.put(format!("eval {data}; return {condition};\n")),
            10 if self.classes > 0 => {
                let class = self.below(self.classes);
                self.put(format!("add \"class {class}\";\n"));
            }
            11 => {
                let verb = self.one(&["append", "prepend", "default", "supersede", "send"]);
                self.put(format!("{verb} domain-name-servers 10.9.8.7, ns.example.org;\n"));
            }
            12 | 13 => {
                self.put(format!("if ({condition}) {{\n"));
                self.several(deeper);
                let other = self.expression(Boolean, 1);
                match self.below(3) {
                    0 => self.put("}\n"),
                    1 => self.put("} else {\nlog(\"else\"); }\n"),
                    _ => {
                        self.put(format!("}} elsif ({other}) {{\n"));
                        self.several(deeper);
                        self.put("}\n");
                    }
                }
            }
            14 => {
                let event = self.one(&["commit", "expiry or release", "commit or expiry", "transmission"]);
                self.put(format!("on {event} {{\n"));
                self.several(deeper);
                self.put("}\n");
            }
            15 => {
                self.put(format!(
                    "switch ({data}) {{ case \"a\\001\": option boot-size 2; break; case \"b\":\n"
                ));
                self.several(deeper);
                self.put("default: break; }\n");
            }
            16 => {
                let number = self.expression(Numeric, 1);
                self.put(format!("switch ({number}) {{ case 1: break; case 10:\n"));
                self.several(deeper);
                self.put("}\n");
            }
            _ => {
                let verb = self.one(&["define", "set"]);
                self.put(format!("{verb} function (one, two) {{\n"));
                self.several(deeper);
                self.put("return concat(one, two); }\n");
            }
        }
    }

    fn several(&mut self, depth: u32) {
        for _ in 0..self.below(3) {
            self.executable(depth);
        }
    }

    fn option(&mut self) {
        let statement = self.one(&[
            "option routers 10.0.0.1, 10.0.0.2",
            "option routers gw.example.org, 10.0.0.2, 10.0.0.3",
            "option subnet-mask mask.example",
            "option time-offset -3600",
            "option boot-size 17",
            "option ip-forwarding on",
            "option policy-filter 10.0.0.0 255.0.0.0, 11.0.0.0 255.255.0.0",
            "option path-mtu-plateau-table 68, 1500",
            "option dhcp-client-identifier 1:2:3",
            "option dhcp-client-identifier \"a b\"",
            "option vendor-encapsulated-options 01:02:03",
            "option domain-search \"a.example.org\", \"b.example.org\", \"org\"",
            "option domain-name \"with \\\"quotes\\\" \\012 and \u{fc}\"",
            "option fqdn.no-client-update true",
            "option fqdn.hostname \"x\"",
            "option dhcp6.name-servers 2001:db8::1, ::1.2.3.4",
            "option dhcp6.sntp-servers ::",
            "option dhcp6.domain-search \"a.example\"",
            "option dhcp6.status-code success \"fine\"",
            "option dhcp6.preference 7",
            "option unknown-230 \"text\"",
            "option unknown-231 00",
            "option mine.one 5",
            "option mine.record 10.0.0.1 -2 true",
            "option mine.records 1 2, 3 4",
            "option mine.names \"a\", \"b.c\"",
            "option mine.name a.b.c.",
            "option mine.nothing",
            "option mine.six 2001:db8::2",
            "option mine.list 10.0.0.1 5, 6, 7",
            "option wide.x \"y\"",
            "default-lease-time infinite",
            "max-lease-time 0x20",
            "min-secs 300",
            "vendor-option-space mine",
            "filename \"a/b\"",
            "next-server tftp.example",
            "allow booting",
            "ignore declines",
            "deny leasequery",
            "ddns-updates off",
            "dhcp-cache-threshold 0",
            "site-option-space \"mine\"",
            "ddns-hostname = pick(option host-name, \"x\")",
            "always-broadcast = 05",
            "max-lease-time = encode-int(600, 32)",
            "server-identifier 10.0.0.1",
            "option server.ping-timeout 3",
        ]);
        self.put(format!("{statement};\n"));
    }

    fn host(&mut self) {
        let n = self.next();
        self.put(format!("host h{n} {{\n"));
        if self.below(2) == 0 {
            let kind = self.one(&["ethernet", "token-ring", "infiniband", "unknown-77"]);
            self.put(format!("hardware {kind} 0:0:0:0:{:x}:{:x};\n", n >> 8 & 255, n & 255));
        }
        match self.below(5) {
            0 => self.put(format!("fixed-address 10.0.{}.{}, {n}.example.org;\n", n >> 8 & 255, n & 255)),
            1 => self.put(format!(
                "fixed-address6 2001:db8::{n:x}, 2001:db8:1::1;\nfixed-prefix6 2001:db8:{n:x}::/48;\n"
            )),
            2 => self.put(format!("uid {:x}:1:2;\n", n & 255)),
            3 => self.put(format!("host-identifier option dhcp6.client-id 0:1:{:x};\n", n & 255)),
            _ => {}
        }
        if self.groups > 0 && self.below(3) == 0 {
            let group = self.below(self.groups);
            self.put(format!("group \"group {group}\";\n"));
        }
        for _ in 0..self.below(3) {
            self.executable(1);
        }
        self.put("}\n");
    }

    fn class(&mut self) {
        let class = self.below(self.classes + 1);
        let data = self.expression(Kind::Data, 1);
        let condition = self.expression(Kind::Boolean, 2);
        self.put(format!("class \"class {class}\" {{\n"));
        match self.below(4) {
            0 => self.put(format!("match if {condition};\n")),
            1 => self.put(format!("match {data};\n")),
            2 => self.put(format!("spawn with {data};\nlease limit 4;\n")),
            _ => self.put(format!("match if {condition};\nmatch {data};\ndynamic;\n")),
        }
        for _ in 0..self.below(3) {
            self.executable(1);
        }
        self.put("}\n");
        self.classes = self.classes.max(class + 1);
        for _ in 0..self.below(3) {
            let value = self.one(&["1:2:3", "\"text\"", "7", "\"\\001\"", "1:2:4"]);
            let block =
                self.one(&[";", " { option host-name \"sub\"; }", " { lease limit 2; }", " { dynamic; }"]);
            self.put(format!("subclass \"class {class}\" {value}{block}\n"));
        }
    }

    fn subnet(&mut self) {
        let n = self.next();
        let (a, b) = (n >> 8 & 255, n & 255);
        match self.family {
            Family::V4 => self.put(format!("subnet 10.{a}.{b}.0 netmask 255.255.255.0 {{\n")),
            Family::V6 => self.put(format!("subnet6 2001:db8:{n:x}::/64 {{\n")),
        }
        let mut at = 1;
        for _ in 0..self.below(4) {
            match self.below(8) {
                0..=2 => self.range(n, &mut at),
                3 | 4 => {
                    self.put(if self.family == Family::V4 { "pool {\n" } else { "pool6 {\n" });
                    self.permits();
                    self.range(n, &mut at);
                    if self.below(2) == 0 {
                        self.executable(1);
                    }
                    self.put("}\n");
                }
                5 => self.class(),
                6 => self.host(),
                _ => self.executable(1),
            }
        }
        if self.below(6) == 0 {
            self.put(format!("interface \"eth{n}\";\n"));
        }
        if self.below(6) == 0 {
            self.put("not authoritative;\n");
        }
        self.put("}\n");
    }

    fn permits(&mut self) {
        for _ in 0..self.below(3) {
            let verb = self.one(&["allow", "deny"]);
            let permit = match self.below(5) {
                0 if self.classes > 0 => format!("members of \"class {}\"", self.below(self.classes)),
                1 => "after 4 2027/07/01 12:30:00".to_owned(),
                _ => {
                    let who = ["unknown-clients", "known clients", "all clients", "dynamic bootp clients"];
                    self.one(&who).to_owned()
                }
            };
            self.put(format!("{verb} {permit};\n"));
        }
    }

    fn range(&mut self, n: u32, at: &mut u32) {
        let first = *at;
        *at += 4;
        let (a, b) = (n >> 8 & 255, n & 255);
        let range = match (self.family, self.below(3)) {
            (Family::V4, 0) => format!("range dynamic-bootp 10.{a}.{b}.{first};\n"),
            (Family::V4, _) => format!("range 10.{a}.{b}.{} 10.{a}.{b}.{first};\n", first + 2),
            (Family::V6, 0) => format!("range6 2001:db8:{n:x}::{first:x}:0:0/96 temporary;\n"),
            (Family::V6, 1) => format!("prefix6 2001:db9:{first:x}:: 2001:db9:{first:x}:f00:: /56;\n"),
            (Family::V6, _) => format!("range6 2001:db8:{n:x}::{first:x} 2001:db8:{n:x}::{:x};\n", first + 2),
        };
        self.put(range);
    }

    fn declaration(&mut self, depth: u32) {
        match self.below(if depth == 0 { 7 } else { 10 }) {
            0 => self.host(),
            1 => self.class(),
            2 | 3 => self.subnet(),
            4 | 5 => self.executable(2),
            6 => self.option(),
            7 => {
                let n = self.next();
                self.put(format!("shared-network \"net {n}\" {{\n"));
                let first = self.count + 1;
                for _ in 0..1 + self.below(3) {
                    self.subnet();
                    match self.below(6) {
                        0 => self.executable(1),
                        1 => self.class(),
                        2 if self.family == Family::V4 => {
                            self.put("pool {\n");
                            self.permits();
                            let mut at = 200 + self.below(10) * 4;
                            self.range(first, &mut at);
                            self.put("}\n");
                        }
                        _ => {}
                    }
                }
                self.put("}\n");
            }
            8 => {
                self.put("group {\n");
                for _ in 0..self.below(4) {
                    self.declaration(depth - 1);
                }
                self.put("}\n");
            }
            _ => {
                let group = self.groups;
                self.put(format!("group \"group {group}\" {{\n"));
                for _ in 0..self.below(3) {
                    self.declaration(0);
                }
                self.put("}\n");
                self.groups += 1;
            }
        }
    }
}

const DEFINITIONS: &str = "option space mine; option space wide code width 2 length width 2;\n\
    option mine.one code 1 = unsigned integer 8; option mine.record code 2 = { ip-address, integer 16, boolean };\n\
    option mine.records code 3 = array of { integer 8, unsigned integer 32 }; option mine.names code 4 = domain-list;\n\
    option mine.name code 5 = domain-name; option mine.nothing code 6 = zerolen; option mine.six code 7 = ip6-address;\n\
    option mine.list code 8 = { ip-address, array of integer 8 }; option wide.x code 300 = string;\n\
    option mine-enc code 222 = encapsulate mine; option wide-enc code 223 = { integer 8, encapsulate wide };\n";

fn written(seed: u64, family: Family) -> String {
    let mut author = Author { seed, family, text: DEFINITIONS.to_owned(), count: 0, classes: 0, groups: 0 };
    if author.below(2) == 0 {
        author.put("authoritative;\n");
    }
    for _ in 0..1 + author.below(8) {
        author.declaration(2);
    }
    // Nothing to see; says that the text ended where it should.
    let _ = writeln!(author.text, "# {seed}");
    author.text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_accepted_reads_back(seed: u64) {
        for family in BOTH {
            let text = written(seed, family);
            let original = built(text.as_bytes(), family);
            if original.accepted() {
                let fault = fault(&original, family);
                prop_assert!(fault.is_none(), "{text}\n{}", fault.unwrap_or_default());
            }
        }
    }
}

/// The property is worth something only when a good share of what is made up is accepted.
#[test]
fn enough_of_it_is_accepted() {
    let accepted = (0..200u64)
        .filter(|seed| built(written(seed * 77_777, Family::V4).as_bytes(), Family::V4).accepted())
        .count();
    assert!(accepted >= 50, "{accepted} of 200");
}
