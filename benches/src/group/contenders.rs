//! Who is compared, and how to make a group of each.

use std::sync::Arc;

use openmls::prelude::KeyPackage;
use openmls_basic_credential::SignatureKeyPair;
use openmls_libcrux_crypto::Provider as OpenMlsLibcrux;
use openmls_rust_crypto::OpenMlsRustCrypto;
use openmls_traits::OpenMlsProvider;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::Ciphersuite;
use openmls_trellis_crypto::{Backend, TrellisProvider, TrellisSigner};

use super::full_tree::FullTrees;
use super::open_mls::{Fresh, Full, Maker, TreeDelivery, key_package};
use super::{Contender, Life, Tree, mls_rs};
use crate::suites::Suite;

/// Makes members on this provider, with its own storage and signer.
pub(crate) struct Ours {
    suite: Suite,
    backend: Backend,
}

impl Ours {
    pub(crate) fn native(suite: Suite) -> Self {
        Self { suite, backend: Backend::default() }
    }

    fn portable(suite: Suite) -> Self {
        Self { suite, backend: Backend::portable() }
    }
}

impl Maker for Ours {
    type Provider = TrellisProvider;
    type Signer = TrellisSigner;

    fn provider(&self) -> TrellisProvider {
        TrellisProvider::builder().backend(self.backend).build()
    }

    fn signer(&self) -> (TrellisSigner, Vec<u8>) {
        let signer = TrellisSigner::generate(self.suite.open_mls())
            .and_then(|signer| signer.on_backend(self.backend))
            .expect("a signer");
        let public_key = signer.public_key().to_vec();
        (signer, public_key)
    }
}

/// Makes members on a provider that OpenMLS publishes, with the signer that its examples use.
struct Published<P> {
    suite: Suite,
    provider: fn() -> P,
}

impl<P: OpenMlsProvider + Send> Maker for Published<P> {
    type Provider = P;
    type Signer = SignatureKeyPair;

    fn provider(&self) -> P {
        (self.provider)()
    }

    fn signer(&self) -> (SignatureKeyPair, Vec<u8>) {
        basic_signer(self.suite)
    }
}

/// The signer of OpenMLS's examples.
pub(crate) fn basic_signer(suite: Suite) -> (SignatureKeyPair, Vec<u8>) {
    let signer = SignatureKeyPair::new(suite.open_mls().into()).expect("a signer");
    let public_key = signer.public().to_vec();
    (signer, public_key)
}

impl Contender {
    /// Whether it has this suite, or for another stack one that is near; and, for the native
    /// backend, whether this processor has it.
    #[must_use]
    pub fn supports(self, suite: Suite) -> bool {
        let number = suite.open_mls();
        match self {
            Self::Native => Backend::native().is_some(),
            Self::Portable => true,
            Self::RustCrypto => works(&OpenMlsRustCrypto::default(), number),
            Self::Libcrux => works(&OpenMlsLibcrux::default(), number),
            Self::MlsRs => mls_rs::supports(suite),
        }
    }
}

/// Whether a published provider has a suite. What it says about that is not enough:
/// `openmls_libcrux_crypto` says yes to row 6, whose KEM it does not have.
fn works(provider: &impl OpenMlsProvider, suite: Ciphersuite) -> bool {
    let crypto = provider.crypto();
    crypto.supports(suite).is_ok()
        && crypto.derive_hpke_keypair(suite.hpke_config(), &[0; 64]).is_ok()
}

/// Whether a contender has such a group.
#[must_use]
pub fn has(suite: Suite, members: usize, contender: Contender, tree: Tree) -> bool {
    let too_large =
        contender == Contender::MlsRs && tree == Tree::Full && members > mls_rs::LARGEST_FULL;
    contender.supports(suite) && !too_large
}

/// The groups of one suite and size: what they have in common is made once.
pub struct Field<'a> {
    suite: Suite,
    members: usize,
    others: Arc<[KeyPackage]>,
    full_trees: &'a FullTrees,
}

impl<'a> Field<'a> {
    /// Groups of this suite and size.
    ///
    /// # Panics
    ///
    /// If there are fewer than two members: one commits, another receives.
    #[must_use]
    pub fn new(suite: Suite, members: usize, full_trees: &'a FullTrees) -> Self {
        assert!(members >= 2, "a group of {members} has nobody to send to");
        let ours = Ours::native(suite);
        let others = (2..members)
            .map(|index| key_package(suite.open_mls(), &ours.member(&format!("member {index}"))))
            .collect();
        Self { suite, members, others, full_trees }
    }

