//! Fingerprints: one 64-bit number for a value, the same on every machine.
//!
//! Anything that implements serde's `Serialize` can be folded. Numbers are widened to 64 bits, sequences and
//! texts are preceded by their length, enum variants by their index; `usize` never reaches the fold as a raw
//! word of the machine. `std::hash::Hash` gives none of these promises, which is why it is not used.
//!
//! Two modes: [`fingerprint`] folds everything (message contents in the digest); [`state_fingerprint`] skips
//! every [`LocalTime`](crate::LocalTime), because two states that differ only in *when* are the same state to
//! exhaustive exploration.

use serde::ser::{self, Serialize};

/// Odd constants with well-spread bits (from the fractional parts of the golden ratio and of √2).
const FIRST: u64 = 0x9E37_79B9_7F4A_7C15;
const SECOND: u64 = 0x6A09_E667_F3BC_C909;

/// Folds two words into a state: the step that digests are made of. One 64×64→128 multiplication, halves
/// combined, as in wyhash (Wang Yi, 2019).
#[inline(always)]
pub fn fold(state: u64, first: u64, second: u64) -> u64 {
    multiply(first ^ FIRST, second ^ state.rotate_left(32) ^ SECOND) ^ state
}

#[inline(always)]
fn multiply(first: u64, second: u64) -> u64 {
    let product = u128::from(first) * u128::from(second);
    #[expect(clippy::cast_possible_truncation, reason = "the two halves are wanted")]
    let (low, high) = (product as u64, (product >> 64) as u64);
    low ^ high
}

/// The fingerprint of a value, instants included.
///
/// # Panics
/// If the value's `Serialize` reports an error of its own, which is a bug of that type.
#[inline]
pub fn fingerprint<T: Serialize + ?Sized>(value: &T) -> u64 {
    run(value, Instants::Folded)
}

/// The fingerprint of a value without any [`LocalTime`](crate::LocalTime) in it.
///
/// # Panics
/// If the value's `Serialize` reports an error of its own, which is a bug of that type.
pub fn state_fingerprint<T: Serialize + ?Sized>(value: &T) -> u64 {
    run(value, Instants::Skipped)
}

#[inline(always)]
fn run<T: Serialize + ?Sized>(value: &T, instants: Instants) -> u64 {
    let mut folder = Folder { sum: 0, place: FIRST, instants };
    if let Err(error) = value.serialize(&mut folder) {
        panic!("a value that is fingerprinted must always serialize: {error}");
    }
    folder.finish()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Instants {
    Folded,
    Skipped,
}

/// The serde serializer behind the fingerprints.
///
/// Each word gives a product that depends on its place, and the products are summed. They do not wait for each
/// other, so a message of a few words costs little more than one of them.
struct Folder {
    sum: u64,
    /// Another for each place; says how many words there were.
    place: u64,
    instants: Instants,
}

impl Folder {
    #[inline(always)]
    fn word(&mut self, word: u64) {
        self.sum = self.sum.wrapping_add(multiply(word ^ self.place, self.place ^ SECOND));
        self.place = self.place.wrapping_add(FIRST);
    }

    #[inline(always)]
    fn finish(self) -> u64 {
        multiply(self.sum ^ FIRST, self.place ^ SECOND) ^ self.sum
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.word(u64::from_le_bytes(word));
        }
    }
}

/// A `Serialize` implementation refused its own value.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Refused(String);

