//! Start-up, step by step in dhcpd's order.
//!
//! Mirrors ISC `server/dhcpd.c:main` and `postconf_initialization`, `server/db.c:db_startup`: command line, banner,
//! configuration, pid check, lease file, interfaces, pid file, privileges, `Server starting service.`.

use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, IsTerminal, Write};

use super::args::{Cli, banner};
use super::configuration::{self, Loaded};
use super::daemon::{self, Identity};
use super::environment::System;
use super::fatal::Fatal;
use super::interfaces::{self, Sockets};
use super::leasefile::{LeaseFile, NewFile, RewriteFailure};
use super::logging::{Log, Perror, emit};
use super::serve::{Outfit, serve, startup_commit};
use super::settings::{Network, Paths, path_from_octets, path_octets};
use super::sys::udp::Icmp;
use super::sys::{self, clock, fork::Child};
use crate::check;
use crate::config::build::jumbo_ranges;
use crate::config::{Config, Family, dump};
use crate::log::Line;
use crate::server::engine::{Engine, Settings, Setup};
use crate::server::globals::{CommandLine, LogFacility, run_again};
use crate::server::interfaces::match_interfaces;
use crate::server::startup::{Database, STARTUP_COMMIT, open_database};
use crate::server::{Effect, duid};

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
    let mut paths = Paths::resolve(&cli, environment)?;
    if cli.check {
        return check_configuration(&cli, &paths);
    }
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
    lines.drain(..).for_each(|line| emit(&line));
    let network = network?;
    let testing = cli.test_config || cli.test_leases || cli.dump_config;
    let icmp = if testing { None } else { open_icmp() };
    refuse_what_is_not_built(&cli, &paths)?;

    let command_line = CommandLine {
        family: cli.family(),
        config_file: path_octets(&paths.config).to_vec(),
        lease_file: path_octets(&paths.leases).to_vec(),
        pid_file: path_octets(&paths.pid).to_vec(),
        quiet: cli.quiet,
    };
    let loaded = configuration::load(&paths.config, &command_line, clock::now(), &mut System, &mut lines);
    let facility = loaded.as_ref().ok().and_then(|loaded| loaded.globals.log_facility);
    tell(log, std::mem::take(&mut lines), facility);
    let Loaded { config, mut bindings, mut memory, globals, unsupported } = loaded?;
    paths.leases = path_from_octets(globals.lease_file.clone());
    paths.pid = path_from_octets(globals.pid_file.clone());
    let settings =
        Settings::new(&globals, network.local_port, network.remote_port, network.limited_broadcast);
    let failover = configuration::check_failover(&config, &mut lines);
    lines.drain(..).for_each(|line| emit(&line));
    failover?;
    if let Some(directory) = &cli.chroot {
        daemon::change_root(directory)?;
    }
    if cli.dump_config {
        return dump_configuration(&config, cli.family());
    }
    jumbo_ranges(&config).iter().for_each(emit);
    if cli.test_config && !cli.test_leases {
        // The process ends here; taking a large configuration apart first would cost more than reading a small one.
        std::mem::forget(config);
        return Ok(());
    }
    if cli.family() == Family::V6 {
        return Err(Fatal::not_built_yet("Serving DHCPv6 (-6)"));
    }
    if let Some(first) = unsupported.first() {
        return Err(Fatal::not_built_yet(first));
    }
    if !cli.test_leases && !cli.no_pid {
        daemon::refuse_second_server(&paths.pid)?;
    }

    let mut effects = Vec::new();
    let database = read_leases(&paths, |name, text| {
        open_database(&config, name, text, clock::now(), &mut System, &mut effects)
    })?;
    if cli.test_leases {
        return test_leases(&paths, effects, identity);
    }
    let (mut leases, installed) = start_lease_file(&paths, effects, !globals.dont_use_fsync, identity)?;

    let requested = interfaces::names(&cli.interfaces);
    let mut looked_at = requested.clone();
    let declared = config.shared_networks.iter().filter_map(|network| network.interface.as_deref());
    let of_subnets = config.subnets.iter().filter_map(|subnet| subnet.interface.as_deref());
    looked_at.extend(declared.chain(of_subnets).map(str::to_owned));
    let plan = match_interfaces(&config, &interfaces::discover(&looked_at)?, &requested);
    let served = plan.served.clone();
    let local_address = globals.local_address.unwrap_or(network.local_address);
    let sockets = Sockets::open(plan, settings.local_port, local_address, cli.quiet)?;
    let again = run_again(&config, clock::now(), &mut bindings, &mut memory, &mut System, &mut lines);
    lines.drain(..).for_each(|line| emit(&line));
    let option = again.map_err(|fatal| Fatal::new(fatal.0.text))?;
    let first = sockets.packet.first().map(|(_, socket)| &socket.hardware);
    let duid = duid::server_duid(&config, &database, option, first, clock::now().wall)
        .ok_or_else(|| Fatal::new("Unable to set server identifier."))?;
    leases.append(&duid::entry(&config, &duid));
    // dhcpd does not sync it, and goes on when it cannot be written.
    let _ = leases.flush();

    if !cli.no_pid {
        daemon::write_pid_file(&paths.pid);
    }
    identity.assume()?;
    log.set_perror(if cli.debug && !cli.quiet { Perror::Always } else { Perror::Never });
    if let Some(child) = child.take() {
        child
            .report_and_detach()
            .map_err(|error| Fatal::new(format!("write to parent: {}", sys::percent_m(&error))))?;
        log.set_perror(Perror::Never);
    }
    emit(&Line::info("Server starting service."));
    let local_port = settings.local_port;
    let setup = Setup { database, globals: bindings, memory, settings, interfaces: served };
    let engine = Engine::new(setup);
    let first = Some(startup_commit(installed, STARTUP_COMMIT));
    match serve(Outfit { engine, sockets, icmp, leases, local_port, first })? {}
}

