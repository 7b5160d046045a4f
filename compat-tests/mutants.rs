//! Breaks configurations in small ways and asks both dhcpds about what is left: a user's mistake gets the same verdict
//! and the same words.
//!
//! The mutants follow from a fixed seed, so that a failing one can be made again. `mutant-rates.txt` says what share must
//! agree; a mutant on which the real dhcpd crashes or hangs is counted apart, and ours must do neither.
//!
//! For hunting: `RELET_MUTANTS_SEED` and `RELET_MUTANTS_COUNT` (of each folder; the rates are not looked at then),
//! `RELET_MUTANTS_KEEP` (a folder for those that differ), `RELET_MUTANTS_SHOW=1` (what differs).

// The outside world is what is compared here.
#![allow(clippy::disallowed_methods)]

mod mutate;
mod verdict;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use mutate::{Random, mutate};
use relet::config::diagnostic::{Code, Severity};
use relet::config::words::explain;
use relet::config::{Family, build};
use relet::syntax::{LoadError, parse};
use verdict::{Binaries, Tally, ask, configurations, folder, ratchet, rates};

/// From this all mutants follow.
const SEED: u64 = 0x5e1e_7000_0000_0001;

/// How many mutants are made of each folder; of one that is not named here none.
const COUNTS: [(&str, usize); 4] = [
    ("sample-configs", 600),
    ("compat-tests/language", 1_600),
    ("shared/corpus/conf", 600),
    ("shared/spec/snippets", 1_200),
];

/// Longer sources are passed over, in octets: they would take the time of many.
const LONGEST_SOURCE: usize = 32 << 10;

/// What to mutate, each file with the folder its includes are relative to.
struct Source {
    path: PathBuf,
    text: Vec<u8>,
}

fn sources(folder: &Path) -> Vec<Source> {
    let read = |path: PathBuf| {
        let text = fs::read(&path).ok().filter(|text| text.len() <= LONGEST_SOURCE)?;
        Some(Source { path, text })
    };
    configurations(folder).into_iter().filter_map(read).collect()
}

/// The mutant of a number, and what it was made of. Every source has its turn.
fn mutant(sources: &[Source], seed: u64, number: usize) -> (&Source, Vec<u8>) {
    let source = &sources[number % sources.len()];
    let other = &sources[(number / sources.len() + number) % sources.len()];
    let mut random = Random::new(seed ^ (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    // One change mostly; more make the recovery from one error meet the next.
    let changes = [1, 1, 1, 1, 2, 3][random.below(6)];
    let mut text = source.text.clone();
    for _ in 0..changes {
        text = mutate(&text, &other.text, &mut random);
    }
    (source, text)
}

/// Whether a mutant may run programs or read what is no file: the `-t` of both executes statements of the root scope.
fn dangerous(text: &[u8]) -> bool {
    let has = |word: &[u8]| text.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word));
    has(b"execute") || has(b"/dev/") || has(b"/proc/") || has(b"/sys/")
}

fn compare(name: &str, seed: u64, count: usize, binaries: &Binaries, say: &Mutex<Vec<String>>) -> Tally {
    let sources = sources(&folder(name));
    let tally = Mutex::new(Tally::default());
    if sources.is_empty() {
        return tally.into_inner().expect("no worker yet");
    }
    let keep = env::var_os("RELET_MUTANTS_KEEP").map(PathBuf::from);
    let next = AtomicUsize::new(0);
    let work = |worker: usize| {
        let room = tempfile::tempdir().expect("a temporary folder");
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return;
            }
            let (source, text) = mutant(&sources, seed, number);
            if dangerous(&text) {
                continue;
            }
            // Included files lie beside the source, so that mutants must, too, as far as they say.
            let folder = room.path().join((number % sources.len()).to_string());
            if !folder.is_dir() {
                copy_siblings(source, &folder);
            }
            let file = folder.join("mutant.conf");
            fs::write(&file, &text).expect("the temporary folder is ours");
            let family = if (number / sources.len()).is_multiple_of(2) { "-4" } else { "-6" };
            let (theirs, ours) =
                (ask(&binaries.oracle, family, &file), ask(&binaries.subject, family, &file));
            let difference = tally.lock().expect("no worker panics").count(&theirs, &ours);
            if let Some(difference) = difference {
                if let Some(keep) = &keep {
                    let kept = format!("{}-{number}{family}.conf", name.replace('/', "-"));
                    fs::write(keep.join(kept), &text).expect("RELET_MUTANTS_KEEP is a folder");
                }
                let from = source.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let mut say = say.lock().expect("no worker panics");
                say.push(format!("{number} {family} of {from} ({worker}): {difference}"));
            }
        }
    };
    thread::scope(|scope| {
        for worker in 0..4 {
            let work = &work;
            scope.spawn(move || work(worker));
        }
    });
    tally.into_inner().expect("no worker panics")
}

