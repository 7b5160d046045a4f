//! How long a lease file takes to read and to write, and what the leases cost in memory.
//!
//! `cargo bench --bench lease_file -- [LEASES]` makes a file of that many leases (a million by default) as a busy server
//! leaves it, reads it, starts the database, writes it again; then makes pools of ten million addresses nobody had.

#![allow(clippy::disallowed_methods)] // a benchmark reads the clock

use relet::config::{Config, Family, build};
use relet::lease::{Lease, LeaseDb, OtherBlock, Others, Queue, Rewrite, Sink, read};
use relet::log::Line;
use relet::syntax::{LoadError, parse};
use std::fmt::Write;
use std::time::{Duration, Instant};

struct Into<'a> {
    db: &'a mut LeaseDb,
    others: &'a mut Others,
    lines: usize,
}

impl Sink for Into<'_> {
    fn lease(&mut self, lease: Lease) -> Option<Line> {
        self.db.enter(lease).err()
    }
    fn other(&mut self, block: OtherBlock) {
        self.others.add(block);
    }
    fn line(&mut self, line: Line) {
        eprintln!("{}", line.text.escape_ascii());
        self.lines += 1;
    }
}

/// Subnets of 65,536 addresses, all but the outermost two in a range.
fn config(subnets: u32) -> Config {
    let mut text = String::new();
    for n in 0..subnets {
        let (a, b) = (10 + n / 256, n % 256);
        let _ =
            writeln!(text, "subnet {a}.{b}.0.0 netmask 255.255.0.0 {{ range {a}.{b}.0.1 {a}.{b}.255.254; }}");
    }
    let mut loader = |_: &[u8]| -> Result<Vec<u8>, LoadError> { unreachable!("nothing is included") };
    build(&parse(b"bench", text.into_bytes(), &mut loader), Family::V4).config
}

fn file(count: u32) -> Vec<u8> {
    let mut text = String::new();
    for n in 0..count {
        let at = n % 65_534 + 1;
        let (a, b, c, d) = (10, n / 65_534, at / 256, at % 256);
        let (hour, minute, second) = (n % 24, n % 60, n % 59);
        let _ = write!(
            text,
            "lease {a}.{b}.{c}.{d} {{\n  starts 4 2026/01/01 {hour:02}:{minute:02}:{second:02};\n  \
             ends 4 2036/01/{:02} {hour:02}:{minute:02}:{second:02};\n  \
             tstp 4 2036/01/02 {hour:02}:{minute:02}:{second:02};\n  \
             cltt 4 2026/01/01 {hour:02}:{minute:02}:{second:02};\n  binding state active;\n  \
             next binding state free;\n  rewind binding state free;\n  hardware ethernet 02:{:02x}:{b:02x}:{c:02x}:{d:02x}:01;\n  \
             uid \"\\001\\002\\{:03o}\\{:03o}\\{:03o}\\{:03o}\\001\";\n  set vendor-class-identifier = \"MSFT 5.0\";\n  \
             client-hostname \"client-{n}\";\n}}\n",
            n % 28 + 1,
            b,
            b,
            b,
            c,
            d
        );
    }
    text.into_bytes()
}

/// Resident memory in MB, where the system tells.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// Processor time of this process, which other load on the machine does not change much; hundredths of a second.
fn processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 =
        behind.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn main() {
    const NOW: i64 = 1_800_000_000;
    let count = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(1_000_000);
    let config_small = config(count / 65_534 + 1);
    let source = file(count);
    println!("{count} leases, {} MB of text", source.len() >> 20);
    let before = resident();
    let mut db = LeaseDb::new(&config_small).expect("a database");
    let mut others = Others::default();
    let begun = processor();
    let mut into = Into { db: &mut db, others: &mut others, lines: 0 };
    read(&source, b"bench", &config_small, NOW, &mut into);
    assert_eq!(into.lines, 0);
    let read_in = processor() - begun;
    let begun = processor();
    db.start();
    let started_in = processor() - begun;
    let used: usize = db.pool_order().iter().map(|&pool| db.queue_len(pool, Queue::Active)).sum();
    assert_eq!(used, count as usize);
    let memory = resident() - before;
    println!(
        "read in {read_in:.3?}, started in {started_in:.3?}; {memory:.0} MB, {:.0} octets a lease",
        memory * 1048576.0 / f64::from(count)
    );
    let begun = processor();
    let mut rewrite = Rewrite::begin(&mut db);
    let (mut size, mut pieces, mut longest) = (0, 0, Duration::ZERO);
    loop {
        let begun = Instant::now();
        let piece = rewrite.next_piece(&mut db, &others, NOW, &config_small);
        longest = longest.max(begun.elapsed());
        (size, pieces) = (size + piece.text.len(), pieces + 1);
        if piece.last {
            break;
        }
    }
    db.end_walk();
    println!(
        "written in {:.3?}: {} MB in {pieces} pieces, the longest took {longest:.3?}",
        (processor() - begun),
        size >> 20
    );
    drop((db, source));
    let config_large = config(153);
    let before = resident();
    let begun = processor();
    let mut db = LeaseDb::new(&config_large).expect("a database");
    db.start();
    println!(
        "{} free addresses started in {:.3?}, {:.0} MB",
        db.len(),
        (processor() - begun),
        resident() - before
    );
}
