//! A guard against regressions that noise cannot fool: it counts instructions.
//!
//! Every operation of [`operations`] runs once under `valgrind --tool=callgrind`, which counts what
//! the processor executes, and the counts are compared with those in `benches/instructions.json`.
//! They are the same on a busy machine and on an idle one, so a margin of 5 % is enough to tell a
//! regression from a coincidence. What they do not tell is time: an instruction may take a fraction
//! of a cycle or hundreds of them.
//!
//! # The code that is counted
//!
//! Valgrind (3.19) shows a program AES, PCLMULQDQ, BMI1, BMI2 and AVX2, and hides SHA-NI, AVX-512,
//! VAES and ADX. So what runs here is what runs on a processor of 2013: where a library chooses
//! AVX-512 or SHA-NI on a new one, that code is not guarded.
//!
//! Without ADX graviola would not run at all, and the native backend would be left out. Valgrind can
//! execute ADX's instructions though, it only forgets to say so (its bug 494162), and graviola has
//! a switch for the time of its compilation that takes them for granted. [`program`] makes use of
//! it, so what is counted is the native backend. The baseline says which backend and which
//! extensions it was made with, and only counts of the same are compared.
//!
//! | module | does |
//! |---|---|
//! | [`operations`] | what is counted |
//! | [`program`] | compiles a program that can run under valgrind |
//! | [`callgrind`] | runs it there and reads the count |
//! | [`surroundings`] | what the counts depend on |
//! | [`baseline`] | the counts to compare with, and the verdicts |

pub mod baseline;
pub mod callgrind;
mod group;
pub mod operations;
pub mod program;
pub mod surroundings;
