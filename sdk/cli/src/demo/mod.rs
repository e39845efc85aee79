//! `trellis demo`: four members and a mailbox as processes of their own, told about step by step.
//!
//! Each member is this program itself as `trellis agent --admin`, on a temporary store and on loopback. The
//! demonstration is a script of [`steps`] which says what each does and waits for what has to come of it;
//! if that does not come, the demonstration fails, and says where. So it is a test as well.

mod cast;
mod child;
mod stage;
mod steps;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use cast::Cast;
use stage::Processes;
use steps::{Seen, Step};

use crate::arguments::{Common, Demo};
use crate::failure::Failure;
use crate::output::Output;
use crate::record::{Record, StepRecord};
use crate::run::interrupted;
use crate::world::World;

/// Time to read what a step says, unless there is a hurry.
const READING: Duration = Duration::from_millis(1500);

/// Runs the demonstration, or tells its script.
pub async fn run(demo: &Demo, common: &Common, world: &World) -> Result<(), Failure> {
    if demo.script {
        return (1..).zip(steps::ALL).try_for_each(|(number, step)| {
            world.output.print(&Record::Step(planned(number, step)))
        });
    }
    let start = Instant::now();
    let stage = Processes::new()?;
    let pause = if demo.fast { Duration::ZERO } else { READING };
    let mut cast = Cast::new(Box::new(stage), common.timeout());
    let done = tokio::select! {
        done = play(&mut cast, &world.output, pause) => done,
        () = interrupted() => Err(Failure::Demo("it was interrupted".to_owned())),
    };
    cast.dismiss().await;
    done?;
    if !world.output.is_json() {
        let all = crate::text::span(start.elapsed());
        world
            .output
            .text(&format!("\nThat took {all}. The processes and their files are gone."))?;
    }
    Ok(())
}

fn planned(number: usize, step: &Step) -> StepRecord {
    StepRecord::planned(number, step.name, step.title, step.about)
}

/// Plays all steps.
async fn play(cast: &mut Cast, output: &Output, pause: Duration) -> Result<(), Failure> {
    for (number, step) in (1..).zip(steps::ALL) {
        let record = planned(number, step);
        if !output.is_json() {
            let before = if number == 1 { "" } else { "\n" };
            output.text(&format!("{before}{}", record.announcement()))?;
        }
        let before = cast.traffic().await?;
        let begun = Instant::now();
        let Seen { facts, values: seen } = (step.play)(cast).await?;
        let millis = begun.elapsed().as_millis();
        let after = cast.traffic().await?;
        output.print(&Record::Step(StepRecord {
            facts,
            seen,
            millis: Some(u64::try_from(millis).unwrap_or(u64::MAX)),
            sent: after.and_then(|after| after.checked_sub(before?)),
            ..record
        }))?;
        tokio::time::sleep(pause).await;
    }
    Ok(())
}
