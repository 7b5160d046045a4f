//! Start-up, step by step in dhcpd's order.
//!
//! Mirrors ISC `server/dhcpd.c:main` and `postconf_initialization`: fork, command line, banner, configuration, pid
//! check, lease file, interfaces, pid file, privileges, `Server starting service.`.

use std::ffi::{OsStr, OsString};

use super::args::{Cli, Family, banner};
use super::daemon::{self, Identity};
use super::fatal::Fatal;
use super::logging::{Log, Perror, emit};
use super::settings::{Network, Paths, path_octets};
use super::sys::{self, fork::Child};
use crate::log::Line;

/// Starts the server and serves until the end, or tests the configuration, as `words` ask. In daemon mode `child` is
/// the way to the waiting parent; it is taken when the server is up.
///
/// # Errors
/// The fatal error that ended it, not yet logged.
pub fn start(log: &Log, program: &OsStr, words: &[OsString], child: &mut Option<Child>) -> Result<(), Fatal> {
    let reading = Cli::read(program, words);
    reading.lines.iter().for_each(emit);
    let cli = reading.outcome.map_err(Fatal::new)?;
    log.set_format(cli.log_format);
    let environment = |name: &str| std::env::var_os(name);
    let paths = Paths::resolve(&cli, environment)?;
    if cli.quiet {
        log.set_perror(Perror::Never);
    } else {
        banner().iter().for_each(emit);
    }
    if cli.trace_out.is_some() {
        return Err(Fatal::not_built_yet("Writing a trace (-tf)"));
    }
    let identity = Identity::resolve(&cli)?;
    let mut lines = Vec::new();
    let network = Network::resolve(&cli, environment, &mut lines);
    lines.iter().for_each(emit);
    let _network = network?;
    if cli.trace_in.is_some() {
        if !paths.leases_named {
            emit(&Line::error(""));
            emit(&Line::error("** You must specify a lease file with -lf."));
            emit(&Line::error("   Dhcpd will not overwrite your default"));
            return Err(Fatal::new("   lease file when playing back a trace. **"));
        }
        return Err(Fatal::not_built_yet("Replaying a trace (-play)"));
    }
    if cli.check {
        return Err(Fatal::not_built_yet("--check"));
    }
    if cli.dump_config {
        return Err(Fatal::not_built_yet("--dump-config"));
    }

    read_configuration(&paths)?;
    if !cli.quiet {
        for (what, path) in [("Config", &paths.config), ("Database", &paths.leases), ("PID", &paths.pid)] {
            emit(&Line::info([what.as_bytes(), b" file: ", path_octets(path)].concat()));
        }
    }
    if let Some(directory) = &cli.chroot {
        daemon::change_root(directory)?;
    }
    if cli.test_config && !cli.test_leases {
        return Ok(());
    }
    if cli.family() == Family::V6 {
        return Err(Fatal::not_built_yet("Serving DHCPv6 (-6)"));
    }
    if !cli.test_leases && !cli.no_pid {
        daemon::refuse_second_server(&paths.pid)?;
    }
    if cli.test_leases {
        return Err(Fatal::not_built_yet("Testing the lease file (-T)"));
    }

    if !cli.no_pid {
        daemon::write_pid_file(&paths.pid);
    }
    identity.assume()?;
    log.set_perror(if cli.debug { Perror::Always } else { Perror::Never });
    if let Some(child) = child.take() {
        child
            .report_and_detach()
            .map_err(|error| Fatal::new(format!("write to parent: {}", sys::percent_m(&error))))?;
        log.set_perror(Perror::Never);
    }
    emit(&Line::info("Server starting service."));
    Err(Fatal::not_built_yet("Serving"))
}

fn read_configuration(paths: &Paths) -> Result<(), Fatal> {
    std::fs::read(&paths.config).map(drop).map_err(|error| {
        let mut text = b"Can't open ".to_vec();
        text.extend_from_slice(path_octets(&paths.config));
        text.extend_from_slice(format!(": {}", sys::percent_m(&error)).as_bytes());
        Fatal::new(text)
    })
}
