// Commits by a member. ts-mls's createCommit decides by itself whether a commit
// has an UpdatePath, and in 2.0.0-rc.10 not as RFC 9420 says:
//  - one Remove or one Update gets no path (section 12.4 asks for it; it compares
//    the number of proposals with "> 1");
//  - a path beside an Add encrypts to the new leaf too (section 12.4.1 leaves it
//    out): it fails, or, in the place of a member just removed, uses the key of
//    that member;
//  - after an Update it encrypts to the replaced leaf key;
//  - the caller cannot ask for a path.
// createCommit is used wherever none of this matters. Otherwise the commit is put
// together here, in the same steps and from the same functions of ts-mls.
import {
  createCommit,
  defaultExtensionTypes,
  defaultProposalTypes,
  encode,
  proposalOrRefTypes,
  protocolVersions,
  senderTypes,
  wireformats,
} from "ts-mls"
import { internal } from "./internal.mjs"

const { addHistoricalReceiverData, applyProposals, makePskIndex, nextEpochContext } =
  await internal("clientState.js")
const { createConfirmationTag, createContentCommitSignature } = await internal("framedContent.js")
const { deriveSecret } = await internal("crypto/kdf.js")
const { signGroupInfo } = await internal("groupInfo.js")
const { initializeEpoch } = await internal("keySchedule.js")
const { makeKeyPackageRef } = await internal("keyPackage.js")
const { protect } = await internal("messageProtection.js")
const { protectPublicMessage } = await internal("messageProtectionPublic.js")
const { pathToPathSecrets } = await internal("pathSecrets.js")
const { mergePrivateKeyPaths, toPrivateKeyPath, updateLeafKey } = await internal("privateKeyPath.js")
const { ratchetTreeEncoder } = await internal("ratchetTree.js")
const { createSecretTree } = await internal("secretTree.js")
const { treeHashRoot } = await internal("treeHash.js")
const { leafToNodeIndex, leafWidth } = await internal("treemath.js")
const { createUpdatePath, firstCommonAncestor } = await internal("updatePath.js")
const { base64ToBytes } = await internal("util/byteArray.js")
const { encryptGroupInfo, encryptGroupSecrets } = await internal("welcome.js")

/** Commits the state's pending proposals and `proposals`; a path if `path` or the RFC says so. */
export async function commitProposals({ context, state, proposals, path, wireAsPublicMessage }) {
  const pending = Object.values(state.unappliedProposals).map((p) => p.proposal)
  const all = [...pending, ...proposals]
  const count = (type) => all.filter((p) => p.proposalType === defaultProposalTypes[type]).length
  const removes = count("remove")
  const updates = count("update")
  const extensions = count("group_context_extensions")

  const asIs = process.env.TS_MLS_AS_IS === "1"
  const needed = path || all.length === 0 || removes + updates + extensions > 0
  const givesPath = all.length === 0 || removes > 1 || updates > 1
  const pathIsSound = count("add") + updates + extensions === 0
  if (asIs || (needed === givesPath && (!needed || pathIsSound))) {
    return createCommit({
      context,
      state,
      extraProposals: proposals,
      wireAsPublicMessage,
      ratchetTreeExtension: true,
    })
  }
  return commitWithPath({ context, state, proposals, wireAsPublicMessage })
}

