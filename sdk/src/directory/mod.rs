//! The directory: where key packages of an account's devices can be had while the devices are offline.
//!
//! Each device that has boxes at [mailboxes](crate::transport::Keep) writes a [`Record`] that says where
//! they are, and a distributed hash table keeps it. Who wants to invite somebody who does not answer
//! looks the records up under the account's address and takes a key package from one of the boxes. What
//! is here decides and checks; sockets and clocks are elsewhere.
//!
//! # How a record proves whose it is
//!
//! An address is a hash of the account's keys, and a device's [`Binding`](crate::identity::Binding) has
//! those keys, both of their signatures, and the device's keys. So a record is the whole binding, then what
//! the device says, then the device's signatures over all of that: whoever has the record and nothing
//! else can compute the address, and with it the place where the record has to be, and can check that
//! the account calls the device its own and that the device says so. Account keys can stay offline: they
//! sign nothing here. Less would not do: the account's signatures cover the device's keys, so
//! neither can be left out, and a node that stores a record has to be able to refuse a forged one
//! though it has never heard of the account.
//!
//! The device signs with Ed25519 and, if it has keys of ML-DSA, with the one of the lowest number: who
//! forges a record has to break both. A device with keys for all suites has a binding of 11,271 bytes and
//! records of less than 15 KiB; none is longer than [`MAX_RECORD`].
//!
//! | bytes | content |
//! |---|---|
//! | 1 | version, 1 |
//! | 2 or 4, then 5402 to 11,373 | `opaque binding<V>`, as [`Binding`](crate::identity::Binding) says |
//! | 8 | when the record was made, in milliseconds since the Unix epoch: of two, the later one holds |
//! | 8 | when it ends, at most [`MAX_LIFETIME`] later |
//! | 1 or more | `struct { opaque address<V>; opaque mailbox[32]; opaque id[32]; } BoxAt; BoxAt boxes<V>`, at most [`MAX_BOXES`] |
//! | 64 | Ed25519 signature of the device |
//! | 1 or more | `opaque signature<V>` of its ML-DSA key; empty if it has none |
//!
//! Both keys sign `opaque label<V> = "trellis directory record v1"`, then all that stands before the
//! signatures. No box says: no key packages any more.
//!
//! # Where a record is
//!
//! An account has [`SLOTS`] places in the table. The key of one, 32 bytes, is
//! `SHA-256("trellis directory v1" || inbox topic || slot)`, so who knows the address can go through all of
//! them, and each holds one record, so devices do not overwrite each other. A device may be in
//! [`CHOICES`] of them, the first different ones that the bytes of its name give (each modulo [`SLOTS`]),
//! and is in one: the first that no other device has taken, so that as many devices always find one, and
//! more nearly always. Which it may be in follows from its name, a hash
//! that the account has signed; so a device that was stolen and revoked, of which the table knows
//! nothing, cannot fill all places and make its account unreachable.
//!
//! One value for all devices, merged by who stores it, was the other way. It would grow with each device
//! by 10 KB, and nobody could sign the whole.
//!
//! # What a node of the table checks
//!
//! [`judge`]: the length, the format, that the place is one of the account's and of the device's, the time,
//! and both kinds of signatures. In place of a record that it has it takes a later one of the same device;
//! one of another device only after the old one has ended. So nobody brings back what a device has
//! replaced, as long as one honest node is among those closest to the place; who asks gets the records of
//! all of them and takes the latest of each device ([`Found`]).
//!
//! # What it costs
//!
//! Nodes that store a record learn an account's address, its device, and at which mailboxes it is. They
//! do not learn who looks it up for whom beyond the place that is asked for. A node that stores it
//! can withhold it, and all nodes closest to a place together can hide the device there. What can't
//! be done is sending an inviter to a box that the device has not named; and if the device's
//! keys were broken or stolen, a key package from such a box still has to be bound to the account.

mod collect;
mod error;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
mod judge;
mod place;
mod record;
#[cfg(test)]
mod tests;

pub use collect::{Found, answers, wanted};
pub use error::DirectoryError;
pub use judge::judge;
pub use place::{CHOICES, SLOTS, choices, inbox, key, place};
pub use record::{
    BoxAt, LIFETIME, MAX_ADDRESS, MAX_BOXES, MAX_LIFETIME, MAX_RECORD, Record, SKEW, VerifiedRecord,
};
