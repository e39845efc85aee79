// Checks of vectors in the formats of mlswg/mls-implementations, each computed
// with the functions ts-mls itself uses. The points of "Verification" in
// test-vectors.md for which ts-mls has no function of its own:
//  - treekem, consistency of the private state: no such check in ts-mls; made
//    here from its key derivation, and for leaf keys by an HPKE round trip;
//  - treekem, a new UpdatePath: ts-mls adds one to the epoch by itself, so it is
//    given the epoch before.
import {
  contentTypes,
  defaultProposalTypes,
  encode,
  makeKeyPackageRef,
  mlsExporter,
  nodeTypes,
  pskTypes,
  senderTypes,
  wireformats,
} from "ts-mls"
import { internal } from "./internal.mjs"
import { makeSuite } from "./suite.mjs"
import { bytesOf, decodeAll, hexOf, messageOf } from "./wire.mjs"

const { authenticatedContentDecoder } = await internal("authenticatedContent.js")
const { commitDecoder, commitEncoder } = await internal("commit.js")
const { applyUpdatePathSecret } = await internal("createCommit.js")
const { refhash } = await internal("crypto/hash.js")
const { decryptWithLabel, encryptWithLabel } = await internal("crypto/hpke.js")
const { deriveSecret, deriveTreeSecret, expandWithLabel } = await internal("crypto/kdf.js")
const { signWithLabel, verifyWithLabel } = await internal("crypto/signature.js")
const { createConfirmationTag, createContentCommitSignature, verifyConfirmationTag } =
  await internal("framedContent.js")
const { groupContextEncoder } = await internal("groupContext.js")
const { verifyGroupInfoConfirmationTag, verifyGroupInfoSignature } = await internal("groupInfo.js")
const { deriveKeySchedule, initializeEpoch } = await internal("keySchedule.js")
const { verifyLeafNodeSignature } = await internal("leafNode.js")
const { protect, protectApplicationData, protectProposal, unprotectPrivateMessage } =
  await internal("messageProtection.js")
const { protectProposalPublic, protectPublicMessage, unprotectPublicMessage } =
  await internal("messageProtectionPublic.js")
const { verifyParentHashes } = await internal("parentHash.js")
const { getCommitSecret } = await internal("pathSecrets.js")
const { computePskSecret } = await internal("presharedkey.js")
const { mergePrivateKeyPaths, toPrivateKeyPath } = await internal("privateKeyPath.js")
const { proposalDecoder, proposalEncoder } = await internal("proposal.js")
const { accumulatePskSecret } = await internal("pskIndex.js")
const {
  addLeafNodeMutable, getHpkePublicKey, ratchetTreeDecoder, ratchetTreeEncoder,
  removeLeafNodeMutable, resolution, updateLeafNodeMutable,
} = await internal("ratchetTree.js")
const { createSecretTree, ratchetToGeneration } = await internal("secretTree.js")
const { expandSenderDataKey, expandSenderDataNonce } = await internal("sender.js")
const { createConfirmedHash, createInterimHash } = await internal("transcriptHash.js")
const { treeHash, treeHashRoot } = await internal("treeHash.js")
const { leafToNodeIndex, nodeToLeafIndex } = await internal("treemath.js")
const { applyUpdatePath, createUpdatePath, updatePathDecoder } = await internal("updatePath.js")
const { decryptGroupInfo, decryptGroupSecrets } = await internal("welcome.js")

const EMPTY = new Uint8Array()
const SHOWN = 32

// Generations in vectors reach further than a live client would go.
const anyGeneration = {
  retainKeysForGenerations: 1 << 20,
  retainKeysForEpochs: 4,
  maximumForwardRatchetSteps: 1 << 20,
}
const noPadding = { kind: "padUntilLength", padUntilLength: 0 }

const shorten = (value) => {
  const text = String(value)
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text
}

function same(field, expected, computed) {
  const text = computed instanceof Uint8Array ? hexOf(computed) : computed
  if (expected !== text) {
    throw new Error(`${field}: expected ${shorten(expected)}, computed ${shorten(text)}`)
  }
}

const holds = (field, value) => same(field, true, value)

