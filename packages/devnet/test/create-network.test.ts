import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { SigningKey, loadOrCreateKey } from '@weft/crypto'
import { createNetwork } from '../src/create-network.ts'
import type { NewNetwork } from '../src/new-network.ts'

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

test('validators on one machine have a port each', async (context) => {
  const second = { id: SigningKey.generate().id, addresses: ['/ip4/192.0.2.1/tcp/4781'], family: 'me' }
  const { validators } = await createNetwork({ ...good, others: [second], home: join(directory(context), 'home') })
  assert.equal(validators, 2)
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
    [{ policy: ['friends'] }, 'E_USAGE'],
    [{ policy: ['open'], inviters: [inviter] }, 'E_USAGE'],
  ] as const) {
    await assert.rejects(createNetwork({ ...good, ...change, home: join(place, 'a', 'b', 'home') }), { code })
    assert.ok(!existsSync(join(place, 'a')))
  }
})

test('what cannot be a network leaves nothing, neither a home nor a key in one that was there', async (context) => {
  const place = directory(context)
  const own = SigningKey.generate().id
  const other = { id: own, addresses: ['/ip4/192.0.2.2/tcp/4780'], family: 'other' }
  const others = (changes: object): Partial<NewNetwork> => ({ others: [{ ...other, ...changes }] })
  const at = (...addresses: string[]): Partial<NewNetwork> => ({ addresses })
  const wrong: [part: Partial<NewNetwork>, cause: RegExp][] = [
    [{ name: 'Not a name' }, /^'Not a name' is no name/],
    [at('192.0.2.1:4780'), /^--address '192\.0\.2\.1:4780' is no address/],
    [at('/ip4/0.0.0.0/tcp/4780'), /^--address .* nobody reaches a node at 0\.0\.0\.0/],
    [at('/ip4/192.0.2.1/tcp/4780', '/ip4/224.0.0.1/tcp/4780'), /^--address .*224\.0\.0\.1/],
    [at('/ip4/192.0.2.1/tcp/22'), /^--address .* do not dial it/],
    [at(...Array.from({ length: 9 }, () => '/ip4/192.0.2.1/tcp/4780')), /^--address names 9 addresses/],
    [
      at('/ip4/192.0.2.1/tcp/4780', '/ip4/192.0.2.1/tcp/4780/ws'),
      /^--address .*\/ws': this host and port are named twice/,
    ],
    [others({ addresses: good.addresses }), /^--validator .* this host and port are named twice/],
    [
      others({ addresses: ['/ip4/192.0.2.2/tcp/4780', good.addresses[0]] }),
      /^--validator '\/ip4\/192\.0\.2\.1\/tcp\/4780': /,
    ],
    [{ family: '' }, /^--family /],
    [{ policy: ['open', 'invite'] }, /^--policy 'open,invite' is no policy/],
    [{ policy: [] }, /^--policy /],
    [{ policy: ['king'] }, /^--policy names 'king'/],
    [{ mapEpochMs: 199 }, /^--map-epoch is 199 ms/],
    [{ mapEpochMs: 3_600_001 }, /^--map-epoch /],
    [{ rotateMs: 959_999 }, /^--rotate is 959999 ms/],
    [{ rotateMs: 31 * 24 * 3_600_000 }, /^--rotate /],
    [{ inviters: [own], policy: ['open'] }, /^--inviter is given/],
    [{ inviters: ['bob'], policy: ['invite'] }, /^--inviter 'bob'/],
    [{ attesters: [own, own] }, /^--attester names .* twice/],
    [others({ id: 'did:key:z6Mk' }), /^--validator 'did:key:z6Mk' is not the whole id/],
    [others({ addresses: ['x'] }), /^--validator 'x' is no address/],
    [others({ addresses: ['/ip4/127.0.0.1/tcp/4780'] }), /^--validator .* do not dial it/],
    [others({ family: '-' }), /^--validator names the family/],
    [{ others: [other, other] }, /^--validator names .* twice/],
  ]
  for (const [part, cause] of wrong) {
    const home = join(place, 'home')
    await assert.rejects(createNetwork({ ...good, ...part, home }), { code: 'E_USAGE', cause })
    assert.ok(!existsSync(home))
  }
  const kept = join(place, 'kept')
  mkdirSync(kept)
  writeFileSync(join(kept, 'weft.toml'), '')
  await assert.rejects(createNetwork({ ...good, name: '', home: kept }), { code: 'E_USAGE' })
  assert.deepEqual(readdirSync(kept), ['weft.toml'])
  const { id } = loadOrCreateKey(join(kept, 'node.key'))
  await assert.rejects(createNetwork({ ...good, others: [{ ...other, id }], home: kept }), {
    code: 'E_USAGE',
    cause: /^--validator names .*, which is this node/,
  })
  assert.deepEqual(readdirSync(kept).toSorted(), ['node.key', 'weft.toml'])
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
