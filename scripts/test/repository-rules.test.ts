import assert from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readErrorCodes, renderErrorCatalogue } from '../lib/error-catalogue.ts'
import { REPOSITORY_RULES } from '../lib/repository-rules.ts'
import type { RepositoryRule } from '../lib/repository-rule.ts'
import { commandsExist } from '../rules/commands-exist.ts'
import { debtsAreKnown } from '../rules/debts-are-known.ts'
import { dependenciesAreExplained } from '../rules/dependencies-are-explained.ts'
import { documentsExist } from '../rules/documents-exist.ts'
import { errorCodesHaveOneMeaning } from '../rules/error-codes-have-one-meaning.ts'
import { filesStayShort } from '../rules/files-stay-short.ts'
import { lockFileNamesNoHost } from '../rules/lock-file-names-no-host.ts'
import { lockFileServesAllPlatforms } from '../rules/lock-file-serves-all-platforms.ts'
import { namedTestsExist } from '../rules/named-tests-exist.ts'
import { onlyIndexesAreBarrels } from '../rules/only-indexes-are-barrels.ts'
import { pathsArePortable } from '../rules/paths-are-portable.ts'
import { programsAreExecutable } from '../rules/programs-are-executable.ts'
import { testsWaitForEvents } from '../rules/tests-wait-for-events.ts'
import { versionsAreExact } from '../rules/versions-are-exact.ts'
import { PlantedTree } from './planted-tree.ts'

type Files = Readonly<Record<string, string>>

interface Plant {
  readonly rule: RepositoryRule
  readonly what: string
  /** Keeps the rule. */
  readonly sound: Files
  /** Added to it, breaks the rule. */
  readonly planted: Files
  /** In the only breach. */
  readonly says: RegExp
}

const manifest = (dependencies: Files): string => JSON.stringify({ name: '@weft/core', dependencies })
const lockFile = (...places: string[]): string =>
  JSON.stringify({
    packages: {
      'node_modules/a': { optionalDependencies: { 'b-linux': '1.0.0', 'b-darwin': '1.0.0' } },
      ...Object.fromEntries(places.map((place) => [place, {}])),
    },
  })
const lines = (count: number): string => 'const line = 1\n'.repeat(count)

// Marks, pauses and paths are put together here, so that the rules, which read this file too, find none in it.
const mark = (entry: string): string => `// ${'TO'}${'DO'}${entry} later\n`
const timer = `${'set'}Timeout`
const pause = `await new Promise((again) => ${timer}(again, 50))\n`
const privatePath = `/${'home'}/somebody/weft`

