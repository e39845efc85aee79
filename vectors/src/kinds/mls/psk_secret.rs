//! `psk_secret`: several external pre-shared keys.

use serde::{Deserialize, Serialize};

use crate::kinds::Vector;
use crate::mls::key_schedule::{ExternalPsk, psk_secret};
use crate::mls::{Error, Suite};
use crate::{Failure, Hex, Primitives};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct PskSecret {
    pub cipher_suite: u16,
    pub psks: Vec<Psk>,
    pub psk_secret: Hex,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Psk {
    pub psk_id: Hex,
    pub psk: Hex,
    pub psk_nonce: Hex,
}

fn compute(suite: &Suite<'_>, psks: &[Psk]) -> Result<Hex, Error> {
    let psks: Vec<_> = psks
        .iter()
        .map(|it| ExternalPsk { psk_id: &it.psk_id, psk_nonce: &it.psk_nonce, psk: &it.psk })
        .collect();
    Ok(psk_secret(suite, &psks)?.into())
}

impl Vector for PskSecret {
    fn check(&self, primitives: &dyn Primitives) -> Result<(), Failure> {
        let suite = &Suite::of(self.cipher_suite, primitives)?;
        let found = compute(suite, &self.psks).map_err(Failure::of("psks"))?;
        Failure::unless_equal("psk_secret", &self.psk_secret, found)
    }
}

/// Vectors of no to five keys.
pub fn generate(suite: &Suite<'_>) -> Result<Vec<PskSecret>, Error> {
    (0..=5)
        .map(|count| {
            let psks = (0..count)
                .map(|_| {
                    Ok(Psk {
                        psk_id: suite.random(32)?.into(),
                        psk: suite.random(32)?.into(),
                        psk_nonce: suite.random(suite.nh())?.into(),
                    })
                })
                .collect::<Result<Vec<_>, Error>>()?;
            let psk_secret = compute(suite, &psks)?;
            Ok(PskSecret { cipher_suite: suite.code_point, psks, psk_secret })
        })
        .collect()
}
