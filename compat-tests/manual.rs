//! The manual pages against the code, both ways: what the tables of options and the grammar know has an entry, and what
//! has an entry is known, with the same type and the same words.
//!
//! Every entry begins with `.It` and the keywords of the statement behind `Ic` or `Cm`; the part of an option or
//! parameter is written out from its definition here and must be equal, letter by letter.

// The pages are files, and some checks look for more of them.
#![allow(clippy::disallowed_methods)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use pest_meta::ast::{Expr, Rule as GrammarRule};
use relet::config::{self, Family};
use relet::options::{Atom, Format, Item, OptionDef, Spaces};
use relet::syntax::{self, LoadError};

const CONF: &str = include_str!("../man/dhcpd.conf.5");
const OPTIONS: &str = include_str!("../man/dhcp-options.5");
const EVAL: &str = include_str!("../man/dhcp-eval.5");
const LEASES: &str = include_str!("../man/dhcpd.leases.5");

/// An entry of a list: its heads, which may be several, and what follows them.
#[derive(Debug, Default)]
struct Entry<'a> {
    /// The `.Ss` it stands in, or the `.Sh`.
    section: &'a str,
    heads: Vec<&'a str>,
    body: Vec<&'a str>,
}

fn entries(page: &str) -> Vec<Entry<'_>> {
    let mut entries: Vec<Entry> = Vec::new();
    let (mut section, mut open) = ("", false);
    for line in page.lines() {
        if let Some(title) = line.strip_prefix(".Sh ").or_else(|| line.strip_prefix(".Ss ")) {
            (section, open) = (title, false);
        } else if let Some(head) = line.strip_prefix(".It ") {
            match entries.last_mut().filter(|last| open && last.body.is_empty()) {
                Some(last) => last.heads.push(head),
                None => entries.push(Entry { section, heads: vec![head], body: Vec::new() }),
            }
            open = true;
        } else if line == ".El" {
            open = false;
        } else if let Some(last) = entries.last_mut().filter(|_| open) {
            last.body.push(line);
        }
    }
    entries
}

/// The entries of these sections.
fn within<'a>(page: &'a str, sections: &[&str]) -> Vec<Entry<'a>> {
    for section in sections {
        let titles = [format!(".Sh {section}"), format!(".Ss {section}")];
        assert!(page.lines().any(|line| titles.iter().any(|title| title == line)), "no section {section}");
    }
    entries(page).into_iter().filter(|entry| sections.contains(&entry.section)).collect()
}

const MACROS: [&str; 12] = ["Ic", "Cm", "Ar", "Li", "Oo", "Oc", "Op", "No", "Ns", "Pq", "Qq", "Xr"];

/// The keywords an entry begins with: the words behind its first `Ic` or `Cm`; several when commas separate them.
fn phrases(head: &str) -> Vec<String> {
    let mut phrases = vec![Vec::new()];
    for word in head.split(' ').skip_while(|word| !matches!(*word, "Ic" | "Cm")).skip(1) {
        match word {
            "," => phrases.push(Vec::new()),
            word if MACROS.contains(&word) || matches!(word, ";" | "(") => break,
            word => phrases.last_mut().expect("never empty").push(word.replace("\\&", "")),
        }
    }
    phrases.iter().map(|words| words.join(" ")).filter(|phrase| !phrase.is_empty()).collect()
}

fn all_phrases(entries: &[Entry]) -> BTreeSet<String> {
    entries.iter().flat_map(|entry| &entry.heads).flat_map(|head| phrases(head)).collect()
}

// The grammar.

struct Grammar(BTreeMap<String, Expr>);

/// Keywords in a row; `open` while nothing but keywords and white space was seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Phrase {
    words: Vec<String>,
    open: bool,
}

impl Grammar {
    fn read() -> Grammar {
        let text = [
            include_str!("../grammar/lexical.pest"),
            include_str!("../grammar/declarations.pest"),
            include_str!("../grammar/options.pest"),
            include_str!("../grammar/statements.pest"),
            include_str!("../grammar/expressions.pest"),
        ]
        .concat();
        let pairs =
            pest_meta::parser::parse(pest_meta::parser::Rule::grammar_rules, &text).expect("a grammar");
        let rules = pest_meta::parser::consume_rules(pairs).expect("sound rules");
        Grammar(rules.into_iter().map(|GrammarRule { name, expr, .. }| (name, expr)).collect())
    }

