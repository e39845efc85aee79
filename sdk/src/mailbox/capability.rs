//! Who may have what a mailbox keeps.
//!
//! All members of a group share a secret; a [`Capability`] is made from it, a pair of Ed25519 keys that
//! is the same for all of them. Whoever has it may do everything with the box that it names, and says so
//! by signing. The mailbox sees the public key and cannot tell which member signed, nor which group it
//! is. A box is named by the hash of the key, so nobody can take another's name before him.
//!
//! A second mailbox that keeps the same box gets a [`Grant`] from a holder: the right to read one box
//! at one mailbox, until some moment, and no more.
//!
//! Ed25519 protects access alone. Who breaks it reads envelopes, which are encrypted for the group with
//! what the group uses, or closes boxes; a quantum computer could, from the day it exists.

use std::fmt;

use tls_codec::{Serialize, TlsDeserializeBytes, TlsSerialize, TlsSize, VLBytes};
use trellis_ciphersuites::signature::{SignatureScheme, SigningKey, VerifyingKey};
use trellis_ciphersuites::symmetric::HashAlgorithm;
use trellis_ciphersuites::{Backend, Error, Secret};

use super::challenge::Challenge;
use crate::Time;

const SCHEME: SignatureScheme = SignatureScheme::Ed25519;
const IDENTITY: &[u8] = b"trellis mailbox identity v1";
const REQUEST: &[u8] = b"trellis mailbox request v1";
const GRANT: &[u8] = b"trellis mailbox grant v1";

macro_rules! name {
    ($(#[$attribute:meta])* $name:ident) => {
        $(#[$attribute])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            TlsSerialize, TlsDeserializeBytes, TlsSize,
        )]
        pub struct $name(pub [u8; 32]);

        /// Prints nothing of itself.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

name! {
    /// A box: SHA-256 of "trellis mailbox box v1" and the capability's public key. 32 bytes.
    BoxId
}
name! {
    /// A mailbox: its public key, Ed25519, 32 bytes.
    MailboxId
}
name! {
    /// The public key of a capability, Ed25519, 32 bytes.
    Holder
}
name! {
    /// An envelope: SHA-256 of its bytes. 32 bytes.
    EnvelopeId
}

/// SHA-256.
pub(super) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let digest = HashAlgorithm::Sha256.hash(Backend::default(), &parts.concat());
    digest.try_into().expect("SHA-256 gives 32 bytes")
}

/// 32 bytes that are derived from a secret under a label.
pub(super) fn derive(secret: &[u8; 32], label: &[u8]) -> Secret {
    let hash = HashAlgorithm::Sha256;
    let key = hash.extract(Backend::default(), b"trellis mailbox v1", secret);
    hash.expand(Backend::default(), &key, label, 32).expect("32 bytes are as long as the hash")
}

fn key_pair(secret: &[u8; 32], label: &[u8]) -> (SigningKey, [u8; 32]) {
    let seed = derive(secret, label);
    let key = SigningKey::from_bytes(SCHEME, Backend::default(), &seed);
    let key = key.expect("any 32 bytes are a seed of Ed25519");
    let public = key.public_key().try_into().expect("a public key of Ed25519 has 32 bytes");
    (key, public)
}

fn verify(public: &[u8; 32], statement: &[u8], signature: &[u8; 64]) -> bool {
    VerifyingKey::from_bytes(SCHEME, Backend::default(), public)
        .and_then(|key| key.verify(statement, signature))
        .is_ok()
}

fn sign(key: &SigningKey, statement: &[u8]) -> Result<[u8; 64], Error> {
    key.sign(statement)?.try_into().map_err(|_| Error::SigningFailed)
}

impl BoxId {
    /// The box of a capability.
    #[must_use]
    pub fn of(holder: &Holder) -> Self {
        Self(sha256(&[b"trellis mailbox box v1", &holder.0]))
    }
}

impl EnvelopeId {
    /// The name of an envelope.
    #[must_use]
    pub fn of(envelope: &[u8]) -> Self {
        Self(sha256(&[envelope]))
    }
}

/// The right to a box. Wiped when dropped.
#[derive(Clone)]
pub struct Capability {
    key: SigningKey,
    holder: Holder,
}

impl Capability {
    /// The capability of a secret that all who may use the box share, 32 bytes.
    #[must_use]
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        let (key, public) = key_pair(secret, b"trellis mailbox capability v1");
        Self { key, holder: Holder(public) }
    }

    /// Its public key.
    #[must_use]
    pub fn holder(&self) -> Holder {
        self.holder
    }

    /// The box that it opens.
    #[must_use]
    pub fn box_id(&self) -> BoxId {
        BoxId::of(&self.holder)
    }

    /// Lets the mailbox `to` read the box at the mailbox `from`, until a moment.
    ///
    /// # Errors
    ///
    /// Those of the signature's primitive.
    pub fn grant(&self, from: MailboxId, to: MailboxId, until: Time) -> Result<Grant, Error> {
        let mut grant = Grant { holder: self.holder, from, to, until, signature: [0; 64] };
        grant.signature = sign(&self.key, &grant.statement())?;
        Ok(grant)
    }

    pub(super) fn sign(&self, statement: &[u8]) -> Result<[u8; 64], Error> {
        sign(&self.key, statement)
    }
}

impl fmt::Debug for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Capability(***)")
    }
}

/// The keys of a mailbox, all from one secret. Several processes with the same secret are the same
/// mailbox. Wiped when dropped.
#[derive(Clone)]
pub struct MailboxKeys {
    key: SigningKey,
    id: MailboxId,
    seed: Secret,
    challenges: Secret,
}

