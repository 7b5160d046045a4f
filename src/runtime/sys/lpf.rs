//! The packet socket of an interface: clients without an address are heard and answered through it.
//!
//! Mirrors ISC `common/lpf.c` and the filter of `common/bpf.c`: unfragmented IPv4 UDP to the server port, whatever the
//! Ethernet or IP destination; auxiliary data for VLAN tags and unfinished checksums.

use std::ffi::CString;
use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use super::percent_m;
use crate::config::network::Hardware;
use crate::wire::frame::{Auxiliary, LARGEST_FRAME};

/// How many frames are taken from the kernel in one call.
const BATCH: usize = 32;

/// Hardware type of Ethernet, IEEE 802 and FDDI in DHCP (RFC 1700).
const HTYPE_ETHER: u8 = 1;
const HTYPE_IEEE802: u8 = 6;
const HTYPE_FDDI: u8 = 8;

/// The kernel's number for token ring; not in `libc`.
const ARPHRD_IEEE802_TR: u16 = 800;

/// Why there is no packet socket. Displays as dhcpd's fatal error; [`LpfError::preface`] comes before it.
#[derive(Debug, thiserror::Error)]
pub enum LpfError {
    /// The kernel has no packet sockets or no filters.
    #[error("configuration!")]
    Unsupported(io::Error),
    /// `socket` failed.
    #[error("Open a socket for LPF: {}", percent_m(.0))]
    Socket(io::Error),
    /// There is no such interface.
    #[error("Failed to get interface index: {}", percent_m(.0))]
    Index(io::Error),
    /// `bind` failed.
    #[error("Bind socket to interface: {}", percent_m(.0))]
    Bind(io::Error),
    /// `PACKET_AUXDATA` failed.
    #[error("Failed to set auxiliary packet data: {}", percent_m(.0))]
    Auxiliary(io::Error),
    /// `SO_ATTACH_FILTER` failed.
    #[error("Can't install packet filter program: {}", percent_m(.0))]
    Filter(io::Error),
    /// No hardware address.
    #[error("Error getting hardware address for \"{name}\": {}", percent_m(.error))]
    HardwareAddress {
        /// The interface.
        name: String,
        /// Why.
        error: io::Error,
    },
    /// Not Ethernet, token ring or FDDI.
    #[error("Unsupported device type {1} for \"{0}\"")]
    DeviceType(String, u16),
}

impl LpfError {
    /// The lines dhcpd logs as errors before the fatal one.
    pub fn preface(&self) -> Vec<String> {
        match self {
            Self::Unsupported(error) => vec![
                format!("socket: {} - make sure", percent_m(error)),
                "CONFIG_PACKET (Packet socket) and CONFIG_FILTER".into(),
                "(Socket Filtering) are enabled in your kernel".into(),
            ],
            _ => vec![],
        }
    }

    fn or_unsupported(error: io::Error, other: impl FnOnce(io::Error) -> Self) -> Self {
        match error.raw_os_error() {
            Some(
                libc::ENOPROTOOPT
                | libc::EPROTONOSUPPORT
                | libc::ESOCKTNOSUPPORT
                | libc::EPFNOSUPPORT
                | libc::EAFNOSUPPORT,
            ) => Self::Unsupported(error),
            _ => other(error),
        }
    }
}

/// A packet socket bound to one interface.
#[derive(Debug)]
pub struct PacketSocket {
    descriptor: OwnedFd,
    /// The interface's index.
    pub index: u32,
    /// The interface's hardware type and address.
    pub hardware: Hardware,
}

