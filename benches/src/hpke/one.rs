//! One recipient, by our backends and by two libraries of HPKE.

use std::marker::PhantomData;

use hpke::aead::{Aead, AesGcm128, AesGcm256};
use hpke::kdf::{HkdfSha256, HkdfSha384, Kdf};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable, kem};
use hpke_rs::libcrux::HpkeLibcrux;
use hpke_rs::{HpkePrivateKey, HpkePublicKey, Mode};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use trellis_ciphersuites::Backend;
use trellis_ciphersuites::hpke::{Hpke, HpkeSuite};

use super::TEXT;
use crate::candidates::{Row, Table};
use crate::suites::Suite;

const NOTE: &str = "256 bytes of info, 32 of text, none of additional data; 32 bytes are exported. \
    All keys are given as bytes. rust-hpke is 0.15 of the crate hpke, on RustCrypto. hpke-rs is \
    0.8, on libcrux; OpenMLS's providers have 0.7. Both draw from a ChaCha20 that is kept.";

const fn table(title: &'static str, rows: fn() -> Vec<Row>) -> Table {
    Table { title, note: NOTE, rows }
}

pub(super) const CLASSICAL: Table =
    table("HPKE, classical", || rows::<kem::X25519HkdfSha256, HkdfSha256, AesGcm128>("classical"));
pub(super) const ROW_1: Table =
    table("HPKE, row 1", || rows::<kem::XWing, HkdfSha256, AesGcm128>("row 1"));
pub(super) const ROW_2: Table =
    table("HPKE, row 2", || rows::<kem::XWing, HkdfSha384, AesGcm256>("row 2"));
pub(super) const ROW_10: Table =
    table("HPKE, row 10", || rows::<kem::MlKem768, HkdfSha384, AesGcm256>("row 10"));
pub(super) const ROW_11: Table =
    table("HPKE, row 11", || rows::<kem::MlKem1024, HkdfSha384, AesGcm256>("row 11"));

const INFO: &[u8] = &[0x54; 256];
const IKM: &[u8] = &[0x55; 64];
const CONTEXT: &[u8] = b"context";
const EXPORTED: usize = 32;

/// An encapsulated secret, and what was sealed, or the secret that was exported.
type Sent = (Vec<u8>, Vec<u8>);

/// An implementation of HPKE for one suite. All keys are bytes.
trait Peer {
    /// The public key.
    fn derive(&self) -> Vec<u8>;
    fn seal(&mut self, public: &[u8]) -> Sent;
    fn open(&self, private: &[u8], sent: &Sent) -> Vec<u8>;
    fn send_export(&mut self, public: &[u8]) -> Sent;
    fn receive_export(&self, private: &[u8], enc: &[u8]) -> Vec<u8>;
}

impl Peer for Hpke {
    fn derive(&self) -> Vec<u8> {
        self.derive_key_pair(IKM).unwrap().public
    }

    fn seal(&mut self, public: &[u8]) -> Sent {
        self.info(INFO).seal(public, b"", TEXT).unwrap()
    }

    fn open(&self, private: &[u8], (enc, sealed): &Sent) -> Vec<u8> {
        self.info(INFO).open(enc, private, b"", sealed).unwrap().into_inner()
    }

    fn send_export(&mut self, public: &[u8]) -> Sent {
        let (enc, secret) = self.info(INFO).send_export(public, CONTEXT, EXPORTED).unwrap();
        (enc, secret.into_inner())
    }

    fn receive_export(&self, private: &[u8], enc: &[u8]) -> Vec<u8> {
        self.info(INFO).receive_export(enc, private, CONTEXT, EXPORTED).unwrap().into_inner()
    }
}

/// rust-hpke.
struct RustHpke<K, F, A>(ChaCha20Rng, PhantomData<(K, F, A)>);

impl<K: Kem, F: Kdf, A: Aead> Peer for RustHpke<K, F, A> {
    fn derive(&self) -> Vec<u8> {
        K::derive_keypair(IKM).1.to_bytes().to_vec()
    }

    fn seal(&mut self, public: &[u8]) -> Sent {
        let public = K::PublicKey::from_bytes(public).unwrap();
        let mode = OpModeS::Base;
        let (enc, sealed) = hpke::single_shot_seal_with_rng::<A, F, K>(
            &mode,
            &public,
            INFO,
            TEXT,
            b"",
            &mut self.0,
        )
        .unwrap();
        (enc.to_bytes().to_vec(), sealed)
    }

    fn open(&self, private: &[u8], (enc, sealed): &Sent) -> Vec<u8> {
        let private = K::PrivateKey::from_bytes(private).unwrap();
        let enc = K::EncappedKey::from_bytes(enc).unwrap();
        hpke::single_shot_open::<A, F, K>(&OpModeR::Base, &private, &enc, INFO, sealed, b"")
            .unwrap()
    }

    fn send_export(&mut self, public: &[u8]) -> Sent {
        let public = K::PublicKey::from_bytes(public).unwrap();
        let mode = OpModeS::Base;
        let (enc, context) =
            hpke::setup_sender_with_rng::<A, F, K>(&mode, &public, INFO, &mut self.0).unwrap();
        let mut secret = vec![0; EXPORTED];
        context.export(CONTEXT, &mut secret).unwrap();
        (enc.to_bytes().to_vec(), secret)
    }

