//! HPKE against `hpke` (rust-hpke, on RustCrypto) and `hpke-rs` (on libcrux): every KEM, KDF and
//! AEAD of the registry, in base and PSK mode, in both directions.

use std::marker::PhantomData;

use ::hpke::aead::{Aead, AesGcm128, AesGcm256, ChaCha20Poly1305, ExportOnlyAead};
use ::hpke::kdf::{HkdfSha256, HkdfSha384, HkdfSha512, Kdf, KdfShake128, KdfShake256};
use ::hpke::kem;
use ::hpke::{Deserializable, Kem, OpModeR, OpModeS, PskBundle, Serializable};
use hpke_rs::libcrux::HpkeLibcrux;
use hpke_rs::{HpkePrivateKey, HpkePublicKey, Mode};
use trellis_ciphersuites::hpke::{Hpke, HpkeSuite};
use trellis_ciphersuites::kem::KemAlgorithm;
use trellis_ciphersuites::symmetric::{AeadAlgorithm, KdfAlgorithm};
use trellis_ciphersuites::{Backend, Error};

use crate::cases::{Case, count, each};
use crate::replay::Replay;

/// What both sides of an exchange know.
struct Shared {
    info: Vec<u8>,
    psk: Option<(Vec<u8>, Vec<u8>)>,
    aad: Vec<u8>,
    exporter_context: Vec<u8>,
    exported: usize,
}

impl Shared {
    fn draw(case: &mut Case, with_psk: bool) -> Self {
        let psk = with_psk.then(|| {
            let (key, id) = (32 + case.below(40), 1 + case.below(40));
            (case.random(key), case.bytes(id))
        });
        Self {
            info: case.text(300),
            psk,
            aad: case.text(100),
            exporter_context: case.text(100),
            exported: case.below(300),
        }
    }
}

/// What goes from the sender to the receiver, and the secret that both can export.
#[derive(Debug, PartialEq)]
struct Sent {
    enc: Vec<u8>,
    /// Nothing with the export-only AEAD.
    sealed: Vec<Vec<u8>>,
    exported: Vec<u8>,
}

/// An implementation of HPKE for one suite.
trait Peer {
    /// `DeriveKeyPair`: private, then public key.
    fn derive(&self, ikm: &[u8]) -> (Vec<u8>, Vec<u8>);
    fn send(&self, public: &[u8], with: &Shared, randomness: &[u8], texts: &[Vec<u8>]) -> Sent;
    /// The texts and the exported secret, if the encapsulation is one and every text opens.
    fn receive(&self, private: &[u8], with: &Shared, sent: &Sent) -> Option<Received>;
}

type Received = (Vec<Vec<u8>>, Vec<u8>);

/// Ours.
struct Trellis(Hpke);

impl Trellis {
    fn receive_checked(
        &self,
        private: &[u8],
        with: &Shared,
        sent: &Sent,
    ) -> Result<Received, Error> {
        let info = self.0.info(&with.info);
        let mut context = match &with.psk {
            None => info.setup_receiver(&sent.enc, private),
            Some((key, id)) => info.setup_receiver_psk(&sent.enc, private, key, id),
        }?;
        let texts: Result<_, _> = (sent.sealed.iter())
            .map(|sealed| context.open(&with.aad, sealed).map(|text| text.into_inner()))
            .collect();
        Ok((texts?, context.export(&with.exporter_context, with.exported)?.into_inner()))
    }

    /// With randomness of its own; the derandomised form is `send`.
    fn send_freely(&self, public: &[u8], with: &Shared, texts: &[Vec<u8>]) -> Sent {
        let info = self.0.info(&with.info);
        let (enc, mut context) = match &with.psk {
            None => info.setup_sender(public).unwrap(),
            Some((key, id)) => info.setup_sender_psk(public, key, id).unwrap(),
        };
        let sealed = texts.iter().map(|text| context.seal(&with.aad, text).unwrap()).collect();
        let exported = context.export(&with.exporter_context, with.exported).unwrap().into_inner();
        Sent { enc, sealed, exported }
    }
}

impl Peer for Trellis {
    fn derive(&self, ikm: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let pair = self.0.derive_key_pair(ikm).unwrap();
        (pair.private.into_inner(), pair.public)
    }

