//! Option names, option spaces and option definitions (ISC `common/parse.c:parse_option_name`,
//! `parse_option_space_decl`, `parse_option_code_definition`).

use super::text::octets;
use super::{Builder, Refused};
use crate::config::diagnostic::{Code, Diagnostic, Severity};
use crate::log::Line;
use crate::options::{Format, NameError, OptionId, Resolved, SpaceId, Spaces};
use crate::syntax::{MemberType, OptionSpaceClause, OptionType, SimpleType};

/// The longest format dhcpd builds.
const LONGEST_FORMAT: usize = 128;

/// After that many notices unknown names are no longer compared with known ones.
const MOST_ADVICE: usize = 200;

/// What the name of an option statement means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// An option that is defined, or `unknown-N`.
    Known(OptionId),
    /// A name not defined in this space so far: the start of a definition, or a mistake.
    New(SpaceId),
}

/// The format letters of a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeLetters(String);

impl TypeLetters {
    /// Letters that were put together according to dhcpd's rules.
    pub(in crate::config) fn from_letters(letters: String) -> Self {
        Self(letters)
    }
}

impl Builder {
    /// The option of a name inside an executable statement or an expression: it must be there.
    pub fn option_named(&mut self, space: Option<&[u8]>, name: &[u8]) -> Result<OptionId, Refused> {
        match self.resolve_option(space, name)? {
            Resolution::Known(id) => Ok(id),
            Resolution::New(space) => {
                let space_name = self.config.spaces.space(space).name.clone();
                let isc = octets!("no option named ", name, " in space ", space_name.as_bytes());
                let diagnostic = self.with_likely_name(
                    Diagnostic::error(Code::OptionUnknown, self.span, isc),
                    space,
                    name,
                );
                Err(self.report(diagnostic))
            }
        }
    }

    /// The option of a declaration (`option NAME VALUE;` outside of executable blocks, `host-identifier`).
    pub fn declared_option(&mut self, space: Option<&[u8]>, name: &[u8]) -> Result<OptionId, Refused> {
        match self.resolve_option(space, name)? {
            Resolution::Known(id) => Ok(id),
            Resolution::New(space) => {
                let space_name = self.config.spaces.space(space).name.clone();
                let isc = octets!("unknown option ", space_name.as_bytes(), ".", name);
                let diagnostic = self.with_likely_name(
                    Diagnostic::error(Code::OptionUnknown, self.span, isc),
                    space,
                    name,
                );
                Err(self.report(diagnostic))
            }
        }
    }

    /// What an option name means right now. Without a space it is one of `dhcp`.
    pub fn resolve_option(&mut self, space: Option<&[u8]>, name: &[u8]) -> Result<Resolution, Refused> {
        let space = match space {
            None => Spaces::DHCP,
            Some(written) => match self.config.spaces.space_named(written) {
                Some(space) => space,
                None => {
                    return Err(
                        self.refuse(Code::SpaceUnknown, octets!("no option space named ", written, "."))
                    );
                }
            },
        };
        match self.config.spaces.resolve(space, name) {
            Ok(Resolved::Redefined(id)) => {
                let written = String::from_utf8_lossy(name);
                let real = self.config.spaces.name(id).into_owned();
                self.report(
                    Diagnostic::own(
                        Code::OptionRenamed,
                        Severity::Warning,
                        self.span,
                        format!("{written} is defined under the name {real}"),
                    )
                    .note("its value is read by that option's type"),
                );
                self.log(Line::info(format!(
                    "option {written} has been redefined as option {real}.  Please update your configs if necessary."
                )));
                Ok(Resolution::Known(id))
            }
            Ok(resolved) => Ok(Resolution::Known(resolved.id())),
            Err(NameError::NotFound { .. }) => Ok(Resolution::New(space)),
            Err(error @ NameError::IllegalCode { .. }) => {
                Err(self.refuse(Code::OptionCode, error.to_string()))
            }
        }
    }

