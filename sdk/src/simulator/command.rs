//! The program `trellis-sim`.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::ops::Range;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use clap::Parser;
use openmls_traits::types::Ciphersuite;
use trellis_ciphersuites::{CipherSuite, Ecosystem};

use super::ledger::Tally;
use super::log::Log;
use super::plan::{Calm, Fault, Plan, Setting};
use super::real::Real;
use super::run::{self, Report};

/// Plays random histories of a group over a bad network, in virtual time, and checks what must hold.
///
/// The same seed and options give the same history, to the byte.
#[derive(Clone, Debug, Parser)]
#[command(name = "trellis-sim", version, max_term_width = 100)]
pub struct Options {
    /// The seeds: `A..B` without B, or one.
    #[arg(long, value_parser = seeds, default_value = "0..100")]
    seeds: Range<u64>,
    /// How many nodes there are, one device each.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(2..=100))]
    nodes: u8,
    /// How many steps a history has.
    #[arg(long, default_value_t = 60)]
    steps: usize,
    /// What may go wrong: some of loss, dup, reorder, partition, crash and malicious, or `none`, or
    /// `all`.
    #[arg(long, value_parser = faults, default_value = "loss,dup,reorder,partition,crash")]
    faults: Faults,
    /// The cipher suite, by its name or a part of it that only one suite has.
    #[arg(
        long,
        value_parser = suite,
        default_value = "MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519"
    )]
    suite: Ciphersuite,
    /// How many histories are played at a time; as many as there are processors if not given.
    #[arg(long)]
    jobs: Option<NonZero<usize>>,
    /// How many times a broken history is played in search of a shorter one.
    #[arg(long, default_value_t = 300)]
    attempts: usize,
    /// Prints a line for each event, each with a digest of all up to it.
    #[arg(long)]
    trace: bool,
    /// Adds to the trace what the engines log. The names in it differ from run to run.
    #[arg(long, requires = "trace")]
    log: bool,
    /// Plays these steps of the history only: the numbers that a failure is reported with.
    #[arg(long, value_delimiter = ',')]
    keep: Option<Vec<usize>>,
    /// Takes out of the network what does not matter: some of loss, dup, stragglers and jitter.
    #[arg(long, value_parser = calm, default_value = "")]
    calm: Calms,
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let number = |text: &str| text.parse::<u64>().map_err(|error| format!("{text:?}: {error}"));
    let (from, to) = match text.split_once("..") {
        Some((from, to)) => (number(from)?, number(to)?),
        None => {
            let seed = number(text)?;
            (seed, seed.checked_add(1).ok_or("there is no seed after this one")?)
        }
    };
    if from >= to {
        return Err("there is no seed in this range".into());
    }
    Ok(from..to)
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Faults(Vec<Fault>);

