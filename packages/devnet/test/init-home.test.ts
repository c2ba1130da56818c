import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createNetwork } from '../src/create-network.ts'
import { initHome } from '../src/init-home.ts'
import { readHomeIds } from '../src/read-home-ids.ts'
import { readNetwork } from '../src/read-network.ts'

function directory(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'weft-init-'))
  context.after(() => rmSync(path, { recursive: true }))
  return path
}

async function networkIn(home: string, name: string) {
  const options = { addresses: ['/ip4/192.0.2.1/tcp/4780'], family: 'me', others: [], policy: ['open'], inviters: [] }
  const { path } = await createNetwork({ ...options, name, home, now: 1 })
  return readNetwork(path)
}

test('a home has a key before it has a network, and keeps it', async (context) => {
  const place = directory(context)
  const home = join(place, 'deep', 'home')
  assert.equal(readHomeIds(home), undefined)
  const node = await initHome({ home, settings: '# mine\n', network: undefined })
  assert.deepEqual(readdirSync(home).toSorted(), ['node.key', 'weft.toml'])
  for (const name of ['node.key', 'weft.toml']) assert.equal(statSync(join(home, name)).mode & 0o777, 0o600)
  assert.deepEqual(readHomeIds(home), { node, person: undefined })
  const network = await networkIn(join(place, 'maker'), 'mine')
  assert.equal(await initHome({ home, settings: undefined, network }), node)
  assert.equal(readFileSync(join(home, 'weft.toml'), 'utf8'), '# mine\n')
  assert.deepEqual(await readNetwork(join(home, 'network.json')), network)
  assert.equal(await initHome({ home, settings: undefined, network }), node)
  const other = await networkIn(join(place, 'other'), 'other')
  await assert.rejects(initHome({ home, settings: undefined, network: other }), { code: 'E_NETWORK_EXISTS' })
  assert.equal((await readNetwork(join(home, 'network.json'))).name, 'mine')
})

test('what cannot be set up leaves nothing', async (context) => {
  const place = directory(context)
  const home = join(place, 'home')
  mkdirSync(join(home, 'weft.toml', 'in-the-way'), { recursive: true })
  await assert.rejects(initHome({ home, settings: 'x', network: undefined }), { code: 'E_STATE_UNWRITABLE' })
  assert.deepEqual(readdirSync(home), ['weft.toml'])
  writeFileSync(join(place, 'file'), '')
  const below = join(place, 'file', 'home')
  await assert.rejects(initHome({ home: below, settings: 'x', network: undefined }), {
    code: 'E_STATE_UNWRITABLE',
    fix: /--home/,
  })
})

test('a file is the one of a network, or is refused by name', async (context) => {
  const place = directory(context)
  const { text } = await networkIn(place, 'mine')
  const cases: [content: string, code: string][] = [
    ['', 'E_NETWORK_FILE'],
    ['\0\u0001random', 'E_NETWORK_FILE'],
    ['{}', 'E_NETWORK_FILE'],
    [text.replace('{', '{"minimums":{"storage":{"storageBytes":0}},'), 'E_NETWORK_FILE'],
    [text.replace('"open"', '"stake"'), 'E_POLICY_UNAVAILABLE'],
  ]
  const path = join(place, 'given')
  for (const [content, code] of cases) {
    writeFileSync(path, content)
    await assert.rejects(readNetwork(path), { code })
  }
  await assert.rejects(readNetwork('/dev/zero'), { code: 'E_NETWORK_FILE', cause: /^\/dev\/zero: .*characters/ })
  await assert.rejects(readNetwork(place), { code: 'E_NETWORK_FILE_MISSING' })
})
