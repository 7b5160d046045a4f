//! Octets as text and back: hexadecimal with or without colons, quoted text, addresses, numbers of a given width.

use std::net::Ipv4Addr;

/// Parse `02:0a:ff`, `020aff` or `2:a:ff`.
pub fn parse(text: &str) -> Result<Vec<u8>, String> {
    let wrong = || format!("{text}: not hexadecimal octets");
    if text.contains(':') {
        return text.split(':').map(|o| u8::from_str_radix(o, 16).map_err(|_| wrong())).collect();
    }
    let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    if !digits.len().is_multiple_of(2) {
        return Err(wrong());
    }
    digits
        .chunks(2)
        .map(|two| u8::from_str_radix(&two.iter().collect::<String>(), 16).map_err(|_| wrong()))
        .collect()
}

/// Parse the value of an option as a scenario writes it:
/// `10.0.0.1,10.0.0.2` | `"text\x00"` | `01:02` | `hex 0102` | `u8 5` | `u16 5` | `u32 5` | `list 1,3,6` | `empty`.
pub fn value(words: &[String]) -> Result<(Vec<u8>, usize), String> {
    let first = words.first().ok_or("an option needs a value")?;
    let second = || words.get(1).ok_or_else(|| format!("{first} needs a value"));
    let number = || second().and_then(|w| w.parse::<u64>().map_err(|_| format!("{w}: not a number")));
    Ok(match first.as_str() {
        "empty" => (Vec::new(), 1),
        "hex" => (parse(second()?)?, 2),
        "u8" => (vec![number()? as u8], 2),
        "u16" => ((number()? as u16).to_be_bytes().to_vec(), 2),
        "u32" => ((number()? as u32).to_be_bytes().to_vec(), 2),
        "list" => (list(second()?)?, 2),
        w if w.starts_with('"') => (unquote(w)?, 1),
        w if w.contains('.') => {
            let mut octets = Vec::new();
            for a in w.split(',') {
                octets.extend(a.parse::<Ipv4Addr>().map_err(|_| format!("{a}: not an address"))?.octets());
            }
            (octets, 1)
        }
        w => (parse(w)?, 1),
    })
}

/// Parse `1,3,6`.
pub fn list(text: &str) -> Result<Vec<u8>, String> {
    text.split(',').map(|n| n.trim().parse().map_err(|_| format!("{n}: not a number below 256"))).collect()
}

/// Parse `"text"` with `\xNN`, `\"`, `\\` and `*N` behind the quotes for repetition (`"ab"*100`).
pub fn unquote(word: &str) -> Result<Vec<u8>, String> {
    let wrong = || format!("{word}: not a quoted text");
    let (body, times) = match word.rsplit_once("\"*") {
        Some((body, n)) => (body.strip_prefix('"').ok_or_else(wrong)?, n.parse().map_err(|_| wrong())?),
        None => (word.strip_prefix('"').and_then(|w| w.strip_suffix('"')).ok_or_else(wrong)?, 1),
    };
    let mut octets = Vec::new();
    let mut rest = body.bytes();
    while let Some(b) = rest.next() {
        match b {
            b'\\' => match rest.next() {
                Some(b'x') => {
                    let two: Vec<u8> = rest.by_ref().take(2).collect();
                    octets.extend(parse(&String::from_utf8_lossy(&two))?);
                }
                Some(other) => octets.push(other),
                None => return Err(wrong()),
            },
            _ => octets.push(b),
        }
    }
    Ok(octets.repeat(times))
}

/// `02:0a:ff`.
pub fn colons(octets: &[u8]) -> String {
    octets.iter().map(|o| format!("{o:02x}")).collect::<Vec<_>>().join(":")
}

/// Printable ASCII as is, everything else as `\xNN` (a backslash stays one: this is for reading).
pub fn text(octets: &[u8]) -> String {
    let mut out = String::new();
    for &b in octets {
        match b {
            0x20..=0x7e | b'\t' => out.push(char::from(b)),
            _ => out.push_str(&format!("\\x{b:02x}")),
        }
    }
    out
}
