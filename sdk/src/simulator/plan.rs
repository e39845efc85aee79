//! The plan of a run, and how a seed becomes one.

use openmls_traits::types::Ciphersuite;
use trellis_ciphersuites::{CipherSuite, Ecosystem};

use super::step::{Deed, Limits, Step, What};
use crate::engine::malice::{Crime, KINDS, Lie};
use crate::policy::Floor;
use crate::transport::{Chance, Conditions, Random};
use crate::{Policy, Role, Span, Time};

/// How long the founder and its guests have for themselves before all else begins.
const WELCOME: Span = Span::seconds(10);

/// What may go wrong in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Fault {
    /// Messages get lost.
    Loss,
    /// Messages arrive twice.
    Dup,
    /// Messages overtake one another.
    Reorder,
    /// The network splits into parts that do not reach each other.
    Partition,
    /// Nodes crash, in the middle of a write or between two, and come back.
    Crash,
    /// One node does what no honest one does.
    Malicious,
}

impl Fault {
    /// All of them, with their names.
    pub(crate) const ALL: [(&'static str, Self); 6] = [
        ("loss", Self::Loss),
        ("dup", Self::Dup),
        ("reorder", Self::Reorder),
        ("partition", Self::Partition),
        ("crash", Self::Crash),
        ("malicious", Self::Malicious),
    ];
}

/// What can be taken out of a network to make a history simpler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Calm {
    Loss,
    Dup,
    Stragglers,
    Jitter,
}

impl Calm {
    /// All of them, with their names.
    pub(crate) const ALL: [(&'static str, Self); 4] = [
        ("loss", Self::Loss),
        ("dup", Self::Dup),
        ("stragglers", Self::Stragglers),
        ("jitter", Self::Jitter),
    ];
}

/// What a plan is made from.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) seed: u64,
    pub(crate) nodes: usize,
    pub(crate) steps: usize,
    pub(crate) faults: Vec<Fault>,
    pub(crate) suite: Ciphersuite,
}

/// All that decides how a run goes.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) nodes: usize,
    pub(crate) suite: Ciphersuite,
    pub(crate) policy: Policy,
    pub(crate) conditions: Conditions,
    /// What has been taken out of the conditions that the seed gave.
    pub(crate) calmed: Vec<Calm>,
    /// The node that is malicious.
    pub(crate) malicious: Option<usize>,
    /// Whether it goes for good when all else is well again, or stays and does no more harm.
    pub(crate) goes: bool,
    /// By time.
    pub(crate) steps: Vec<Step>,
}

/// What the founder calls the group.
pub(crate) const FIRST_NAME: &str = "group";

/// How good the network is when nothing is to go wrong.
pub(crate) const CALM: Conditions = Conditions::good();

impl Plan {
    pub(crate) fn new(setting: &Setting) -> Self {
        let mut maker = Maker { setting, random: Random::new(setting.seed), now: Time(0) };
        let conditions = maker.conditions();
        let policy = maker.policy();
        let malicious = maker.has(Fault::Malicious) && setting.nodes > 2;
        let malicious = malicious.then(|| setting.nodes - 1);
        let goes = maker.up_to(1) == 0;
        let steps = (0..setting.steps).map(|number| maker.step(number, malicious)).collect();
        Self {
            seed: setting.seed,
            nodes: setting.nodes,
            suite: setting.suite,
            policy,
            conditions,
            calmed: Vec::new(),
            malicious,
            goes,
            steps,
        }
    }

    /// Without something that the network does.
    pub(crate) fn without(mut self, calm: Calm) -> Self {
        let conditions = &mut self.conditions;
        match calm {
            Calm::Loss => conditions.loss = Chance::NEVER,
            Calm::Dup => conditions.duplication = Chance::NEVER,
            Calm::Stragglers => conditions.straggling = Chance::NEVER,
            Calm::Jitter => conditions.jitter = CALM.jitter,
        }
        self.calmed.push(calm);
        self
    }

    /// The suites that all nodes have: that of the group, and another that protects as much and needs
    /// the same keys, if there is one.
    pub(crate) fn suites(&self) -> Vec<Ciphersuite> {
        [Some(self.suite), self.other_suite()].into_iter().flatten().collect()
    }

    fn other_suite(&self) -> Option<Ciphersuite> {
        let known = CipherSuite::all().filter_map(|suite| {
            let number = suite.code_point(Ecosystem::OpenMls)?;
            Ciphersuite::try_from(number).ok()
        });
        let mut alike = known.filter(|suite| {
            Floor::kept_after(*suite) == Floor::kept_after(self.suite)
                && suite.signature_algorithm() == self.suite.signature_algorithm()
                && *suite != self.suite
        });
        alike.next()
    }

    /// Where a step moves the group to.
    pub(crate) fn destination(&self, away: bool) -> Ciphersuite {
        if away { self.other_suite().unwrap_or(self.suite) } else { self.suite }
    }