impl MailboxKeys {
    /// The mailbox of a secret, 32 bytes.
    #[must_use]
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        let (key, public) = key_pair(secret, IDENTITY);
        let seed = derive(secret, IDENTITY);
        let challenges = derive(secret, b"trellis mailbox challenges v1");
        Self { key, id: MailboxId(public), seed, challenges }
    }

    /// The private key of the mailbox's identity, 32 bytes, for a transport that names nodes by keys of
    /// Ed25519: so the node's name is the mailbox's.
    #[must_use]
    pub fn node_seed(&self) -> &Secret {
        &self.seed
    }

    /// The mailbox's name.
    #[must_use]
    pub fn id(&self) -> MailboxId {
        self.id
    }

    pub(super) fn challenges(&self) -> Secret {
        self.challenges.clone()
    }

    pub(super) fn sign(&self, statement: &[u8]) -> Result<[u8; 64], Error> {
        sign(&self.key, statement)
    }
}

impl fmt::Debug for MailboxKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailboxKeys(***)")
    }
}

/// The right of one mailbox to read one box at another, 168 bytes.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Grant {
    /// Whose box it is, and who signed.
    pub holder: Holder,
    /// Where it may be read.
    pub from: MailboxId,
    /// Who may read it.
    pub to: MailboxId,
    /// Until when.
    pub until: Time,
    /// Of the holder, over `opaque label<V> = "trellis mailbox grant v1"` and what stands above.
    pub signature: [u8; 64],
}

impl Grant {
    /// The box.
    #[must_use]
    pub fn box_id(&self) -> BoxId {
        BoxId::of(&self.holder)
    }

    /// Whether the holder gave it, and it has not ended.
    #[must_use]
    pub fn is_valid(&self, now: Time) -> bool {
        now < self.until && verify(&self.holder.0, &self.statement(), &self.signature)
    }

    fn statement(&self) -> Vec<u8> {
        let mut out = opaque(GRANT);
        for part in [&self.holder.0, &self.from.0, &self.to.0] {
            out.extend_from_slice(part);
        }
        out.extend_from_slice(&self.until.0.to_be_bytes());
        out
    }
}

fn opaque(bytes: &[u8]) -> Vec<u8> {
    let bytes = VLBytes::from(bytes.to_vec());
    bytes.tls_serialize_detached().expect("its length fits into 30 bits")
}

/// What a request is signed over: `opaque label<V>`, the mailbox (32 bytes), the box (32), the
/// challenge (16), `opaque body<V>`.
pub(super) fn statement(
    mailbox: &MailboxId,
    id: &BoxId,
    challenge: Challenge,
    body: &[u8],
) -> Vec<u8> {
    [&opaque(REQUEST)[..], &mailbox.0, &id.0, &challenge.0, &opaque(body)].concat()
}

/// Whether a holder, or a mailbox, signed a statement.
pub(super) fn is_signed(public: &[u8; 32], statement: &[u8], signature: &[u8; 64]) -> bool {
    verify(public, statement, signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_have_the_same_capability_and_others_another() {
        let (one, same) = (Capability::from_secret(&[1; 32]), Capability::from_secret(&[1; 32]));
        assert_eq!(one.box_id(), same.box_id());
        assert_ne!(one.box_id(), Capability::from_secret(&[2; 32]).box_id());
        // A secret that serves for both gives keys that have nothing to do with each other.
        assert_ne!(one.holder().0, MailboxKeys::from_secret(&[1; 32]).id().0);
        assert_eq!(format!("{one:?}"), "Capability(***)");
    }

    #[test]
    fn a_signature_holds_for_one_mailbox_box_challenge_and_body() {
        let capability = Capability::from_secret(&[1; 32]);
        let (mailbox, id) = (MailboxId([2; 32]), capability.box_id());
        let said = statement(&mailbox, &id, Challenge([3; 16]), b"body");
        let signature = capability.sign(&said).unwrap();
        let holder = capability.holder().0;
        assert!(is_signed(&holder, &said, &signature));
        for other in [
            statement(&MailboxId([9; 32]), &id, Challenge([3; 16]), b"body"),
            statement(&mailbox, &BoxId([9; 32]), Challenge([3; 16]), b"body"),
            statement(&mailbox, &id, Challenge([9; 16]), b"body"),
            statement(&mailbox, &id, Challenge([3; 16]), b"bodx"),
        ] {
            assert!(!is_signed(&holder, &other, &signature));
        }
    }

    #[test]
    fn a_grant_holds_as_it_was_given() {
        let capability = Capability::from_secret(&[1; 32]);
        let grant = capability.grant(MailboxId([2; 32]), MailboxId([3; 32]), Time(100)).unwrap();
        assert_eq!(grant.tls_serialized_len(), 168);
        assert!(grant.is_valid(Time(99)));
        assert!(!grant.is_valid(Time(100)));
        for change in [
            |grant: &mut Grant| grant.from = MailboxId([9; 32]),
            |grant: &mut Grant| grant.to = MailboxId([9; 32]),
            |grant: &mut Grant| grant.until = Time(200),
            |grant: &mut Grant| grant.holder = Holder([9; 32]),
            |grant: &mut Grant| grant.signature[0] ^= 1,
        ] {
            let mut changed = grant.clone();
            change(&mut changed);
            assert!(!changed.is_valid(Time(99)));
        }
    }

    use tls_codec::Size;
}
