//! Plays the steps of a scenario against one server and writes down what it did.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use crate::packet::{Change, Client, Draft, Kind, Link, RELAY_MAC};
use crate::scenario::{Action, Approx, Reply, Scenario, Step};
use crate::show;
use crate::subject::{Ending, Heard, Subject};
use crate::transcript::{Normaliser, Transcript};

/// How long a client waits for the reply it expects.
const PATIENCE: Duration = Duration::from_secs(4);
/// The same after a server already failed to answer once.
const IMPATIENCE: Duration = Duration::from_millis(300);

/// What happened, and which expectations of the scenario were not met.
pub struct Played {
    pub transcript: String,
    pub failures: Vec<String>,
    /// What was to happen at once took a second, so that times may differ that do not otherwise.
    pub late: bool,
}

struct Player<'a> {
    scenario: &'a Scenario,
    subject: &'a mut dyn Subject,
    normaliser: Normaliser<'a>,
    out: Transcript,
    clients: HashMap<String, Client>,
    /// Frames that arrived and were not shown yet.
    waiting: Vec<Heard>,
    offset: Duration,
    failures: Vec<String>,
    /// Log lines so far, for `expect log`.
    log: Vec<String>,
    running: bool,
    /// The log said that a lease is given again: what is left of it is sent, and that shows the clock.
    reused: bool,
}

/// Play all steps of `scenario`; an error is one of the runner, not of the server.
pub fn play(scenario: &Scenario, subject: &mut dyn Subject) -> Result<Played, String> {
    let normaliser =
        Normaliser { epoch: subject.epoch(), directory: subject.directory(), approx: &scenario.approx };
    let mut player = Player {
        scenario,
        subject,
        normaliser,
        out: Transcript::default(),
        clients: HashMap::new(),
        waiting: Vec::new(),
        offset: Duration::ZERO,
        failures: Vec::new(),
        log: Vec::new(),
        running: false,
        reused: false,
    };
    player.out.line(&format!("# {}", scenario.title));
    for step in &scenario.steps {
        player.step(step).map_err(|e| format!("{}.scenario line {}: {e}", scenario.name, step.line))?;
    }
    player.end();
    let late = player.subject.late();
    Ok(Played { transcript: player.out.text().to_owned(), failures: player.failures, late })
}

