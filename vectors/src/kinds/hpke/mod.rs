//! HPKE as a whole, in the format of the vectors of RFC 9180 and of draft-ietf-hpke-pq:
//! encapsulation, key schedule, contexts, exports; modes base and PSK.

mod check;
mod generate;
mod schedule;

pub use generate::generate;

use serde::{Deserialize, Serialize};

use crate::Hex;

/// One encapsulation and what both sides do with it. Names are those of RFC 9180.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(non_snake_case, reason = "the names of the format")]
pub struct HpkeVector {
    /// 0 for base, 1 for PSK (RFC 9180, section 5).
    pub mode: u8,
    /// Number of the KEM.
    pub kem_id: u16,
    /// Number of the KDF.
    pub kdf_id: u16,
    /// Number of the AEAD.
    pub aead_id: u16,
    /// The string of the application.
    pub info: Hex,
    /// The randomness of the encapsulation: the `ikmE` of RFC 9180 for DHKEM, `m` for ML-KEM (32
    /// bytes), `m` and the seed of the group's ephemeral key for a hybrid (32 bytes more for X25519,
    /// 48 for P-384, 128 for P-256).
    pub ikmE: Hex,
    /// What the recipient's key pair is derived from.
    pub ikmR: Hex,
    /// The recipient's private key.
    pub skRm: Hex,
    /// The recipient's public key.
    pub pkRm: Hex,
    /// The pre-shared key, in PSK mode alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub psk: Option<Hex>,
    /// Its identifier, in PSK mode alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub psk_id: Option<Hex>,
    /// The encapsulated secret.
    pub enc: Hex,
    /// The secret of the KEM.
    pub shared_secret: Hex,
    /// `"HPKE"` and the three numbers.
    pub suite_id: Hex,
    /// The key of the AEAD.
    pub key: Hex,
    /// The nonce of the message with sequence number 0.
    pub base_nonce: Hex,
    /// What exports are derived from.
    pub exporter_secret: Hex,
    /// Messages, with the sequence numbers 0, 1, 2 and so on.
    pub encryptions: Vec<Encryption>,
    /// Exports.
    pub exports: Vec<Export>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// Associated data.
    pub aad: Hex,
    /// Ciphertext and tag.
    pub ct: Hex,
    /// The nonce that belongs to its place in the list.
    pub nonce: Hex,
    /// Plaintext.
    pub pt: Hex,
}

/// An exported secret (RFC 9180, section 5.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(non_snake_case, reason = "the names of the format")]
pub struct Export {
    /// The context string.
    pub exporter_context: Hex,
    /// How many bytes.
    pub L: usize,
    /// The bytes.
    pub exported_value: Hex,
}

const BASE: u8 = 0;
const PSK: u8 = 1;
