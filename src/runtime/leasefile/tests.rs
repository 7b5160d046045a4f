//! The lease file under tests: what is on disk when, and what happens when the disk fails.

use super::*;
use crate::server::CommitId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, mpsc};

struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("relet-leases-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).expect("a temporary directory");
        Self(path)
    }
    fn database(&self, content: &str) -> PathBuf {
        let path = self.0.join("db");
        std::fs::write(&path, content).expect("written");
        path
    }
    fn content(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap_or_else(|error| format!("{:?}", error.kind()))
    }
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).expect("readable");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn open(path: &Path) -> LeaseFile {
    LeaseFile::open(path, true, Identity::default()).expect("opens")
}

#[test]
fn appended_entries_are_there_after_the_commit() {
    let directory = Directory::new("append");
    let mut file = open(&directory.database("old\n"));
    file.append(b"new\n");
    assert_eq!(directory.content("db"), "old\n");
    file.commit().expect("committed");
    assert_eq!(directory.content("db"), "old\nnew\n");
}

#[test]
fn what_was_asked_for_before_the_end_is_reported() {
    let directory = Directory::new("finish");
    let file = open(&directory.database(""));
    let (sender, reports) = mpsc::channel();
    let mut writer =
        Writer::start(file, move |report| sender.send(report).expect("heard")).expect("a thread");
    writer.append(b"released\n".to_vec());
    writer.commit(CommitId(1));
    writer.finish();
    assert_eq!(reports.try_iter().collect::<Vec<_>>(), [Report::Committed(CommitId(1), vec![])]);
    assert_eq!(directory.content("db"), "released\n");
    // Nobody is there any more.
    writer.append(b"late\n".to_vec());
    writer.commit(CommitId(2));
    drop(writer);
    assert_eq!(directory.content("db"), "released\n");
}

#[test]
fn a_rewrite_keeps_the_old_file_as_backup_and_later_entries_go_to_the_new_one() {
    let directory = Directory::new("rewrite");
    let mut file = open(&directory.database("old\n"));
    file.append(b"expired\n");
    file.flush().expect("flushed");
    assert_eq!(file.rewrite(b"whole\n", 7), Ok(vec![]));
    file.append(b"more\n");
    file.commit().expect("committed");
    assert_eq!(directory.content("db"), "whole\nmore\n");
    assert_eq!(directory.content("db~"), "old\nexpired\n");
    assert_eq!(directory.names(), ["db", "db~"]);
}

#[test]
fn a_missing_file_is_told_and_a_backup_that_cannot_go_keeps_the_old_file() {
    let directory = Directory::new("missing");
    let path = directory.database("old\n");
    let mut file = open(&path);
    std::fs::remove_file(&path).expect("was there");
    let notes = file.rewrite(b"whole\n", 7).expect("installed");
    assert_eq!(notes.len(), 1);
    assert!(notes[0].text.ends_with(b"db is missing - no lease db to backup."));

    std::fs::create_dir(directory.0.join("db~")).expect("in the way");
    let Err(RewriteFailure::Complaint(lines)) = file.rewrite(b"never\n", 8) else { panic!("must fail") };
    assert!(lines[0].text.starts_with(b"Can't remove old lease database backup "));
    file.append(b"more\n");
    file.commit().expect("the old file is still in use");
    assert_eq!(directory.content("db"), "whole\nmore\n");
    assert_eq!(directory.names(), ["db", "db~"]);
}

#[test]
fn a_directory_that_vanished_is_a_complaint() {
    let directory = Directory::new("vanished");
    let mut file = open(&directory.database(""));
    std::fs::remove_dir_all(&directory.0).expect("was there");
    let Err(RewriteFailure::Complaint(lines)) = file.rewrite(b"x", 1) else { panic!("must fail") };
    assert_eq!(lines, [Line::error("Can't create new lease file: No such file or directory")]);
}

#[test]
fn long_paths_are_fatal() {
    let directory = Directory::new("long");
    let mut path = directory.0.clone();
    for _ in 0..2 {
        path.push("d".repeat(200));
    }
    std::fs::create_dir_all(&path).expect("made");
    path.push("f".repeat(511 - path.as_os_str().len() - 2));
    let mut file = open(&path);
    let fatal = |text| Err(RewriteFailure::Fatal(Fatal::new(text)));
    assert_eq!(file.rewrite(b"x", 10), fatal("new_lease_file: lease file path too long"));
}