    /// Adds a suggestion when an option of nearly that name exists.
    fn with_likely_name(&self, diagnostic: Diagnostic, space: SpaceId, name: &[u8]) -> Diagnostic {
        // A file full of mistakes needs no advice for each of them.
        if self.notices.len() > MOST_ADVICE {
            return diagnostic;
        }
        let written = String::from_utf8_lossy(name).to_ascii_lowercase();
        let spaces = &self.config.spaces;
        let nearest = spaces
            .options(space)
            .into_iter()
            .map(|def| (distance(&written, &def.name.to_ascii_lowercase()), def))
            .filter(|(distance, _)| *distance <= 1 + written.len() / 4)
            .min_by_key(|(distance, _)| *distance);
        match nearest {
            Some((_, def)) => {
                let name = spaces.full_name(def.id);
                diagnostic.note(format!("there is an option {name}"))
            }
            None => diagnostic,
        }
    }

    /// `option space NAME ...;`
    pub fn define_space(&mut self, name: &[u8], clauses: &[OptionSpaceClause]) -> Result<(), Refused> {
        let (mut code_width, mut length_width) = (1, 1);
        for clause in clauses {
            match clause {
                OptionSpaceClause::CodeWidth(number) => match number.value {
                    width @ (1 | 2 | 4) => code_width = width as u8,
                    width => {
                        let isc = format!("invalid code width ({width}), expecting a 1, 2 or 4.");
                        return Err(self.refuse(Code::SpaceWidth, isc));
                    }
                },
                OptionSpaceClause::LengthWidth(number) => match number.value {
                    width @ (1 | 2) => length_width = width as u8,
                    width => {
                        let isc = format!("invalid length width ({width}) expecting 1 or 2.");
                        return Err(self.refuse(Code::SpaceWidth, isc));
                    }
                },
                OptionSpaceClause::HashSize(number) => {
                    if number.value < 0 {
                        let isc = format!("invalid hash length: {}", number.value);
                        return Err(self.refuse(Code::SpaceWidth, isc));
                    }
                }
            }
        }
        // Names of option spaces are words: ASCII.
        let name = String::from_utf8_lossy(name).into_owned();
        self.config.spaces.define_space(&name, code_width, length_width);
        Ok(())
    }

    /// The format letters of an option's type, or dhcpd's reason against it.
    pub fn type_letters(&mut self, written: &OptionType) -> Result<TypeLetters, Refused> {
        let mut letters = String::new();
        let record = usize::from(written.record);
        let mut array = usize::from(written.array);
        let (mut encapsulates, mut last) = (false, None::<&str>);
        for member in &written.members {
            self.at(member.span);
            if let Some(what) = last {
                let isc = format!("{what} must be at end of record.");
                return Err(self.refuse(Code::OptionType, isc));
            }
            if encapsulates {
                return Err(self.refuse(Code::OptionType, "encapsulate must always be the last item."));
            }
            if member.array {
                if array > 0 {
                    return Err(self.refuse(Code::OptionType, "no nested arrays."));
                }
                array = record + 1;
            }
            let (letter, ends) = self.simple_letters(member, array > 0, &mut letters)?;
            encapsulates = matches!(member.simple, SimpleType::Encapsulate(_));
            if letters.len() >= LONGEST_FORMAT {
                return Err(self.refuse(Code::OptionType, "too many types in record."));
            }
            letters.push(letter);
            if written.record && array > record {
                if letters.len() >= LONGEST_FORMAT {
                    return Err(self.refuse(Code::OptionType, "too many types in record."));
                }
                array = 0;
                letters.push('a');
            }
            last = ends;
        }
        if encapsulates && array > 0 {
            return Err(self.refuse(Code::OptionType, "Arrays of encapsulations don't make sense."));
        }
        if array > 0 {
            letters.push(if array > record { 'a' } else { 'A' });
        }
        Ok(TypeLetters(letters))
    }

