//! The simulator itself: what is sound passes, and each flaw is found, named and made short.

use openmls_traits::types::Ciphersuite;

use super::fake::{self, Fake};
use super::invariants::{AGREEMENT, DELIVERY, INTENTS, PROGRESS, REMOVAL, SOUNDNESS, WORD};
use super::node::Node;
use super::plan::{Fault, Plan, Setting};
use super::run::{self, Report};
use super::step::What;

fn plan(seed: u64, faults: &[Fault]) -> Plan {
    Plan::new(&Setting {
        seed,
        nodes: 5,
        steps: 60,
        faults: faults.to_vec(),
        suite: Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519,
    })
}

const FAULTS: [Fault; 5] =
    [Fault::Loss, Fault::Dup, Fault::Reorder, Fault::Partition, Fault::Crash];

#[test]
fn what_is_sound_passes() {
    for seed in 0..60 {
        let run = run::play::<Fake<{ fake::SOUND }>>(&plan(seed, &FAULTS), false);
        assert_eq!(run.violations, [], "seed {seed}");
        assert!(run.tally.messages > 5 && run.tally.arrivals > 500, "{:?}", run.tally);
    }
}

#[test]
fn a_malicious_node_that_the_engine_can_bear_changes_nothing() {
    let faults = [&FAULTS[..], &[Fault::Malicious]].concat();
    for seed in 0..60 {
        let run = run::play::<Fake<{ fake::SOUND }>>(&plan(seed, &faults), false);
        assert_eq!(run.violations, [], "seed {seed}");
    }
}

#[test]
fn one_seed_gives_one_run() {
    let run = |seed| run::play::<Fake<{ fake::SOUND }>>(&plan(seed, &FAULTS), true);
    let (one, again, other) = (run(7), run(7), run(8));
    assert_eq!((one.digest, &one.lines), (again.digest, &again.lines));
    assert!(one.lines.len() > 1000);
    assert_ne!(one.digest, other.digest);
}

/// The first report of a flawed engine, and that it is of the right invariant.
fn caught<N: Node>(invariant: &str) -> Report {
    let mut reports = (0..40).map(|seed| run::report::<N>(&plan(seed, &FAULTS), false, 500));
    let report = reports.find(|report| !report.violations.is_empty()).expect("nothing was found");
    let (_, violation) = report.shortest.as_ref().unwrap();
    assert_eq!(violation.invariant, invariant, "{violation:?}");
    report
}

fn shortest(report: &Report) -> Vec<&What> {
    let (plan, _) = report.shortest.as_ref().unwrap();
    plan.steps.iter().map(|step| &step.what).collect()
}

#[test]
fn a_lost_message_is_found_and_its_history_made_short() {
    let report = caught::<Fake<{ fake::LOSES }>>(DELIVERY);
    let steps = shortest(&report);
    // Somebody is invited, and somebody says something after one other thing.
    assert!(steps.len() <= 4, "{steps:?}");
    assert!(steps.iter().any(|what| matches!(what, What::Invite { .. })));
    assert!(steps.iter().any(|what| matches!(what, What::Say { .. })));
    let (plan, _) = report.shortest.unwrap();
    assert_eq!(plan.conditions.loss.as_per_mille(), 0);
}

#[test]
fn a_second_copy_is_found() {
    let report = caught::<Fake<{ fake::REPEATS }>>(DELIVERY);
    assert!(shortest(&report).len() <= 2);
}

#[test]
fn a_node_that_forgets_is_found() {
    let report = caught::<Fake<{ fake::FORGETS }>>(WORD);
    let steps = shortest(&report);
    assert!(steps.len() <= 4, "{steps:?}");
    assert!(steps.iter().any(|what| matches!(what, What::Crash { .. })));
}

#[test]
fn a_node_that_takes_its_word_back_is_found() {
    let report = caught::<Fake<{ fake::LIES }>>(WORD);
    let steps = shortest(&report);
    // As many as it takes until the write at which it crashes.
    assert!(steps.len() <= 6, "{steps:?}");
    assert!(steps.iter().any(|what| matches!(what, What::Crash { .. })));
}

#[test]
fn an_intent_without_an_end_is_found() {
    let report = caught::<Fake<{ fake::DAWDLES }>>(INTENTS);
    let steps = shortest(&report);
    assert!(steps.len() <= 2, "{steps:?}");
    assert!(steps.iter().any(|what| matches!(what, What::Rename { .. })));
}

#[test]
fn nodes_that_disagree_are_found() {
    let report = caught::<Fake<{ fake::DISAGREES }>>(AGREEMENT);
    let steps = shortest(&report);
    assert!(steps.len() <= 3, "{steps:?}");
    assert!(steps.iter().any(|what| matches!(what, What::Rename { who: 2 })));
}

#[test]
fn who_reads_after_its_removal_is_found() {
    let report = caught::<Fake<{ fake::LEAKS }>>(REMOVAL);
    let steps = shortest(&report);
    assert!(steps.len() <= 4, "{steps:?}");
    assert!(steps.iter().any(|what| matches!(what, What::Say { .. })));
}

#[test]
fn a_panic_is_found() {
    let report = caught::<Fake<{ fake::PANICS }>>(SOUNDNESS);
    assert!(matches!(shortest(&report).last(), Some(What::Rotate { .. })));
}

#[test]
fn a_node_that_never_rests_is_found() {
    let report = caught::<Fake<{ fake::SPINS }>>(PROGRESS);
    assert!(matches!(shortest(&report).last(), Some(What::Rotate { .. })));
}
