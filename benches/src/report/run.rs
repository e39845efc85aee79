//! A run: everything is measured, in turns.

use std::io;
use std::time::{Duration, Instant};

use super::alone::{self, Alone};
use super::data::{self, GroupTime, Memory, Report, Size, StorageTime, TreeOutside};
use super::plan::{Plan, QUICK};
use super::progress::Progress;
use super::turns::{Tally, in_turns};
use super::{machine, shares, targets};
use crate::candidates::Table;
use openmls_trellis_crypto::Backend;

use crate::group::contenders::{Field, has};
use crate::group::full_tree::FullTrees;
use crate::group::{Contender, Done, Operation, Tree};
use crate::limit::Costs;
use crate::primitives;
use crate::storages::{PAIRINGS, Pairing};
use crate::suites::Suite;

/// The suite of the target about growth.
const GROWTH_SUITE: &str = "row 2";

/// Measures what the plan says.
///
/// # Errors
///
/// If a process for a life of its own cannot be started, or a primitive that the limit needs was
/// not measured.
pub fn run(plan: &Plan) -> io::Result<Report> {
    let start = Instant::now();
    let run = Run::new(plan);
    let mut report = Report {
        quick: plan.quick,
        date: machine::today(),
        seconds: 0.0,
        machine: machine::machine(),
        versions: machine::versions(),
        groups: Vec::new(),
        sizes: Vec::new(),
        storages: Vec::new(),
        shares: Vec::new(),
        tree_outside: Vec::new(),
        memory: Vec::new(),
        hpke: Vec::new(),
        primitives: Vec::new(),
        targets: Vec::new(),
    };
    report.primitives = run.candidates(primitives::TABLES);
    report.hpke = run.candidates(plan.hpke);
    for &(members, _) in plan.groups {
        for suite in run.suites() {
            run.group(suite, members, &mut report);
        }
    }
    for suite in run.suites() {
        run.alone(suite, &mut report)?;
    }
    for &short in plan.storages {
        run.storages(find(short), &mut report);
    }
    if Backend::native().is_some() {
        for suite in run.suites() {
            run.shares(suite, &mut report)?;
        }
    }
    run.tree_outside(find(GROWTH_SUITE), &mut report);
    report.targets = targets::targets(&report);
    report.seconds = start.elapsed().as_secs_f64();
    Ok(report)
}

fn find(short: &str) -> Suite {
    Suite::find(short).unwrap_or_else(|| panic!("no suite is called {short}"))
}

struct Run<'a> {
    plan: &'a Plan,
    progress: Progress,
    full_trees: FullTrees,
}

impl<'a> Run<'a> {
    fn new(plan: &'a Plan) -> Self {
        let suites = plan.suites.len();
        let parts = primitives::TABLES.len()
            + plan.hpke.len()
            + suites * (plan.groups.len() + usize::from(plan.alone.is_some()) + 1)
            + plan.storages.len()
            + 1;
        Self { plan, progress: Progress::new(parts), full_trees: FullTrees::default() }
    }

    fn suites(&self) -> impl Iterator<Item = Suite> {
        self.plan.suites.iter().map(|short| find(short))
    }

