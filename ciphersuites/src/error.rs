//! The one error type of this crate.

/// What can go wrong in a cryptographic operation.
///
/// No variant carries key material, plaintext or anything derived from it, so an error can be
/// logged as it is. The variants separate what a caller treats differently: bytes of a peer that
/// are wrong, bytes of our own that are wrong, and a machine that cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A public (encapsulation, verification) key has the wrong length, is no valid encoding, or
    /// lies outside its group; or a Diffie-Hellman result was all zero (RFC 9180, section 7.1.4).
    #[error("invalid public key")]
    InvalidPublicKey,
    /// A private (decapsulation, signing) key has the wrong length or is out of range.
    #[error("invalid private key")]
    InvalidPrivateKey,
    /// An encapsulated secret has the wrong length, or its elliptic-curve part is invalid
    /// (`DecapError` of RFC 9180). A wrong ML-KEM ciphertext of the right length is not an
    /// error: implicit rejection gives an unrelated secret (FIPS 203, section 6.3).
    #[error("invalid encapsulated secret")]
    InvalidEncapsulation,
    /// A ciphertext did not authenticate, or is shorter than its tag (`OpenError` of RFC 9180).
    #[error("ciphertext does not authenticate")]
    OpenFailed,
    /// A signature did not verify, or is no valid encoding.
    #[error("invalid signature")]
    InvalidSignature,
    /// Signing failed. ML-DSA gives up after 814 rejections, with a probability below 2^-256
    /// (FIPS 204, appendix C); nothing else leads here.
    #[error("signing failed")]
    SigningFailed,
    /// A symmetric key, a nonce or a key-derivation input has the wrong length.
    #[error("wrong length of a key, nonce or input")]
    InvalidLength,
    /// More output was asked for than the key derivation can give
    /// (255 hashes of HKDF, RFC 5869, section 2.3; 65,535 bytes of HPKE, RFC 9180, section 4).
    #[error("key derivation cannot give that many bytes")]
    OutputTooLong,
    /// A text is longer than the AEAD allows (2^36 - 31 bytes of AES-GCM), or an input of a
    /// one-stage key schedule longer than its 16-bit length can say (draft-ietf-hpke-hpke).
    #[error("input too long")]
    InputTooLong,
    /// A pre-shared key without an identifier, an identifier without a key, or a key under
    /// 32 bytes (RFC 9180, section 5.1 and section 9.5).
    #[error("pre-shared key and identifier do not fit")]
    InvalidPsk,
    /// A context has used up its sequence numbers (RFC 9180, section 5.2).
    #[error("message limit of the context reached")]
    MessageLimitReached,
    /// The algorithm cannot do this: seal or open with the export-only AEAD.
    #[error("operation not offered by this algorithm")]
    Unsupported,
    /// The operating system gave no entropy.
    #[error("no entropy from the operating system")]
    NoEntropy,
    /// A name or number that the registry does not hold.
    #[error("unknown algorithm or cipher suite")]
    Unknown,
}

impl Error {
    /// A code that stays the same across releases and languages.
    ///
    /// ```
    /// use trellis_ciphersuites::Error;
    /// assert_eq!(Error::OpenFailed.code(), "open-failed");
    /// ```
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidPublicKey => "invalid-public-key",
            Self::InvalidPrivateKey => "invalid-private-key",
            Self::InvalidEncapsulation => "invalid-encapsulation",
            Self::OpenFailed => "open-failed",
            Self::InvalidSignature => "invalid-signature",
            Self::SigningFailed => "signing-failed",
            Self::InvalidLength => "invalid-length",
            Self::OutputTooLong => "output-too-long",
            Self::InputTooLong => "input-too-long",
            Self::InvalidPsk => "invalid-psk",
            Self::MessageLimitReached => "message-limit-reached",
            Self::Unsupported => "unsupported",
            Self::NoEntropy => "no-entropy",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the same call can succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::NoEntropy | Self::SigningFailed)
    }
}
