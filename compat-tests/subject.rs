//! What a scenario is played against: one server with its wires, its files and its clock.
//!
//! Two drivers exist: [`crate::namespaced`] runs a binary in network namespaces, `in_process` drives the engine alone
//! on virtual time, so that the recorded transcripts also count where no oracle is installed.

use std::net::Ipv4Addr;
use std::time::Duration;

use crate::packet::Mac;

/// A frame the server sent.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Name of the server's interface it left through.
    pub interface: String,
    pub frame: Vec<u8>,
    /// Wall clock when it arrived, seconds since 1970.
    pub wall: i64,
}

/// How a server or a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    Status(i32),
    Signal(i32),
    /// Its parent had already returned; it was running until now.
    Daemon,
    /// It was not running.
    NotRunning,
    TimedOut,
}

/// A file the server left or was given.
#[derive(Clone, Debug)]
pub struct Stored {
    pub octets: Vec<u8>,
    /// Permission bits.
    pub mode: u32,
}

/// The result of a command that ran to its end.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub ending: Ending,
}

/// One server under test.
pub trait Subject {
    /// Start the server and wait until it serves or ended; what it logged comes with the next [`Subject::settle`].
    fn start(&mut self, arguments: &[String]) -> Result<(), String>;
    /// Send SIGTERM (or SIGKILL) and wait.
    fn stop(&mut self, kill: bool) -> Ending;
    /// Run the command to its end, at most ten seconds.
    fn run(&mut self, arguments: &[String]) -> Result<Outcome, String>;
    /// From the next start on use the other binary.
    fn swap(&mut self);
    /// Put a frame on the wire of `interface` (the first one when `None`).
    fn transmit(&mut self, interface: Option<&str>, frame: &[u8]) -> Result<(), String>;
    /// Wait until the server has dealt with everything sent so far; the log lines since the last call.
    fn settle(&mut self) -> Vec<Vec<u8>>;
    /// The log lines since the last call, without waiting for more.
    fn lines(&mut self) -> Vec<Vec<u8>>;
    /// Datagrams that arrived at the syslog socket since the last call.
    fn syslog(&mut self) -> Vec<Vec<u8>>;
    /// The next frame of the server, waiting for it at most `patience`.
    fn receive(&mut self, patience: Duration) -> Option<Heard>;
    /// Wait until this long after the scenario began.
    fn wait_until(&mut self, offset: Duration);
    /// From now on `mac` answers ARP for `address`, and ICMP echo requests too if `ping`.
    fn answer(&mut self, address: Ipv4Addr, mac: Mac, ping: bool);
    /// Take an interface of the server down or up again.
    fn link(&mut self, interface: &str, up: bool) -> Result<(), String>;
    /// A file of the server's directory.
    fn file(&self, name: &str) -> Option<Stored>;
    /// Replace a file of the server's directory.
    fn write(&mut self, name: &str, octets: &[u8]) -> Result<(), String>;
    /// Remove a file of the server's directory.
    fn remove(&mut self, name: &str) -> Result<(), String>;
    /// Names of all files in the server's directory, sorted.
    fn files(&self) -> Vec<String>;
    /// Whether the machine was too slow: what was to happen at once took a second.
    fn late(&mut self) -> bool;
    /// Seconds since 1970 when the scenario began.
    fn epoch(&self) -> i64;
    /// The directory the server works in, as it shows in messages.
    fn directory(&self) -> String;
}
