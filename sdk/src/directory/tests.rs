//! What a record proves, and what is refused.

use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::SignatureScheme::{self, MLDSA44, MLDSA65, MLDSA87};
use proptest::prelude::*;

use super::fuzzing::{NOW, Specimen, at};
use super::*;
use crate::identity::{AccountKeys, Binding, DeviceKeys};
use crate::wire::{self, Answer, Question};
use crate::{DeviceId, Span, Time, Topic};

const MINUTE: Span = Span::seconds(60);

/// What a node of the table says of a value, in the best place of a specimen.
fn said(specimen: &Specimen, value: &[u8], kept: Option<&[u8]>, now: Time) -> &'static str {
    match judge(&specimen.crypto, now, &specimen.place(), value, kept) {
        Ok(()) => "good",
        Err(error) => error.code(),
    }
}

fn later(specimen: &Specimen, by: Span) -> Vec<u8> {
    let boxes = vec![at(3)];
    Record::sign(&specimen.keys, &specimen.binding, boxes, NOW + by).unwrap().encode()
}

#[test]
fn a_record_says_where_the_boxes_are_and_whose() {
    for schemes in [&[][..], &[MLDSA44], &[MLDSA65], &[MLDSA44, MLDSA65, MLDSA87]] {
        let specimen = Specimen::new(schemes);
        let record = Record::decode(&specimen.record).unwrap();
        assert_eq!(record.encode(), specimen.record);
        assert_eq!(record.topic(&specimen.crypto), specimen.topic());
        let verified = record.verify(&specimen.crypto).unwrap();
        assert_eq!(verified.address(), specimen.account.public().address(&specimen.crypto));
        assert_eq!(verified.device(), specimen.device());
        assert_eq!(verified.boxes(), [at(1), at(2)]);
        assert_eq!(said(&specimen, &specimen.record, None, NOW), "good");
    }
}

#[test]
fn the_longest_record_of_a_device_fits() {
    let specimen = Specimen::new(&[MLDSA44, MLDSA65, MLDSA87]);
    let long = BoxAt { address: vec![1; MAX_ADDRESS], mailbox: [2; 32], id: [3; 32] };
    let sign = |boxes| Record::sign(&specimen.keys, &specimen.binding, boxes, NOW);
    let record = sign(vec![long.clone(); MAX_BOXES]).unwrap();
    let length = record.encode().len();
    assert!(length < 15 * 1024, "{length} bytes");
    assert!(Record::decode(&record.encode()).is_ok());
    let error = sign(vec![long.clone(); MAX_BOXES + 1]).unwrap_err();
    assert_eq!(error, DirectoryError::TooLarge);
    let longer = BoxAt { address: vec![1; MAX_ADDRESS + 1], ..long };
    assert_eq!(sign(vec![longer]).unwrap_err(), DirectoryError::TooLarge);
}

#[test]
fn what_is_too_large_is_refused() {
    let specimen = Specimen::new(&[MLDSA44]);
    let error = Record::decode(&vec![1; MAX_RECORD + 1]).unwrap_err();
    assert_eq!(error, DirectoryError::TooLarge);
    // Behind a good record, too; and a longer list or address than there may be.
    let padded = [&specimen.record[..], &[0; 4096]].concat();
    assert_eq!(said(&specimen, &padded, None, NOW), "directory-malformed");
    let crowded = |boxes: usize, address: usize| {
        let mut list = Vec::new();
        for _ in 0..boxes {
            crate::identity::codec::put_opaque(&mut list, &vec![7; address]);
            list.extend_from_slice(&[8; 64]);
        }
        let mut out = vec![1];
        crate::identity::codec::put_opaque(&mut out, &specimen.binding);
        out.extend_from_slice(&[NOW.0.to_be_bytes(), (NOW + LIFETIME).0.to_be_bytes()].concat());
        crate::identity::codec::put_opaque(&mut out, &list);
        out.extend_from_slice(&[0; 65]);
        Record::decode(&out)
    };
    assert!(crowded(MAX_BOXES, 60).is_ok());
    assert_eq!(crowded(MAX_BOXES + 1, 60).unwrap_err(), DirectoryError::TooLarge);
    assert_eq!(crowded(1, MAX_ADDRESS + 1).unwrap_err(), DirectoryError::Malformed);
}

