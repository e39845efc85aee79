//! How vectors of a KEM are made: calls with random inputs, then calls with changed ones.

use trellis_ciphersuites::kem::KemAlgorithm;

use super::malformed::{CIPHERTEXTS, Change, LAYOUTS, Layout};
use super::{HPKE_PQ, HpkeError, KemVector, Operation, stem};
use crate::kinds::lengths::{Cut, LENGTHS};
use crate::{Failure, Hex, KeyPair, Primitives, Randomness, Refusal};

/// How many random inputs an operation gets.
const RANDOM: usize = 10;

/// How many random private keys: the other operations begin with some, too.
const RANDOM_KEYS: usize = 4;

/// Lengths of the input of `DeriveKeyPair`: what MLS uses, and around.
const IKM_LENGTHS: [usize; RANDOM] = [32, 32, 32, 48, 48, 64, 64, 64, 33, 200];

/// One file for each KEM.
///
/// # Errors
///
/// What `primitives` refuse and should not, or accept and should not.
pub fn generate(
    primitives: &dyn Primitives,
    randomness: &Randomness,
) -> Result<Vec<(String, Vec<KemVector>)>, Failure> {
    LAYOUTS.iter().map(|layout| file(primitives, randomness, layout)).collect()
}

fn file(
    primitives: &dyn Primitives,
    randomness: &Randomness,
    layout: &Layout,
) -> Result<(String, Vec<KemVector>), Failure> {
    let name = stem(layout.kem);
    let randomness = &randomness.part(&name);
    let mut file = File { primitives, randomness, layout, vectors: Vec::new() };
    file.generate()?;
    file.derive()?;
    file.encapsulate()?;
    file.decapsulate()?;
    Ok((name, file.vectors))
}

/// The vectors of a KEM while they are made.
struct File<'a> {
    primitives: &'a dyn Primitives,
    randomness: &'a Randomness,
    layout: &'a Layout,
    vectors: Vec<KemVector>,
}

