//! What is said about a configuration: to a person ([`render`]), and in dhcpd's words ([`isc`]).

pub mod isc;
pub mod render;

use crate::config::Built;
use crate::config::diagnostic::{Code, Diagnostic, Severity};

/// Everything there is to say, in the order of the text: what refuses the configuration, what is odd about it, and
/// what has a meaning that this server does not have yet.
pub fn findings(built: &Built) -> Vec<Diagnostic> {
    let not_served = built.unsupported.iter().map(|it| {
        Diagnostic::own(Code::NotServed, Severity::Warning, it.span, format!("{} is not served yet", it.what))
            .note("the server refuses to start rather than ignore it; `-t` accepts it as ISC dhcpd does")
    });
    let mut all: Vec<Diagnostic> = built.diagnostics.iter().cloned().chain(not_served).collect();
    all.sort_by_key(|finding| (finding.span.file, finding.span.start));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Family, build};
    use crate::syntax::{LoadError, parse};

    fn checked(text: &[u8]) -> Vec<String> {
        let mut no_files = |_: &[u8]| Err(LoadError { errno: None, message: String::new() });
        let parsed = parse(b"dhcpd.conf", text.to_vec(), &mut no_files);
        let built = build(&parsed, Family::V4);
        findings(&built).iter().map(|finding| render::human(&parsed.source_map, finding, false)).collect()
    }

    #[test]
    fn a_good_configuration_has_no_findings() {
        assert_eq!(checked(b"default-lease-time 600;\nsubnet 10.0.0.0 netmask 255.0.0.0 { }\n"), [""; 0]);
    }

    #[test]
    fn an_error_shows_its_line_and_marks_it() {
        let said = checked(b"default-lease-time 600;\n\xe9 #\nsubnet 10.0.0.1 netmask 255.0.0.0 { }\n");
        insta::assert_snapshot!(said.join("\n\n"), @r"
        error[E0102]: no statement begins like this
         --> dhcpd.conf:2:1
          |
        2 | é #
          | ^

        error[E0303]: 10.0.0.1 is not a network number under the mask 255.0.0.0
         --> dhcpd.conf:3:8
          |
        3 | subnet 10.0.0.1 netmask 255.0.0.0 { }
          |        ^^^^^^^^^^^^^^^^^^^^^^^^^^
          |
          = note: the network that holds 10.0.0.1 is 10.0.0.0 netmask 255.0.0.0
        ");
    }

    #[test]
    fn what_is_not_served_yet_is_named() {
        insta::assert_snapshot!(checked(b"omapi-port 7911;\n").join("\n\n"), @r"
        warning[W0902]: omapi-port is not served yet
         --> dhcpd.conf:1:1
          |
        1 | omapi-port 7911;
          | ^^^^^^^^^^^^^^^^
          |
          = note: the server refuses to start rather than ignore it; `-t` accepts it as ISC dhcpd does
        ");
    }
}
