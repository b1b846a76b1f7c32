//! Sizes and bandwidths: `"4KiB"`, `"10MiB/s"`.

use std::fmt;
use std::str::FromStr;

use super::UnitError;
use super::decimal::{Quantity, Unit, write_in_largest};
use super::text_form::text_form;

const BYTES: &[Unit] = &[("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

const SIZE: Quantity = Quantity {
    what: "a size",
    allowed: "a number directly followed by `B`, `KiB`, `MiB` or `GiB`",
    units: &[("KiB", 1 << 10), ("B", 1), ("MiB", 1 << 20), ("GiB", 1 << 30)],
};

const BANDWIDTH: Quantity = Quantity {
    what: "a bandwidth",
    allowed: "a number directly followed by `B/s`, `KiB/s`, `MiB/s` or `GiB/s`",
    units: &[("MiB/s", 1 << 20), ("B/s", 1), ("KiB/s", 1 << 10), ("GiB/s", 1 << 30)],
};

/// A number of bytes: `"4KiB"`, `"1.5MiB"`, `"100B"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size {
    bytes: u64,
}

impl Size {
    /// `bytes` bytes.
    pub const fn from_bytes(bytes: u64) -> Self {
        Self { bytes }
    }

    /// The size in bytes.
    pub const fn bytes(self) -> u64 {
        self.bytes
    }
}

impl FromStr for Size {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        Ok(Self { bytes: SIZE.parse(text)? })
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_in_largest(f, self.bytes, BYTES)
    }
}

text_form!(
    Size,
    "a size with its unit: B, KiB, MiB or GiB",
    r"^\d+(\.\d+)?(B|KiB|MiB|GiB)$",
    ["4KiB", "100B"]
);

/// Bytes in a second: `"10MiB/s"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bandwidth {
    bytes_per_second: u64,
}

impl Bandwidth {
    /// `bytes` bytes in each second.
    pub const fn from_bytes_per_second(bytes: u64) -> Self {
        Self { bytes_per_second: bytes }
    }

    /// The bytes that pass in a second.
    pub const fn bytes_per_second(self) -> u64 {
        self.bytes_per_second
    }
}

impl FromStr for Bandwidth {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        Ok(Self { bytes_per_second: BANDWIDTH.parse(text)? })
    }
}

impl fmt::Display for Bandwidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_in_largest(f, self.bytes_per_second, BYTES)?;
        f.write_str("/s")
    }
}

text_form!(
    Bandwidth,
    "bytes in a second: B/s, KiB/s, MiB/s or GiB/s",
    r"^\d+(\.\d+)?(B|KiB|MiB|GiB)/s$",
    ["10MiB/s"]
);
