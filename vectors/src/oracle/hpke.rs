//! The contexts of the `hpke` crate, in modes base and PSK (RFC 9180, section 5.1).

use ::hpke::aead::{
    Aead, AeadCtxR, AeadCtxS, AesGcm128, AesGcm256, ChaCha20Poly1305, ExportOnlyAead,
};
use ::hpke::kdf::{HkdfSha256, HkdfSha384, HkdfSha512, Kdf, KdfShake128, KdfShake256};
use ::hpke::{HpkeError, Kem, OpModeR, OpModeS, PskBundle, Serializable};
use trellis_ciphersuites::symmetric::{AeadAlgorithm, KdfAlgorithm};

use super::kem::{decode_enc, decode_private, decode_public};
use super::source::Source;
use super::{Of, invalid};
use crate::{HpkeContext, Psk, Refusal};

/// A configuration of HPKE.
pub(super) trait Setup {
    /// `SetupBaseS` or `SetupPSKS`.
    fn sender(
        &self,
        public: &[u8],
        info: &[u8],
        psk: Option<Psk<'_>>,
        source: &mut Source,
    ) -> Result<(Vec<u8>, Box<dyn HpkeContext>), Refusal>;
    /// `SetupBaseR` or `SetupPSKR`.
    fn receiver(
        &self,
        enc: &[u8],
        private: &[u8],
        info: &[u8],
        psk: Option<Psk<'_>>,
    ) -> Result<Box<dyn HpkeContext>, Refusal>;
}

/// The configuration with these algorithms.
pub(super) fn setup<K: Kem + 'static>(
    kdf: KdfAlgorithm,
    aead: AeadAlgorithm,
) -> Result<&'static dyn Setup, Refusal> {
    if !kdf.is_two_stage() && aead == AeadAlgorithm::ExportOnly {
        // hpke 0.15.1 reserves no room for the nonce that it gives the export-only AEAD.
        return Err(Refusal::NotOffered(format!("{kdf} with {aead}")));
    }
    Ok(match kdf {
        KdfAlgorithm::HkdfSha256 => with_kdf::<K, HkdfSha256>(aead),
        KdfAlgorithm::HkdfSha384 => with_kdf::<K, HkdfSha384>(aead),
        KdfAlgorithm::HkdfSha512 => with_kdf::<K, HkdfSha512>(aead),
        KdfAlgorithm::Shake128 => with_kdf::<K, KdfShake128>(aead),
        KdfAlgorithm::Shake256 => with_kdf::<K, KdfShake256>(aead),
    })
}

fn with_kdf<K: Kem + 'static, F: Kdf + 'static>(aead: AeadAlgorithm) -> &'static dyn Setup {
    match aead {
        AeadAlgorithm::Aes128Gcm => &Of::<(K, F, AesGcm128)>::NEW,
        AeadAlgorithm::Aes256Gcm => &Of::<(K, F, AesGcm256)>::NEW,
        AeadAlgorithm::ChaCha20Poly1305 => &Of::<(K, F, ChaCha20Poly1305)>::NEW,
        AeadAlgorithm::ExportOnly => &Of::<(K, F, ExportOnlyAead)>::NEW,
    }
}

/// The rules that `hpke` does not check: the least length of a pre-shared key (RFC 9180, section
/// 9.5) and the 16-bit lengths in a one-stage key schedule (draft-ietf-hpke-hpke, section 5.1).
pub(super) fn check(kdf: KdfAlgorithm, info: &[u8], psk: Option<Psk<'_>>) -> Result<(), Refusal> {
    if psk.is_some_and(|psk| psk.psk.len() < 32 || psk.psk_id.is_empty()) {
        return Err(Refusal::Invalid("invalid-psk"));
    }
    let most = [info.len()].into_iter().chain(psk.map(|psk| psk.psk.len().max(psk.psk_id.len())));
    if !kdf.is_two_stage() && most.max() > Some(u16::MAX.into()) {
        return Err(Refusal::Invalid("input-too-long"));
    }
    Ok(())
}

