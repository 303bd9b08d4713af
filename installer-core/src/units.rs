//! Quantities and promises as types: sizes, digests, mount points, secrets.
//!
//! Not here: anything that reads the world.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A password, passphrase or token: it does not show itself and does not serialise.
pub use kickstart_parser::Secret;

/// A size in bytes. Prints in binary units (`20 GiB`), parses `20G`, `512MiB`, `1048576`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

impl Bytes {
    /// One MiB.
    pub const MIB: Bytes = Bytes(1 << 20);

    /// `n` MiB.
    pub const fn mib(n: u64) -> Self {
        Bytes(n << 20)
    }

    /// `n` GiB.
    pub const fn gib(n: u64) -> Self {
        Bytes(n << 30)
    }

    /// The whole MiB in this size, rounded down.
    pub const fn as_mib(self) -> u64 {
        self.0 >> 20
    }

    /// This size rounded down to a multiple of `unit`.
    pub const fn align_down(self, unit: Bytes) -> Self {
        Bytes(self.0 / unit.0 * unit.0)
    }

    /// This size rounded up to a multiple of `unit`.
    pub const fn align_up(self, unit: Bytes) -> Self {
        Bytes(self.0.div_ceil(unit.0) * unit.0)
    }
}

impl std::ops::Add for Bytes {
    type Output = Bytes;
    fn add(self, other: Bytes) -> Bytes {
        Bytes(self.0.saturating_add(other.0))
    }
}

impl std::ops::Sub for Bytes {
    type Output = Bytes;
    /// Saturates at zero: a size is never negative.
    fn sub(self, other: Bytes) -> Bytes {
        Bytes(self.0.saturating_sub(other.0))
    }
}

impl Bytes {
    /// The next size that is shown as what it is: who asks for the size that is shown must not get
    /// less than what was meant.
    #[must_use]
    pub fn shown_whole(self) -> Bytes {
        let mut unit = 1_u64;
        while self.0 / unit >= 1024 && unit < 1 << 40 {
            unit <<= 10;
        }
        let step = |parts: u64| {
            let scaled = u128::from(self.0) * u128::from(parts);
            let count = scaled.div_ceil(u128::from(unit));
            u64::try_from((count * u128::from(unit)).div_ceil(u128::from(parts))).map_or(self, Bytes)
        };
        if unit == 1 || self.0 / unit >= 100 { step(1) } else { step(10) }
    }
}

impl std::iter::Sum for Bytes {
    fn sum<I: Iterator<Item = Bytes>>(iter: I) -> Bytes {
        iter.fold(Bytes(0), |a, b| a + b)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
        let mut value = self.0 as f64;
        let mut unit = 0;
        while value >= 1024.0 && unit + 1 < UNITS.len() {
            value /= 1024.0;
            unit += 1;
        }
        let text = if unit == 0 || value.fract() < 0.05 || value >= 100.0 {
            format!("{value:.0} {}", UNITS[unit])
        } else {
            format!("{value:.1} {}", UNITS[unit])
        };
        f.pad(&text)
    }
}

/// Why a text is not a size, a digest or a mount point.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseUnitError(String);

impl FromStr for Bytes {
    type Err = ParseUnitError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let bad = || {
            ParseUnitError(format!("'{text}' is not a size: write a number and a unit, such as 20G, 512M or 1048576"))
        };
        let (whole, fraction) = text[..split].split_once('.').unwrap_or((&text[..split], ""));
        let number: u64 = whole.parse().map_err(|_| bad())?;
        let shift = match text[split..].trim().to_ascii_lowercase().as_str() {
            "" | "b" => 0,
            "k" | "kib" => 10,
            "m" | "mib" => 20,
            "g" | "gib" => 30,
            "t" | "tib" => 40,
            _ => return Err(bad()),
        };
        let whole = number.checked_mul(1 << shift).ok_or_else(bad)?;
        if fraction.is_empty() {
            return if text[..split].ends_with('.') { Err(bad()) } else { Ok(Bytes(whole)) };
        }
        // A part of a byte is none; more digits than these say nothing more.
        let digits = &fraction[..fraction.len().min(9)];
        let part: u64 = digits.parse().ok().filter(|_| shift > 0 && !fraction.contains('.')).ok_or_else(bad)?;
        let part = (u128::from(part) << shift) / 10_u128.pow(digits.len() as u32);
        u64::try_from(part).ok().and_then(|part| whole.checked_add(part)).map(Bytes).ok_or_else(bad)
    }
}

/// A count of 512-byte sectors, the unit of sysfs and of the BLKPG ioctl's arithmetic,
/// whatever the disk's own logical sector size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sectors(pub u64);

impl Sectors {
    /// These sectors as bytes.
    pub const fn bytes(self) -> Bytes {
        Bytes(self.0 * 512)
    }
}

/// A content digest, always `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(String);

impl Digest {
    /// The digest of `data`.
    pub fn of(data: &[u8]) -> Self {
        use sha2::Digest as _;
        Self::from_sha256(&sha2::Sha256::digest(data))
    }

    /// A digest from the 32 raw bytes of a finished SHA-256.
    pub fn from_sha256(raw: &[u8]) -> Self {
        Digest(format!("sha256:{}", hex(raw)))
    }

    /// With its algorithm, `sha256:…`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The hexadecimal digits alone.
    pub fn hex(&self) -> &str {
        &self.0["sha256:".len()..]
    }

