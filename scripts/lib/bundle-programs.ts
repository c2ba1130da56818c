import { type BuildOptions, build } from 'esbuild'
import { basename, join } from 'node:path'
import { bundleBuiltins } from './bundle-builtins.ts'
import { listFiles } from './list-files.ts'

/** The programs, by their name in dist/. */
export const PROGRAMS: Readonly<Record<string, string>> = {
  weft: 'packages/cli/src/main.ts',
  daemon: 'packages/node/src/daemon-main.ts',
}

/** Packages with native code find their binaries beside themselves, so they stay in node_modules. */
const NATIVE = ['koffi', 'sodium-native']

/** Bundled CommonJS asks for `require` and its own place, which an ES module does not have. */
const COMMONJS_BANNER = [
  "import { createRequire as weftCreateRequire } from 'node:module'",
  'const require = weftCreateRequire(import.meta.url)',
  'const __filename = import.meta.filename',
  'const __dirname = import.meta.dirname',
].join('\n')

const COMMON: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node26',
  format: 'esm',
  splitting: true,
  // Chunks lie beside the programs: `new URL('./workers/…', import.meta.url)` means the same in each of them.
  chunkNames: 'chunk-[hash]',
  external: NATIVE,
  plugins: [bundleBuiltins],
  banner: { js: COMMONJS_BANNER },
  // Stack traces keep the names of the source; whitespace goes, because parsing it costs start-up time.
  keepNames: false,
  minifyWhitespace: true,
  minifySyntax: true,
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'none',
  logLevel: 'silent',
}

/** Bundles the programs among `entries` into `out`, sharing chunks, so that a command loads only what it uses. */
export async function bundlePrograms(root: string, entries: readonly string[], out: string): Promise<void> {
  const entryPoints = Object.entries(PROGRAMS)
    .filter(([, entry]) => entries.includes(entry))
    .map(([name, entry]) => ({ in: join(root, entry), out: name }))
  if (entryPoints.length > 0) await build({ ...COMMON, absWorkingDir: root, outdir: out, entryPoints })
}

/** The sources of the worker threads of all packages. */
function listWorkers(root: string): readonly string[] {
  return listFiles(root, ['packages/*/src/**/*.worker.ts'])
}

/** Bundles each worker `NAME.worker.ts` into `out`/workers/NAME.js. */
export async function bundleWorkers(root: string, out: string): Promise<void> {
  const workers = listWorkers(root)
  if (workers.length === 0) return
  const entryPoints = workers.map((path) => ({ in: join(root, path), out: basename(path, '.worker.ts') }))
  await build({ ...COMMON, absWorkingDir: root, outdir: join(out, 'workers'), entryPoints })
}