#[test]
fn a_record_that_was_changed_is_refused() {
    let specimen = Specimen::new(&[MLDSA44]);
    for place in (0..specimen.record.len()).step_by(61).chain([specimen.record.len() - 1]) {
        for bit in [0, 7] {
            let mut changed = specimen.record.clone();
            changed[place] ^= 1 << bit;
            assert_ne!(said(&specimen, &changed, None, NOW), "good", "bit {bit} of byte {place}");
        }
    }
    for length in [0, 1, 100, specimen.record.len() - 1] {
        let cut = &specimen.record[..length];
        assert_eq!(said(&specimen, cut, None, NOW), "directory-malformed");
    }
    let mut newer = specimen.record.clone();
    newer[0] = 2;
    assert_eq!(said(&specimen, &newer, None, NOW), "directory-version");
}

/// Both signatures are needed, and those of both keys of the account.
#[test]
fn each_signature_counts() {
    let specimen = Specimen::new(&[MLDSA44]);
    let length = specimen.record.len();
    let binding = 1 + 2;
    let account = binding + specimen.binding.len();
    for (what, place) in [
        ("device, Ed25519", length - 2420 - 2 - 1),
        ("device, ML-DSA", length - 1),
        ("account, ML-DSA", account - 1),
        ("account, Ed25519", account - 3309 - 1),
    ] {
        let mut changed = specimen.record.clone();
        changed[place] ^= 1;
        let verified = Record::decode(&changed).unwrap().verify(&specimen.crypto);
        assert!(verified.is_err(), "{what}");
    }
    // Without the one of ML-DSA.
    let mut without = specimen.record[..length - 2420 - 2].to_vec();
    without.push(0);
    assert_eq!(said(&specimen, &without, None, NOW), "directory-signature");
    // One of ML-DSA by a device that has no such key.
    let classical = Specimen::new(&[]);
    let mut more = classical.record.clone();
    assert_eq!(more.pop(), Some(0));
    more.extend_from_slice(&[1, 9]);
    assert_eq!(said(&classical, &more, None, NOW), "directory-malformed");
}

#[test]
fn a_record_by_another_device_or_account_is_refused() {
    let (specimen, other) = (Specimen::new(&[MLDSA44]), Specimen::new(&[MLDSA44]));
    // Another's record here, and this one's there.
    assert_eq!(said(&specimen, &other.record, None, NOW), "directory-place");
    assert_eq!(said(&other, &specimen.record, None, NOW), "directory-place");
    // The other's signatures under this one's binding.
    let error = Record::sign(&other.keys, &specimen.binding, vec![at(1)], NOW).unwrap_err();
    assert_eq!(error.code(), "identity-wrong-key");
    let mixed =
        [&specimen.record[..3 + specimen.binding.len()], &other.record[3 + other.binding.len()..]];
    assert_eq!(said(&specimen, &mixed.concat(), None, NOW), "directory-signature");
    // A device that calls itself the account's: its binding was signed by another account's keys.
    let mut claimed = other.binding.clone();
    claimed[1..1985].copy_from_slice(&specimen.binding[1..1985]);
    let record = Record::sign(&other.keys, &claimed, vec![at(9)], NOW).unwrap();
    assert_eq!(record.topic(&specimen.crypto), specimen.topic());
    let slot = choices(&record.device(&specimen.crypto))[0];
    let place = key(&specimen.crypto, &specimen.topic(), slot);
    let error = judge(&specimen.crypto, NOW, &place, &record.encode(), None).unwrap_err();
    assert_eq!(error.code(), "identity-signature");
    let mut found = Found::default();
    let there = (&specimen.topic(), slot);
    assert!(found.take(&specimen.crypto, NOW, there, &record.encode()).is_err());
    assert_eq!(found.into_latest().count(), 0);
}

