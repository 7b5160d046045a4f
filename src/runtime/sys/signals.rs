//! Signals that end the server.

use std::io;

use nix::sys::signal::{SigHandler, Signal, raise, signal};

/// Whether whoever started us had the signal ignored; then it stays so.
pub fn is_ignored(number: Signal) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: no new action is given, so nothing changes; the old one is written to memory of its type, for which all
    // zeroes is a value.
    let action = unsafe {
        libc::sigaction(number as libc::c_int, std::ptr::null(), action.as_mut_ptr());
        action.assume_init()
    };
    action.sa_sigaction == libc::SIG_IGN
}

/// Gives the signal back its default action, so that the next one ends the process at once.
///
/// # Errors
/// As sigaction(2).
pub fn restore(number: Signal) -> io::Result<()> {
    // SAFETY: the default action runs no code of ours.
    unsafe { signal(number, SigHandler::SigDfl) }.map_err(io::Error::from)?;
    Ok(())
}

/// Ends the process by the signal, as whoever sent it expects.
pub fn die_of(number: Signal) -> ! {
    let _ = restore(number);
    let _ = raise(number);
    // Blocked, perhaps.
    std::process::exit(128 + number as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_not_ignored_from_the_start() {
        assert!(!is_ignored(Signal::SIGUSR2));
        // Rust programs begin with this one ignored.
        assert!(is_ignored(Signal::SIGPIPE));
    }
}
