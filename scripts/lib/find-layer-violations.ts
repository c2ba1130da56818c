import { type ICruiseResult, type IModule, cruise } from 'dependency-cruiser'
import { transformSync } from 'esbuild'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ENTRY_EXCEPTIONS, LAYERS, TESTS_MAY } from './layer-table.ts'
import { listFiles } from './list-files.ts'

export interface LayerReport {
  /** How many of our modules were read: never zero in a report without violations. */
  readonly modules: number
  /** One line for each, naming the importing file and the import. */
  readonly violations: readonly string[]
}

interface Import {
  /** The importing file, relative to the root. */
  readonly from: string
  /** As written in the source. */
  readonly specifier: string
  /** The file it leads to, relative to the root, or the specifier again when it leads nowhere. */
  readonly resolved: string
}

const PACKAGE_FILE = /^packages\/([^/]+)\/(.+)$/
/** `bench/overlay-transport` measures stages inside `packages/overlay` and reaches into it, as that package's tests do. */
const BENCH_FILE = /^bench\/([^/]+)\//
const PACKAGE_IMPORT = /^@weft\/([^/]+)(?:\/(.+))?$/

/**
 * Checks every import of the repository, type-only ones included, against the table of layers: nothing upwards or
 * sideways, nothing round a package's public entries, no cycles. Reading no module, or not all of them, is a
 * violation as well: a check that sees nothing must not pass.
 */
export async function findLayerViolations(root: string): Promise<LayerReport> {
  const expected = listFiles(root, ['packages/*/{src,test,scripts}/**/*.{ts,tsx}', '{scripts,bench,test}/**/*.ts'])
  if (expected.length === 0) return { modules: 0, violations: ['no module was found: there is nothing to check'] }

  const { modules, cycles } = await readModules(root, expected)
  const seen = new Set(modules.map((module) => module.source))
  const violations = [
    ...expected.filter((file) => !seen.has(file)).map((file) => `${file} was not read`),
    ...modules.flatMap((module) =>
      module.dependencies.flatMap(({ module: specifier, resolved }) =>
        judge(root, { from: module.source, specifier, resolved }),
      ),
    ),
    ...cycles,
  ]
  return { modules: seen.size, violations: [...new Set(violations)] }
}

async function readModules(root: string, files: readonly string[]): Promise<{ modules: IModule[]; cycles: string[] }> {
  const { output } = await cruise([...files], {
    baseDir: root,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|node_modules)/' },
    tsPreCompilationDeps: true,
    validate: true,
    ruleSet: { forbidden: [{ name: 'cycle', severity: 'error', from: {}, to: { circular: true } }] },
  })
  const { modules, summary } = output as ICruiseResult
  const cycles = summary.violations.map(
    ({ from, cycle = [] }) => `${from} is part of a cycle: ${[from, ...cycle.map(({ name }) => name)].join(' > ')}`,
  )
  const wanted = new Set(files)
  return { modules: modules.filter(({ source }) => wanted.has(source)), cycles }
}

function judge(root: string, { from, specifier, resolved }: Import): string[] {
  const target = targetOf({ from, specifier, resolved })
  if (target === undefined) return []
  const here = PACKAGE_FILE.exec(from)
  const source = here?.[1]
  const said = `${from} imports ${specifier}`
  if (target.relative && BENCH_FILE.exec(from)?.[1]?.split('-')[0] === target.name) return []
  // A bench measures parts on their own that no package exports; a test of processes sends them what no node would.
  if (target.relative && /^(bench|test)\//.test(from)) return []
  if (target.relative) return target.name === source ? [] : [`${said}: use the public entry @weft/${target.name}`]
  if (!isPublicEntry(root, target)) return [`${said}: that is not a public entry of @weft/${target.name}`]
  if (source === undefined) return []
  if (!(source in LAYERS)) return [`${said}: package ${source} has no place in the table of layers`]

  const isSource = here?.[2]?.startsWith('src/') === true
  if (target.name === source) return isSource ? [`${said}: a package does not import itself by name`] : []
  if (allowed(root, { from, specifier, resolved }, source, isSource).has(target.name)) return []
  return [`${said}: ${source} may import only ${(LAYERS[source] ?? []).join(', ') || 'nothing'}`]
}

function targetOf({
  from,
  specifier,
  resolved,
}: Import): { name: string; entry: string; relative: boolean } | undefined {
  const byName = PACKAGE_IMPORT.exec(specifier)
  if (byName?.[1] !== undefined) {
    return { name: byName[1], entry: byName[2] === undefined ? '.' : `./${byName[2]}`, relative: false }
  }
  if (!specifier.startsWith('.')) return undefined
  // A path that leads nowhere is still judged by where it points.
  const path = resolved.startsWith('.') ? join(from, '..', specifier) : resolved
  const name = PACKAGE_FILE.exec(path)?.[1]
  return name === undefined ? undefined : { name, entry: '.', relative: true }
}

function allowed(root: string, { from, specifier }: Import, source: string, isSource: boolean): ReadonlySet<string> {
  const entries = ENTRY_EXCEPTIONS.filter(
    ({ path, typesOnly = false }) => path.test(from) && (!typesOnly || isErased(join(root, from), specifier)),
  ).flatMap(({ may }) => may)
  return new Set([...(LAYERS[source] ?? []), ...entries, ...(isSource ? [] : TESTS_MAY)])
}

/** Whether the file names the specifier no more once its types and comments are gone. */
function isErased(path: string, specifier: string): boolean {
  const { code } = transformSync(readFileSync(path, 'utf8'), {
    loader: path.endsWith('.tsx') ? 'tsx' : 'ts',
    minifyWhitespace: true,
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  })
  return !code.includes(specifier)
}

function isPublicEntry(root: string, { name, entry }: { name: string; entry: string }): boolean {
  const path = join(root, 'packages', name, 'package.json')
  if (!existsSync(path)) return false
  const { exports = {} } = JSON.parse(readFileSync(path, 'utf8')) as { exports?: Record<string, unknown> }
  return entry in exports
}