#[test]
fn a_record_for_another_topic_or_slot_is_refused() {
    let specimen = Specimen::new(&[MLDSA44]);
    let device = specimen.device();
    for slot in 0..SLOTS {
        let place = key(&specimen.crypto, &specimen.topic(), slot);
        let taken = judge(&specimen.crypto, NOW, &place, &specimen.record, None);
        assert_eq!(taken.is_ok(), choices(&device).contains(&slot));
        let place = key(&specimen.crypto, &Topic([7; 32]), slot);
        let taken = judge(&specimen.crypto, NOW, &place, &specimen.record, None);
        assert_eq!(taken, Err(DirectoryError::Place));
        let mut found = Found::default();
        let there = (&Topic([7; 32]), slot);
        assert!(found.take(&specimen.crypto, NOW, there, &specimen.record).is_err());
    }
    assert!(judge(&specimen.crypto, NOW, b"", &specimen.record, None).is_err());
}

#[test]
fn a_record_ends() {
    let specimen = Specimen::new(&[MLDSA44]);
    let (last, end) = (Time((NOW + LIFETIME).0 - 1), NOW + LIFETIME);
    assert_eq!(said(&specimen, &specimen.record, None, last), "good");
    assert_eq!(said(&specimen, &specimen.record, None, end), "directory-expired");
    // Not even one that is kept already is kept longer.
    let kept = Some(&specimen.record[..]);
    assert_eq!(said(&specimen, &specimen.record, kept, last), "good");
    assert_eq!(said(&specimen, &specimen.record, kept, end), "directory-expired");
    // Nobody has to wait for the clock of somebody.
    let ahead = Time(NOW.0 - SKEW.0);
    assert_eq!(said(&specimen, &specimen.record, None, ahead), "good");
    assert_eq!(said(&specimen, &specimen.record, None, Time(ahead.0 - 1)), "directory-future");
    let mut found = Found::default();
    let there = (&specimen.topic(), choices(&specimen.device())[0]);
    let error = found.take(&specimen.crypto, end, there, &specimen.record).unwrap_err();
    assert_eq!(error, DirectoryError::Expired);
}

#[test]
fn no_record_lasts_too_long() {
    let specimen = Specimen::new(&[]);
    let place = 3 + specimen.binding.len() + 8;
    for (expires, code) in [
        (NOW.0, "directory-lifetime"),
        (0, "directory-lifetime"),
        (u64::MAX, "directory-lifetime"),
        (NOW.0 + MAX_LIFETIME.0 + 1, "directory-lifetime"),
        // It passes, and then it is not what was signed.
        (NOW.0 + MAX_LIFETIME.0, "directory-signature"),
    ] {
        let mut record = specimen.record.clone();
        record[place..place + 8].copy_from_slice(&expires.to_be_bytes());
        assert_eq!(said(&specimen, &record, None, NOW), code);
    }
}

#[test]
fn the_later_record_of_a_device_holds() {
    let specimen = Specimen::new(&[MLDSA44]);
    let (now, new) = (NOW + MINUTE, later(&specimen, MINUTE));
    assert_eq!(said(&specimen, &new, Some(&specimen.record), now), "good");
    assert_eq!(said(&specimen, &specimen.record, Some(&new), now), "directory-stale");
    // Nor another one of the same time.
    let same = Record::sign(&specimen.keys, &specimen.binding, vec![at(5)], NOW).unwrap();
    assert_eq!(said(&specimen, &same.encode(), Some(&specimen.record), now), "directory-stale");
    // Whoever looks finds the later one, in whatever order.
    let there = (&specimen.topic(), choices(&specimen.device())[0]);
    for order in [[&specimen.record, &new], [&new, &specimen.record]] {
        let mut found = Found::default();
        for value in order {
            found.take(&specimen.crypto, now, there, value).unwrap();
        }
        let latest: Vec<_> = found.into_latest().collect();
        assert_eq!(latest.len(), 1);
        assert_eq!(latest[0].boxes(), [at(3)]);
    }
    // Nonsense that is kept for whatever reason is in nobody's way.
    assert_eq!(said(&specimen, &specimen.record, Some(b"nonsense"), NOW), "good");
}

