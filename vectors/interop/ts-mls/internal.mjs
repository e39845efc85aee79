// Access to ts-mls modules that its `exports` map hides. Loading them by file
// URL gives the very module instances the public entry point uses, so what is
// checked here is ts-mls's own code and not a second copy of it.
const root = new URL(".", import.meta.resolve("ts-mls"))

/** The ts-mls source module at `path`, for example "treeHash.js". */
export const internal = (path) => import(new URL(path, root).href)

/** The package root, for reading package.json. */
export const packageRoot = new URL("../../", root)
