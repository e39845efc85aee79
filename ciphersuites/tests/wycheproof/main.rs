//! Project Wycheproof against every algorithm of the registry, on every backend.
//!
//! A test names its file and the number of cases that it must come to, so that none is lost
//! without notice. Cases of something that our interface does not offer (a 192-bit key, a context
//! string) are counted apart with the reason; wherever such a case can be put to the interface, it
//! must be refused.
//!
//! Wycheproof has no case for SHA-3, SHAKE, the hybrids or HPKE, and none that signs with Ed25519
//! or ECDSA.

mod aead;
mod diffie_hellman;
mod hash;
mod ml_kem;
mod signature;
mod tally;
