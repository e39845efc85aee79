//! The keys of a device: one for each signature scheme that it uses in groups.

use std::fmt;

use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::SignatureScheme;
use openmls_trellis_crypto::{TrellisCrypto, TrellisSigner};
use trellis_ciphersuites::signature;
use zeroize::Zeroizing;

use super::IdentityError;
use super::codec::{Malformed, Reader, put_opaque};

/// The most keys that a device has.
const MAX_KEYS: usize = 4;
/// The most bytes of a list of keys: the four longest, with numbers and lengths, are 6005.
pub(super) const MAX_LIST: usize = 6005;
/// The most bytes of a list of private keys: two of ECDSA are longer than 32 bytes.
const MAX_SECRET_LIST: usize = (2 + 2 + 66) + (2 + 1 + 48) + 2 * (2 + 1 + 32);
const VERSION: u8 = 1;

/// How long the keys and signatures of a scheme are.
pub(super) fn scheme_sizes(
    scheme: SignatureScheme,
) -> Result<signature::SignatureScheme, IdentityError> {
    let number = scheme as u16;
    signature::SignatureScheme::from_id(number).map_err(|_| IdentityError::Scheme(number))
}

/// A public key of a device.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceKey {
    scheme: SignatureScheme,
    key: Vec<u8>,
}

impl DeviceKey {
    /// A public key of a scheme, which has to have the right length.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Scheme`], [`IdentityError::Malformed`].
    pub fn new(scheme: SignatureScheme, key: Vec<u8>) -> Result<Self, IdentityError> {
        if key.len() != scheme_sizes(scheme)?.public_key_len() {
            return Err(IdentityError::Malformed("device key"));
        }
        Ok(Self { scheme, key })
    }

    /// The signature scheme.
    #[must_use]
    pub fn scheme(&self) -> SignatureScheme {
        self.scheme
    }

    /// The key, as it goes into the leaf of a group.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.key
    }
}

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceKey({:?}, ..)", self.scheme)
    }
}

/// The public keys of a device: one to four, in the order of the numbers of their schemes, which all
/// differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevicePublic(Vec<DeviceKey>);

impl DevicePublic {
    /// A list of keys, in any order.
    ///
    /// # Errors
    ///
    /// [`IdentityError::KeyCount`].
    pub fn new(mut keys: Vec<DeviceKey>) -> Result<Self, IdentityError> {
        keys.sort_by_key(|key| key.scheme as u16);
        let keys = Self(keys);
        if keys.is_valid() { Ok(keys) } else { Err(IdentityError::KeyCount) }
    }

    fn is_valid(&self) -> bool {
        (1..=MAX_KEYS).contains(&self.0.len())
            && self.0.is_sorted_by(|one, next| (one.scheme as u16) < next.scheme as u16)
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> &[DeviceKey] {
        &self.0
    }

    /// Whether this key is among them.
    #[must_use]
    pub fn covers(&self, scheme: SignatureScheme, key: &[u8]) -> bool {
        self.0.iter().any(|known| known.scheme == scheme && known.key == key)
    }

    /// `struct { uint16 scheme; opaque key<V>; } DeviceKey; DeviceKey keys<V>;`
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mut list = Vec::new();
        for key in &self.0 {
            list.extend_from_slice(&(key.scheme as u16).to_be_bytes());
            put_opaque(&mut list, &key.key);
        }
        put_opaque(out, &list);
    }

    pub(super) fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, IdentityError> {
        let malformed = IdentityError::malformed(what);
        let mut list = Reader::new(reader.opaque(MAX_LIST).map_err(&malformed)?);
        let mut keys = Vec::new();
        while !list.is_empty() {
            if keys.len() == MAX_KEYS {
                return Err(IdentityError::KeyCount);
            }
            let number = list.u16().map_err(&malformed)?;
            let scheme =
                SignatureScheme::try_from(number).map_err(|_| IdentityError::Scheme(number))?;
            let length = scheme_sizes(scheme)?.public_key_len();
            let key = list.opaque(length).map_err(&malformed)?;
            keys.push(DeviceKey::new(scheme, key.to_vec())?);
        }
        // Not sorted here: there is one encoding of a list.
        let keys = Self(keys);
        if keys.is_valid() { Ok(keys) } else { Err(IdentityError::KeyCount) }
    }
}

/// A private key, as bytes and expanded.
#[derive(Clone)]
struct Private {
    seed: Zeroizing<Vec<u8>>,
    signer: TrellisSigner,
}

/// The private keys of a device. They never leave it.
///
/// Wiped when dropped.
#[derive(Clone)]
pub struct DeviceKeys {
    private: Vec<Private>,
    public: DevicePublic,
}

