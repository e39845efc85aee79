//! Who checks, as options.

use clap::{Args, ValueEnum};
use openmls_trellis_crypto::KeyDerivation;
use trellis_ciphersuites::Backend;
use trellis_vectors::Trellis;
use trellis_vectors::checker::{Checker, Model, StackOnly};
use trellis_vectors::oracle::RustCrypto;
use trellis_vectors::stack::mls_rs::MlsRs;
use trellis_vectors::stack::open_mls::OpenMls;
use trellis_vectors::stack::ts_mls::TsMls;

#[derive(Args)]
pub(super) struct Options {
    /// Where our primitives run; by default the fastest
    #[arg(long)]
    backend: Option<BackendName>,
    /// How HPKE key pairs are derived
    #[arg(long, default_value = "hpke-pq")]
    derivation: DerivationName,
    /// Who checks
    #[arg(long, default_value = "trellis")]
    by: By,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum BackendName {
    Native,
    Portable,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum DerivationName {
    /// As drafted, with a label
    HpkePq,
    /// As the published providers of OpenMLS 0.9, without
    Openmls09,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum By {
    /// Our primitives, and OpenMLS
    Trellis,
    /// RustCrypto and the hpke crate, under the same model
    Rustcrypto,
    /// mls-rs on RustCrypto: passive clients
    MlsRs,
    /// ts-mls under Node: all kinds of MLS
    TsMls,
}

impl From<DerivationName> for KeyDerivation {
    fn from(name: DerivationName) -> Self {
        match name {
            DerivationName::HpkePq => Self::HpkePq,
            DerivationName::Openmls09 => Self::OpenMls09,
        }
    }
}

fn backend(name: Option<BackendName>) -> Result<Backend, String> {
    match name {
        None => Ok(Backend::default()),
        Some(BackendName::Portable) => Ok(Backend::portable()),
        Some(BackendName::Native) => Backend::native()
            .ok_or_else(|| "this build or this processor has no native backend".into()),
    }
}

impl Options {
    pub(super) fn checker(&self) -> Result<Box<dyn Checker>, String> {
        let ours = matches!(self.by, By::Trellis);
        if !ours && self.backend.is_some() {
            return Err("--backend is for --by trellis".into());
        }
        if matches!(self.by, By::Rustcrypto | By::TsMls)
            && !matches!(self.derivation, DerivationName::HpkePq)
        {
            return Err("--derivation openmls09 is for --by trellis and mls-rs".into());
        }
        checker(self.by, backend(self.backend)?, self.derivation.into())
    }
}

fn checker(
    by: By,
    backend: Backend,
    derivation: KeyDerivation,
) -> Result<Box<dyn Checker>, String> {
    Ok(match by {
        By::Trellis => Box::new(Model {
            primitives: Box::new(Trellis { backend, derivation }),
            stack: Some(Box::new(OpenMls { backend, seed: None })),
            derivation,
        }),
        By::Rustcrypto => {
            Box::new(Model { primitives: Box::new(RustCrypto), stack: None, derivation })
        }
        By::MlsRs => Box::new(StackOnly { stack: Box::new(MlsRs::default()), derivation }),
        By::TsMls => Box::new(TsMls::start(false).map_err(|error| error.to_string())?),
    })
}

/// Everyone who can check, for the table.
pub(super) fn everyone() -> Result<Vec<Box<dyn Checker>>, String> {
    let ours = Backend::available().map(|backend| (By::Trellis, backend));
    let others = [By::Rustcrypto, By::MlsRs, By::TsMls].map(|by| (by, Backend::default()));
    ours.chain(others).map(|(by, backend)| checker(by, backend, KeyDerivation::HpkePq)).collect()
}
