//! HPKE, one operation after the other.
//!
//! ```text
//! cargo bench -p trellis-benches --bench hpke -- 'HPKE, row 2/seal'
//! ```
//!
//! Without a filter this takes a few minutes.

use std::time::Duration;

use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use trellis_benches::hpke::TABLES;

fn hpke(criterion: &mut Criterion) {
    for table in TABLES {
        for mut row in (table.rows)() {
            let name = format!("{}/{}", table.title, row.operation());
            let mut group = criterion.benchmark_group(name);
            // Sealing to many takes up to a second: each sample is then one call.
            group.sampling_mode(SamplingMode::Flat);
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
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = hpke
}
criterion_main!(benches);