const PLANTS: readonly Plant[] = [
  {
    rule: lockFileNamesNoHost,
    what: 'a resolved address',
    sound: { 'package-lock.json': '{\n"resolved": "packages/core"\n}' },
    planted: { 'package-lock.json': '{\n"resolved": "https://example.org/a.tgz"\n}' },
    says: /package-lock\.json:2 /,
  },
  {
    rule: lockFileNamesNoHost,
    what: 'a git address',
    sound: { 'package-lock.json': '{}' },
    planted: { 'package-lock.json': '{"resolved": "git+ssh://git@example.org/a.git"}' },
    says: /names a host/,
  },
  {
    rule: lockFileServesAllPlatforms,
    what: 'a platform without its package',
    sound: { 'package-lock.json': lockFile('node_modules/b-linux', 'node_modules/a/node_modules/b-darwin') },
    planted: { 'package-lock.json': lockFile('node_modules/b-linux', 'node_modules/c/node_modules/b-darwin') },
    says: /node_modules\/a lacks b-darwin/,
  },
  {
    rule: versionsAreExact,
    what: 'a range',
    sound: { 'packages/core/package.json': manifest({ a: '1.2.3', b: 'npm:@scope/c@1.0.0-rc.1' }) },
    planted: { 'packages/core/package.json': manifest({ a: '^1.2.3' }) },
    says: /core\/package\.json: a is "\^1\.2\.3"/,
  },
  {
    rule: dependenciesAreExplained,
    what: 'an unexplained dependency',
    sound: { 'docs/dependencies.md': '| `a` | why |\n', 'packages/core/package.json': manifest({ a: '1.0.0' }) },
    planted: { 'packages/core/package.json': manifest({ a: '1.0.0', b: '1.0.0' }) },
    says: /b has no row/,
  },
  {
    rule: dependenciesAreExplained,
    what: 'a stale explanation',
    sound: { 'docs/dependencies.md': '| `a` | why |\n', 'packages/core/package.json': manifest({ a: '1.0.0' }) },
    planted: { 'docs/dependencies.md': '| `a` | why |\n| `gone` | why |\n' },
    says: /nothing depends on gone/,
  },
  {
    rule: debtsAreKnown,
    what: 'a mark without an entry',
    sound: { 'packages/core/src/a.ts': mark('(slow-start)'), 'docs/known-issues.md': '## slow-start\n' },
    planted: { 'packages/core/src/b.ts': mark(':') },
    says: /b\.ts: write /,
  },
  {
    rule: debtsAreKnown,
    what: 'a mark whose entry is gone',
    sound: { 'packages/core/src/a.ts': mark('(slow-start)'), 'docs/known-issues.md': '## slow-start\n' },
    planted: { 'docs/known-issues.md': '# Known issues\n' },
    says: /\(slow-start\) has no entry/,
  },
  {
    rule: namedTestsExist,
    what: 'a test that is not there',
    sound: {
      'docs/security.md': 'By `test/a.test.ts`, `b.test.ts`, and those of `packages/core/test/c`.\n',
      'test/a.test.ts': '',
      'packages/core/test/c/b.test.ts': '',
    },
    planted: { 'docs/specs/map.md': 'By `b.test.ts` and `test/b.test.ts`.\n' },
    says: /docs\/specs\/map\.md names test\/b\.test\.ts, /,
  },
  {
    rule: documentsExist,
    what: 'a page that is not there',
    sound: {
      'docs/a.md': 'See [b](specs/b.md) and docs/specs/b.md.\n',
      'docs/specs/b.md': '# B\n\n## Get\nSee b.md.\n',
      'packages/core/src/a.ts': '/** As docs/specs/b.md says (docs/specs/b.md, Get). */\n',
    },
    planted: { 'packages/core/src/b.ts': '/** As b.md says. */\n' },
    says: /b\.ts: there is no b\.md/,
  },
  {
    rule: documentsExist,
    what: 'a page that a page names and that is not there',
    sound: {},
    planted: { 'docs/a.md': 'See [c](specs/c.md).\n' },
    says: /docs\/a\.md: there is no specs\/c\.md/,
  },
  {
    rule: documentsExist,
    what: 'a section that is not there',
    sound: { 'docs/specs/b.md': '## Get\n', 'packages/core/src/a.ts': '// (docs/specs/b.md, Get)\n' },
    planted: { 'packages/core/src/b.ts': '// (docs/specs/b.md, Put)\n' },
    says: /b\.ts: docs\/specs\/b\.md has no section 'Put'/,
  },
  {
    rule: filesStayShort,
    what: 'a long median',
    sound: { 'packages/core/src/a.ts': lines(99) },
    planted: { 'packages/core/src/a.ts': lines(100) },
    says: /median file has 100 lines/,
  },
  {
    rule: filesStayShort,
    what: 'too many long files',
    sound: { 'packages/core/src/a.ts': lines(5), 'packages/core/src/b.ts': lines(5) },
    planted: { 'packages/core/src/c.ts': lines(350) },
    says: /c\.ts has 350 lines/,
  },
  {
    rule: programsAreExecutable,
    what: 'a program without its interpreter',
    sound: { 'bin/a': '#!/bin/sh\n' },
    planted: { 'bin/b': 'echo\n' },
    says: /bin\/b: begin with #!/,
  },
  {
    rule: testsWaitForEvents,
    what: 'a pause',
    sound: {
      'packages/core/test/a.test.ts': `await event\n${timer}(() => reject(late), 10)\n`,
      'packages/core/test/until.ts': `if (now() > deadline) throw late\n${pause}`,
    },
    planted: { 'packages/core/test/b.test.ts': `\n${pause}` },
    says: /b\.test\.ts:2 sleeps/,
  },
  {
    rule: testsWaitForEvents,
    what: 'a pause whose promise is made elsewhere',
    sound: {},
    planted: { 'test/b.test.ts': `const { promise, resolve: go } = Promise.withResolvers()\n${timer}(go, 50)\n` },
    says: /b\.test\.ts:2 sleeps/,
  },
  {
    rule: testsWaitForEvents,
    what: 'a helper without a deadline',
    sound: {},
    planted: { 'packages/core/test/until.ts': `while (!done()) ${pause}` },
    says: /until\.ts waits without a deadline/,
  },
  {
    rule: onlyIndexesAreBarrels,
    what: 'a barrel inside',
    sound: {
      'packages/core/src/index.ts': "// The public entry.\nexport * from './a.ts'\nexport type { B } from './b.ts'\n",
    },
    planted: { 'packages/core/src/parts.ts': "export { a } from './a.ts'\n" },
    says: /parts\.ts: only re-exports/,
  },
  {
    rule: onlyIndexesAreBarrels,
    what: 'a re-export of everything inside',
    sound: {},
    planted: { 'packages/core/src/more.ts': "export * from './a.ts'\nexport const b = 1\n" },
    says: /more\.ts: re-exports by \*/,
  },
  {
    rule: onlyIndexesAreBarrels,
    what: 'code in the index',
    sound: {},
    planted: { 'packages/core/src/index.ts': "export * from './a.ts'\nexport const b = 1\n" },
    says: /index\.ts: move what it defines/,
  },
  {
    rule: pathsArePortable,
    what: "a path of somebody's machine",
    sound: { 'docs/a.md': 'See ~/work/ and https://example.org/home/page and ./root/x\n' },
    planted: { 'docs/b.md': `\nRun ${privatePath}\n` },
    says: /b\.md:2 names \/home\/somebody/,
  },
  {
    rule: commandsExist,
    what: 'a command that is none',
    sound: {
      'docs/a.md': 'Start it: `weft start --detach`, then weft devnet status --dir D; a weft devnet. `--home` helps.\n',
    },
    planted: { 'packages/core/src/a.ts': "const fix = 'Report it: weft bugreport.'\n" },
    says: /a\.ts:1 names weft bugreport, which is no command/,
  },
  {
    rule: commandsExist,
    what: 'a second word that is none',
    sound: {},
    planted: { 'docs/a.md': '\nSee `weft devnet explode`.\n' },
    says: /a\.md:2 names weft devnet explode, which is no command/,
  },
  {
    rule: commandsExist,
    what: 'a flag of another command',
    sound: {},
    planted: { 'docs/a.md': 'Make one: `weft token create NAME --scope S`.\n' },
    says: /names weft token create --scope, which it does not take/,
  },
  {
    rule: commandsExist,
    what: 'a flag alone that nothing takes',
    sound: { 'packages/core/src/a.ts': "throw { fix: 'Name another with --home, or run weft stop.' }\n" },
    planted: { 'packages/core/src/a.ts': "throw { fix: 'Name another with --house, or run weft stop.' }\n" },
    says: /a\.ts:1 names --house, which nothing takes/,
  },
]