    /// The rules of the group with other limits.
    pub(crate) fn limited(&self, limits: &Limits) -> Policy {
        let roles = if limits.open { open_policy() } else { Policy::default() };
        let Limits { depth, horizon, .. } = *limits;
        Policy { depth, horizon, floor: self.policy.floor, ..roles }
    }

    fn policies(&self) -> impl Iterator<Item = Policy> {
        let later = self.steps.iter().filter_map(|step| match &step.what {
            What::SetPolicy { limits, .. } => Some(self.limited(limits)),
            _ => None,
        });
        later.chain([self.policy.clone()])
    }

    /// How many states below the newest can be kept at most.
    pub(crate) fn depth(&self) -> u16 {
        self.policies().map(|policy| policy.depth).max().unwrap_or_default()
    }

    /// For how long states can be kept at most.
    pub(crate) fn horizon(&self) -> Span {
        self.policies().map(|policy| policy.horizon).max().unwrap_or_default()
    }

    /// Whether a node keeps to the protocol.
    pub(crate) fn honest(&self, node: usize) -> bool {
        self.malicious != Some(node)
    }
}

/// Rules by which everybody may do everything.
fn open_policy() -> Policy {
    Policy {
        invite: Role::Member,
        remove: Role::Member,
        rename: Role::Member,
        set_role: Role::Member,
        set_policy: Role::Member,
        migrate: Role::Member,
        ..Policy::default()
    }
}

struct Maker<'a> {
    setting: &'a Setting,
    random: Random,
    now: Time,
}

