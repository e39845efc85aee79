//! Vectors that look like one of the kinds and are none.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use trellis_vectors::kinds::FormatError;

use crate::changes::leaves;
use crate::samples::{self, Sample};
use crate::{by_default, check};

/// No check of a small vector comes near this.
const LIMIT: Duration = Duration::from_secs(10);

/// What somebody may put in the place of a value.
fn anything() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(|it| json!(it)),
        any::<u64>().prop_map(|it| json!(it)),
        any::<i64>().prop_map(|it| json!(it)),
        prop::sample::select(vec![
            u64::MAX,
            1 << 32,
            u64::from(u32::MAX),
            1 << 31,
            u64::from(u16::MAX),
            1 << 12,
            0,
        ])
        .prop_map(|it| json!(it)),
        any::<f64>().prop_map(|it| json!(it)),
        ".{0,20}".prop_map(|it| json!(it)),
        prop::collection::vec(any::<u8>(), 0..200).prop_map(|it| json!(hex::encode(it))),
        (0_usize..5000).prop_map(|it| json!("00".repeat(it))),
        (1_usize..100).prop_map(nested),
        Just(json!([])),
        Just(json!({})),
    ]
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!(0), |inner, _| json!([inner]))
}

/// A change of the sort that `how` says.
#[derive(Clone, Debug)]
enum Edit {
    Put(Value),
    /// A value from elsewhere in the vector.
    Copy(Index),
    Drop(Index),
    /// An element of a list once more, many times.
    Repeat(Index, usize),
    CutDigits(Index),
    CutBytes(Index),
    FlipBit(Index),
    Append(String),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        1 => anything().prop_map(Edit::Put),
        1 => any::<Index>().prop_map(Edit::Copy),
        1 => any::<Index>().prop_map(Edit::Drop),
        1 => (any::<Index>(), 1_usize..300).prop_map(|(which, times)| Edit::Repeat(which, times)),
        1 => any::<Index>().prop_map(Edit::CutDigits),
        1 => any::<Index>().prop_map(Edit::CutBytes),
        3 => any::<Index>().prop_map(Edit::FlipBit),
        1 => "([0-9a-f]{2}){1,40}".prop_map(Edit::Append),
    ]
}

/// The paths of all values, lists and objects too; the vector itself is not among them.
fn places(value: &Value, path: &str, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Array(list) => {
            list.iter().enumerate().map(|(number, it)| (number.to_string(), it)).collect()
        }
        Value::Object(fields) => fields.iter().map(|(name, it)| (name.clone(), it)).collect(),
        _ => return,
    };
    for (name, child) in children {
        let path = format!("{path}/{name}");
        places(child, &path, found);
        found.push(path);
    }
}

fn apply(vector: &mut Value, place: Index, edit: Edit) {
    let mut paths = Vec::new();
    match edit {
        // These say most about strings of digits, of which there are few beside the rest.
        Edit::CutDigits(_) | Edit::CutBytes(_) | Edit::FlipBit(_) | Edit::Append(_) => {
            leaves(vector, "", &mut paths);
        }
        _ => places(vector, "", &mut paths),
    }
    if paths.is_empty() {
        return;
    }
    let elsewhere = match &edit {
        Edit::Copy(from) => vector.pointer(&paths[from.index(paths.len())]).cloned(),
        _ => None,
    };
    let value = vector.pointer_mut(&paths[place.index(paths.len())]).unwrap();
    match (edit, value) {
        (Edit::Put(other), value) => *value = other,
        (Edit::Copy(_), value) => *value = elsewhere.unwrap_or_default(),
        (Edit::Drop(which), Value::Array(list)) if !list.is_empty() => {
            list.remove(which.index(list.len()));
        }
        (Edit::Drop(which), Value::Object(fields)) if !fields.is_empty() => {
            let name = fields.keys().nth(which.index(fields.len())).unwrap().clone();
            fields.remove(&name);
        }
        (Edit::Repeat(which, times), Value::Array(list)) if !list.is_empty() => {
            let element = list[which.index(list.len())].clone();
            list.extend(std::iter::repeat_n(element, times));
        }
        (Edit::CutDigits(end), Value::String(text)) if text.is_ascii() => {
            text.truncate(end.index(text.len() + 1));
        }
        (Edit::CutBytes(end), Value::String(text)) if text.is_ascii() => {
            text.truncate(end.index(text.len() + 1) & !1);
        }
        (Edit::FlipBit(which), Value::String(text)) => {
            if let Ok(mut bytes) = hex::decode(&text)
                && !bytes.is_empty()
            {
                let bit = which.index(bytes.len() * 8);
                bytes[bit / 8] ^= 1 << (bit % 8);
                *text = hex::encode(bytes);
            }
        }
        (Edit::Append(digits), Value::String(text)) => text.push_str(&digits),
        _ => {}
    }
}