impl PacketSocket {
    /// Opens a socket on the interface for UDP datagrams to `port`. Non-blocking, closed on exec.
    ///
    /// # Errors
    /// [`LpfError`]; `CAP_NET_RAW` is needed.
    pub fn open(interface: &str, port: u16) -> Result<Self, LpfError> {
        // No protocol yet: the socket hears nothing until the filter is in place and it is bound.
        // SAFETY: a plain system call without pointers.
        let raw = unsafe {
            libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, 0)
        };
        let raw = check(raw).map_err(|error| LpfError::or_unsupported(error, LpfError::Socket))?;
        // SAFETY: the descriptor has just been opened and belongs to nobody else.
        let descriptor = unsafe { OwnedFd::from_raw_fd(raw) };
        let index = interface_index(raw, interface).map_err(LpfError::Index)?;
        let hardware = hardware_address(raw, interface)?;
        set_option(raw, libc::SOL_PACKET, libc::PACKET_AUXDATA, &1_i32).map_err(LpfError::Auxiliary)?;
        attach_filter(raw, port).map_err(|error| LpfError::or_unsupported(error, LpfError::Filter))?;
        // A burst of clients must not overflow the queue; without the right to it the default size stays.
        let _ = set_option(raw, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, &(4_i32 << 20));
        bind(raw, index).map_err(|error| LpfError::or_unsupported(error, LpfError::Bind))?;
        Ok(Self { descriptor, index, hardware })
    }

    /// Takes what the kernel has, at most one batch, without waiting.
    ///
    /// # Errors
    /// As recvmmsg(2); `WouldBlock` when there is nothing.
    pub fn receive(&self, batch: &mut FrameBatch) -> io::Result<usize> {
        batch.receive(self.descriptor.as_raw_fd())
    }

    /// The error the kernel holds for this socket, such as a link that went down; it is forgotten by asking.
    pub fn take_error(&self) -> Option<io::Error> {
        socket2::SockRef::from(&self.descriptor).take_error().ok().flatten()
    }

    /// Sends a whole frame.
    ///
    /// # Errors
    /// As write(2).
    pub fn send(&self, frame: &[u8]) -> io::Result<usize> {
        // SAFETY: the pointer and the length are those of a live slice.
        let sent = unsafe { libc::write(self.descriptor.as_raw_fd(), frame.as_ptr().cast(), frame.len()) };
        usize::try_from(sent).map_err(|_| io::Error::last_os_error())
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl AsRawFd for PacketSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.descriptor.as_raw_fd()
    }
}

/// The index, hardware type and hardware address of an interface.
///
/// # Errors
/// [`LpfError`], when there is no such interface or it is of no type dhcpd knows.
pub fn identify(interface: &str) -> Result<(u32, Hardware), LpfError> {
    let socket = std::net::UdpSocket::bind((std::net::Ipv4Addr::UNSPECIFIED, 0)).map_err(LpfError::Socket)?;
    let index = interface_index(socket.as_raw_fd(), interface).map_err(LpfError::Index)?;
    Ok((index, hardware_address(socket.as_raw_fd(), interface)?))
}

/// Room for a batch of frames; reused for every call.
pub struct FrameBatch {
    frames: Vec<[u8; LARGEST_FRAME]>,
    controls: Vec<Control>,
    received: Vec<(usize, Auxiliary)>,
}

/// Room for one control message, aligned as its header wants to be.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; 64]);

/// `struct tpacket_auxdata` of linux/if_packet.h.
#[derive(Clone, Copy)]
#[repr(C)]
#[allow(dead_code)] // the kernel fills all of it, we look at two fields
struct TpacketAuxdata {
    status: u32,
    len: u32,
    snaplen: u32,
    mac: u16,
    net: u16,
    vlan_tci: u16,
    vlan_tpid: u16,
}

/// `TP_STATUS_CSUMNOTREADY`
const CHECKSUM_NOT_READY: u32 = 1 << 3;

impl Default for FrameBatch {
    fn default() -> Self {
        Self {
            frames: vec![[0; LARGEST_FRAME]; BATCH],
            controls: vec![Control([0; 64]); BATCH],
            received: Vec::with_capacity(BATCH),
        }
    }
}

impl FrameBatch {
    /// The frames of the last call, each with what the kernel said about it.
    pub fn frames(&self) -> impl Iterator<Item = (&[u8], Auxiliary)> {
        let whole = self.frames.iter().zip(&self.received);
        whole.map(|(frame, (length, auxiliary))| (frame.get(..*length).unwrap_or(frame), *auxiliary))
    }

