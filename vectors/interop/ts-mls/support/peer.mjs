// A peer process with its protocol as function calls.
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"

export function startPeer() {
  const path = new URL("../peer.mjs", import.meta.url).pathname
  const child = spawn(process.execPath, [path], { stdio: ["pipe", "pipe", "inherit"] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  let id = 0
  const raw = async (line) => {
    child.stdin.write(line + "\n")
    return JSON.parse((await lines.next()).value)
  }
  const request = async (op, fields = {}) => {
    id += 1
    const answer = await raw(JSON.stringify({ id, op, ...fields }))
    if (answer.id !== id) throw new Error(`answer ${answer.id} to request ${id}`)
    return answer
  }
  const call = async (op, fields) => {
    const answer = await request(op, fields)
    if (answer.error !== undefined) throw new Error(`${op}: ${answer.error}`)
    return answer.ok
  }
  return { raw, request, call, close: () => child.stdin.end() }
}
