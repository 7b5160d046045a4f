//! Option spaces and the options defined in them.
//!
//! A space (ISC `universe`) has a name, widths for code and length on the wire, and options known by name and by code.
//! Names of spaces and options compare without regard to case. [`Spaces`] starts with the spaces every dhcpd knows, in
//! dhcpd's order of creation, and grows by the `option space` and `option NAME code` statements of a configuration.
//!
//! Redefinition follows ISC `common/parse.c:parse_option_code_definition`: the code maps to the newest definition, and
//! every name ever given keeps its own definition (the newest of that name).

use std::borrow::Cow;
use std::collections::HashMap;

use super::format::Format;

/// The number of an option space: its place in the order of creation (ISC `universe.index`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpaceId(pub u16);

/// How a space keeps the options collected for one packet, which decides their order (ISC `lookup_func`, `save_func`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// In 17 hash buckets, newest first within a bucket.
    Hashed,
    /// In a list, in order of first setting.
    Linked,
}

/// How a space turns into the octets of the option that carries it, and back (ISC `encapsulate`, `decode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// Code, length, value, one option after the other.
    Options,
    /// DHCPv4 option 81: members are fields (RFC 4702).
    Fqdn,
    /// DHCPv6 option 39: the members of the `fqdn` space as RFC 4704 lays them out.
    Fqdn6,
    /// DHCPv4 option 63 (RFC 2242).
    Nwip,
    /// The server's own parameters: never on the wire.
    Never,
}

/// An option space.
#[derive(Clone, Debug)]
pub struct Space {
    /// The name as it was first written.
    pub name: Box<str>,
    /// Octets of a code: 1, 2 or 4 (0 in the DHCPv6 FQDN shim).
    pub code_width: u8,
    /// Octets of a length: 1 or 2; 0: an option takes all that is left.
    pub length_width: u8,
    /// The code that ends the options: 255 for `dhcp`; elsewhere 0, which is also padding (so there is no end).
    pub end: u32,
    /// Order of the options of one packet.
    pub keeping: Keeping,
    /// Layout on the wire.
    pub wire: Wire,
    /// Repeated options are one long option (RFC 3396): only `dhcp`.
    pub concatenates: bool,
    /// The option that carries this space (ISC `enc_opt`).
    pub carrier: Option<OptionId>,
    names: HashMap<Box<str>, u32>,
    codes: HashMap<u32, u32>,
    /// `codes` again for codes below 256, where nearly every look-up goes.
    low_codes: Vec<u32>,
}

/// The identity of an option: its space, code, and which definition was meant when it was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OptionId {
    /// The space.
    pub space: SpaceId,
    /// The code within the space.
    pub code: u32,
    definition: u32,
}

/// No definition: an option known by number only.
const UNDEFINED: u32 = u32::MAX;

impl OptionId {
    /// The option of that code in that space, without a definition (`unknown-N`, format `X`).
    pub const fn unknown(space: SpaceId, code: u32) -> Self {
        Self { space, code, definition: UNDEFINED }
    }

    /// Whether no definition was known.
    pub fn is_unknown(&self) -> bool {
        self.definition == UNDEFINED
    }
}

/// The definition of an option.
#[derive(Clone, Debug)]
pub struct OptionDef {
    /// Its identity.
    pub id: OptionId,
    /// The name as written in the definition.
    pub name: Box<str>,
    /// The format of its value.
    pub format: Format,
    /// The space whose options its value holds, if the format is one whole encapsulation (`Espace.`).
    pub encapsulates: Option<SpaceId>,
    /// [`Format::has_text`], computed once.
    pub has_text: bool,
    /// [`Format::min_length`], computed once.
    pub min_length: usize,
}

/// Why an option could not be defined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DefineError {
    /// The format encapsulates a space that another option carries already. Fatal in dhcpd, after the definition was
    /// entered: `Internal inconsistency: storage value has not been initialized to zero (from parse.c:1849).`
    #[error("option space {space} is encapsulated by another option already")]
    CarriedTwice {
        /// The name of the encapsulated space.
        space: String,
    },
}

/// Why a name is no option.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// `unknown-N` with code 0 or the end code of the space.
    #[error("Option codes 0 and {end} are illegal in the {space} space.")]
    IllegalCode {
        /// The end code of the space.
        end: u32,
        /// The name of the space.
        space: String,
    },
    /// No such option.
    #[error("no option named {name} in space {space}")]
    NotFound {
        /// The name as written.
        name: String,
        /// The name of the space.
        space: String,
    },
}

