//! Becoming a daemon: fork, with a pipe on which the child reports that it serves.
//!
//! Mirrors ISC `server/dhcpd.c:main`: the parent exits with the status octet the child writes, or with 1 when the
//! child dies before it has written one.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, IntoRawFd};

use nix::unistd::{ForkResult, fork, setsid};

/// The child's end of the pipe to its parent.
#[derive(Debug)]
pub struct Child {
    parent: io::PipeWriter,
}

/// Why there is no daemon.
#[derive(Debug, thiserror::Error)]
pub enum ForkError {
    /// No pipe.
    #[error("Can't get pipe: {}", super::percent_m(.0))]
    Pipe(io::Error),
    /// No process.
    #[error("Can't fork daemon: {}", super::percent_m(.0))]
    Fork(io::Error),
}

/// Forks. Returns in the child only; the parent waits for it and exits.
///
/// Must be called while the process has one thread.
///
/// # Errors
/// When there is no pipe or no process to be had.
pub fn into_background() -> Result<Child, ForkError> {
    let (mut reader, writer) = io::pipe().map_err(ForkError::Pipe)?;
    // SAFETY: documented above, and true of the one caller: no thread has been started yet.
    match unsafe { fork() }.map_err(|errno| ForkError::Fork(errno.into()))? {
        ForkResult::Child => Ok(Child { parent: writer }),
        ForkResult::Parent { .. } => {
            drop(writer);
            let mut status = [1];
            let status = match reader.read_exact(&mut status) {
                Ok(()) => i32::from(status[0]),
                Err(_) => 1,
            };
            // SAFETY: `_exit` ends the process without running anything of ours; nothing is left to be run.
            unsafe { libc::_exit(status) }
        }
    }
}

impl Child {
    /// Tells the parent that the server is up, and leaves the session and the terminal.
    ///
    /// # Errors
    /// When the parent cannot be told.
    pub fn report_and_detach(mut self) -> io::Result<()> {
        self.parent.write_all(&[0])?;
        drop(self.parent);
        // A session leader already, no /dev/null, no /: dhcpd goes on in all three cases.
        let _ = setsid();
        if let Ok(null) = OpenOptions::new().read(true).write(true).open("/dev/null") {
            for standard in 0..=2 {
                // SAFETY: duplicating onto 0, 1, 2 replaces the standard streams; std expects them to be open, and
                // they are, before and after.
                unsafe { libc::dup2(null.as_raw_fd(), standard) };
            }
            if null.as_raw_fd() <= 2 {
                let _ = null.into_raw_fd();
            }
        }
        let _ = std::env::set_current_dir("/");
        Ok(())
    }
}