/// `--check`: everything there is to say about the configuration, to standard output.
///
/// # Errors
/// When the server would not take it.
fn check_configuration(cli: &Cli, paths: &Paths) -> Result<(), Fatal> {
    let (source_map, built) = configuration::read(&paths.config, cli.family())?;
    let findings = check::findings(&built);
    let colour = std::io::stdout().is_terminal();
    let mut text = String::new();
    for finding in &findings {
        text.push_str(&check::render::human(&source_map, finding, colour));
        text.push_str("\n\n");
    }
    // Nobody listening is no fault of the configuration.
    let _ = std::io::stdout().write_all(text.as_bytes());
    match built.fatal {
        Some(fatal) => Err(Fatal::new(fatal.text)),
        None if built.accepted() => Ok(()),
        None => Err(Fatal::new("Configuration file errors encountered -- exiting")),
    }
}

/// `--dump-config`: the configuration as text, to standard output.
///
/// # Errors
/// When it cannot be written, other than for want of a reader.
fn dump_configuration(config: &Config, family: Family) -> Result<(), Fatal> {
    match std::io::stdout().write_all(&dump(config, family)) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Fatal::new(format!("write to standard output: {}", sys::percent_m(&error))))
        }
        _ => Ok(()),
    }
}

/// Flags whose meaning is not there yet end the server rather than being ignored.
fn refuse_what_is_not_built(cli: &Cli, paths: &Paths) -> Result<(), Fatal> {
    if cli.trace_in.is_some() {
        if !paths.leases_named {
            emit(&Line::error(""));
            emit(&Line::error("** You must specify a lease file with -lf."));
            emit(&Line::error("   Dhcpd will not overwrite your default"));
            return Err(Fatal::new("   lease file when playing back a trace. **"));
        }
        return Err(Fatal::not_built_yet("Replaying a trace (-play)"));
    }
    Ok(())
}

/// Without an ICMP socket nothing is pinged, and that is all.
fn open_icmp() -> Option<Icmp> {
    match Icmp::open() {
        Ok(icmp) => Some(icmp),
        Err(error) => {
            emit(&Line::error(format!("unable to create icmp socket: {}", sys::percent_m(&error))));
            None
        }
    }
}

/// Logs what reading the configuration said. Where it changes the syslog facility, the banner follows in the new one;
/// stderr has had it already.
fn tell(log: &Log, mut lines: Vec<Line>, facility: Option<LogFacility>) {
    let Some(LogFacility { facility, after }) = facility else {
        lines.iter().for_each(emit);
        return;
    };
    let rest = lines.split_off(after.min(lines.len()));
    lines.iter().for_each(emit);
    log.reopen(facility);
    let perror = log.perror();
    log.set_perror(Perror::Never);
    banner().iter().for_each(emit);
    log.set_perror(perror);
    rest.iter().for_each(emit);
}

