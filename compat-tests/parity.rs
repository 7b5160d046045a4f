//! Holds `dhcpd -t` against the real dhcpd over whole folders of configurations: accepted or rejected alike, the first
//! diagnostic, all diagnostics, every octet on standard error.
//!
//! `parity-rates.txt` says per folder what share must agree. Folders that a user's checkout does not have are passed
//! over. `RELET_PARITY_SHOW=1` prints every run that differs; `RELET_PARITY_4=1` leaves `-6` out.

// The outside world is what is compared here.
#![allow(clippy::disallowed_methods)]

mod verdict;

use std::env;
use std::path::Path;
use std::sync::Mutex;
use std::thread;

use verdict::{Binaries, Tally, ask, configurations, folder, ratchet, rates};

/// Compare over all files of `folder`, in both families; `say` gets a line for each run that differs.
fn compare(folder: &Path, binaries: &Binaries, say: &Mutex<Vec<String>>) -> Tally {
    let files = configurations(folder);
    let families: &[&str] = if env::var_os("RELET_PARITY_4").is_some() { &["-4"] } else { &["-4", "-6"] };
    let queue = Mutex::new(files.iter().flat_map(|f| families.iter().map(move |family| (f, *family))));
    let tally = Mutex::new(Tally::default());
    let work = || {
        loop {
            let next = queue.lock().expect("no worker panics").next();
            let Some((file, family)) = next else { return };
            let (theirs, ours) = (ask(&binaries.oracle, family, file), ask(&binaries.subject, family, file));
            if let Some(difference) = tally.lock().expect("no worker panics").count(&theirs, &ours) {
                let name = file.strip_prefix(folder).unwrap_or(file).display();
                say.lock().expect("no worker panics").push(format!("{name} {family}: {difference}"));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(work);
        }
    });
    tally.into_inner().expect("no worker panics")
}

#[test]
fn the_ratchet_goes_one_way() {
    let wanted = [Some(99.0), Some(98.0), None, None];
    assert!(ratchet("x", wanted, [99.3, 98.0, 12.5, 0.0]).is_empty());
    assert_eq!(ratchet("x", wanted, [98.9, 98.0, 97.0, 0.0]).len(), 1);
    assert_eq!(ratchet("x", wanted, [100.0, 98.0, 97.0, 0.0]).len(), 1);
}

#[test]
fn configurations_are_judged_alike() {
    let Some(binaries) = Binaries::find() else { return };
    let mut wrong = Vec::new();
    for (name, wanted) in rates("parity-rates.txt") {
        let folder = folder(&name);
        if !folder.is_dir() {
            println!("{name} is absent");
            continue;
        }
        let say = Mutex::new(Vec::new());
        let tally = compare(&folder, &binaries, &say);
        if tally.runs == 0 {
            println!("{name} holds no configuration");
            continue;
        }
        println!("{name}: {}", tally.line());
        if env::var_os("RELET_PARITY_SHOW").is_some() {
            let mut lines = say.into_inner().expect("no worker panics");
            lines.sort();
            lines.iter().for_each(|l| println!("  {l}"));
        }
        wrong.extend(ratchet(&name, wanted, tally.percent()));
        if tally.broken > 0 {
            wrong.push(format!("{name}: {} runs crashed or hung", tally.broken));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
