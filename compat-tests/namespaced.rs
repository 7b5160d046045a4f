//! A server binary in network namespaces of its own: the driver that needs root and tells the truth.
//!
//! Nothing here has a name in the system: a namespace lives as long as its holder process, the holder as long as
//! our end of its pipe, so a test that dies leaves nothing behind.

use std::collections::HashMap;
use std::fs;
use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use socket2::Socket;

use crate::packet::{self, Link, Mac, RELAY_MAC};
use crate::scenario::{Scenario, fill_in};
use crate::subject::{Ending, Heard, Outcome, Stored, Subject};

/// dhcpd's answer to [`packet::fence`].
const FENCE: &[u8] = b"Discarding packet with bogus hlen.";
/// The last line of a successful start.
const SERVING: &[u8] = b"Server starting service.";
/// `nobody` and `nogroup`.
const NOBODY: u32 = 65534;
/// How long a frame may take to reach a server whose log does not show when it got there.
const BLIND: Duration = Duration::from_millis(15);
/// How long a server may take to come to rest.
const REST: Duration = Duration::from_secs(4);
/// How long it is between two looks at a server that is not at rest.
const LOOK: Duration = Duration::from_millis(1);
/// An EtherType for experiments (IEEE 802, local experimental 1): frames that mark a place in what the clients hear.
const MARK: [u8; 2] = [0x88, 0xb5];

/// An anonymous network namespace.
struct Namespace {
    holder: Child,
    file: fs::File,
}

