//! What the fuzz target calls: the decoder and what a node of the table decides. It is compiled under
//! `cfg(fuzzing)` and for tests, and panics where something does not hold.

use std::sync::LazyLock;

use openmls_traits::types::SignatureScheme;
use openmls_trellis_crypto::TrellisCrypto;

use super::{BoxAt, Found, Record, answers, choices, judge, key, wanted};
use crate::identity::{AccountKeys, Binding, DeviceKeys};
use crate::wire::{self, Answer, Question};
use crate::{Time, Topic};

pub(super) const NOW: Time = Time(1_700_000_000_000);

/// A device, its binding and a record of it.
pub(super) struct Specimen {
    pub(super) crypto: TrellisCrypto,
    pub(super) account: AccountKeys,
    pub(super) keys: DeviceKeys,
    pub(super) binding: Vec<u8>,
    pub(super) record: Vec<u8>,
}

impl Specimen {
    pub(super) fn new(schemes: &[SignatureScheme]) -> Self {
        let crypto = TrellisCrypto::default();
        let account = AccountKeys::generate(&crypto).expect("there is randomness");
        Self::of(crypto, account, schemes)
    }

    /// A device of an account.
    pub(super) fn of(
        crypto: TrellisCrypto,
        account: AccountKeys,
        schemes: &[SignatureScheme],
    ) -> Self {
        let keys = DeviceKeys::generate(&crypto, schemes).expect("there is randomness");
        let bound = account.bind(keys.public(), NOW).expect("there is randomness");
        let binding = bound.encode();
        let record = Record::sign(&keys, &binding, vec![at(1), at(2)], NOW).expect("it is short");
        let record = record.encode();
        Self { crypto, account, keys, binding, record }
    }

    pub(super) fn topic(&self) -> Topic {
        super::inbox(&self.crypto, &self.account.public().address(&self.crypto))
    }

    pub(super) fn device(&self) -> crate::DeviceId {
        Binding::decode(&self.binding).expect("it is one").device_id(&self.crypto)
    }

    /// The best place of its record.
    pub(super) fn place(&self) -> [u8; 32] {
        key(&self.crypto, &self.topic(), choices(&self.device())[0])
    }

    /// What a box has of the device. What is no key package passes here, as it is the engine's to say.
    pub(super) fn package(&self) -> Vec<u8> {
        wire::encode(&Answer::KeyPackage(vec![7; 40].into(), self.binding.clone().into()))
    }
}

pub(super) fn at(number: u8) -> BoxAt {
    BoxAt { address: vec![number; 60], mailbox: [number; 32], id: [number + 100; 32] }
}

static SPECIMEN: LazyLock<Specimen> = LazyLock::new(|| Specimen::new(&[SignatureScheme::MLDSA44]));

/// The first byte chooses: a record as it comes in, in place of none or of another; what is changed in
/// a good record, as pairs of a place and a byte; what a box gives.
pub fn directory(data: &[u8]) {
    let Some((which, bytes)) = data.split_first() else { return };
    let specimen = &*SPECIMEN;
    let (crypto, place) = (&specimen.crypto, specimen.place());
    match which % 3 {
        0 => {
            if let Ok(record) = Record::decode(bytes) {
                assert_eq!(record.encode(), bytes);
                let place = key(crypto, &record.topic(crypto), choices(&record.device(crypto))[0]);
                let taken = judge(crypto, NOW, &place, bytes, None).is_ok();
                assert_eq!(taken, record.check_time(NOW).is_ok() && record.verify(crypto).is_ok());
            }
            // A place that somebody has taken is safe from all others.
            assert!(judge(crypto, NOW, &place, bytes, Some(&specimen.record)).is_err());
        }
        1 => {
            let mut changed = specimen.record.clone();
            for change in bytes.as_chunks::<3>().0 {
                let [high, low, byte] = *change;
                let length = changed.len();
                changed[usize::from(u16::from_be_bytes([high, low])) % length] = byte;
            }
            let taken = judge(crypto, NOW, &place, &changed, None).is_ok();
            assert_eq!(taken, changed == specimen.record);
            let mut found = Found::default();
            let slot = choices(&specimen.device())[0];
            let found = found.take(crypto, NOW, (&specimen.topic(), slot), &changed);
            assert_eq!(found.is_ok(), taken);
        }
        _ => {
            let _ = wanted(bytes);
            let beside = [bytes];
            if let Ok(given) = answers(crypto, &specimen.device(), bytes, beside) {
                assert_eq!(given, [bytes]);
            }
            let package = specimen.package();
            let given = answers(crypto, &specimen.device(), &package, beside);
            assert!(given.is_ok_and(|given| given.len() <= 2));
        }
    }
}

/// Inputs to begin with.
#[must_use]
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let with = |first: u8, rest: &[u8]| ("directory", [&[first], rest].concat());
    let specimen = &*SPECIMEN;
    let other = Specimen::new(&[]);
    let empty = Record::sign(&other.keys, &other.binding, Vec::new(), NOW).expect("it is short");
    vec![
        with(0, &other.record),
        with(0, &empty.encode()),
        with(1, &[]),
        with(1, &[0, 0, 1, 0, 1, 2]),
        with(2, &specimen.package()),
        with(2, &wire::encode(&Question::KeyPackage(7))),
        with(2, &wire::encode(&Answer::Binding(specimen.binding.clone().into()))),
    ]
}
