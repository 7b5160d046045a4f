//! The event loop: sockets, timers and the lease file around the engine.
//!
//! One thread owns the engine. It takes frames in batches, hands each datagram to the engine and performs the effects
//! in their order before it looks at the next. The lease file is written on a thread of its own ([`Writer`]), which
//! reports back what has reached the disk; the engine holds back what must wait for that.
//! Mirrors ISC `common/discover.c:got_one`, `common/lpf.c`, `common/socket.c`, `common/icmp.c`.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use nix::sys::signal::Signal::SIGTERM;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, Sleep};

use super::environment::System;
use super::fatal::Fatal;
use super::interfaces::Sockets;
use super::leasefile::{LeaseFile, Report, Writer};
use super::logging::emit;
use super::sys;
use super::sys::clock;
use super::sys::lpf::{FrameBatch, PacketSocket};
use super::sys::signals;
use super::sys::udp::{Fallback, Icmp};
use crate::log::Line;
use crate::server::engine::{Engine, NextTimer};
use crate::server::{CommitId, Effect, Event, InterfaceId, Route, Send};
use crate::time::Now;
use crate::wire::frame::{BROADCAST, FrameDecoder, Headers, assemble};

/// The longest time between two looks at the wall clock, so that a clock that is set does not put off what is due.
const LONGEST_SLEEP: Duration = Duration::from_secs(10);

/// The pause after a timer event that left something due.
const RETRY_PAUSE: Duration = Duration::from_millis(10);

/// How many echo replies and discarded datagrams are taken in a row.
const BATCH: usize = 32;

/// What the loop is started with.
pub struct Outfit {
    /// The engine.
    pub engine: Engine,
    /// Packet sockets in the order of the engine's interfaces, and the fallback socket.
    pub sockets: Sockets,
    /// The ICMP socket, when there is one.
    pub icmp: Option<Icmp>,
    /// The lease file.
    pub leases: LeaseFile,
    /// The port replies come from.
    pub local_port: u16,
    /// The outcome of start-up's rewrite of the lease file, for the engine to know.
    pub first: Option<Event<'static>>,
}

/// Serves until something fatal happens.
///
/// # Errors
/// The fatal error, not yet logged. The lease file has been committed then.
pub fn serve(outfit: Outfit) -> Result<Infallible, Fatal> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
    let runtime = runtime.map_err(|error| Fatal::new(format!("Can't start the event loop: {error}")))?;
    runtime.block_on(async {
        let mut server = Server::new(outfit)?;
        loop {
            let wake = server.wait().await;
            server.act(wake)?;
        }
    })
}

/// Why the loop woke up.
enum Wake {
    /// There are frames on an interface.
    Frames(usize),
    /// The socket of an interface has an error to tell.
    Failed(usize),
    /// There is something on the fallback socket.
    Fallback,
    /// There is something on the ICMP socket.
    Icmp,
    /// The lease file's thread reports.
    Report(Report),
    /// The sleep is over.
    Timer,
    /// SIGTERM.
    Terminated,
}

struct Server {
    engine: Engine,
    packet: Vec<(String, Arc<AsyncFd<PacketSocket>>)>,
    /// Interfaces whose socket has an error to tell.
    failed: UnboundedReceiver<usize>,
    fallback: AsyncFd<Fallback>,
    icmp: Option<AsyncFd<Icmp>>,
    local_port: u16,
    writer: Writer,
    reports: UnboundedReceiver<Report>,
    /// SIGTERM, unless we were started with it ignored.
    terminate: Option<Signal>,
    sleep: Pin<Box<Sleep>>,
    armed: Option<NextTimer>,
    decoder: FrameDecoder,
    batch: FrameBatch,
    lines: Vec<Line>,
    effects: Vec<Effect>,
    frame: Vec<u8>,
    turn: usize,
}