fn faults(text: &str) -> Result<Faults, String> {
    Ok(Faults(match text {
        "none" => Vec::new(),
        "all" => Fault::ALL.iter().map(|(_, fault)| *fault).collect(),
        _ => text.split(',').map(|name| named(&Fault::ALL, name)).collect::<Result<_, _>>()?,
    }))
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Calms(Vec<Calm>);

fn calm(text: &str) -> Result<Calms, String> {
    let calm = |name| named(&Calm::ALL, name);
    let names = text.split(',').filter(|name| !name.is_empty());
    Ok(Calms(names.map(calm).collect::<Result<_, _>>()?))
}

/// What has a name in a table.
fn named<T: Copy>(table: &[(&str, T)], name: &str) -> Result<T, String> {
    let found = table.iter().find(|(other, _)| *other == name);
    found.map(|(_, what)| *what).ok_or_else(|| {
        let names: Vec<_> = table.iter().map(|(name, _)| *name).collect();
        format!("{name:?} is none of {}", names.join(", "))
    })
}

/// The names of things in a table.
fn names<T: PartialEq>(table: &[(&str, T)], what: &[T]) -> String {
    let names = table.iter().filter(|(_, other)| what.contains(other));
    names.map(|(name, _)| *name).collect::<Vec<_>>().join(",")
}

fn suite(text: &str) -> Result<Ciphersuite, String> {
    let text = text.to_lowercase();
    let known: Vec<_> = CipherSuite::all()
        .filter_map(|suite| {
            let number = suite.code_point(Ecosystem::OpenMls)?;
            Some((suite.name(), Ciphersuite::try_from(number).ok()?))
        })
        .collect();
    let named = |(name, _): &&(&str, _)| name.to_lowercase() == text;
    if let Some((_, suite)) = known.iter().find(named) {
        return Ok(*suite);
    }
    let mut alike = known.iter().filter(|(name, _)| name.to_lowercase().contains(&text));
    match (alike.next(), alike.next()) {
        (Some((_, suite)), None) => Ok(*suite),
        (Some(_), Some(_)) => Err("several suites have this in their name".into()),
        (None, _) => {
            let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
            Err(format!("the suites are {}", names.join(", ")))
        }
    }
}

impl Options {
    fn plan(&self, seed: u64) -> Plan {
        let mut plan = Plan::new(&Setting {
            seed,
            nodes: self.nodes.into(),
            steps: self.steps,
            faults: self.faults.0.clone(),
            suite: self.suite,
        });
        if let Some(keep) = &self.keep {
            plan.steps.retain(|step| keep.contains(&step.number));
        }
        self.calm.0.iter().fold(plan, |plan, calm| plan.without(*calm))
    }

    /// The options that play a plan that was made from these.
    fn again(&self, plan: &Plan) -> String {
        let faults = if self.faults.0.is_empty() {
            "none".into()
        } else {
            names(&Fault::ALL, &self.faults.0)
        };
        let suite = CipherSuite::from_code_point(Ecosystem::OpenMls, plan.suite.into());
        let keep: Vec<_> = plan.steps.iter().map(|step| step.number.to_string()).collect();
        let mut again = format!(
            "--seeds {} --nodes {} --steps {} --faults {faults} --suite {} --keep {}",
            plan.seed,
            plan.nodes,
            self.steps,
            suite.map_or("?", CipherSuite::name),
            keep.join(",")
        );
        if !plan.calmed.is_empty() {
            again += &format!(" --calm {}", names(&Calm::ALL, &plan.calmed));
        }
        again
    }
}

/// How many seeds passed and failed, and the digest of each run, in the order of the seeds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many passed.
    pub passed: u64,
    /// How many failed.
    pub failed: u64,
    /// The digest of each.
    pub digests: Vec<u64>,
    /// How much happened in all of them.
    pub tally: Tally,
}

/// Runs the program with the arguments of this process.
#[must_use]
pub fn main() -> ExitCode {
    let summary = run(&Options::parse(), &mut |line| println!("{line}"));
    if summary.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plays what the options want, and hands each line of the report to `print`.
pub fn run(options: &Options, print: &mut (dyn FnMut(&str) + Send)) -> Summary {
    let seeds: Vec<_> = options.seeds.clone().collect();
    let processors = || thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let jobs = options.jobs.unwrap_or_else(processors).get().min(seeds.len());
    let next = AtomicUsize::new(0);
    let printer =
        Mutex::new(Printer { waiting: BTreeMap::new(), summary: Summary::default(), print });
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let plan = options.plan(*seed);
                    let play = || run::report::<Real>(&plan, options.trace, options.attempts);
                    let report = if options.log { Log::during(play) } else { play() };
                    let mut printer = printer.lock().unwrap_or_else(PoisonError::into_inner);
                    printer.take(options, report);
                }
            });
        }
    });
    let printer = printer.into_inner().unwrap_or_else(PoisonError::into_inner);
    let Printer { summary, print, .. } = printer;
    let tally = &summary.tally;
    print(&format!(
        "{} arrivals, {} messages, {} intents, {} changes, {} rollbacks, {} splits, {} crashes, \
         {} equivocations, {} links, {} moves, {} crimes",
        tally.arrivals,
        tally.messages,
        tally.intents,
        tally.changes,
        tally.rollbacks,
        tally.splits,
        tally.crashes,
        tally.equivocations,
        tally.links,
        tally.moves,
        tally.crimes
    ));
    print(&format!("{} passed, {} failed", summary.passed, summary.failed));
    summary
}

