//! The option definitions that exist before any configuration is read.
//!
//! The table is `tables/predefined.tsv`: what dhcp-options(5) and dhcpd.conf(5) document, with the codes and formats of
//! ISC `common/tables.c` and `server/stables.c` (a build without LDAP and without EUI-64).

use super::format::Format;
use super::space::{SpaceId, Spaces};

/// One row of the table.
pub(super) struct Row {
    pub space: SpaceId,
    pub name: &'static str,
    pub code: u32,
    pub format: Format,
}

/// All rows, in dhcpd's order within a space.
pub(super) fn predefined() -> impl Iterator<Item = Row> {
    include_str!("tables/predefined.tsv").lines().filter(|line| !line.starts_with('#')).filter_map(row)
}

fn row(line: &'static str) -> Option<Row> {
    let mut columns = line.split('\t');
    let space = match columns.next()? {
        "dhcp" => Spaces::DHCP,
        "nwip" => Spaces::NWIP,
        "fqdn" => Spaces::FQDN,
        "vendor-class" => Spaces::VIVCO,
        "vendor" => Spaces::VIVSO,
        "isc" => Spaces::ISC,
        "dhcp6" => Spaces::DHCP6,
        "vsio" => Spaces::VSIO,
        "isc6" => Spaces::ISC6,
        "agent" => Spaces::AGENT,
        "server" => Spaces::SERVER,
        _ => return None,
    };
    let (name, code) = (columns.next()?, columns.next()?.parse().ok()?);
    let format = Format::parse(columns.next()?).ok()?;
    Some(Row { space, name, code, format })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_a_definition() {
        let lines =
            include_str!("tables/predefined.tsv").lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(predefined().count(), lines);
        let spaces = Spaces::new();
        for (space, count) in [
            (Spaces::DHCP, 119),
            (Spaces::NWIP, 11),
            (Spaces::FQDN, 8),
            (Spaces::VIVCO, 1),
            (Spaces::VIVSO, 1),
            (Spaces::ISC, 2),
            (Spaces::DHCP6, 64),
            (Spaces::VSIO, 1),
            (Spaces::ISC6, 4),
            (Spaces::FQDN6, 0),
            (Spaces::AGENT, 6),
            (Spaces::SERVER, 80),
        ] {
            assert_eq!(spaces.options(space).len(), count, "{}", spaces.space(space).name);
        }
        for row in predefined() {
            let id = spaces.option_named(row.space, row.name).unwrap();
            let def = spaces.definition(id).unwrap();
            assert_eq!((def.id.space, def.id.code, &*def.name), (row.space, row.code, row.name));
            assert_eq!(def.format, row.format);
            assert_eq!(spaces.by_code(row.space, row.code), id);
            assert_eq!(Format::parse(def.format.letters()).unwrap(), def.format);
        }
    }
}
