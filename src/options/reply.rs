//! Packing the options of a DHCPv4 or BOOTP reply.
//!
//! Mirrors ISC `common/options.c:cons_options` and `store_options`: which options go into a reply and in which order,
//! how large the option area may be, and what goes to `file` and `sname` (option overload) or is split when it is full.
//! Clients have come to depend on all of it, so the octets equal dhcpd's.

use super::encapsulate::{Evaluate, encapsulate_space};
use super::fqdn;
use super::packet::PacketOptions;
use super::space::{OptionId, SpaceId, Spaces};
use super::state::OptionState;
use crate::log::Line;

/// The octets in front of the options: 99, 130, 83, 99 (RFC 1497).
pub const MAGIC_COOKIE: [u8; 4] = [0x63, 0x82, 0x53, 0x63];

/// What decides the layout of a reply, besides its options.
#[derive(Clone, Copy, Debug, Default)]
pub struct Packing<'a> {
    /// The parameter request list in force; empty: send everything.
    pub requested: &'a [u8],
    /// The options of the request, if there is one.
    pub request: Option<&'a PacketOptions>,
    /// The message type of the request; 0 for BOOTP.
    pub request_type: u8,
    /// Octets of the request's UDP payload.
    pub request_length: usize,
    /// `dhcp-max-message-size` in force (the request's own is found in its options); 0: none.
    pub max_message_size: u16,
    /// The reply is a BOOTREPLY to a BOOTP client.
    pub bootp: bool,
    /// `file` may hold options.
    pub overload_file: bool,
    /// `sname` may hold options.
    pub overload_sname: bool,
    /// The client's host name ended in NULs: text options end in one, too.
    pub terminate: bool,
    /// `echo-client-id`.
    pub echo_client_id: bool,
    /// `site-option-space` and its lowest code ([`Spaces::site_code_min`]).
    pub site: Option<(SpaceId, u32)>,
}

/// The packed options of a reply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackedOptions {
    /// The option area with its magic cookie, not padded. Empty if there was nothing to send: then dhcpd leaves the
    /// whole area zero, the cookie too.
    pub options: Vec<u8>,
    /// The `file` field if it holds options.
    pub file: Option<[u8; FILE]>,
    /// The `sname` field if it holds options.
    pub sname: Option<[u8; SNAME]>,
}

/// Octets of the `file` field.
const FILE: usize = 128;
/// Octets of the `sname` field.
const SNAME: usize = 64;
/// A DHCP message without options, as UDP payload.
const FIXED: usize = 236;
/// A DHCP message without options, as IP datagram.
const FIXED_IP: usize = FIXED + 28;
/// Smallest and largest message dhcpd reckons with.
const SIZES: std::ops::RangeInclusive<usize> = 576..=1500;
/// The longest option area.
const MAX_AREA: usize = *SIZES.end() - FIXED_IP;
/// The option area of a BOOTP reply (RFC 951).
const BOOTP_AREA: usize = 64;
/// More codes than this are not looked at.
const MAX_CODES: usize = 300;
/// Room for agent options.
const AGENT_ROOM: usize = 1024;

const SUBNET_MASK: u32 = 1;
const ROUTERS: u32 = 3;
const DOMAIN_NAME_SERVERS: u32 = 6;
const HOST_NAME: u32 = 12;
const VENDOR_ENCAPSULATED_OPTIONS: u32 = 43;
const OVERLOAD: u8 = 52;
const MAX_MESSAGE_SIZE: u32 = 57;
const CLIENT_IDENTIFIER: u32 = 61;
const FQDN: u32 = 81;
const AGENT_OPTIONS: u32 = 82;
const SUBNET_SELECTION: u32 = 118;
const END: u8 = 255;
/// `server.vendor-option-space`.
const VENDOR_OPTION_SPACE: u32 = 19;
/// First in every reply, in this order: message type, server identifier, lease time, renewal and rebinding times, message,
/// requested address, associated address.
const ALWAYS: [u32; 8] = [53, 54, 51, 58, 59, 56, 50, 92];