    /// The runs of keywords a rule can begin with.
    fn starts(&self, rules: &[&str]) -> BTreeSet<String> {
        let found = rules.iter().flat_map(|rule| {
            assert!(self.0.contains_key(*rule), "no rule {rule}");
            self.phrases(&Expr::Ident((*rule).to_owned()))
        });
        found.map(|phrase| phrase.words.join(" ")).filter(|phrase| !phrase.is_empty()).collect()
    }

    fn phrases(&self, expr: &Expr) -> BTreeSet<Phrase> {
        let nothing = || BTreeSet::from([Phrase { words: Vec::new(), open: true }]);
        let end = || BTreeSet::from([Phrase { words: Vec::new(), open: false }]);
        match expr {
            Expr::Insens(word) => BTreeSet::from([Phrase { words: vec![word.clone()], open: true }]),
            Expr::Seq(first, second) => {
                let mut all = BTreeSet::new();
                for phrase in self.phrases(first) {
                    if !phrase.open {
                        all.insert(phrase);
                        continue;
                    }
                    for next in self.phrases(second) {
                        let words = phrase.words.iter().chain(&next.words).cloned().collect();
                        all.insert(Phrase { words, open: next.open });
                    }
                }
                all
            }
            Expr::Choice(first, second) => &self.phrases(first) | &self.phrases(second),
            Expr::Opt(inner) => &nothing() | &self.phrases(inner),
            Expr::NegPred(_) | Expr::PosPred(_) | Expr::Rep(_) => nothing(),
            Expr::Ident(name) if matches!(name.as_str(), "ws" | "SOI") => nothing(),
            Expr::Ident(name) => match self.0.get(name) {
                // What cannot begin with a keyword; these refer to themselves.
                Some(_)
                    if matches!(name.as_str(), "expression" | "malformed" | "malformed_member" | "word") =>
                {
                    end()
                }
                Some(inner) => self.phrases(inner),
                None => end(),
            },
            _ => end(),
        }
    }

    /// Every keyword, wherever it stands.
    fn keywords(&self) -> BTreeSet<String> {
        fn collect(expr: &Expr, all: &mut BTreeSet<String>) {
            match expr {
                Expr::Insens(word) => {
                    all.insert(word.clone());
                }
                Expr::Seq(a, b) | Expr::Choice(a, b) => {
                    collect(a, all);
                    collect(b, all);
                }
                Expr::Opt(a) | Expr::Rep(a) | Expr::RepOnce(a) | Expr::NegPred(a) | Expr::PosPred(a) => {
                    collect(a, all);
                }
                _ => {}
            }
        }
        let mut all = BTreeSet::new();
        self.0.values().for_each(|expr| collect(expr, &mut all));
        all
    }

    /// The operators between two operands, as they are written.
    fn operators(&self) -> BTreeSet<String> {
        fn spell(expr: &Expr) -> Vec<String> {
            match expr {
                Expr::Str(text) | Expr::Insens(text) => vec![text.clone()],
                Expr::Choice(a, b) => [spell(a), spell(b)].concat(),
                Expr::Seq(a, b) => spell(a)
                    .iter()
                    .flat_map(|a| spell(b).into_iter().map(move |b| format!("{a}{b}")))
                    .collect(),
                _ => vec![String::new()],
            }
        }
        spell(&self.0["operator"]).into_iter().collect()
    }
}

/// Whether each entry begins a phrase, and each phrase has an entry.
#[track_caller]
fn agree(entries: BTreeSet<String>, known: BTreeSet<String>) {
    let begins = |entry: &str, phrase: &str| {
        phrase.strip_prefix(entry).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    let missing: Vec<_> = known.iter().filter(|phrase| !entries.iter().any(|e| begins(e, phrase))).collect();
    let unknown: Vec<_> = entries.iter().filter(|entry| !known.iter().any(|p| begins(entry, p))).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "without entry: {missing:?}; not in the grammar: {unknown:?}"
    );
}

// Options and parameters.

