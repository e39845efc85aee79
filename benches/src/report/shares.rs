//! Where the time of operations goes: lives on the instrumented provider, on one thread.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use openmls_trellis_crypto::{TrellisCrypto, TrellisSigner, TrellisStorage};
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::data::Share;
use super::turns::Turns;
use crate::group::contenders::Field;
use crate::group::{Done, Maker, Observer, Operation, Tree};
use crate::limit::{self, Costs, Missing};
use crate::meter::{Call, Ledger, Metered, MeteredSigner, Tally};
use crate::suites::Suite;

/// Makes members of ours native, with a ledger.
struct MeteredOurs {
    suite: Suite,
    ledger: Ledger,
}

impl Maker for MeteredOurs {
    type Provider = Metered<TrellisCrypto, TrellisStorage>;
    type Signer = MeteredSigner<TrellisSigner>;

    fn provider(&self) -> Self::Provider {
        Metered::new(TrellisCrypto::default(), TrellisStorage::default(), &self.ledger)
    }

    fn signer(&self) -> (Self::Signer, Vec<u8>) {
        let signer = TrellisSigner::generate(self.suite.open_mls()).expect("a signer");
        let public_key = signer.public_key().to_vec();
        (MeteredSigner::new(signer, &self.ledger), public_key)
    }
}

/// An operation of one turn.
struct Turn {
    time: f64,
    repeats: u32,
    calls: HashMap<Call, Tally>,
}

/// Takes the calls of each operation out of the ledger.
struct Watch {
    ledger: Ledger,
    turns: BTreeMap<Operation, Vec<Turn>>,
}

impl Observer for Watch {
    fn begin(&mut self) {
        // What was called between operations belongs to none.
        let _ = self.ledger.take();
    }

    fn done(&mut self, done: Done) -> ControlFlow<()> {
        let Done { operation, repeats, time, .. } = done;
        let turn = Turn { time: time.as_secs_f64() * 1e6, repeats, calls: self.ledger.take() };
        self.turns.entry(operation).or_default().push(turn);
        ControlFlow::Continue(())
    }
}

/// Where the time of each operation goes, in the turn that took the median time.
///
/// # Errors
///
/// If a primitive was not measured.
pub(super) fn shares(
    field: &Field<'_>,
    members: usize,
    turns: Turns,
    costs: &Costs,
) -> Result<Vec<Share>, Missing> {
    let suite = field.suite();
    let ledger = Ledger::new();
    let mut watch = Watch { ledger: ledger.clone(), turns: BTreeMap::new() };
    let mut lives = [Tree::Fresh, Tree::Full]
        .map(|tree| field.of(MeteredOurs { suite, ledger: ledger.clone() }, tree));
    let pool = one_thread();
    let turn = || {
        for life in &mut lives {
            pool.install(|| life.live(&mut watch));
        }
        Ok::<_, std::convert::Infallible>(())
    };
    let Ok(()) = turns.each(turn);
    watch
        .turns
        .into_iter()
        .map(|(operation, mut turns)| {
            turns.sort_by(|one, other| one.time.total_cmp(&other.time));
            let Turn { time, repeats, calls } = turns.swap_remove(turns.len() / 2);
            limit::share((suite, members, operation), time, repeats, &calls, costs)
        })
        .collect()
}

/// OpenMLS encrypts paths on several threads, on which the parts of an operation would add up to
/// more than the whole.
fn one_thread() -> ThreadPool {
    ThreadPoolBuilder::new().num_threads(1).build().expect("a thread")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::candidates;
    use crate::group::full_tree::FullTrees;
    use crate::primitives::TABLES;

    #[test]
    fn the_parts_are_within_the_whole_and_the_calls_are_those_of_the_protocol() {
        let quick = candidates::Turns { turns: 1, batch: Duration::ZERO };
        let tables: Vec<_> = TABLES.iter().map(|table| table.measure(quick, |_| ())).collect();
        let costs = Costs::new(&tables).unwrap();
        let (full_trees, members) = (FullTrees::default(), 9);
        let field = Field::new(Suite::find("row 2").unwrap(), members, &full_trees);
        let turns = Turns { least: 1, most: 1, time: Duration::ZERO };
        let shares = shares(&field, members, turns, &costs).unwrap();
        assert_eq!(shares.len(), Operation::ALL.len());
        for share in &shares {
            assert!(share.limit > 0.0 && share.provider + share.storage <= share.total);
        }
        let count = |operation, name| {
            let share = shares.iter().find(|share| share.operation == operation).unwrap();
            share.calls.iter().find(|call| call.name == name).map_or(0, |call| call.count)
        };
        // A secret for each who joins.
        assert_eq!(count(Operation::Add, "hpke_seal"), members as u64 - 1);
        // A path to every other leaf, since no node has a key.
        assert_eq!(count(Operation::UpdateFresh, "hpke_seal"), members as u64 - 1);
        // A path to each node beside it: the tree of 9 has 1 to 4 levels above a leaf.
        assert!((1..=4).contains(&count(Operation::UpdateFull, "hpke_seal")));
        assert_eq!(count(Operation::Send1KiB, "sign"), 1);
        assert_eq!(count(Operation::Receive1KiB, "verify_signature"), 1);
        assert!(count(Operation::Join, "verify_signature") >= members as u64);
    }
}
