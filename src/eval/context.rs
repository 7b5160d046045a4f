//! What an evaluation sees and may change, and the bounds it is held to.

use super::bindings::{Bindings, Value};
use super::{Environment, Handlers, LeaseFacts, Memory, PacketOptions, ReplyOptions, Request};
use crate::config::Config;
use crate::config::network::ClassId;
use crate::log::Line;
use crate::time::Now;
use std::sync::Arc;

/// How deep expressions, statement blocks and calls may nest together.
///
/// dhcpd has no bound and crashes when its stack is used up. A function that recurses once per octet of an option of
/// 255 stays below.
pub const MAX_DEPTH: u32 = 1_500;

/// How many operators and statements one evaluation may run before it is given up. dhcpd has no bound and hangs.
const MAX_STEPS: u64 = 20_000_000;

/// dhcpd formats a line into a buffer of 1024 octets (ISC `omapip/errwarn.c`).
const MAX_LINE: usize = 1023;

/// `log (fatal, ...)` ran: the server prints this line and the trailer, and ends with status 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", String::from_utf8_lossy(&.0.text))]
pub struct Fatal(pub Line);

/// Everything an evaluation sees and may change.
pub struct Context<'a> {
    /// The moment.
    pub now: Now,
    /// Classes, option spaces.
    pub config: &'a Config,
    /// The packet, if any.
    pub request: Option<Request<'a>>,
    /// The lease, if any.
    pub lease: Option<LeaseFacts<'a>>,
    /// Options set so far; `None` where statements cannot set any and `config-option` sees nothing.
    pub reply: Option<&'a mut ReplyOptions>,
    /// Variables: the lease's own, or the global ones.
    pub bindings: &'a mut Bindings,
    /// Handlers of the lease; `on` has no effect without.
    pub handlers: Option<&'a mut Handlers>,
    /// Classes of the packet, in the order they were matched or added; `add` and `check` need them.
    pub classes: Option<&'a mut Vec<ClassId>>,
    /// What `parse-vendor-option` found in the packet; read by `option` after the packet's own options.
    pub vendor_options: Option<&'a mut PacketOptions>,
    /// While dhcpd reads the global parameters, `option` reads what the configuration set and `config-option` nothing
    /// (ISC `server/dhcpd.c:postconf_initialization`).
    pub reading_globals: bool,
    /// The outside world.
    pub environment: &'a mut dyn Environment,
    /// What is remembered between packets.
    pub memory: &'a mut Memory,
    /// Log lines in order.
    pub log: &'a mut Vec<Line>,
    pub(super) progress: Progress,
}

/// Where an evaluation stands.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Variables of the calls that are running, innermost last.
    pub(super) frames: Vec<Bindings>,
    depth: u32,
    steps: u64,
    stopped: Option<Stopped>,
}

#[derive(Debug)]
enum Stopped {
    Fatal(Line),
    Exhausted,
}

impl<'a> Context<'a> {
    /// A context without packet, lease and reply; set the fields that apply.
    pub fn new(
        now: Now,
        config: &'a Config,
        bindings: &'a mut Bindings,
        environment: &'a mut dyn Environment,
        memory: &'a mut Memory,
        log: &'a mut Vec<Line>,
    ) -> Self {
        Self {
            now,
            config,
            request: None,
            lease: None,
            reply: None,
            bindings,
            handlers: None,
            classes: None,
            vendor_options: None,
            reading_globals: false,
            environment,
            memory,
            log,
            progress: Progress::default(),
        }
    }

    /// The line of a `log (fatal, ...)` that ran in this context. Nothing is evaluated, run or logged after it.
    ///
    /// [`super::execute`] reports it, too; an expression can only run one through a function call.
    pub fn fatal(&self) -> Option<Fatal> {
        match &self.progress.stopped {
            Some(Stopped::Fatal(line)) => Some(Fatal(line.clone())),
            _ => None,
        }
    }

    /// Logs a line, cut as dhcpd cuts it.
    pub(super) fn emit(&mut self, mut line: Line) {
        if self.progress.stopped.is_none() {
            line.text.truncate(MAX_LINE);
            self.log.push(line);
        }
    }

    /// Ends everything with a line.
    pub(super) fn end_with(&mut self, mut line: Line) {
        if self.progress.stopped.is_none() {
            line.text.truncate(MAX_LINE);
            self.progress.stopped = Some(Stopped::Fatal(line));
        }
    }

    /// Whether evaluation was ended or given up, so that statements must not go on.
    pub(super) fn is_stopped(&self) -> bool {
        self.progress.stopped.is_some()
    }

    /// Runs `inside` one level deeper; `None` without running it if a bound is reached.
    #[inline]
    pub(super) fn deeper<T>(&mut self, inside: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.progress.stopped.is_some() {
            return None;
        }
        self.progress.depth += 1;
        self.progress.steps += 1;
        let result = if self.progress.depth > MAX_DEPTH || self.progress.steps > MAX_STEPS {
            self.give_up();
            None
        } else {
            inside(self)
        };
        self.progress.depth -= 1;
        if self.progress.depth == 0 {
            self.progress.steps = 0;
            if let Some(Stopped::Exhausted) = self.progress.stopped {
                self.progress.stopped = None;
            }
        }
        result
    }

    #[cold]
    fn give_up(&mut self) {
        let text = if self.progress.depth > MAX_DEPTH {
            format!("evaluation given up: expressions and calls are nested more than {MAX_DEPTH} deep.")
        } else {
            format!("evaluation given up after {MAX_STEPS} steps.")
        };
        self.emit(Line::error(text));
        self.progress.stopped = Some(Stopped::Exhausted);
    }

    /// The value of a variable, looked for in the running calls, innermost first, then in the scope of variables.
    pub(super) fn variable(&self, name: &str) -> Option<&Value> {
        let entry = self.progress.frames.iter().rev().find_map(|frame| frame.entry(name));
        match entry {
            Some(entry) => entry.as_ref(),
            None => self.bindings.value(name),
        }
    }

    /// The scope that has a variable of that name; otherwise the innermost.
    pub(super) fn home_of(&self, name: &str) -> Home {
        let frames = &self.progress.frames;
        match frames.iter().rposition(|frame| frame.entry(name).is_some()) {
            Some(at) => Home { frame: Some(at), exists: true },
            None if self.bindings.entry(name).is_some() => Home { frame: None, exists: true },
            None => Home { frame: frames.len().checked_sub(1), exists: false },
        }
    }

    /// The variables of a scope.
    pub(super) fn scope_mut(&mut self, home: Home) -> &mut Bindings {
        match home.frame.and_then(|at| self.progress.frames.get_mut(at)) {
            Some(frame) => frame,
            None => self.bindings,
        }
    }

    /// Lets a value go. dhcpd logs a line when the last variable that holds a function lets it go (ISC
    /// `common/tree.c:binding_value_dereference`).
    pub(super) fn forget(&mut self, value: Option<Value>, place: &str) {
        if let Some(Value::Function(function)) = &value
            && Arc::strong_count(function) == 1
        {
            let number = 4;
            self.emit(Line::error(format!("{place}: invalid binding type: {number}")));
        }
    }
}

/// Where a variable lives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Home {
    /// Index of the call, or `None` for the scope the statements run in.
    frame: Option<usize>,
    /// Whether it is there already.
    pub(super) exists: bool,
}