/// What an option name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// A defined option, called by its name.
    Defined(OptionId),
    /// `unknown-N` where N has a definition. dhcpd logs (info) `option unknown-N has been redefined as option NAME.
    /// Please update your configs if necessary.` (two blanks after the full stop).
    Redefined(OptionId),
    /// `unknown-N` without definition: format `X`.
    Unknown(OptionId),
}

impl Resolved {
    /// The option meant.
    pub fn id(self) -> OptionId {
        match self {
            Self::Defined(id) | Self::Redefined(id) | Self::Unknown(id) => id,
        }
    }
}

/// All option spaces of a server.
#[derive(Clone, Debug)]
pub struct Spaces {
    spaces: Vec<Space>,
    definitions: Vec<OptionDef>,
    names: HashMap<Box<str>, SpaceId>,
}

impl Default for Spaces {
    fn default() -> Self {
        Self::new()
    }
}

impl Spaces {
    /// `dhcp`: the options of DHCPv4 and BOOTP.
    pub const DHCP: SpaceId = SpaceId(0);
    /// `nwip`: option 63.
    pub const NWIP: SpaceId = SpaceId(1);
    /// `fqdn`: the fields of option 81, and of DHCPv6 option 39.
    pub const FQDN: SpaceId = SpaceId(2);
    /// `vendor-class`: option 124, by enterprise number.
    pub const VIVCO: SpaceId = SpaceId(3);
    /// `vendor`: option 125, by enterprise number.
    pub const VIVSO: SpaceId = SpaceId(4);
    /// `isc`: option 125, enterprise 2495.
    pub const ISC: SpaceId = SpaceId(5);
    /// `dhcp6`: the options of DHCPv6.
    pub const DHCP6: SpaceId = SpaceId(6);
    /// `vsio`: DHCPv6 option 17, by enterprise number.
    pub const VSIO: SpaceId = SpaceId(7);
    /// `isc6`: DHCPv6 option 17, enterprise 2495.
    pub const ISC6: SpaceId = SpaceId(8);
    /// The shim between DHCPv6 option 39 and the `fqdn` space; has no options of its own.
    pub const FQDN6: SpaceId = SpaceId(9);
    /// `agent`: option 82.
    pub const AGENT: SpaceId = SpaceId(10);
    /// `server`: the server's parameters.
    pub const SERVER: SpaceId = SpaceId(11);

    /// The predefined spaces and options.
    pub fn new() -> Self {
        let mut spaces = Spaces { spaces: Vec::new(), definitions: Vec::new(), names: HashMap::new() };
        use {Keeping::*, Wire::*};
        for (name, code_width, length_width, keeping, wire) in [
            ("dhcp", 1, 1, Hashed, Options),
            ("nwip", 1, 1, Linked, Nwip),
            ("fqdn", 1, 1, Linked, Fqdn),
            ("vendor-class", 4, 1, Hashed, Options),
            ("vendor", 4, 1, Hashed, Options),
            ("isc", 2, 2, Linked, Options),
            ("dhcp6", 2, 2, Hashed, Options),
            ("vsio", 4, 0, Hashed, Options),
            ("isc6", 4, 0, Hashed, Options),
            ("fqdn6-if-you-see-me-its-a-bug-bug-bug", 0, 0, Linked, Fqdn6),
            ("agent", 1, 1, Linked, Options),
            ("server", 4, 1, Hashed, Never),
        ] {
            let id = spaces.define_space(name, code_width, length_width);
            let space = spaces.space_mut(id);
            space.keeping = keeping;
            space.wire = wire;
            if id == Self::DHCP {
                space.end = 255;
                space.concatenates = true;
            }
        }
        for row in super::tables::predefined() {
            let defined = spaces.define_option(row.space, row.name, row.code, row.format);
            debug_assert!(defined.is_ok(), "{defined:?}");
        }
        spaces
    }

    /// Defines a space as the `option space` statement does; an older space of the same name is no longer reached by
    /// it. `code_width` is 1, 2 or 4, `length_width` 1 or 2.
    pub fn define_space(&mut self, name: &str, code_width: u8, length_width: u8) -> SpaceId {
        // A configuration cannot hold 65,536 statements and still count: the last space is reused rather than wrapped.
        let id = SpaceId(u16::try_from(self.spaces.len()).unwrap_or(u16::MAX));
        self.spaces.push(Space {
            name: name.into(),
            code_width,
            length_width,
            end: 0,
            keeping: Keeping::Hashed,
            wire: Wire::Options,
            concatenates: false,
            carrier: None,
            names: HashMap::new(),
            codes: HashMap::new(),
            low_codes: Vec::new(),
        });
        self.names.insert(name.to_ascii_lowercase().into(), id);
        id
    }

