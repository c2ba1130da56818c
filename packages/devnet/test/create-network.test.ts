import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { SigningKey } from '@weft/crypto'
import { type NewNetwork, createNetwork } from '../src/create-network.ts'

const good = {
  name: 'mine',
  addresses: ['/ip4/192.0.2.1/tcp/4780'],
  family: 'me',
  others: [],
  policy: ['open'],
  inviters: [],
  now: 1,
}

function directory(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'weft-create-'))
  context.after(() => rmSync(path, { recursive: true }))
  return path
}

test('a network begins with a key and a file, and is not begun twice', async (context) => {
  const home = join(directory(context), 'home')
  const created = await createNetwork({ ...good, home })
  assert.deepEqual(readdirSync(home).toSorted(), ['network.json', 'node.key'])
  assert.deepEqual([created.validators, created.quorum], [1, 1])
  const text = readFileSync(created.path, 'utf8')
  await assert.rejects(createNetwork({ ...good, home }), { code: 'E_NETWORK_EXISTS' })
  assert.equal(readFileSync(created.path, 'utf8'), text)
})

test('a network takes the policy, the inviters and the epoch that are asked for, and none that cannot be', async (context) => {
  const place = directory(context)
  const inviter = SigningKey.generate().id
  const asked = { ...good, policy: ['invite', 'stake'], inviters: [inviter], mapEpochMs: 5_000 }
  const created = await createNetwork({ ...asked, home: join(place, 'home') })
  assert.deepEqual(created.policy, ['invite', 'stake'])
  const file = JSON.parse(readFileSync(created.path, 'utf8')) as Record<string, unknown>
  assert.deepEqual([file['policy'], file['inviters'], file['mapEpochMs']], [['invite', 'stake'], [inviter], 5_000])
  for (const [change, code] of [
    [{ policy: ['stake'] }, 'E_POLICY_UNAVAILABLE'],
    [{ policy: ['friends'] }, 'E_NETWORK_FILE'],
    [{ policy: ['open'], inviters: [inviter] }, 'E_NETWORK_FILE'],
  ] as const) {
    await assert.rejects(createNetwork({ ...good, ...change, home: join(place, 'a', 'b', 'home') }), { code })
    assert.ok(!existsSync(join(place, 'a')))
  }
})

test('what cannot be a network leaves nothing, neither a home nor a key in one that was there', async (context) => {
  const place = directory(context)
  const own = SigningKey.generate().id
  const other = { id: own, addresses: good.addresses, family: 'other' }
  const wrong: Partial<NewNetwork>[] = [
    { name: 'Not a name' },
    { addresses: ['192.0.2.1:4780'] },
    { family: '' },
    { others: [other, other] },
  ]
  for (const part of wrong) {
    const home = join(place, 'home')
    await assert.rejects(createNetwork({ ...good, ...part, home }), { code: 'E_NETWORK_FILE' })
    assert.ok(!existsSync(home))
    mkdirSync(home)
    writeFileSync(join(home, 'weft.toml'), '')
    await assert.rejects(createNetwork({ ...good, ...part, home }), { code: 'E_NETWORK_FILE' })
    assert.deepEqual(readdirSync(home), ['weft.toml'])
    rmSync(home, { recursive: true })
  }
  const home = join(place, 'taken')
  mkdirSync(home)
  writeFileSync(join(home, 'network.json'), '{}')
  await assert.rejects(createNetwork({ ...good, home }), { code: 'E_NETWORK_EXISTS' })
  assert.deepEqual(readdirSync(home), ['network.json'])
})

test('what fails behind the making of the home takes back what it made', async (context) => {
  const place = directory(context)
  const home = join(place, 'home')
  mkdirSync(join(home, 'node.key'), { recursive: true })
  await assert.rejects(createNetwork({ ...good, home }), { code: 'E_KEY_FILE' })
  assert.deepEqual(readdirSync(home), ['node.key'])
  const file = join(place, 'file')
  writeFileSync(file, '')
  await assert.rejects(createNetwork({ ...good, home: join(file, 'home') }), { code: 'E_STATE_UNWRITABLE' })
  assert.equal(readFileSync(file, 'utf8'), '')
})
