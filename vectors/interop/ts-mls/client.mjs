// A live client: one group, one signature key, everything in memory.
import {
  bytesToBase64,
  contentTypes,
  createApplicationMessage,
  createGroup,
  createGroupInfoWithExternalPubAndRatchetTree,
  createProposal,
  defaultCredentialTypes,
  defaultKeyPackageEqualityConfig,
  defaultLifetimeConfig,
  defaultPaddingConfig,
  defaultProposalTypes,
  generateKeyPackageWithKey,
  getGroupMembers,
  joinGroup,
  joinGroupExternal,
  keyPackageDecoder,
  makeKeyPackageRef,
  mlsExporter,
  processPrivateMessage,
  processPublicMessage,
  protocolVersions,
  pskTypes,
  unsafeTestingAuthenticationService,
  wireformats,
} from "ts-mls"
import { commitProposals } from "./commit.mjs"
import { internal } from "./internal.mjs"
import { makeSuite } from "./suite.mjs"
import { bytesOf, decodeAll, hexOf, messageHex, messageOf, wrap } from "./wire.mjs"

const { ratchetTreeDecoder } = await internal("ratchetTree.js")

const DAY = 86400
const LIFETIME_DAYS = 28

// Lifetimes are not looked at on receipt, so key packages of test vectors pass;
// a wide window lets runs reorder application messages freely.
const clientConfig = {
  keyRetentionConfig: {
    retainKeysForGenerations: 64,
    retainKeysForEpochs: 8,
    maximumForwardRatchetSteps: 1000,
  },
  lifetimeConfig: { ...defaultLifetimeConfig, validateLifetimeOnReceive: false },
  keyPackageEqualityConfig: defaultKeyPackageEqualityConfig,
  paddingConfig: defaultPaddingConfig,
}

// ts-mls checks the lifetime of a key package it adds itself, whatever the config.
function lifetime() {
  const now = Math.floor(Date.now() / 1000)
  return { notBefore: BigInt(now - DAY), notAfter: BigInt(now + LIFETIME_DAYS * DAY) }
}

const addProposal = (keyPackage) => ({ proposalType: defaultProposalTypes.add, add: { keyPackage } })
const removeProposal = (removed) => ({ proposalType: defaultProposalTypes.remove, remove: { removed } })
const keyPackageOf = (text) => messageOf(text, "mls_key_package").keyPackage

export class Client {
  #suite
  #identity
  #signatureKeys
  #isPublic
  #psks = {}
  #keyPackages = []
  #state

  constructor({ suite, identity, signatureKeys, wire }) {
    if (!["public", "private"].includes(wire)) throw new Error(`unknown wire ${wire}`)
    this.#suite = suite
    this.#identity = identity
    this.#signatureKeys = signatureKeys
    this.#isPublic = wire === "public"
  }

  static async create({ suite, derivation, identity, wire }) {
    const made = await makeSuite(suite, derivation)
    const signatureKeys = await made.signature.keygen()
    return new Client({ suite: made, identity: bytesOf(identity, "identity"), signatureKeys, wire })
  }

  /** A client that joins with keys given from outside. */
  static async import(request) {
    const made = await makeSuite(request.suite, request.derivation)
    const keyPackage = anyKeyPackage(request.key_package)
    const keys = {
      initPrivateKey: bytesOf(request.init_priv, "init_priv"),
      hpkePrivateKey: bytesOf(request.encryption_priv, "encryption_priv"),
      signaturePrivateKey: bytesOf(request.signature_priv, "signature_priv"),
    }
    const { leafNode } = keyPackage
    await checkHpkePair(made, keys.initPrivateKey, keyPackage.initKey, "init_priv")
    await checkHpkePair(made, keys.hpkePrivateKey, leafNode.hpkePublicKey, "encryption_priv")
    await checkSignaturePair(made, keys.signaturePrivateKey, leafNode.signaturePublicKey)

    const signatureKeys = { signKey: keys.signaturePrivateKey, publicKey: leafNode.signaturePublicKey }
    const { identity } = leafNode.credential
    const wire = request.wire ?? "private"
    const client = new Client({ suite: made, identity, signatureKeys, wire })
    client.#keyPackages.push({ publicPackage: keyPackage, privatePackage: keys })
    for (const { psk_id, psk } of request.psks ?? []) client.addPsk({ psk_id, psk })
    return client
  }

