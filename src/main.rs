//! The `dhcpd` binary: a drop-in replacement for ISC dhcpd 4.4.3-P1.

use std::process::ExitCode;

fn main() -> ExitCode {
    relet::runtime::run(std::env::args_os())
}
