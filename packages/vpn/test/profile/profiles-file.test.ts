import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { parseProfile } from '../../src/profile/parse-profile.ts'
import { PROFILES_FILE, ProfilesFile } from '../../src/profile/profiles-file.ts'
import { anyProfile } from './make-profile.ts'

function open(t: TestContext): { home: string; path: string; file: ProfilesFile } {
  const home = mkdtempSync(join(tmpdir(), 'weft-profiles-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  const path = join(home, PROFILES_FILE)
  return { home, path, file: new ProfilesFile(path) }
}

const names = (file: ProfilesFile): string[] => file.list().map(({ name }) => name)
const make = (name: string): ReturnType<typeof parseProfile> => parseProfile({ name, hops: 4 })

test('without a file there are those that are built in, and default is in use', (t) => {
  const { file, home } = open(t)
  assert.deepEqual(names(file), ['default', 'private', 'fast'])
  assert.equal(file.inUse.name, 'default')
  assert.deepEqual(readdirSync(home), [])
})

test('what is put stands in the file, for its owner alone, and another reader has it', (t) => {
  const { file, path, home } = open(t)
  file.put(make('work'), 'create')
  file.put(make('home'), 'create')
  file.use('work')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(home), [PROFILES_FILE])
  const other = new ProfilesFile(path)
  assert.deepEqual(names(other), ['default', 'private', 'fast', 'home', 'work'])
  assert.deepEqual(other.inUse, make('work'))
  other.put(parseProfile({ name: 'work', tier: 'high' }), 'replace')
  assert.deepEqual(file.inUse.fields, { tier: 'high' })
})

test('any sequence of changes leaves what a plain map would have', (t) => {
  const { file } = open(t)
  const step = fc.oneof(
    fc.record({ do: fc.constant('put' as const), profile: anyProfile }),
    fc.record({ do: fc.constantFrom('delete' as const, 'use' as const), at: fc.nat(5) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      for (const { name } of file.list().slice(3)) {
        file.use('default')
        file.delete(name)
      }
      file.use('default')
      const model = new Map<string, unknown>()
      let used = 'default'
      for (const each of steps) {
        if (each.do === 'put') {
          file.put(each.profile, 'replace')
          model.set(each.profile.name, each.profile.fields)
          continue
        }
        const name = [...model.keys()][each.at]
        if (name === undefined) continue
        if (each.do === 'use') file.use((used = name))
        else if (name !== used) {
          file.delete(name)
          model.delete(name)
        } else assert.throws(() => file.delete(name), { code: 'E_PROFILE_IN_USE' })
      }
      const read = file.list().slice(3)
      assert.deepEqual(new Map(read.map(({ name, fields }) => [name, fields])), model)
      assert.deepEqual(
        read.map(({ name }) => name),
        [...model.keys()].sort(),
      )
      assert.equal(file.inUse.name, used)
    }),
    { numRuns: 40 },
  )
})

test('those that are built in are neither changed nor deleted', (t) => {
  const { file } = open(t)
  for (const name of ['default', 'private', 'fast']) {
    assert.throws(() => file.put(make(name), 'replace'), { code: 'E_PROFILE_BUILT_IN' })
    assert.throws(() => file.delete(name), { code: 'E_PROFILE_BUILT_IN' })
  }
})

test('the one in use is not deleted, and the fix is what to do first', (t) => {
  const { file } = open(t)
  file.put(make('work'), 'create')
  file.use('work')
  assert.throws(() => file.delete('work'), { code: 'E_PROFILE_IN_USE', fix: /weft vpn profile use default/ })
  file.use('default')
  file.delete('work')
  assert.throws(() => file.get('work'), { code: 'E_PROFILE_UNKNOWN' })
  assert.throws(() => file.use('work'), { code: 'E_PROFILE_UNKNOWN' })
})

test('a name is created once, and there are 64 at most', (t) => {
  const { file } = open(t)
  file.put(make('work'), 'create')
  assert.throws(() => file.put(make('work'), 'create'), { code: 'E_PROFILE_EXISTS' })
  for (let at = 1; at < 64; at++) file.put(make(`p${at}`), 'create')
  assert.throws(() => file.put(make('one-more'), 'create'), { code: 'E_PROFILE_LIMIT' })
  file.put(parseProfile({ name: 'work', hops: 5 }), 'replace')
  assert.equal(file.get('work').fields.hops, 5)
})

test('a file that is not as it should be is refused whole, and stays', (t) => {
  const { file, path } = open(t)
  const profiles = [{ name: 'work' }]
  const cases: readonly (readonly [string, RegExp])[] = [
    ['', /cannot be used/],
    ['[]', /must be a JSON object/],
    [JSON.stringify({ schemaVersion: 2, use: 'default', profiles }), /schema version 1/],
    [JSON.stringify({ schemaVersion: 1, use: 'default', profiles, more: 1 }), /'more'/],
    [JSON.stringify({ schemaVersion: 1, use: 'gone', profiles }), /'gone', is not there/],
    [JSON.stringify({ schemaVersion: 1, use: 'default', profiles: [...profiles, ...profiles] }), /'work' twice/],
    [JSON.stringify({ schemaVersion: 1, use: 'default', profiles: [{ name: 'fast' }] }), /'fast' twice/],
    [JSON.stringify({ schemaVersion: 1, use: 'default', profiles: [{ name: 'work', hops: 7 }] }), /hops is 7/],
    [
      JSON.stringify({
        schemaVersion: 1,
        use: 'default',
        profiles: Array.from({ length: 65 }, (_, n) => ({ name: `${n}` })),
      }),
      /at most 64/,
    ],
    [`{"schemaVersion":1,"use":"default","profiles":[]${' '.repeat(3e6)}}`, /bytes; the limit/],
  ]
  for (const [text, why] of cases) {
    writeFileSync(path, text, { mode: 0o600 })
    assert.throws(() => file.list(), { code: 'E_PROFILES_FILE', message: why })
    assert.throws(() => file.put(make('x'), 'create'), { code: 'E_PROFILES_FILE' })
    assert.equal(readFileSync(path, 'utf8'), text)
  }
})

test('a file that somebody else wrote is what counts, also of the same length', (t) => {
  const { file, path } = open(t)
  file.put(parseProfile({ name: 'work', hops: 4 }), 'create')
  assert.equal(file.get('work').fields.hops, 4)
  writeFileSync(path, readFileSync(path, 'utf8').replace('"hops": 4', '"hops": 5'))
  assert.equal(file.get('work').fields.hops, 5)
  rmSync(path)
  assert.deepEqual(names(file), ['default', 'private', 'fast'])
})

test('a file that others may read is refused, with the way out', (t) => {
  const { file, path } = open(t)
  file.put(make('work'), 'create')
  chmodSync(path, 0o644)
  assert.throws(() => file.list(), { code: 'E_PROFILES_FILE', fix: /chmod 600/ })
})