  async keyPackage() {
    const made = await this.#newKeyPackage()
    this.#keyPackages.push(made)
    return { key_package: wrap("mls_key_package", "keyPackage", made.publicPackage) }
  }

  async create({ group_id }) {
    const { publicPackage, privatePackage } = await this.#newKeyPackage()
    this.#state = await createGroup({
      context: this.#context(),
      groupId: bytesOf(group_id, "group_id"),
      keyPackage: publicPackage,
      privateKeyPackage: privatePackage,
    })
    return {}
  }

  async join({ welcome, ratchet_tree }) {
    const message = messageOf(welcome, "mls_welcome")
    const tree = ratchet_tree
      ? decodeAll(ratchetTreeDecoder, bytesOf(ratchet_tree, "ratchet_tree"), "ratchet_tree")
      : undefined
    const { publicPackage, privatePackage } = await this.#keyPackageFor(message.welcome)
    this.#state = await joinGroup({
      context: this.#context(),
      welcome: message.welcome,
      keyPackage: publicPackage,
      privateKeys: privatePackage,
      ratchetTree: tree,
    })
    return {}
  }

  addPsk({ psk_id, psk }) {
    this.#psks[bytesToBase64(bytesOf(psk_id, "psk_id"))] = bytesOf(psk, "psk")
    return {}
  }

  async propose({ add, remove, psk }) {
    if ([add, remove, psk].filter((x) => x !== undefined && x !== null).length !== 1) {
      throw new Error("a proposal is one of add, remove, psk")
    }
    let proposal
    if (typeof add === "string") proposal = addProposal(keyPackageOf(add))
    else if (typeof psk === "string") proposal = this.#pskProposal(psk)
    else proposal = removeProposal(remove)
    const result = await createProposal({
      context: this.#context(),
      state: this.#group(),
      wireAsPublicMessage: this.#isPublic,
      proposal,
    })
    this.#state = result.newState
    return { proposal: messageHex(result.message) }
  }

  async commit({ add = [], remove = [], psk = [], path = false }) {
    const result = await commitProposals({
      context: this.#context(),
      state: this.#group(),
      proposals: [
        ...remove.map(removeProposal),
        ...add.map((text) => addProposal(keyPackageOf(text))),
        ...psk.map((id) => this.#pskProposal(id)),
      ],
      path,
      wireAsPublicMessage: this.#isPublic,
    })
    this.#state = result.newState
    return {
      commit: messageHex(result.commit),
      welcome: result.welcome ? messageHex(result.welcome) : null,
    }
  }

  async process({ message }) {
    const decoded = messageOf(message, "mls_public_message", "mls_private_message")
    const state = this.#group()
    const context = this.#context()
    // ts-mls cannot follow a commit with a path that removes the client itself.
    // Such a commit is only noted: the callback stops it once its proposals are
    // known to be valid, before any key of the new epoch is needed.
    let removed = false
    const ownLeaf = state.privatePath.leafIndex
    const callback = (incoming) => {
      removed = incoming.kind === "commit" && incoming.proposals.some((p) => removes(p.proposal, ownLeaf))
      return removed ? "reject" : "accept"
    }
    // Not processMessage: it forgets external PSKs for private messages.
    const isPublic = decoded.wireformat === wireformats.mls_public_message
    const result = isPublic
      ? await processPublicMessage({ context, state, publicMessage: decoded.publicMessage, callback })
      : await processPrivateMessage({ context, state, privateMessage: decoded.privateMessage, callback })
    this.#state = removed
      ? { ...result.newState, groupActiveState: { kind: "removedFromGroup" } }
      : result.newState
    if (result.kind === "applicationMessage") return { kind: "application", data: hexOf(result.message) }
    const contentType = isPublic ? decoded.publicMessage.content.contentType : decoded.privateMessage.contentType
    return { kind: contentType === contentTypes.commit ? "commit" : "proposal" }
  }

  async send({ data }) {
    const result = await createApplicationMessage({
      context: this.#context(),
      state: this.#group(),
      message: bytesOf(data, "data"),
    })
    this.#state = result.newState
    return { message: messageHex(result.message) }
  }

  async groupInfo() {
    const info = await createGroupInfoWithExternalPubAndRatchetTree(this.#group(), [], this.#suite)
    return { group_info: wrap("mls_group_info", "groupInfo", info) }
  }

  async externalJoin({ group_info }) {
    const { groupInfo } = messageOf(group_info, "mls_group_info")
    const { publicPackage, privatePackage } = await this.#newKeyPackage()
    const result = await joinGroupExternal({
      context: this.#context(),
      groupInfo,
      keyPackage: publicPackage,
      privateKeys: privatePackage,
      resync: false,
    })
    this.#state = result.newState
    return { commit: wrap("mls_public_message", "publicMessage", result.publicMessage) }
  }

  state() {
    const state = this.#group()
    return {
      epoch: Number(state.groupContext.epoch),
      epoch_authenticator: hexOf(state.keySchedule.epochAuthenticator),
      tree_hash: hexOf(state.groupContext.treeHash),
      confirmed_transcript_hash: hexOf(state.groupContext.confirmedTranscriptHash),
      members: getGroupMembers(state).length,
      own_leaf: state.privatePath.leafIndex,
    }
  }

  async export({ label, context, length }) {
    const { exporterSecret } = this.#group().keySchedule
    const secret = await mlsExporter(exporterSecret, label, bytesOf(context, "context"), length, this.#suite)
    return { secret: hexOf(secret) }
  }

  #context() {
    return {
      cipherSuite: this.#suite,
      authService: unsafeTestingAuthenticationService,
      externalPsks: this.#psks,
      clientConfig,
    }
  }

  #group() {
    if (this.#state === undefined) throw new Error("not in a group")
    if (this.#state.groupActiveState.kind === "removedFromGroup") throw new Error("removed from the group")
    return this.#state
  }

  #newKeyPackage() {
    return generateKeyPackageWithKey({
      credential: { credentialType: defaultCredentialTypes.basic, identity: this.#identity },
      capabilities: {
        versions: [protocolVersions.mls10],
        ciphersuites: [this.#suite.id],
        extensions: [],
        proposals: [],
        credentials: [defaultCredentialTypes.basic],
      },
      lifetime: lifetime(),
      extensions: [],
      signatureKeyPair: this.#signatureKeys,
      cipherSuite: this.#suite,
    })
  }

  async #keyPackageFor({ secrets }) {
    for (const made of this.#keyPackages) {
      const reference = hexOf(await makeKeyPackageRef(made.publicPackage, this.#suite.hash))
      if (secrets.some(({ newMember }) => hexOf(newMember) === reference)) return made
    }
    throw new Error("the welcome is for none of this client's key packages")
  }

  // RFC 9420 section 8.4: a fresh nonce of KDF.Nh bytes for each use.
  #pskProposal(id) {
    const pskId = bytesOf(id, "psk")
    const pskNonce = this.#suite.rng.randomBytes(this.#suite.kdf.size)
    const preSharedKeyId = { psktype: pskTypes.external, pskId, pskNonce }
    return { proposalType: defaultProposalTypes.psk, psk: { preSharedKeyId } }
  }
}

function removes(proposal, leaf) {
  return proposal.proposalType === defaultProposalTypes.remove && proposal.remove.removed === leaf
}

// The vectors hold an MLSMessage here, though their description says KeyPackage.
function anyKeyPackage(text) {
  try {
    return messageOf(text, "mls_key_package").keyPackage
  } catch {
    return decodeAll(keyPackageDecoder, bytesOf(text, "key_package"), "key_package")
  }
}

async function checkHpkePair(suite, privateBytes, publicBytes, what) {
  const publicKey = await suite.hpke.importPublicKey(publicBytes)
  const privateKey = await suite.hpke.importPrivateKey(privateBytes)
  const empty = new Uint8Array()
  const { enc, ct } = await suite.hpke.seal(publicKey, empty, empty, empty)
  await suite.hpke.open(privateKey, enc, ct, empty, empty).catch(() => {
    throw new Error(`${what} does not belong to the key package`)
  })
}

async function checkSignaturePair(suite, signKey, publicKey) {
  const message = new Uint8Array(32)
  const signature = await suite.signature.sign(signKey, message)
  if (!(await suite.signature.verify(publicKey, message, signature))) {
    throw new Error("signature_priv does not belong to the key package")
  }
}