impl DeviceKeys {
    /// New keys: for Ed25519, and for each of `schemes`. A device keeps its keys as long as it is
    /// bound, so these should be all that it will need.
    ///
    /// # Errors
    ///
    /// [`IdentityError::KeyCount`] for more than four schemes with Ed25519,
    /// [`IdentityError::Scheme`] for Ed448, [`IdentityError::Crypto`] if there is no randomness to
    /// be had.
    pub fn generate(
        crypto: &TrellisCrypto,
        schemes: &[SignatureScheme],
    ) -> Result<Self, IdentityError> {
        let mut schemes = [&[SignatureScheme::ED25519], schemes].concat();
        schemes.sort_by_key(|scheme| *scheme as u16);
        schemes.dedup();
        if schemes.len() > MAX_KEYS {
            return Err(IdentityError::KeyCount);
        }
        let generate = |scheme: SignatureScheme| {
            scheme_sizes(scheme)?;
            let (seed, _) = crypto.signature_key_gen(scheme).map_err(IdentityError::Crypto)?;
            Ok((scheme, Zeroizing::new(seed)))
        };
        Self::from_seeds(crypto, schemes.into_iter().map(generate).collect::<Result<_, _>>()?)
    }

    fn from_seeds(
        crypto: &TrellisCrypto,
        seeds: Vec<(SignatureScheme, Zeroizing<Vec<u8>>)>,
    ) -> Result<Self, IdentityError> {
        let expand = |(scheme, seed): (SignatureScheme, Zeroizing<Vec<u8>>)| {
            let signer = TrellisSigner::from_seed(scheme, &seed)
                .and_then(|signer| signer.hedged_by(crypto))
                .map_err(|_| IdentityError::Malformed("private device key"))?;
            let public = DeviceKey::new(scheme, signer.public_key().to_vec())?;
            Ok((Private { seed, signer }, public))
        };
        let pairs = seeds.into_iter().map(expand).collect::<Result<Vec<_>, IdentityError>>()?;
        let (private, public) = pairs.into_iter().unzip();
        let public = DevicePublic(public);
        if public.is_valid() { Ok(Self { private, public }) } else { Err(IdentityError::KeyCount) }
    }

    /// The public keys.
    #[must_use]
    pub fn public(&self) -> &DevicePublic {
        &self.public
    }

    /// The key of a scheme, to sign with.
    #[must_use]
    pub fn signer(&self, scheme: SignatureScheme) -> Option<TrellisSigner> {
        let place = self.public.0.iter().position(|key| key.scheme == scheme)?;
        Some(self.private.get(place)?.signer.clone())
    }

    pub(super) fn signers(&self) -> impl Iterator<Item = &TrellisSigner> {
        self.private.iter().map(|private| &private.signer)
    }

    /// All private keys: a version, then for each its scheme and its seed; 37 bytes with Ed25519
    /// alone, at most 194.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        // Never grown, so that no buffer with a secret is left behind.
        let mut list = Zeroizing::new(Vec::with_capacity(MAX_SECRET_LIST));
        for (private, public) in self.private.iter().zip(&self.public.0) {
            list.extend_from_slice(&(public.scheme as u16).to_be_bytes());
            put_opaque(&mut list, &private.seed);
        }
        let mut out = Zeroizing::new(Vec::with_capacity(1 + 4 + list.len()));
        out.push(VERSION);
        put_opaque(&mut out, &list);
        out
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Malformed`], [`IdentityError::Version`], [`IdentityError::Scheme`],
    /// [`IdentityError::KeyCount`].
    pub fn decode(crypto: &TrellisCrypto, bytes: &[u8]) -> Result<Self, IdentityError> {
        const WHAT: &str = "list of private device keys";
        let malformed = IdentityError::malformed(WHAT);
        let mut reader = Reader::new(bytes);
        check_version(reader.u8(), VERSION, WHAT)?;
        let mut list = Reader::new(reader.opaque(MAX_SECRET_LIST).map_err(&malformed)?);
        reader.finish().map_err(&malformed)?;
        let mut seeds = Vec::new();
        while !list.is_empty() {
            let number = list.u16().map_err(&malformed)?;
            let scheme =
                SignatureScheme::try_from(number).map_err(|_| IdentityError::Scheme(number))?;
            let length = scheme_sizes(scheme)?.private_key_len();
            let seed = list.opaque(length).map_err(&malformed)?;
            seeds.push((scheme, Zeroizing::new(seed.to_vec())));
        }
        Self::from_seeds(crypto, seeds)
    }
}

impl fmt::Debug for DeviceKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceKeys({:?}, ***)", self.public)
    }
}

/// The first byte of a format has to be its version.
pub(super) fn check_version(
    found: Result<u8, Malformed>,
    known: u8,
    what: &'static str,
) -> Result<(), IdentityError> {
    match found.map_err(IdentityError::malformed(what))? {
        version if version == known => Ok(()),
        version => Err(IdentityError::Version { what, version }),
    }
}
