//! What an option's value consists of: ISC's format letters as a typed structure.
//!
//! dhcpd describes every option by a string of letters (`IA` = a list of addresses, `fto` = a flag and perhaps a text;
//! ISC `common/tables.c`). The letters decide how a literal value is read from the configuration, how a value is
//! printed, whether an option holds text (trailing NULs, RFC 2132 section 2) and whether it carries another option
//! space. [`Format`] keeps the letters and their meaning side by side.

use std::fmt;

use super::octets::Octets;

/// An enumeration used by `N` formats; words compare case-sensitively.
#[derive(Debug, PartialEq, Eq)]
pub struct Enumeration {
    /// The name that stands in the format letters.
    pub name: &'static str,
    /// Octets of a value on the wire: 1 or 2.
    pub width: u8,
    /// Words and their values, in dhcpd's order.
    pub values: &'static [(&'static str, u32)],
}

impl Enumeration {
    /// The enumeration of that name.
    pub fn named(name: &str) -> Option<&'static Enumeration> {
        ENUMERATIONS.iter().find(|e| e.name == name)
    }

    /// The value of a word, case-sensitive.
    pub fn value(&self, word: &[u8]) -> Option<u32> {
        self.values.iter().find(|(name, _)| name.as_bytes() == word).map(|&(_, value)| value)
    }

    /// The first word with that value.
    pub fn word(&self, value: u32) -> Option<&'static str> {
        self.values.iter().find(|&&(_, v)| v == value).map(|&(word, _)| word)
    }
}

/// All enumerations of this build (ISC `common/tables.c`, `server/stables.c`; without LDAP).
pub static ENUMERATIONS: &[Enumeration] = &[
    Enumeration {
        name: "ddns-styles",
        width: 1,
        values: &[("none", 0), ("ad-hoc", 1), ("interim", 2), ("standard", 3)],
    },
    Enumeration {
        name: "prefix_length_modes",
        width: 1,
        values: &[("ignore", 0), ("prefer", 1), ("exact", 2), ("minimum", 3), ("maximum", 4)],
    },
    Enumeration {
        // The values are those of <syslog.h>: the facility number times eight.
        name: "syslog-facilities",
        width: 1,
        values: &[
            ("kern", 0),
            ("user", 8),
            ("mail", 16),
            ("daemon", 24),
            ("auth", 32),
            ("syslog", 40),
            ("lpr", 48),
            ("news", 56),
            ("uucp", 64),
            ("cron", 72),
            ("authpriv", 80),
            ("ftp", 88),
            ("local0", 128),
            ("local1", 136),
            ("local2", 144),
            ("local3", 152),
            ("local4", 160),
            ("local5", 168),
            ("local6", 176),
            ("local7", 184),
        ],
    },
    Enumeration {
        name: "duid-types",
        width: 2,
        values: &[("duid-llt", 1), ("duid-en", 2), ("duid-ll", 3), ("duid-uuid", 4)],
    },
    Enumeration {
        name: "status-codes",
        width: 2,
        values: &[
            ("success", 0),
            ("UnspecFail", 1),
            ("NoAddrsAvail", 2),
            ("NoBinding", 3),
            ("NotOnLink", 4),
            ("UseMulticast", 5),
            ("NoPrefixAvail", 6),
            ("UnknownQueryType", 7),
            ("MalformedQuery", 8),
            ("NotConfigured", 9),
            ("NotAllowed", 10),
            ("QueryTerminated", 11),
        ],
    },
    Enumeration {
        name: "dhcpv6-messages",
        width: 1,
        values: &[
            ("SOLICIT", 1),
            ("ADVERTISE", 2),
            ("REQUEST", 3),
            ("CONFIRM", 4),
            ("RENEW", 5),
            ("REBIND", 6),
            ("REPLY", 7),
            ("RELEASE", 8),
            ("DECLINE", 9),
            ("RECONFIGURE", 10),
            ("INFORMATION-REQUEST", 11),
            ("RELAY-FORW", 12),
            ("RELAY-REPL", 13),
            ("LEASEQUERY", 14),
            ("LEASEQUERY-REPLY", 15),
            ("LEASEQUERY-DONE", 16),
            ("LEASEQUERY-DATA", 17),
            ("RECONFIGURE-REQUEST", 18),
            ("RECONFIGURE-REPLY", 19),
            ("DHCPV4-QUERY", 20),
            ("DHCPV4-RESPONSE", 21),
        ],
    },
];