impl Server {
    fn new(outfit: Outfit) -> Result<Self, Fatal> {
        let register = |error: io::Error| {
            Fatal::new(format!("Can't register I/O handle for server: {}", sys::percent_m(&error)))
        };
        let (sender, reports) = unbounded_channel();
        let writer = Writer::start(outfit.leases, move |report| {
            // Nobody listens any more only when the server is going down.
            let _ = sender.send(report);
        })
        .map_err(register)?;
        let mut packet = Vec::new();
        let (failures, failed) = unbounded_channel();
        for (place, (name, socket)) in outfit.sockets.packet.into_iter().enumerate() {
            let socket = Arc::new(sys::watch(socket).map_err(register)?);
            tokio::spawn(watch_for_errors(Arc::clone(&socket), place, failures.clone()));
            packet.push((name, socket));
        }
        let fallback = sys::watch(outfit.sockets.fallback).map_err(register)?;
        let icmp = match outfit.icmp {
            Some(icmp) => Some(sys::watch(icmp).map_err(register)?),
            None => None,
        };
        let terminate = match signals::is_ignored(SIGTERM) {
            true => None,
            false => Some(signal(SignalKind::terminate()).map_err(register)?),
        };
        let mut server = Self {
            engine: outfit.engine,
            packet,
            failed,
            fallback,
            icmp,
            local_port: outfit.local_port,
            writer,
            reports,
            terminate,
            sleep: Box::pin(tokio::time::sleep(LONGEST_SLEEP)),
            armed: None,
            decoder: FrameDecoder::default(),
            batch: FrameBatch::default(),
            lines: Vec::new(),
            effects: Vec::new(),
            frame: Vec::new(),
            turn: 0,
        };
        if let Some(event) = outfit.first {
            server.handle(event)?;
        }
        server.handle_if_due()?;
        Ok(server)
    }

    async fn wait(&mut self) -> Wake {
        self.arm();
        poll_fn(|context| self.poll(context)).await
    }