/// Reads the lease file and hands its name and content to `open`.
fn read_leases(paths: &Paths, open: impl FnOnce(&str, &[u8]) -> Database) -> Result<Database, Fatal> {
    let text = LeaseFile::read(&paths.leases).map_err(|failure| {
        let (lines, fatal) = failure.tell();
        lines.iter().for_each(emit);
        fatal
    })?;
    Ok(open(&paths.leases.to_string_lossy(), &text))
}

/// `-T`: what would be written is tried on a temporary file.
fn test_leases(paths: &Paths, effects: Vec<Effect>, identity: Identity) -> Result<(), Fatal> {
    let mut trial = None;
    for effect in effects {
        match effect {
            Effect::Log(line) => emit(&line),
            Effect::Fatal(line) => return Err(Fatal::new(line.text)),
            Effect::Rewrite { piece, .. } => {
                let begun = match trial.take() {
                    Some(trial) => Ok(trial),
                    None => NewFile::trial(&paths.leases, clock::wall().0, identity),
                };
                let written = begun.and_then(|mut new| {
                    new.write(&piece).map_err(RewriteFailure::Complaint)?;
                    Ok(new)
                });
                match written {
                    Ok(new) => trial = Some(new),
                    Err(RewriteFailure::Complaint(lines)) => {
                        lines.iter().for_each(emit);
                        return Ok(());
                    }
                    Err(RewriteFailure::Fatal(fatal)) => return Err(fatal),
                }
            }
            // The lease file stays as it is, and nothing is sent before there are sockets.
            Effect::Write(_) | Effect::Commit(_) | Effect::Send(_) | Effect::Ping(_) => {}
        }
    }
    match trial.map(NewFile::finish_trial) {
        Some(Ok(line)) => emit(&line),
        Some(Err(lines)) => lines.iter().for_each(emit),
        None => {}
    }
    Ok(())
}

/// Opens the lease file and performs what reading it brought about: expiry goes to the old file, then the file is
/// replaced. A rewrite that fails is logged, and the old file stays in use. Says whether the rewrite went well.
fn start_lease_file(
    paths: &Paths,
    effects: Vec<Effect>,
    use_fsync: bool,
    identity: Identity,
) -> Result<(LeaseFile, bool), Fatal> {
    let mut file = LeaseFile::open(&paths.leases, use_fsync, identity)?;
    let mut installed = false;
    let mut new = None;
    let mut effects = effects.into_iter().peekable();
    while let Some(effect) = effects.next() {
        match effect {
            Effect::Log(line) => emit(&line),
            Effect::Fatal(line) => return Err(Fatal::new(line.text)),
            Effect::Write(entries) => file.append(&entries),
            Effect::Rewrite { piece, last } => {
                // The entries of expiry are in the backup then; dhcpd does not look whether they got there.
                let _ = file.flush();
                let begun = match new.take() {
                    Some(new) => Ok(new),
                    None => file.begin_rewrite(clock::wall().0),
                };
                let mut written = false;
                let outcome = begun.and_then(|mut begun| {
                    begun.write(&piece).map_err(RewriteFailure::Complaint)?;
                    if last.is_some() {
                        written = true;
                        return file.install(begun).map(Some);
                    }
                    new = Some(begun);
                    Ok(None)
                });
                // `Wrote ...` comes before what installing has to say.
                while let Some(Effect::Log(line)) =
                    effects.next_if(|next| written && matches!(next, Effect::Log(_)))
                {
                    emit(&line);
                }
                match outcome {
                    Ok(None) => {}
                    Ok(Some(notes)) => {
                        installed = true;
                        notes.iter().for_each(emit);
                    }
                    Err(RewriteFailure::Complaint(lines)) => {
                        lines.iter().for_each(emit);
                        return Ok((file, installed));
                    }
                    Err(RewriteFailure::Fatal(fatal)) => return Err(fatal),
                }
            }
            Effect::Commit(_) | Effect::Send(_) | Effect::Ping(_) => {}
        }
    }
    Ok((file, installed))
}