// Runs `step`, naming `field` if ts-mls refuses.
async function runs(field, step) {
  try {
    return await step()
  } catch (error) {
    throw new Error(`${field}: ${error.message}`)
  }
}

async function fails(field, step) {
  const passed = await step().then(() => true, () => false)
  if (passed) throw new Error(`${field}: expected a refusal, computed a result`)
}

const bytes = (vector, field) => bytesOf(vector[field], field)
const treeOf = (vector, field) => decodeAll(ratchetTreeDecoder, bytes(vector, field), field)

function contextOf(cs, vector, epoch, treeHashBytes = bytes(vector, "tree_hash")) {
  return {
    version: 1,
    cipherSuite: cs.id,
    groupId: bytes(vector, "group_id"),
    epoch,
    treeHash: treeHashBytes,
    confirmedTranscriptHash: bytes(vector, "confirmed_transcript_hash"),
    extensions: [],
  }
}

async function cryptoBasics(cs, vector) {
  const ref = vector.ref_hash
  same("ref_hash.out", ref.out, await refhash(ref.label, bytes(ref, "value"), cs.hash))

  const ex = vector.expand_with_label
  const expanded = await expandWithLabel(bytes(ex, "secret"), ex.label, bytes(ex, "context"), ex.length, cs.kdf)
  same("expand_with_label.out", ex.out, expanded)

  const ds = vector.derive_secret
  same("derive_secret.out", ds.out, await deriveSecret(bytes(ds, "secret"), ds.label, cs.kdf))

  const dt = vector.derive_tree_secret
  const treeSecret = await deriveTreeSecret(bytes(dt, "secret"), dt.label, dt.generation, dt.length, cs.kdf)
  same("derive_tree_secret.out", dt.out, treeSecret)

  const sg = vector.sign_with_label
  const [pub, content] = [bytes(sg, "pub"), bytes(sg, "content")]
  const verify = (signature) => verifyWithLabel(pub, sg.label, content, signature, cs.signature)
  holds("sign_with_label.signature", await verify(bytes(sg, "signature")))
  holds("sign_with_label.priv", await verify(await signWithLabel(bytes(sg, "priv"), sg.label, content, cs.signature)))

  const en = vector.encrypt_with_label
  const context = bytes(en, "context")
  const privateKey = await cs.hpke.importPrivateKey(bytes(en, "priv"))
  const decrypt = (kemOutput, ciphertext) =>
    decryptWithLabel(privateKey, en.label, context, kemOutput, ciphertext, cs.hpke)
  same(
    "encrypt_with_label.ciphertext",
    en.plaintext,
    await runs("encrypt_with_label.ciphertext", () => decrypt(bytes(en, "kem_output"), bytes(en, "ciphertext"))),
  )
  const publicKey = await cs.hpke.importPublicKey(bytes(en, "pub"))
  const own = await encryptWithLabel(publicKey, en.label, context, bytes(en, "plaintext"), cs.hpke)
  same("encrypt_with_label.pub", en.plaintext, await runs("encrypt_with_label.pub", () => decrypt(own.enc, own.ct)))
}

async function keySchedule(cs, vector) {
  let initSecret = bytes(vector, "initial_init_secret")
  for (const [i, epoch] of vector.epochs.entries()) {
    const at = (field) => `epochs[${i}].${field}`
    const context = contextOf(cs, { ...vector, ...epoch }, BigInt(i))
    same(at("group_context"), epoch.group_context, encode(groupContextEncoder, context))

    const pskSecret = epoch.psk_secret ? bytes(epoch, "psk_secret") : new Uint8Array(cs.kdf.size)
    const made = await initializeEpoch(initSecret, bytes(epoch, "commit_secret"), context, pskSecret, cs.kdf)
    const keys = made.keySchedule
    const computed = {
      joiner_secret: made.joinerSecret,
      welcome_secret: made.welcomeSecret,
      init_secret: keys.initSecret,
      sender_data_secret: keys.senderDataSecret,
      encryption_secret: made.encryptionSecret,
      exporter_secret: keys.exporterSecret,
      epoch_authenticator: keys.epochAuthenticator,
      external_secret: keys.externalSecret,
      confirmation_key: keys.confirmationKey,
      membership_key: keys.membershipKey,
      resumption_psk: keys.resumptionPsk,
    }
    for (const [field, value] of Object.entries(computed)) same(at(field), epoch[field], value)

    const { publicKey } = await cs.hpke.deriveKeyPair(keys.externalSecret)
    same(at("external_pub"), epoch.external_pub, await cs.hpke.exportPublicKey(publicKey))

    const { label, length, secret, ...rest } = epoch.exporter
    const exported = await mlsExporter(keys.exporterSecret, label, bytes(rest, "context"), length, cs)
    same(at("exporter.secret"), secret, exported)
    initSecret = keys.initSecret
  }
}

