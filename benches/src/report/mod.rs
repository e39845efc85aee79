//! The report: what it holds, how it is made and how it is written.

pub mod alone;
pub mod data;
pub(crate) mod machine;
pub mod markdown;
pub mod plan;
pub(crate) mod progress;
pub mod query;
pub mod readme;
pub mod run;
mod shares;
mod targets;
pub(crate) mod turns;