const DISCOVER: u8 = 1;
const REQUEST: u8 = 3;

/// Packs `options` into a reply. Each value is computed by `evaluate`, in the order in which the options are packed.
pub fn pack_reply<V>(
    spaces: &Spaces,
    options: &OptionState<V>,
    packing: &Packing<'_>,
    evaluate: &mut Evaluate<'_, V>,
    lines: &mut Vec<Line>,
) -> PackedOptions {
    let mut packer = Packer { spaces, options, packing, evaluate, lines, value: Vec::with_capacity(256) };
    // The relay agent's own options come back last, and the area grows by what they take.
    let mut agent = Areas::new(AGENT_ROOM, false, false);
    packer.store(&[AGENT_OPTIONS], false, &mut agent);
    let agent = agent.main;
    let area = packer.area_size(agent.len());

    let codes = match packing.requested {
        [] => packer.all_codes(),
        requested => packer.requested_codes(requested),
    };
    let mut areas =
        Areas::new(area.saturating_sub(agent.len()), packing.overload_file, packing.overload_sname);
    areas.main.reserve(area);
    areas.main.extend(MAGIC_COOKIE);
    packer.store(&codes, packing.terminate, &mut areas);
    if areas.main.len() == MAGIC_COOKIE.len() {
        return PackedOptions::default();
    }

    let mut packed =
        PackedOptions { options: areas.main, file: areas.file.finish(), sname: areas.sname.finish() };
    let overloaded = u8::from(packed.file.is_some()) | u8::from(packed.sname.is_some()) << 1;
    if overloaded != 0 {
        packed.options.extend([OVERLOAD, 1, overloaded]);
    }
    packed.options.extend(agent);
    if packed.options.len() < area {
        packed.options.push(END);
    }
    packed
}

struct Packer<'a, 'e, V> {
    spaces: &'a Spaces,
    options: &'a OptionState<V>,
    packing: &'a Packing<'a>,
    evaluate: &'a mut Evaluate<'e, V>,
    lines: &'a mut Vec<Line>,
    value: Vec<u8>,
}

impl<V> Packer<'_, '_, V> {
    /// Octets of the option area, cookie and agent options included.
    fn area_size(&self, agent: usize) -> usize {
        let mut size = usize::from(self.packing.max_message_size);
        if let Some(&[high, low, ..]) = self
            .packing
            .request
            .and_then(|request| request.value(Spaces::DHCP, MAX_MESSAGE_SIZE))
            .map(|size| &**size)
        {
            let asked = usize::from(u16::from_be_bytes([high, low]));
            if size == 0 || asked < size {
                size = asked;
            }
        }
        let area = match size {
            0 if self.packing.bootp && self.packing.request_length >= BOOTP_AREA + FIXED => {
                self.packing.request_length - FIXED
            }
            0 if self.packing.bootp => BOOTP_AREA,
            0 => SIZES.start() - FIXED_IP,
            _ => size.clamp(*SIZES.start(), *SIZES.end()) - FIXED_IP,
        };
        (area + agent).min(MAX_AREA)
    }

    /// The order when the client asked for options.
    fn requested_codes(&self, requested: &[u8]) -> Vec<u32> {
        let Packing { request, request_type, echo_client_id, .. } = *self.packing;
        let mut codes = Vec::with_capacity(requested.len() + 16);
        codes.extend(ALWAYS);
        if self.options.contains(Spaces::DHCP, SUBNET_SELECTION) {
            codes.push(SUBNET_SELECTION);
        }
        if request.is_some() && echo_client_id {
            codes.push(CLIENT_IDENTIFIER);
        }
        let requested = requested.iter().take(MAX_CODES - codes.len()).copied().map(u32::from);
        codes.extend(requested.filter(|&code| code != AGENT_OPTIONS));
        // Lowest priority: what the client did not ask for but shows it understands, and what clients rely on.
        if request.is_some_and(|request| request.contains(Spaces::FQDN, fqdn::ENCODED)) {
            codes.push(FQDN);
        }
        if request.is_some() && matches!(request_type, DISCOVER | REQUEST) {
            codes.push(SUBNET_MASK);
        }
        in_order(codes)
    }