    fn send(&self, public: &[u8], with: &Shared, randomness: &[u8], texts: &[Vec<u8>]) -> Sent {
        let psk = with.psk.as_ref().map(|(key, id)| (&key[..], &id[..]));
        let (enc, mut context) =
            (self.0.info(&with.info)).setup_sender_derandomized(public, psk, randomness).unwrap();
        let sealed = texts.iter().map(|text| context.seal(&with.aad, text).unwrap()).collect();
        let exported = context.export(&with.exporter_context, with.exported).unwrap().into_inner();
        Sent { enc, sealed, exported }
    }

    fn receive(&self, private: &[u8], with: &Shared, sent: &Sent) -> Option<Received> {
        self.receive_checked(private, with, sent).ok()
    }
}

/// rust-hpke.
struct RustHpke<K, F, A>(PhantomData<(K, F, A)>);

impl<K: Kem, F: Kdf, A: Aead> Peer for RustHpke<K, F, A> {
    fn derive(&self, ikm: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let (private, public) = K::derive_keypair(ikm);
        (private.to_bytes().to_vec(), public.to_bytes().to_vec())
    }

    fn send(&self, public: &[u8], with: &Shared, randomness: &[u8], texts: &[Vec<u8>]) -> Sent {
        let public = K::PublicKey::from_bytes(public).unwrap();
        let mode = match &with.psk {
            None => OpModeS::Base,
            Some((key, id)) => OpModeS::Psk(PskBundle::new(key, id).unwrap()),
        };
        let mut random = Replay::new(randomness);
        let (enc, mut context) =
            ::hpke::setup_sender_with_rng::<A, F, K>(&mode, &public, &with.info, &mut random)
                .unwrap();
        let sealed = texts.iter().map(|text| context.seal(text, &with.aad).unwrap()).collect();
        let mut exported = vec![0; with.exported];
        context.export(&with.exporter_context, &mut exported).unwrap();
        Sent { enc: enc.to_bytes().to_vec(), sealed, exported }
    }

    fn receive(&self, private: &[u8], with: &Shared, sent: &Sent) -> Option<Received> {
        let private = K::PrivateKey::from_bytes(private).unwrap();
        let enc = K::EncappedKey::from_bytes(&sent.enc).ok()?;
        let mode = match &with.psk {
            None => OpModeR::Base,
            Some((key, id)) => OpModeR::Psk(PskBundle::new(key, id).unwrap()),
        };
        let mut context =
            ::hpke::setup_receiver::<A, F, K>(&mode, &private, &enc, &with.info).ok()?;
        let texts: Option<_> =
            sent.sealed.iter().map(|sealed| context.open(sealed, &with.aad).ok()).collect();
        let mut exported = vec![0; with.exported];
        context.export(&with.exporter_context, &mut exported).unwrap();
        Some((texts?, exported))
    }
}

/// hpke-rs.
struct HpkeRs(HpkeSuite);

impl HpkeRs {
    fn hpke(&self, with: Option<&Shared>, random: &[u8]) -> hpke_rs::Hpke<HpkeLibcrux<Replay>> {
        let mode = if with.is_some_and(|with| with.psk.is_some()) { Mode::Psk } else { Mode::Base };
        hpke_rs::Hpke::new_with_rng(
            mode,
            self.0.kem.id().try_into().unwrap(),
            self.0.kdf.id().try_into().unwrap(),
            self.0.aead.id().try_into().unwrap(),
            Replay::new(random),
        )
    }
}

impl Peer for HpkeRs {
    fn derive(&self, ikm: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let pair = self.hpke(None, &[]).derive_key_pair(ikm).unwrap();
        (pair.private_key().as_slice().to_vec(), pair.public_key().as_slice().to_vec())
    }

    fn send(&self, public: &[u8], with: &Shared, randomness: &[u8], texts: &[Vec<u8>]) -> Sent {
        let psk = with.psk.as_ref();
        let (enc, mut context) = (self.hpke(Some(with), randomness))
            .setup_sender(
                &HpkePublicKey::from(public),
                &with.info,
                psk.map(|(key, _)| &key[..]),
                psk.map(|(_, id)| &id[..]),
                None,
            )
            .unwrap();
        let sealed = texts.iter().map(|text| context.seal(&with.aad, text).unwrap()).collect();
        let exported = context.export(&with.exporter_context, with.exported).unwrap();
        Sent { enc, sealed, exported }
    }

