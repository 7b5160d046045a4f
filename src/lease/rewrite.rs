//! The whole lease file anew, in pieces.
//!
//! Mirrors ISC `server/mdb.c:write_leases` and `write_leases4`: what stands in the file in which order. dhcpd stops
//! serving until it is done; here the database goes on changing between two pieces. Each lease is written as it stands
//! when its turn comes. One that changed, or moved to another place, since the rewrite began may be written twice or not
//! at all: [`LeaseDb::end_walk`] names it, and it is to be written once more behind everything else.

use super::declared::{Item, items, write_item};
use super::others::{FailoverBlock, OtherBlock};
use super::walk::Step;
use super::writer::{Words, header, write_lease};
use super::{BindingState, Lease, LeaseDb};
use crate::log::Line;
use crate::time::Seconds;

/// What a lease file holds besides leases and declarations, as it stands after all of it was read.
#[derive(Clone, Debug, Default)]
pub struct Others {
    /// The last state of each peer, in order of first mention.
    pub failover: Vec<FailoverBlock>,
    /// `server-duid`
    pub server_duid: Option<Vec<u8>>,
}

impl Others {
    /// Takes a block as it is read: a later one replaces an earlier one.
    pub fn add(&mut self, block: OtherBlock) {
        match block {
            OtherBlock::ServerDuid(duid) => self.server_duid = Some(duid),
            OtherBlock::Failover(block) => {
                match self.failover.iter_mut().find(|old| old.state.peer == block.state.peer) {
                    Some(old) => *old = block,
                    None => self.failover.push(block),
                }
            }
        }
    }
}

/// A piece of the new file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What it says.
    pub text: Vec<u8>,
    /// The file is complete.
    pub last: bool,
}

/// A rewrite under way.
#[derive(Debug)]
pub struct Rewrite {
    /// `None` before the first piece.
    items: Option<std::vec::IntoIter<Item>>,
    failover_written: bool,
    written: usize,
    lines: Vec<Line>,
}

impl Rewrite {
    /// About how many octets a piece has.
    const PIECE: usize = 1 << 17;

    /// At most so many addresses are looked at for a piece; those nobody ever had cost little.
    const STEPS: usize = 1 << 14;

    /// Begins. The database has one rewrite at a time.
    pub fn begin(db: &mut LeaseDb) -> Self {
        db.begin_walk();
        Self { items: None, failover_written: false, written: 0, lines: Vec::new() }
    }

    /// All of it at once, with what dhcpd logs about it.
    pub fn whole(db: &mut LeaseDb, others: &Others, now: Seconds, words: &dyn Words) -> (Vec<u8>, Vec<Line>) {
        let mut rewrite = Self::begin(db);
        let mut text = Vec::new();
        loop {
            let piece = rewrite.next_piece(db, others, now, words);
            text.extend(piece.text);
            if piece.last {
                // Nothing has changed meanwhile.
                db.end_walk();
                return (text, rewrite.lines);
            }
        }
    }

    /// The next piece. After the last one ask [`LeaseDb::end_walk`] what has changed meanwhile.
    pub fn next_piece(
        &mut self,
        db: &mut LeaseDb,
        others: &Others,
        now: Seconds,
        words: &dyn Words,
    ) -> Piece {
        let mut text = Vec::with_capacity(Self::PIECE + 1024);
        let lines = &mut self.lines;
        let items = self.items.get_or_insert_with(|| {
            text.extend(header());
            items(words.config(), lines).into_iter()
        });
        while text.len() < Self::PIECE {
            let Some(item) = items.next() else { break };
            write_item(&mut text, item, words);
        }
        if items.len() > 0 {
            return Piece { text, last: false };
        }
        if !std::mem::replace(&mut self.failover_written, true) {
            for block in &others.failover {
                text.push(b'\n');
                text.extend(&block.text);
                text.push(b'\n');
            }
        }
        for _ in 0..Self::STEPS {
            if text.len() >= Self::PIECE {
                break;
            }
            match db.step() {
                Step::Virgin => {}
                Step::Lease(id) => {
                    let lease = db.lease(id);
                    if is_worth_writing(&lease) {
                        write_lease(&mut text, &lease, now, words, &mut self.lines);
                        self.written += 1;
                    }
                }
                Step::End => {
                    self.lines.push(Line::info(format!("Wrote {} leases to leases file.", self.written)));
                    return Piece { text, last: true };
                }
            }
        }
        Piece { text, last: false }
    }

    /// The log lines since the last call.
    pub fn take_lines(&mut self) -> Vec<Line> {
        std::mem::take(&mut self.lines)
    }
}

/// dhcpd leaves out what says nothing: free, without identity, never heard of from a peer.
pub fn is_worth_writing(lease: &Lease) -> bool {
    lease.hardware.is_some()
        || lease.uid.as_ref().is_some_and(|uid| !uid.is_empty())
        || lease.tsfp != 0
        || lease.state != BindingState::Free
}