    /// The last letter of a simple type (those before it are pushed), and what dhcpd calls it if a record must end with
    /// it.
    fn simple_letters(
        &mut self,
        member: &MemberType,
        in_array: bool,
        letters: &mut String,
    ) -> Result<(char, Option<&'static str>), Refused> {
        let (letter, ends) = match &member.simple {
            SimpleType::Boolean => ('f', None),
            SimpleType::Integer { signed, bits } => {
                let letter = match (bits.value, signed) {
                    (8, true) => 'b',
                    (8, false) => 'B',
                    (16, true) => 's',
                    (16, false) => 'S',
                    (32, true) => 'l',
                    (32, false) => 'L',
                    _ => {
                        let isc = octets!(bits.text, " bit precision is not supported.");
                        return Err(self.refuse(Code::OptionType, isc));
                    }
                };
                (letter, None)
            }
            SimpleType::IpAddress => ('I', None),
            SimpleType::Ip6Address => ('6', None),
            SimpleType::Text => ('t', Some("text")),
            SimpleType::String => ('X', Some("string")),
            SimpleType::DomainName => ('d', Some("string")),
            SimpleType::DomainList { compressed: false } => ('D', Some("string")),
            SimpleType::DomainList { compressed: true } => {
                letters.push('D');
                ('c', Some("string"))
            }
            SimpleType::Zerolen => ('Z', Some("string")),
            SimpleType::Encapsulate(space) => {
                if self.config.spaces.space_named(&space.text).is_none() {
                    let isc = octets!("unknown option space ", space.text);
                    return Err(self.refuse(Code::SpaceUnknown, isc));
                }
                if space.text.len() + letters.len() + 2 > LONGEST_FORMAT {
                    return Err(self.refuse(Code::OptionType, "too many types in record."));
                }
                letters.push('E');
                letters.push_str(&String::from_utf8_lossy(&space.text));
                ('.', None)
            }
        };
        if in_array && letter == 'Z' {
            return Err(self.refuse(Code::OptionType, "array incompatible with zerolen."));
        }
        if in_array && ends.is_some() {
            return Err(self.refuse(Code::OptionType, "arrays of text strings not yet supported."));
        }
        Ok((letter, ends))
    }

    /// `option NAME code CODE = TYPE;`
    pub fn define_option(
        &mut self,
        named: Resolution,
        name: &[u8],
        code: i32,
        letters: TypeLetters,
    ) -> Result<OptionId, Refused> {
        let (space, name) = match named {
            Resolution::Known(id) if !id.is_unknown() => (id.space, self.config.spaces.name(id).into_owned()),
            Resolution::Known(id) => (id.space, String::from_utf8_lossy(name).into_owned()),
            Resolution::New(space) => (space, String::from_utf8_lossy(name).into_owned()),
        };
        let format = match Format::parse(&letters.0) {
            Ok(format) => format,
            // The letters come from `type_letters`, which writes nothing else; kept as an error all the same.
            Err(error) => return Err(self.refuse(Code::OptionType, error.to_string())),
        };
        let defined = self.config.spaces.define_option(space, &name, code as u32, format);
        defined.map_err(|error| {
            self.report(
                Diagnostic::own(Code::EncapsulatedTwice, Severity::Error, self.span, error.to_string())
                    .note("an option space can be encapsulated by one option only"),
            );
            self.fail(
                "Internal inconsistency: storage value has not been initialized to zero (from parse.c:1849).",
            )
        })
    }

    /// A definition begins: what was known under its name is forgotten, whatever comes of it.
    pub fn begin_definition(&mut self, named: Resolution) {
        if let Resolution::Known(id) = named {
            self.config.spaces.forget_option(id);
        }
    }

    /// An option definition or space inside a block.
    pub fn refuse_definition(&mut self, space: bool) -> Refused {
        let isc = if space {
            "option space definitions may not be scoped."
        } else {
            "option definitions may not be scoped."
        };
        let diagnostic = Diagnostic::error(Code::DefinitionNotHere, self.span, isc)
            .note("definitions hold for the whole configuration: put this one at the outermost level");
        self.report(diagnostic)
    }
}

/// Edit distance of two names.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut above_left = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (b, cell) in other.iter().zip(row.iter_mut().skip(1)) {
            let here = (above_left + usize::from(a != *b)).min(left + 1).min(*cell + 1);
            above_left = *cell;
            *cell = here;
            left = here;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn distances_between_names() {
        assert_eq!(distance("routers", "routers"), 0);
        assert_eq!(distance("router", "routers"), 1);
        assert_eq!(distance("dns-server", "domain-name-servers"), 10);
        assert_eq!(distance("", "abc"), 3);
    }
}
