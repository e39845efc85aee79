// Hex and MLSMessage encodings at the edge of the peer.
import { encode, mlsMessageDecoder, mlsMessageEncoder, protocolVersions, wireformats } from "ts-mls"

export function bytesOf(text, what = "value") {
  if (typeof text !== "string" || !/^([0-9a-f]{2})*$/i.test(text)) throw new Error(`${what} is not hex`)
  return new Uint8Array(Buffer.from(text, "hex"))
}

export const hexOf = (bytes) => Buffer.from(bytes).toString("hex")

/** Decodes all of `bytes`; ts-mls's own `decode` takes no notice of what is left over. */
export function decodeAll(decoder, bytes, what = "value") {
  const result = decoder(bytes, 0)
  if (result === undefined) throw new Error(`${what} does not decode`)
  if (result[1] !== bytes.length) throw new Error(`bytes left over after ${what}`)
  return result[0]
}

/** An MLSMessage from hex, of one of the wire formats named (RFC 9420 section 6). */
export function messageOf(text, ...formats) {
  const message = decodeAll(mlsMessageDecoder, bytesOf(text, "message"), "MLSMessage")
  if (!formats.some((name) => wireformats[name] === message.wireformat)) {
    throw new Error(`message is not ${formats.join(" or ")}`)
  }
  return message
}

/** A framed message as hex, or the body of one of the formats named by `format`. */
export function messageHex(message) {
  return hexOf(encode(mlsMessageEncoder, message))
}

export function wrap(format, field, value) {
  return messageHex({ version: protocolVersions.mls10, wireformat: wireformats[format], [field]: value })
}
