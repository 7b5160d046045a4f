//! The lease file under tests: what is on disk when, and what happens when the disk fails.

use super::*;

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
    assert_eq!(file.commit(), Err(vec![expected.clone()]));
    assert_eq!(file.commit().expect_err("still full")[0], expected);
}

#[test]
fn the_test_rewrite_leaves_nothing_behind() {
    let directory = Directory::new("trial");
    let path = directory.database("old\n");
    let line = LeaseFile::try_rewrite(&path, b"whole\n", 42, Identity::default()).expect("fine");
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
    let writer =
        Writer::start(file, move |report| sender.send(report).expect("heard")).expect("a thread");
    for commit in 1..=50 {
        writer.append(format!("{commit}\n").into_bytes());
        writer.commit(CommitId(commit));
    }
    writer.rewrite(b"whole\n".to_vec(), 9, CommitId(51));
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
