// A loader hook that corrects ts-mls 2.0.0-rc.10 as it is loaded, where nothing
// outside can. TS_MLS_AS_IS=1 leaves ts-mls as published.
const files = {
  // Joining, ts-mls wants the unmerged_leaves of all nodes above an unmerged leaf
  // to be equal. RFC 9420 section 12.4.3.1 only wants the leaf listed in the nodes
  // between it and the parent node at hand. Without the change some groups of
  // eight or more cannot be joined, neither by Welcome nor by external commit.
  "clientState.js": [
    ["for (const parentIdx of dp) {", "for (const parentIdx of dp.slice(0, dp.indexOf(i))) {"],
    [
      "if (!arraysEqual(dpNode.parent.unmergedLeaves, n.parent.unmergedLeaves))",
      "if (!dpNode.parent.unmergedLeaves.includes(unmergedLeaf))",
    ],
  ],
  // The body of an external_pub extension is a struct with an HPKEPublicKey, which
  // is a vector with its length before it (RFC 9420 sections 5.1.1 and 12.4.3.2).
  // ts-mls reads and writes the bare key.
  "createCommit.js": [
    [
      'import { encode } from "./codec/tlsEncoder.js";',
      'import { encode } from "./codec/tlsEncoder.js";' +
        'import { decode } from "./codec/tlsDecoder.js";' +
        'import { varLenDataDecoder, varLenDataEncoder } from "./codec/variableLength.js";',
    ],
    ["extensionData: externalPub }", "extensionData: encode(varLenDataEncoder, externalPub) }"],
    [
      "exportSecret(externalPub.extensionData, cs)",
      "exportSecret(decode(varLenDataDecoder, externalPub.extensionData), cs)",
    ],
  ],
}

export async function load(url, context, nextLoad) {
  const result = await nextLoad(url, context)
  const [, file] = /\/ts-mls\/dist\/src\/([^/]+)$/.exec(url) ?? []
  if (!Object.hasOwn(files, file ?? "")) return result
  let source = Buffer.from(result.source).toString("utf8")
  for (const [from, to] of files[file]) {
    if (!source.includes(from)) throw new Error(`nothing to correct in ${url}: ${from}`)
    source = source.replaceAll(from, to)
  }
  return { ...result, source }
}