for (const { rule, what, sound, planted, says } of PLANTS) {
  test(`${rule.name}: ${what} breaks it`, () => {
    using tree = new PlantedTree(sound)
    for (const program of ['bin/a', 'bin/b']) {
      if (program in sound) chmodSync(join(tree.root, program), 0o755)
    }
    assert.deepEqual(rule.check(tree.root), [])
    for (const [path, text] of Object.entries(planted)) tree.write(path, text)
    if ('bin/b' in planted) chmodSync(join(tree.root, 'bin/b'), 0o755)
    const breaches = rule.check(tree.root)
    assert.equal(breaches.length, 1, breaches.join('\n'))
    assert.match(breaches[0] ?? '', says)
  })
}

test(`${programsAreExecutable.name}: a missing mode bit breaks it`, () => {
  using tree = new PlantedTree({ 'bin/a': '#!/bin/sh\n' })
  assert.deepEqual(programsAreExecutable.check(tree.root), ['bin/a: chmod +x bin/a'])
})

test(`${errorCodesHaveOneMeaning.name}: a second home and a stale page break it`, () => {
  using tree = new PlantedTree({
    'packages/core/src/a.ts': "throw { code: 'E_DID_INVALID' }\n",
    'packages/wire/src/a.ts': "throw { code: 'E_USAGE' }\n",
  })
  const writePage = (): void => tree.write('docs/errors.md', renderErrorCatalogue(readErrorCodes(tree.root)))
  writePage()
  assert.deepEqual(errorCodesHaveOneMeaning.check(tree.root), [])

  tree.write('packages/wire/src/b.ts', "throw { code: 'E_DID_INVALID' }\n")
  assert.match(
    errorCodesHaveOneMeaning.check(tree.root).join('\n'),
    /E_DID_INVALID is raised by core and wire[\s\S]*out of date/,
  )
  writePage()
  assert.equal(errorCodesHaveOneMeaning.check(tree.root).length, 1)
})

test(`${errorCodesHaveOneMeaning.name}: a code without a meaning breaks it, wherever it is named`, () => {
  for (const file of ['packages/core/src/b.ts', 'scripts/b.ts', 'bin/b']) {
    using tree = new PlantedTree({ 'packages/core/src/a.ts': "throw { code: 'E_ABORTED' }\n" })
    const writePage = (): void => tree.write('docs/errors.md', renderErrorCatalogue(readErrorCodes(tree.root)))
    writePage()
    assert.deepEqual(errorCodesHaveOneMeaning.check(tree.root), [])
    tree.write(file, "echo 'E_PLANTED'\n")
    writePage()
    assert.match(errorCodesHaveOneMeaning.check(tree.root).join('\n'), /^E_PLANTED \(.+\) has no meaning[^\n]*$/)
  }
})

test('every rule has a plant that breaks it', () => {
  const planted = new Set([...PLANTS.map(({ rule }) => rule), errorCodesHaveOneMeaning])
  assert.deepEqual(
    REPOSITORY_RULES.filter((rule) => !planted.has(rule)).map(({ name }) => name),
    [],
  )
})