    /// What is ready: reports first, as clients wait for them; then the sockets in turn; then the timer.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Wake> {
        if let Poll::Ready(report) = self.reports.poll_recv(context) {
            // The thread ends before we do only when it has failed in a way nobody thought of.
            let gone = || Report::Fatal(Fatal::new("The thread that writes the lease file has ended."));
            return Poll::Ready(Wake::Report(report.unwrap_or_else(gone)));
        }
        if let Some(terminate) = &mut self.terminate
            && terminate.poll_recv(context).is_ready()
        {
            return Poll::Ready(Wake::Terminated);
        }
        // The timer's turn comes even when sockets are always ready.
        if self.sleep.as_mut().poll_elapsed(context) {
            return Poll::Ready(Wake::Timer);
        }
        if let Poll::Ready(Some(place)) = self.failed.poll_recv(context) {
            return Poll::Ready(Wake::Failed(place));
        }
        let sockets = self.packet.len();
        for step in 0..sockets {
            let place = self.turn.wrapping_add(step) % sockets;
            if let Some((_, socket)) = self.packet.get(place)
                && socket.poll_read_ready(context).is_ready()
            {
                self.turn = place.wrapping_add(1);
                return Poll::Ready(Wake::Frames(place));
            }
        }
        if let Some(icmp) = &self.icmp
            && icmp.poll_read_ready(context).is_ready()
        {
            return Poll::Ready(Wake::Icmp);
        }
        if self.fallback.poll_read_ready(context).is_ready() {
            return Poll::Ready(Wake::Fallback);
        }
        Poll::Pending
    }

    fn act(&mut self, wake: Wake) -> Result<(), Fatal> {
        match wake {
            Wake::Frames(place) => self.take_frames(place)?,
            Wake::Failed(place) => self.tell_error(place),
            Wake::Fallback => self.discard(),
            Wake::Icmp => self.take_echoes()?,
            Wake::Report(report) => self.heed(report)?,
            Wake::Timer => self.armed = None,
            Wake::Terminated => self.terminate(),
        }
        self.handle_if_due()
    }

    /// Ends as dhcpd does, by the signal's default action, but not between a message and its commit: what was received
    /// reaches the lease file, the log and its client first. A second signal does not wait for that.
    fn terminate(&mut self) -> ! {
        let _ = signals::restore(SIGTERM);
        self.writer.finish();
        while let Ok(report) = self.reports.try_recv() {
            if self.heed(report).is_err() {
                break;
            }
        }
        self.writer.finish();
        signals::die_of(SIGTERM)
    }

    /// One batch of frames from an interface.
    fn take_frames(&mut self, place: usize) -> Result<(), Fatal> {
        let Some((name, socket)) = self.packet.get(place) else { return Ok(()) };
        match socket.try_io(Interest::READABLE, |socket| socket.receive(&mut self.batch)) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => {
                cannot_receive(name, &error);
                return Ok(());
            }
        }
        // Taken out so that the engine can be called while the frames are looked at.
        let batch = std::mem::take(&mut self.batch);
        let mut outcome = Ok(());
        for (frame, auxiliary) in batch.frames() {
            let datagram = self.decoder.decode(frame, auxiliary, &mut self.lines);
            self.lines.drain(..).for_each(|line| emit(&line));
            if let Some(datagram) = datagram {
                let interface = InterfaceId(place);
                let event = Event::Datagram { interface, source: datagram.source, payload: datagram.payload };
                outcome = self.handle(event);
                if outcome.is_err() {
                    break;
                }
            }
        }
        self.batch = batch;
        outcome
    }

    /// A link that went down. The error may have come with a frame already.
    fn tell_error(&self, place: usize) {
        if let Some((name, socket)) = self.packet.get(place)
            && let Some(error) = socket.get_ref().take_error()
        {
            cannot_receive(name, &error);
        }
    }

    fn take_echoes(&mut self) -> Result<(), Fatal> {
        for _ in 0..BATCH {
            let Some(icmp) = &self.icmp else { return Ok(()) };
            match icmp.try_io(Interest::READABLE, Icmp::receive) {
                Ok(Some(from)) => self.handle(Event::EchoReply { from })?,
                Ok(None) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => {
                    emit(&Line::error(format!("icmp_echoreply: {}", sys::percent_m(&error))));
                    break;
                }
            }
        }
        Ok(())
    }

    /// Throws away what the fallback socket has heard: the packet sockets have heard it too.
    fn discard(&mut self) {
        for _ in 0..BATCH {
            let discarded = self.fallback.try_io(Interest::READABLE, |socket| match socket.discard() {
                true => Ok(()),
                false => Err(ErrorKind::WouldBlock.into()),
            });
            if discarded.is_err() {
                break;
            }
        }
    }

    fn heed(&mut self, report: Report) -> Result<(), Fatal> {
        let (event, lines) = match report {
            Report::Committed(commit, lines) => (Event::Committed(commit), lines),
            Report::Failed(commit, lines) => (Event::CommitFailed(commit), lines),
            Report::Fatal(fatal) => return Err(fatal),
        };
        lines.iter().for_each(emit);
        self.handle(event)
    }

    fn handle_if_due(&mut self) -> Result<(), Fatal> {
        if is_due(self.engine.next_timer(), clock::now()) {
            self.handle(Event::Timer)?;
        }
        Ok(())
    }

    fn handle(&mut self, event: Event<'_>) -> Result<(), Fatal> {
        let mut effects = std::mem::take(&mut self.effects);
        self.engine.handle(event, clock::now(), &mut System, &mut effects);
        let outcome = effects.drain(..).try_for_each(|effect| self.perform(effect));
        self.effects = effects;
        outcome
    }

    fn perform(&mut self, effect: Effect) -> Result<(), Fatal> {
        match effect {
            Effect::Log(line) => emit(&line),
            Effect::Write(entries) => self.writer.append(entries),
            Effect::Commit(commit) => self.writer.commit(commit),
            Effect::Rewrite { piece, last } => self.writer.rewrite(piece, clock::wall().0, last),
            Effect::Send(send) => self.send(&send),
            Effect::Ping(address) => self.ping(address),
            Effect::Fatal(line) => return Err(Fatal::new(line.text)),
        }
        Ok(())
    }

    fn send(&mut self, send: &Send) {
        let (sent, over) = match &send.route {
            Route::Packet { interface, hardware, source, destination } => {
                let Some((name, socket)) = self.packet.get(interface.0) else { return };
                let socket = socket.get_ref();
                let headers = Headers {
                    hardware_source: six(&socket.hardware.address).unwrap_or([0; 6]),
                    hardware_destination: six(&hardware.address).unwrap_or(BROADCAST),
                    source: SocketAddrV4::new(*source, self.local_port),
                    destination: *destination,
                };
                self.frame.clear();
                let sent = match assemble(&headers, &send.payload, &mut self.frame) {
                    Ok(()) => patiently(|| socket.send(&self.frame)),
                    Err(_) => Err(io::Error::from_raw_os_error(libc::EMSGSIZE)),
                };
                (sent, name.as_str())
            }
            Route::Fallback { destination } => {
                let socket = self.fallback.get_ref();
                (patiently(|| socket.send(&send.payload, *destination)), "fallback")
            }
        };
        let Err(error) = sent else { return };
        emit(&Line::error(format!("send_packet: {}", sys::percent_m(&error))));
        let fallback = matches!(send.route, Route::Fallback { .. });
        if fallback && error.raw_os_error() == Some(libc::ENETUNREACH) {
            emit(&Line::error("send_packet: please consult README file regarding broadcast address."));
        }
        if let Some(site) = send.failure_site {
            let length = send.payload.len();
            let text = format!("{site}: Failed to send {length} byte long packet over {over} interface.");
            emit(&Line::error(text));
        }
    }

    fn ping(&self, address: Ipv4Addr) {
        let Some(icmp) = &self.icmp else { return };
        if let Err(error) = patiently(|| icmp.get_ref().ping(address)) {
            emit(&Line::error(format!("icmp_echorequest {address}: {}", sys::percent_m(&error))));
        }
    }

    /// Sets the sleep to the engine's next timer, if that has changed.
    fn arm(&mut self) {
        let next = self.engine.next_timer();
        if self.armed == Some(next) && !self.sleep.is_elapsed() {
            return;
        }
        self.armed = Some(next);
        let delay = delay_until(next, clock::now(), clock::wall().1);
        self.sleep.as_mut().reset(Instant::now() + delay);
    }
}