impl File<'_> {
    fn kem(&self) -> KemAlgorithm {
        self.layout.kem
    }

    /// Adds a call and what comes of it.
    fn add(
        &mut self,
        comment: &str,
        error: Option<HpkeError>,
        mut operation: Operation,
    ) -> Result<(), Failure> {
        let result = operation.run(self.primitives, self.kem());
        let code = match (result, error) {
            (Ok(computed), None) => {
                operation.fill(computed);
                None
            }
            (Err(Refusal::Invalid(code)), Some(_)) => Some(code.to_owned()),
            (Err(refusal), _) => return Err(Failure::of(comment)(refusal)),
            (Ok(_), Some(_)) => return Err(Failure::refused(comment, "was accepted")),
        };
        self.vectors.push(KemVector {
            kem_id: self.kem().id(),
            kem: self.kem().name().into(),
            comment: comment.into(),
            operation,
            error: code,
            hpke_error: error,
        });
        Ok(())
    }

    fn private_key(&self) -> Vec<u8> {
        self.randomness.bytes(self.kem().private_key_len())
    }

    /// A key pair; its parts have the lengths of the registry.
    fn key_pair(&self) -> Result<KeyPair, Failure> {
        let private = self.private_key();
        let public = self.primitives.public_key(self.kem(), &private);
        let public = public.map_err(Failure::of("private_key"))?;
        match public.len() == self.kem().public_key_len() {
            true => Ok(KeyPair { private, public }),
            false => Err(Failure::refused("public_key", "wrong length")),
        }
    }

    /// An encapsulated secret for a key, of the length of the registry.
    fn enc(&self, public: &[u8]) -> Result<Vec<u8>, Failure> {
        let randomness = self.randomness.bytes(self.kem().randomness_len());
        let sent = self.primitives.encapsulate(self.kem(), public, Some(&randomness));
        let (enc, _) = sent.map_err(Failure::of("public_key"))?;
        match enc.len() == self.kem().enc_len() {
            true => Ok(enc),
            false => Err(Failure::refused("enc", "wrong length")),
        }
    }

    fn generate(&mut self) -> Result<(), Failure> {
        let generate =
            |key: Vec<u8>| Operation::Generate { private_key: key.into(), public_key: None };
        let length = self.kem().private_key_len();
        for number in 0..RANDOM_KEYS {
            let comment = format!("random private key {number}");
            self.add(&comment, None, generate(self.private_key()))?;
        }
        self.add("private key of zeros", None, generate(vec![0; length]))?;
        self.add("private key of ones", None, generate(vec![0xFF; length]))?;
        for Cut { comment, apply } in &LENGTHS {
            let comment = format!("private key: {comment}");
            let operation = generate(apply(&self.private_key()));
            self.add(&comment, Some(HpkeError::DeserializeError), operation)?;
        }
        Ok(())
    }

    fn derive(&mut self) -> Result<(), Failure> {
        for length in IKM_LENGTHS {
            let operation = Operation::Derive {
                derivation: HPKE_PQ.into(),
                ikm: self.randomness.bytes(length).into(),
                private_key: None,
                public_key: None,
            };
            self.add(&format!("random input of {length} bytes"), None, operation)?;
        }
        Ok(())
    }

    fn encapsulate(&mut self) -> Result<(), Failure> {
        for number in 0..RANDOM {
            let public = self.key_pair()?.public;
            self.encapsulate_to(&format!("random key and randomness {number}"), None, public)?;
        }
        let public = self.key_pair()?.public;
        for Cut { comment, apply } in &LENGTHS {
            let comment = format!("public key: {comment}");
            self.encapsulate_to(&comment, Some(HpkeError::EncapError), apply(&public))?;
        }
        let (ml_kem, element) = public.split_at(self.layout.key);
        let (t, rho) = ml_kem.split_at(self.layout.key - 32);
        for Change { comment, error, apply } in self.layout.vector {
            self.encapsulate_to(comment, *error, [&apply(t), rho, element].concat())?;
        }
        for Change { comment, error, apply } in self.layout.element {
            let comment = format!("public key: {comment}");
            self.encapsulate_to(&comment, *error, [ml_kem, &apply(element)].concat())?;
        }
        Ok(())
    }

    fn encapsulate_to(
        &mut self,
        comment: &str,
        error: Option<HpkeError>,
        public_key: Vec<u8>,
    ) -> Result<(), Failure> {
        let randomness = self.randomness.bytes(self.kem().randomness_len()).into();
        let public_key = public_key.into();
        let operation =
            Operation::Encapsulate { public_key, randomness, enc: None, shared_secret: None };
        self.add(comment, error, operation)
    }

    fn decapsulate(&mut self) -> Result<(), Failure> {
        for number in 0..RANDOM {
            let pair = self.key_pair()?;
            let enc = self.enc(&pair.public)?;
            let comment = format!("random key and encapsulation {number}");
            self.decapsulate_from(&comment, None, &pair.private, enc)?;
        }
        let KeyPair { private, public } = self.key_pair()?;
        let (enc, other) = (self.enc(&public)?, self.enc(&public)?);
        for Cut { comment, apply } in &LENGTHS {
            let (comment, error) = (format!("private key: {comment}"), HpkeError::DeserializeError);
            self.decapsulate_from(&comment, Some(error), &apply(&private), enc.clone())?;
        }
        for Cut { comment, apply } in &LENGTHS {
            let (comment, error) =
                (format!("encapsulated secret: {comment}"), HpkeError::DecapError);
            self.decapsulate_from(&comment, Some(error), &private, apply(&enc))?;
        }
        let (ciphertext, element) = enc.split_at(self.layout.ciphertext);
        for Change { comment, error, apply } in &CIPHERTEXTS {
            let enc = [&apply(ciphertext), element].concat();
            self.decapsulate_from(comment, *error, &private, enc)?;
        }
        for Change { comment, error, apply } in self.layout.element {
            let comment = format!("encapsulated secret: {comment}");
            let enc = [ciphertext, &apply(element)].concat();
            self.decapsulate_from(&comment, *error, &private, enc)?;
        }
        if !element.is_empty() {
            let enc = [ciphertext, &other[self.layout.ciphertext..]].concat();
            let comment = "element of the group from another encapsulation";
            self.decapsulate_from(comment, None, &private, enc)?;
        }
        let stranger = self.key_pair()?.private;
        self.decapsulate_from("encapsulated for another key", None, &stranger, other)
    }

    fn decapsulate_from(
        &mut self,
        comment: &str,
        error: Option<HpkeError>,
        private_key: &[u8],
        enc: Vec<u8>,
    ) -> Result<(), Failure> {
        let private_key = Hex::from(private_key);
        let operation =
            Operation::Decapsulate { private_key, enc: enc.into(), shared_secret: None };
        self.add(comment, error, operation)
    }
}