async function secretTree(cs, vector) {
  const data = vector.sender_data
  const [secret, ciphertext] = [bytes(data, "sender_data_secret"), bytes(data, "ciphertext")]
  same("sender_data.key", data.key, await expandSenderDataKey(cs, secret, ciphertext))
  same("sender_data.nonce", data.nonce, await expandSenderDataNonce(cs, secret, ciphertext))

  // ts-mls keeps its trees full, so the width is always a power of two.
  const width = 2 ** Math.ceil(Math.log2(vector.leaves.length))
  const start = createSecretTree(width, bytes(vector, "encryption_secret"))
  const ratchets = { handshake: contentTypes.proposal, application: contentTypes.application }
  for (const [ratchet, contentType] of Object.entries(ratchets)) {
    let tree = start
    for (const [leafIndex, generations] of vector.leaves.entries()) {
      for (const expected of generations) {
        const { generation } = expected
        const at = `leaves[${leafIndex}] generation ${generation}`
        // A zero reuse guard leaves the nonce as derived (RFC 9420 section 6.3.1).
        const sender = { leafIndex, generation, reuseGuard: new Uint8Array(4) }
        const made = await ratchetToGeneration(tree, sender, contentType, anyGeneration, cs)
        same(`${at} ${ratchet}_key`, expected[`${ratchet}_key`], made.key)
        same(`${at} ${ratchet}_nonce`, expected[`${ratchet}_nonce`], made.nonce)
        tree = made.newTree
      }
    }
  }
}

async function pskSecret(cs, vector) {
  const psks = vector.psks.map((entry) => [
    { psktype: pskTypes.external, pskId: bytes(entry, "psk_id"), pskNonce: bytes(entry, "psk_nonce") },
    bytes(entry, "psk"),
  ])
  same("psk_secret", vector.psk_secret, await computePskSecret(psks, cs))
  // The function commits and joins go through is another one.
  const search = { findPsk: (id) => psks.find(([known]) => known === id)?.[1] }
  const ids = psks.map(([id]) => id)
  const [accumulated] = await accumulatePskSecret(ids, search, cs, new Uint8Array(cs.kdf.size))
  same("psk_secret", vector.psk_secret, accumulated)
}

async function transcriptHashes(cs, vector) {
  const encoded = bytes(vector, "authenticated_content")
  const { wireformat, content, auth } = decodeAll(authenticatedContentDecoder, encoded, "authenticated_content")
  same("authenticated_content content type", contentTypes.commit, content.contentType)

  const before = bytes(vector, "interim_transcript_hash_before")
  const confirmed = await createConfirmedHash(before, { wireformat, content, signature: auth.signature }, cs.hash)
  same("confirmed_transcript_hash_after", vector.confirmed_transcript_hash_after, confirmed)
  const interim = await createInterimHash(confirmed, auth.confirmationTag, cs.hash)
  same("interim_transcript_hash_after", vector.interim_transcript_hash_after, interim)
  const key = bytes(vector, "confirmation_key")
  holds("confirmation_tag", await verifyConfirmationTag(key, auth.confirmationTag, confirmed, cs.hash))
}

