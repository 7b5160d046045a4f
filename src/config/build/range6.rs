//! DHCPv6 ranges and prefixes (ISC `server/confpars.c:parse_address_range6`, `parse_prefix6`, `parse_fixed_prefix6`).

use super::pool::PoolDraft;
use super::{Builder, Family, Refused};
use crate::config::diagnostic::{Code, Diagnostic};
use crate::config::index::mask6;
use crate::config::network::{Permit, Pool, PoolId, Range6, SubnetId, SubnetPrefix};
use std::net::Ipv6Addr;

/// What follows the first address of `range6`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range6Extent {
    /// A second address.
    To(Ipv6Addr),
    /// `/LENGTH`, perhaps with `temporary`.
    Length(i32, bool),
    /// `temporary`: 64 bits.
    Temporary,
}

impl Builder {
    /// Refuses a statement that DHCPv4 does not know.
    pub fn only_dhcp6(&mut self, statement: &str) -> Result<(), Refused> {
        if self.family == Family::V6 {
            return Ok(());
        }
        let isc = format!("{statement} statement is only supported in DHCPv6 mode.");
        let diagnostic = Diagnostic::error(Code::OnlyDhcp6, self.span, isc)
            .note("this is a DHCPv6 statement; a server started with -4 (or without -6) refuses it");
        Err(self.report(diagnostic))
    }

    /// `range6` in a pool6 or right in a subnet6.
    pub fn add_range6(
        &mut self,
        subnet: SubnetId,
        pool: Option<&mut PoolDraft>,
        first: Ipv6Addr,
        extent: Range6Extent,
    ) -> Result<(), Refused> {
        self.only_dhcp6("range6")?;
        self.expect_range6_start(subnet, first)?;
        let range = match extent {
            Range6Extent::To(last) => self.range6_to(subnet, first, last)?,
            Range6Extent::Length(length, temporary) => {
                let length = self.expect_range6_length(subnet, first, length)?;
                if temporary {
                    self.expect_temporary(length);
                }
                Range6::Block(first, length, temporary)
            }
            Range6Extent::Temporary => {
                self.mask_fits(first, 64)?;
                Range6::Block(first, 64, true)
            }
        };
        self.push_range6(subnet, pool, range);
        Ok(())
    }

    /// The first address of a `range6`. Asked before the rest is read, as are the next ones.
    pub fn expect_range6_start(&mut self, subnet: SubnetId, first: Ipv6Addr) -> Result<(), Refused> {
        let (net, length) = self.subnet6(subnet)?;
        if first.to_bits() & mask6(length) != net.to_bits() {
            return Err(self.refuse(Code::RangeOutside, "range6 start address is outside the subnet"));
        }
        Ok(())
    }

    /// A range of addresses.
    pub fn range6_to(
        &mut self,
        subnet: SubnetId,
        first: Ipv6Addr,
        last: Ipv6Addr,
    ) -> Result<Range6, Refused> {
        let (net, length) = self.subnet6(subnet)?;
        if last.to_bits() & mask6(length) != net.to_bits() {
            return Err(self.refuse(Code::RangeOutside, "range6 end address is outside the subnet"));
        }
        Ok(Range6::Addresses(first.min(last), first.max(last)))
    }

    /// The length of a `range6` block.
    pub fn expect_range6_length(
        &mut self,
        subnet: SubnetId,
        first: Ipv6Addr,
        length: i32,
    ) -> Result<u8, Refused> {
        let (_, subnet_length) = self.subnet6(subnet)?;
        let length = self.length6(length)?;
        if length < subnet_length {
            return Err(self.refuse(Code::BadPrefix, "network mask smaller than subnet mask"));
        }
        self.mask_fits(first, length)?;
        Ok(length)
    }

    /// `temporary` after a length.
    pub fn expect_temporary(&mut self, length: u8) {
        if length < 64 {
            self.refuse(Code::BadPrefix, "temporary mask too short");
        }
        if length == 128 {
            self.refuse(Code::BadPrefix, "temporary singleton?");
        }
    }

