//! The vectors of draft-connolly-cfrg-xwing-kem: X-Wing without HPKE, so from the private key on.
//! That draft's KEM is MLKEM768-X25519 of draft-ietf-hpke-pq, save for `DeriveKeyPair`, which is no
//! part of these vectors.

use serde::{Deserialize, Serialize};
use trellis_ciphersuites::kem::KemAlgorithm::MlKem768X25519;

use super::Vector;
use super::offered::Offered;
use crate::{Failure, Hex, Primitives};

/// An encapsulation of X-Wing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct XWingVector {
    /// The randomness of the key generation, 32 bytes: the private key itself.
    pub seed: Hex,
    /// The randomness of the encapsulation, 64 bytes: `m` of ML-KEM, then the scalar of X25519.
    pub eseed: Hex,
    /// The shared secret.
    pub ss: Hex,
    /// The private key.
    pub sk: Hex,
    /// The public key.
    pub pk: Hex,
    /// The encapsulated secret.
    pub ct: Hex,
}

impl Vector for XWingVector {
    fn check(&self, primitives: &dyn Primitives) -> Result<(), Failure> {
        Failure::unless_equal("sk", &self.sk, &self.seed)?;
        let mut offered = Offered::default();
        if let Some(public) = offered.take("sk", primitives.public_key(MlKem768X25519, &self.sk))? {
            Failure::unless_equal("pk", &self.pk, public)?;
        }
        let sent = primitives.encapsulate(MlKem768X25519, &self.pk, Some(&self.eseed));
        if let Some((enc, secret)) = offered.take("pk", sent)? {
            Failure::unless_equal("ct", &self.ct, enc)?;
            Failure::unless_equal("ss", &self.ss, secret)?;
        }
        let received = primitives.decapsulate(MlKem768X25519, &self.sk, &self.ct);
        if let Some(secret) = offered.take("ct", received)? {
            Failure::unless_equal("ss", &self.ss, secret)?;
        }
        offered.finish()
    }
}
