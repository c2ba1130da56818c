import type { Plugin } from 'esbuild'

/**
 * Has the bundle take Node's own modules as objects in place of importing them. An import reads every export once, and
 * some of them load a whole library when they are read: `WebSocket` of node:http is undici, `webcrypto` of node:crypto
 * is WebCrypto. Without it a command that speaks to the daemon took 180 ms of processor time in place of 130.
 */
export const bundleBuiltins: Plugin = {
  name: 'bundle-builtins',
  setup(build) {
    build.onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === 'import-statement' ? { path, namespace: 'builtin' } : undefined,
    )
    build.onLoad({ filter: /^/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})`,
    }))
  },
}