impl Namespace {
    fn new() -> Result<Self, String> {
        let mut holder = Command::new("unshare")
            .args(["--net", "--", "sh", "-c", "echo; exec cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("unshare: {e}"))?;
        let mut ready = [0];
        let mut pipe = holder.stdout.take().ok_or("no pipe")?;
        pipe.read_exact(&mut ready).map_err(|e| format!("no network namespace: {e}"))?;
        let file = fs::File::open(format!("/proc/{}/ns/net", holder.id())).map_err(|e| e.to_string())?;
        Ok(Self { holder, file })
    }

    /// Do `work` on a thread that lives in this namespace; what it spawns lives there, too.
    fn inside<T: Send>(&self, work: impl FnOnce() -> Result<T, String> + Send) -> Result<T, String> {
        thread::scope(|scope| {
            let body = || {
                move_into_link_name_space(self.file.as_fd(), Some(LinkNameSpaceType::Network))
                    .map_err(|e| format!("setns: {e}"))?;
                work()
            };
            scope.spawn(body).join().map_err(|_| "a thread in a namespace panicked".to_owned())?
        })
    }

    /// Run `ip -batch` on these lines inside the namespace.
    fn ip(&self, lines: &str) -> Result<(), String> {
        self.inside(|| {
            let mut ip = Command::new("ip")
                .args(["-batch", "-"])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .map_err(|e| format!("ip: {e}"))?;
            ip.stdin.take().ok_or("no pipe")?.write_all(lines.as_bytes()).map_err(|e| e.to_string())?;
            let done = ip.wait_with_output().map_err(|e| e.to_string())?;
            if done.status.success() {
                Ok(())
            } else {
                Err(String::from_utf8_lossy(&done.stderr).into_owned())
            }
        })
    }

    /// Processes that live here, other than the holder.
    fn processes(&self) -> Vec<i32> {
        let home = fs::read_link(format!("/proc/{}/ns/net", self.holder.id())).ok();
        let Ok(all) = fs::read_dir("/proc") else { return Vec::new() };
        all.flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
            .filter(|pid| *pid as u32 != self.holder.id() && home.is_some())
            .filter(|pid| fs::read_link(format!("/proc/{pid}/ns/net")).ok() == home)
            .collect()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

type Neighbours = Arc<Mutex<HashMap<Ipv4Addr, (Mac, bool)>>>;

/// The clients' end of one interface of the server.
struct Wire {
    name: String,
    link: Link,
    socket: Arc<Socket>,
    listener: Option<thread::JoinHandle<()>>,
    /// Sends marks from the server's end.
    marker: Socket,
    /// Marks as they arrive at the clients' end.
    marks: Receiver<u32>,
}

/// The lines of a pipe, read without a thread between: what was written before something else happened is seen first.
struct Lines {
    pipe: Option<ChildStderr>,
    buffer: Vec<u8>,
}

impl Lines {
    fn new(pipe: Option<ChildStderr>) -> Self {
        Self { pipe, buffer: Vec::new() }
    }

    /// The next line; at the end of the pipe a rest without newline counts as one.
    fn next(&mut self, patience: Duration) -> Result<Vec<u8>, RecvTimeoutError> {
        let end = Instant::now() + patience;
        loop {
            if let Some(at) = self.buffer.iter().position(|b| *b == b'\n') {
                let mut line: Vec<u8> = self.buffer.drain(..=at).collect();
                line.pop();
                return Ok(line);
            }
            let Some(pipe) = &mut self.pipe else {
                let rest = std::mem::take(&mut self.buffer);
                return if rest.is_empty() { Err(RecvTimeoutError::Disconnected) } else { Ok(rest) };
            };
            let left = end.saturating_duration_since(Instant::now());
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            let mut ready = [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)];
            if poll(&mut ready, timeout).unwrap_or(0) == 0 {
                return Err(RecvTimeoutError::Timeout);
            }
            let mut chunk = [0; 4096];
            match pipe.read(&mut chunk) {
                Ok(n @ 1..) => self.buffer.extend(&chunk[..n]),
                _ => self.pipe = None,
            }
        }
    }
}

struct Process {
    child: Child,
    lines: Lines,
    /// Whether log lines can be seen on stderr while it serves.
    visible: bool,
}

/// One binary, its namespaces, its directory.
pub struct Namespaced {
    server: Namespace,
    wires: Vec<Wire>,
    over: Arc<AtomicBool>,
    neighbours: Neighbours,
    heard: Receiver<Heard>,
    directory: tempfile::TempDir,
    environment: Vec<(String, String)>,
    unprivileged: bool,
    process: Option<Process>,
    pending: Vec<Vec<u8>>,
    binaries: [PathBuf; 2],
    fences: bool,
    last_wire: usize,
    bogus: usize,
    /// How many marks were sent.
    marked: u32,
    /// When the present part of the play was to begin, and whether one took longer than it may.
    part: Instant,
    late: bool,
    /// Fences whose line is still to come out of syslog.
    fenced: usize,
    syslog: Option<(tempfile::TempDir, Receiver<Vec<u8>>)>,
    origin: Instant,
    epoch: i64,
    // Dropped after everything that lives in it.
    _client: Namespace,
}

impl Namespaced {
    /// Build the topology of `scenario` and its files; `binaries` are the one to use and the one to swap with.
    pub fn new(scenario: &Scenario, binaries: [PathBuf; 2]) -> Result<Self, String> {
        let (server, client) = (Namespace::new()?, Namespace::new()?);
        for namespace in [&server, &client] {
            namespace.inside(|| {
                for which in ["all", "default"] {
                    // Absent where the kernel has no IPv6: all the quieter.
                    let _ = fs::write(format!("/proc/sys/net/ipv6/conf/{which}/disable_ipv6"), "1");
                }
                Ok(())
            })?;
        }
        let mut lines = String::from("link set lo up\n");
        let mut peers = String::new();
        for i in &scenario.interfaces {
            let mac = crate::hex::colons(&i.mac);
            let holder = client.holder.id();
            lines += &format!("link add {0} address {mac} type veth peer name {0} netns {holder}\n", i.name);
            peers += &format!("link set {0} up\n", i.name);
            for address in &i.addresses {
                let broadcast = if address.contains("/32") { "" } else { " broadcast +" };
                lines += &format!("address add {address}{broadcast} dev {}\n", i.name);
            }
            lines += &format!("link set {} up\n", i.name);
        }
        for (prefix, via) in &scenario.routes {
            lines += &format!("route add {prefix} via {via}\n");
        }
        server.ip(&lines)?;
        client.ip(&peers)?;
        server.inside(|| {
            for i in &scenario.interfaces {
                // The kernel repeats an ARP request each second, and would find a client that came in between.
                let _ = fs::write(format!("/proc/sys/net/ipv4/neigh/{}/mcast_solicit", i.name), "1");
            }
            Ok(())
        })?;

        let over = Arc::new(AtomicBool::new(false));
        let neighbours: Neighbours = Arc::default();
        let (tell, heard) = channel();
        let mut wires = Vec::new();
        for i in &scenario.interfaces {
            let socket = Arc::new(client.inside(|| packet_socket(&i.name, Some(SockProtocol::EthAll)))?);
            let marker = server.inside(|| packet_socket(&i.name, None))?;
            let (mark, marks) = channel();
            let listener = listen(i.name.clone(), &socket, &neighbours, &over, tell.clone(), mark);
            let link = Link { server_mac: i.mac, server_address: i.address() };
            let name = i.name.clone();
            wires.push(Wire { name, link, socket, listener: Some(listener), marker, marks });
        }
        let syslog = if scenario.syslog { Some(server.inside(|| syslog_socket(&over))?) } else { None };
        let directory = tempfile::Builder::new().prefix("dhcpd-").tempdir().map_err(|e| e.to_string())?;
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(directory.path(), open).map_err(|e| e.to_string())?;
        let mut new = Self {
            server,
            wires,
            over,
            neighbours,
            heard,
            directory,
            environment: scenario.environment.clone(),
            unprivileged: scenario.unprivileged,
            process: None,
            pending: Vec::new(),
            binaries,
            fences: scenario.fences,
            last_wire: 0,
            bogus: 0,
            marked: 0,
            part: Instant::now(),
            late: false,
            fenced: 0,
            syslog,
            origin: Instant::now(),
            epoch: 0,
            _client: client,
        };
        for (_, via) in &scenario.routes {
            new.answer(*via, RELAY_MAC, false);
        }
        new.begin();
        for name in &scenario.directories {
            fs::create_dir(new.path(name)).map_err(|e| e.to_string())?;
        }
        for (name, text) in &scenario.files {
            new.write(name, fill_in(text, new.epoch).as_bytes())?;
        }
        Ok(new)
    }

    /// The scenario begins early in a second, so that what happens "at once" happens in the same second.
    fn begin(&mut self) {
        let wall = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let late = wall().subsec_millis();
        if late > 120 {
            thread::sleep(Duration::from_millis(u64::from(1010 - late)));
        }
        let now = wall();
        self.epoch = now.as_secs() as i64;
        self.origin =
            Instant::now() - Duration::from_nanos(u64::from(now.subsec_nanos())) + Duration::from_millis(10);
        self.part = self.origin;
    }

    /// A part of the play, from one wait to the next, that takes longer than a second does not happen "at once".
    fn part_over(&mut self, next: Instant) {
        self.late |= self.part.elapsed() > Duration::from_millis(950);
        self.part = next;
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn command(&self, arguments: &[String]) -> Command {
        let binary = &self.binaries[0];
        let mut command = match &self.syslog {
            None => {
                let mut command = Command::new(binary);
                command.arg0("dhcpd");
                command
            }
            // A /dev of its own, seen by this process alone.
            Some((dev, _)) => {
                let script = r#"cd "$1" && for n in null zero random urandom; do touch $n; mount --bind /dev/$n $n; done
                    mount --rbind . /dev; cd "$2"; b=$3; shift 3; exec -a dhcpd "$b" "$@""#;
                let mut command = Command::new("unshare");
                command.args(["--mount", "--", "bash", "-c", script, "bash"]);
                command.args([dev.path(), self.directory.path(), binary]);
                command
            }
        };
        if self.unprivileged {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
            .args(arguments)
            .current_dir(self.directory.path())
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .envs(self.environment.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn spawn(&self, arguments: &[String]) -> Result<Child, String> {
        let mut command = self.command(arguments);
        let binary = self.binaries[0].display().to_string();
        self.server.inside(move || command.spawn().map_err(|e| format!("{binary}: {e}")))
    }

    /// Read lines until the fence's line; false when it did not come.
    fn until_fence(&mut self) -> bool {
        let end = Instant::now() + Duration::from_secs(2);
        let Some(process) = &mut self.process else { return false };
        loop {
            match process.lines.next(end.saturating_duration_since(Instant::now())) {
                Ok(line) if line == FENCE => {
                    // The scenario's own packets with a bad hlen log the same line: ours is the last.
                    if self.bogus == 0 {
                        return true;
                    }
                    self.bogus -= 1;
                    self.pending.push(line);
                }
                Ok(line) => self.pending.push(line),
                Err(RecvTimeoutError::Timeout) => return false,
                Err(RecvTimeoutError::Disconnected) => return true,
            }
        }
    }

    /// Wait until the server has done all it can do without something new: every thread of it sleeps, waiting for
    /// events, and none has run since. A disk that syncs is not such a sleep.
    fn rest(&self, end: Instant) -> Vec<(i32, u64)> {
        loop {
            let pids = match &self.process {
                Some(process) if process.visible => vec![process.child.id() as i32],
                _ => self.server.processes(),
            };
            let look =
                || pids.iter().map(|pid| asleep(*pid)).collect::<Option<Vec<_>>>().map(|all| all.concat());
            if let Some(before) = look()
                && look().is_some_and(|after| after == before)
            {
                return before;
            }
            if Instant::now() > end {
                return Vec::new();
            }
            thread::sleep(LOOK);
        }
    }

    /// Wait until everything the server's end of the wires has sent is here.
    fn hear_out(&mut self) {
        self.marked += 1;
        for wire in &self.wires {
            let frame =
                [&[0xff; 6], &wire.link.server_mac[..], &MARK, &self.marked.to_be_bytes(), &[0; 42]].concat();
            // An interface that is down has nothing on its way.
            if wire.marker.send(&frame).is_err() {
                continue;
            }
            while let Ok(mark) = wire.marks.recv_timeout(Duration::from_secs(1)) {
                if mark == self.marked {
                    break;
                }
            }
        }
    }

    fn drain_lines(&mut self, patience: Duration) {
        let Some(process) = &mut self.process else { return };
        while let Ok(line) = process.lines.next(patience) {
            self.pending.push(line);
        }
    }
}

impl Subject for Namespaced {
    fn start(&mut self, arguments: &[String]) -> Result<(), String> {
        let has = |flag: &str| arguments.iter().any(|a| a == flag);
        let mut child = self.spawn(arguments)?;
        let mut lines = Lines::new(child.stderr.take());
        let visible = has("-d") && !has("-q");
        let end = Instant::now() + Duration::from_secs(10);
        let pid_file = arguments.iter().skip_while(|a| *a != "-pf").nth(1).map(|name| self.path(name));
        while Instant::now() < end {
            match lines.next(Duration::from_millis(20)) {
                Ok(line) => {
                    let serving = line == SERVING;
                    self.pending.push(line);
                    if serving {
                        break;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    let ended = child.try_wait().map_err(|e| e.to_string())?.is_some();
                    let written = pid_file.as_ref().and_then(|p| fs::read_to_string(p).ok());
                    let serves = written.is_some_and(|pid| pid.trim_end() == child.id().to_string());
                    if ended || (!visible && serves) {
                        break;
                    }
                }
            }
        }
        self.process = Some(Process { child, lines, visible });
        Ok(())
    }

    fn stop(&mut self, kill: bool) -> Ending {
        let signal = if kill { nix::sys::signal::SIGKILL } else { nix::sys::signal::SIGTERM };
        let Some(mut process) = self.process.take() else { return Ending::NotRunning };
        let ended = process.child.try_wait().ok().flatten();
        if ended.is_none() {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(process.child.id() as i32), signal);
        }
        let ending = wait_for(&mut process.child, Duration::from_secs(3));
        let daemons = self.server.processes();
        for pid in &daemons {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(*pid), signal);
        }
        let end = Instant::now() + Duration::from_secs(3);
        while Instant::now() < end && !self.server.processes().is_empty() {
            thread::sleep(Duration::from_millis(5));
        }
        self.process = Some(process);
        self.drain_lines(Duration::from_millis(50));
        self.process = None;
        if daemons.is_empty() { ending } else { Ending::Daemon }
    }

    fn run(&mut self, arguments: &[String]) -> Result<Outcome, String> {
        let mut child = self.spawn(arguments)?;
        let collect = |pipe: Option<Box<dyn Read + Send>>| {
            let (tell, told) = channel();
            thread::spawn(move || {
                let mut pipe = pipe;
                let mut chunk = [0; 4096];
                while let Some(Ok(n @ 1..)) = pipe.as_mut().map(|p| p.read(&mut chunk)) {
                    let _ = tell.send(chunk[..n].to_vec());
                }
            });
            told
        };
        let stdout = collect(child.stdout.take().map(|p| Box::new(p) as Box<dyn Read + Send>));
        let stderr = collect(child.stderr.take().map(|p| Box::new(p) as Box<dyn Read + Send>));
        let ending = wait_for(&mut child, Duration::from_secs(10));
        let gather = |pipe: Receiver<Vec<u8>>| {
            let mut all = Vec::new();
            while let Ok(more) = pipe.recv_timeout(Duration::from_secs(1)) {
                all.extend(more);
            }
            all
        };
        // The child of a parent that failed may take a moment longer to go.
        let end = Instant::now() + Duration::from_secs(2);
        while ending != Ending::Status(0) && Instant::now() < end && !self.server.processes().is_empty() {
            thread::sleep(Duration::from_millis(5));
        }
        // A daemon left behind is stopped at the end like a server that was started.
        if !self.server.processes().is_empty() && self.process.is_none() {
            self.process = Some(Process { child, lines: Lines::new(None), visible: false });
        }
        Ok(Outcome { stdout: gather(stdout), stderr: gather(stderr), ending })
    }

    fn swap(&mut self) {
        self.binaries.swap(0, 1);
    }

    fn transmit(&mut self, interface: Option<&str>, frame: &[u8]) -> Result<(), String> {
        let at = match interface {
            None => 0,
            Some(name) => self
                .wires
                .iter()
                .position(|w| w.name == name)
                .ok_or_else(|| format!("no interface {name}"))?,
        };
        self.last_wire = at;
        self.bogus += usize::from(frame.get(44).is_some_and(|hlen| *hlen > 16) && frame.len() >= 42 + 236);
        self.wires[at].socket.send(frame).map(|_| ()).map_err(|e| format!("send: {e}"))
    }

    fn settle(&mut self) -> Vec<Vec<u8>> {
        let visible = self.process.as_ref().is_some_and(|p| p.visible);
        if visible && self.fences {
            let wire = &self.wires[self.last_wire];
            let _ = wire.socket.send(&packet::fence(wire.link));
            self.fenced += 1;
            if !self.until_fence() {
                self.fences = false;
            }
        } else if self.process.is_some() {
            thread::sleep(BLIND);
        }
        if self.process.is_some() {
            // Who answers ARP or a ping while it is heard out makes the server go on.
            let end = Instant::now() + REST;
            let mut before = self.rest(end);
            self.hear_out();
            loop {
                self.hear_out();
                let after = self.rest(end);
                if after == before || Instant::now() > end {
                    break;
                }
                before = after;
            }
        }
        self.bogus = 0;
        self.lines()
    }

    fn lines(&mut self) -> Vec<Vec<u8>> {
        self.drain_lines(Duration::ZERO);
        std::mem::take(&mut self.pending)
    }

    fn syslog(&mut self) -> Vec<Vec<u8>> {
        let Some((_, datagrams)) = &self.syslog else { return Vec::new() };
        let mut all = Vec::new();
        while let Ok(datagram) = datagrams.recv_timeout(Duration::from_millis(20)) {
            all.push(datagram);
        }
        // Fences are taken out, the last ones first: the scenario's own packets come before ours.
        while self.fenced > 0
            && let Some(at) = all.iter().rposition(|line| line.ends_with(FENCE))
        {
            all.remove(at);
            self.fenced -= 1;
        }
        all
    }

    fn receive(&mut self, patience: Duration) -> Option<Heard> {
        self.heard.recv_timeout(patience).ok()
    }

    fn wait_until(&mut self, offset: Duration) {
        let next = self.origin + offset;
        self.part_over(next);
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }

    fn answer(&mut self, address: Ipv4Addr, mac: Mac, ping: bool) {
        let mut table = self.neighbours.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = table.entry(address).or_insert((mac, false));
        *entry = (mac, entry.1 || ping);
    }

    fn link(&mut self, interface: &str, up: bool) -> Result<(), String> {
        self.server.ip(&format!("link set {interface} {}\n", if up { "up" } else { "down" }))
    }

    fn file(&self, name: &str) -> Option<Stored> {
        let path = self.path(name);
        let mode = fs::symlink_metadata(&path).ok()?.permissions().mode();
        let octets = if path.is_dir() { Vec::new() } else { fs::read(path).ok()? };
        Some(Stored { octets, mode })
    }

    fn write(&mut self, name: &str, octets: &[u8]) -> Result<(), String> {
        fs::write(self.path(name), octets).map_err(|e| format!("{name}: {e}"))
    }

    fn remove(&mut self, name: &str) -> Result<(), String> {
        fs::remove_file(self.path(name)).map_err(|e| format!("{name}: {e}"))
    }

    fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.directory.path())
            .map(|all| all.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect())
            .unwrap_or_default();
        names.sort();
        names
    }

    fn late(&mut self) -> bool {
        self.part_over(self.part);
        self.late
    }

    fn epoch(&self) -> i64 {
        self.epoch
    }

    fn directory(&self) -> String {
        self.directory.path().display().to_string()
    }
}

impl Drop for Namespaced {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.child.kill();
            let _ = process.child.wait();
        }
        for pid in self.server.processes() {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::SIGKILL);
        }
        self.over.store(true, Ordering::Relaxed);
        for wire in &mut self.wires {
            if let Some(listener) = wire.listener.take() {
                let _ = listener.join();
            }
        }
    }
}

/// Whether namespaces can be made here, and the oracle is there to run in them.
pub fn possible(oracle: &Path) -> Result<(), String> {
    let tells = Command::new(oracle).arg("--version").stderr(Stdio::piped()).stdout(Stdio::null()).output();
    match tells {
        Ok(done) if done.stderr.starts_with(b"isc-dhcpd-4.4.3-P1") => {}
        Ok(_) => return Err(format!("{} is not ISC dhcpd 4.4.3-P1", oracle.display())),
        Err(e) => return Err(format!("{}: {e}", oracle.display())),
    }
    Namespace::new()?.ip("link set lo up\n")
}

/// How often each thread of a process was taken off the processor, if all of them sleep now.
fn asleep(pid: i32) -> Option<Vec<(i32, u64)>> {
    // A process that is gone rests.
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return Some(Vec::new()) };
    let mut all = Vec::new();
    for task in tasks.flatten() {
        let Some(id) = task.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let Ok(status) = fs::read_to_string(task.path().join("status")) else { continue };
        let field = |name: &str| {
            status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim).unwrap_or_default()
        };
        if !field("State:").starts_with(['S', 'Z', 'X']) {
            return None;
        }
        let count = |name: &str| field(name).parse::<u64>().unwrap_or(0);
        all.push((id, count("voluntary_ctxt_switches:") + count("nonvoluntary_ctxt_switches:")));
    }
    all.sort_unstable();
    Some(all)
}