/// The arguments in the head of an entry.
fn arguments(format: &Format) -> String {
    let atom = |item: &Item| match &item.atom {
        Atom::Ip4 => "ip-address".to_owned(),
        Atom::Ip6 => "ip6-address".to_owned(),
        Atom::Integer { octets, signed } => {
            format!("{}int{}", if *signed { "" } else { "u" }, u32::from(*octets) * 8)
        }
        Atom::Time => "time".to_owned(),
        Atom::Flag | Atom::ImpliedFlag => "flag".to_owned(),
        Atom::Text => "text".to_owned(),
        Atom::KeyName => "key-name".to_owned(),
        Atom::String | Atom::Encapsulation(_) => "string".to_owned(),
        Atom::DomainName => "domain-name".to_owned(),
        Atom::DomainList { compressed: false } => "domain-list".to_owned(),
        Atom::DomainList { compressed: true } => "compressed-domain-list".to_owned(),
        Atom::ZeroLength => String::new(),
        Atom::SpaceName => "option-space".to_owned(),
        Atom::Enumeration(_) => "word".to_owned(),
    };
    let mut words = Vec::new();
    for item in format.items().iter().filter(|item| item.atom != Atom::ZeroLength) {
        let name = atom(item);
        words.push(match (item.optional, item.repeated) {
            (true, _) => format!("Oo Ar {name} Oc"),
            (_, true) => format!("Ar {name} Oo , Ar {name} ... Oc"),
            _ => format!("Ar {name}"),
        });
    }
    let record = words.join(" ");
    if format.is_array() { format!("{record} Oo , {record} ... Oc") } else { record }
}

/// The head of an option's entry: `Ic option routers Ar ip-address Oo , Ar ip-address ... Oc ; Pq 3, RFC 2132`, without
/// the RFC.
fn option_head(spaces: &Spaces, option: &OptionDef) -> String {
    let name = spaces.full_name(option.id);
    let inside = match option.format.encapsulation() {
        None => String::new(),
        Some(None) => ", space of vendor-option-space".to_owned(),
        // Its own space only lays out what the members of `fqdn` say.
        Some(Some(_)) if option.encapsulates == Some(Spaces::FQDN6) => ", space fqdn".to_owned(),
        Some(Some(space)) => format!(", space {space}"),
    };
    let parts = ["Ic option", &name, &arguments(&option.format), ";", "Pq"];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("{} {}{inside}", parts.join(" "), option.id.code)
}

/// The head, and the number of the RFC in it.
fn without_rfc(head: &str) -> (String, Option<u32>) {
    let Some((before, after)) = head.split_once(", RFC ") else { return (head.to_owned(), None) };
    let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    (format!("{before}{}", &after[digits..]), after[..digits].parse().ok())
}

/// What has to stand in every entry.
fn prose(name: &str, option: &OptionDef, body: &[&str]) -> Vec<String> {
    let mut wrong = Vec::new();
    let text: Vec<&str> = body.iter().copied().filter(|line| !line.starts_with(".Dl")).collect();
    let letters: usize = text.iter().map(|line| line.len()).sum();
    if letters < 30 || !text.iter().any(|line| line.ends_with(['.', ':']) || line.ends_with(" .")) {
        wrong.push(format!("{name}: hardly a word"));
    }
    for item in option.format.items() {
        let Atom::Enumeration(enumeration) = item.atom else { continue };
        let words: BTreeSet<&str> = text.iter().flat_map(|line| line.split([' ', ',', '.', ';'])).collect();
        let missing = enumeration.values.iter().filter(|(word, _)| !words.contains(word));
        wrong.extend(missing.map(|(word, _)| format!("{name}: {word} is not explained")));
    }
    wrong
}