    fn receive(&mut self, descriptor: RawFd) -> io::Result<usize> {
        self.received.clear();
        let mut vectors: [libc::iovec; BATCH] =
            [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; BATCH];
        // SAFETY: all-zero is a valid `mmsghdr`: null pointers with zero lengths.
        let mut messages: [libc::mmsghdr; BATCH] = unsafe { mem::zeroed() };
        let buffers = self.frames.iter_mut().zip(&mut self.controls);
        for ((message, vector), (frame, control)) in messages.iter_mut().zip(&mut vectors).zip(buffers) {
            vector.iov_base = frame.as_mut_ptr().cast();
            vector.iov_len = frame.len();
            message.msg_hdr.msg_iov = vector;
            message.msg_hdr.msg_iovlen = 1;
            message.msg_hdr.msg_control = control.0.as_mut_ptr().cast();
            message.msg_hdr.msg_controllen = control.0.len();
        }
        // SAFETY: every header points to one vector and one control buffer, both live and of the length given, and
        // the array has BATCH entries.
        let count = unsafe {
            libc::recvmmsg(descriptor, messages.as_mut_ptr(), BATCH as u32, 0, std::ptr::null_mut())
        };
        let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        for message in messages.iter().take(count) {
            self.received.push((message.msg_len as usize, auxiliary_data(&message.msg_hdr)));
        }
        Ok(count)
    }
}