async function messageProtection(cs, vector) {
  const context = contextOf(cs, vector, BigInt(vector.epoch))
  const signKey = bytes(vector, "signature_priv")
  const signaturePub = bytes(vector, "signature_pub")
  const membershipKey = bytes(vector, "membership_key")
  const senderDataSecret = bytes(vector, "sender_data_secret")
  const leafIndex = 1
  const sender = { senderType: senderTypes.member, leafIndex }
  const tree = () => createSecretTree(2, bytes(vector, "encryption_secret"))
  const openPublic = (message) => unprotectPublicMessage(membershipKey, context, [], message, cs, signaturePub)
  const openPrivate = async (message) => {
    const opened = await unprotectPrivateMessage(
      senderDataSecret, message, tree(), [], context, anyGeneration, cs, signaturePub,
    )
    same("sender leaf index", leafIndex, opened.content.content.sender.leafIndex)
    return opened.content
  }
  const published = (field) => messageOf(vector[field], "mls_public_message").publicMessage
  const sealed = (field) => messageOf(vector[field], "mls_private_message").privateMessage

  const proposal = decodeAll(proposalDecoder, bytes(vector, "proposal"), "proposal")
  const commit = decodeAll(commitDecoder, bytes(vector, "commit"), "commit")
  const application = bytes(vector, "application")
  const sameProposal = (field, { content }) =>
    same(field, vector.proposal, encode(proposalEncoder, content.proposal))
  const sameCommit = (field, { content }) => same(field, vector.commit, encode(commitEncoder, content.commit))
  const sameApplication = (field, { content }) => same(field, vector.application, content.applicationData)

  const own = {
    proposalPub: async () =>
      (await protectProposalPublic(signKey, membershipKey, context, EMPTY, proposal, leafIndex, cs)).publicMessage,
    proposalPriv: async () =>
      (await protectProposal(signKey, senderDataSecret, proposal, EMPTY, context, tree(), leafIndex, noPadding, cs))
        .privateMessage,
    commit: async (format) => {
      const { framedContent, signature } = await createContentCommitSignature(
        context, format, commit, sender, EMPTY, signKey, cs.signature,
      )
      const confirmationTag = new Uint8Array(cs.kdf.size)
      return { content: framedContent, auth: { contentType: contentTypes.commit, signature, confirmationTag } }
    },
    commitPub: async () => {
      const content = { wireformat: wireformats.mls_public_message, ...(await own.commit("mls_public_message")) }
      return protectPublicMessage(membershipKey, context, content, cs)
    },
    commitPriv: async () => {
      const { content, auth } = await own.commit("mls_private_message")
      const framed = { ...content, auth }
      return (await protect(senderDataSecret, EMPTY, context, tree(), framed, leafIndex, noPadding, cs)).privateMessage
    },
    applicationPriv: async () =>
      (await protectApplicationData(
        signKey, senderDataSecret, application, EMPTY, context, tree(), leafIndex, noPadding, cs,
      )).privateMessage,
    applicationPub: async () => {
      const content = {
        groupId: context.groupId, epoch: context.epoch, sender, authenticatedData: EMPTY,
        contentType: contentTypes.application, applicationData: application,
      }
      const auth = { contentType: contentTypes.application, signature: EMPTY }
      return protectPublicMessage(
        membershipKey, context, { wireformat: wireformats.mls_public_message, content, auth }, cs,
      )
    },
  }

  const open = async (field, step, check) => check(field, await runs(field, step))
  await open("proposal_pub", () => openPublic(published("proposal_pub")), sameProposal)
  await open("own proposal_pub", async () => openPublic(await own.proposalPub()), sameProposal)
  await open("proposal_priv", () => openPrivate(sealed("proposal_priv")), sameProposal)
  await open("own proposal_priv", async () => openPrivate(await own.proposalPriv()), sameProposal)
  await open("commit_pub", () => openPublic(published("commit_pub")), sameCommit)
  await open("own commit_pub", async () => openPublic(await own.commitPub()), sameCommit)
  await open("commit_priv", () => openPrivate(sealed("commit_priv")), sameCommit)
  await open("own commit_priv", async () => openPrivate(await own.commitPriv()), sameCommit)
  await open("application_priv", () => openPrivate(sealed("application_priv")), sameApplication)
  await open("own application_priv", async () => openPrivate(await own.applicationPriv()), sameApplication)
  await fails("application as a PublicMessage", own.applicationPub)
}

