// One JSON request a line on standard input, one JSON answer a line, in order.
import { readFileSync } from "node:fs"
import { createInterface } from "node:readline"
import { Client } from "./client.mjs"
import { packageRoot } from "./internal.mjs"
import { checkVector } from "./vectors.mjs"

// Standard output belongs to the protocol.
console.log = console.info = console.debug = console.error

const MAX_ERROR = 300
const clients = new Map()

function clientOf({ client }) {
  const found = clients.get(client)
  if (found === undefined) throw new Error(`no client ${client}`)
  return found
}

async function enrol(request, make) {
  if (typeof request.client !== "string") throw new Error("no client name")
  clients.set(request.client, await make(request))
  return {}
}

const operations = {
  hello() {
    const { name, version } = JSON.parse(readFileSync(new URL("package.json", packageRoot), "utf8"))
    return { stack: name, version }
  },
  client: (request) => enrol(request, Client.create),
  import: (request) => enrol(request, Client.import),
  key_package: (request) => clientOf(request).keyPackage(),
  create: (request) => clientOf(request).create(request),
  join: (request) => clientOf(request).join(request),
  add_psk: (request) => clientOf(request).addPsk(request),
  propose: (request) => clientOf(request).propose(request),
  commit: (request) => clientOf(request).commit(request),
  process: (request) => clientOf(request).process(request),
  send: (request) => clientOf(request).send(request),
  group_info: (request) => clientOf(request).groupInfo(),
  external_join: (request) => clientOf(request).externalJoin(request),
  state: (request) => clientOf(request).state(),
  export: (request) => clientOf(request).export(request),
  async check({ kind, suite, derivation, vector }) {
    await checkVector(kind, suite, derivation, vector)
    return {}
  },
}

async function answer(line) {
  let id = null
  try {
    const request = JSON.parse(line)
    id = request.id ?? null
    if (!Object.hasOwn(operations, request.op)) throw new Error(`unknown op ${request.op}`)
    return { id, ok: await operations[request.op](request) }
  } catch (error) {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    return { id, error: text.slice(0, MAX_ERROR) }
  }
}

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  if (line.trim() !== "") process.stdout.write(JSON.stringify(await answer(line)) + "\n")
}
