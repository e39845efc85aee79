//! Clients on several hosts: each in a network namespace, with wires, switches, routers and NATs
//! between them that the tests make and take away again.
//!
//! It takes root, and `ip`, `nft` and `ethtool` (Debian's iproute2, nftables and ethtool); where one of
//! them is missing, each test says so and is skipped. They run one at a time, and print what they have measured:
//!
//! ```text
//! cargo test -p trellis-sdk --test netns -- --ignored --skip inside
//! ```
//!
//! That takes about six minutes, and a machine that has not much else to do.
//!
//! `inside` is no test: it is what the others start in the namespaces.

#![cfg(all(feature = "libp2p", target_os = "linux"))]

mod air;
mod attackers;
mod discovery;
mod eclipse;
mod flood;
mod host;
mod impaired;
mod inside;
mod lab;
mod nat;
mod peer;
mod vanish;

#[test]
#[ignore = "what the other tests start in their namespaces"]
fn inside() {
    inside::serve();
}