fn bundle(psk: Psk<'_>) -> Result<PskBundle<'_>, Refusal> {
    PskBundle::new(psk.psk, psk.psk_id).map_err(invalid("invalid-psk"))
}

impl<K: Kem + 'static, F: Kdf + 'static, A: Aead + 'static> Setup for Of<(K, F, A)> {
    fn sender(
        &self,
        public: &[u8],
        info: &[u8],
        psk: Option<Psk<'_>>,
        source: &mut Source,
    ) -> Result<(Vec<u8>, Box<dyn HpkeContext>), Refusal> {
        let public = decode_public::<K>(public)?;
        let mode = psk.map_or(Ok(OpModeS::Base), |psk| bundle(psk).map(OpModeS::Psk))?;
        let (enc, context) = ::hpke::setup_sender_with_rng::<A, F, K>(&mode, &public, info, source)
            .map_err(invalid("invalid-public-key"))?;
        source.check()?;
        Ok((enc.to_bytes().to_vec(), Box::new(context)))
    }

    fn receiver(
        &self,
        enc: &[u8],
        private: &[u8],
        info: &[u8],
        psk: Option<Psk<'_>>,
    ) -> Result<Box<dyn HpkeContext>, Refusal> {
        let private = decode_private::<K>(private)?;
        let enc = decode_enc::<K>(enc)?;
        let mode = psk.map_or(Ok(OpModeR::Base), |psk| bundle(psk).map(OpModeR::Psk))?;
        let context = ::hpke::setup_receiver::<A, F, K>(&mode, &private, &enc, info)
            .map_err(invalid("invalid-encapsulation"))?;
        Ok(Box::new(context))
    }
}

impl<A: Aead, F: Kdf, K: Kem> HpkeContext for AeadCtxS<A, F, K> {
    fn seal(&mut self, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Refusal> {
        check_encrypts::<A>()?;
        AeadCtxS::seal(self, plaintext, aad).map_err(refusal)
    }

    fn open(&mut self, _: &[u8], _: &[u8]) -> Result<Vec<u8>, Refusal> {
        Err(Refusal::NotOffered("a sender opens nothing".into()))
    }

    fn export(&self, context: &[u8], length: usize) -> Result<Vec<u8>, Refusal> {
        let mut out = vec![0; length];
        AeadCtxS::export(self, context, &mut out).map_err(refusal)?;
        Ok(out)
    }
}

impl<A: Aead, F: Kdf, K: Kem> HpkeContext for AeadCtxR<A, F, K> {
    fn seal(&mut self, _: &[u8], _: &[u8]) -> Result<Vec<u8>, Refusal> {
        Err(Refusal::NotOffered("a receiver seals nothing".into()))
    }

    fn open(&mut self, aad: &[u8], ciphertext: &[u8]) -> Result<Vec<u8>, Refusal> {
        check_encrypts::<A>()?;
        AeadCtxR::open(self, ciphertext, aad).map_err(refusal)
    }

    fn export(&self, context: &[u8], length: usize) -> Result<Vec<u8>, Refusal> {
        let mut out = vec![0; length];
        AeadCtxR::export(self, context, &mut out).map_err(refusal)?;
        Ok(out)
    }
}

/// The export-only AEAD panics in `hpke`.
fn check_encrypts<A: Aead>() -> Result<(), Refusal> {
    if A::AEAD_ID == AeadAlgorithm::ExportOnly.id() {
        return Err(Refusal::NotOffered("the export-only AEAD encrypts nothing".into()));
    }
    Ok(())
}

/// The refusal of an operation on a context.
fn refusal(error: HpkeError) -> Refusal {
    Refusal::Invalid(match error {
        HpkeError::KdfOutputTooLong => "output-too-long",
        HpkeError::MessageLimitReached => "message-limit-reached",
        HpkeError::SealError => "input-too-long",
        _ => "open-failed",
    })
}
