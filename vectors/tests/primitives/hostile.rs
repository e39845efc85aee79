//! A file that somebody else wrote may hold anything.

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use trellis_vectors::{Failure, Trellis};

use crate::changes::{leaves, samples};
use crate::{FILES, implementations};

#[test]
fn unknown_numbers_and_modes_are_skipped_and_named() {
    let vector = |stem: &str| {
        let file = FILES.iter().find(|file| file.stem.starts_with(stem)).unwrap();
        (file.check, file.vectors[0].clone())
    };
    for (stem, field, value, reason) in [
        ("hpke/", "kem_id", 0x0040, "KEM 0x0040"),
        ("hpke/", "kdf_id", 0x0012, "KDF 0x0012"),
        ("hpke/", "aead_id", 0x0007, "AEAD 0x0007"),
        ("hpke/", "mode", 2, "mode 2"),
        ("kem/", "kem_id", 0x0040, "KEM 0x0040"),
        ("signature/", "scheme", 0x0807, "signature scheme 0x0807"),
    ] {
        let (check, mut vector) = vector(stem);
        vector[field] = json!(value);
        let result = check(&vector, &Trellis::default());
        assert_eq!(result, Err(Failure::Skipped(reason.into())), "{stem}");
    }
}

#[test]
fn a_claimed_length_is_not_believed() {
    let file = FILES.iter().find(|file| file.stem.starts_with("hpke/")).unwrap();
    for length in [json!(u64::MAX), json!(1_u64 << 40), json!(33), json!(-1), json!(1e99)] {
        let mut vector = file.vectors[0].clone();
        vector["exports"][0]["L"] = length;
        assert!((file.check)(&vector, &Trellis::default()).is_err());
    }
}

/// What somebody may put into a file in the place of a value.
fn anything() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(|it| json!(it)),
        any::<u64>().prop_map(|it| json!(it)),
        any::<i64>().prop_map(|it| json!(it)),
        any::<u16>().prop_map(|it| json!(it)),
        (0_u16..=3).prop_map(|it| json!(it)),
        ".{0,20}".prop_map(|it| json!(it)),
        prop::collection::vec(any::<u8>(), 0..200).prop_map(|it| json!(hex::encode(it))),
        (0_usize..5000).prop_map(|it| json!("00".repeat(it))),
        Just(json!([])),
        Just(json!({})),
    ]
}

/// Something else in the place of a value: what it was with an end missing or another one added, a
/// value from elsewhere in the vector, or anything.
fn edited(value: &Value, cut: Index, elsewhere: &Value, anything: Value, how: u8) -> Value {
    match (how, value) {
        (0, Value::String(text)) if text.is_ascii() => json!(text[..cut.index(text.len() + 1)]),
        (1, Value::String(text)) if text.is_ascii() => {
            json!(text[..cut.index(text.len() + 1) & !1])
        }
        (2, Value::String(text)) => json!(format!("{text}{}", anything.as_str().unwrap_or("00"))),
        (3, _) => elsewhere.clone(),
        _ => anything,
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 500, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn no_file_makes_a_check_panic(
        sample in any::<Index>(),
        edits in prop::collection::vec((any::<[Index; 3]>(), anything(), 0..5_u8), 1..4),
    ) {
        let samples = samples();
        let (file, vector) = samples[sample.index(samples.len())];
        let mut vector = vector.clone();
        for ([place, from, cut], anything, how) in edits {
            let mut paths = Vec::new();
            leaves(&vector, "", &mut paths);
            if paths.is_empty() {
                continue;
            }
            let elsewhere = vector.pointer(&paths[from.index(paths.len())]).unwrap().clone();
            let value = vector.pointer_mut(&paths[place.index(paths.len())]).unwrap();
            *value = edited(value, cut, &elsewhere, anything, how);
        }
        for primitives in implementations() {
            let _ = (file.check)(&vector, &*primitives);
        }
    }
}