#[test]
fn a_full_device_is_told_and_never_committed() {
    let mut file = LeaseFile::open(Path::new("/dev/full"), true, Identity::default()).expect("opens");
    file.append(b"entry\n");
    let expected = Line::info("commit_leases: unable to commit, fflush(): No space left on device");
    assert_eq!(file.commit(), Err(vec![expected]));
    // Half an entry may stand in it, and cannot be taken back.
    assert!(file.commit().is_err());
}

#[test]
fn the_test_rewrite_leaves_nothing_behind() {
    let directory = Directory::new("trial");
    let path = directory.database("old\n");
    let mut trial = NewFile::trial(&path, 42, Identity::default()).expect("begun");
    trial.write(b"whole\n").expect("written");
    assert_eq!(directory.names(), ["db", "db.42"]);
    let line = trial.finish_trial().expect("fine");
    let expected = format!("Lease file test successful, removing temp lease file: {}.42", path.display());
    assert_eq!(line, Line::debug(expected));
    assert_eq!(directory.names(), ["db"]);
    assert_eq!(directory.content("db"), "old\n");
}

#[test]
fn a_missing_lease_file_in_dhcpd_s_words() {
    let (lines, fatal) = LeaseFile::read(Path::new("/no/such")).expect_err("missing").tell();
    assert_eq!(lines[0], Line::error("Can't open lease database /no/such: No such file or directory --"));
    assert_eq!(fatal.text(), b"don't know what to do about this.");
}