async function welcome(cs, vector) {
  const { keyPackage } = messageOf(vector.key_package, "mls_key_package")
  const message = messageOf(vector.welcome, "mls_welcome").welcome
  const reference = await makeKeyPackageRef(keyPackage, cs.hash)
  const privateKey = await cs.hpke.importPrivateKey(bytes(vector, "init_priv"))
  const secrets = await runs("group secrets", () => decryptGroupSecrets(privateKey, reference, message, cs.hpke))
  same("number of PSKs", 0, secrets.psks.length)

  const noPsk = new Uint8Array(cs.kdf.size)
  const info = await runs("group info", () => decryptGroupInfo(message, secrets.joinerSecret, noPsk, cs))
  holds("group info signature", await verifyGroupInfoSignature(info, bytes(vector, "signer_pub"), cs.signature))
  holds("confirmation_tag", await verifyGroupInfoConfirmationTag(info, secrets.joinerSecret, noPsk, cs))
  const [keys] = await deriveKeySchedule(secrets.joinerSecret, noPsk, info.groupContext, cs.kdf)
  const { confirmedTranscriptHash } = info.groupContext
  const tag = await createConfirmationTag(keys.confirmationKey, confirmedTranscriptHash, cs.hash)
  same("confirmation_tag", hexOf(info.confirmationTag), tag)
}

async function treeOperations(cs, vector) {
  const tree = treeOf(vector, "tree_before")
  same("tree_hash_before", vector.tree_hash_before, await treeHashRoot(tree, cs.hash))
  const proposal = decodeAll(proposalDecoder, bytes(vector, "proposal"), "proposal")
  switch (proposal.proposalType) {
    case defaultProposalTypes.add:
      addLeafNodeMutable(tree, proposal.add.keyPackage.leafNode)
      break
    case defaultProposalTypes.remove:
      removeLeafNodeMutable(tree, proposal.remove.removed)
      break
    case defaultProposalTypes.update:
      updateLeafNodeMutable(tree, proposal.update.leafNode, vector.proposal_sender)
      break
    default:
      throw new Error(`proposal: type ${proposal.proposalType}`)
  }
  same("tree_after", vector.tree_after, encode(ratchetTreeEncoder, tree))
  same("tree_hash_after", vector.tree_hash_after, await treeHashRoot(tree, cs.hash))
}

async function treeValidation(cs, vector) {
  const tree = treeOf(vector, "tree")
  same("number of resolutions", vector.resolutions.length, tree.length)
  for (const [i, expected] of vector.resolutions.entries()) {
    same(`resolutions[${i}]`, JSON.stringify(expected), JSON.stringify(resolution(tree, i)))
  }
  for (const [i, expected] of vector.tree_hashes.entries()) {
    same(`tree_hashes[${i}]`, expected, await treeHash(tree, i, cs.hash))
  }
  holds("parent hashes", await verifyParentHashes(tree, cs.hash))
  const groupId = bytes(vector, "group_id")
  for (const [i, node] of tree.entries()) {
    if (node?.nodeType !== nodeTypes.leaf) continue
    const leafIndex = nodeToLeafIndex(i)
    holds(
      `signature of leaf ${leafIndex}`,
      await verifyLeafNodeSignature(node.leaf, groupId, leafIndex, cs.signature),
    )
  }
}