    /// Enough to recognise it by in a line of text.
    pub fn short(&self) -> &str {
        &self.hex()[..12]
    }
}

/// Lower-case hexadecimal of `raw`.
pub fn hex(raw: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(raw.len() * 2);
    for byte in raw {
        text.push(DIGITS[usize::from(byte >> 4)] as char);
        text.push(DIGITS[usize::from(byte & 15)] as char);
    }
    text
}

impl FromStr for Digest {
    type Err = ParseUnitError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("sha256:").unwrap_or("");
        if digits.len() == 64 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Ok(Digest(text.to_owned()));
        }
        Err(ParseUnitError(format!("'{text}' is not a digest: it must be sha256: and 64 hexadecimal digits")))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The name of an OSTree system root: one plain name, because it becomes a directory and a part
/// of the kernel's command line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Stateroot(String);

impl Stateroot {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Stateroot {
    /// bootc's.
    fn default() -> Self {
        Stateroot("default".into())
    }
}

impl fmt::Display for Stateroot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Stateroot {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if !plain || name.is_empty() || name.len() > 255 || matches!(name, "." | "..") {
            return Err("a stateroot is one name of letters, digits, '.', '_' and '-', of at most 255");
        }
        Ok(Stateroot(name.to_owned()))
    }
}

impl TryFrom<String> for Stateroot {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        name.parse()
    }
}

impl From<Stateroot> for String {
    fn from(name: Stateroot) -> String {
        name.0
    }
}

/// An absolute, normalised path inside the installed system (`/`, `/boot`, `/var/lib`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MountPoint(String);

impl MountPoint {
    /// The root file system, `/`.
    pub fn root() -> Self {
        MountPoint("/".into())
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How many directories deep it is; `/` is 0. Mounting goes by this order.
    pub fn depth(&self) -> usize {
        self.0.split('/').filter(|part| !part.is_empty()).count()
    }
}

impl FromStr for MountPoint {
    type Err = ParseUnitError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
        if !text.starts_with('/') || parts.iter().any(|part| matches!(*part, "." | "..")) {
            return Err(ParseUnitError(format!(
                "'{text}' is not a mount point: it must be an absolute path without '..'"
            )));
        }
        if text.chars().any(char::is_control) {
            return Err(ParseUnitError(format!("{text:?} is not a mount point: it has control characters")));
        }
        if parts.iter().any(|part| part.len() > 255) || text.len() > 1024 {
            return Err(ParseUnitError(format!(
                "'{text}' is not a mount point: a directory has a name of at most 255 bytes, and the path of 1024"
            )));
        }
        Ok(MountPoint(format!("/{}", parts.join("/"))))
    }
}

impl TryFrom<String> for MountPoint {
    type Error = ParseUnitError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<MountPoint> for String {
    fn from(point: MountPoint) -> String {
        point.0
    }
}

impl fmt::Display for MountPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_may_have_a_fraction() {
        for (text, bytes) in [
            ("2.2G", Some((1_u64 << 30) * 22 / 10)),
            ("1.5 GiB", Some(3 << 29)),
            ("0.5k", Some(512)),
            ("20G", Some(20 << 30)),
            ("1.", None),
            ("1.5", None),
            (".5G", None),
            ("1.2.3G", None),
            ("1.5x", None),
        ] {
            assert_eq!(text.parse::<Bytes>().ok().map(|b| b.0), bytes, "{text}");
        }
    }

    #[test]
    fn a_size_that_is_shown_is_enough() {
        for bytes in
            [1, 1023, 1025, 5 << 20, (5 << 30) + 1, (150 << 30) + 7, 2_306_867_201, 2_330_000_000, u64::MAX / 2]
        {
            let whole = Bytes(bytes).shown_whole();
            let read: Bytes = whole.to_string().parse().unwrap();
            assert!(read.0 >= bytes, "{bytes}: {whole} is {}", read.0);
            assert!(whole.0 as f64 <= bytes as f64 * 1.11 + 1.0, "{bytes}: {whole}");
        }
    }

    #[test]
    fn sizes_parse_and_print() {
        for (text, bytes, shown) in [
            ("20G", 20 << 30, "20 GiB"),
            ("512MiB", 512 << 20, "512 MiB"),
            ("1536", 1536, "1.5 KiB"),
            ("10 g", 10 << 30, "10 GiB"),
        ] {
            let size: Bytes = text.parse().unwrap();
            assert_eq!(size, Bytes(bytes), "{text}");
            assert_eq!(size.to_string(), shown);
        }
        for text in ["", "G", "12X", "-1", "99999999999999999999", "99999999999T"] {
            assert!(text.parse::<Bytes>().is_err(), "{text}");
        }
    }

    #[test]
    fn digests_are_checked() {
        let digest = Digest::of(b"");
        assert_eq!(digest.as_str(), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(digest.as_str().parse::<Digest>().unwrap(), digest);
        for text in
            ["", "sha256:", "sha512:00", "sha256:E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]
        {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }

    #[test]
    fn mount_points_are_normalised() {
        assert_eq!("/var//lib/".parse::<MountPoint>().unwrap().as_str(), "/var/lib");
        assert_eq!("/".parse::<MountPoint>().unwrap(), MountPoint::root());
        assert!("boot".parse::<MountPoint>().is_err());
        assert!("/a/../b".parse::<MountPoint>().is_err());
    }
}
