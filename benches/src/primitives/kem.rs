//! The KEMs of HPKE that are made of others: DHKEM and the hybrids.

use hpke::{Deserializable, Kem, Serializable, kem as rust_hpke};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use trellis_ciphersuites::kem::KemAlgorithm::{self, *};

use crate::candidates::{Row, Table};

const NOTE: &str = "All keys are given as bytes, and encapsulation draws its randomness: ours from \
    the thread's generator, rust-hpke from a ChaCha20 that is kept.";

const fn table(title: &'static str, rows: fn() -> Vec<Row>) -> Table {
    Table { title, note: NOTE, rows }
}

pub(super) const X25519: Table =
    table("DHKEM(X25519)", || rows::<rust_hpke::X25519HkdfSha256>(DhKemX25519));
pub(super) const P256: Table =
    table("DHKEM(P-256)", || rows::<rust_hpke::DhP256HkdfSha256>(DhKemP256));
pub(super) const P384: Table =
    table("DHKEM(P-384)", || rows::<rust_hpke::DhP384HkdfSha384>(DhKemP384));
pub(super) const ML_KEM_768_X25519: Table =
    table("MLKEM768-X25519", || rows::<rust_hpke::XWing>(MlKem768X25519));
pub(super) const ML_KEM_768_P256: Table =
    table("MLKEM768-P256", || rows::<rust_hpke::MlKem768P256>(MlKem768P256));
pub(super) const ML_KEM_1024_P384: Table =
    table("MLKEM1024-P384", || rows::<rust_hpke::MlKem1024P384>(MlKem1024P384));

const IKM: [u8; 64] = [0x52; 64];

fn rows<K: Kem>(kem: KemAlgorithm) -> Vec<Row> {
    assert_eq!(kem.id(), K::KEM_ID);
    let (sk, pk) = K::derive_keypair(&IKM);
    let (sk, pk) = (sk.to_bytes().to_vec(), pk.to_bytes().to_vec());
    let mut rng = ChaCha20Rng::from_seed([0x53; 32]);
    let encapsulate = {
        let pk = pk.clone();
        move || {
            let pk = K::PublicKey::from_bytes(&pk).unwrap();
            let (secret, enc) = K::encap_with_rng(&pk, None, &mut rng).unwrap();
            (secret.0.clone(), enc.to_bytes())
        }
    };
    let enc = encapsulate.clone()().1.to_vec();

    let derive = Row::new("derive key pair")
        .add_ours(|backend| move || kem.derive_key_pair(backend, &IKM).unwrap().public)
        .add("rust-hpke", || K::derive_keypair(&IKM).1.to_bytes());
    let encapsulate = Row::new("encapsulate to encoded key")
        .add_ours_unchecked(|backend| {
            let pk = pk.clone();
            move || kem.encapsulate(backend, &pk).unwrap()
        })
        .add_unchecked("rust-hpke", encapsulate);
    let decapsulate = Row::new("private key and encapsulation to secret")
        .add_ours(|backend| {
            let (sk, enc) = (sk.clone(), enc.clone());
            move || kem.decapsulate(backend, &sk, &enc).unwrap().into_inner()
        })
        .add("rust-hpke", move || {
            let sk = K::PrivateKey::from_bytes(&sk).unwrap();
            let enc = K::EncappedKey::from_bytes(&enc).unwrap();
            K::decap(&sk, None, &enc).unwrap().0.clone()
        });
    vec![derive, encapsulate, decapsulate]
}