    fn receive(&self, private: &[u8], with: &Shared, sent: &Sent) -> Option<Received> {
        let psk = with.psk.as_ref();
        let mut context = (self.hpke(Some(with), &[]))
            .setup_receiver(
                &sent.enc,
                &HpkePrivateKey::from(private),
                &with.info,
                psk.map(|(key, _)| &key[..]),
                psk.map(|(_, id)| &id[..]),
                None,
            )
            .ok()?;
        let texts: Option<_> =
            sent.sealed.iter().map(|sealed| context.open(&with.aad, sealed).ok()).collect();
        Some((texts?, context.export(&with.exporter_context, with.exported).unwrap()))
    }
}

/// A private key of X25519 with the bits fixed that a multiplication ignores: rust-hpke
/// serialises it so (RFC 9180, section 7.1.2), hpke-rs and the vectors of the RFC do not.
fn clamped(kem: KemAlgorithm, mut private: Vec<u8>) -> Vec<u8> {
    if kem == KemAlgorithm::DhKemX25519 {
        private[0] &= 0xF8;
        private[31] = private[31] & 0x7F | 0x40;
    }
    private
}

/// One exchange with an oracle, in both directions, and one that goes wrong.
fn exchange(oracle: &dyn Peer, suite: HpkeSuite, with_psk: bool, case: &mut Case) {
    let length = 1 + case.below(80);
    let (ikm, randomness) = (case.bytes(length), case.random(suite.kem.randomness_len()));
    let texts = match suite.aead {
        AeadAlgorithm::ExportOnly => vec![],
        _ => vec![case.text(500), vec![], case.text(100)],
    };
    let with = Shared::draw(case, with_psk);
    let (private, public) = oracle.derive(&ikm);
    let theirs = oracle.send(&public, &with, &randomness, &texts);
    let received = (texts.clone(), theirs.exported.clone());

    let altered = Sent { enc: case.altered(&theirs.enc), sealed: vec![], exported: vec![] };
    let after_altered = oracle.receive(&private, &with, &altered);
    let other_info = Shared { info: [&with.info[..], b"!"].concat(), ..Shared::draw(case, false) };

    for backend in Backend::available() {
        let ours = Trellis(Hpke::new(suite, backend));
        let derived = ours.derive(&ikm);
        assert_eq!(
            (clamped(suite.kem, derived.0), &derived.1),
            (clamped(suite.kem, private.clone()), &public)
        );
        assert_eq!(ours.send(&public, &with, &randomness, &texts), theirs);
        assert_eq!(ours.receive(&private, &with, &theirs).as_ref(), Some(&received));

        let sent = ours.send_freely(&public, &with, &texts);
        assert_eq!(oracle.receive(&private, &with, &sent), Some((texts.clone(), sent.exported)));

        assert_eq!(ours.receive(&private, &with, &altered), after_altered);
        if !texts.is_empty() {
            let refused = ours.receive_checked(&private, &other_info, &theirs);
            assert_eq!(refused, Err(Error::OpenFailed));
        }
        if !with_psk {
            single_shot(oracle, &ours, (&private, &public), &with, &theirs, &texts);
        }
    }
}

/// The functions without a context.
fn single_shot(
    oracle: &dyn Peer,
    ours: &Trellis,
    (private, public): (&[u8], &[u8]),
    with: &Shared,
    theirs: &Sent,
    texts: &[Vec<u8>],
) {
    let info = ours.0.info(&with.info);
    let (context, length) = (&with.exporter_context, with.exported);
    let secret = info.receive_export(&theirs.enc, private, context, length).unwrap();
    assert_eq!(secret[..], theirs.exported);
    let (enc, exported) = info.send_export(public, context, length).unwrap();
    let sent = Sent { enc, sealed: vec![], exported: vec![] };
    assert_eq!(oracle.receive(private, with, &sent), Some((vec![], exported.into_inner())));

    if let Some(text) = texts.first() {
        let opened = info.open(&theirs.enc, private, &with.aad, &theirs.sealed[0]).unwrap();
        assert_eq!(opened[..], text[..]);
        let (enc, sealed) = info.seal(public, &with.aad, text).unwrap();
        let sent = Sent { enc, sealed: vec![sealed], exported: vec![] };
        assert_eq!(oracle.receive(private, with, &sent).unwrap().0, [&text[..]]);
    }
}

