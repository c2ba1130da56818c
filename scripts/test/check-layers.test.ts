import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findLayerViolations } from '../lib/find-layer-violations.ts'
import { PlantedTree } from './planted-tree.ts'

const manifest = (name: string): string =>
  JSON.stringify({ name: `@weft/${name}`, type: 'module', exports: { '.': './src/index.ts' } })

/** core, crypto above it, and storage and overlay above both: all as the table allows. */
const SOUND = {
  'packages/core/package.json': manifest('core'),
  'packages/core/src/index.ts': 'export const one = 1\n',
  'packages/crypto/package.json': manifest('crypto'),
  'packages/crypto/src/index.ts': "import { one } from '@weft/core'\nexport type Two = typeof one\n",
  'packages/wire/package.json': manifest('wire'),
  'packages/wire/src/index.ts': 'export const three = 3\n',
  'packages/devnet/package.json': manifest('devnet'),
  'packages/devnet/src/index.ts': 'export const four = 4\n',
}

async function violationsWith(files: Record<string, string>): Promise<readonly string[]> {
  using tree = new PlantedTree({ ...SOUND, ...files })
  return (await findLayerViolations(tree.root)).violations
}

test('a sound tree passes, and its modules are counted', async () => {
  using tree = new PlantedTree(SOUND)
  assert.deepEqual(await findLayerViolations(tree.root), { modules: 4, violations: [] })
})

const planted: { what: string; file: string; text: string; names: RegExp }[] = [
  {
    what: 'an upward import',
    file: 'packages/core/src/up.ts',
    text: "import { Two } from '@weft/crypto'\nexport const up: Two = 1\n",
    names: /packages\/core\/src\/up\.ts imports @weft\/crypto: core may import only nothing/,
  },
  {
    what: 'a sideways import',
    file: 'packages/crypto/src/side.ts',
    text: "import { three } from '@weft/wire'\nexport const side = three\n",
    names: /packages\/crypto\/src\/side\.ts imports @weft\/wire: crypto may import only core/,
  },
  {
    what: 'an upward import of types alone',
    file: 'packages/core/src/types.ts',
    text: "import type { Two } from '@weft/crypto'\nexport type Up = Two\n",
    names: /types\.ts imports @weft\/crypto/,
  },
  {
    what: 'an upward import inside a type',
    file: 'packages/core/src/inline.ts',
    text: "export type Up = import('@weft/crypto').Two\n",
    names: /inline\.ts imports @weft\/crypto/,
  },
  {
    what: 'an upward import at run time',
    file: 'packages/core/src/lazy.ts',
    text: "export const up = () => import('@weft/crypto')\n",
    names: /lazy\.ts imports @weft\/crypto/,
  },
  {
    what: 'a re-export from above',
    file: 'packages/core/src/again.ts',
    text: "export * from '@weft/crypto'\n",
    names: /again\.ts imports @weft\/crypto/,
  },
  {
    what: "another package's internals by name",
    file: 'packages/crypto/src/deep.ts',
    text: "export * from '@weft/core/src/index.ts'\n",
    names: /deep\.ts imports @weft\/core\/src\/index\.ts: that is not a public entry/,
  },
  {
    what: "another package's internals by path",
    file: 'packages/crypto/src/path.ts',
    text: "export * from '../../core/src/index.ts'\n",
    names: /path\.ts imports \.\.\/\.\.\/core\/src\/index\.ts: use the public entry @weft\/core/,
  },
  {
    what: 'a package without a place in the table',
    file: 'packages/stranger/src/index.ts',
    text: "import { one } from '@weft/core'\nexport const stranger = one\n",
    names: /package stranger has no place/,
  },
  {
    what: 'devnet in the sources of a package',
    file: 'packages/crypto/src/net.ts',
    text: "export * from '@weft/devnet'\n",
    names: /net\.ts imports @weft\/devnet/,
  },
]

for (const { what, file, text, names } of planted) {
  test(`${what} fails, naming the import`, async () => {
    const violations = await violationsWith({ [file]: text })
    assert.equal(violations.length, 1, violations.join('\n'))
    assert.match(violations[0] ?? '', names)
  })
}

test('the dashboard may take types of node, and nothing else of it', async () => {
  const node = {
    'packages/node/package.json': manifest('node'),
    'packages/node/src/index.ts': 'export const five = 5\n',
  }
  const page = 'packages/dashboard/src/page.tsx'
  const types = "import type { five } from '@weft/node'\nexport const six = <p>{6 satisfies typeof five | 6}</p>\n"
  assert.deepEqual(await violationsWith({ ...node, [page]: types }), [])
  for (const [file, text] of [
    [page, "import { five } from '@weft/node'\nexport const six = <p>{five}</p>\n"],
    [page, `${types}export const load = () => import('@weft/node')\n`],
    [page, `${types}export * from '@weft/node'\n`],
    ['packages/core/src/page.ts', "import type { five } from '@weft/node'\nexport type Five = typeof five\n"],
  ] as const) {
    assert.match((await violationsWith({ ...node, [file]: text })).join(), /may import only/)
  }
})

test('a cycle fails, naming its members', async () => {
  const violations = await violationsWith({
    'packages/core/src/a.ts': "import type { B } from './b.ts'\nexport type A = B | 1\n",
    'packages/core/src/b.ts': "import type { A } from './a.ts'\nexport type B = A | 2\n",
  })
  assert.ok(violations.some((line) => line.includes('packages/core/src/a.ts') && line.includes('cycle')))
})

test('tests may use devnet, which their package may not', async () => {
  assert.deepEqual(await violationsWith({ 'packages/crypto/test/net.test.ts': "import '@weft/devnet'\n" }), [])
})

test('a bench may reach into a package, a script may not', async () => {
  const deep = "import '../../packages/core/src/index.ts'\n"
  assert.deepEqual(await violationsWith({ 'bench/core/bench.ts': deep }), [])
  assert.match((await violationsWith({ 'scripts/lib/deep.ts': deep })).join(), /scripts\/lib\/deep\.ts imports/)
})

test('a tree of zero modules fails', async () => {
  using tree = new PlantedTree({ 'packages/core/package.json': manifest('core') })
  const { modules, violations } = await findLayerViolations(tree.root)
  assert.equal(modules, 0)
  assert.deepEqual(violations, ['no module was found: there is nothing to check'])
})
