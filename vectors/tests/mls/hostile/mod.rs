//! Whatever somebody wrote into a file, a check ends, and ends without a panic.

mod bytes;
mod json;
mod trees;