/// Every KDF and AEAD with rust-hpke for one KEM, in the order of `suites`.
fn rust_hpke<K: Kem + 'static>() -> Vec<Box<dyn Peer>> {
    macro_rules! kdfs {
        ($($kdf:ty),+) => {
            vec![$(
                Box::new(RustHpke::<K, $kdf, AesGcm128>(PhantomData)) as Box<dyn Peer>,
                Box::new(RustHpke::<K, $kdf, AesGcm256>(PhantomData)),
                Box::new(RustHpke::<K, $kdf, ChaCha20Poly1305>(PhantomData)),
                Box::new(RustHpke::<K, $kdf, ExportOnlyAead>(PhantomData)),
            )+]
        };
    }
    kdfs!(HkdfSha256, HkdfSha384, HkdfSha512, KdfShake128, KdfShake256)
}

/// Every suite of the registry with this KEM.
fn suites(kem: KemAlgorithm) -> Vec<HpkeSuite> {
    (KdfAlgorithm::ALL.iter())
        .flat_map(|&kdf| AeadAlgorithm::ALL.iter().map(move |&aead| HpkeSuite { kem, kdf, aead }))
        .collect()
}

fn exchanges(kem: KemAlgorithm, rust_hpke: Vec<Box<dyn Peer>>) {
    let suites = suites(kem);
    assert_eq!((suites.len(), rust_hpke.len()), (20, 20));
    // Each suite in each mode at least once.
    let rounds = count(10).div_ceil(80);
    for round in 0..rounds {
        for (index, &suite) in suites.iter().enumerate() {
            for with_psk in [false, true] {
                let number = 40 * round + 2 * index as u64 + u64::from(with_psk);
                let run = |oracle: &dyn Peer| {
                    exchange(oracle, suite, with_psk, &mut Case::new(number));
                };
                // rust-hpke 0.15.1 panics where a one-stage KDF meets the export-only AEAD.
                let panics = !suite.kdf.is_two_stage() && suite.aead == AeadAlgorithm::ExportOnly;
                // Without optimisation each suite and mode meets one of the two oracles.
                let turn = (index + usize::from(with_psk)).is_multiple_of(2);
                if !panics && (turn || !cfg!(debug_assertions)) {
                    run(&*rust_hpke[index]);
                }
                if panics || !turn || !cfg!(debug_assertions) {
                    run(&HpkeRs(suite));
                }
            }
        }
    }
}

macro_rules! kems {
    ($($name:ident: $algorithm:ident, $oracle:ty;)+) => {
        $(
            #[test]
            fn $name() {
                assert_eq!(KemAlgorithm::$algorithm.id(), <$oracle as Kem>::KEM_ID);
                exchanges(KemAlgorithm::$algorithm, rust_hpke::<$oracle>());
            }
        )+

        #[test]
        fn every_kem_is_tested() {
            assert_eq!([$(KemAlgorithm::$algorithm),+], KemAlgorithm::ALL);
        }
    };
}

kems! {
    dhkem_p256: DhKemP256, kem::DhP256HkdfSha256;
    dhkem_p384: DhKemP384, kem::DhP384HkdfSha384;
    dhkem_p521: DhKemP521, kem::DhP521HkdfSha512;
    dhkem_x25519: DhKemX25519, kem::X25519HkdfSha256;
    ml_kem_768: MlKem768, kem::MlKem768;
    ml_kem_1024: MlKem1024, kem::MlKem1024;
    ml_kem_768_p256: MlKem768P256, kem::MlKem768P256;
    ml_kem_1024_p384: MlKem1024P384, kem::MlKem1024P384;
    ml_kem_768_x25519: MlKem768X25519, kem::XWing;
}

/// `DeriveKeyPair` alone, on `ikm` of every length up to 200 bytes.
#[test]
fn derived_key_pairs_are_equal() {
    for &kem in KemAlgorithm::ALL {
        let suite =
            HpkeSuite { kem, kdf: KdfAlgorithm::HkdfSha256, aead: AeadAlgorithm::Aes128Gcm };
        each(100, |case| {
            let ikm = case.text(200);
            let expected = HpkeRs(suite).derive(&ikm);
            for backend in Backend::available() {
                assert_eq!(Trellis(Hpke::new(suite, backend)).derive(&ikm), expected);
            }
        });
    }
}