    /// What the groups of a suite and size have in common.
    fn field(&self, suite: Suite, members: usize) -> Field<'_> {
        Field::new(suite, members, &self.full_trees)
    }

    fn group(&self, suite: Suite, members: usize, report: &mut Report) {
        self.progress.part(&format!("{}, {members} members", suite.short));
        let turns = self.plan.groups.iter().find(|(planned, _)| *planned == members);
        let (_, turns) = turns.expect("a planned size");
        let field = self.field(suite, members);
        let (contenders, mut lives): (Vec<_>, Vec<_>) = [Tree::Fresh, Tree::Full]
            .into_iter()
            .flat_map(|tree| Contender::ALL.iter().map(move |&contender| (contender, tree)))
            .filter(|&(contender, tree)| field.has(contender, tree))
            .map(|(contender, tree)| (contender, field.life(contender, tree)))
            .unzip();
        let mut tally = Tally::default();
        in_turns(&mut lives, *turns, |life, done| tally.add(contenders[life], done));
        record(tally, suite, members, report);
        self.progress.done();
    }

    fn alone(&self, suite: Suite, report: &mut Report) -> io::Result<()> {
        let Some((members, turns)) = self.plan.alone else { return Ok(()) };
        self.progress.part(&format!("{}, {members} members, processes of their own", suite.short));
        let contenders: Vec<_> = Contender::ALL
            .iter()
            .copied()
            .filter(|&contender| has(suite, members, contender, Tree::Fresh))
            .collect();
        let mut tally = Tally::default();
        let mut memory = vec![None; contenders.len()];
        turns.each(|| {
            for (&contender, memory) in contenders.iter().zip(&mut memory) {
                let Alone { done, memory: used } = alone::spawn(suite, members, contender)?;
                for (operation, microseconds, bytes) in done {
                    let time = Duration::from_secs_f64(microseconds / 1e6);
                    tally.add(contender, Done { operation, repeats: 1, time, bytes });
                }
                // The peak of the run that used most.
                *memory = used.into_iter().chain(*memory).max_by_key(|(_, peak)| *peak);
            }
            io::Result::Ok(())
        })?;
        report.memory.extend(contenders.iter().zip(memory).filter_map(|(&contender, memory)| {
            let (before, peak) = memory?;
            Some(Memory { suite: suite.short.into(), members, contender, before, peak })
        }));
        record(tally, suite, members, report);
        self.progress.done();
        Ok(())
    }

    fn storages(&self, suite: Suite, report: &mut Report) {
        let members = self.plan.members;
        self.progress.part(&format!("{}, {members} members, storages", suite.short));
        let field = self.field(suite, members);
        let pairings: Vec<_> =
            PAIRINGS.iter().filter(|pairing| pairing.crypto.supports(suite)).collect();
        let (pairings, mut lives): (Vec<&Pairing>, Vec<_>) = [Tree::Fresh, Tree::Full]
            .into_iter()
            .flat_map(|tree| pairings.iter().map(move |&pairing| (pairing, tree)))
            .map(|(pairing, tree)| (pairing, pairing.life(&field, tree)))
            .unzip();
        let mut tally = Tally::default();
        in_turns(&mut lives, self.plan.storage_turns, |life, done| {
            let Pairing { crypto, storage, .. } = *pairings[life];
            tally.add((crypto, storage), done);
        });
        report.storages.extend(tally.times().map(|(((crypto, storage), operation), time)| {
            StorageTime {
                suite: suite.short.into(),
                members,
                crypto: crypto.name().into(),
                storage: storage.into(),
                operation,
                time,
            }
        }));
        self.progress.done();
    }

    fn tree_outside(&self, suite: Suite, report: &mut Report) {
        self.progress.part(&format!("{}, tree outside the GroupInfo", suite.short));
        let sizes = self.plan.tree_outside;
        let mut lives: Vec<_> =
            sizes.iter().map(|&members| self.field(suite, members).tree_beside()).collect();
        let mut tally = Tally::default();
        in_turns(&mut lives, self.plan.tree_turns, |life, done| tally.add(sizes[life], done));
        let times = tally.times().filter(|((_, operation), _)| *operation == Operation::Add);
        report.tree_outside.extend(times.map(|((members, _), time)| TreeOutside {
            suite: suite.short.into(),
            members,
            time,
        }));
        self.progress.done();
    }

    /// What the primitives cost is measured anew beside each suite, so that parts and limit are
    /// those of the same minute.
    fn shares(&self, suite: Suite, report: &mut Report) -> io::Result<()> {
        let members = self.plan.members;
        self.progress.part(&format!("{}, {members} members, shares", suite.short));
        let field = self.field(suite, members);
        let tables: Vec<_> = primitives::TABLES
            .iter()
            .map(|table| table.measure(QUICK.candidates, |_| ()))
            .collect();
        let shares = Costs::new(&tables)
            .and_then(|costs| shares::shares(&field, members, self.plan.share_turns, &costs));
        report.shares.extend(shares.map_err(io::Error::other)?);
        self.progress.done();
        Ok(())
    }

    fn candidates(&self, tables: &[Table]) -> Vec<data::Table> {
        let measure = |table: &Table| {
            self.progress.part(table.title);
            let measured = table.measure(self.plan.candidates, |_| ());
            self.progress.done();
            measured
        };
        tables.iter().map(measure).collect()
    }
}

/// Puts times and sizes into the report.
fn record(tally: Tally<Contender>, suite: Suite, members: usize, report: &mut Report) {
    // The two backends send the same.
    report.sizes.extend(tally.bytes(Contender::Portable).map(|(operation, bytes)| Size {
        suite: suite.short.into(),
        members,
        operation,
        bytes,
    }));
    report.groups.extend(tally.times().map(|((contender, operation), time)| GroupTime {
        suite: suite.short.into(),
        members,
        contender,
        operation,
        time,
    }));
}
