//! Keeps the architecture true: a layer imports only from layers below it, and nothing below `runtime` reads a clock,
//! opens a file or a socket, waits, spawns, or looks at the environment.
//!
//! clippy.toml bans some of the same calls; this test also sees imports and types, and needs no lint attribute to be right.

// A test reads the sources it checks.
#![allow(clippy::disallowed_methods)]

use std::fs;
use std::path::{Path, PathBuf};

/// The layers, lowest first. Modules of one row stand beside each other and may not import one another.
const LAYERS: &[&[&str]] = &[
    &["time"],
    &["log"],
    &["wire"],
    &["syntax"],
    &["options"],
    &["config"],
    &["eval"],
    &["lease"],
    &["server", "failover", "ddns", "omapi"],
    &["check"],
    &["runtime"],
];

/// What only `runtime` may touch.
const OUTSIDE: &[&str] = &[
    "std::time::Instant",
    "std::time::SystemTime",
    "Instant::now",
    "SystemTime::now",
    "Utc::now",
    "Local::now",
    "std::fs",
    "std::net::UdpSocket",
    "std::net::TcpStream",
    "std::net::TcpListener",
    "std::net::ToSocketAddrs",
    "std::os::unix::net",
    "std::thread",
    "std::process",
    "std::env",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "println!",
    "eprintln!",
    "tokio",
    "nix::",
    "socket2",
    "libc::",
];

/// Everything wrong with one file of layer `layer`.
fn faults(layer: &str, source: &str) -> Vec<String> {
    let Some(rank) = LAYERS.iter().position(|row| row.contains(&layer)) else {
        return vec![format!("`{layer}` is in no layer")];
    };
    let mut faults = Vec::new();
    let mut tests = None;
    let mut depth = 0usize;
    for (number, line) in statements(source) {
        // A test module may look at the outside world; its imports must respect the layers all the same.
        if line.contains("#[cfg(test)]") {
            tests = Some(depth);
        }
        for (other_rank, other) in
            LAYERS.iter().enumerate().flat_map(|(r, row)| row.iter().map(move |l| (r, *l)))
        {
            let sideways = other_rank == rank && other != layer;
            if (other_rank > rank || sideways) && imports(&line, other) {
                faults.push(format!("line {number}: `{layer}` imports `{other}`, which is not below it"));
            }
        }
        if layer != "runtime" && tests.is_none() {
            let flat = flatten(&line);
            for banned in OUTSIDE.iter().filter(|b| flat.iter().any(|path| mentions(path, b))) {
                faults.push(format!("line {number}: `{layer}` uses {banned}"));
            }
        }
        depth = (depth + line.matches('{').count()).saturating_sub(line.matches('}').count());
        if tests.is_some_and(|outer| depth <= outer && (line.contains('}') || line.ends_with(';'))) {
            tests = None;
        }
    }
    faults
}

/// The source without comments, character and string contents; a `use` that goes over several lines becomes one.
fn statements(source: &str) -> Vec<(usize, String)> {
    let mut all: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (index, line) in source.lines().enumerate() {
        let line = bare(line);
        match all.last_mut() {
            Some((_, last)) if open => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ => all.push((index + 1, line.trim().to_owned())),
        }
        open = all.last().is_some_and(|(_, l)| is_use(l) && !l.ends_with(';'));
    }
    all
}

fn is_use(line: &str) -> bool {
    line.starts_with("use ") || (line.starts_with("pub") && line.contains(" use "))
}

/// A line without strings and without what follows `//`.
fn bare(line: &str) -> String {
    let mut out = String::new();
    let mut quoted = false;
    let mut letters = line.chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            '\\' if quoted => drop(letters.next()),
            '\'' if !quoted && letters.clone().nth(1) == Some('\'') => {
                letters.nth(1);
            }
            '"' => quoted = !quoted,
            '/' if !quoted && letters.peek() == Some(&'/') => break,
            _ if quoted => {}
            _ => out.push(c),
        }
    }
    out
}

/// Whether the line names `crate::layer`, alone or in braces.
fn imports(line: &str, layer: &str) -> bool {
    flatten(line).iter().any(|path| mentions(path, &format!("crate::{layer}")))
}

/// `path` contains `name` as whole words.
fn mentions(path: &str, name: &str) -> bool {
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    path.match_indices(name).any(|(at, _)| {
        let before = path[..at].chars().next_back();
        let after = path[at + name.len()..].chars().next();
        !word(before) && (name.ends_with("::") || name.ends_with('!') || !word(after))
    })
}