async function treekem(cs, vector) {
  const tree = treeOf(vector, "ratchet_tree")
  const epoch = BigInt(vector.epoch)
  const context = contextOf(cs, vector, epoch, await treeHashRoot(tree, cs.hash))

  const members = new Map()
  for (const entry of vector.leaves_private) members.set(entry.index, await privateState(cs, tree, entry))

  // What every other member makes of `path`, against what it should.
  const follow = async (at, sender, path, expectedSecrets, expectedCommitSecret) => {
    const updated = tree.slice()
    await runs(`${at}.update_path`, () => applyUpdatePath(updated, sender, path, cs.hash))
    const treeHashAfter = await treeHashRoot(updated, cs.hash)
    holds(`${at} parent hashes`, await verifyParentHashes(updated, cs.hash))
    const provisional = { ...context, treeHash: treeHashAfter }
    for (const [leaf, { privatePath }] of members) {
      if (leaf === sender) continue
      const field = `${at}.path_secrets[${leaf}]`
      const { nodeIndex, pathSecret } = await runs(field, () =>
        applyUpdatePathSecret(updated, privatePath, sender, provisional, path, [], cs),
      )
      if (expectedSecrets) same(field, expectedSecrets[leaf], pathSecret)
      const commitSecret = await getCommitSecret(updated, nodeIndex, pathSecret, cs.kdf)
      same(`${at}.commit_secret at leaf ${leaf}`, expectedCommitSecret, commitSecret)
    }
    return treeHashAfter
  }

  for (const [i, entry] of vector.update_paths.entries()) {
    const at = `update_paths[${i}]`
    const path = decodeAll(updatePathDecoder, bytes(entry, "update_path"), `${at}.update_path`)
    const after = await follow(at, entry.sender, path, entry.path_secrets, entry.commit_secret)
    same(`${at}.tree_hash_after`, entry.tree_hash_after, after)

    const before = { ...context, epoch: epoch - 1n }
    const { signKey } = members.get(entry.sender)
    const [, ownPath, pathSecrets] = await createUpdatePath(tree, tree.slice(), entry.sender, before, signKey, cs)
    const commitSecret = await deriveSecret(pathSecrets.at(-1).secret, "path", cs.kdf)
    await follow(`own ${at}`, entry.sender, ownPath, undefined, hexOf(commitSecret))
  }
}

async function privateState(cs, tree, entry) {
  const at = `leaves_private[${entry.index}]`
  const node = tree[leafToNodeIndex(entry.index)]
  if (node?.nodeType !== nodeTypes.leaf) throw new Error(`${at}: the leaf is blank`)

  const encryptionPriv = bytes(entry, "encryption_priv")
  const publicKey = await cs.hpke.importPublicKey(node.leaf.hpkePublicKey)
  const privateKey = await cs.hpke.importPrivateKey(encryptionPriv)
  const { enc, ct } = await cs.hpke.seal(publicKey, EMPTY, EMPTY, EMPTY)
  await runs(`${at}.encryption_priv`, () => cs.hpke.open(privateKey, enc, ct, EMPTY, EMPTY))

  const signKey = bytes(entry, "signature_priv")
  const signature = await cs.signature.sign(signKey, EMPTY)
  holds(`${at}.signature_priv`, await cs.signature.verify(node.leaf.signaturePublicKey, EMPTY, signature))

  let privatePath = { leafIndex: entry.index, privateKeys: { [leafToNodeIndex(entry.index)]: encryptionPriv } }
  for (const { node: nodeIndex, path_secret } of entry.path_secrets) {
    const field = `${at} path secret of node ${nodeIndex}`
    if (tree[nodeIndex] === undefined) throw new Error(`${field}: the node is blank`)
    const pathSecret = bytesOf(path_secret, field)
    const pair = await cs.hpke.deriveKeyPair(await deriveSecret(pathSecret, "node", cs.kdf))
    same(field, hexOf(getHpkePublicKey(tree[nodeIndex])), await cs.hpke.exportPublicKey(pair.publicKey))
    const made = await toPrivateKeyPath({ [nodeIndex]: pathSecret }, entry.index, cs)
    privatePath = mergePrivateKeyPaths(privatePath, made)
  }
  return { privatePath, signKey }
}

const kinds = {
  "crypto-basics": cryptoBasics,
  "key-schedule": keySchedule,
  "secret-tree": secretTree,
  psk_secret: pskSecret,
  "transcript-hashes": transcriptHashes,
  "message-protection": messageProtection,
  welcome,
  treekem,
  "tree-validation": treeValidation,
  "tree-operations": treeOperations,
}

/** Passes, or throws naming the first field that differs. */
export async function checkVector(kind, suite, derivation, vector) {
  if (!Object.hasOwn(kinds, kind)) throw new Error(`unknown kind ${kind}`)
  await kinds[kind](await makeSuite(suite, derivation), vector)
}
