//! Group operations, one after the other.
//!
//! ```text
//! cargo bench -p trellis-benches --bench group -- 'row 2/256/join'
//! ```
//!
//! Without a filter this takes hours, since each operation needs those before it: name a suite, a
//! size, an operation, a contender, or the beginning of `suite/members/operation/contender`.

use std::cell::OnceCell;
use std::time::Duration;

use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use trellis_benches::group::contenders::{Field, has};
use trellis_benches::group::full_tree::FullTrees;
use trellis_benches::group::{Contender, Operation, time};
use trellis_benches::suites::SUITES;

const MEMBERS: [usize; 4] = [2, 32, 256, 1000];

fn group(criterion: &mut Criterion) {
    let full_trees = FullTrees::default();
    for suite in SUITES {
        for members in MEMBERS {
            // Made when the filter lets the first benchmark through.
            let field = OnceCell::new();
            for &operation in Operation::ALL {
                let name = format!("{}/{members}/{}", suite.short, operation.name());
                let mut group = criterion.benchmark_group(name);
                group.sampling_mode(SamplingMode::Flat);
                let tree = operation.tree();
                for &contender in Contender::ALL {
                    if !has(suite, members, contender, tree) {
                        continue;
                    }
                    group.bench_function(contender.name(), |bencher| {
                        let field = field.get_or_init(|| Field::new(suite, members, &full_trees));
                        let mut life = field.life(contender, tree);
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
        .warm_up_time(Duration::from_millis(1))
        .measurement_time(Duration::from_secs(1));
    targets = group
}
criterion_main!(benches);
