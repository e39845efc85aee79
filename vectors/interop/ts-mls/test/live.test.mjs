// ts-mls clients against each other, through the protocol, for every suite.
import assert from "node:assert/strict"
import test, { after } from "node:test"
import {
  defaultCapabilities,
  defaultCredentialTypes,
  encode,
  generateKeyPackage,
  keyPackageEncoder,
} from "ts-mls"
import { makeSuite } from "../suite.mjs"
import { startPeer } from "../support/peer.mjs"
import { suites } from "../support/suites.mjs"

const peer = startPeer()
after(() => peer.close())
const { call, request } = peer
const hex = (text) => Buffer.from(text).toString("hex")

// Every client named is in the same state and exports the same secret.
async function agree(clients) {
  const views = []
  for (const client of clients) {
    const { own_leaf, ...state } = await call("state", { client })
    const exporter = { label: "trellis", context: hex("c"), length: 42 }
    const { secret } = await call("export", { client, ...exporter })
    assert.equal(secret.length, 84)
    assert.equal(typeof own_leaf, "number")
    views.push({ ...state, secret })
  }
  for (const view of views) assert.deepEqual(view, views[0])
  return views[0]
}

async function deliver(message, clients, kind) {
  for (const client of clients) assert.equal((await call("process", { client, message })).kind, kind)
}

async function chat(from, to) {
  const sent = []
  for (const text of ["one", "two", "three"]) {
    sent.push([(await call("send", { client: from, data: hex(text) })).message, hex(text)])
  }
  for (const client of to) {
    for (const [message, data] of [sent[1], sent[2], sent[0]]) {
      assert.deepEqual(await call("process", { client, message }), { kind: "application", data })
    }
    assert.ok((await request("process", { client, message: sent[0][0] })).error)
  }
}

async function run(suite, wire, derivation) {
  const key = async (client) => (await call("key_package", { client })).key_package
  const names = ["a", "b", "c", "d", "e", "f"]
  for (const client of names) await call("client", { client, suite, derivation, identity: hex(client), wire })
  await call("create", { client: "a", group_id: hex("group") })

  // An Add without, then one with a path.
  let done = await call("commit", { client: "a", add: [await key("b")], remove: [], psk: [], path: false })
  await call("join", { client: "b", welcome: done.welcome })
  await agree(["a", "b"])
  done = await call("commit", { client: "b", add: [await key("c"), await key("d")], remove: [], psk: [], path: true })
  await deliver(done.commit, ["a"], "commit")
  for (const client of ["c", "d"]) await call("join", { client, welcome: done.welcome })
  assert.equal((await agree(["a", "b", "c", "d"])).members, 4)
  await chat("c", ["a", "b", "d"])

  // Proposals by reference, an application message of the epoch before.
  const late = (await call("send", { client: "d", data: hex("late") })).message
  for (const client of names.slice(0, 4)) await call("add_psk", { client, psk_id: hex("id"), psk: hex("key") })
  const byPsk = (await call("propose", { client: "a", psk: hex("id") })).proposal
  await deliver(byPsk, ["b", "c", "d"], "proposal")
  const byRemove = (await call("propose", { client: "d", remove: 1 })).proposal
  await deliver(byRemove, ["a", "b", "c"], "proposal")
  done = await call("commit", { client: "c", add: [], remove: [], psk: [], path: false })
  await deliver(done.commit, ["a", "b", "d"], "commit")
  assert.equal((await agree(["a", "c", "d"])).members, 3)
  assert.ok((await request("state", { client: "b" })).error)
  assert.equal((await call("process", { client: "a", message: late })).data, hex("late"))

  // External commit, empty commit, a Remove and an Add into its place at once.
  const { group_info } = await call("group_info", { client: "d" })
  const joined = await call("external_join", { client: "e", group_info })
  await deliver(joined.commit, ["a", "c", "d"], "commit")
  await agree(["a", "c", "d", "e"])
  done = await call("commit", { client: "e", add: [], remove: [], psk: [], path: false })
  await deliver(done.commit, ["a", "c", "d"], "commit")
  done = await call("commit", { client: "a", add: [await key("f")], remove: [2], psk: [hex("id")], path: false })
  await deliver(done.commit, ["c", "d"], "commit")
  assert.ok((await request("process", { client: "e", message: done.commit })).error, "e has no such PSK")
  for (const client of ["e", "f"]) await call("add_psk", { client, psk_id: hex("id"), psk: hex("key") })
  await deliver(done.commit, ["e"], "commit")
  await call("join", { client: "f", welcome: done.welcome })
  assert.equal((await agree(["a", "d", "e", "f"])).members, 4)

  // A message that fails leaves the state alone.
  const before = await call("state", { client: "d" })
  const { message } = await call("send", { client: "f", data: hex("x") })
  const spoilt = message.slice(0, -2) + (message.endsWith("00") ? "01" : "00")
  assert.ok((await request("process", { client: "d", message: spoilt })).error)
  assert.deepEqual(await call("state", { client: "d" }), before)
  assert.equal((await call("process", { client: "d", message })).data, hex("x"))
  await chat("f", ["a", "d", "e"])
}

