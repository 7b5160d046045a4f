//! Where log lines go: stderr and the syslog datagram socket, as dhcpd writes them.
//!
//! Every line is a `tracing` event ([`emit`]) whose field `line` holds its octets; [`Log`] is the subscriber's layer
//! that prints it: on stderr as text and newline while [`Perror`] says so, and as a datagram to `/dev/log` in the form
//! of glibc's syslog(3). Neither a full nor an absent `/dev/log` blocks or ends the server, as it does with dhcpd: the
//! line is dropped and counted, and the socket is opened again when there is something to say.
//! Mirrors ISC `omapip/errwarn.c`.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::{Layer, Registry};

use super::args::LogFormat;
use super::sys;
use crate::log::{Level, Line};

/// The longest line that is logged; what is beyond is cut off. dhcpd's parser prints up to 4095 octets (ISC
/// `common/parse.c:parse_warn`); everything else is cut at 1023, which whoever makes such lines sees to.
const LONGEST_LINE: usize = 4095;

/// The syslog facility dhcpd opens with (`LOG_DAEMON`).
pub const DAEMON: u8 = 3 << 3;

/// Hands a line to `tracing`. Lines are octets: cut at the first NUL, as C strings are.
pub fn emit(line: &Line) {
    let text = line.text.split(|octet| *octet == 0).next().unwrap_or_default();
    let text = &text[..text.len().min(LONGEST_LINE)];
    match line.level {
        Level::Error => tracing::event!(target: "dhcpd", tracing::Level::ERROR, line = text),
        Level::Info => tracing::event!(target: "dhcpd", tracing::Level::INFO, line = text),
        Level::Debug => tracing::event!(target: "dhcpd", tracing::Level::DEBUG, line = text),
    }
}

/// Whether lines also go to stderr (ISC's `log_perror`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Perror {
    /// Until start-up ends.
    StartUp,
    /// Always (`-d`, `-t`, `-T`).
    Always,
    /// Never (`-q`, and after start-up).
    Never,
}

/// The destination of all log lines. Cheap to clone; clones share one state.
#[derive(Clone)]
pub struct Log {
    state: Arc<Mutex<State>>,
}

struct State {
    perror: Perror,
    stderr: Box<dyn Write + Send>,
    format: LogFormat,
    syslog: Syslog,
    buffer: Vec<u8>,
}

impl Log {
    /// Opens syslog under `ident` with [`DAEMON`], and stderr. The socket is connected at once (`LOG_NDELAY`).
    pub fn open(ident: &OsStr) -> Self {
        Self::to(Box::new(std::io::stderr()), Path::new("/dev/log"), ident)
    }