/// Two devices of one account that have a place in common.
fn neighbours() -> (Specimen, Specimen, [u8; 32]) {
    let one = Specimen::new(&[]);
    loop {
        let other = Specimen::of(one.crypto.clone(), one.account.clone(), &[]);
        let (mine, theirs) = (choices(&one.device()), choices(&other.device()));
        if let Some(slot) = mine.iter().find(|slot| theirs.contains(slot)) {
            let place = key(&one.crypto, &one.topic(), *slot);
            return (one, other, place);
        }
    }
}

#[test]
fn a_device_does_not_put_out_another() {
    let (one, other, place) = neighbours();
    let said = |value: &[u8], kept: &[u8], now| {
        judge(&one.crypto, now, &place, value, Some(kept)).map_err(|error| error.code())
    };
    let new = later(&other, MINUTE);
    assert_eq!(said(&other.record, &one.record, NOW), Err("directory-occupied"));
    assert_eq!(said(&new, &one.record, NOW + MINUTE), Err("directory-occupied"));
    // Its time over, its place is free.
    assert_eq!(said(&new, &one.record, NOW + LIFETIME), Ok(()));
}

#[test]
fn several_devices_are_found() {
    let first = Specimen::new(&[]);
    let mut devices = vec![];
    for _ in 1..CHOICES {
        devices.push(Specimen::of(first.crypto.clone(), first.account.clone(), &[]));
    }
    devices.push(first);
    let topic = devices[0].topic();
    // A table of one node, as it is.
    let mut table: Vec<Option<Vec<u8>>> = vec![None; usize::from(SLOTS)];
    let look = |table: &[Option<Vec<u8>>]| {
        let mut found = Found::default();
        for (slot, value) in (0..).zip(table) {
            if let Some(value) = value {
                found.take(&devices[0].crypto, NOW, (&topic, slot), value).unwrap();
            }
        }
        found
    };
    for device in &devices {
        let (found, id) = (look(&table), device.device());
        let slot = place(&id, |slot| found.others(slot, &id), found.slot_of(&id));
        let kept = &mut table[usize::from(slot)];
        let there = key(&device.crypto, &topic, slot);
        if judge(&device.crypto, NOW, &there, &device.record, kept.as_deref()).is_ok() {
            *kept = Some(device.record.clone());
        }
    }
    let found: Vec<_> = look(&table).into_latest().map(|record| record.device()).collect();
    let mut expected: Vec<_> = devices.iter().map(Specimen::device).collect();
    expected.sort_unstable();
    // As many as have choices always find a place, whatever the others took.
    assert_eq!(found, expected);
}

#[test]
fn who_can_find_a_place_finds_one() {
    let mut alone = 0;
    for number in 0..200_u32 {
        let name = |device: u32| {
            let crypto = openmls_trellis_crypto::TrellisCrypto::default();
            let bytes = [number.to_be_bytes(), device.to_be_bytes()].concat();
            let hash = crypto.hash(openmls_traits::types::HashType::Sha2_256, &bytes).unwrap();
            DeviceId::from_slice(&hash).unwrap()
        };
        let mut taken: Vec<(u8, DeviceId)> = Vec::new();
        for device in (0..4).map(name) {
            let others = |slot| {
                let there = taken.iter().filter(|(other, _)| *other == slot);
                there.map(|(_, device)| *device).collect::<Vec<_>>()
            };
            let slot = place(&device, others, None);
            if others(slot).is_empty() {
                taken.push((slot, device));
            } else {
                alone += 1;
            }
        }
    }
    // Of 800 devices, four to an account: 1 in 56 of the fourth ones.
    assert!(alone <= 12, "{alone} devices without a place");
}