    /// `prefix6 LOW HIGH /LENGTH;` The prefixes need not lie in the subnet.
    pub fn add_prefix6(
        &mut self,
        subnet: SubnetId,
        pool: Option<&mut PoolDraft>,
        low: Ipv6Addr,
        high: Ipv6Addr,
        length: i32,
    ) -> Result<(), Refused> {
        self.only_dhcp6("prefix6")?;
        let length = self.expect_prefix6_length(length)?;
        self.mask_fits(low, length)?;
        self.mask_fits(high, length)?;
        self.push_range6(subnet, pool, Range6::Prefixes(low.min(high), low.max(high), length));
        Ok(())
    }

    /// The length of a `prefix6`: 1 to 127.
    pub fn expect_prefix6_length(&mut self, length: i32) -> Result<u8, Refused> {
        let good = u8::try_from(length).ok().filter(|length| (1..128).contains(length));
        good.ok_or_else(|| self.refuse(Code::BadPrefix, "networks have 0 to 128 bits (exclusive)"))
    }

    /// The length of a prefix: 0 to 128.
    pub fn length6(&mut self, length: i32) -> Result<u8, Refused> {
        let good = u8::try_from(length).ok().filter(|length| *length <= 128);
        good.ok_or_else(|| self.refuse(Code::BadPrefix, "networks have 0 to 128 bits"))
    }

    /// No bit may be set behind the prefix.
    pub fn mask_fits(&mut self, address: Ipv6Addr, length: u8) -> Result<(), Refused> {
        if address.to_bits() & !mask6(length) == 0 {
            return Ok(());
        }
        let diagnostic = Diagnostic::error(Code::BadPrefix, self.span, "network mask too short")
            .message(format!("{address} has bits set behind its first {length}"));
        Err(self.report(diagnostic))
    }

    fn subnet6(&mut self, subnet: SubnetId) -> Result<(Ipv6Addr, u8), Refused> {
        match self.config.subnets.get(subnet.index()).map(|subnet| subnet.prefix) {
            Some(SubnetPrefix::V6 { address, length }) => Ok((address, length)),
            _ => Err(self.fail("subnet_number():inet.c:45: Addr/mask length mismatch.")),
        }
    }

    /// Puts a range into a pool, or the implicit one of its subnet.
    pub fn push_range6(&mut self, subnet: SubnetId, pool: Option<&mut PoolDraft>, range: Range6) {
        match pool {
            Some(draft) => draft.ranges6.push(range),
            None => {
                let pool = self.implicit_pool6(subnet);
                if let Some(pool) = self.config.pools.get_mut(pool.index()) {
                    pool.ranges6.push(range);
                }
            }
        }
    }

    /// The pool of a bare `range6`: one that permits all clients and nothing else, as long as neither it nor the
    /// subnet has statements of its own (ISC `add_ipv6_pond_to_network`).
    fn implicit_pool6(&mut self, subnet: SubnetId) -> PoolId {
        let network = self.subnet_network(subnet);
        let outer = self.subnet_scope(subnet);
        let pools =
            self.config.shared_networks.get(network.index()).map_or(&[][..], |network| &network.pools);
        let found = self.scope_statements(outer).is_empty().then(|| {
            pools.iter().copied().find(|id| {
                self.config.pools.get(id.index()).is_some_and(|pool| {
                    self.scope_statements(pool.scope).is_empty()
                        && pool.permits == [Permit::AllClients]
                        && pool.prohibits.is_empty()
                })
            })
        });
        if let Some(found) = found.flatten() {
            return found;
        }
        let scope = self.open_scope(outer);
        // As many as statements: fits.
        let id = PoolId(self.config.pools.len() as u32);
        self.config.pools.push(Pool {
            network,
            scope,
            ranges: Vec::new(),
            ranges6: Vec::new(),
            permits: vec![Permit::AllClients],
            prohibits: Vec::new(),
            valid_from: 0,
            valid_until: 0,
            failover_peer: None,
        });
        if let Some(network) = self.config.shared_networks.get_mut(network.index()) {
            network.pools.push(id);
        }
        id
    }
}