/// One atom of a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Atom {
    /// `I`: an IPv4 address, or a host name looked up when the value is used.
    Ip4,
    /// `6`: an IPv6 address.
    Ip6,
    /// `b B s S l L`: an integer in network order.
    Integer {
        /// 1, 2 or 4 octets.
        octets: u8,
        /// Printed as two's complement; on input both kinds take a minus sign.
        signed: bool,
    },
    /// `T`: a 32-bit number of seconds or the word `infinite` (all ones).
    Time,
    /// `f`: one octet: false 0, true 1, ignore 2.
    Flag,
    /// `F`: a flag that is true by being there. No option of this build uses it.
    ImpliedFlag,
    /// `t`: text without terminator.
    Text,
    /// `k`: a key name, stored as text.
    KeyName,
    /// `X`: text or hexadecimal octets.
    String,
    /// `d`: a domain name in RFC 1035 form.
    DomainName,
    /// `D` or `Dc`: domain names, one after the other, with or without compression pointers.
    DomainList {
        /// Written with compression pointers (`Dc`).
        compressed: bool,
    },
    /// `Z`: no data at all.
    ZeroLength,
    /// `U`: the name of an option space, stored as text.
    SpaceName,
    /// `Nname.`: a word of an enumeration.
    Enumeration(&'static Enumeration),
    /// `Ename.`: the options of another space; typed literally like [`Atom::String`]. `None` is `E.`: the space named
    /// by `vendor-option-space`.
    Encapsulation(Option<Box<str>>),
}

/// An atom and how often it stands in the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The atom.
    pub atom: Atom,
    /// `o` follows: the value may end before this atom.
    pub optional: bool,
    /// `a` follows: this atom alone repeats (commas between repetitions).
    pub repeated: bool,
}

/// The format of an option's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    letters: Box<str>,
    items: Vec<Item>,
    array: bool,
}

/// A string that is no format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// A letter without meaning at that place.
    #[error("format {letters:?}: letter {letter:?} makes no sense here")]
    Letter {
        /// The whole format.
        letters: String,
        /// The letter.
        letter: char,
    },
    /// `N` without a known enumeration or `.`, or `E` without `.`.
    #[error("format {letters:?}: bad name {name:?}")]
    Name {
        /// The whole format.
        letters: String,
        /// What follows the letter.
        name: String,
    },
}

