//! What groups cost on the wire: measured on real groups, as far as time allows, and computed.

use openmls::prelude::tls_codec::{Deserialize, Serialize};
use openmls::prelude::{
    BasicCredential, Capabilities, Ciphersuite, CredentialType, CredentialWithKey, KeyPackage,
    LeafNodeParameters, MlsGroup, MlsGroupJoinConfig, MlsMessageBodyIn, MlsMessageIn,
    MlsMessageOut, PURE_PLAINTEXT_WIRE_FORMAT_POLICY, ProcessedMessageContent, StagedWelcome,
};
use openmls_traits::OpenMlsProvider;
use openmls_trellis_crypto::{TrellisProvider, TrellisSigner};
use trellis_ciphersuites::{CipherSuite, Ecosystem};

use crate::Error;
use crate::registry::{hybrids, short};
use crate::table::table;

/// How many members the groups have.
const MEMBERS: [usize; 4] = [2, 32, 256, 1000];
/// The largest group in which everybody commits.
const PLAYED: usize = 32;

fn mls(error: impl std::fmt::Display) -> Error {
    Error::Mls(error.to_string())
}

struct Member {
    provider: TrellisProvider,
    signer: TrellisSigner,
    credential: CredentialWithKey,
}

impl Member {
    fn new(suite: Ciphersuite, number: usize) -> Result<Self, Error> {
        let signer = TrellisSigner::generate(suite).map_err(mls)?;
        let name = format!("member {number:09}").into_bytes();
        let credential = CredentialWithKey {
            credential: BasicCredential::new(name).into(),
            signature_key: signer.public_key().into(),
        };
        Ok(Self { provider: TrellisProvider::default(), signer, credential })
    }

    fn key_package(&self, suite: Ciphersuite) -> Result<KeyPackage, Error> {
        let bundle = KeyPackage::builder()
            .leaf_node_capabilities(capabilities(suite))
            .build(suite, &self.provider, &self.signer, self.credential.clone())
            .map_err(mls)?;
        Ok(bundle.key_package().clone())
    }

    fn found(&self, suite: Ciphersuite) -> Result<MlsGroup, Error> {
        MlsGroup::builder()
            .ciphersuite(suite)
            .with_capabilities(capabilities(suite))
            .with_wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
            .use_ratchet_tree_extension(false)
            .build(&self.provider, &self.signer, self.credential.clone())
            .map_err(mls)
    }

    /// A commit that only replaces keys.
    fn update(&self, group: &mut MlsGroup) -> Result<MlsMessageOut, Error> {
        let bundle = group
            .self_update(&self.provider, &self.signer, LeafNodeParameters::default())
            .map_err(mls)?;
        group.merge_pending_commit(&self.provider).map_err(mls)?;
        Ok(bundle.into_commit())
    }
}

fn capabilities(suite: Ciphersuite) -> Capabilities {
    Capabilities::new(None, Some(&[suite]), None, None, Some(&[CredentialType::Basic]))
}

fn length(message: &MlsMessageOut) -> Result<usize, Error> {
    Ok(message.to_bytes().map_err(mls)?.len())
}

/// The bytes of a suite's messages.
struct Measured {
    key_package: usize,
    leaf: usize,
    /// An UpdatePathNode with one recipient.
    node: usize,
    /// For each size of group.
    groups: Vec<OfGroup>,
}

struct OfGroup {
    add: usize,
    welcome: usize,
    tree: usize,
    fresh: usize,
    full: usize,
}

/// The length before a vector (RFC 9420, section 2.1.2).
fn prefixed(length: usize) -> usize {
    length
        + if length < 1 << 6 {
            1
        } else if length < 1 << 14 {
            2
        } else {
            4
        }
}

/// An HPKECiphertext of a path secret, and an UpdatePathNode with one (RFC 9420, section 7.6).
fn node(suite: CipherSuite) -> usize {
    let sizes = suite.sizes();
    let ciphertext = prefixed(sizes.kem_enc) + prefixed(sizes.hash + sizes.aead_tag);
    prefixed(sizes.kem_public_key) + prefixed(ciphertext)
}

/// How many nodes the path of the first leaf has.
fn depth(members: usize) -> usize {
    members.next_power_of_two().ilog2() as usize
}

/// The update commit in a full tree: that of a pair, and more nodes of one recipient each.
fn full(pair: usize, node: usize, members: usize) -> usize {
    let nodes = |count: usize| prefixed(count * node);
    pair - nodes(1) + nodes(depth(members))
}

/// An update commit in a tree in which everybody has committed.
fn play(members: &[Member], mut groups: Vec<MlsGroup>) -> Result<usize, Error> {
    let mut last = 0;
    // The first commits once more, when all others have.
    for by in (1..members.len()).chain([0]) {
        let commit = members[by].update(&mut groups[by])?;
        let bytes = commit.to_bytes().map_err(mls)?;
        last = bytes.len();
        for (other, member) in members.iter().enumerate().filter(|(other, _)| *other != by) {
            let group = &mut groups[other];
            let message = MlsMessageIn::tls_deserialize_exact(&bytes).map_err(mls)?;
            let message = message.try_into_protocol_message().map_err(mls)?;
            let processed = group.process_message(&member.provider, message).map_err(mls)?;
            let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content()
            else {
                return Err(Error::Mls("a commit that is none".into()));
            };
            group.merge_staged_commit(&member.provider, *staged).map_err(mls)?;
        }
    }
    Ok(last)
}