    /// Defines an option, or redefines it: an older definition of the same code is no longer reached by the code, but
    /// still by its name.
    pub fn define_option(
        &mut self,
        space: SpaceId,
        name: &str,
        code: u32,
        format: Format,
    ) -> Result<OptionId, DefineError> {
        let encapsulates = match format.encapsulation() {
            Some(Some(inner)) => self.space_named(inner),
            _ => None,
        };
        // Fewer than 2^32 definitions fit into memory.
        let index = u32::try_from(self.definitions.len()).unwrap_or(UNDEFINED);
        let id = OptionId { space, code, definition: index };
        let (has_text, min_length) = (format.has_text(), format.min_length());
        // A record that ends in an encapsulation makes its option the carrier of that space, too.
        let carried = format.items().iter().rev().find_map(|item| match &item.atom {
            super::Atom::Encapsulation(Some(inner)) => self.space_named(inner.as_bytes()),
            _ => None,
        });
        self.definitions.push(OptionDef {
            id,
            name: name.into(),
            format,
            encapsulates,
            has_text,
            min_length,
        });
        self.space_mut(space).enter(name, code, index);
        if let Some(inner) = carried {
            let inner = self.space_mut(inner);
            if inner.carrier.is_some() {
                return Err(DefineError::CarriedTwice { space: inner.name.to_string() });
            }
            inner.carrier = Some(id);
        }
        Ok(id)
    }

    /// Takes a definition away: neither its name nor its code leads to it any more. dhcpd does so before it reads the
    /// new definition of a known option.
    pub fn forget_option(&mut self, id: OptionId) {
        let Some(definition) = self.definitions.get(id.definition as usize) else { return };
        let name = definition.name.to_ascii_lowercase();
        self.space_mut(id.space).leave(&name, id.code);
    }

    /// A space.
    pub fn space(&self, id: SpaceId) -> &Space {
        // Ids come from `define_space` of the same registry (or a clone of it), so the index is in range; a foreign
        // id gets the main space rather than a panic.
        self.spaces.get(usize::from(id.0)).unwrap_or(&self.spaces[0])
    }

    fn space_mut(&mut self, id: SpaceId) -> &mut Space {
        let at = usize::from(id.0).min(self.spaces.len() - 1);
        &mut self.spaces[at]
    }

    /// All spaces in order of creation.
    pub fn iter(&self) -> impl Iterator<Item = (SpaceId, &Space)> {
        self.spaces.iter().enumerate().map(|(at, space)| (SpaceId(at as u16), space))
    }

    /// The space of that name, regardless of case.
    pub fn space_named(&self, name: impl AsRef<[u8]>) -> Option<SpaceId> {
        self.names.get(lower(name.as_ref())?.as_ref()).copied()
    }

    /// The option defined under that name, regardless of case; no `unknown-N`.
    pub fn option_named(&self, space: SpaceId, name: impl AsRef<[u8]>) -> Option<OptionId> {
        let index = *self.space(space).names.get(lower(name.as_ref())?.as_ref())?;
        Some(self.definitions.get(index as usize)?.id)
    }

    /// The option of that name, `unknown-N` included (ISC `common/parse.c:parse_option_name`).
    pub fn resolve(&self, space: SpaceId, name: impl AsRef<[u8]>) -> Result<Resolved, NameError> {
        let name = name.as_ref();
        if let Some(id) = self.option_named(space, name) {
            return Ok(Resolved::Defined(id));
        }
        let here = self.space(space);
        let digits = match name.split_at_checked(8) {
            Some((prefix, digits)) if prefix.eq_ignore_ascii_case(b"unknown-") => digits,
            _ => {
                return Err(NameError::NotFound {
                    name: String::from_utf8_lossy(name).into_owned(),
                    space: here.name.to_string(),
                });
            }
        };
        let code = atoi(digits);
        if code == 0 || code == here.end {
            return Err(NameError::IllegalCode { end: here.end, space: here.name.to_string() });
        }
        let id = self.by_code(space, code);
        Ok(if id.is_unknown() { Resolved::Unknown(id) } else { Resolved::Redefined(id) })
    }

