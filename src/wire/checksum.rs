//! The Internet checksum (RFC 1071).

/// A one's complement sum under way. Runs of odd length count as if padded with a zero octet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Checksum(u64);

impl Checksum {
    /// Adds a run of octets.
    #[must_use]
    pub fn octets(self, octets: &[u8]) -> Self {
        let mut sum = self.0;
        let mut pairs = octets.chunks_exact(2);
        for pair in &mut pairs {
            sum += u64::from(pair[0]) << 8 | u64::from(pair[1]);
        }
        if let [last] = pairs.remainder() {
            sum += u64::from(*last) << 8;
        }
        Self(sum)
    }

    /// Adds a 16-bit number.
    #[must_use]
    pub fn word(self, word: u16) -> Self {
        Self(self.0 + u64::from(word))
    }

    /// The checksum to write into a header; 0 when a header that contains its checksum is right.
    pub fn finish(self) -> u16 {
        let mut sum = self.0;
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        // `sum` is at most 0xffff here.
        !(sum as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_1071_example() {
        let sum = Checksum::default().octets(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
        assert_eq!(sum.finish(), !0xddf2);
    }

    #[test]
    fn odd_runs_are_padded() {
        assert_eq!(Checksum::default().octets(&[0x12]).finish(), !0x1200);
        assert_eq!(Checksum::default().word(0x1200).finish(), !0x1200);
    }
}
