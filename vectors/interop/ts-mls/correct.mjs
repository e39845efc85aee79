// A loader hook that corrects one check of ts-mls 2.0.0-rc.10 as it is loaded.
// Joining, it wants the unmerged_leaves of all nodes above an unmerged leaf to be
// equal. RFC 9420 section 12.4.3.1 only wants the leaf listed in the nodes between
// it and the parent node at hand. Without the change every group in which two
// parents have different unmerged leaves, an ordinary one from five members on,
// cannot be joined, neither by Welcome nor by external commit.
// TS_MLS_AS_IS=1 leaves ts-mls as published.
const target = "/ts-mls/dist/src/clientState.js"

const corrections = [
  ["for (const parentIdx of dp) {", "for (const parentIdx of dp.slice(0, dp.indexOf(i))) {"],
  [
    "if (!arraysEqual(dpNode.parent.unmergedLeaves, n.parent.unmergedLeaves))",
    "if (!dpNode.parent.unmergedLeaves.includes(unmergedLeaf))",
  ],
]

export async function load(url, context, nextLoad) {
  const result = await nextLoad(url, context)
  if (!url.endsWith(target)) return result
  let source = Buffer.from(result.source).toString("utf8")
  for (const [from, to] of corrections) {
    if (source.split(from).length !== 2) throw new Error(`nothing to correct in ${url}`)
    source = source.replace(from, to)
  }
  return { ...result, source }
}