#[test]
fn the_writer_reports_in_order_and_finishes_what_it_was_given() {
    let directory = Directory::new("writer");
    let file = open(&directory.database(""));
    let (sender, reports) = mpsc::channel();
    let writer = Writer::start(file, move |report| sender.send(report).expect("heard")).expect("a thread");
    for commit in 1..=50 {
        writer.append(format!("{commit}\n").into_bytes());
        writer.commit(CommitId(commit));
    }
    writer.rewrite(b"whole\n".to_vec(), 9, Some(CommitId(51)));
    writer.append(b"52\n".to_vec());
    writer.commit(CommitId(52));
    drop(writer);
    let reports: Vec<Report> = reports.iter().collect();
    let ids: Vec<u64> = reports
        .iter()
        .map(|report| match report {
            Report::Committed(id, _) => id.0,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(ids.is_sorted() && ids.contains(&50) && ids.contains(&51) && ids.ends_with(&[52]), "{ids:?}");
    assert_eq!(directory.content("db"), "whole\n52\n");
    assert!(directory.content("db~").ends_with("50\n"));
}

#[test]
fn what_comes_between_the_pieces_of_a_rewrite_is_in_both_files() {
    let directory = Directory::new("pieces");
    let (sender, reports) = mpsc::channel();
    let file = open(&directory.database("old\n"));
    let writer = Writer::start(file, move |report| sender.send(report).expect("heard")).expect("a thread");
    writer.append(b"before\n".to_vec());
    writer.rewrite(b"one\n".to_vec(), 9, None);
    writer.append(b"between\n".to_vec());
    writer.commit(CommitId(1));
    assert_eq!(reports.recv(), Ok(Report::Committed(CommitId(1), vec![])));
    assert_eq!(directory.content("db"), "old\nbefore\nbetween\n");
    writer.rewrite(b"two\n".to_vec(), 9, None);
    writer.append(b"changed\n".to_vec());
    writer.rewrite(b"three\n".to_vec(), 9, Some(CommitId(2)));
    assert_eq!(reports.recv(), Ok(Report::Committed(CommitId(2), vec![])));
    assert_eq!(directory.content("db"), "one\ntwo\nthree\nbetween\nchanged\n");
    assert_eq!(directory.content("db~"), "old\nbefore\nbetween\n", "nothing asked for a commit");
    // One that is not finished is given up.
    writer.rewrite(b"four\n".to_vec(), 10, None);
    writer.append(b"last\n".to_vec());
    drop(writer);
    assert_eq!(directory.content("db"), "one\ntwo\nthree\nbetween\nchanged\nlast\n");
    for _ in 0..200 {
        if directory.names() == ["db", "db~"] {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("{:?}", directory.names());
}

/// A file system in memory that fails, or stops, when it is told to.
#[derive(Clone, Debug, Default)]
struct Fragile(Arc<Mutex<Medium>>);

#[derive(Debug, Default)]
struct Medium {
    files: Vec<Stored>,
    names: BTreeMap<PathBuf, usize>,
    /// The names as they were when the directory was last synced.
    safe_names: BTreeMap<PathBuf, usize>,
    /// What was asked for so far.
    asked: usize,
    /// This one fails with that error.
    fails: Option<(usize, i32)>,
    /// From this one on nothing happens any more.
    stops: Option<usize>,
}

#[derive(Clone, Debug, Default)]
struct Stored {
    content: Vec<u8>,
    /// So many octets are on the medium.
    synced: usize,
}

impl Fragile {
    /// Counts a request; fails it if it is to fail. With an error `half` happens all the same.
    fn ask<R>(
        &self,
        half: impl FnOnce(&mut Medium),
        whole: impl FnOnce(&mut Medium) -> io::Result<R>,
    ) -> io::Result<R> {
        let mut medium = self.0.lock().expect("no test panics with it");
        medium.asked += 1;
        let asked = medium.asked;
        if medium.stops.is_some_and(|at| asked >= at) {
            if medium.stops == Some(asked) {
                half(&mut medium);
            }
            return Err(io::Error::from_raw_os_error(libc::EIO));
        }
        if let Some((at, errno)) = medium.fails
            && at == asked
        {
            half(&mut medium);
            return Err(io::Error::from_raw_os_error(errno));
        }
        whole(&mut medium)
    }

    fn number(medium: &Medium, path: &Path) -> io::Result<usize> {
        medium.names.get(path).copied().ok_or_else(|| io::Error::from_raw_os_error(libc::ENOENT))
    }

    /// What the lease file may hold after the machine stopped now.
    fn after_a_crash(&self) -> Vec<Option<Vec<u8>>> {
        let medium = self.0.lock().expect("no test panics with it");
        let mut outcomes = Vec::new();
        for names in [&medium.names, &medium.safe_names] {
            let Some(file) = names.get(Path::new("/l/db")).and_then(|&at| medium.files.get(at)) else {
                outcomes.push(None);
                continue;
            };
            for length in file.synced..=file.content.len() {
                outcomes.push(Some(file.content[..length].to_vec()));
            }
        }
        outcomes
    }
}

impl Disk for Fragile {
    type File = usize;

    fn append_to(&self, path: &Path) -> io::Result<(usize, u64)> {
        let mut medium = self.0.lock().expect("no test panics with it");
        medium.files.push(Stored::default());
        let at = medium.files.len() - 1;
        medium.names.insert(path.to_owned(), at);
        medium.safe_names.insert(path.to_owned(), at);
        Ok((at, 0))
    }
    fn create(&self, path: &Path) -> io::Result<usize> {
        self.ask(
            |_| {},
            |medium| {
                medium.files.push(Stored::default());
                medium.names.insert(path.to_owned(), medium.files.len() - 1);
                Ok(medium.files.len() - 1)
            },
        )
    }
    fn write_all(&self, file: &mut usize, octets: &[u8]) -> io::Result<()> {
        let at = *file;
        self.ask(
            |medium| medium.files[at].content.extend(&octets[..octets.len() / 2]),
            |medium| {
                medium.files[at].content.extend(octets);
                Ok(())
            },
        )
    }
    fn cut(&self, file: &usize, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).expect("small");
        self.ask(
            |_| {},
            |medium| {
                let stored = &mut medium.files[*file];
                stored.content.truncate(length);
                stored.synced = stored.synced.min(length);
                Ok(())
            },
        )
    }
    fn sync(&self, file: &usize) -> io::Result<()> {
        self.ask(
            |_| {},
            |medium| {
                let stored = &mut medium.files[*file];
                stored.synced = stored.content.len();
                Ok(())
            },
        )
    }
    fn give_away(&self, _: &usize, _: u32, _: u32) -> io::Result<()> {
        Ok(())
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.ask(
            |_| {},
            |medium| {
                let at = Self::number(medium, path)?;
                medium.names.retain(|name, number| name != path || *number != at);
                Ok(())
            },
        )
    }
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.ask(
            |_| {},
            |medium| {
                let at = Self::number(medium, from)?;
                medium.names.insert(to.to_owned(), at);
                Ok(())
            },
        )
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.ask(
            |_| {},
            |medium| {
                let at = Self::number(medium, from)?;
                medium.names.remove(from);
                medium.names.insert(to.to_owned(), at);
                Ok(())
            },
        )
    }
    fn sync_directory(&self, _: &Path) -> io::Result<()> {
        self.ask(
            |_| {},
            |medium| {
                medium.safe_names = medium.names.clone();
                Ok(())
            },
        )
    }
}

/// The whole lines of a file. All but the last must be whole.
fn lines(content: &[u8]) -> BTreeSet<u64> {
    let text = String::from_utf8(content.to_vec()).expect("ASCII");
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let lines = whole.lines().map(|line| {
        let number = line.strip_prefix("<").and_then(|line| line.strip_suffix(">"));
        number.unwrap_or_else(|| panic!("a torn entry: {text:?}")).parse().expect("a number")
    });
    lines.collect()
}

/// Entries are appended and committed, in between the file is written anew in pieces, and when something fails, all at
/// once, as the engine does it. The entries that were acknowledged.
fn play(disk: &Fragile) -> BTreeSet<u64> {
    let file =
        LeaseFile::open_on(disk.clone(), Path::new("/l/db"), true, Identity::default()).expect("opens");
    let (sender, reports) = mpsc::channel();
    let writer = Writer::start(file, move |report| sender.send(report).expect("heard")).expect("a thread");
    let entry = |number: u64| format!("<{number}>\n").into_bytes();
    let (mut acknowledged, mut broken, mut in_pieces) = (BTreeSet::new(), false, false);
    // What a report of this commit acknowledges.
    let mut asked: BTreeMap<u64, u64> = BTreeMap::new();
    let mut id = 0;
    for number in 1..=24u64 {
        writer.append(entry(number));
        id += 1;
        let all = |upto: u64| (1..=upto).flat_map(entry).collect::<Vec<u8>>();
        if number % 8 == 4 && !broken {
            in_pieces = true;
            writer.rewrite(all(number / 2), 100 + number.cast_signed(), None);
        } else if number % 8 == 6 && in_pieces {
            asked.insert(1000 + id, number);
            let rest = (number / 2 - 1..=number).flat_map(entry).collect();
            writer.rewrite(rest, 0, Some(CommitId(1000 + id)));
        } else if broken && !in_pieces {
            asked.insert(1000 + id, number);
            writer.rewrite(all(number), 100 + number.cast_signed(), Some(CommitId(1000 + id)));
        }
        asked.insert(id, number);
        writer.commit(CommitId(id));
        let mut waiting = true;
        while waiting || (in_pieces && number % 8 == 7) {
            let report = reports.recv().expect("the writer lives");
            let (Report::Committed(done, _) | Report::Failed(done, _)) = &report else {
                panic!("{report:?}")
            };
            waiting &= done.0 != id;
            let upto = asked[&done.0];
            let rewrite = done.0 > 1000;
            in_pieces &= !rewrite;
            match report {
                Report::Committed(..) if rewrite => {
                    broken = false;
                    acknowledged.extend(1..=upto);
                }
                // As the engine, which has not written what came while the file was broken.
                Report::Committed(..) if !broken => acknowledged.extend(upto..=upto),
                Report::Committed(..) => {}
                _ if rewrite => {}
                _ => broken = true,
            }
        }
        if disk.0.lock().expect("no test panics with it").stops.is_some_and(|_| broken && number > 20) {
            break;
        }
    }
    acknowledged
}

#[test]
fn no_failure_of_the_disk_loses_what_was_acknowledged() {
    let sound = Fragile::default();
    assert_eq!(play(&sound), (1..=24).collect());
    let asked = sound.0.lock().expect("no test panics with it").asked;
    assert!(asked > 60, "{asked}");
    for errno in [libc::ENOSPC, libc::EIO] {
        for at in 1..=asked {
            let disk = Fragile::default();
            disk.0.lock().expect("no test panics with it").fails = Some((at, errno));
            let acknowledged = play(&disk);
            assert!(acknowledged.len() > 18, "request {at}: the server recovers, {acknowledged:?}");
            for content in disk.after_a_crash() {
                let there = lines(&content.unwrap_or_else(|| panic!("request {at}: no lease file")));
                assert!(there.is_superset(&acknowledged), "request {at}: {acknowledged:?} {there:?}");
            }
        }
    }
}

#[test]
fn no_crash_loses_what_was_acknowledged() {
    let sound = Fragile::default();
    play(&sound);
    let asked = sound.0.lock().expect("no test panics with it").asked;
    for at in 1..=asked {
        let disk = Fragile::default();
        disk.0.lock().expect("no test panics with it").stops = Some(at);
        let acknowledged = play(&disk);
        for content in disk.after_a_crash() {
            let there = lines(&content.unwrap_or_else(|| panic!("request {at}: no lease file")));
            assert!(there.is_superset(&acknowledged), "request {at}: {acknowledged:?} {there:?}");
        }
    }
}