/// A packet socket bound to `interface` in the namespace of the calling thread. Without a protocol it only sends.
fn packet_socket(interface: &str, protocol: Option<SockProtocol>) -> Result<Socket, String> {
    let text = |e: nix::Error| format!("packet socket: {e}");
    let flags = SockFlag::SOCK_CLOEXEC;
    let fd = nix::sys::socket::socket(AddressFamily::Packet, SockType::Raw, flags, protocol).map_err(text)?;
    let address = nix::ifaddrs::getifaddrs()
        .map_err(text)?
        .filter(|i| i.interface_name == interface)
        .find_map(|i| i.address?.as_link_addr().copied())
        .ok_or_else(|| format!("no interface {interface}"))?;
    nix::sys::socket::bind(std::os::fd::AsRawFd::as_raw_fd(&fd), &address).map_err(text)?;
    let socket = Socket::from(fd);
    socket.set_read_timeout(Some(Duration::from_millis(50))).map_err(|e| e.to_string())?;
    Ok(socket)
}

/// Answer ARP and ping, and pass on everything else that a client would look at.
fn listen(
    interface: String,
    socket: &Arc<Socket>,
    neighbours: &Neighbours,
    over: &Arc<AtomicBool>,
    tell: Sender<Heard>,
    mark: Sender<u32>,
) -> thread::JoinHandle<()> {
    let (socket, neighbours, over) = (Arc::clone(socket), Arc::clone(neighbours), Arc::clone(over));
    thread::spawn(move || {
        let mut buffer = [0; 65536];
        while !over.load(Ordering::Relaxed) {
            let Ok(n) = (&*socket).read(&mut buffer) else { continue };
            let frame = &buffer[..n];
            let known = |at: usize| {
                let octets: [u8; 4] = frame.get(at..at + 4)?.try_into().ok()?;
                let table = neighbours.lock().unwrap_or_else(PoisonError::into_inner);
                table.get(&Ipv4Addr::from(octets)).map(|(mac, ping)| (Ipv4Addr::from(octets), *mac, *ping))
            };
            match (frame.get(12..14), frame.get(23)) {
                (Some(kind), _) if *kind == MARK => {
                    let number = frame.get(14..18).and_then(|octets| octets.try_into().ok());
                    let _ = mark.send(number.map_or(0, u32::from_be_bytes));
                    continue;
                }
                (Some([0x08, 0x06]), _) => {
                    if let Some((address, mac, _)) = known(38) {
                        let _ = packet::arp_answer(frame, address, mac).map(|f| socket.send(&f));
                    }
                    continue;
                }
                (Some([0x08, 0x00]), Some(1)) if frame.get(34) == Some(&8) => {
                    if let Some((_, mac, true)) = known(30) {
                        let _ = packet::echo_reply(frame, mac).map(|f| socket.send(&f));
                    }
                }
                (Some([0x08, 0x00]), Some(17)) => {}
                _ => continue,
            }
            let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() as i64;
            if tell.send(Heard { interface: interface.clone(), frame: frame.to_vec(), wall }).is_err() {
                return;
            }
        }
    })
}