for (const suite of suites) {
  for (const wire of ["public", "private"]) {
    test(`${suite.name}, ${wire}`, () => run(suite, wire, wire === "public" ? "hpke-pq" : "unlabelled"))
  }
}

// Keys made elsewhere, as vectors of passive clients hold them.
for (const suite of suites) {
  test(`${suite.name}, imported keys`, async () => {
    const derivation = "hpke-pq"
    const cipherSuite = await makeSuite(suite, derivation)
    const credential = { credentialType: defaultCredentialTypes.basic, identity: new Uint8Array([1]) }
    const capabilities = { ...defaultCapabilities(), ciphersuites: [suite.code_point] }
    const made = await generateKeyPackage({ credential, capabilities, cipherSuite })
    const bare = Buffer.from(encode(keyPackageEncoder, made.publicPackage)).toString("hex")
    const message = "00010005" + bare
    const priv = (name) => Buffer.from(made.privatePackage[name]).toString("hex")
    const keys = {
      init_priv: priv("initPrivateKey"),
      encryption_priv: priv("hpkePrivateKey"),
      signature_priv: priv("signaturePrivateKey"),
    }
    const pure = suite.kem === 0x0041 || suite.kem === 0x0042
    assert.equal(keys.init_priv.length, pure ? 128 : 64)

    await call("client", { client: "host", suite, derivation, identity: "00", wire: "private" })
    await call("create", { client: "host", group_id: "01" })
    const { welcome } = await call("commit", { client: "host", add: [message], remove: [], psk: [], path: true })
    for (const key_package of [bare, message]) {
      const fields = { client: "guest", suite, derivation, key_package, psks: [] }
      await call("import", { ...fields, ...keys })
      await call("join", { client: "guest", welcome, ratchet_tree: null })
      await agree(["host", "guest"])
      const swapped = { ...keys, init_priv: keys.encryption_priv }
      assert.ok((await request("import", { ...fields, ...swapped })).error)
    }
  })
}

test("trees with different unmerged leaves can be joined", async () => {
  const suite = suites[5]
  const names = ["u", "v", "w", "x", "y", "z"]
  for (const client of names) {
    await call("client", { client, suite, derivation: "hpke-pq", identity: hex(client), wire: "public" })
  }
  await call("create", { client: "u", group_id: "02" })
  const members = ["u"]
  const commit = async (by, names, path) => {
    const add = []
    for (const client of names) add.push((await call("key_package", { client })).key_package)
    const done = await call("commit", { client: by, add, remove: [], psk: [], path })
    await deliver(done.commit, members.filter((m) => m !== by), "commit")
    for (const client of names) await call("join", { client, welcome: done.welcome })
    members.push(...names)
    await agree(members)
  }
  await commit("u", ["v", "w"], false)
  await commit("w", [], true)
  await commit("u", ["x"], false)
  await commit("u", ["y"], false)
  await commit("y", [], true)
  await commit("y", ["z"], false)
})

test("bad requests are answered", async () => {
  assert.deepEqual(await call("hello"), { stack: "ts-mls", version: "2.0.0-rc.10" })
  assert.ok((await peer.raw("{")).error)
  assert.ok((await peer.raw("null")).error)
  assert.ok((await peer.raw('{"id":"x","op":"toString"}')).error)
  assert.ok((await request("state", { client: "nobody" })).error)
  assert.ok((await request("client", { client: "x", suite: { code_point: 9 } })).error)
})
