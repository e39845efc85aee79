// Entry point: `node peer.mjs`. See serve.mjs for the protocol's operations.
import { register } from "node:module"

// Before anything loads ts-mls, hence no static import here.
if (process.env.TS_MLS_AS_IS !== "1") register("./correct.mjs", import.meta.url)
await import("./serve.mjs")