fn group(suite: Ciphersuite, size: usize) -> Result<(OfGroup, Option<usize>), Error> {
    let members: Vec<_> =
        (0..size).map(|number| Member::new(suite, number)).collect::<Result<_, _>>()?;
    let key_packages: Vec<_> =
        members[1..].iter().map(|member| member.key_package(suite)).collect::<Result<_, _>>()?;
    let founder = &members[0];
    let mut group = founder.found(suite)?;
    let (commit, welcome, _) =
        group.add_members(&founder.provider, &founder.signer, &key_packages).map_err(mls)?;
    group.merge_pending_commit(&founder.provider).map_err(mls)?;
    let tree = group.export_ratchet_tree();
    let (add, joined) = (length(&commit)?, length(&welcome)?);
    let played = if size <= PLAYED {
        let mut groups = vec![];
        for member in &members[1..] {
            let bytes = welcome.to_bytes().map_err(mls)?;
            let message = MlsMessageIn::tls_deserialize_exact(&bytes).map_err(mls)?;
            let MlsMessageBodyIn::Welcome(welcome) = message.extract() else {
                return Err(Error::Mls("a Welcome that is none".into()));
            };
            let config = MlsGroupJoinConfig::builder()
                .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
                .build();
            let staged = StagedWelcome::new_from_welcome(
                &member.provider,
                &config,
                welcome,
                Some(tree.clone().into()),
            )
            .map_err(mls)?;
            groups.push(staged.into_group(&member.provider).map_err(mls)?);
        }
        // The founder's own group is used for the fresh tree below: here it is loaded once more.
        let again = MlsGroup::load(founder.provider.storage(), group.group_id()).map_err(mls)?;
        groups.insert(0, again.ok_or_else(|| Error::Mls("a group that is not stored".into()))?);
        Some(groups)
    } else {
        None
    };
    let full = played.map(|groups| play(&members, groups)).transpose()?;
    let fresh = length(&founder.update(&mut group)?)?;
    let tree = tree.tls_serialize_detached().map_err(mls)?.len();
    Ok((OfGroup { add, welcome: joined, tree, fresh, full: 0 }, full))
}

fn measure(suite: CipherSuite) -> Result<Measured, Error> {
    let number = suite.code_point(Ecosystem::OpenMls).and_then(|n| Ciphersuite::try_from(n).ok());
    let number = number.ok_or_else(|| Error::Missing(format!("{} in OpenMLS", suite.name())))?;
    let key_package = Member::new(number, 0)?.key_package(number)?;
    let leaf = key_package.leaf_node().tls_serialize_detached().map_err(mls)?.len();
    let framed = length(&MlsMessageOut::from(key_package))?;
    let node = node(suite);
    let mut pair = 0;
    let mut groups = Vec::new();
    for size in MEMBERS {
        let (mut of_group, played) = group(number, size)?;
        if size == 2 {
            pair = played.unwrap_or_default();
        }
        of_group.full = full(pair, node, size);
        if played.is_some_and(|played| played != of_group.full) {
            return Err(Error::Mls(format!("an update in a group of {size} is not as computed")));
        }
        groups.push(of_group);
    }
    Ok(Measured { key_package: framed, leaf, node, groups })
}

/// With separators, which tables of bytes need.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn title(suite: CipherSuite) -> String {
    suite.row().map_or_else(|| short(suite), |row| format!("row {row}"))
}

pub(crate) fn sizes() -> Result<String, Error> {
    let suites: Vec<_> = hybrids().collect();
    let all: Vec<_> = suites.iter().map(|suite| measure(*suite)).collect::<Result<_, _>>()?;
    let head: Vec<_> = suites.iter().map(|suite| format!("{}#", title(*suite))).collect();
    let head: Vec<_> = std::iter::once("Bytes of").chain(head.iter().map(String::as_str)).collect();
    let row = |name: String, value: &dyn Fn(&Measured) -> usize| {
        std::iter::once(name).chain(all.iter().map(|m| grouped(value(m)))).collect::<Vec<_>>()
    };
    let parts = vec![
        row("KeyPackage".into(), &|m| m.key_package),
        row("LeafNode".into(), &|m| m.leaf),
        row("UpdatePathNode, one recipient".into(), &|m| m.node),
    ];
    let mut text = table("part-sizes", "Sizes of parts", &head, parts);
    for (place, size) in MEMBERS.iter().enumerate() {
        let rows = vec![
            row("Commit adding all others".into(), &|m| m.groups[place].add),
            row("Welcome, for all of them".into(), &|m| m.groups[place].welcome),
            row("Welcome, per joiner".into(), &|m| m.groups[place].welcome / (size - 1)),
            row("ratchet tree".into(), &|m| m.groups[place].tree),
            row("Update commit, fresh tree".into(), &|m| m.groups[place].fresh),
            row("Update commit, full tree".into(), &|m| m.groups[place].full),
        ];
        let name = format!("Sizes in a group of {size}");
        text += &format!("\n{}", table(&format!("sizes-{size}"), &name, &head, rows));
    }
    Ok(text)
}

/// What follows from the suite alone.
pub(crate) fn formulas() -> Result<String, Error> {
    let rows = hybrids().map(|suite| {
        let sizes = suite.sizes();
        let ciphertext = prefixed(sizes.kem_enc) + prefixed(sizes.hash + sizes.aead_tag);
        vec![
            title(suite),
            grouped(ciphertext),
            grouped(prefixed(sizes.kem_public_key)),
            grouped(node(suite)),
            grouped(prefixed(sizes.signature_public_key) + prefixed(sizes.signature)),
        ]
    });
    let head = [
        "Suite",
        "HPKECiphertext of a path secret#",
        "encryption key#",
        "UpdatePathNode, one recipient#",
        "signature key and signature#",
    ];
    Ok(table("unit-sizes", "Sizes that follow from the cipher suite", &head, rows))
}
