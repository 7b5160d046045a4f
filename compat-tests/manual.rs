//! The manual pages name everything the tables know: every parameter in dhcpd.conf(5), every option in
//! dhcp-options(5).

use relet::options::{SpaceId, Spaces};

/// The names that have an entry of their own: `.It Ic NAME ...`.
fn entries(page: &str) -> Vec<&str> {
    page.lines().filter_map(|line| line.strip_prefix(".It Ic ")?.split(' ').next()).collect()
}

/// The options of a space with an entry missing in the page, written as the page would.
fn missing(page: &str, space: SpaceId, prefix: &str) -> Vec<String> {
    let entries = entries(page);
    let spaces = Spaces::new();
    let names = spaces.options(space).into_iter().map(|option| format!("{prefix}{}", option.name));
    names.filter(|name| !entries.contains(&name.as_str())).collect()
}

#[test]
fn every_parameter_is_described() {
    let page = include_str!("../man/dhcpd.conf.5");
    assert_eq!(missing(page, Spaces::SERVER, ""), Vec::<String>::new());
    assert!(!missing("", Spaces::SERVER, "").is_empty(), "the comparison can fail");
}

#[test]
fn every_option_is_listed() {
    let page = include_str!("../man/dhcp-options.5");
    for (space, prefix) in [
        (Spaces::DHCP, ""),
        (Spaces::NWIP, "nwip."),
        (Spaces::FQDN, "fqdn."),
        (Spaces::AGENT, "agent."),
        (Spaces::DHCP6, "dhcp6."),
    ] {
        assert_eq!(missing(page, space, prefix), Vec::<String>::new());
    }
}
