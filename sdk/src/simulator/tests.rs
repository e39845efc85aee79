//! The simulator itself: what is sound passes, and each flaw is found, named and made short.

use openmls_traits::types::Ciphersuite;

use super::fake::{self, Fake};
use super::invariants::{
    AGREEMENT, DELIVERY, ERASURE, INTENTS, LAW, PROGRESS, REMOVAL, SOUNDNESS, WORD,
};
use super::node::Node;
use super::plan::{Fault, Plan, Setting};
use super::real::Real;
use super::run::{self, Report};
use super::step::{Deed, Step, What};
use crate::engine::malice::{Crime, KINDS, Lie};
use crate::{Span, Time};

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
        assert!(run.tally.messages > 3 && run.tally.arrivals > 500, "{:?}", run.tally);
    }
}

#[test]
fn a_malicious_node_that_the_engine_can_bear_changes_nothing() {
    let faults = [&FAULTS[..], &[Fault::Malicious]].concat();
    for seed in 0..60 {
        // A fake waits for everybody, also for who is gone for good.
        let plan = Plan { goes: false, ..plan(seed, &faults) };
        let run = run::play::<Fake<{ fake::SOUND }>>(&plan, false);
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
    caught_among::<N>(&FAULTS, invariant)
}

fn caught_among<N: Node>(faults: &[Fault], invariant: &str) -> Report {
    let mut reports = (0..40).map(|seed| run::report::<N>(&plan(seed, faults), false, 500));
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
    assert!(steps.len() <= 5, "{steps:?}");
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

#[test]
fn keys_that_stay_are_found() {
    let report = caught_among::<Fake<{ fake::KEEPS }>>(&[], ERASURE);
    assert!(shortest(&report).len() <= 1);
}

#[test]
fn who_obeys_a_commit_against_the_rules_is_found() {
    let report = caught_among::<Fake<{ fake::OBEYS }>>(&[Fault::Malicious], LAW);
    let steps = shortest(&report);
    assert!(steps.len() <= 4, "{steps:?}");
    assert!(steps.iter().any(|what| matches!(what, What::Deed(Deed::Commit { .. }))));
}

/// A group of all nodes, of which the last is malicious, and what it does one thing after the other.
fn with_deeds(seed: u64, deeds: Vec<Deed>) -> Plan {
    let mut plan = plan(seed, &[Fault::Malicious]);
    let invitations = (1..plan.nodes).map(|whom| What::Invite { who: 0, whom });
    let between = |who| [What::Say { who }, What::Rename { who }];
    let deeds = deeds
        .into_iter()
        .enumerate()
        .flat_map(|(number, deed)| [What::Deed(deed)].into_iter().chain(between(number % 4)));
    let all = invitations.chain(deeds).enumerate();
    plan.steps = all
        .map(|(number, what)| {
            // The founder has time for its guests.
            let wait = if number < 4 { Span(0) } else { Span::seconds(15) };
            Step { number, at: Time(0) + wait + Span::seconds(3).times(number as u64), what }
        })
        .collect();
    plan
}

#[test]
fn two_commits_of_one_member_on_one_state_are_told() {
    let told = [vec![2; 5], vec![0, 1, 2, 0, 1], vec![2, 0, 1, 1, 1]];
    let deeds: Vec<_> = told.into_iter().map(|told| Deed::Equivocate { told }).collect();
    let run = run::play::<Real>(&with_deeds(1, deeds[..1].to_vec()), false);
    assert_eq!(run.violations, []);
    // All four have both.
    assert!(run.tally.equivocations >= 4, "{:?}", run.tally);
    let run = run::play::<Real>(&with_deeds(2, deeds), false);
    assert!(run.tally.equivocations >= 4, "{:?}", run.tally);
}

#[test]
fn no_commit_against_the_rules_is_carried_out() {
    let crimes = Crime::ALL.into_iter().map(|crime| Deed::Commit { crime });
    let run = run::play::<Real>(&with_deeds(3, crimes.collect()), false);
    assert_eq!(run.violations, []);
    assert!(run.tally.crimes >= 8, "{:?}", run.tally);
}

#[test]
fn what_is_wrong_in_a_right_envelope_does_no_harm() {
    for (seed, lie) in (4..).zip(Lie::ALL) {
        let lies = KINDS.into_iter().map(|kind| Deed::Lie { kind, lie, length: 500, count: 2 });
        let run = run::play::<Real>(&with_deeds(seed, lies.collect()), false);
        assert_eq!(run.violations, [], "{lie:?}");
    }
}

#[test]
fn a_flood_of_commits_and_a_second_engine_do_no_harm() {
    let heard_by = vec![true; 5];
    let deeds = vec![
        Deed::Flood { count: 20, pause: Span(10) },
        Deed::Twin { hears: false, heard_by: heard_by.clone() },
        Deed::Haunt { count: 3 },
        Deed::Twin { hears: true, heard_by },
        Deed::Haunt { count: 2 },
        Deed::Withhold { span: Span::seconds(20), commits: true },
        Deed::Flood { count: 5, pause: Span(500) },
    ];
    let run = run::play::<Real>(&with_deeds(9, deeds), false);
    assert_eq!(run.violations, []);
}

/// Each of these once ended in disagreement, or with a promise that was not kept.
const SEEDS: [u64; 24] = [
    51, 461, 894, 1214, 1326, 1933, 1973, 2128, 2740, 2943, 3326, 3802, 4247, 4360, 4387, 5896,
    6661, 6899, 7004, 7199, 7207, 7473, 9219, 9872,
];

#[test]
fn histories_that_once_ended_badly_end_well() {
    let faults = [&FAULTS[..], &[Fault::Malicious]].concat();
    for seed in SEEDS {
        let run = run::play::<Real>(&plan(seed, &faults), false);
        assert_eq!(run.violations, [], "seed {seed}");
    }
}
