//! What glibc's `regcomp` and `regexec` say, in the C locale.

use super::PatternCache;

#[test]
fn as_glibc_matches() {
    // Recorded from glibc 2.36: subject, 1 to ignore case, 1 for a match, pattern; octets as \xNN.
    let (mut count, mut wrong) = (0, Vec::new());
    for line in include_str!("glibc.tsv").lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.split('\t');
        let mut field = || fields.next().expect("four fields a line");
        let (subject, ignore_case, expected, pattern) = (field(), field() == "1", field() == "1", field());
        if PatternCache::default().is_match(&octets(pattern), ignore_case, &octets(subject)) != expected {
            wrong.push(line);
        }
        count += 1;
    }
    assert_eq!(wrong, Vec::<&str>::new());
    assert!(count > 500, "the table is whole");
}

fn octets(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("\\x") {
        octets.extend_from_slice(&rest.as_bytes()[..at]);
        octets.push(u8::from_str_radix(&rest[at + 2..at + 4], 16).expect("two hex digits"));
        rest = &rest[at + 4..];
    }
    octets.extend_from_slice(rest.as_bytes());
    octets
}

#[test]
fn hostile_patterns_end() {
    let mut patterns = PatternCache::default();
    let subject = vec![b'a'; 2000];
    assert!(!patterns.is_match(b"(a*)*(a*)*(a*)*\\1b$", false, &subject));
    assert!(!patterns.is_match(b"((((a{1,1000}){1,1000}){1,1000}){1,1000})b", false, &subject));
    assert!(!patterns.is_match(&[b'('; 100_000], false, &subject));
    assert!(patterns.is_match(&[b')'; 3], false, b")))"));
    assert!(!patterns.is_match(&[&b"a"[..], &[b'*'; 100_000]].concat(), false, &subject));
    for number in 0..2000_u32 {
        patterns.is_match(&number.to_be_bytes(), false, b"x");
    }
    assert!(patterns.exact.len() <= super::MAX_PATTERNS);
}