fn all_samples() -> Vec<Sample> {
    let with_suites = samples::kinds_with_a_suite().into_iter();
    with_suites.chain(samples::without_a_suite()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 6000, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn no_vector_makes_a_check_panic(
        sample in any::<Index>(),
        edits in prop::collection::vec((any::<Index>(), edit()), 1..5),
    ) {
        thread_local!(static SAMPLES: Vec<Sample> = all_samples());
        let mut vector = SAMPLES.with(|samples| samples[sample.index(samples.len())].vector.clone());
        for (place, edit) in edits {
            apply(&mut vector, place, edit);
        }
        let start = Instant::now();
        let _ = check(&by_default(), &vector);
        prop_assert!(start.elapsed() < LIMIT, "{:?} for {vector}", start.elapsed());
    }
}

#[test]
fn a_field_that_is_missing_or_of_another_type_is_named() {
    for Sample { name, vector } in all_samples() {
        let fields: Vec<String> = vector.as_object().unwrap().keys().cloned().collect();
        for field in fields {
            let mut other = vector.clone();
            other[&field] = json!({ "x": [0] });
            // Without its marks a vector is of no kind.
            let Some(Err(FormatError { field: found, reason })) = check(&by_default(), &other)
            else {
                panic!("{name}: {field} may be anything");
            };
            assert!(found == field || found.starts_with(&format!("{field}.")), "{name}: {found}");
            assert!(reason.contains("invalid type") || reason.contains("missing"), "{reason}");

            let mut other = vector.clone();
            other.as_object_mut().unwrap().remove(&field);
            match check(&by_default(), &other) {
                Some(Err(FormatError { reason, .. })) => {
                    assert!(reason.contains(&format!("`{field}`")), "{name}: {reason}");
                }
                // What is optional, and what tells one kind from another.
                Some(Ok(_)) => {
                    assert_eq!((name, field.as_str()), ("passive-client", "ratchet_tree"))
                }
                None => {}
            }
        }
    }
}

#[test]
fn numbers_that_ask_for_much_are_refused() {
    let kinds = all_samples();
    let of = |name: &str| kinds.iter().find(|it| it.name == name).unwrap().vector.clone();
    for (name, path, number) in [
        ("secret-tree", "/leaves/0/0/generation", u32::MAX),
        ("tree-math", "/n_leaves", 1 << 31),
        ("tree-math", "/n_leaves", 0),
        ("treekem", "/leaves_private/0/index", u32::MAX),
        ("treekem", "/leaves_private/0/path_secrets/0/node", u32::MAX),
        ("treekem", "/leaves_private/0/path_secrets/0/node", u32::MAX - 1),
        ("treekem", "/update_paths/0/sender", u32::MAX),
        ("tree-operations", "/proposal_sender", u32::MAX),
        ("tree-validation", "/resolutions/0/0", u32::MAX),
    ] {
        let mut vector = of(name);
        *vector.pointer_mut(path).unwrap() = json!(number);
        if name == "tree-operations" {
            // Only an Update looks at its sender.
            let samples = samples::of_the_model();
            let leaf = samples.iter().find(|it| it.name == "welcome").unwrap();
            vector["proposal"] = json!(update_of(&leaf.vector["key_package"]));
        }
        let start = Instant::now();
        let result = check(&by_default(), &vector);
        assert!(matches!(result, Some(Ok(Err(_)))), "{name} {path}: {result:?}");
        assert!(start.elapsed() < LIMIT, "{name} {path}: {:?}", start.elapsed());
    }
}

/// An Update with the leaf of a KeyPackage.
fn update_of(key_package: &Value) -> String {
    use tls_codec::Serialize as _;
    use trellis_vectors::mls::wire::{Body, MlsMessage, Proposal, decode};

    let bytes = hex::decode(key_package.as_str().unwrap()).unwrap();
    let Body::KeyPackage(package) = decode::<MlsMessage>(&bytes).unwrap().body else { panic!() };
    let update = Proposal::Update(package.content.leaf_node);
    hex::encode(update.tls_serialize_detached().unwrap())
}