/// Waits for the errors of a socket; polling for frames does not see them.
async fn watch_for_errors(
    socket: Arc<AsyncFd<PacketSocket>>,
    place: usize,
    failures: UnboundedSender<usize>,
) {
    while let Ok(mut guard) = socket.ready(Interest::ERROR).await {
        guard.clear_ready();
        if failures.send(place).is_err() {
            return;
        }
    }
}

fn cannot_receive(name: &str, error: &io::Error) {
    emit(&Line::error(format!("receive_packet failed on {name}: {}", sys::percent_m(error))));
}

/// Whether a sleep is over, without taking its end as an output.
trait PollElapsed {
    fn poll_elapsed(self, context: &mut Context<'_>) -> bool;
}

impl PollElapsed for Pin<&mut Sleep> {
    fn poll_elapsed(self, context: &mut Context<'_>) -> bool {
        std::future::Future::poll(self, context).is_ready()
    }
}

fn is_due(next: NextTimer, now: Now) -> bool {
    next.wall.is_some_and(|wall| wall <= now.wall) || next.tick.is_some_and(|tick| tick <= now.tick)
}

/// How long to sleep. `micros` is how far into the second `now.wall` the wall clock is.
fn delay_until(next: NextTimer, now: Now, micros: u32) -> Duration {
    if is_due(next, now) {
        // It has just been handled, and is still due.
        return RETRY_PAUSE;
    }
    let wall = next.wall.map(|wall| {
        let seconds = u64::try_from(wall.saturating_sub(now.wall)).unwrap_or(0);
        Duration::from_secs(seconds).saturating_sub(Duration::from_micros(micros.into()))
    });
    let tick = next.tick.map(|tick| tick.saturating_sub(now.tick));
    [wall, tick].into_iter().flatten().fold(LONGEST_SLEEP, Duration::min)
}

/// Sends; when the kernel's queue is full, waits a moment for room, as dhcpd's blocking sockets do.
fn patiently(mut send: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    const PATIENCE: [u64; 6] = [50, 200, 1000, 5000, 20_000, 50_000];
    for pause in PATIENCE {
        match send() {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                std::thread::sleep(Duration::from_micros(pause));
            }
            outcome => return outcome,
        }
    }
    send()
}

fn six(address: &[u8]) -> Option<[u8; 6]> {
    address.try_into().ok()
}

/// The commit of start-up's rewrite, as the engine hears of it.
pub fn startup_commit(installed: bool, commit: CommitId) -> Event<'static> {
    if installed { Event::Committed(commit) } else { Event::CommitFailed(commit) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Now = Now { wall: 1000, tick: Duration::from_millis(5500) };

    fn delay(wall: Option<i64>, tick: Option<u64>) -> Duration {
        delay_until(NextTimer { wall, tick: tick.map(Duration::from_millis) }, NOW, 250_000)
    }

    #[test]
    fn the_earlier_of_both_clocks_counts() {
        assert_eq!(delay(None, None), LONGEST_SLEEP);
        assert_eq!(delay(Some(1003), None), Duration::from_millis(2750));
        assert_eq!(delay(Some(1003), Some(6500)), Duration::from_millis(1000));
        assert_eq!(delay(Some(1001), Some(9000)), Duration::from_millis(750));
        assert_eq!(delay(Some(i64::MAX), None), LONGEST_SLEEP);
    }

    #[test]
    fn what_is_still_due_is_not_retried_at_once() {
        assert_eq!(delay(Some(1000), None), RETRY_PAUSE);
        assert_eq!(delay(Some(i64::MIN), None), RETRY_PAUSE);
        assert_eq!(delay(None, Some(5500)), RETRY_PAUSE);
    }

    #[test]
    fn a_full_queue_is_waited_for() {
        let mut left = 3;
        let sent = patiently(|| {
            left -= 1;
            if left > 0 { Err(ErrorKind::WouldBlock.into()) } else { Ok(7) }
        });
        assert_eq!(sent.expect("in the end"), 7);
        let refused = patiently(|| Err(io::Error::from_raw_os_error(libc::ENETUNREACH)));
        assert_eq!(refused.expect_err("at once").raw_os_error(), Some(libc::ENETUNREACH));
    }
}