    /// The option of that code: its newest definition, or [`OptionId::unknown`].
    pub fn by_code(&self, space: SpaceId, code: u32) -> OptionId {
        OptionId { space, code, definition: self.space(space).definition(code) }
    }

    /// The definition of an option, if it has one.
    pub fn definition(&self, id: OptionId) -> Option<&OptionDef> {
        self.definitions.get(id.definition as usize)
    }

    /// The format of an option's value; `X` without definition.
    pub fn format(&self, id: OptionId) -> &Format {
        match self.definition(id) {
            Some(def) => &def.format,
            None => Format::unknown(),
        }
    }

    /// The name of an option; `unknown-N` without definition.
    pub fn name(&self, id: OptionId) -> Cow<'_, str> {
        match self.definition(id) {
            Some(def) => Cow::Borrowed(&def.name),
            None => Cow::Owned(format!("unknown-{}", id.code)),
        }
    }

    /// The option as it is written in statements: `NAME` in the `dhcp` space, else `SPACE.NAME`.
    pub fn full_name(&self, id: OptionId) -> String {
        match id.space {
            Self::DHCP => self.name(id).into_owned(),
            space => format!("{}.{}", self.space(space).name, self.name(id)),
        }
    }

    /// All definitions in the order in which they were made, the predefined ones first.
    pub fn definitions(&self) -> &[OptionDef] {
        &self.definitions
    }

    /// All options of a space that are reached by their code, in order of code.
    pub fn options(&self, space: SpaceId) -> Vec<&OptionDef> {
        let mut found: Vec<&OptionDef> =
            self.space(space).codes.values().filter_map(|&at| self.definitions.get(at as usize)).collect();
        found.sort_by_key(|def| def.id.code);
        found
    }

    /// From which code on the options of a `site-option-space` take the place of `dhcp` options: the space's lowest
    /// code, within 128..=224. The second value is the lowest code if dhcpd complains about it (below 224; RFC 3942):
    /// see [`Spaces::site_code_warning`].
    pub fn site_code_min(&self, space: SpaceId) -> (u32, Option<u32>) {
        let lowest = self.space(space).codes.keys().copied().min().unwrap_or(224).min(224);
        (lowest.max(128), (lowest < 224).then_some(lowest))
    }

    /// The line dhcpd logs (as an error, once per space) for a site option space with codes below 224.
    pub fn site_code_warning(&self, space: SpaceId, lowest: u32) -> String {
        format!(
            "WARNING: site-local option codes less than 224 have been deprecated by RFC3942.  You have options listed \
             in site local space {} that number as low as {}.  Please investigate if these should be declared as \
             regular options rather than site-local options, or migrated up past 224.",
            self.space(space).name,
            lowest as i32
        )
    }
}

impl Space {
    fn enter(&mut self, name: &str, code: u32, index: u32) {
        self.names.insert(name.to_ascii_lowercase().into(), index);
        self.codes.insert(code, index);
        if code < 256 {
            self.low_codes.resize(256, UNDEFINED);
            self.low_codes[code as usize] = index;
        }
    }

    fn leave(&mut self, name: &str, code: u32) {
        self.names.remove(name);
        self.codes.remove(&code);
        if let Some(low) = self.low_codes.get_mut(code as usize) {
            *low = UNDEFINED;
        }
    }

    fn definition(&self, code: u32) -> u32 {
        if code < 256 {
            return self.low_codes.get(code as usize).copied().unwrap_or(UNDEFINED);
        }
        self.codes.get(&code).copied().unwrap_or(UNDEFINED)
    }
}

/// Lower case for a look-up; `None` for names that no identifier can have.
fn lower(name: &[u8]) -> Option<Cow<'_, str>> {
    let name = std::str::from_utf8(name).ok()?;
    Some(match name.bytes().any(|c| c.is_ascii_uppercase()) {
        true => Cow::Owned(name.to_ascii_lowercase()),
        false => Cow::Borrowed(name),
    })
}

