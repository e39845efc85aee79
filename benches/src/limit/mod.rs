//! The limit: what the primitives of an operation take by themselves, each in the library that the
//! native backend runs on, and measured in the same run. What our calls take longer is ours.

mod calls;
mod costs;

use std::collections::HashMap;

use crate::group::Operation;
use crate::meter::{Call, Tally};
use crate::report::data;
use crate::suites::Suite;

pub use costs::{Costs, Missing};

/// What a call on a suite takes at least, in microseconds. Nothing for the storage.
///
/// # Errors
///
/// If a primitive was not measured.
pub fn of(costs: &Costs, suite: Suite, call: Call) -> Result<f64, Missing> {
    let primitives = calls::primitives(suite.registered(), call);
    primitives.into_iter().map(|primitive| costs.of(primitive)).sum()
}

/// Where the time of an operation goes, from the calls of so many in a row. Times are in
/// microseconds for one.
///
/// # Errors
///
/// If a primitive was not measured.
pub fn share(
    (suite, members, operation): (Suite, usize, Operation),
    total: f64,
    repeats: u32,
    calls: &HashMap<Call, Tally>,
    costs: &Costs,
) -> Result<data::Share, Missing> {
    let each = |sum: f64| sum / f64::from(repeats);
    let mut by_name: HashMap<String, data::Call> = HashMap::new();
    let (mut provider, mut storage) = (0.0, 0.0);
    for (&call, tally) in calls {
        let time = each(tally.time.as_secs_f64() * 1e6);
        let part = if matches!(call, Call::Storage(_)) { &mut storage } else { &mut provider };
        *part += time;
        let sum = by_name.entry(call.name()).or_insert_with_key(|name| data::Call {
            name: name.clone(),
            count: 0,
            time: 0.0,
            limit: 0.0,
        });
        sum.count += tally.count;
        sum.time += time;
        sum.limit += each(of(costs, suite, call)? * tally.count as f64);
    }
    let mut calls: Vec<_> = by_name.into_values().collect();
    for call in &mut calls {
        call.count = call.count.div_ceil(repeats.into());
    }
    calls.sort_by(|one, other| {
        other.time.total_cmp(&one.time).then_with(|| one.name.cmp(&other.name))
    });
    Ok(data::Share {
        suite: suite.short.into(),
        members,
        operation,
        total,
        provider,
        storage,
        limit: calls.iter().map(|call| call.limit).sum(),
        calls,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::meter::{self, Info, Psk};
    use crate::primitives;
    use crate::report::data::{Row, Table};
    use crate::suites::SUITES;
    use crate::summary::Summary;

    /// The tables of the report, in which every candidate of the n-th row takes n microseconds.
    fn tables() -> Vec<Table> {
        let mut count = 0.0;
        let mut row = |mut row: crate::candidates::Row| {
            count += 1.0;
            let time = Summary { median: count, low: count, high: count, turns: 1 };
            let names = row.candidates().iter().map(|each| each.library().to_owned());
            let times = names.map(|name| (name, time)).collect();
            Row { operation: row.operation().into(), times }
        };
        let table = |table: &crate::candidates::Table| Table {
            title: table.title.into(),
            note: String::new(),
            rows: (table.rows)().into_iter().map(&mut row).collect(),
        };
        primitives::TABLES.iter().map(table).collect()
    }

    fn cost(tables: &[Table], title: &str, operation: &str) -> f64 {
        let table = tables.iter().find(|table| table.title == title).unwrap();
        table.rows.iter().find(|row| row.operation == operation).unwrap().times[0].1.median
    }

    #[test]
    fn the_tables_of_the_report_have_every_primitive() {
        Costs::new(&tables()).unwrap();
    }

    #[test]
    fn a_table_that_is_missing_is_an_error() {
        let mut tables = tables();
        tables.retain(|table| table.title != "X25519");
        let error = Costs::new(&tables).unwrap_err().to_string();
        assert!(error.starts_with("X25519: "), "{error}");
    }

    #[test]
    fn every_call_costs_something_on_every_suite() {
        let costs = Costs::new(&tables()).unwrap();
        let info = Info { length: 700_000, again: false };
        let psk = Psk { key: 32, id: 8 };
        for suite in SUITES {
            for call in [
                Call::Hash { data: 0 },
                Call::Hmac { message: 10 },
                Call::HkdfExtract { ikm: 32 },
                Call::HkdfExpand { info: 20, okm: 100 },
                Call::AeadEncrypt { data: 100, aad: 10 },
                Call::AeadDecrypt { data: 100_000, aad: 10 },
                Call::SignatureKeyGen,
                Call::Sign { data: 100 },
                Call::VerifySignature { data: 1_000_000 },
                Call::HpkeSeal { info, aad: 0, plaintext: 50 },
                Call::HpkeOpen { info, aad: 0, plaintext: 50 },
                Call::HpkeSealPsk { info, psk, aad: 0, plaintext: 50 },
                Call::HpkeOpenPsk { info, psk, aad: 0, plaintext: 50 },
                Call::HpkeSetupSenderAndExport { info, context: 0, length: 32 },
                Call::HpkeSetupReceiverAndExport { info, context: 0, length: 32 },
                Call::DeriveHpkeKeypair { ikm: 32 },
                Call::Random { length: 100 },
            ] {
                assert!(of(&costs, suite, call).unwrap() > 0.0, "{}: {call:?}", suite.short);
            }
            assert_eq!(of(&costs, suite, Call::Storage("write_tree")).unwrap(), 0.0);
        }
    }

    #[test]
    fn every_call_of_a_group_costs_something() {
        let costs = Costs::new(&tables()).unwrap();
        for suite in SUITES {
            let step = meter::tests::small_group(suite);
            for &call in step.iter().flat_map(HashMap::keys) {
                let limit = of(&costs, suite, call).unwrap();
                let free = matches!(call, Call::Storage(_) | Call::Supports);
                assert_eq!(limit > 0.0, !free, "{}: {call:?}", suite.short);
            }
        }
    }

    #[test]
    fn a_suite_whose_primitives_are_unknown_has_no_limit() {
        let costs = Costs::new(&tables()).unwrap();
        let info = Info { length: 100, again: false };
        for (name, call) in [
            (
                "MLS_128_DHKEMP256_AES128GCM_SHA256_P256",
                Call::HpkeSeal { info, aad: 0, plaintext: 50 },
            ),
            ("MLS_128_MLKEM768P256_AES256GCM_SHA384_P256", Call::DeriveHpkeKeypair { ikm: 32 }),
            ("MLS_128_MLKEM768_AES256GCM_SHA384_P256", Call::Sign { data: 100 }),
        ] {
            let suite = Suite { short: "unknown", name };
            assert!(of(&costs, suite, call).is_err(), "{name}");
        }
    }

    #[test]
    fn a_seal_on_row_2_by_hand() {
        let tables = tables();
        let costs = Costs::new(&tables).unwrap();
        let at = |title, operation| cost(&tables, title, operation);
        // All lengths below are at most 64, but the context of two digests of SHA-384.
        let call = Call::HpkeSeal {
            info: Info { length: 64 - 17 - 9, again: false },
            aad: 0,
            plaintext: 48,
        };
        let short = at("HMAC", "HMAC-SHA-384 of 64 B");
        let slope = (at("HMAC", "HMAC-SHA-384 of 1 KiB") - short) / 960.0;
        let context = 2 + 17 + 1 + 96 + 1;
        let expected = at("ML-KEM-768", "encapsulate to encoded key")
            + at("X25519", "public key from private key")
            + at("X25519", "shared secret")
            + at("SHA-3", "SHA3-256 of 134 B")
            + at("Randomness", "64 random bytes")
            + 2.0 * short
            + 2.0 * short
            + slope * f64::from(context + 3 - 64 + context + 10 - 64)
            + at("AEAD", "AES-256-GCM seal 64 B");
        let limit = of(&costs, Suite::find("row 2").unwrap(), call).unwrap();
        assert!((limit - expected).abs() < 1e-9, "{limit} {expected}");
    }

    #[test]
    fn what_grows_is_linear_between_and_beyond_what_was_measured() {
        let tables = tables();
        let costs = Costs::new(&tables).unwrap();
        let suite = Suite::find("row 2").unwrap();
        let hash = |data| of(&costs, suite, Call::Hash { data }).unwrap();
        let at = |operation| cost(&tables, "SHA-2", operation);
        assert_eq!(hash(0), at("SHA-384 of 64 B"));
        assert_eq!(hash(1 << 10), at("SHA-384 of 1 KiB"));
        assert_eq!(hash(1 << 16), at("SHA-384 of 64 KiB"));
        let middle = (at("SHA-384 of 64 B") + at("SHA-384 of 1 KiB")) / 2.0;
        assert!((hash((64 + 1024) / 2) - middle).abs() < 1e-9);
        assert!(hash(1 << 20) > hash(1 << 16));
    }

    #[test]
    fn a_share_sums_up_by_name_and_divides_by_the_repetitions() {
        let costs = Costs::new(&tables()).unwrap();
        let tally = |count, micros| Tally { count, time: Duration::from_micros(micros) };
        let calls = HashMap::from([
            (Call::Hash { data: 10 }, tally(4, 10)),
            (Call::Hash { data: 20 }, tally(2, 20)),
            (Call::Storage("write_tree"), tally(2, 50)),
        ]);
        let what = (SUITES[0], 2, Operation::Send1KiB);
        let share = share(what, 100.0, 2, &calls, &costs).unwrap();
        assert_eq!((share.total, share.provider, share.storage), (100.0, 15.0, 25.0));
        let names: Vec<_> = share.calls.iter().map(|call| (&*call.name, call.count)).collect();
        assert_eq!(names, [("storage: write_tree", 1), ("hash", 3)]);
        let hash = of(&costs, SUITES[0], Call::Hash { data: 10 }).unwrap();
        assert!((share.limit - 3.0 * hash).abs() < 1e-9);
    }
}
