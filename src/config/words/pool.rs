//! Pools, ranges, permits and dates (ISC `server/confpars.c:parse_pool_statement`, `parse_pool6_statement`, `get_permit`,
//! `parse_address_range`, `parse_address_range6`, `parse_prefix6`; `common/parse.c:parse_date_core`).

use super::Walk;
use super::declarations::{Kind, Place};
use super::lexer::{Kind as Word, Token};
use crate::config::build::{Calendar, PoolDraft, RangePlace, calendar_seconds};
use crate::config::network::{Permit, Range6, SubnetId};
use crate::time::{NEVER, Seconds};

impl Walk<'_> {
    pub(super) fn pool(&mut self, place: Place, six: bool) {
        let word = if six { "pool6" } else { "pool" };
        if place.kind == Kind::Pool {
            return self.refuse(format!("{word} declared within pool."));
        }
        let mut pool = match (place.kind, place.network, place.subnet) {
            (Kind::Subnet | Kind::SharedNetwork, Some(network), _) if !six => {
                self.act(|builder| builder.open_pool(network))
            }
            (Kind::Subnet, _, Some(subnet)) if six => {
                if !self.only_six("pool6") {
                    return;
                }
                self.act(|builder| builder.open_pool6(subnet))
            }
            _ => return self.refuse(format!("{word} declared outside of network")),
        };
        if !self.left_brace() {
            return;
        }
        let inner = Place { kind: Kind::Pool, scope: pool.scope, ..place };
        let mut dated = false;
        let closed = self.statements(inner, None, |walk, word, _| {
            match word {
                "no" if !six => walk.no_failover_peer(&mut pool),
                "failover" if !six => walk.pool_peer(&mut pool),
                "range" if !six => {
                    walk.next();
                    walk.range(place, Some(&mut pool));
                }
                "range6" | "prefix6" if six => {
                    walk.next();
                    match place.subnet {
                        Some(subnet) if word == "range6" => walk.range6(subnet, Some(&mut pool)),
                        Some(subnet) => walk.prefix6(subnet, Some(&mut pool)),
                        None => {}
                    }
                }
                "allow" | "deny" => {
                    walk.next();
                    walk.permit(&mut pool, word == "allow", &mut dated);
                }
                _ => return None,
            }
            Some(true)
        });
        if closed {
            // A pool without a range is refused with a message.
            let _ = self.act(|builder| builder.close_pool(pool));
        }
    }

    fn no_failover_peer(&mut self, pool: &mut PoolDraft) {
        self.next();
        if !self.next().is_word("failover") || !self.next().is_word("peer") {
            return self.refuse("expecting \"failover peer\".");
        }
        self.builder.clear_pool_peer(pool);
    }

    fn pool_peer(&mut self, pool: &mut PoolDraft) {
        self.next();
        if !self.next().is_word("peer") {
            return self.refuse("expecting 'peer'.");
        }
        let name = self.next();
        if name.kind != Word::String {
            return self.refuse("expecting string.");
        }
        // An unknown peer is refused with a message; the statement goes on.
        let _ = self.act(|builder| builder.set_pool_peer(pool, name.c_text()));
        self.cursor.semicolon();
    }

    /// `dated`: there was an `after` in this pool.
    fn permit(&mut self, pool: &mut PoolDraft, allow: bool, dated: &mut bool) {
        let mut clients = true;
        let permit = match self.next().kind {
            Word::Keyword("unknown") => Some(Permit::UnknownClients),
            Word::Keyword("known") => Some(Permit::KnownClients),
            Word::Keyword("authenticated") => Some(Permit::AuthenticatedClients),
            Word::Keyword("unauthenticated") => Some(Permit::UnauthenticatedClients),
            Word::Keyword("all") => Some(Permit::AllClients),
            Word::Keyword("known-clients") => {
                clients = false;
                Some(Permit::KnownClients)
            }
            Word::Keyword("unknown-clients") => {
                clients = false;
                Some(Permit::UnknownClients)
            }
            Word::Keyword("dynamic") => {
                if !self.next().is_word("bootp") {
                    return self.refuse("expecting \"bootp\"");
                }
                Some(Permit::DynamicBootpClients)
            }
            Word::Keyword("members") => {
                clients = false;
                if !self.next().is_word("of") {
                    return self.refuse("expecting \"of\"");
                }
                let name = self.next();
                if name.kind != Word::String {
                    return self.refuse("expecting class name.");
                }
                let class = self.act(|builder| builder.permit_class(name.c_text()));
                class.ok().map(Permit::MembersOf)
            }
            Word::Keyword("after") => {
                clients = false;
                if *dated {
                    return self.refuse("duplicate \"after\" clause.");
                }
                let time = self.date();
                *dated = time != 0;
                Some(Permit::After(time))
            }
            _ => return self.refuse("expecting permit type."),
        };
        if clients && !self.next().is_word("clients") {
            return self.refuse("expecting \"clients\"");
        }
        if let Some(permit) = permit {
            // What could be refused has been looked at.
            let _ = self.act(|builder| builder.add_permit(pool, allow, permit));
        }
        self.cursor.semicolon();
    }

    /// `range`, its place being that of the pool around it, if any.
    pub(super) fn range(&mut self, place: Place, pool: Option<&mut PoolDraft>) {
        let at = match (place.kind, place.subnet, place.network) {
            (Kind::Subnet, Some(subnet), _) => RangePlace::Subnet(subnet),
            (Kind::SharedNetwork, _, Some(network)) if pool.is_some() => RangePlace::Network(network),
            _ => return self.refuse("range declaration not allowed here."),
        };
        let dynamic = self.peek().is_word("dynamic-bootp");
        if dynamic {
            self.next();
        }
        let Some(low) = self.address() else { return };
        let mut high = low;
        if !self.peek().is(b';') {
            let Some(second) = self.address() else { return };
            high = second;
        }
        if !self.cursor.semicolon() {
            return;
        }
        // Refused with a message; there is nothing to skip.
        let _ = self.act(|builder| builder.add_range(at, pool, dynamic, low, high));
    }

    pub(super) fn range6(&mut self, subnet: SubnetId, pool: Option<&mut PoolDraft>) {
        if !self.only_six("range6") {
            return;
        }
        let Some(first) = self.address6() else { return };
        if self.act(|builder| builder.expect_range6_start(subnet, first)).is_err() {
            return self.cursor.skip_to_semicolon();
        }
        let range = match self.peek().kind {
            Word::Char(b'/') => {
                self.next();
                let length = self.next();
                if length.kind != Word::Number {
                    return self.refuse("expecting number");
                }
                let length = Self::atoi(&length);
                let Ok(length) = self.act(|builder| builder.expect_range6_length(subnet, first, length))
                else {
                    return self.cursor.skip_to_semicolon();
                };
                let temporary = self.peek().is_word("temporary");
                if temporary {
                    self.act(|builder| builder.expect_temporary(length));
                    self.next();
                }
                Range6::Block(first, length, temporary)
            }
            Word::Keyword("temporary") => {
                self.next();
                if self.act(|builder| builder.mask_fits(first, 64)).is_err() {
                    return self.cursor.skip_to_semicolon();
                }
                Range6::Block(first, 64, true)
            }
            _ => {
                let Some(last) = self.address6() else { return };
                match self.act(|builder| builder.range6_to(subnet, first, last)) {
                    Ok(range) => range,
                    Err(_) => return self.cursor.skip_to_semicolon(),
                }
            }
        };
        self.act(|builder| builder.push_range6(subnet, pool, range));
        self.cursor.semicolon();
    }

    pub(super) fn prefix6(&mut self, subnet: SubnetId, pool: Option<&mut PoolDraft>) {
        if !self.only_six("prefix6") {
            return;
        }
        let Some(low) = self.address6() else { return };
        let Some(high) = self.address6() else { return };
        let Some(bits) = self.slash_number() else { return };
        let Ok(length) = self.act(|builder| builder.expect_prefix6_length(bits)) else { return };
        let fits =
            self.act(|builder| builder.mask_fits(low, length).and_then(|()| builder.mask_fits(high, length)));
        if fits.is_err() {
            return self.cursor.skip_to_semicolon();
        }
        if self.cursor.semicolon() {
            // All that could be refused has been looked at.
            let _ = self.act(|builder| builder.add_prefix6(subnet, pool, low, high, bits));
        }
    }

    /// `/` and a number. `None`: said and skipped.
    pub(super) fn slash_number(&mut self) -> Option<i32> {
        let mut text = "expecting '/'";
        let mut token = self.next();
        if token.is(b'/') {
            text = "expecting number";
            token = self.next();
            if token.kind == Word::Number {
                return Some(Self::atoi(&token));
            }
        }
        self.warn(text);
        if !token.is(b';') {
            self.cursor.skip_to_semicolon();
        }
        None
    }

    /// ISC `parse_date`: a date and its semicolon.
    pub(super) fn date_statement(&mut self) -> Seconds {
        let date = self.date();
        if self.cursor.semicolon() { date } else { 0 }
    }

    /// ISC `parse_date_core`: 0 for a bad date, which was said.
    fn date(&mut self) -> Seconds {
        match self.peek().kind {
            Word::Keyword("never") => {
                self.next();
                NEVER
            }
            Word::Keyword("epoch") => {
                self.next();
                self.date_number("Seconds since epoch expected.").map_or(0, Seconds::from)
            }
            _ => self.calendar().map_or(0, calendar_seconds),
        }
    }

    fn calendar(&mut self) -> Option<Calendar> {
        self.date_number("numeric day of week expected.")?;
        let year = self.date_number("numeric year expected.")?;
        self.date_mark(b'/', "expected slash separating year from month.")?;
        let month = self.date_number("numeric month expected.")?;
        self.date_mark(b'/', "expected slash separating month from day.")?;
        let day = self.date_number("numeric day of month expected.")?;
        let hour = self.date_number("numeric hour expected.")?;
        self.date_mark(b':', "expected colon separating hour from minute.")?;
        let minute = self.date_number("numeric minute expected.")?;
        self.date_mark(b':', "expected colon separating minute from second.")?;
        let second = self.date_number("numeric second expected.")?;
        let mut offset = 0;
        let token = self.peek();
        if token.kind == Word::Number {
            offset = Self::atoi(&self.next());
        } else if !token.is(b';') {
            self.next();
            self.warn("Time zone offset or semicolon expected.");
            return None;
        }
        Some(Calendar { year, month, day, hour, minute, second, offset })
    }

    fn date_number(&mut self, text: &str) -> Option<i32> {
        let token = self.date_part(text, |token| token.kind == Word::Number)?;
        Some(Self::atoi(&token))
    }

    fn date_mark(&mut self, mark: u8, text: &str) -> Option<()> {
        self.date_part(text, |token| token.is(mark)).map(|_| ())
    }

    fn date_part(&mut self, text: &str, wanted: impl Fn(&Token) -> bool) -> Option<Token> {
        let token = self.peek();
        if wanted(&token) {
            return Some(self.next());
        }
        if !token.is(b';') {
            self.next();
        }
        self.warn(text);
        None
    }
}