impl Format {
    /// Reads ISC's letters.
    ///
    /// ```
    /// use relet::options::{Atom, Format};
    /// let format = Format::parse("BIID").unwrap();
    /// assert_eq!(format.items().len(), 4);
    /// assert_eq!(format.items()[3].atom, Atom::DomainList { compressed: false });
    /// assert_eq!(format.letters(), "BIID");
    /// ```
    pub fn parse(letters: &str) -> Result<Format, FormatError> {
        let bad = |letter| FormatError::Letter { letters: letters.to_owned(), letter };
        let mut items: Vec<Item> = Vec::new();
        let mut array = false;
        let mut rest = letters;
        while let Some(letter) = rest.chars().next() {
            rest = &rest[letter.len_utf8()..];
            if array {
                return Err(bad(letter));
            }
            let atom = match letter {
                'I' => Atom::Ip4,
                '6' => Atom::Ip6,
                'b' => Atom::Integer { octets: 1, signed: true },
                'B' => Atom::Integer { octets: 1, signed: false },
                's' => Atom::Integer { octets: 2, signed: true },
                'S' => Atom::Integer { octets: 2, signed: false },
                'l' => Atom::Integer { octets: 4, signed: true },
                'L' => Atom::Integer { octets: 4, signed: false },
                'T' => Atom::Time,
                'f' => Atom::Flag,
                'F' => Atom::ImpliedFlag,
                't' => Atom::Text,
                'k' => Atom::KeyName,
                'X' => Atom::String,
                'd' => Atom::DomainName,
                'D' => {
                    let compressed = rest.starts_with('c');
                    rest = rest.strip_prefix('c').unwrap_or(rest);
                    Atom::DomainList { compressed }
                }
                'Z' => Atom::ZeroLength,
                'U' => Atom::SpaceName,
                'N' | 'E' => {
                    let bad_name =
                        |name: &str| FormatError::Name { letters: letters.to_owned(), name: name.to_owned() };
                    let (name, after) = rest.split_once('.').ok_or_else(|| bad_name(rest))?;
                    rest = after;
                    match letter {
                        'N' => Atom::Enumeration(Enumeration::named(name).ok_or_else(|| bad_name(name))?),
                        _ => Atom::Encapsulation((!name.is_empty()).then(|| name.into())),
                    }
                }
                'A' if !items.is_empty() => {
                    array = true;
                    continue;
                }
                'a' | 'o' => {
                    let item = items.last_mut().ok_or_else(|| bad(letter))?;
                    match letter {
                        'a' => item.repeated = true,
                        _ => item.optional = true,
                    }
                    continue;
                }
                _ => return Err(bad(letter)),
            };
            items.push(Item { atom, optional: false, repeated: false });
        }
        Ok(Format { letters: letters.into(), items, array })
    }