async function commitWithPath({ context, state, proposals, wireAsPublicMessage }) {
  const { cipherSuite: cs, clientConfig, authService } = context
  const ownLeaf = state.privatePath.leafIndex
  if (state.groupActiveState.kind !== "active") throw new Error("the group is not active")

  const list = [
    ...Object.keys(state.unappliedProposals).map((reference) => ({
      proposalOrRefType: proposalOrRefTypes.reference,
      reference: base64ToBytes(reference),
    })),
    ...proposals.map((proposal) => ({ proposalOrRefType: proposalOrRefTypes.proposal, proposal })),
  ]
  const tree = state.ratchetTree.slice()
  const psks = makePskIndex(undefined, context.externalPsks)
  const applied = await applyProposals(
    state, tree, list, ownLeaf, psks, true, clientConfig, authService, cs,
  )
  const { kind, extensions, addedLeafNodes } = applied.additionalResult
  if (kind !== "memberCommit") throw new Error(`cannot put a path into a commit of kind ${kind}`)
  const groupContext = extensions.length > 0 ? { ...state.groupContext, extensions } : state.groupContext

  // createUpdatePath takes encryption keys from its first tree: that must be the
  // tree with the proposals applied (section 12.4.1), before the path goes in.
  const provisional = tree.slice()
  const [, fullPath, pathSecrets, leafKey] = await createUpdatePath(
    provisional, tree, ownLeaf, groupContext, state.signaturePrivateKey, cs,
  )
  const newNodes = new Set(addedLeafNodes.map(([leaf]) => leafToNodeIndex(leaf)))
  const path = {
    ...fullPath,
    nodes: fullPath.nodes.map((node, i) => ({
      ...node,
      encryptedPathSecret: node.encryptedPathSecret.filter((_, j) => !newNodes.has(pathSecrets[i].sendTo[j])),
    })),
  }

  const privatePath = mergePrivateKeyPaths(
    updateLeafKey(state.privatePath, await cs.hpke.exportPrivateKey(leafKey)),
    await toPrivateKeyPath(pathToPathSecrets(pathSecrets), ownLeaf, cs),
  )
  // With no other member there is no path secret; ts-mls then takes zeros.
  const rootSecret = pathSecrets.at(-1)?.secret
  const commitSecret = rootSecret ? await deriveSecret(rootSecret, "path", cs.kdf) : new Uint8Array(cs.kdf.size)

  const format = wireAsPublicMessage ? "mls_public_message" : "mls_private_message"
  const { signature, framedContent } = await createContentCommitSignature(
    state.groupContext,
    format,
    { proposals: list, path },
    { senderType: senderTypes.member, leafIndex: ownLeaf },
    new Uint8Array(),
    state.signaturePrivateKey,
    cs.signature,
  )
  const treeHash = await treeHashRoot(tree, cs.hash)
  const newContext = await nextEpochContext(
    groupContext, format, framedContent, signature, treeHash, state.confirmationTag, cs.hash,
  )
  const epoch = await initializeEpoch(
    state.keySchedule.initSecret, commitSecret, newContext, applied.pskSecret, cs.kdf,
  )
  const confirmationTag = await createConfirmationTag(
    epoch.keySchedule.confirmationKey, newContext.confirmedTranscriptHash, cs.hash,
  )
  const auth = { contentType: framedContent.contentType, signature, confirmationTag }

  const [historicalReceiverData] = addHistoricalReceiverData(state, clientConfig)
  const newState = {
    ...state,
    groupContext: newContext,
    ratchetTree: tree,
    secretTree: createSecretTree(leafWidth(tree.length), epoch.encryptionSecret),
    keySchedule: epoch.keySchedule,
    privatePath,
    unappliedProposals: {},
    historicalReceiverData,
    confirmationTag,
  }
  return {
    newState,
    commit: await frame({ state, cs, clientConfig, framedContent, auth, wireAsPublicMessage }),
    welcome: await welcome({ newState, epoch, addedLeafNodes, pathSecrets, psks: applied.pskIds, cs }),
  }
}

async function frame({ state, cs, clientConfig, framedContent, auth, wireAsPublicMessage }) {
  const version = protocolVersions.mls10
  if (wireAsPublicMessage) {
    const wireformat = wireformats.mls_public_message
    const content = { wireformat, content: framedContent, auth }
    const { membershipKey } = state.keySchedule
    const publicMessage = await protectPublicMessage(membershipKey, state.groupContext, content, cs)
    return { version, wireformat, publicMessage }
  }
  const { privateMessage } = await protect(
    state.keySchedule.senderDataSecret,
    new Uint8Array(),
    state.groupContext,
    state.secretTree,
    { ...framedContent, auth },
    state.privatePath.leafIndex,
    clientConfig.paddingConfig,
    cs,
  )
  return { version, wireformat: wireformats.mls_private_message, privateMessage }
}

// Section 12.4.3.1: one encrypted GroupSecrets for each member added.
async function welcome({ newState, epoch, addedLeafNodes, pathSecrets, psks, cs }) {
  if (addedLeafNodes.length === 0) return undefined
  const { ratchetTree, groupContext, confirmationTag, signaturePrivateKey } = newState
  const signer = newState.privatePath.leafIndex
  const treeExtension = {
    extensionType: defaultExtensionTypes.ratchet_tree,
    extensionData: encode(ratchetTreeEncoder, ratchetTree),
  }
  const groupInfo = await signGroupInfo(
    { groupContext, extensions: [treeExtension], confirmationTag, signer },
    signaturePrivateKey,
    cs.signature,
  )
  const encryptedGroupInfo = await encryptGroupInfo(groupInfo, epoch.welcomeSecret, cs)
  const secrets = []
  for (const [leaf, keyPackage] of addedLeafNodes) {
    const ancestor = firstCommonAncestor(ratchetTree, leaf, signer)
    const pathSecret = pathSecrets.find(({ nodeIndex }) => nodeIndex === ancestor)?.secret
    const initKey = await cs.hpke.importPublicKey(keyPackage.initKey)
    const groupSecrets = { joinerSecret: epoch.joinerSecret, pathSecret, psks }
    const { enc, ct } = await encryptGroupSecrets(initKey, encryptedGroupInfo, groupSecrets, cs.hpke)
    secrets.push({
      newMember: await makeKeyPackageRef(keyPackage, cs.hash),
      encryptedGroupSecrets: { kemOutput: enc, ciphertext: ct },
    })
  }
  return {
    version: protocolVersions.mls10,
    wireformat: wireformats.mls_welcome,
    welcome: { cipherSuite: groupContext.cipherSuite, secrets, encryptedGroupInfo },
  }
}
