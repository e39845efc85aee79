//! ML-DSA (FIPS 204) as MLS uses it: pure, with the empty context string (draft-ietf-tls-mldsa), from
//! a 32-byte seed. What verifies, and what must not.

mod generate;
mod malformed;

pub use generate::generate;

use serde::{Deserialize, Serialize};
use trellis_ciphersuites::signature::SignatureScheme::{self, *};

use super::Vector;
use super::offered::{Offered, unless_refused};
use crate::{Failure, Hex, Primitives};

/// The schemes that there are vectors for.
const SCHEMES: [SignatureScheme; 3] = [MlDsa44, MlDsa65, MlDsa87];

/// A signature, valid or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureVector {
    /// Number of the scheme (TLS `SignatureScheme` registry).
    pub scheme: u16,
    /// Its name.
    pub name: String,
    /// What is special.
    pub comment: String,
    /// The private key: `ξ` of FIPS 204, algorithm 6. Where it is there, the public key comes from
    /// it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<Hex>,
    /// The public key.
    pub public_key: Hex,
    /// The message.
    pub message: Hex,
    /// `rnd` of FIPS 204, algorithm 2: 32 bytes, zeros for the deterministic variant. Where it is
    /// there, the signature comes from it, the seed and the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub randomness: Option<Hex>,
    /// The signature.
    pub signature: Hex,
    /// Whether it verifies.
    pub valid: bool,
    /// What is wrong if it does not: `invalid-signature` or `invalid-public-key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Vector for SignatureVector {
    fn check(&self, primitives: &dyn Primitives) -> Result<(), Failure> {
        let scheme = SCHEMES
            .into_iter()
            .find(|scheme| scheme.id() == self.scheme)
            .ok_or_else(|| Failure::Skipped(format!("signature scheme {:#06x}", self.scheme)))?;
        if self.name != scheme.name() {
            let reason = format!("scheme {:#06x} is {scheme}", self.scheme);
            return Err(Failure::refused("name", reason));
        }
        let mut offered = Offered::default();
        self.check_signing(primitives, scheme, &mut offered)?;
        let result = primitives.verify(scheme, &self.public_key, &self.message, &self.signature);
        match (self.valid, &self.error) {
            (true, None) => {
                offered.take("signature", result)?;
                offered.finish()
            }
            (true, Some(_)) => Err(Failure::refused("error", "of a valid signature")),
            (false, None) => Err(Failure::refused("error", "missing")),
            (false, Some(code)) => unless_refused(code, result),
        }
    }
}

impl SignatureVector {
    /// What the seed says of public key and signature.
    fn check_signing(
        &self,
        primitives: &dyn Primitives,
        scheme: SignatureScheme,
        offered: &mut Offered,
    ) -> Result<(), Failure> {
        let (seed, randomness) = match (&self.seed, &self.randomness) {
            (None, None) => return Ok(()),
            (None, Some(_)) => return Err(Failure::refused("randomness", "without a seed")),
            (Some(seed), randomness) => (seed, randomness),
        };
        let public = primitives.verification_key(scheme, seed);
        if let Some(public) = offered.take("seed", public)? {
            Failure::unless_equal("public_key", &self.public_key, public)?;
        }
        let Some(randomness) = randomness else { return Ok(()) };
        let randomness = randomness
            .as_ref()
            .try_into()
            .map_err(|_| Failure::refused("randomness", "does not have 32 bytes"))?;
        let signed = primitives.sign(scheme, seed, &self.message, Some(randomness));
        if let Some(signature) = offered.take("message", signed)? {
            Failure::unless_equal("signature", &self.signature, signature)?;
        }
        Ok(())
    }
}