/// What the control messages of a received frame say.
fn auxiliary_data(header: &libc::msghdr) -> Auxiliary {
    let mut auxiliary = Auxiliary::default();
    // SAFETY: the kernel has filled the header's control buffer and set its length; the CMSG macros walk within it,
    // and `read_unaligned` copies a plain structure out of a message whose length has been checked.
    unsafe {
        let mut message = libc::CMSG_FIRSTHDR(header);
        while let Some(control) = message.as_ref() {
            let room = libc::CMSG_LEN(mem::size_of::<TpacketAuxdata>() as u32) as usize;
            if control.cmsg_level == libc::SOL_PACKET
                && control.cmsg_type == libc::PACKET_AUXDATA
                && control.cmsg_len >= room
            {
                let data: TpacketAuxdata = libc::CMSG_DATA(message).cast::<TpacketAuxdata>().read_unaligned();
                auxiliary.vlan = data.vlan_tci;
                auxiliary.checksum_ready = data.status & CHECKSUM_NOT_READY == 0;
            }
            message = libc::CMSG_NXTHDR(header, message);
        }
    }
    auxiliary
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn set_option<T>(descriptor: RawFd, level: i32, option: i32, value: &T) -> io::Result<()> {
    let length = mem::size_of::<T>() as libc::socklen_t;
    // SAFETY: pointer and length are those of a live value.
    check(unsafe { libc::setsockopt(descriptor, level, option, std::ptr::from_ref(value).cast(), length) })
        .map(drop)
}

/// An `ifreq` that names the interface; names the kernel cannot know are refused.
fn request_for(interface: &str) -> io::Result<libc::ifreq> {
    let name = CString::new(interface).map_err(|_| io::Error::from_raw_os_error(libc::ENODEV))?;
    // SAFETY: all-zero is a valid `ifreq`.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    let octets = name.as_bytes_with_nul();
    if octets.len() > request.ifr_name.len() {
        return Err(io::Error::from_raw_os_error(libc::ENODEV));
    }
    for (place, octet) in request.ifr_name.iter_mut().zip(octets) {
        *place = *octet as libc::c_char;
    }
    Ok(request)
}

fn interface_index(descriptor: RawFd, interface: &str) -> io::Result<u32> {
    let mut request = request_for(interface)?;
    // SAFETY: SIOCGIFINDEX reads the name of, and writes the index into, a live `ifreq`.
    check(unsafe { libc::ioctl(descriptor, libc::SIOCGIFINDEX, &mut request) })?;
    // SAFETY: the call has just filled this member of the union.
    let index = unsafe { request.ifr_ifru.ifru_ifindex };
    u32::try_from(index).map_err(|_| io::Error::from_raw_os_error(libc::ENODEV))
}

fn hardware_address(descriptor: RawFd, interface: &str) -> Result<Hardware, LpfError> {
    let failed = |error| LpfError::HardwareAddress { name: interface.to_owned(), error };
    let mut request = request_for(interface).map_err(failed)?;
    // SAFETY: SIOCGIFHWADDR reads the name of, and writes an address into, a live `ifreq`.
    check(unsafe { libc::ioctl(descriptor, libc::SIOCGIFHWADDR, &mut request) }).map_err(failed)?;
    // SAFETY: the call has just filled this member of the union.
    let address = unsafe { request.ifr_ifru.ifru_hwaddr };
    let htype = match address.sa_family {
        libc::ARPHRD_ETHER => HTYPE_ETHER,
        libc::ARPHRD_IEEE802 | ARPHRD_IEEE802_TR => HTYPE_IEEE802,
        libc::ARPHRD_FDDI => HTYPE_FDDI,
        other => return Err(LpfError::DeviceType(interface.to_owned(), other)),
    };
    let octets = address.sa_data.iter().take(6).map(|octet| *octet as u8).collect();
    Ok(Hardware { htype, address: octets })
}

fn bind(descriptor: RawFd, index: u32) -> io::Result<()> {
    // SAFETY: all-zero is a valid `sockaddr_ll`.
    let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    address.sll_ifindex = index as i32;
    let length = mem::size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    // SAFETY: pointer and length are those of a live address.
    check(unsafe { libc::bind(descriptor, std::ptr::from_ref(&address).cast(), length) }).map(drop)
}

fn attach_filter(descriptor: RawFd, port: u16) -> io::Result<()> {
    let mut instructions = filter(port);
    let program = libc::sock_fprog { len: instructions.len() as u16, filter: instructions.as_mut_ptr() };
    set_option(descriptor, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
}

/// The filter program: 0xffff octets of every unfragmented IPv4 UDP datagram to `port`, nothing of the rest.
fn filter(port: u16) -> [libc::sock_filter; 11] {
    let load = |size: u32, mode: u32, k: u32| step(libc::BPF_LD | size | mode, 0, 0, k);
    let jump = |test: u32, k: u32, yes: u8, no: u8| step(libc::BPF_JMP | test | libc::BPF_K, yes, no, k);
    let (half, byte) = (libc::BPF_H, libc::BPF_B);
    [
        load(half, libc::BPF_ABS, 12), // the Ethernet type
        jump(libc::BPF_JEQ, 0x0800, 0, 8),
        load(byte, libc::BPF_ABS, 23), // the IP protocol
        jump(libc::BPF_JEQ, 17, 0, 6),
        load(half, libc::BPF_ABS, 20), // flags and fragment offset
        jump(libc::BPF_JSET, 0x1fff, 4, 0),
        step(libc::BPF_LDX | byte | libc::BPF_MSH, 0, 0, 14), // the IP header's length
        load(half, libc::BPF_IND, 16),                        // the UDP destination port
        jump(libc::BPF_JEQ, u32::from(port), 0, 1),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, u32::MAX),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, 0),
    ]
}

fn step(code: u32, jt: u8, jf: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter { code: code as u16, jt, jf, k }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_end_in_the_two_returns() {
        let program = filter(67);
        let accept = program.len() - 2;
        for (place, step) in program.iter().enumerate() {
            if u32::from(step.code) & 7 == libc::BPF_JMP {
                let (yes, no) = (place + 1 + usize::from(step.jt), place + 1 + usize::from(step.jf));
                assert!(yes <= accept + 1 && no <= accept + 1);
                assert!(no == accept + 1 || yes == accept + 1, "step {place} neither passes nor drops");
            }
        }
        assert_eq!(program[8].k, 67);
    }

    #[test]
    fn names_the_kernel_cannot_know() {
        assert!(request_for("abcdefghijklmno").is_ok());
        assert!(request_for("abcdefghijklmnop").is_err());
        assert!(request_for("a\0b").is_err());
    }

    #[test]
    fn the_auxiliary_structure_has_the_kernel_s_size() {
        assert_eq!(mem::size_of::<TpacketAuxdata>(), 20);
    }
}