    /// The order without a list: everything there is.
    fn all_codes(&self) -> Vec<u32> {
        let (site, site_min) = self.packing.site.unwrap_or((Spaces::DHCP, 0));
        let mut codes = Vec::with_capacity(64);
        codes.extend(ALWAYS);
        codes.extend([SUBNET_MASK, ROUTERS, DOMAIN_NAME_SERVERS, HOST_NAME, FQDN]);
        let set = |space| self.options.entries(space).iter().map(|entry| entry.option.code);
        if site_min > 0 {
            codes.extend(set(Spaces::DHCP).filter(|&code| code < site_min));
        }
        codes.extend(set(site).filter(|&code| code >= site_min));
        let carriers = self.spaces.iter().filter_map(|(_, space)| space.carrier);
        codes.extend(carriers.filter(|carrier| carrier.space == Spaces::DHCP).map(|carrier| carrier.code));
        codes.push(VENDOR_ENCAPSULATED_OPTIONS);
        codes.retain(|&code| code != AGENT_OPTIONS);
        in_order(codes)
    }

    /// Stores the options of these codes that have a value.
    fn store(&mut self, codes: &[u32], terminate: bool, areas: &mut Areas) {
        for (at, &code) in codes.iter().enumerate() {
            self.value.clear();
            if let Some(option) = self.find_value(code) {
                let text = || self.spaces.definition(option).is_some_and(|def| def.has_text);
                if terminate && text() {
                    self.value.push(0);
                }
                areas.store(code as u8, &self.value, at + 1 == codes.len());
            }
        }
    }

    /// Puts the value of an option into `self.value`; `None` if it has none or an empty one.
    fn find_value(&mut self, code: u32) -> Option<OptionId> {
        let space = match self.packing.site {
            Some((site, site_min)) if code >= site_min => site,
            _ => Spaces::DHCP,
        };
        // An explicit value wins over the options of the space it could carry.
        if let Some(entry) = self.options.get(space, code) {
            return ((self.evaluate)(entry, &mut self.value) && !self.value.is_empty())
                .then_some(entry.option);
        }
        let option = self.spaces.by_code(space, code);
        let inner = match self.spaces.definition(option)?.format.encapsulation()? {
            Some(_) => self.spaces.definition(option)?.encapsulates?,
            None => self.vendor_option_space()?,
        };
        let any = encapsulate_space(self.spaces, self.options, inner, self.evaluate, &mut self.value);
        (any && !self.value.is_empty()).then_some(option)
    }

    /// The space that `vendor-option-space` names.
    fn vendor_option_space(&mut self) -> Option<SpaceId> {
        let entry = self.options.get(Spaces::SERVER, VENDOR_OPTION_SPACE)?;
        let mut name = Vec::new();
        if !(self.evaluate)(entry, &mut name) || name.is_empty() {
            return None;
        }
        let space = self.spaces.space_named(&name);
        if space.is_none() {
            let mut text = b"option_space_encapsulate: option space '".to_vec();
            // dhcpd's `%.*s` ends at a NUL.
            text.extend(name.iter().take_while(|&&c| c != 0));
            text.extend_from_slice(b"' does not exist, but is configured.");
            self.lines.push(Line::error(text));
        }
        space
    }
}

/// At most [`MAX_CODES`] codes, each at its first place; the subnet mask changes places with routers before it (RFC 2132
/// section 3.3).
fn in_order(mut codes: Vec<u32>) -> Vec<u32> {
    codes.truncate(MAX_CODES);
    let mut seen = [false; 256];
    let mut first = Vec::new();
    codes.retain(|&code| match seen.get_mut(code as usize) {
        Some(seen) => !std::mem::replace(seen, true),
        // A code that cannot be sent as it is; dhcpd does not stop it.
        None => !first.contains(&code) && (first.push(code), true).1,
    });
    let place = |code| codes.iter().position(|&c| c == code);
    if let (Some(routers), Some(mask)) = (place(ROUTERS), place(SUBNET_MASK))
        && routers < mask
    {
        codes.swap(routers, mask);
    }
    codes
}