#[test]
fn who_shares_a_place_goes_if_his_name_is_the_greater() {
    let (lesser, greater) = (DeviceId([1; 32]), {
        let mut name = [1; 32];
        name[31] = 2;
        name[30] = 3;
        DeviceId(name)
    });
    let slot = choices(&lesser)[0];
    assert_eq!(slot, choices(&greater)[0]);
    let shared = |other: DeviceId| move |at| if at == slot { vec![other] } else { Vec::new() };
    assert_eq!(place(&lesser, shared(greater), Some(slot)), slot);
    assert_eq!(place(&greater, shared(lesser), Some(slot)), choices(&greater)[1]);
    // Where it is, it stays, though a better place may be free again.
    let second = choices(&greater)[1];
    assert_eq!(place(&greater, |_| Vec::new(), Some(second)), second);
    // All taken: it waits for the best.
    assert_eq!(place(&greater, |_| vec![lesser], None), slot);
}

#[test]
fn what_a_box_gives_has_to_be_the_devices() {
    let (one, other) = (Specimen::new(&[]), Specimen::new(&[]));
    let beside = [
        wire::encode(&Answer::Revocation(vec![1].into())),
        wire::encode(&Answer::Binding(vec![2].into())),
        other.package(),
        b"nonsense".to_vec(),
    ];
    let slices = || beside.iter().map(Vec::as_slice);
    let package = one.package();
    let given = answers(&one.crypto, &one.device(), &package, slices()).unwrap();
    assert_eq!(given, [package.clone(), beside[0].clone(), beside[1].clone()]);
    for wrong in [other.package(), beside[1].clone(), b"".to_vec(), vec![0; 70_000]] {
        let error = answers(&one.crypto, &one.device(), &wrong, slices()).unwrap_err();
        assert_eq!(error, DirectoryError::OtherPackage);
    }
}

#[test]
fn only_questions_for_key_packages_lead_to_boxes() {
    assert_eq!(wanted(&wire::encode(&Question::KeyPackage(7))), Some(7));
    assert_eq!(wanted(&wire::encode(&Question::Again(7, Vec::new()))), None);
    assert_eq!(wanted(&wire::encode(&Question::Account)), None);
    assert_eq!(wanted(b"nonsense"), None);
}

#[test]
fn a_device_without_a_classical_key_signs_none() {
    let crypto = openmls_trellis_crypto::TrellisCrypto::default();
    let account = AccountKeys::generate(&crypto).unwrap();
    let keys = DeviceKeys::generate(&crypto, &[MLDSA44]).unwrap();
    let public = keys.public().keys().iter().filter(|key| key.scheme() == MLDSA44);
    let public = crate::identity::DevicePublic::new(public.cloned().collect()).unwrap();
    let binding = account.bind(&public, NOW).unwrap();
    let error = Record::sign(&keys, &binding.encode(), Vec::new(), NOW).unwrap_err();
    assert_eq!(error.code(), "identity-wrong-key");
    assert!(Binding::decode(&binding.encode()).is_ok());
    assert_eq!(SignatureScheme::ED25519 as u16, 0x0807);
}

#[test]
fn what_fuzzing_begins_with_holds() {
    for (name, input) in fuzzing::seeds() {
        assert_eq!(name, "directory");
        fuzzing::directory(&input);
    }
}

proptest! {
    #[test]
    fn choices_differ(name: [u8; 32]) {
        let chosen = choices(&DeviceId(name));
        prop_assert!(chosen.iter().all(|slot| *slot < SLOTS));
        prop_assert!(chosen[0] != chosen[1] && chosen[1] != chosen[2] && chosen[0] != chosen[2]);
    }

    #[test]
    fn nothing_panics(which in 0_u8..3, rest in prop::collection::vec(any::<u8>(), 0..300)) {
        fuzzing::directory(&[&[which], &rest[..]].concat());
    }
}
