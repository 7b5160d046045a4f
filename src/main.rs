//! The `dhcpd` binary.

fn main() {}
