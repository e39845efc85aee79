//! Group operations over other storages, one after the other.
//!
//! ```text
//! cargo bench -p trellis-benches --bench storage -- 'row 2/256/join'
//! ```

use std::cell::OnceCell;

use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use trellis_benches::group::contenders::Field;
use trellis_benches::group::full_tree::FullTrees;
use trellis_benches::group::{Operation, time};
use trellis_benches::storages::PAIRINGS;
use trellis_benches::suites::SUITES;

const MEMBERS: [usize; 4] = [2, 32, 256, 1000];

fn storage(criterion: &mut Criterion) {
    let full_trees = FullTrees::default();
    for suite in SUITES {
        for members in MEMBERS {
            // Made when the filter lets the first benchmark through.
            let field = OnceCell::new();
            for &operation in Operation::ALL {
                let name = format!("{}/{members}/{}", suite.short, operation.name());
                let mut group = criterion.benchmark_group(name);
                group.sampling_mode(SamplingMode::Flat);
                for pairing in PAIRINGS.iter().filter(|pairing| pairing.crypto.supports(suite)) {
                    let name = format!("{} over {}", pairing.crypto.name(), pairing.storage);
                    group.bench_function(name, |bencher| {
                        let field = field.get_or_init(|| Field::new(suite, members, &full_trees));
                        let mut life = pairing.life(field, operation.tree());
                        bencher.iter_custom(|times| {
                            (0..times).map(|_| time(&mut *life, operation)).sum()
                        });
                    });
                }
            }
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(std::time::Duration::from_millis(1))
        .measurement_time(std::time::Duration::from_secs(1));
    targets = storage
}
criterion_main!(benches);
