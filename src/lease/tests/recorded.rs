//! Lease files with what the real dhcpd said about them, and, where recorded, how it rewrote them.

use super::*;
use std::path::{Path, PathBuf};

/// As much of a configuration as these cases use: subnets with ranges, classes, a failover peer or none.
fn configuration(text: &str) -> Config {
    let mut pools: Vec<Vec<(String, String)>> = Vec::new();
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c == ';').filter(|w| !w.is_empty()).collect();
    let mut classes = Vec::new();
    for pair in words.windows(3) {
        match pair {
            ["subnet", ..] => pools.push(Vec::new()),
            ["range", first, last] => {
                pools.last_mut().unwrap().push(((*first).to_owned(), (*last).to_owned()));
            }
            ["class", name, _] => classes.push(name.trim_matches('"').to_owned()),
            _ => {}
        }
    }
    let ranges: Vec<Vec<(&str, &str)>> =
        pools.iter().map(|pool| pool.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect()).collect();
    let networks: Vec<[&[(&str, &str)]; 1]> = ranges.iter().map(|pool| [&pool[..]]).collect();
    let networks: Vec<&[&[(&str, &str)]]> = networks.iter().map(|network| &network[..]).collect();
    let mut config = config(&networks);
    for name in classes {
        config.class_order.push(ClassId(config.classes.len() as u32));
        config.classes.push(Class {
            name: name.as_str().into(),
            superclass: None,
            hash_value: None,
            scope: ScopeId::ROOT,
            match_if: None,
            submatch: None,
            spawning: false,
            subclasses: Default::default(),
            lease_limit: words.windows(3).find_map(|pair| match pair {
                ["lease", "limit", limit] => limit.parse().ok(),
                _ => None,
            }),
            dynamic: false,
            deleted: false,
        });
    }
    config.lease_id_format = if text.contains("lease-id-format hex") {
        crate::config::network::LeaseIdFormat::Hex
    } else {
        crate::config::network::LeaseIdFormat::Octal
    };
    config
}

/// What dhcpd prints between its banner and the verdict.
fn said(expected: &str) -> String {
    let behind = expected.split_once("PID file: ").map_or("", |(_, rest)| rest);
    let lines = behind.split_once('\n').map_or("", |(_, rest)| rest);
    lines.split("Lease file test successful").next().unwrap_or_default().to_owned()
}

/// What differs.
fn check(directory: &Path, name: &str) -> Vec<String> {
    #[allow(clippy::disallowed_methods)]
    let read = |extension: &str| std::fs::read(directory.join(format!("{name}.{extension}"))).ok();
    let config = configuration(&String::from_utf8(read("conf").unwrap()).unwrap());
    let source = read("leases").unwrap();
    let expected = String::from_utf8_lossy(&read("expected").unwrap()).into_owned();
    #[allow(clippy::disallowed_methods)]
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as Seconds;
    let mut db = LeaseDb::new(&config).unwrap();
    let (mut others, mut spawned) = (Others::default(), Spawned::default());
    let mut config = Arc::new(config);
    let mut loading =
        Loading { config: &mut config, db: &mut db, others: &mut others, spawned: &mut spawned };
    let file = format!("{name}.leases");
    let mut lines = loading.load(&source, file.as_bytes(), now, &mut *typed_handlers());
    db.start();
    for pool in db.pool_order().to_vec() {
        while let Some(lease) = db.due_in(pool, now) {
            db.settle(lease, now, true);
        }
        db.recount(pool, now);
    }
    let (written, said_of_it) = Rewrite::whole(&mut db, &others, now, &Both(&config, &spawned));
    lines.extend(said_of_it);
    let ours: String =
        lines.iter().map(|line| String::from_utf8_lossy(&line.text).into_owned() + "\n").collect();
    let mut faults = Vec::new();
    if ours != said(&expected) {
        faults.push(format!("{name} says\n{ours}\nand not\n{}", said(&expected)));
    }
    if let Some(rewritten) = read("rewritten").filter(|rewritten| *rewritten != written) {
        let [ours, theirs] = [&written, &rewritten].map(|file| String::from_utf8_lossy(file).into_owned());
        let first = ours.lines().zip(theirs.lines()).find(|(a, b)| a != b);
        faults.push(format!("{name} is rewritten otherwise, at {first:?}"));
    }
    faults
}

fn check_all(directory: &Path, part: &str) -> usize {
    #[allow(clippy::disallowed_methods)]
    let Ok(entries) = std::fs::read_dir(directory) else {
        eprintln!("{} is absent: nothing to compare", directory.display());
        return 0;
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".leases").map(str::to_owned))
        .filter(|name| name.contains(part))
        .collect();
    names.sort();
    let faults: Vec<String> = names.iter().flat_map(|name| check(directory, name)).collect();
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), names.len(), faults.join("\n"));
    names.len()
}

#[test]
fn messages_are_those_of_dhcpd() {
    let shared = std::env::var_os("RELET_SHARED").map(PathBuf::from);
    let shared = shared.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    let count = check_all(&shared.join("spec/snippets"), "-lf-");
    assert!(count == 0 || count > 20, "{count} cases only");
}

/// More cases of the same form, from a directory of the caller's.
#[test]
fn further_cases() {
    if let Some(directory) = std::env::var_os("RELET_LEASE_CASES") {
        assert!(check_all(Path::new(&directory), "") > 0);
    }
}