    fn receive_export(&self, private: &[u8], enc: &[u8]) -> Vec<u8> {
        let private = K::PrivateKey::from_bytes(private).unwrap();
        let enc = K::EncappedKey::from_bytes(enc).unwrap();
        let context =
            hpke::setup_receiver::<A, F, K>(&OpModeR::Base, &private, &enc, INFO).unwrap();
        let mut secret = vec![0; EXPORTED];
        context.export(CONTEXT, &mut secret).unwrap();
        secret
    }
}

/// hpke-rs.
type HpkeRs = hpke_rs::Hpke<HpkeLibcrux<ChaCha20Rng>>;

fn hpke_rs(suite: HpkeSuite) -> HpkeRs {
    HpkeRs::new_with_rng(
        Mode::Base,
        suite.kem.id().try_into().unwrap(),
        suite.kdf.id().try_into().unwrap(),
        suite.aead.id().try_into().unwrap(),
        rng(),
    )
}

impl Peer for HpkeRs {
    fn derive(&self) -> Vec<u8> {
        self.derive_key_pair(IKM).unwrap().public_key().as_slice().to_vec()
    }

    fn seal(&mut self, public: &[u8]) -> Sent {
        let public = HpkePublicKey::from(public);
        HpkeRs::seal(self, &public, INFO, b"", TEXT, None, None, None).unwrap()
    }

    fn open(&self, private: &[u8], (enc, sealed): &Sent) -> Vec<u8> {
        let private = HpkePrivateKey::from(private);
        HpkeRs::open(self, enc, &private, INFO, b"", sealed, None, None, None).unwrap()
    }

    fn send_export(&mut self, public: &[u8]) -> Sent {
        let public = HpkePublicKey::from(public);
        HpkeRs::send_export(self, &public, INFO, None, None, None, CONTEXT, EXPORTED).unwrap()
    }

    fn receive_export(&self, private: &[u8], enc: &[u8]) -> Vec<u8> {
        let private = HpkePrivateKey::from(private);
        self.receiver_export(enc, &private, INFO, None, None, None, CONTEXT, EXPORTED).unwrap()
    }
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([0x56; 32])
}

/// What a candidate does again and again.
type Act<T> = Box<dyn FnMut() -> T>;

fn rows<K: Kem + 'static, F: Kdf + 'static, A: Aead + 'static>(short: &str) -> Vec<Row> {
    let suite = Suite::find(short).unwrap().registered().hpke();
    let ids = (suite.kem.id(), suite.kdf.id(), suite.aead.id());
    assert_eq!(ids, (K::KEM_ID, F::KDF_ID, A::AEAD_ID), "{short} is another suite");

    let peers = || {
        let ours = Backend::available()
            .map(|backend| (backend.name(), Box::new(Hpke::new(suite, backend)) as Box<dyn Peer>));
        let rust_hpke = RustHpke::<K, F, A>(rng(), PhantomData);
        ours.chain([
            ("rust-hpke", Box::new(rust_hpke) as Box<dyn Peer>),
            ("hpke-rs", Box::new(hpke_rs(suite))),
        ])
    };
    let portable = Hpke::new(suite, Backend::portable());
    let pair = portable.derive_key_pair(IKM).unwrap();
    let (private, public) = (pair.private, pair.public);

    // What each peer sends, another one has to understand.
    let (sealed, exported) = {
        let (mut sealed, mut exported) = (Sent::default(), Sent::default());
        for (name, mut peer) in peers() {
            sealed = peer.seal(&public);
            assert_eq!(portable.open(&private, &sealed), TEXT, "{name} seals something else");
            exported = peer.send_export(&public);
            let received = portable.receive_export(&private, &exported.0);
            assert_eq!(received, exported.1, "{name} exports something else");
        }
        (sealed, exported)
    };

    let checked = |operation: &str, act: &dyn Fn(Box<dyn Peer>) -> Act<Vec<u8>>| {
        peers().fold(Row::new(operation), |row, (name, peer)| row.add(name, act(peer)))
    };
    // With an encapsulation, which differs each time.
    let unchecked = |operation: &str, act: fn(Box<dyn Peer>, Vec<u8>) -> Act<Sent>| {
        peers().fold(Row::new(operation), |row, (name, peer)| {
            row.add_unchecked(name, act(peer, public.clone()))
        })
    };
    vec![
        checked("derive key pair", &|peer| Box::new(move || peer.derive())),
        unchecked("seal", |mut peer, public| Box::new(move || peer.seal(&public))),
        checked("open", &|peer| {
            let (private, sealed) = (private.clone(), sealed.clone());
            Box::new(move || peer.open(&private, &sealed))
        }),
        unchecked("send export", |mut peer, public| Box::new(move || peer.send_export(&public))),
        checked("receive export", &|peer| {
            let (private, enc) = (private.clone(), exported.0.clone());
            Box::new(move || peer.receive_export(&private, &enc))
        }),
    ]
}
