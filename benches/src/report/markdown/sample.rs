//! Made-up reports for tests.

use super::super::data::{
    Bound, Call, GroupTime, Machine, Memory, Report, Row, Share, Size, StorageTime, Table, Target,
    TreeOutside, Version,
};
use crate::group::{Contender, Operation};
use crate::suites::SUITES;
use crate::summary::Summary;

/// A report of a run that measured nothing.
pub(crate) fn empty() -> Report {
    Report {
        quick: false,
        date: "2026-01-02".to_owned(),
        seconds: 4000.0,
        machine: Machine {
            processor: "Made-up Processor @ 2.10GHz".to_owned(),
            cores: 2,
            features: ["aes", "avx2"].map(str::to_owned).to_vec(),
            system: "Linux".to_owned(),
            rustc: "rustc 1.91.0".to_owned(),
        },
        versions: Vec::new(),
        groups: Vec::new(),
        sizes: Vec::new(),
        storages: Vec::new(),
        shares: Vec::new(),
        tree_outside: Vec::new(),
        memory: Vec::new(),
        hpke: Vec::new(),
        primitives: Vec::new(),
        targets: Vec::new(),
    }
}

/// A summary with this median.
pub(crate) fn summary(median: f64) -> Summary {
    Summary { median, low: median * 0.97, high: median * 1.04, turns: 15 }
}

/// A time of a group operation.
pub(crate) fn group(
    suite: &str,
    members: usize,
    contender: Contender,
    operation: Operation,
    median: f64,
) -> GroupTime {
    GroupTime { suite: suite.to_owned(), members, contender, operation, time: summary(median) }
}

/// Operations with made-up costs: microseconds at the least and for each member, and bytes likewise.
#[rustfmt::skip]
const COSTS: [(Operation, f64, f64, usize, usize); 12] = [
    (Operation::KeyPackage,    110.0,  0.0,  2_648, 0),
    (Operation::Add,           900.0,  420.0, 9_000, 5_300),
    (Operation::Join,          300.0,  60.0, 0, 0),
    (Operation::UpdateFresh,   250.0,  62.0, 3_000, 1_216),
    (Operation::ProcessFresh,  240.0,  9.0,  0, 0),
    (Operation::Remove,        250.0,  62.0, 3_000, 1_216),
    (Operation::UpdateFull,    800.0,  4.0,  15_000, 0),
    (Operation::ProcessFull,   500.0,  4.0,  0, 0),
    (Operation::Send1KiB,      24.0,   0.0,  1_170, 0),
    (Operation::Receive1KiB,   51.0,   0.0,  0, 0),
    (Operation::Send64KiB,     90.0,   0.0,  65_700, 0),
    (Operation::Receive64KiB,  150.0,  0.0,  0, 0),
];

fn cost(members: usize, least: f64, each: f64) -> f64 {
    least + each * members as f64
}

/// A report with everything in it.
pub(crate) fn full() -> Report {
    let mut report = empty();
    report.versions = ["openmls", "openmls_rust_crypto"]
        .map(|package| Version { package: package.to_owned(), version: "0.9.2".to_owned() })
        .to_vec();
    for (index, suite) in SUITES.iter().enumerate() {
        for members in [2, 32, 256, 1000] {
            for (position, (operation, least, each, bytes, bytes_each)) in
                COSTS.into_iter().enumerate()
            {
                let native = cost(members, least, each);
                let factors = [
                    1.0,
                    1.6,
                    2.0 + (position * 7 % 11 + index) as f64 / 3.0,
                    1.2 + (position * 5 % 7) as f64 / 4.0,
                    0.9,
                ];
                for (&contender, factor) in Contender::ALL.iter().zip(factors) {
                    let lacks = contender == Contender::RustCrypto && index > 5;
                    if !lacks {
                        let time = native * factor;
                        report.groups.push(group(suite.short, members, contender, operation, time));
                    }
                }
                if bytes > 0 {
                    report.sizes.push(Size {
                        suite: suite.short.to_owned(),
                        members,
                        operation,
                        bytes: (bytes + bytes_each * members) * (index + 1) / 2,
                    });
                }
                if members == 256 && ["row 2", "row 9"].contains(&suite.short) {
                    report.shares.push(share(suite.short, members, operation, native, position));
                }
            }
            for &contender in Contender::ALL {
                report.memory.push(Memory {
                    suite: suite.short.to_owned(),
                    members,
                    contender,
                    before: 20 << 20,
                    peak: (25 << 20) + members as u64 * 40_000,
                });
            }
        }
        report.tree_outside.push(TreeOutside {
            suite: suite.short.to_owned(),
            members: 256,
            time: summary(30_000.0),
        });
    }
    for storage in ["trellis, in memory", "openmls, in memory, JSON"] {
        for operation in [Operation::Join, Operation::UpdateFresh] {
            report.storages.push(StorageTime {
                suite: "row 2".to_owned(),
                members: 256,
                crypto: "trellis native".to_owned(),
                storage: storage.to_owned(),
                operation,
                time: summary(4_000.0),
            });
        }
    }
    let table = Table {
        title: "X25519".to_owned(),
        note: "All of them from a seed.".to_owned(),
        rows: vec![Row {
            operation: "agree".to_owned(),
            times: vec![
                ("graviola".to_owned(), summary(25.0)),
                ("x25519-dalek".to_owned(), summary(50.0)),
            ],
        }],
    };
    report.hpke = vec![table.clone()];
    report.primitives = vec![table];
    report.targets = targets();
    report
}

/// Targets that are met, missed and not measured.
pub(crate) fn targets() -> Vec<Target> {
    let target = |group: &str, what: &str, bound, measured| Target {
        group: group.to_owned(),
        what: what.to_owned(),
        bound,
        measured,
    };
    vec![
        target("row 2", "key package", Bound::AtLeast(2.0), Some(2.84)),
        target("row 2", "join", Bound::AtLeast(1.5), Some(1.4999)),
        target("row 10", "join", Bound::AtLeast(1.5), None),
        target("linear growth", "row 2: join, 1000 to 256", Bound::AtMost(1.2), Some(1.31)),
        target("linear growth", "row 9: add all others", Bound::AtMost(1.2), Some(1.1)),
    ]
}

fn share(suite: &str, members: usize, operation: Operation, total: f64, position: usize) -> Share {
    let provider = total * (0.15 + 0.07 * position as f64);
    let storage = total * if position % 4 == 2 { 0.12 } else { 0.01 };
    let call = |name: &str, part: f64| Call {
        name: name.to_owned(),
        count: 3,
        time: provider * part,
        limit: provider * part * 0.9,
    };
    Share {
        suite: suite.to_owned(),
        members,
        operation,
        total,
        provider,
        storage,
        limit: provider * 0.9,
        calls: vec![
            call("hpke_open", 0.5),
            call("derive_hpke_keypair", 0.2),
            call("storage: write_tree", 0.1),
            call("hash", 0.08),
            call("hkdf_expand", 0.07),
            call("verify_signature", 0.05),
        ],
    }
}