impl Player<'_> {
    fn step(&mut self, step: &Step) -> Result<(), String> {
        if !matches!(step.action, Action::Expect { .. } | Action::ExpectLog(_)) {
            self.show_waiting();
        }
        match &step.action {
            Action::Client { name, mac, habits } => {
                let number = self.clients.len() as u32 + 1;
                let client = Client {
                    mac: *mac,
                    habits: habits.clone(),
                    address: Ipv4Addr::UNSPECIFIED,
                    server: None,
                    xid: number << 16,
                };
                self.clients.insert(name.clone(), client);
                return Ok(());
            }
            Action::ExpectLog(text) => {
                if !self.log.iter().any(|l| l.contains(text.as_str())) {
                    self.fail(step, "no such line in the log");
                }
                return Ok(());
            }
            // What is logged while a reply is on its way belongs to the message that caused it.
            Action::Expect { .. } => {}
            _ => self.out.step(&step.text),
        }
        match &step.action {
            Action::Client { .. } | Action::ExpectLog(_) => {}
            Action::Send { client, kind, changes } => {
                self.reused = false;
                let frame = self.draft(client, kind, changes)?;
                self.subject.transmit(frame.1.as_deref(), &frame.0)?;
                self.settle();
            }
            Action::Expect { client, what } => self.expect(step, client, *what),
            Action::Start(arguments) => {
                let arguments = if arguments.is_empty() { &self.scenario.command } else { arguments };
                let skip = usize::from(arguments.first().is_some_and(|a| a == "dhcpd"));
                self.subject.start(&arguments[skip..])?;
                self.running = true;
                self.settle();
            }
            Action::Stop | Action::Kill => self.stop(matches!(step.action, Action::Kill)),
            Action::Swap => self.subject.swap(),
            Action::Run(arguments) => {
                let done = self.subject.run(arguments)?;
                self.running = true;
                for (sign, octets) in [("stdout", &done.stdout), ("stderr", &done.stderr)] {
                    for line in octets.split_inclusive(|b| *b == b'\n') {
                        let line = self.normaliser.line(line.strip_suffix(b"\n").unwrap_or(line));
                        self.out.line(&format!("{sign}| {line}"));
                        self.log.push(line);
                    }
                }
                self.out.line(&format!("ended: {}", ending(&done.ending)));
                self.settle();
            }
            Action::Wait(time) => {
                self.offset += *time;
                self.subject.wait_until(self.offset);
                self.settle();
            }
            Action::Answer { address, mac, ping } => self.subject.answer(*address, *mac, *ping),
            Action::Dump(name) => {
                self.settle();
                self.show_file(name);
            }
            Action::Write { name, text } => {
                let text = crate::scenario::fill_in(text, self.subject.epoch());
                self.subject.write(name, text.as_bytes())?;
            }
            Action::Remove(name) => self.subject.remove(name)?,
            Action::Link { interface, up } => {
                self.subject.link(interface, *up)?;
                self.settle();
            }
        }
        Ok(())
    }

    fn draft(
        &mut self,
        name: &str,
        kind: &Kind,
        changes: &[Change],
    ) -> Result<(Vec<u8>, Option<String>), String> {
        let client = self.clients.get_mut(name).ok_or_else(|| format!("no client {name}"))?;
        if *kind != Kind::Selecting {
            client.xid += 1;
        }
        let on = client.habits.iter().chain(changes).rev().find_map(|c| match c {
            Change::On(name) => Some(name.clone()),
            _ => None,
        });
        let interface = self
            .scenario
            .interfaces
            .iter()
            .find(|i| on.as_ref().is_none_or(|name| *name == i.name))
            .ok_or_else(|| format!("no interface {on:?}"))?;
        let link = Link { server_mac: interface.mac, server_address: interface.address() };
        let draft = Draft::new(kind, client, link, changes);
        client.xid = draft.xid;
        if !draft.giaddr.is_unspecified() {
            self.subject.answer(draft.giaddr, RELAY_MAC, false);
        }
        // Who sends from an address has it, and answers ARP for it.
        let (address, mac) = draft.sender();
        if !address.is_unspecified() {
            self.subject.answer(address, mac, false);
        }
        Ok((draft.frame(), on))
    }

    fn expect(&mut self, step: &Step, name: &str, what: Reply) {
        if what == Reply::Nothing {
            self.settle();
            self.out.step(&step.text);
            if self.waiting.iter().any(|h| show::reply(&h.frame).is_some()) {
                self.fail(step, "there was a reply");
            }
            self.show_waiting();
            return;
        }
        let patience = if self.failures.is_empty() { PATIENCE } else { IMPATIENCE };
        let mut waited = false;
        let found = loop {
            if let Some(at) = self.waiting.iter().position(|h| show::reply(&h.frame).is_some()) {
                break Some(at);
            }
            match self.subject.receive(patience) {
                Some(heard) => self.waiting.push(heard),
                None => break None,
            }
            waited = true;
        };
        if waited {
            self.settle();
        }
        self.out.step(&step.text);
        let Some(at) = found else {
            self.show_waiting();
            self.out.line("no reply");
            self.fail(step, "no reply");
            return;
        };
        // Pings may have come before the reply, other things after it.
        let mut before = std::mem::take(&mut self.waiting);
        let mut after = before.split_off(at);
        let heard = after.remove(0);
        before.iter().for_each(|h| self.show(h));
        self.waiting = after;
        self.show(&heard);
        let Some(reply) = show::reply(&heard.frame) else { return };
        let Some(client) = self.clients.get_mut(name) else { return };
        let wanted = match what {
            Reply::Type(n) => Some(n),
            _ => None,
        };
        let xid = reply.xid == client.xid;
        if matches!(wanted, Some(2 | 5)) || what == Reply::Bootp {
            if !reply.yiaddr.is_unspecified() {
                client.address = reply.yiaddr;
            }
            client.server = reply.server.or(client.server);
            if wanted != Some(2) {
                let behind = client.habits.iter().any(|c| matches!(c, Change::Relay(_)));
                let (address, mac) = (client.address, if behind { RELAY_MAC } else { client.mac });
                self.subject.answer(address, mac, false);
            }
        }
        if reply.kind != wanted {
            self.fail(step, "another kind of reply");
        } else if !xid {
            self.fail(step, "a reply to another transaction");
        }
    }

    fn fail(&mut self, step: &Step, why: &str) {
        self.failures.push(format!("line {}: {}: {why}", step.line, step.text));
    }

    /// Wait for the server, write down what it logged, keep what it sent.
    fn settle(&mut self) {
        let mut lines = self.subject.settle();
        // A frame is sent after its line was logged, so the lines of all frames seen here are there, too.
        self.collect();
        lines.extend(self.subject.lines());
        for line in lines {
            let line = self.normaliser.line(&line);
            self.reused |= line.starts_with("reuse_lease: ");
            self.out.line(&format!("| {line}"));
            self.log.push(line);
        }
        for line in self.subject.syslog() {
            let line = self.normaliser.line(&line);
            self.out.line(&format!("syslog| {line}"));
            self.log.push(line);
        }
    }

    fn collect(&mut self) {
        while let Some(heard) = self.subject.receive(Duration::ZERO) {
            self.waiting.push(heard);
        }
    }

    fn show_waiting(&mut self) {
        for heard in std::mem::take(&mut self.waiting) {
            self.show(&heard);
        }
    }

    fn show(&mut self, heard: &Heard) {
        let mut approx = self.scenario.approx.clone();
        if self.reused {
            approx.push(Approx::Option(51));
        }
        for line in show::lines(heard, &approx) {
            self.out.line(&line);
        }
    }

    fn stop(&mut self, kill: bool) {
        let ended = self.subject.stop(kill);
        self.settle();
        self.show_waiting();
        self.out.line(&format!("ended: {}", ending(&ended)));
        self.running = false;
    }

    fn end(&mut self) {
        self.show_waiting();
        self.out.step("the end");
        if self.running {
            self.settle();
            self.stop(false);
        }
        for name in self.subject.files() {
            let given = self.scenario.files.iter().any(|(n, _)| *n == name);
            if !given || name.starts_with("dhcpd.leases") {
                self.show_file(&name);
            }
        }
    }

    fn show_file(&mut self, name: &str) {
        let shown = self.normaliser.name(name);
        let Some(file) = self.subject.file(name) else {
            self.out.line(&format!("= {shown} is absent"));
            return;
        };
        self.out.line(&format!("= {shown} {:06o}", file.mode));
        if name.ends_with(".pid")
            && file.octets.strip_suffix(b"\n").is_some_and(|p| p.iter().all(u8::is_ascii_digit))
        {
            self.out.line("  @pid");
            return;
        }
        for line in file.octets.split_inclusive(|b| *b == b'\n') {
            let text = self.normaliser.lease_line(line.strip_suffix(b"\n").unwrap_or(line));
            let end = if line.ends_with(b"\n") { "" } else { " (no newline)" };
            self.out.line(&format!("  {text}{end}"));
        }
    }
}

fn ending(ending: &Ending) -> String {
    match ending {
        Ending::Status(n) => format!("exit status {n}"),
        Ending::Signal(n) => format!("signal {n}"),
        Ending::Daemon => "daemon stopped".to_owned(),
        Ending::NotRunning => "not running".to_owned(),
        Ending::TimedOut => "timed out".to_owned(),
    }
}
