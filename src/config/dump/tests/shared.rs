//! The same over whole folders: the samples that come with the project, and the real-world configurations that lie
//! beside it, where they are.

#![allow(clippy::disallowed_methods, reason = "these tests read files")]

use super::{BOTH, fault};
use crate::config::build;
use crate::syntax::{LoadError, parse};
use std::path::{Path, PathBuf};

fn configurations(folder: &Path, all: &mut Vec<PathBuf>) {
    for path in std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        let other = ["expected", "leases", "md", "tsv", "args", "sh", "txt"];
        if path.is_dir() {
            configurations(&path, all);
        } else if !path.extension().is_some_and(|extension| other.iter().any(|other| extension == *other)) {
            all.push(path);
        }
    }
}

/// Every accepted configuration of a folder, in both families: how many there were, and what went wrong.
fn round_trips(folder: &Path) -> (usize, Vec<String>) {
    let mut files = Vec::new();
    configurations(folder, &mut files);
    let (mut count, mut faults) = (0, Vec::new());
    for file in files {
        let home = file.parent().unwrap_or(folder).to_path_buf();
        let mut load = |name: &[u8]| {
            let path = home.join(String::from_utf8_lossy(name).as_ref());
            std::fs::read(path)
                .map_err(|error| LoadError { errno: error.raw_os_error(), message: error.to_string() })
        };
        let parsed = parse(b"dhcpd.conf", std::fs::read(&file).unwrap(), &mut load);
        for family in BOTH {
            let built = build(&parsed, family);
            if built.accepted() {
                count += 1;
                faults.extend(
                    fault(&built, family).map(|fault| format!("{} {family:?}: {fault}", file.display())),
                );
            }
        }
    }
    (count, faults)
}

#[test]
fn folders_of_configurations_read_back() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = std::env::var_os("RELET_SHARED").map_or(home.join("../shared"), PathBuf::from);
    let (count, faults) = round_trips(&home.join("sample-configs"));
    assert!(count > 0 && faults.is_empty(), "{count}\n{}", faults.join("\n"));
    for part in ["corpus/conf", "spec/snippets"] {
        let folder = shared.join(part);
        if !folder.is_dir() {
            println!("{} is absent: nothing read back", folder.display());
            continue;
        }
        let (count, faults) = round_trips(&folder);
        println!("{part}: {count} configurations read back, {} not", faults.len());
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}