    /// The suite.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// Whether there is such a group of this contender.
    #[must_use]
    pub fn has(&self, contender: Contender, tree: Tree) -> bool {
        has(self.suite, self.members, contender, tree)
    }

    /// A group of this contender.
    ///
    /// # Panics
    ///
    /// If there is [none](Self::has).
    #[must_use]
    pub fn life(&self, contender: Contender, tree: Tree) -> Box<dyn Life> {
        let suite = self.suite;
        match contender {
            Contender::Native => self.of(Ours::native(suite), tree),
            Contender::Portable => self.of(Ours::portable(suite), tree),
            Contender::RustCrypto => {
                self.of(Published { suite, provider: OpenMlsRustCrypto::default }, tree)
            }
            Contender::Libcrux => {
                self.of(Published { suite, provider: OpenMlsLibcrux::default }, tree)
            }
            Contender::MlsRs => mls_rs::life(suite, self.members, tree),
        }
    }

    /// A group in which who joins is given the ratchet tree beside the Welcome, ours native.
    #[must_use]
    pub fn tree_beside(&self) -> Box<dyn Life> {
        let maker = Ours::native(self.suite);
        Box::new(Fresh::new(
            self.suite.open_mls(),
            maker,
            Arc::clone(&self.others),
            TreeDelivery::Beside,
        ))
    }

    /// A group of members who are made so.
    pub(crate) fn of<M: Maker + 'static>(&self, maker: M, tree: Tree) -> Box<dyn Life> {
        let suite = self.suite.open_mls();
        match tree {
            Tree::Fresh => Box::new(Fresh::new(
                suite,
                maker,
                Arc::clone(&self.others),
                TreeDelivery::InGroupInfo,
            )),
            // Two more join what was made before.
            Tree::Full => {
                let before = self.members.checked_sub(2).filter(|&before| before > 0);
                let before = before.map(|before| self.full_trees.get(self.suite, before));
                Box::new(Full::new(suite, &maker, before.as_deref()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::ops::ControlFlow;

    use super::*;
    use crate::group::{Done, Operation, time};
    use crate::suites::SUITES;

    fn bytes(life: &mut dyn Life) -> BTreeMap<Operation, usize> {
        let mut done = BTreeMap::new();
        life.live(&mut |each: Done| {
            assert!(!each.time.is_zero());
            done.insert(each.operation, each.bytes);
            ControlFlow::Continue(())
        });
        done
    }

    #[test]
    fn every_contender_does_every_operation_and_those_of_open_mls_send_as_many_bytes() {
        let full_trees = FullTrees::default();
        for suite in SUITES {
            for members in [2, 5] {
                let field = Field::new(suite, members, &full_trees);
                let mut done = Vec::new();
                for &contender in Contender::ALL {
                    let (fresh, full) = (Tree::Fresh, Tree::Full);
                    if !field.has(contender, fresh) {
                        continue;
                    }
                    let mut all = bytes(&mut *field.life(contender, fresh));
                    all.extend(bytes(&mut *field.life(contender, full)));
                    assert_eq!(all.len(), Operation::ALL.len(), "{}", contender.name());
                    if contender != Contender::MlsRs {
                        done.push(all);
                    }
                }
                // Beside ours on two backends there is a published provider of each suite.
                assert!(done.len() >= 3, "{}", suite.short);
                assert!(
                    done.windows(2).all(|pair| pair[0] == pair[1]),
                    "{}: {done:?}",
                    suite.short
                );
            }
        }
    }

    #[test]
    fn a_life_that_ends_early_can_be_lived_again() {
        let full_trees = FullTrees::default();
        let field = Field::new(SUITES[0], 4, &full_trees);
        for contender in [Contender::Native, Contender::RustCrypto, Contender::MlsRs] {
            for operation in [Operation::UpdateFull, Operation::ProcessFull, Operation::Join] {
                let mut life = field.life(contender, operation.tree());
                for _ in 0..3 {
                    assert!(!time(&mut *life, operation).is_zero());
                }
            }
        }
    }

    #[test]
    fn a_tree_beside_the_welcome_makes_it_shorter() {
        let full_trees = FullTrees::default();
        let field = Field::new(SUITES[2], 5, &full_trees);
        let inside = bytes(&mut *field.life(Contender::Native, Tree::Fresh));
        let beside = bytes(&mut *field.tree_beside());
        assert!(beside[&Operation::Add] < inside[&Operation::Add] - 4 * 1216);
        assert_eq!(beside[&Operation::UpdateFresh], inside[&Operation::UpdateFresh]);
    }
}
