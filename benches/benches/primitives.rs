//! Primitives, one after the other.
//!
//! ```text
//! cargo bench -p trellis-benches --bench primitives -- 'ML-KEM-768/encapsulate'
//! ```
//!
//! Without a filter this takes about ten minutes.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use trellis_benches::primitives::TABLES;

fn primitives(criterion: &mut Criterion) {
    for table in TABLES {
        for mut row in (table.rows)() {
            let name = format!("{}/{}", table.title, row.operation());
            let mut group = criterion.benchmark_group(name);
            for candidate in row.candidates() {
                group.bench_function(candidate.library(), |bencher| {
                    bencher.iter_custom(|operations| candidate.time(operations));
                });
            }
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = primitives
}
criterion_main!(benches);