fn wait_for(child: &mut Child, patience: Duration) -> Ending {
    let end = Instant::now() + patience;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return ending(status),
            Ok(None) if Instant::now() < end => thread::sleep(Duration::from_millis(5)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return Ending::TimedOut;
            }
        }
    }
}

fn ending(status: ExitStatus) -> Ending {
    match status.code() {
        Some(code) => Ending::Status(code),
        None => Ending::Signal(status.signal().unwrap_or(0)),
    }
}

/// A directory that the server sees as `/dev`, with a log socket in it that is read all the time: an undrained one
/// freezes dhcpd.
fn syslog_socket(over: &Arc<AtomicBool>) -> Result<(tempfile::TempDir, Receiver<Vec<u8>>), String> {
    // Room for everything: what happens when a log socket is full is not what a scenario shows.
    let _ = fs::write("/proc/sys/net/unix/max_dgram_qlen", "4096");
    let dev = tempfile::tempdir().map_err(|e| e.to_string())?;
    let socket = UnixDatagram::bind(dev.path().join("log")).map_err(|e| e.to_string())?;
    socket.set_read_timeout(Some(Duration::from_millis(50))).map_err(|e| e.to_string())?;
    let (tell, told) = channel();
    let over = Arc::clone(over);
    thread::spawn(move || {
        let mut buffer = [0; 65536];
        while !over.load(Ordering::Relaxed) {
            let Ok(n) = socket.recv(&mut buffer) else { continue };
            if tell.send(buffer[..n].to_vec()).is_err() {
                return;
            }
        }
    });
    Ok((dev, told))
}