/// C's `atoi`, whose result dhcpd keeps in an unsigned variable.
fn atoi(text: &[u8]) -> u32 {
    let (negative, digits) = match text.first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let value = digits
        .iter()
        .take_while(|c| c.is_ascii_digit())
        .fold(0i64, |sum, digit| sum.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    (if negative { -value } else { value }) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_without_case_and_redefinition_moves_the_code() {
        let mut spaces = Spaces::new();
        assert_eq!(spaces.space_named("DHCP"), Some(Spaces::DHCP));
        assert_eq!(spaces.space_named("Agent"), Some(Spaces::AGENT));
        assert_eq!(spaces.option_named(Spaces::DHCP, "Domain-Name").map(|id| id.code), Some(15));
        let old = spaces.option_named(Spaces::DHCP, "domain-name").unwrap();
        let new = spaces.define_option(Spaces::DHCP, "dn", 15, Format::parse("X").unwrap()).unwrap();
        assert_eq!(spaces.by_code(Spaces::DHCP, 15), new);
        assert_eq!(spaces.option_named(Spaces::DHCP, "domain-name"), Some(old));
        assert_eq!((spaces.format(old).letters(), spaces.format(new).letters()), ("t", "X"));
        let again = spaces.define_option(Spaces::DHCP, "DN", 250, Format::parse("t").unwrap()).unwrap();
        assert_eq!(spaces.option_named(Spaces::DHCP, "dn"), Some(again));
        assert_eq!(spaces.by_code(Spaces::DHCP, 15), new, "the code still has its definition");
        let copy = spaces.clone();
        assert_eq!(copy.by_code(Spaces::DHCP, 250), again);
    }

    #[test]
    fn unknown_names() {
        let spaces = Spaces::new();
        assert_eq!(
            spaces.resolve(Spaces::DHCP, "unknown-224"),
            Ok(Resolved::Unknown(OptionId::unknown(Spaces::DHCP, 224)))
        );
        let redefined = spaces.resolve(Spaces::DHCP, "Unknown-15").unwrap();
        assert!(matches!(redefined, Resolved::Redefined(id) if &*spaces.name(id) == "domain-name"));
        for name in ["unknown-0", "unknown-255", "unknown-", "unknown-x"] {
            let error = spaces.resolve(Spaces::DHCP, name).unwrap_err();
            assert_eq!(error.to_string(), "Option codes 0 and 255 are illegal in the dhcp space.");
        }
        assert!(spaces.resolve(Spaces::AGENT, "unknown-255").is_ok());
        assert_eq!(spaces.resolve(Spaces::DHCP, "unknown-70000").unwrap().id().code, 70000);
        assert_eq!(spaces.resolve(Spaces::DHCP, "unknown--1").unwrap().id().code, u32::MAX);
        let error = spaces.resolve(Spaces::AGENT, "nothing").unwrap_err();
        assert_eq!(error.to_string(), "no option named nothing in space agent");
        assert_eq!(spaces.name(OptionId::unknown(Spaces::DHCP, 224)), "unknown-224");
        assert_eq!(spaces.full_name(spaces.by_code(Spaces::AGENT, 1)), "agent.circuit-id");
        assert_eq!(spaces.full_name(spaces.by_code(Spaces::DHCP, 3)), "routers");
    }

    #[test]
    fn spaces_know_their_carrier() {
        let mut spaces = Spaces::new();
        let carrier = |spaces: &Spaces, id| spaces.space(id).carrier.map(|c: OptionId| (c.space, c.code));
        for (space, outer, code) in [
            (Spaces::NWIP, Spaces::DHCP, 63),
            (Spaces::FQDN, Spaces::DHCP, 81),
            (Spaces::AGENT, Spaces::DHCP, 82),
            (Spaces::VIVCO, Spaces::DHCP, 124),
            (Spaces::VIVSO, Spaces::DHCP, 125),
            (Spaces::ISC, Spaces::VIVSO, 2495),
            (Spaces::VSIO, Spaces::DHCP6, 17),
            (Spaces::ISC6, Spaces::VSIO, 2495),
            (Spaces::FQDN6, Spaces::DHCP6, 39),
        ] {
            assert_eq!(carrier(&spaces, space), Some((outer, code)));
        }
        assert_eq!(carrier(&spaces, Spaces::SERVER), None);
        let acme = spaces.define_space("acme", 1, 1);
        let id = spaces.define_option(Spaces::DHCP, "acme", 200, Format::parse("EACME.").unwrap()).unwrap();
        assert_eq!(spaces.definition(id).unwrap().encapsulates, Some(acme));
        let second = spaces.define_option(Spaces::DHCP, "more", 201, Format::parse("BEacme.").unwrap());
        assert_eq!(second, Err(DefineError::CarriedTwice { space: "acme".into() }));
        assert_eq!(carrier(&spaces, acme), Some((Spaces::DHCP, 200)));
    }
}