/// Prints reports in the order of their seeds, whichever is ready first.
struct Printer<'a> {
    waiting: BTreeMap<u64, Report>,
    summary: Summary,
    print: &'a mut (dyn FnMut(&str) + Send),
}

impl Printer<'_> {
    fn take(&mut self, options: &Options, report: Report) {
        self.waiting.insert(report.seed, report);
        loop {
            let expected = options.seeds.start + self.summary.digests.len() as u64;
            let Some(report) = self.waiting.remove(&expected) else { return };
            self.report(options, &report);
        }
    }

    fn report(&mut self, options: &Options, report: &Report) {
        self.summary.digests.push(report.digest);
        self.summary.tally.add(&report.tally);
        for line in &report.lines {
            (self.print)(line);
        }
        if options.trace {
            (self.print)(&format!("seed {}: digest {:016x}", report.seed, report.digest));
        }
        if report.violations.is_empty() {
            self.summary.passed += 1;
            return;
        }
        self.summary.failed += 1;
        (self.print)(&format!("seed {} failed:", report.seed));
        for violation in &report.violations {
            (self.print)(&format!("  {}: {}", violation.invariant, violation.detail));
        }
        let Some((plan, violation)) = &report.shortest else { return };
        (self.print)(&format!(
            "  the shortest history found that breaks {}, of {} steps:",
            violation.invariant,
            plan.steps.len()
        ));
        (self.print)(&format!("    network: {:?}", plan.conditions));
        (self.print)(&format!(
            "    window: {} states, {:?}",
            plan.policy.depth, plan.policy.horizon
        ));
        for step in &plan.steps {
            (self.print)(&format!("    {step}"));
        }
        (self.print)(&format!("    then {}", violation.detail));
        (self.print)(&format!("  again: {}", options.again(plan)));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_same_seeds_give_the_same_runs_on_one_thread_and_on_two() {
        let run = |jobs| {
            let options = Options::parse_from([
                "trellis-sim",
                "--seeds=0..6",
                "--nodes=4",
                "--steps=25",
                "--faults=all",
                "--attempts=0",
                "--trace",
                jobs,
            ]);
            let mut lines = Vec::new();
            let summary = run(&options, &mut |line| lines.push(line.to_owned()));
            (summary, lines)
        };
        let (summary, lines) = run("--jobs=1");
        assert_eq!(summary.digests.len(), 6);
        let different: BTreeSet<_> = summary.digests.iter().collect();
        assert_eq!(different.len(), 6);
        assert!(lines.len() > 500 && summary.tally.messages > 5);
        assert_eq!((summary.clone(), lines.clone()), run("--jobs=1"));
        assert_eq!((summary, lines), run("--jobs=2"));
    }

    #[test]
    fn options_are_read() {
        let options = Options::parse_from([
            "trellis-sim",
            "--seeds=3..5",
            "--faults=loss,malicious",
            "--suite=XWING",
            "--keep=1,2",
        ]);
        assert_eq!(options.seeds, 3..5);
        assert_eq!(options.faults.0, [Fault::Loss, Fault::Malicious]);
        assert_eq!(faults("none"), Ok(Faults(Vec::new())));
        assert!(faults("los").is_err());
        let steps = options.plan(3).steps;
        assert_eq!(steps.iter().map(|step| step.number).collect::<Vec<_>>(), [1, 2]);
        let again = options.again(&options.plan(3).without(Calm::Jitter));
        let again = Options::parse_from(["trellis-sim"].into_iter().chain(again.split(' ')));
        assert_eq!(again.plan(3).steps, steps);
        assert_eq!((again.faults, again.suite), (options.faults, options.suite));
        assert_eq!(again.calm.0, [Calm::Jitter]);
        assert_eq!(seeds("7"), Ok(7..8));
        assert!(seeds("7..7").is_err() && seeds("x..7").is_err());
        assert!(suite("nothing").is_err() && suite("MLS").is_err());
    }
}