#[test]
fn every_option_has_an_entry_with_its_type() {
    let spaces = Spaces::new();
    let mut expected = BTreeMap::new();
    for (id, _) in spaces.iter().filter(|(id, _)| *id != Spaces::SERVER) {
        expected.extend(spaces.options(id).into_iter().map(|option| (option_head(&spaces, option), option)));
    }
    let mut wrong = Vec::new();
    for entry in entries(OPTIONS) {
        for head in &entry.heads {
            let (head, rfc) = without_rfc(head);
            if !head.starts_with("Ic option ") || !head.contains(" Pq ") {
                continue;
            }
            let Some(option) = expected.remove(&head) else {
                wrong.push(format!("no such option: {head}"));
                continue;
            };
            let ours = [Spaces::ISC, Spaces::ISC6].contains(&option.id.space);
            if rfc.is_some_and(|rfc| !(2000..10000).contains(&rfc)) || rfc.is_none() != ours {
                wrong.push(format!("RFC of {head}"));
            }
            wrong.extend(prose(&option.name, option, &entry.body));
        }
    }
    wrong.extend(expected.into_keys().map(|head| format!("no entry: {head}")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_parameter_has_an_entry_with_its_type_and_default() {
    let spaces = Spaces::new();
    let options = spaces.options(Spaces::SERVER).into_iter();
    let mut expected: BTreeMap<String, &OptionDef> = options
        .map(|option| (format!("Ic {} {} ;", option.name, arguments(&option.format)), option))
        .collect();
    let mut wrong = Vec::new();
    for entry in within(CONF, &["PARAMETERS"]) {
        let [head] = entry.heads[..] else { panic!("one parameter, one entry: {:?}", entry.heads) };
        let Some(option) = expected.remove(head) else {
            wrong.push(format!("no such parameter: {head}"));
            continue;
        };
        wrong.extend(prose(&option.name, option, &entry.body));
        if !entry
            .body
            .iter()
            .any(|line| line.starts_with("Default: ") || line.starts_with("Global; default: "))
        {
            wrong.push(format!("{head} without default"));
        }
    }
    wrong.extend(expected.into_keys().map(|head| format!("no entry: {head}")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `server-options.tsv`, where it is at hand: which parameters are read once.
#[test]
fn global_parameters_are_marked() {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let shared = std::env::var_os("RELET_SHARED").map_or(beside, PathBuf::from);
    let Ok(table) = std::fs::read_to_string(shared.join("spec/server-options.tsv")) else {
        println!("server-options.tsv is absent");
        return;
    };
    let entries = within(CONF, &["PARAMETERS"]);
    for row in table.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = row.split('\t').collect();
        let name = columns[0];
        let entry = entries.iter().find(|entry| phrases(entry.heads[0]) == [name]);
        let entry = entry.unwrap_or_else(|| panic!("no entry: {name}"));
        let marked = entry.body.iter().any(|line| line.starts_with("Global; "));
        assert_eq!(marked, columns[6] == "global", "{name}");
    }
}

/// The quirks in the list of `grammar/README.md` are those the rules name in the comment above them.
#[test]
fn quirks_are_listed() {
    let readme = include_str!("../grammar/README.md");
    let (_, list) = readme.split_once("## Quirks").expect("the list of quirks");
    let items = list.lines().filter_map(|line| line.strip_prefix("- ")?.split_once(": "));
    let listed: BTreeSet<&str> = items.flat_map(|(names, _)| names.split('`').skip(1).step_by(2)).collect();
    let mut named = BTreeSet::new();
    for file in [
        include_str!("../grammar/lexical.pest"),
        include_str!("../grammar/declarations.pest"),
        include_str!("../grammar/options.pest"),
        include_str!("../grammar/statements.pest"),
        include_str!("../grammar/expressions.pest"),
    ] {
        let mut quirk = false;
        for line in file.lines() {
            if line.starts_with("//") {
                quirk |= line.contains("Quirk: ");
            } else if let Some((rule, _)) = line.split_once(" =").filter(|_| quirk) {
                named.insert(rule.trim());
                quirk = false;
            }
        }
    }
    assert_eq!(listed, named);
}

#[test]
fn every_statement_has_an_entry() {
    let grammar = Grammar::read();
    let declarations = within(
        CONF,
        &[
            "DECLARATIONS",
            "Inside a subnet, subnet6 or shared-network",
            "Inside a host",
            "Inside a group",
            "Inside a class",
            "Inside a pool",
        ],
    );
    let mut described = all_phrases(&declarations);
    described.extend(all_phrases(&within(EVAL, &["STATEMENTS"])));
    // Skipped up to the semicolon, and no keyword.
    assert!(described.remove("%"));
    let members =
        ["statement", "host_member", "group_member", "network_member", "class_member", "pool_member"];
    let known = grammar.starts(&members);
    assert!(known.contains("failover peer") && known.contains("match if") && known.len() > 60, "{known:?}");
    agree(described, known);
}

#[test]
fn every_permit_and_failover_parameter_has_an_entry() {
    let grammar = Grammar::read();
    agree(all_phrases(&within(CONF, &["PERMITS"])), grammar.starts(&["permit"]));

    let mut keys = grammar.starts(&["permission_key"]);
    assert!(grammar.starts(&["permit"]).contains("unknown-clients"));
    keys.insert("unknown-clients".to_owned());
    agree(all_phrases(&within(CONF, &["ALLOW, DENY AND IGNORE"])), keys);

    let failover = all_phrases(&within(CONF, &["FAILOVER"]));
    let failover = failover.iter().map(|phrase| phrase.trim_start_matches("peer ").to_owned()).collect();
    agree(failover, grammar.starts(&["failover_parameter"]));
    agree(
        all_phrases(&within(CONF, &["Inside a failover peer state"])),
        grammar.starts(&["my_state", "partner_state", "state_mclt"]),
    );
    let zone = ["zone_primary", "zone_secondary", "zone_primary6", "zone_secondary6", "zone_key"];
    agree(all_phrases(&within(CONF, &["Inside a zone"])), grammar.starts(&zone));
    agree(all_phrases(&within(CONF, &["Inside a key"])), grammar.starts(&["key_algorithm", "key_secret"]));
}

/// The table of `Where declarations may stand`, cell by cell.
#[test]
fn declarations_stand_where_the_table_says() {
    let net =
        "subnet 10.1.0.0 netmask 255.255.0.0 { } subnet 10.3.0.0 netmask 255.255.0.0 { range 10.3.0.1; }";
    let blocks = [
        (Family::V4, "FILE"),
        (Family::V4, "group { FILE }"),
        (Family::V4, "host x { FILE }"),
        (Family::V4, &format!("shared-network x {{ {net} FILE }}")),
        (Family::V4, "subnet 10.1.0.0 netmask 255.255.0.0 { FILE }"),
        (Family::V4, "class \"x\" { FILE }"),
        (Family::V4, "subnet 10.1.0.0 netmask 255.255.0.0 { pool { range 10.1.9.9; FILE } }"),
    ];
    let blocks6 = [
        (Family::V6, "FILE"),
        (Family::V6, "group { FILE }"),
        (Family::V6, "host x { FILE }"),
        (Family::V6, "shared-network x { subnet6 2001:db8::/32 { } FILE }"),
        (Family::V6, "subnet6 2001:db8::/32 { FILE }"),
        (Family::V6, "class \"x\" { FILE }"),
        (Family::V6, "subnet6 2001:db8::/32 { pool6 { range6 2001:db8:: 2001:db8::1; FILE } }"),
    ];
    let peer =
        "failover peer \"q\" { primary; address 10.0.0.1; peer address 10.0.0.2; mclt 60; split 128; }\n";
    let samples: &[(&str, &str)] = &[
        ("options", "option routers 10.0.0.1;"),
        ("parameters", "max-lease-time 60;"),
        ("executable statements", "if known { max-lease-time 60; }"),
        ("include", "include \"empty\";"),
        ("server-identifier", "server-identifier 10.0.0.1;"),
        ("server-duid", "server-duid LL;"),
        ("lease-id-format", "lease-id-format hex;"),
        ("key", "key k { algorithm hmac-md5; secret c2VjcmV0; }"),
        ("zone", "zone example.org. { primary 10.0.0.1; }"),
        ("authoritative", "authoritative;"),
        ("option definitions", "option own code 200 = text;"),
        ("option definitions", "option space own;"),
        ("shared-network", "shared-network y { subnet 10.2.0.0 netmask 255.255.0.0 { } }"),
        ("subnet", "subnet 10.2.0.0 netmask 255.255.0.0 { }"),
        ("subnet6", "6 subnet6 2001:db9::/32 { }"),
        ("group", "group { }"),
        ("host", "host y { }"),
        ("class", "class \"y\" { }"),
        ("subclass", "subclass \"of\" 1:2:3;"),
        ("pool", "pool { range 10.1.0.1; }"),
        ("pool6", "6 pool6 { range6 2001:db8::10 2001:db8::11; }"),
        ("range", "range 10.1.0.1;"),
        ("range6", "6 range6 2001:db8::10 2001:db8::11;"),
        ("prefix6", "6 prefix6 2001:db8:100:: 2001:db8:100:: /56;"),
        ("permits", "allow known-clients;"),
        ("interface", "interface eth0;"),
        ("hardware", "hardware ethernet 1:2:3:4:5:6;"),
        ("uid", "uid 1:2;"),
        ("host-identifier", "host-identifier option host-name \"x\";"),
        ("fixed-address", "fixed-address 10.0.0.1;"),
        ("fixed-address6", "fixed-address6 2001:db8::1;"),
        ("fixed-prefix6", "fixed-prefix6 2001:db8::/56;"),
        ("match", "match hardware;"),
        ("match", "match if known;"),
        ("spawn with", "spawn with hardware;"),
        ("lease limit", "lease limit 4;"),
        ("failover peer with a block", &peer.replace("\"q\"", "\"r\"")),
        ("failover peer with a semicolon", "failover peer \"q\";"),
    ];
    let (_, table) = CONF.split_once(".Ss Where declarations may stand").expect("the table");
    let (table, _) = table.split_once(".El").expect("its end");
    let rows: Vec<&str> = table.lines().filter_map(|line| line.strip_prefix(".It ")).collect();
    assert_eq!(rows[0], "\"\" Ta file Ta group Ta host Ta net Ta subnet Ta class Ta pool");
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for row in &rows[1..] {
        let (names, cells) = row.split_once(" Ta ").expect("a cell");
        for name in names.split(", ") {
            seen.insert(name);
            let mine: Vec<_> = samples.iter().filter(|(row, _)| *row == name).collect();
            assert!(!mine.is_empty(), "no sample of {name}");
            for (_, sample) in mine {
                let (blocks, sample) = match sample.strip_prefix("6 ") {
                    Some(sample) => (&blocks6, sample),
                    None => (&blocks, *sample),
                };
                for (cell, (family, block)) in cells.split(" Ta ").zip(blocks) {
                    let text = format!(
                        "{peer}class \"of\" {{ match hardware; }}\n{}",
                        block.replace("FILE", sample)
                    );
                    let none = |_: &[u8]| Ok::<_, LoadError>(Vec::new());
                    let parsed = syntax::parse(b"example", text.into_bytes(), &mut { none });
                    if config::build(&parsed, *family).accepted() != (cell == "yes") {
                        wrong.push(format!("{sample} in {block}: not {cell}"));
                    }
                }
            }
        }
    }
    assert!(samples.iter().all(|(name, _)| seen.contains(name)), "every sample has its row");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_type_of_an_option_definition_has_an_entry() {
    let grammar = Grammar::read();
    agree(all_phrases(&within(OPTIONS, &["Types"])), grammar.starts(&["simple_type", "array_of"]));
    // And the types of values that the heads of options use.
    let described: BTreeSet<&str> = within(OPTIONS, &["VALUES"])
        .iter()
        .flat_map(|entry| entry.heads[0].trim_start_matches("Ar ").split(" , ").collect::<Vec<_>>())
        .collect();
    let spaces = Spaces::new();
    let all = spaces.iter().flat_map(|(id, _)| spaces.options(id));
    let arguments: Vec<String> = all.map(|option| arguments(&option.format)).collect();
    let used: BTreeSet<&str> = arguments
        .iter()
        .flat_map(|text| text.split(' '))
        .filter(|word| word.len() > 2 && *word != "...")
        .collect();
    // No predefined option has these, those of one's own may.
    let definable = BTreeSet::from(["int8", "int16"]);
    assert_eq!(described, &used | &definable);
}

#[test]
fn every_operator_has_an_entry() {
    let grammar = Grammar::read();
    let sections = ["BOOLEAN EXPRESSIONS", "DATA EXPRESSIONS", "NUMERIC EXPRESSIONS", "Named numbers"];
    let mut described = all_phrases(&within(EVAL, &sections));
    let operators = grammar.operators();
    assert!(operators.contains("~~") && operators.len() == 13, "{operators:?}");
    for operator in &operators {
        assert!(described.remove(operator), "no entry for {operator}");
    }
    let mut known = grammar.starts(&["value"]);
    known.extend(grammar.starts(&["negation"]));
    assert!(known.contains("substring") && known.contains("client-state") && known.contains("rebind"));
    agree(described, known);
}

#[test]
fn every_keyword_is_mentioned() {
    let mut mentioned = BTreeSet::new();
    for line in [CONF, OPTIONS, EVAL, LEASES].iter().flat_map(|page| page.lines()) {
        if line.starts_with(".It ") || [".Ic ", ".Cm ", ".Li "].iter().any(|name| line.starts_with(name)) {
            let cut = |c: char| matches!(c, ' ' | ',' | ';' | '(' | ')');
            mentioned.extend(line.split(cut).map(str::to_ascii_lowercase));
        }
    }
    let missing: Vec<String> =
        Grammar::read().keywords().into_iter().filter(|word| !mentioned.contains(word)).collect();
    assert_eq!(missing, Vec::<String>::new());
}

/// What the text refers to as a statement or option exists.
#[test]
fn references_lead_somewhere() {
    let (grammar, spaces) = (Grammar::read().keywords(), Spaces::new());
    let mut names: BTreeSet<String> = BTreeSet::new();
    for (id, _) in spaces.iter() {
        for option in spaces.options(id) {
            names.insert(option.name.to_string());
            names.insert(spaces.full_name(option.id));
        }
    }
    // Written in the lease file only.
    names.insert("client-hostname".to_owned());
    let mut wrong = Vec::new();
    for line in [CONF, OPTIONS, EVAL].iter().flat_map(|page| page.lines()) {
        let Some(text) = line.strip_prefix(".Ic ") else { continue };
        let text = ["Ar", "Li", "Cm", "No", "Op", "Oo"].iter().fold(text, |text, name| {
            text.split_once(&format!(" {name} ")).map_or(text, |(before, _)| before)
        });
        for phrase in text.split(" , ").map(|phrase| phrase.trim_end_matches(['.', ',', ';', ':', ')', ' ']))
        {
            let known = names.contains(phrase) || phrase.split(' ').all(|word| grammar.contains(word));
            if !known {
                wrong.push(line);
            }
        }
    }
    assert_eq!(wrong, Vec::<&str>::new());
}

/// The examples of a page: one-liners, and literal text.
fn examples(page: &str) -> Vec<String> {
    let plain = |line: &str| line.replace("\\(dq", "\"").replace("\\e", "\\").replace("\\&", "");
    let mut all = Vec::new();
    let mut literal: Option<String> = None;
    for line in page.lines() {
        if let Some(example) = line.strip_prefix(".Dl ") {
            all.push(plain(example));
        } else if line.starts_with(".Bd -literal") {
            literal = Some(String::new());
        } else if line == ".Ed" {
            all.extend(literal.take());
        } else if let Some(text) = &mut literal {
            *text += &plain(line);
            text.push('\n');
        }
    }
    all
}

#[test]
fn examples_are_accepted() {
    let judge = |text: &str| {
        [Family::V4, Family::V6].iter().any(|family| {
            let none = |_: &[u8]| Ok::<_, LoadError>(Vec::new());
            let parsed = syntax::parse(b"example", text.as_bytes().to_vec(), &mut { none });
            config::build(&parsed, *family).accepted()
        })
    };
    // What an example may lean on.
    let before = "option space PXE; option space lab; class \"phones\" { }\nclass \"allocation\" { match hardware; }\n";
    let contexts = [
        ("", ""),
        ("class \"x\" {", "}"),
        ("host x {", "}"),
        ("subnet 10.0.0.0 netmask 255.0.0.0 { pool { range 10.0.0.1;", "} }"),
    ];
    let mut count = 0;
    for example in [CONF, OPTIONS, EVAL].iter().flat_map(|page| examples(page)) {
        count += 1;
        let good = contexts.iter().any(|(open, close)| {
            judge(&format!("{open}\n{example}\n{close}"))
                || judge(&format!("{before}{open}\n{example}\n{close}"))
        });
        assert!(good, "{example}");
    }
    assert!(count > 80, "{count} examples were found");
    assert!(!judge("option routers \"x\";"), "the comparison can fail");
}

#[test]
fn the_comparison_can_fail() {
    let grammar = Grammar::read();
    let page = CONF.replacen(".It Ic lease limit", ".It Ic lease limits", 1);
    let found = std::panic::catch_unwind(|| {
        agree(all_phrases(&within(&page, &["Inside a class"])), grammar.starts(&["class_member"]));
    });
    assert!(found.is_err());
    assert_eq!(phrases("Ic range Oo Cm dynamic-bootp Oc Ar first"), ["range"]);
    assert_eq!(phrases("Cm formerr , noerror"), ["formerr", "noerror"]);
    assert_eq!(phrases("Ar a Cm \\&| Ar b"), ["|"]);
}
