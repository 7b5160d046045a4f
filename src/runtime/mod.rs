//! The runtime: everything that touches the outside world.
//!
//! [`run`] is the whole of dhcpd: command line, start-up in ISC's order, then the event loop. The layers below decide;
//! this one owns sockets, files, clocks, signals, privileges and the log, and nothing else does.

#![allow(clippy::disallowed_methods)] // the layer in which files, sockets and clocks are allowed

pub mod args;
pub mod configuration;
pub mod daemon;
pub mod environment;
pub mod fatal;
pub mod interfaces;
pub mod leasefile;
pub mod logging;
pub mod serve;
pub mod settings;
pub mod start;
pub mod sys;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use args::Scan;
use fatal::Fatal;
use logging::{Log, emit};

use crate::log::Line;

/// Runs dhcpd with these words, the program name first, and returns its exit status.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut words = words.into_iter();
    let program = args::program_name(words.next().as_deref());
    let words: Vec<OsString> = words.collect();
    let foreground = match Scan::over(&program, &words) {
        Scan::Tell(text) => {
            // Like dhcpd, a stderr that takes nothing does not change the exit status.
            let _ = std::io::stderr().write_all(&text);
            return ExitCode::SUCCESS;
        }
        Scan::Run { foreground } => foreground,
    };
    let log = Log::open(&program);
    log.install();
    // A daemon has no stderr on which the default hook could be read.
    std::panic::set_hook(Box::new(|panic| emit(&Line::error(format!("internal error: {panic}")))));
    // The child's end of the pipe must outlive the last log line: its parent exits when it closes.
    let mut child = None;
    let outcome = fork_unless(foreground).and_then(|forked| {
        child = forked;
        start::start(&log, &program, &words, &mut child)
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fatal) => {
            fatal.log();
            ExitCode::FAILURE
        }
    }
}

fn fork_unless(foreground: bool) -> Result<Option<sys::fork::Child>, Fatal> {
    if foreground {
        return Ok(None);
    }
    sys::fork::into_background().map(Some).map_err(|error| Fatal::new(error.to_string()))
}
