//! The codec by itself: what serde can say comes back, and hostile input is refused.

use std::{collections::BTreeMap, fmt::Debug};

use proptest::{collection::vec, prelude::*};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{CodecError, MAX_DEPTH, SecretBytes, decode, encode};

fn encoded<T: Serialize>(value: &T) -> Result<Vec<u8>, CodecError> {
    let mut out = SecretBytes::default();
    encode(value, &mut out)?;
    Ok(out.as_slice().to_vec())
}

#[track_caller]
fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T) {
    let bytes = encoded(&value).unwrap();
    assert_eq!(decode::<T>(&bytes).as_ref(), Ok(&value), "{bytes:02x?}");
    for length in 0..bytes.len() {
        assert!(decode::<T>(&bytes[..length]).is_err(), "{length} of {bytes:02x?}");
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert_eq!(decode::<T>(&longer), Err(CodecError::TrailingBytes));
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct New(u8);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Pair(u8, String);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Sum {
    Unit,
    New(Vec<u8>),
    Tuple(u8, Option<u16>),
    Struct { a: i8, b: () },
}

/// Buffered before the variant is known, like OpenMLS's `PastEpochDeletionPolicy`.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(u64),
    Negative(i64),
    Text(String),
    Sequence(Vec<Untagged>),
    Map(BTreeMap<String, Untagged>),
}

#[test]
fn all_kinds_of_values() {
    round_trip(());
    round_trip(Unit);
    round_trip((true, false));
    for number in [0, 1, 127, 128, 255, 256, 16_383, 16_384, u64::from(u32::MAX), u64::MAX] {
        round_trip(number);
        round_trip((number as u8, number as u16, number as u32, number as usize));
        round_trip((number as i8, number as i16, number as i32, number as i64));
        round_trip((u128::from(number) << 60, -(i128::from(number) << 60)));
    }
    round_trip((i8::MIN, i16::MIN, i32::MIN, i64::MIN, i128::MIN, u128::MAX));
    round_trip((1.5f32, -2.25f64, f64::INFINITY));
    round_trip(['a', 'é', '𝄞', '\u{10ffff}']);
    round_trip(String::from("Grüße"));
    round_trip([None, Some(None), Some(Some(3u8))]);
    round_trip((New(5), Pair(6, "seven".into())));
    round_trip([Sum::Unit, Sum::New(vec![1]), Sum::Tuple(2, None), Sum::Struct { a: -3, b: () }]);
    round_trip(vec![New(1), New(2)]);
    round_trip(vec![vec![], vec![0u8; 1000]]);
    round_trip((Vec::<u16>::new(), vec![1u16, 300]));
    round_trip(BTreeMap::from([(vec![1u8], Some(2u8)), (vec![], None)]));
    round_trip(vec![(); 3]);
}

#[test]
fn untagged_values() {
    use Untagged::*;
    round_trip(Number(7));
    round_trip(Negative(-7));
    round_trip(Sequence(vec![Number(1), Text("two".into()), Sequence(vec![])]));
    round_trip(Map(BTreeMap::from([("key".into(), Number(3))])));
}

/// Serialised as bytes, and read by asking what comes: like `tls_codec`'s `VLByteVec`.
#[derive(Debug, PartialEq)]
struct Blob(Vec<u8>);

impl Serialize for Blob {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Blob;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Blob, E> {
                Ok(Blob(bytes.to_vec()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[test]
fn byte_strings() {
    round_trip((Blob(vec![]), Blob(vec![1, 2, 3]), vec![Blob(vec![4])]));
}

#[test]
fn bytes_are_packed() {
    assert_eq!(encoded(&vec![1u8, 2, 3]), Ok(vec![0x0f, 3, 1, 2, 3]));
    assert_eq!(encoded(&vec![New(1), New(2)]), Ok(vec![0x0f, 2, 1, 2]));
    assert_eq!(encoded(&Vec::<u8>::new()), Ok(vec![0x10, 0]));
    assert_eq!(encoded(&vec![300u16]), Ok(vec![0x10, 1, 0x06, 0xac, 0x02]));
}

/// What an untagged enum may come to: items of one type that are bytes and something else.
#[derive(Debug, Clone, PartialEq)]
enum Mixed {
    Byte(u8),
    Text(String),
    Refused,
}

impl Serialize for Mixed {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Byte(byte) => serializer.serialize_u8(*byte),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Refused => Err(serde::ser::Error::custom("refused")),
        }
    }
}

impl<'de> Deserialize<'de> for Mixed {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Mixed;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a byte or text")
            }
            fn visit_u8<E>(self, byte: u8) -> Result<Mixed, E> {
                Ok(Mixed::Byte(byte))
            }
            fn visit_str<E>(self, text: &str) -> Result<Mixed, E> {
                Ok(Mixed::Text(text.into()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[test]
fn sequences_that_are_not_all_bytes() {
    let text = || Mixed::Text("x".into());
    let (one, two) = (Mixed::Byte(1), Mixed::Byte(2));
    round_trip(vec![one.clone(), text(), two.clone(), text(), text()]);
    round_trip(vec![text(), one.clone()]);
    round_trip((5u8, vec![one.clone(), two.clone(), text()], 6u8));
    let refused = vec![one, two, Mixed::Refused];
    assert_eq!(encoded(&refused), Err(CodecError::Rejected));
}

#[test]
fn lengths_must_be_known_and_true() {
    struct Odd;
    impl Serialize for Odd {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq((0..10u16).filter(|number| number % 2 == 1))
        }
    }
    struct Short;
    impl Serialize for Short {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            use serde::ser::SerializeSeq;
            let mut sequence = serializer.serialize_seq(Some(2))?;
            sequence.serialize_element(&1u8)?;
            sequence.end()
        }
    }
    #[derive(Serialize)]
    struct Skipping {
        #[serde(skip_serializing_if = "Option::is_none")]
        first: Option<u8>,
        second: Option<u8>,
    }
    assert_eq!(encoded(&Odd), Err(CodecError::UnreliableLength));
    assert_eq!(encoded(&Short), Err(CodecError::UnreliableLength));
    let skipping = Skipping { first: None, second: Some(1) };
    assert_eq!(encoded(&skipping), Err(CodecError::UnreliableLength));
}

#[test]
fn a_field_that_was_added_takes_its_default() {
    #[derive(Serialize)]
    struct Before(u8, u8);
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct After(u8, u8, #[serde(default)] Option<u32>);
    let before = encoded(&Before(1, 2)).unwrap();
    assert_eq!(decode(&before), Ok(After(1, 2, None)));
    let after = encoded(&After(1, 2, Some(3))).unwrap();
    assert_eq!(decode::<(u8, u8)>(&after), Err(CodecError::TrailingBytes));
}

#[test]
fn malformed_input_is_refused() {
    assert_eq!(decode::<u8>(&[]), Err(CodecError::UnexpectedEnd));
    assert_eq!(decode::<u8>(&[0x7f]), Err(CodecError::UnexpectedTag));
    assert_eq!(decode::<bool>(&[0x05, 1]), Err(CodecError::Rejected));
    assert_eq!(decode::<u8>(&[0x06, 0x80, 0x02]), Err(CodecError::Rejected));
    // Numbers: not the shortest form, too large, too long.
    assert_eq!(decode::<u64>(&[0x06, 0x80, 0x00]), Err(CodecError::InvalidNumber));
    let max = [&[0x06][..], &[0xff; 9], &[0x01]].concat();
    assert_eq!(decode::<u64>(&max), Ok(u64::MAX));
    let over = [&[0x06][..], &[0xff; 9], &[0x02]].concat();
    assert_eq!(decode::<u64>(&over), Err(CodecError::InvalidNumber));
    let long = [&[0x06][..], &[0xff; 10], &[0x01]].concat();
    assert_eq!(decode::<u64>(&long), Err(CodecError::InvalidNumber));
    assert_eq!(decode::<String>(&[0x0d, 1, 0xff]), Err(CodecError::InvalidText));
    assert_eq!(decode::<char>(&[0x0c, 0x80, 0xb0, 0x03]), Err(CodecError::InvalidText));
    assert_eq!(decode::<Vec<u8>>(&[0x0f, 4, 1, 2, 3]), Err(CodecError::UnexpectedEnd));
    assert_eq!(decode::<(u8, u8)>(&[0x0f, 3, 1, 2, 3]), Err(CodecError::TrailingBytes));
    assert_eq!(decode::<Sum>(&[0x12, 0, 0x01]), Err(CodecError::UnexpectedTag));
    assert_eq!(decode::<Sum>(&[0x12, 9, 0x00]), Err(CodecError::Rejected));
}

#[test]
fn nesting_is_limited() {
    let depth = usize::from(MAX_DEPTH);
    let nested = |depth: usize| [[0x10, 1].repeat(depth), vec![0x06, 1]].concat();
    assert!(decode::<Untagged>(&nested(depth)).is_ok());
    for depth in [depth + 1, 1_000_000] {
        assert_eq!(decode::<Untagged>(&nested(depth)), Err(CodecError::TooDeep));
        let ignored = decode::<serde::de::IgnoredAny>(&nested(depth));
        assert_eq!(ignored.unwrap_err(), CodecError::TooDeep);
    }
}

proptest! {
    #[test]
    fn any_bytes_come_back(bytes in vec(any::<u8>(), 0..3000), numbers in vec(any::<u16>(), 0..9)) {
        let value = (bytes, numbers);
        prop_assert_eq!(decode(&encoded(&value)?), Ok(value));
    }

    #[test]
    fn concatenations_are_unambiguous(
        left in vec(vec(0..3u8, 0..3), 2),
        right in vec(vec(0..3u8, 0..3), 2),
    ) {
        let joined = |parts: &[Vec<u8>]| {
            parts.iter().map(encoded).collect::<Result<Vec<_>, _>>().unwrap().concat()
        };
        prop_assert_eq!(left == right, joined(&left) == joined(&right));
    }

    #[test]
    fn accepted_numbers_have_one_encoding(bytes in vec(any::<u8>(), 0..12)) {
        let input = [&[0x06], bytes.as_slice()].concat();
        if let Ok(number) = decode::<u64>(&input) {
            prop_assert_eq!(encoded(&number)?, input);
        }
    }
}
