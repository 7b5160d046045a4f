//! The fallback UDP socket and the ICMP socket.
//!
//! The fallback socket sends what the kernel is to route (replies to relay agents and to clients that have an
//! address), and holds the server port; what it receives is thrown away, as the packet sockets see it too. The ICMP
//! socket is for `ping-check`. Mirrors ISC `common/socket.c` and `common/icmp.c`.

use std::io;
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd, RawFd};

use socket2::{Domain, Protocol, Socket, Type};

use super::percent_m;
use crate::wire::icmp;

/// Why there is no fallback socket. Displays as dhcpd's fatal error; [`FallbackError::preface`] comes before it.
#[derive(Debug, thiserror::Error)]
pub enum FallbackError {
    /// `socket` failed.
    #[error("Can't create dhcp socket for fallback: {}", percent_m(.0))]
    Socket(io::Error),
    /// `SO_REUSEADDR` failed.
    #[error("Can't set SO_REUSEADDR on dhcp socket for fallback: {}", percent_m(.0))]
    ReuseAddress(io::Error),
    /// `bind` failed: most likely another server has the port.
    #[error("includes a bootp server.")]
    Bind(io::Error),
}

impl FallbackError {
    /// The lines dhcpd logs as errors before the fatal one.
    pub fn preface(&self) -> Vec<String> {
        match self {
            Self::Bind(error) => vec![
                format!("Can't bind to dhcp address: {}", percent_m(error)),
                "Please make sure there is no other dhcp server".into(),
                "running and that there's no entry for dhcp or".into(),
                "bootp in /etc/inetd.conf.   Also make sure you".into(),
                "are not running HP JetAdmin software, which".into(),
            ],
            _ => vec![],
        }
    }
}

/// The fallback socket.
#[derive(Debug)]
pub struct Fallback(Socket);

impl Fallback {
    /// Opens the socket and binds it to the server port (and `local-address`). Like dhcpd's it may not broadcast.
    ///
    /// # Errors
    /// [`FallbackError`].
    pub fn open(address: Ipv4Addr, port: u16) -> Result<Self, FallbackError> {
        let socket =
            Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).map_err(FallbackError::Socket)?;
        socket.set_nonblocking(true).map_err(FallbackError::Socket)?;
        socket.set_reuse_address(true).map_err(FallbackError::ReuseAddress)?;
        socket.bind(&SocketAddrV4::new(address, port).into()).map_err(FallbackError::Bind)?;
        Ok(Self(socket))
    }

    /// Sends a datagram.
    ///
    /// # Errors
    /// As sendto(2).
    pub fn send(&self, payload: &[u8], destination: SocketAddrV4) -> io::Result<usize> {
        self.0.send_to(payload, &destination.into())
    }

    /// Throws one datagram away. False when there is none; a pending error counts as one.
    pub fn discard(&self) -> bool {
        let mut buffer = [MaybeUninit::uninit(); 64];
        match self.0.recv(&mut buffer) {
            Ok(_) => true,
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        }
    }
}

impl AsRawFd for Fallback {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// The raw ICMP socket.
#[derive(Debug)]
pub struct Icmp(Socket);

impl Icmp {
    /// Opens the socket.
    ///
    /// # Errors
    /// As socket(2); `CAP_NET_RAW` is needed.
    pub fn open() -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4))?;
        socket.set_nonblocking(true)?;
        Ok(Self(socket))
    }

    /// Sends an echo request.
    ///
    /// # Errors
    /// As sendto(2).
    pub fn ping(&self, address: Ipv4Addr) -> io::Result<usize> {
        let [.., third, fourth] = address.octets();
        let request = icmp::echo_request(u16::from_be_bytes([third, fourth]));
        self.0.send_to(&request, &SocketAddrV4::new(address, 0).into())
    }

    /// Takes one ICMP message: the sender if it is an echo reply, `None` if it is something else.
    ///
    /// # Errors
    /// As recvfrom(2); `WouldBlock` when there is none.
    pub fn receive(&self) -> io::Result<Option<Ipv4Addr>> {
        let mut buffer = [0_u8; 1500];
        let (length, from) = {
            // SAFETY: octets are valid as uninitialised ones, and `recv_from` only writes initialised ones.
            let view = unsafe { &mut *(std::ptr::from_mut(&mut buffer) as *mut [MaybeUninit<u8>; 1500]) };
            self.0.recv_from(view)?
        };
        let packet = buffer.get(..length).unwrap_or(&buffer);
        if !icmp::is_echo_reply(packet) {
            return Ok(None);
        }
        Ok(from.as_socket_ipv4().map(|from| *from.ip()))
    }
}

impl AsRawFd for Icmp {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fallback_socket_discards_what_it_hears() {
        let fallback = Fallback::open(Ipv4Addr::LOCALHOST, 0).expect("a socket");
        let address = fallback.0.local_addr().expect("bound").as_socket_ipv4().expect("IPv4");
        assert!(!fallback.discard());
        fallback.send(b"x", address).expect("sent");
        assert!(fallback.discard());
        assert!(!fallback.discard());
    }

    #[test]
    fn a_taken_port_is_told_in_dhcpd_s_words() {
        let first = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).expect("a socket");
        first.bind(&SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0).into()).expect("bound");
        let port = first.local_addr().expect("bound").as_socket_ipv4().expect("IPv4").port();
        let error = Fallback::open(Ipv4Addr::LOCALHOST, port).expect_err("taken");
        assert_eq!(error.to_string(), "includes a bootp server.");
        assert_eq!(error.preface()[0], "Can't bind to dhcp address: Address already in use");
    }
}
