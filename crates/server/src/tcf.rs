//! What does a TCF string say about purposes? The core part of a string of the IAB Transparency and Consent Framework,
//! version 2: who asked, when it last changed, and the 24 purposes that were consented to. Vendors, legitimate
//! interests and everything else in it are deliberately not read.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;

/// Longest string that is read, in bytes.
const BYTES_MAX: usize = 4096;
/// The version of the framework's strings that is read.
const VERSION: u64 = 2;
/// Purposes in a string.
const PURPOSES: usize = 24;

/// What a string says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consents {
    /// When it was last changed.
    pub changed_at: Timestamp,
    /// The consent platform that asked.
    pub platform: u64,
    /// The version of the list of vendors that was shown.
    pub vendor_list: u64,
    purposes: u64,
}

impl Consents {
    /// Reads a string.
    ///
    /// # Errors
    /// A sentence when it is too long, cut off, of another version, or no such string at all.
    pub fn read(string: &str) -> Result<Self, &'static str> {
        if string.len() > BYTES_MAX {
            return Err("the string is longer than any that is read here");
        }
        let core = string.split('.').next().unwrap_or_default();
        let bytes = URL_SAFE_NO_PAD.decode(core).map_err(|_| "the string is not base64url")?;
        let mut bits = Bits { bytes: &bytes, next: 0 };
        if bits.take(6)? != VERSION {
            return Err("only strings of version 2 are read");
        }
        let _created = bits.take(36)?;
        let changed = i64::try_from(bits.take(36)?).unwrap_or(i64::MAX).saturating_mul(100);
        let platform = bits.take(12)?;
        let _platform_version_screen_and_language = bits.take(12 + 6 + 12)?;
        let vendor_list = bits.take(12)?;
        let _policy_flags_and_features = bits.take(6 + 1 + 1 + 12)?;
        let purposes = bits.take(PURPOSES)?;
        let changed_at = Timestamp::from_millisecond(changed).map_err(|_| "the string has no moment")?;
        Ok(Self { changed_at, platform, vendor_list, purposes })
    }

    /// Whether a purpose, 1 to 24, was consented to.
    pub fn allows(&self, purpose: u8) -> bool {
        let purpose = usize::from(purpose);
        (1..=PURPOSES).contains(&purpose) && self.purposes >> (PURPOSES - purpose) & 1 == 1
    }
}

/// Bits from the left.
struct Bits<'a> {
    bytes: &'a [u8],
    next: usize,
}

impl Bits<'_> {
    /// The next bits as a number; at most 64.
    fn take(&mut self, count: usize) -> Result<u64, &'static str> {
        let mut number = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.next / 8).ok_or("the string is cut off")?;
            number = number << 1 | u64::from(byte >> (7 - self.next % 8) & 1);
            self.next += 1;
        }
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(version: u64, purposes: u64) -> String {
        let fields = [
            (version, 6),
            (17_000_000_000, 36),
            (17_000_000_001, 36),
            (31, 12),
            (1, 12),
            (0, 6),
            (0, 12),
            (150, 12),
            (4, 6),
            (0, 2),
            (0, 12),
            (purposes, 24),
        ];
        let bits: Vec<u8> = fields
            .iter()
            .flat_map(|(value, width)| (0..*width).rev().map(move |bit| (value >> bit & 1) as u8))
            .collect();
        let bytes: Vec<u8> = bits
            .chunks(8)
            .map(|byte| byte.iter().enumerate().fold(0, |sum, (place, bit)| sum | bit << (7 - place)))
            .collect();
        URL_SAFE_NO_PAD.encode(bytes)
    }

    #[test]
    fn a_string_says_who_asked_when_and_which_purposes_were_consented_to() {
        let said = Consents::read(&format!("{}.YAAA", string(2, 0b1010 << 20))).expect("a string");
        assert_eq!((said.platform, said.vendor_list), (31, 150));
        assert_eq!(said.changed_at.as_millisecond(), 1_700_000_000_100);
        let allowed: Vec<u8> = (0..=30).filter(|purpose| said.allows(*purpose)).collect();
        assert_eq!(allowed, [1, 3]);
    }

    #[test]
    fn what_is_no_such_string_is_refused_and_never_read_halfway() {
        for (text, why) in [
            ("", "cut off"),
            ("not base64url!", "base64url"),
            (&*string(1, 0), "version 2"),
            (&string(2, 0)[..12], "cut off"),
            (&*"A".repeat(BYTES_MAX + 1), "longer"),
        ] {
            let said = Consents::read(text).expect_err(text);
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}