/// `use a::{b, c::{d, e}};` as `a::b`, `a::c::d`, `a::c::e`; any other line as it is.
fn flatten(line: &str) -> Vec<String> {
    if !is_use(line) {
        return vec![line.to_owned()];
    }
    let mut all = Vec::new();
    let mut prefixes = vec![String::new()];
    let mut word = String::new();
    for c in line.chars() {
        match c {
            '{' => {
                let prefix = prefixes.last().cloned().unwrap_or_default() + word.trim();
                prefixes.push(prefix);
                word.clear();
            }
            ',' | '}' | ';' => {
                if !word.trim().is_empty() {
                    all.push(prefixes.last().cloned().unwrap_or_default() + word.trim());
                }
                word.clear();
                if c == '}' {
                    prefixes.pop();
                }
            }
            _ => word.push(c),
        }
    }
    all
}

fn rust_files(folder: &Path, all: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|e| e.path()) {
        if path.is_dir() {
            rust_files(&path, all);
        } else if path.extension().is_some_and(|x| x == "rs") {
            all.push(path);
        }
    }
}

/// The files of modules that `path` declares for tests only: `#[cfg(test)] mod name;`.
fn test_modules(path: &Path, source: &str) -> Vec<PathBuf> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let inside = match path.file_stem().and_then(|s| s.to_str()) {
        Some("mod" | "lib" | "main") | None => folder.to_owned(),
        Some(name) => folder.join(name),
    };
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let mut all = Vec::new();
    for (at, _) in lines.iter().enumerate().filter(|(_, l)| **l == "#[cfg(test)]") {
        let declared = lines[at + 1..].iter().find(|l| !l.starts_with("#["));
        let name = declared.and_then(|l| l.rsplit_once("mod ")).and_then(|(_, rest)| rest.strip_suffix(';'));
        if let Some(name) = name {
            all.push(inside.join(format!("{name}.rs")));
            all.push(inside.join(name));
        }
    }
    all
}

#[test]
fn the_layers_hold() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    assert!(files.len() > 5, "the sources are not where this test looks");
    files.sort();
    let read = |path: &PathBuf| fs::read_to_string(path).expect("a file that was just listed");
    let for_tests: Vec<PathBuf> = files.iter().flat_map(|path| test_modules(path, &read(path))).collect();
    let mut wrong = String::new();
    for path in files {
        let Ok(inside) = path.strip_prefix(&src) else { continue };
        let first = inside.iter().next().and_then(|p| p.to_str()).unwrap_or_default();
        let layer = first.strip_suffix(".rs").unwrap_or(first);
        if layer == "lib" || layer == "main" || for_tests.iter().any(|t| path.starts_with(t)) {
            continue;
        }
        for fault in faults(layer, &read(&path)) {
            wrong += &format!("src/{}: {fault}\n", inside.display());
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn a_higher_layer_is_noticed() {
    assert_eq!(faults("lease", "use crate::server::Engine;").len(), 1);
    assert_eq!(faults("lease", "use crate::{\n    log::Line,\n    server::{Engine, Event},\n};").len(), 1);
    assert_eq!(faults("eval", "    let x = crate::runtime::clock();").len(), 1);
    assert_eq!(faults("server", "use crate::failover::Peer;").len(), 1);
    assert_eq!(faults("nowhere", "").len(), 1);
}

#[test]
fn the_outside_world_is_noticed() {
    assert_eq!(faults("lease", "use std::{collections::HashMap, fs::File};").len(), 1);
    assert_eq!(faults("server", "let now = std::time::SystemTime::now();").len(), 2);
    assert_eq!(faults("wire", "use std::net::{Ipv4Addr, UdpSocket};").len(), 1);
    assert_eq!(faults("config", "    std::thread::sleep(second);\n    tokio::spawn(x);").len(), 2);
    assert_eq!(faults("config", "println!(\"x\");").len(), 1);
}

#[test]
fn what_is_allowed_passes() {
    let fine = r#"
        //! crate::server is above, says this comment; std::fs too.
        use std::net::Ipv4Addr;
        use std::time::Duration;
        use crate::{log::Line, time::{Now, Seconds}};
        const TEXT: &str = "std::fs and // crate::server";
        const SLASH: char = '"'; const NEXT: char = 'x';
        fn environment() {}
        #[cfg(test)]
        mod tests {
            use std::fs;
        }
    "#;
    assert_eq!(faults("lease", fine), Vec::<String>::new());
    assert_eq!(faults("runtime", "use std::fs;\nuse crate::server::Engine;"), Vec::<String>::new());
    let declared = test_modules(Path::new("src/wire/mod.rs"), "#[cfg(test)]\nmod tests;\nmod real;\n");
    assert!(declared.contains(&PathBuf::from("src/wire/tests.rs")) && declared.len() == 2);
    // After a test module the rules hold again.
    assert_eq!(faults("lease", "#[cfg(test)]\nmod tests;\nuse std::env;").len(), 1);
    assert_eq!(faults("lease", "#[cfg(test)]\nmod tests {\n    use std::fs;\n}\nuse std::env;").len(), 1);
}