impl Maker<'_> {
    fn has(&self, fault: Fault) -> bool {
        self.setting.faults.contains(&fault)
    }

    fn up_to(&mut self, most: u64) -> u64 {
        self.random.below(most + 1)
    }

    fn chance(&mut self, most: u16) -> Chance {
        Chance::per_mille(self.up_to(u64::from(most)) as u16)
    }

    /// Half of the seeds have less of everything, so that rare faults are not always drowned.
    fn conditions(&mut self) -> Conditions {
        let harsh = self.up_to(1) as u16 + 1;
        let mut conditions = Conditions { jitter: Span(0), ..CALM };
        let (loss, duplication) = (self.chance(150 * harsh), self.chance(150 * harsh));
        let (jitter, straggling) = (self.up_to(1000 * u64::from(harsh)), self.chance(50 * harsh));
        let straggle = Span(self.up_to(10_000));
        if self.has(Fault::Loss) {
            conditions.loss = loss;
        }
        if self.has(Fault::Dup) {
            conditions.duplication = duplication;
        }
        if self.has(Fault::Reorder) {
            conditions = Conditions { jitter: Span(jitter), straggling, straggle, ..conditions };
        }
        conditions.notice = self.chance(1000);
        conditions
    }

    /// In most plans everybody may do everything, since what is refused tests little. Small windows
    /// make what happens beyond them happen.
    fn policy(&mut self) -> Policy {
        let mut policy = if self.up_to(3) > 0 { open_policy() } else { Policy::default() };
        // The suite is what the options say.
        policy.floor = Floor::CLASSICAL;
        (policy.depth, policy.horizon) = (self.depth(), self.horizon());
        policy
    }

    fn depth(&mut self) -> u16 {
        [2, 5, 5][self.random.index(3)]
    }

    fn horizon(&mut self) -> Span {
        Span::seconds([20, 60, 600][self.random.index(3)])
    }

    /// Bursts, in which forks come about, and pauses, in which states become final.
    fn pause(&mut self) -> Span {
        let most = match self.up_to(99) {
            0..40 => 100,
            40..70 => 1_000,
            70..90 => 5_000,
            90..98 => 30_000,
            _ => 90_000,
        };
        Span(self.up_to(most))
    }

    fn node(&mut self) -> usize {
        self.random.index(self.setting.nodes)
    }

    /// Who does something: also a device that an account got on the way, as far as there is one.
    fn actor(&mut self) -> usize {
        let late = self.up_to(15) == 0;
        if late { self.setting.nodes + self.up_to(1) as usize } else { self.node() }
    }

    fn step(&mut self, number: usize, malicious: Option<usize>) -> Step {
        self.now = self.now + self.pause();
        // The founder fills the group before all else.
        let guests = (self.setting.nodes - 1).min(self.setting.steps / 3);
        if number == guests {
            self.now = self.now + WELCOME;
        }
        let what = if number < guests {
            What::Invite { who: 0, whom: number + 1 }
        } else {
            self.what(malicious)
        };
        Step { number, at: self.now, what }
    }

    fn what(&mut self, malicious: Option<usize>) -> What {
        let partition = if self.has(Fault::Partition) { 6 } else { 0 };
        let crash = if self.has(Fault::Crash) { 8 } else { 0 };
        let deed = if malicious.is_some() { 16 } else { 0 };
        let weights = [36, 10, 5, 1, 6, 6, 9, 2, 1, 2, 1, partition, partition, crash, deed];
        let mut number = self.random.below(weights.iter().sum());
        let mut kind = 0;
        while number >= weights[kind] {
            number -= weights[kind];
            kind += 1;
        }
        let (who, whom) = (self.actor(), self.node());
        match kind {
            0 => What::Say { who },
            1 => What::Invite { who, whom },
            2 => What::Remove { who, whom },
            3 => What::Leave { who },
            4 => What::Rename { who },
            5 => {
                let role = [Role::Member, Role::Admin, Role::Owner][self.random.index(3)];
                What::SetRole { who, whom, role }
            }
            6 => What::Rotate { who },
            7 => {
                let open = self.up_to(2) > 0;
                let limits = Limits { depth: self.depth(), horizon: self.horizon(), open };
                What::SetPolicy { who, limits }
            }
            8 => What::Migrate { who, away: self.up_to(3) > 0 },
            9 => What::Link { who },
            10 => What::Revoke { who },
            11 => {
                let parts = 2 + self.up_to(1);
                let sides = (0..self.setting.nodes).map(|_| self.random.below(parts) as usize);
                What::Partition { sides: sides.collect() }
            }
            12 => What::Heal,
            13 => {
                let write = if self.up_to(3) == 0 { 0 } else { 1 + self.up_to(60) };
                let most = if self.up_to(4) == 0 { 120_000 } else { 5_000 };
                What::Crash { who, write, rest: Span(self.up_to(most)) }
            }
            _ => What::Deed(self.deed()),
        }
    }

    fn deed(&mut self) -> Deed {
        let count = 1 + self.up_to(20) as usize;
        let most = if self.up_to(3) == 0 { 120_000 } else { 30_000 };
        let span = Span(self.up_to(most));
        match self.up_to(19) {
            0 => Deed::Replay { count },
            1 => Deed::Garbage { count, length: self.up_to(40_000) as usize },
            2 => Deed::Damage { count },
            3 => Deed::Oversized,
            4 | 5 => Deed::Withhold { span, commits: self.up_to(1) == 0 },
            6 => Deed::FalseAnswers { span },
            7 => Deed::Pester { count },
            8 | 9 => {
                let most = if self.up_to(1) == 0 { 50 } else { 2_000 };
                Deed::Flood { count, pause: Span(self.up_to(most)) }
            }
            10 | 11 => {
                let told = (0..self.setting.nodes).map(|_| self.random.below(3) as u8);
                Deed::Equivocate { told: told.collect() }
            }
            12..15 => Deed::Commit { crime: Crime::ALL[self.random.index(Crime::ALL.len())] },
            15..18 => Deed::Lie {
                kind: KINDS[self.random.index(KINDS.len())],
                lie: Lie::ALL[self.random.index(Lie::ALL.len())],
                length: self.up_to(3_000) as usize,
                count: 1 + self.up_to(3) as usize,
            },
            18 => {
                let heard_by = (0..self.setting.nodes).map(|_| self.random.below(3) > 0);
                let heard_by = heard_by.collect();
                Deed::Twin { hears: self.up_to(1) == 0, heard_by }
            }
            _ => Deed::Haunt { count: 1 + count / 4 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(seed: u64, faults: &[Fault]) -> Setting {
        Setting {
            seed,
            nodes: 5,
            steps: 400,
            faults: faults.to_vec(),
            suite: Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519,
        }
    }

    #[test]
    fn a_plan_follows_from_its_seed() {
        let faults = [Fault::Loss, Fault::Crash, Fault::Malicious];
        let (one, other) = (Plan::new(&setting(1, &faults)), Plan::new(&setting(1, &faults)));
        assert_eq!((one.steps, one.conditions), (other.steps, other.conditions));
        assert_ne!(Plan::new(&setting(2, &faults)).steps, Plan::new(&setting(1, &faults)).steps);
    }

    #[test]
    fn a_plan_has_the_faults_it_was_asked_for() {
        let calm = Plan::new(&setting(3, &[]));
        let odd = |step: &Step| {
            matches!(
                step.what,
                What::Partition { .. } | What::Heal | What::Crash { .. } | What::Deed(_)
            )
        };
        assert!(!calm.steps.iter().any(odd));
        assert_eq!(calm.conditions.loss, Chance::NEVER);
        assert_eq!(calm.malicious, None);
        let all = [Fault::Loss, Fault::Partition, Fault::Crash, Fault::Malicious];
        let wild = Plan::new(&setting(3, &all));
        assert!(wild.steps.iter().filter(|step| odd(step)).count() > 20);
        assert_eq!(wild.malicious, Some(4));
        assert!(wild.steps.is_sorted_by_key(|step| step.at));
    }
}
