//! Option spaces and option definitions.

use super::writer::Writer;
use crate::options::{Atom, Format, Item, OptionDef, SpaceId, Spaces};

/// The spaces and definitions that the configuration adds to the predefined ones, in the order in which they were read.
///
/// A space is defined right before the first definition that needs it, so that of two spaces of one name each
/// definition finds its own.
pub(super) fn definitions(spaces: &Spaces, out: &mut Writer) {
    let predefined = Spaces::new();
    let mut pending = spaces.iter().skip(predefined.iter().count()).peekable();
    let mut define_spaces = |out: &mut Writer, last: Option<SpaceId>| {
        while let Some((_, space)) = pending.next_if(|(id, _)| last.is_none_or(|last| *id <= last)) {
            let mut line = format!("option space {}", space.name);
            if space.code_width != 1 {
                line += &format!(" code width {}", space.code_width);
            }
            if space.length_width != 1 {
                line += &format!(" length width {}", space.length_width);
            }
            out.line([line.as_bytes(), b";"]);
        }
    };
    for definition in spaces.definitions().iter().skip(predefined.definitions().len()) {
        let carried = carried(spaces, definition);
        define_spaces(
            out,
            Some(carried.map_or(definition.id.space, |carried| carried.max(definition.id.space))),
        );
        let name = match definition.id.space {
            Spaces::DHCP => definition.name.to_string(),
            space => format!("{}.{}", spaces.space(space).name, definition.name),
        };
        let (code, kind) = (definition.id.code as i32, written(&definition.format));
        out.line([format!("option {name} code {code} = {kind};")]);
    }
    define_spaces(out, None);
}

/// The space whose options a definition carries: the one that has it for its carrier.
fn carried(spaces: &Spaces, definition: &OptionDef) -> Option<SpaceId> {
    if let Some(space) = definition.encapsulates {
        return Some(space);
    }
    let ends_so = matches!(definition.format.items().last(), Some(Item { atom: Atom::Encapsulation(_), .. }));
    let carries = || spaces.iter().find(|(_, space)| space.carrier == Some(definition.id));
    ends_so.then(carries).flatten().map(|(id, _)| id)
}

/// The type of a definition.
pub(super) fn written(format: &Format) -> String {
    let member = |item: &Item| {
        let array = if item.repeated { "array of " } else { "" };
        format!("{array}{}", simple(&item.atom))
    };
    match (format.items(), format.is_array()) {
        ([one], false) => member(one),
        (items, array) => {
            let members: Vec<String> = items.iter().map(member).collect();
            let array = if array { "array of " } else { "" };
            format!("{array}{{ {} }}", members.join(", "))
        }
    }
}

fn simple(atom: &Atom) -> String {
    match atom {
        Atom::Ip4 => "ip-address".to_owned(),
        Atom::Ip6 => "ip6-address".to_owned(),
        Atom::Integer { octets, signed } => {
            let sign = if *signed { "signed" } else { "unsigned" };
            format!("{sign} integer {}", u32::from(*octets) * 8)
        }
        Atom::Flag => "boolean".to_owned(),
        Atom::Text => "text".to_owned(),
        Atom::DomainName => "domain-name".to_owned(),
        Atom::DomainList { compressed: false } => "domain-list".to_owned(),
        Atom::DomainList { compressed: true } => "domain-list compressed".to_owned(),
        Atom::ZeroLength => "zerolen".to_owned(),
        Atom::Encapsulation(Some(space)) => format!("encapsulate {space}"),
        // The last ones are for predefined options alone.
        Atom::String
        | Atom::Encapsulation(None)
        | Atom::Time
        | Atom::ImpliedFlag
        | Atom::KeyName
        | Atom::SpaceName
        | Atom::Enumeration(_) => "string".to_owned(),
    }
}