    /// `X`: the format of options nobody defined.
    pub fn unknown() -> &'static Format {
        static UNKNOWN: std::sync::LazyLock<Format> = std::sync::LazyLock::new(|| Format {
            letters: "X".into(),
            items: vec![Item { atom: Atom::String, optional: false, repeated: false }],
            array: false,
        });
        &UNKNOWN
    }

    /// The atoms of one record, in order. Empty for `nwip.illegal-N`.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The whole record repeats (`A`), with commas between repetitions.
    pub fn is_array(&self) -> bool {
        self.array
    }

    /// ISC's letters.
    pub fn letters(&self) -> &str {
        &self.letters
    }

    /// Whether the value ends in text of any length, whose trailing NULs are dropped on receipt (ISC `format_has_text`).
    pub fn has_text(&self) -> bool {
        for item in &self.items {
            match item.atom {
                Atom::Text | Atom::KeyName => return true,
                Atom::String | Atom::DomainName | Atom::DomainList { .. } => return false,
                _ if item.repeated => return false,
                _ => {}
            }
        }
        false
    }

    /// Octets that must precede anything of variable length (ISC `format_min_length`); `usize::MAX` where dhcpd
    /// knows no safe value.
    pub fn min_length(&self) -> usize {
        let mut least = 0;
        for item in &self.items {
            let octets = match &item.atom {
                Atom::Ip6 => 16,
                Atom::Ip4 | Atom::Time => 4,
                Atom::Integer { octets, .. } => usize::from(*octets),
                Atom::Enumeration(e) => usize::from(e.width),
                Atom::Flag | Atom::ImpliedFlag => 1,
                Atom::SpaceName => return usize::MAX,
                Atom::Encapsulation(_)
                | Atom::DomainName
                | Atom::DomainList { .. }
                | Atom::Text
                | Atom::KeyName
                | Atom::String
                | Atom::ZeroLength => return least,
            };
            if item.optional {
                return least;
            }
            least += octets;
            if item.repeated {
                return least;
            }
        }
        least
    }

    /// The space this option is a pure container of: the format begins with `E`. `Some(None)` is `E.`, the space
    /// chosen by `vendor-option-space`.
    pub fn encapsulation(&self) -> Option<Option<&str>> {
        match self.items.first() {
            Some(Item { atom: Atom::Encapsulation(space), .. }) => Some(space.as_deref()),
            _ => None,
        }
    }

    /// The value of a flag word, regardless of case: `true` and `on` 1, `false` and `off` 0, `ignore` 2 (RFC 2132 knows
    /// only 0 and 1; `ignore` is the server's own).
    pub fn flag(word: &[u8]) -> Option<u8> {
        [(&b"true"[..], 1), (b"on", 1), (b"false", 0), (b"off", 0), (b"ignore", 2)]
            .into_iter()
            .find_map(|(name, value)| word.eq_ignore_ascii_case(name).then_some(value))
    }

    /// A number in network order, cut to 1, 2 or 4 octets: what `convert_num` leaves of a literal.
    pub fn integer(value: u32, octets: u8) -> Octets {
        let all = value.to_be_bytes();
        let skipped = all.len().saturating_sub(usize::from(octets));
        Octets::new(all.get(skipped..).unwrap_or(&all))
    }

    /// A compressed domain list (`Dc`): appending decompresses, joins and compresses again.
    pub fn is_compressed_domain_list(&self) -> bool {
        self.letters.starts_with("Dc")
    }

    /// A zero-length option (`Z`), the only kind that is stored without data.
    pub fn is_zero_length(&self) -> bool {
        self.letters.starts_with('Z')
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.letters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(letters: &str) -> Format {
        Format::parse(letters).unwrap()
    }

    #[test]
    fn structure_follows_the_letters() {
        let f = format("fIa");
        assert_eq!(f.items().len(), 2);
        assert!(f.items()[1].repeated && !f.is_array());
        let f = format("IIA");
        assert!(f.is_array() && f.items().iter().all(|i| i.atom == Atom::Ip4 && !i.repeated));
        let f = format("fto");
        assert!(f.items()[1].optional && f.items()[1].atom == Atom::Text);
        assert_eq!(
            format("Nstatus-codes.to").items()[0].atom,
            Atom::Enumeration(Enumeration::named("status-codes").unwrap())
        );
        assert_eq!(format("E.").encapsulation(), Some(None));
        assert_eq!(format("Efqdn.").encapsulation(), Some(Some("fqdn")));
        assert_eq!(format("BEfoo.").encapsulation(), None);
        assert!(format("Dc").is_compressed_domain_list() && !format("D").is_compressed_domain_list());
        assert!(format("").items().is_empty());
        // A record may hold an array that is not its last member.
        assert!(format("IaB").items()[0].repeated);
    }

    #[test]
    fn words_and_numbers_become_octets() {
        assert_eq!(
            (Format::flag(b"ON"), Format::flag(b"ignore"), Format::flag(b"yes")),
            (Some(1), Some(2), None)
        );
        assert_eq!(&*Format::integer(0x0102_0304, 4), [1, 2, 3, 4]);
        assert_eq!(&*Format::integer(-2i32 as u32, 2), [255, 254]);
        assert_eq!(&*Format::integer(300, 1), [44]);
        let facilities = Enumeration::named("syslog-facilities").unwrap();
        assert_eq!((facilities.value(b"local7"), facilities.value(b"LOCAL7")), (Some(184), None));
        assert_eq!(facilities.word(24), Some("daemon"));
    }

    #[test]
    fn what_is_no_format_is_refused() {
        for letters in ["A", "a", "o", "c", "IAI", "Q", "Nnothing.", "Nstatus-codes", "Efoo", "é"] {
            assert!(Format::parse(letters).is_err(), "{letters}");
        }
    }

    #[test]
    fn text_and_least_length_as_dhcpd_sees_them() {
        let text = |letters| format(letters).has_text();
        assert!(text("t") && text("k") && text("fto") && text("Nstatus-codes.to") && text("Bt"));
        assert!(!text("X") && !text("IA") && !text("Efqdn.") && !text("D") && !text("BX") && !text(""));
        let least = |letters| format(letters).min_length();
        assert_eq!(least("t"), 0);
        assert_eq!(least("fto"), 1);
        assert_eq!(least("BIID"), 9);
        assert_eq!(least("BB6Ia"), 22);
        assert_eq!(least("Nstatus-codes.to"), 2);
        assert_eq!(least("IA"), 4);
    }
}