/// The three places options can go to.
struct Areas {
    main: Vec<u8>,
    /// Octets of the main area.
    room: usize,
    file: Field<FILE>,
    sname: Field<SNAME>,
}

/// A field that may be overloaded.
struct Field<const N: usize> {
    octets: [u8; N],
    /// Octets used; `None`: the field is not available.
    used: Option<usize>,
}

impl<const N: usize> Field<N> {
    fn new(available: bool) -> Self {
        Self { octets: [0; N], used: available.then_some(0) }
    }

    fn is_used(&self) -> bool {
        self.used.is_some_and(|used| used > 0)
    }

    /// Octets a further option may hold so that END still fits.
    fn data_room(&self) -> usize {
        self.used.map_or(0, |used| (N - used).saturating_sub(3))
    }

    fn put(&mut self, code: u8, data: &[u8]) {
        let used = self.used.unwrap_or(0);
        let end = used + 2 + data.len();
        if let Some(room) = self.octets.get_mut(used..end) {
            let (head, body) = room.split_at_mut(2);
            head.copy_from_slice(&[code, data.len() as u8]);
            body.copy_from_slice(data);
            self.used = Some(end);
        }
    }

    /// The field with END and padding, if it is used.
    fn finish(self) -> Option<[u8; N]> {
        let used = self.used.filter(|&used| used > 0)?;
        let mut octets = [0; N];
        octets.get_mut(..used)?.copy_from_slice(self.octets.get(..used)?);
        *octets.get_mut(used)? = END;
        Some(octets)
    }
}

impl Areas {
    fn new(room: usize, file: bool, sname: bool) -> Self {
        Self { main: Vec::new(), room, file: Field::new(file), sname: Field::new(sname) }
    }

    /// Stores one option: whole in the first area that has room, else in pieces over what room there is, else not at
    /// all. `last`: no other option follows, so that the main area need not keep room for option 52.
    fn store(&mut self, code: u8, value: &[u8], last: bool) {
        let start = (self.main.len(), self.file.used, self.sname.used);
        let mut split = value.len() > 255;
        let mut rest = value;
        while !rest.is_empty() {
            let used = self.main.len();
            let overloaded = self.file.is_used() || self.sname.is_used();
            if !split {
                let needed = used + rest.len();
                if needed + 5 < self.room || (last && !overloaded && needed + 2 < self.room) {
                    self.put_main(code, rest);
                    return;
                }
                if rest.len() < self.file.data_room() {
                    self.file.put(code, rest);
                    return;
                }
                if rest.len() < self.sname.data_room() {
                    self.sname.put(code, rest);
                    return;
                }
                split = true;
            }
            let (piece, place) = if used + 6 < self.room {
                (self.room - used - 5, Place::Main)
            } else if self.file.data_room() > 1 {
                (self.file.data_room(), Place::File)
            } else if self.sname.data_room() > 1 {
                (self.sname.data_room(), Place::Sname)
            } else {
                self.main.truncate(start.0);
                (self.file.used, self.sname.used) = (start.1, start.2);
                return;
            };
            let (piece, after) = rest.split_at(piece.min(255).min(rest.len()));
            match place {
                Place::Main => self.put_main(code, piece),
                Place::File => self.file.put(code, piece),
                Place::Sname => self.sname.put(code, piece),
            }
            rest = after;
        }
    }

    fn put_main(&mut self, code: u8, data: &[u8]) {
        self.main.push(code);
        self.main.push(data.len() as u8);
        self.main.extend_from_slice(data);
    }
}

enum Place {
    Main,
    File,
    Sname,
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