    fn to(stderr: Box<dyn Write + Send>, socket: &Path, ident: &OsStr) -> Self {
        let syslog = Syslog::open(socket.to_owned(), ident, DAEMON);
        let state =
            State { perror: Perror::StartUp, stderr, format: LogFormat::Text, syslog, buffer: Vec::new() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Makes this the destination of every event of the process. Only the first call counts.
    pub fn install(&self) {
        // A second installation is refused by `tracing`; the first destination stays, which is what is documented.
        let _ = tracing::subscriber::set_global_default(Registry::default().with(self.clone()));
    }

    /// Whether lines go to stderr from here on.
    pub fn set_perror(&self, perror: Perror) {
        self.with(|state| state.perror = perror);
    }

    /// Whether lines go to stderr now.
    pub fn perror(&self) -> Perror {
        self.with(|state| state.perror)
    }

    /// Text or JSON from here on.
    pub fn set_format(&self, format: LogFormat) {
        self.with(|state| state.format = format);
    }

    /// Closes syslog and opens it again with `facility` (already shifted: `LOG_LOCAL0` is 128).
    pub fn reopen(&self, facility: u8) {
        self.with(|state| state.syslog.reopen(facility));
    }

    /// Connects to the syslog socket again, for a process that has just been forked or is about to change its root.
    pub fn reconnect(&self) {
        self.with(|state| state.syslog.connect());
    }

    /// How many lines syslog did not take.
    pub fn dropped(&self) -> u64 {
        self.with(|state| state.syslog.dropped)
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        // Nothing in here panics half way through a change, so a poisoned state is a whole one.
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<S: tracing::Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        // Events of libraries are not dhcpd's: its log holds dhcpd's lines only.
        if event.metadata().target() != "dhcpd" {
            return;
        }
        let level = match *event.metadata().level() {
            tracing::Level::ERROR | tracing::Level::WARN => Level::Error,
            tracing::Level::INFO => Level::Info,
            _ => Level::Debug,
        };
        event.record(&mut Print { log: self, level });
    }
}

/// Prints the field `line` of an event.
struct Print<'a> {
    log: &'a Log,
    level: Level,
}

impl Visit for Print<'_> {
    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        if field.name() == "line" {
            self.log.with(|state| state.print(self.level, value));
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

impl State {
    fn print(&mut self, level: Level, text: &[u8]) {
        let mut line = std::mem::take(&mut self.buffer);
        line.clear();
        match self.format {
            LogFormat::Text => line.extend_from_slice(text),
            LogFormat::Json => json(&mut line, level, text),
        }
        self.syslog.send(level, &line);
        if self.perror != Perror::Never {
            line.push(b'\n');
            // dhcpd ignores it too when stderr takes nothing.
            let _ = self.stderr.write_all(&line);
        }
        self.buffer = line;
    }
}

/// One log line as a JSON object. Octets that are not UTF-8 become U+FFFD.
fn json(out: &mut Vec<u8>, level: Level, text: &[u8]) {
    let level = match level {
        Level::Error => "err",
        Level::Info => "info",
        Level::Debug => "debug",
    };
    let (seconds, micros) = sys::clock::wall();
    out.extend_from_slice(
        format!("{{\"time\":{seconds}.{micros:06},\"level\":\"{level}\",\"line\":\"").as_bytes(),
    );
    for character in String::from_utf8_lossy(text).chars() {
        match character {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\t' => out.extend_from_slice(b"\\t"),
            control if u32::from(control) < 0x20 => {
                out.extend_from_slice(format!("\\u{:04x}", u32::from(control)).as_bytes());
            }
            other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.extend_from_slice(b"\"}");
}

/// The connection to syslogd.
struct Syslog {
    path: PathBuf,
    ident: Vec<u8>,
    facility: u8,
    socket: Option<UnixDatagram>,
    dropped: u64,
    stamp: (i64, String),
    datagram: Vec<u8>,
    /// How often the lines of this process may still wait for a full socket, a millisecond each time.
    patience: u32,
}

/// A quarter of a second over the whole life of the process: enough for the burst of lines that start-up or a fatal
/// error writes, and too little for a reader that hangs to be noticed by a client.
const PATIENCE: u32 = 250;

impl Syslog {
    fn open(path: PathBuf, ident: &OsStr, facility: u8) -> Self {
        let ident = ident.as_bytes().to_vec();
        let stamp = (i64::MIN, String::new());
        let mut syslog = Self {
            path,
            ident,
            facility,
            socket: None,
            dropped: 0,
            stamp,
            datagram: Vec::new(),
            patience: PATIENCE,
        };
        syslog.connect();
        syslog
    }

    fn reopen(&mut self, facility: u8) {
        self.facility = facility;
        self.connect();
    }

    fn connect(&mut self) {
        self.socket = None;
        let connected = UnixDatagram::unbound().and_then(|socket| {
            socket.set_nonblocking(true)?;
            socket.connect(&self.path)?;
            Ok(socket)
        });
        self.socket = connected.ok();
    }

    /// `<PRI>Mon dd hh:mm:ss ident[pid]: text` in local time, as glibc's syslog(3) with `LOG_PID` writes it.
    fn send(&mut self, level: Level, text: &[u8]) {
        let priority = self.facility
            | match level {
                Level::Error => 3,
                Level::Info => 6,
                Level::Debug => 7,
            };
        let (now, _) = sys::clock::wall();
        if self.stamp.0 != now {
            self.stamp = (now, sys::clock::syslog_stamp(now));
        }
        self.datagram.clear();
        self.datagram.extend_from_slice(format!("<{priority}>{} ", self.stamp.1).as_bytes());
        self.datagram.extend_from_slice(&self.ident);
        self.datagram.extend_from_slice(format!("[{}]: ", std::process::id()).as_bytes());
        self.datagram.extend_from_slice(text);
        if !self.try_send() {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// Sends the datagram. A reader that is slow costs the line once patience is used up; one that went away is looked
    /// for once more.
    fn try_send(&mut self) -> bool {
        for attempt in 0..2 {
            while let Some(socket) = &self.socket {
                match socket.send(&self.datagram) {
                    Ok(_) => return true,
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                        if self.patience == 0 {
                            return false;
                        }
                        self.patience -= 1;
                        std::thread::sleep(std::time::Duration::from_millis(1));
                    }
                    Err(_) => self.socket = None,
                }
            }
            if attempt == 0 {
                self.connect();
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stderr that can be looked at.
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("not poisoned").extend_from_slice(octets);
            Ok(octets.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Shared {
        fn take(&self) -> Vec<u8> {
            std::mem::take(&mut self.0.lock().expect("not poisoned"))
        }
    }

    struct Bench {
        directory: PathBuf,
        stderr: Shared,
        log: Log,
    }

    impl Bench {
        fn new(name: &str) -> Self {
            let directory = std::env::temp_dir().join(format!("relet-log-{name}-{}", std::process::id()));
            let _ = std::fs::remove_dir_all(&directory);
            std::fs::create_dir(&directory).expect("a temporary directory");
            let stderr = Shared::default();
            let log = Log::to(Box::new(stderr.clone()), &directory.join("log"), OsStr::new("dhcpd"));
            Self { directory, stderr, log }
        }

        fn emit(&self, line: &Line) {
            tracing::subscriber::with_default(Registry::default().with(self.log.clone()), || emit(line));
        }

        fn syslogd(&self) -> UnixDatagram {
            let path = self.directory.join("log");
            let _ = std::fs::remove_file(&path);
            let socket = UnixDatagram::bind(path).expect("a socket");
            socket.set_nonblocking(true).expect("non-blocking");
            socket
        }
    }

    impl Drop for Bench {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.directory);
        }
    }

    fn received(socket: &UnixDatagram) -> Option<String> {
        let mut buffer = [0; 4096];
        let length = socket.recv(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
    }

    #[test]
    fn stderr_gets_text_and_newline_while_perror_is_on() {
        let bench = Bench::new("perror");
        bench.emit(&Line::info(vec![b'a', 0xff, b'b', 0, b'c']));
        bench.emit(&Line::error(""));
        assert_eq!(bench.stderr.take(), b"a\xffb\n\n");
        bench.emit(&Line::debug(vec![b'x'; 5000]));
        assert_eq!(bench.stderr.take().len(), 4096);
        bench.log.set_perror(Perror::Never);
        bench.emit(&Line::error("quiet"));
        assert_eq!(bench.stderr.take(), b"");
    }

    #[test]
    fn datagrams_are_glibc_s() {
        let bench = Bench::new("datagram");
        bench.emit(&Line::info("before there was a reader"));
        assert_eq!(bench.log.dropped(), 1);
        let reader = bench.syslogd();
        bench.emit(&Line::error("No subnet declaration for eth0 (no IPv4 addresses)."));
        let datagram = received(&reader).expect("a datagram");
        let pid = std::process::id();
        let (head, tail) = datagram.split_at("<27>".len() + 15);
        assert!(head.starts_with("<27>"), "{head}");
        assert_eq!(tail, format!(" dhcpd[{pid}]: No subnet declaration for eth0 (no IPv4 addresses)."));
        bench.log.reopen(19 << 3);
        bench.emit(&Line::info("local3"));
        assert!(received(&reader).expect("a datagram").starts_with("<158>"));
    }

    #[test]
    fn a_full_socket_drops_and_a_new_reader_is_found() {
        let bench = Bench::new("full");
        bench.log.set_perror(Perror::Never);
        let reader = bench.syslogd();
        for _ in 0..2000 {
            bench.emit(&Line::info("line"));
        }
        let dropped = bench.log.dropped();
        assert!(dropped > 0, "the socket never filled");
        drop(reader);
        let reader = bench.syslogd();
        bench.emit(&Line::info("again"));
        assert_eq!(bench.log.dropped(), dropped);
        assert!(received(&reader).expect("a datagram").ends_with(": again"));
    }

    #[test]
    fn json_lines() {
        let bench = Bench::new("json");
        bench.log.set_format(LogFormat::Json);
        bench.emit(&Line::info("a \"b\"\\\n\x01"));
        let line = String::from_utf8(bench.stderr.take()).expect("UTF-8");
        assert!(line.starts_with("{\"time\":"), "{line}");
        assert!(line.ends_with(",\"level\":\"info\",\"line\":\"a \\\"b\\\"\\\\\\n\\u0001\"}\n"), "{line}");
    }
}
