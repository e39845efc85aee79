//! Tests of `TrellisStorage` through OpenMLS's storage trait and through OpenMLS itself.

#[path = "storage/differential.rs"]
mod differential;
#[path = "storage/entities.rs"]
mod entities;
#[path = "storage/export.rs"]
mod export;
#[path = "storage/group.rs"]
mod group;
#[path = "storage/incremental.rs"]
mod incremental;
#[path = "storage/methods.rs"]
mod methods;
#[cfg(feature = "virtual-clients-draft")]
#[path = "storage/virtual_clients.rs"]
mod virtual_clients;