/// What a source may include.
fn copy_siblings(source: &Source, folder: &Path) {
    fs::create_dir(folder).expect("the temporary folder is ours");
    if !source.text.windows(7).any(|window| window.eq_ignore_ascii_case(b"include")) {
        return;
    }
    let Some(Ok(entries)) = source.path.parent().map(fs::read_dir) else { return };
    for entry in entries.flatten() {
        let included = |text: &[u8]| {
            let name = entry.file_name();
            let name = name.as_encoded_bytes();
            text.windows(name.len()).any(|window| window == name)
        };
        if entry.path().is_file() && included(&source.text) {
            let _ = fs::copy(entry.path(), folder.join(entry.file_name()));
        }
    }
}

#[test]
fn broken_configurations_are_judged_alike() {
    let Some(binaries) = Binaries::find() else { return };
    let number = |name: &str| env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let (seed, count) = (number("RELET_MUTANTS_SEED"), number("RELET_MUTANTS_COUNT"));
    let mut wrong = Vec::new();
    for (name, wanted) in rates("mutant-rates.txt") {
        if !folder(&name).is_dir() {
            println!("{name} is absent");
            continue;
        }
        let usual = COUNTS.iter().find(|(folder, _)| *folder == name).map_or(0, |(_, usual)| *usual);
        let count_here = count.map_or(usual, |count| count as usize);
        let say = Mutex::new(Vec::new());
        let tally = compare(&name, seed.unwrap_or(SEED), count_here, &binaries, &say);
        println!("{name}: {}", tally.line());
        if env::var_os("RELET_MUTANTS_SHOW").is_some() {
            let mut lines = say.into_inner().expect("no worker panics");
            lines.sort();
            lines.iter().for_each(|l| println!("  {l}"));
        }
        if seed.is_none() && count.is_none() {
            wrong.extend(ratchet(&name, wanted, tally.percent()));
        }
        if tally.broken > 0 {
            wrong.push(format!("{name}: {} runs crashed or hung", tally.broken));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The grammar with the configuration built of it decides what is accepted; the walk in dhcpd's words says why not. Over
/// all mutants the one refuses what the other complains about.
#[test]
fn what_is_refused_is_complained_about() {
    let mut apart = Vec::new();
    let mut runs = 0;
    for (name, count) in COUNTS {
        let sources = sources(&folder(name));
        if sources.is_empty() {
            println!("{name} is absent");
            continue;
        }
        for number in 0..count {
            let (source, text) = mutant(&sources, SEED, number);
            let family = if (number / sources.len()).is_multiple_of(2) { Family::V4 } else { Family::V6 };
            let beside = source.path.parent().unwrap_or(Path::new("."));
            let mut loader = |name: &[u8]| {
                let name = String::from_utf8_lossy(name);
                let read = fs::metadata(beside.join(&*name)).and_then(|file| match file.is_file() {
                    true => fs::read(beside.join(&*name)),
                    false => Err(std::io::ErrorKind::NotFound.into()),
                });
                read.map_err(|error| LoadError { errno: error.raw_os_error(), message: error.to_string() })
            };
            let parsed = parse(b"mutant.conf", text.clone(), &mut loader);
            let built = build(&parsed, family);
            // What crashes dhcpd, so that it has no words for it.
            if built.diagnostics.iter().any(|finding| {
                matches!(
                    finding.code,
                    Code::NotLast | Code::KeyIncomplete | Code::EncapsulatedTwice | Code::TooDeep
                )
            }) {
                continue;
            }
            let Some(words) = explain(b"mutant.conf", &text, family, &mut loader) else { continue };
            runs += 1;
            if built.accepted() == words.refused {
                let from = source.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let said = words.lines.first().map(|line| String::from_utf8_lossy(&line.text).into_owned());
                let found = built.diagnostics.iter().find(|finding| finding.severity == Severity::Error);
                let found = found.map(|finding| finding.message.clone());
                apart.push(format!("{number} of {name}, {from}: {found:?}, in dhcpd's words {said:?}"));
            }
        }
    }
    println!("{runs} mutants, apart {}: {apart:#?}", apart.len());
    // Octets 0 and 0xFF in odd places.
    assert!(apart.len() * 500 <= runs, "{} of {runs}", apart.len());
}

#[test]
fn a_seed_makes_the_same_mutants_again() {
    let source = |text: &str| Source { path: PathBuf::from("x"), text: text.as_bytes().to_vec() };
    let sources = [source("subnet 10.0.0.0 netmask 255.0.0.0 { }\n"), source("option x;\n\"a\" # b\n")];
    let texts: Vec<Vec<u8>> = (0..64).map(|n| mutant(&sources, SEED, n).1).collect();
    assert_eq!(texts, (0..64).map(|n| mutant(&sources, SEED, n).1).collect::<Vec<_>>());
    let different = texts.iter().enumerate().filter(|(n, text)| **text != sources[n % 2].text).count();
    assert!(different > 48, "{different} of 64 differ from their sources");
}