impl ser::Error for Refused {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl ser::Serializer for &mut Folder {
    type Ok = ();
    type Error = Refused;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    #[inline(always)]
    fn serialize_bool(self, value: bool) -> Result<(), Refused> {
        self.word(u64::from(value));
        Ok(())
    }
    #[inline(always)]
    fn serialize_i8(self, value: i8) -> Result<(), Refused> {
        self.serialize_i64(i64::from(value))
    }
    #[inline(always)]
    fn serialize_i16(self, value: i16) -> Result<(), Refused> {
        self.serialize_i64(i64::from(value))
    }
    #[inline(always)]
    fn serialize_i32(self, value: i32) -> Result<(), Refused> {
        self.serialize_i64(i64::from(value))
    }
    #[inline(always)]
    fn serialize_i64(self, value: i64) -> Result<(), Refused> {
        self.word(value.cast_unsigned());
        Ok(())
    }
    #[inline(always)]
    fn serialize_u8(self, value: u8) -> Result<(), Refused> {
        self.serialize_u64(u64::from(value))
    }
    #[inline(always)]
    fn serialize_u16(self, value: u16) -> Result<(), Refused> {
        self.serialize_u64(u64::from(value))
    }
    #[inline(always)]
    fn serialize_u32(self, value: u32) -> Result<(), Refused> {
        self.serialize_u64(u64::from(value))
    }
    #[inline(always)]
    fn serialize_u64(self, value: u64) -> Result<(), Refused> {
        self.word(value);
        Ok(())
    }
    fn serialize_u128(self, value: u128) -> Result<(), Refused> {
        self.bytes(&value.to_le_bytes());
        Ok(())
    }
    fn serialize_i128(self, value: i128) -> Result<(), Refused> {
        self.bytes(&value.to_le_bytes());
        Ok(())
    }
    fn serialize_f32(self, value: f32) -> Result<(), Refused> {
        self.serialize_u32(value.to_bits())
    }
    fn serialize_f64(self, value: f64) -> Result<(), Refused> {
        self.serialize_u64(value.to_bits())
    }
    fn serialize_char(self, value: char) -> Result<(), Refused> {
        self.serialize_u32(u32::from(value))
    }
    fn serialize_str(self, value: &str) -> Result<(), Refused> {
        self.bytes(value.as_bytes());
        Ok(())
    }
    fn serialize_bytes(self, value: &[u8]) -> Result<(), Refused> {
        self.bytes(value);
        Ok(())
    }
    #[inline(always)]
    fn serialize_none(self) -> Result<(), Refused> {
        self.serialize_u64(0)
    }
    #[inline(always)]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Refused> {
        self.word(1);
        value.serialize(self)
    }
    #[inline(always)]
    fn serialize_unit(self) -> Result<(), Refused> {
        Ok(())
    }
    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Refused> {
        Ok(())
    }
    #[inline(always)]
    fn serialize_unit_variant(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
    ) -> Result<(), Refused> {
        self.serialize_u32(index)
    }
    #[inline(always)]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        if self.instants == Instants::Skipped && name == "LocalTime" {
            return Ok(());
        }
        value.serialize(self)
    }
    #[inline(always)]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        self.word(u64::from(index));
        value.serialize(self)
    }
    #[inline(always)]
    fn serialize_seq(self, length: Option<usize>) -> Result<Self, Refused> {
        let length = length.ok_or_else(|| Refused("a sequence must know its length".to_owned()))?;
        self.word(length as u64);
        Ok(self)
    }
    #[inline(always)]
    fn serialize_tuple(self, _length: usize) -> Result<Self, Refused> {
        Ok(self)
    }
    #[inline(always)]
    fn serialize_tuple_struct(self, _name: &'static str, _length: usize) -> Result<Self, Refused> {
        Ok(self)
    }
    #[inline(always)]
    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self, Refused> {
        self.word(u64::from(index));
        Ok(self)
    }
    fn serialize_map(self, length: Option<usize>) -> Result<Self, Refused> {
        self.serialize_seq(length)
    }
    #[inline(always)]
    fn serialize_struct(self, _name: &'static str, _length: usize) -> Result<Self, Refused> {
        Ok(self)
    }
    #[inline(always)]
    fn serialize_struct_variant(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self, Refused> {
        self.word(u64::from(index));
        Ok(self)
    }
}

macro_rules! fold_parts {
    ($($trait:ident :: $method:ident),*) => {
        $(impl ser::$trait for &mut Folder {
            type Ok = ();
            type Error = Refused;
            #[inline(always)]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
                value.serialize(&mut **self)
            }
            #[inline(always)]
            fn end(self) -> Result<(), Refused> {
                Ok(())
            }
        })*
    };
}
fold_parts!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

macro_rules! fold_fields {
    ($($trait:ident),*) => {
        $(impl ser::$trait for &mut Folder {
            type Ok = ();
            type Error = Refused;
            #[inline(always)]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, _name: &'static str, value: &T) -> Result<(), Refused> {
                value.serialize(&mut **self)
            }
            #[inline(always)]
            fn end(self) -> Result<(), Refused> {
                Ok(())
            }
        })*
    };
}
fold_fields!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for &mut Folder {
    type Ok = ();
    type Error = Refused;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refused> {
        key.serialize(&mut **self)
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        value.serialize(&mut **self)
    }
    fn end(self) -> Result<(), Refused> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use serde::Serialize;

    use super::*;
    use crate::LocalTime;

    #[derive(Serialize)]
    enum Shape {
        Point,
        Line(u32),
        Text { text: String, at: LocalTime },
    }

    #[test]
    fn values_that_differ_anywhere_have_different_fingerprints() {
        let text = |text: &str, at| Shape::Text { text: text.to_owned(), at: LocalTime::from_nanos(at) };
        let prints = [
            fingerprint(&Shape::Point),
            fingerprint(&Shape::Line(0)),
            fingerprint(&Shape::Line(1)),
            fingerprint(&text("a", 0)),
            fingerprint(&text("b", 0)),
            fingerprint(&text("b", 1)),
            fingerprint(&(vec![1_u8], vec![2_u8, 3])),
            fingerprint(&(vec![1_u8, 2], vec![3_u8])),
        ];
        let distinct: std::collections::BTreeSet<_> = prints.iter().collect();
        assert_eq!(distinct.len(), prints.len(), "{prints:x?}");
    }

    #[test]
    fn a_state_fingerprint_does_not_see_instants() {
        let at = |at| Shape::Text { text: "a".to_owned(), at: LocalTime::from_nanos(at) };
        assert_eq!(state_fingerprint(&at(1)), state_fingerprint(&at(2)));
        assert_ne!(fingerprint(&at(1)), fingerprint(&at(2)));
    }

    #[test]
    fn a_usize_counts_as_its_value_on_every_word_size() {
        assert_eq!(fingerprint(&7_usize), fingerprint(&7_u64));
        assert_eq!(fingerprint(&7_u32), fingerprint(&7_u64));
    }

    proptest! {
        #[test]
        fn single_bit_changes_flip_about_half_of_the_bits(words in prop::collection::vec(any::<u64>(), 1..20), bit in 0_u32..64) {
            let mut changed = words.clone();
            changed[0] ^= 1 << bit;
            let flipped = (fingerprint(&words) ^ fingerprint(&changed)).count_ones();
            prop_assert!((8..=56).contains(&flipped), "{flipped} bits flipped");
        }
    }
}
