//! How vectors of ML-DSA are made.

use ml_dsa::{ExpandedSigningKey, MlDsa44, MlDsa65, MlDsa87, MlDsaParams};
use trellis_ciphersuites::signature::SignatureScheme;

use super::SignatureVector;
use super::malformed::{CHANGES, Change, LAYOUTS, Layout};
use crate::kinds::lengths::{Cut, LENGTHS};
use crate::{Failure, Hex, Primitives, Randomness};

/// Lengths of the messages of valid signatures: each deterministic, then hedged.
const MESSAGES: [usize; 5] = [0, 1, 32, 135, 1000];

/// Bytes of the message that signatures with a fault are about.
const MESSAGE: usize = 64;

/// One file for each scheme.
///
/// # Errors
///
/// What `primitives` refuse, or accept and should not.
pub fn generate(
    primitives: &dyn Primitives,
    randomness: &Randomness,
) -> Result<Vec<(String, Vec<SignatureVector>)>, Failure> {
    LAYOUTS.iter().map(|layout| file(primitives, randomness, layout)).collect()
}

fn file(
    primitives: &dyn Primitives,
    randomness: &Randomness,
    layout: &Layout,
) -> Result<(String, Vec<SignatureVector>), Failure> {
    let scheme = layout.scheme;
    let stem = scheme.name().to_lowercase().replace('-', "");
    let randomness = &randomness.part(&stem);
    let maker = Maker { primitives, randomness, scheme };
    let mut vectors = maker.valid()?;
    vectors.extend(maker.invalid(layout)?);
    Ok((stem, vectors))
}

struct Maker<'a> {
    primitives: &'a dyn Primitives,
    randomness: &'a Randomness,
    scheme: SignatureScheme,
}

impl Maker<'_> {
    /// A valid signature by a new key.
    fn signed(
        &self,
        comment: &str,
        length: usize,
        hedged: bool,
    ) -> Result<SignatureVector, Failure> {
        let seed = self.randomness.bytes(32);
        let message = self.randomness.bytes(length);
        let mut rnd = [0; 32];
        if hedged {
            rnd.copy_from_slice(&self.randomness.bytes(32));
        }
        let public = self.primitives.verification_key(self.scheme, &seed);
        let signature = self.primitives.sign(self.scheme, &seed, &message, Some(&rnd));
        Ok(SignatureVector {
            scheme: self.scheme.id(),
            name: self.scheme.name().into(),
            comment: comment.into(),
            public_key: public.map_err(Failure::of("seed"))?.into(),
            seed: Some(seed.into()),
            message: message.into(),
            randomness: Some(Hex(rnd.to_vec())),
            signature: signature.map_err(Failure::of("message"))?.into(),
            valid: true,
            error: None,
        })
    }

    fn valid(&self) -> Result<Vec<SignatureVector>, Failure> {
        let mut vectors = Vec::new();
        for length in MESSAGES {
            for (variant, hedged) in [("deterministic", false), ("hedged", true)] {
                let comment = format!("{variant}, message of {length} bytes");
                vectors.push(self.signed(&comment, length, hedged)?);
            }
        }
        Ok(vectors)
    }

    fn invalid(&self, layout: &Layout) -> Result<Vec<SignatureVector>, Failure> {
        let (good, changed) = self.changed(layout)?;
        let seed = good.seed.as_deref().unwrap_or_default();
        let mut vectors = Vec::new();
        let mut add = |comment: &str, change: &dyn Fn(&mut SignatureVector)| {
            let mut vector = good.clone();
            (vector.seed, vector.randomness, vector.valid) = (None, None, false);
            vector.comment = comment.into();
            change(&mut vector);
            self.explained(vector).map(|vector| vectors.push(vector))
        };
        for (Change { comment, .. }, signature) in CHANGES.iter().zip(changed) {
            add(comment, &|vector| vector.signature = signature.clone().into())?;
        }
        for Cut { comment, apply } in &LENGTHS {
            add(&format!("signature: {comment}"), &|vector| {
                vector.signature = apply(&good.signature).into();
            })?;
        }
        add("signature of zeros", &|vector| vector.signature.0.fill(0))?;
        add("another message", &|vector| vector.message.0[0] ^= 1)?;
        add("a message with a byte more", &|vector| vector.message.0.push(0))?;
        add("an empty message", &|vector| vector.message.0.clear())?;
        let other = self.signed("", MESSAGE, false)?;
        add("the public key of somebody else", &|vector| {
            vector.public_key.clone_from(&other.public_key);
        })?;
        add("last bit of the public key flipped", &|vector| {
            if let Some(last) = vector.public_key.0.last_mut() {
                *last ^= 0x80;
            }
        })?;
        for Cut { comment, apply } in &LENGTHS {
            add(&format!("public key: {comment}"), &|vector| {
                vector.public_key = apply(&good.public_key).into();
            })?;
        }
        let context = with_context(self.scheme, seed, &good.message, b"context")?;
        add("signed with the context string \"context\"", &|vector| {
            vector.signature = context.clone().into();
        })?;
        Ok(vectors)
    }

    /// A valid signature in which every change has its place, and all of them. Hints are short
    /// lists, so one in a few has none for some change.
    fn changed(&self, layout: &Layout) -> Result<(SignatureVector, Vec<Vec<u8>>), Failure> {
        const ATTEMPTS: usize = 1000;
        for _ in 0..ATTEMPTS {
            let good = self.signed("", MESSAGE, false)?;
            let changed: Option<Vec<_>> =
                CHANGES.iter().map(|change| (change.apply)(layout, &good.signature)).collect();
            if let Some(changed) = changed {
                return Ok((good, changed));
            }
        }
        Err(Failure::refused("signature", "none with a hint that can be changed in all ways"))
    }

    /// With the error that verification gives.
    fn explained(&self, mut vector: SignatureVector) -> Result<SignatureVector, Failure> {
        let SignatureVector { public_key, message, signature, .. } = &vector;
        match self.primitives.verify(self.scheme, public_key, message, signature) {
            Ok(()) => Err(Failure::refused(vector.comment, "verifies")),
            Err(crate::Refusal::Invalid(code)) => {
                vector.error = Some(code.into());
                Ok(vector)
            }
            Err(refusal) => Err(Failure::of(vector.comment)(refusal)),
        }
    }
}

/// A deterministic signature under a context string, which our primitives have no way to make.
fn with_context(
    scheme: SignatureScheme,
    seed: &[u8],
    message: &[u8],
    context: &[u8],
) -> Result<Vec<u8>, Failure> {
    fn sign<P: MlDsaParams>(seed: &[u8], message: &[u8], context: &[u8]) -> Option<Vec<u8>> {
        let key = ExpandedSigningKey::<P>::from_seed(seed.try_into().ok()?);
        Some(key.sign_deterministic(message, context).ok()?.encode().to_vec())
    }
    let signature = match scheme {
        SignatureScheme::MlDsa44 => sign::<MlDsa44>(seed, message, context),
        SignatureScheme::MlDsa65 => sign::<MlDsa65>(seed, message, context),
        SignatureScheme::MlDsa87 => sign::<MlDsa87>(seed, message, context),
        _ => None,
    };
    signature.ok_or_else(|| Failure::refused("seed", "does not sign with a context string"))
}
