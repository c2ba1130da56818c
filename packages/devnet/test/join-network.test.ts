import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { formatBridgeLine } from '@weft/bridge'
import { Scope, silentLogger, systemClock, systemRandom } from '@weft/core'
import { SigningKey, loadOrCreateKey, toDidKey } from '@weft/crypto'
import {
  type InvitationLimits,
  createOverlay,
  decodeAdmissionProof,
  formatJoinToken,
  isUsedBy,
  issueInvitation,
  networkOf,
  openInvitation,
  parseNetworkFile,
} from '@weft/overlay'
import { joinNetwork } from '../src/join-network.ts'

const HOUR = 3_600_000
const signal = new AbortController().signal

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** A network of one validator on loopback that is there for as long as the test, and a place for homes. */
async function setUp(context: TestContext) {
  const place = mkdtempSync(join(tmpdir(), 'weft-join-'))
  const scope = new Scope({ name: 'join test' })
  context.after(async () => {
    await scope.close()
    rmSync(place, { recursive: true })
  })
  const seed = systemRandom.bytes(32)
  const key = new SigningKey(seed)
  const port = await freePort()
  const address = `/ip4/127.0.0.1/tcp/${port}`
  const validators = [{ id: key.id, addresses: [address], roles: ['validator', 'storage'], family: 'v' }]
  const file = parseNetworkFile(
    JSON.stringify({ schemaVersion: 1, name: 'club', policy: 'invite', createdAt: Date.now(), validators }),
  )
  await createOverlay({
    network: file,
    key,
    roles: ['validator', 'storage'],
    listen: [{ host: '127.0.0.1', port }],
    family: 'v',
    directory: join(place, 'validator'),
    clock: systemClock,
    logger: silentLogger,
    scope,
  })
  const network = networkOf(file)
  const token = (changes: Partial<InvitationLimits> = {}, addresses = [address]): string =>
    formatJoinToken({
      network: network.id,
      bootstrap: [{ id: key.id, addresses }],
      invitation: issueInvitation(network, [key], {
        roles: ['storage'],
        uses: 1,
        expiresAt: Date.now() + HOUR,
        node: undefined,
        ...changes,
      }),
    })
  return { place, file, network, token, seed }
}

test('a home gets the network file and a proof for its own key; a second token there replaces the proof alone', async (context) => {
  const { place, file, network, token } = await setUp(context)
  const home = join(place, 'deep', 'home')
  const first = await joinNetwork({ token: token(), home, signal })
  assert.deepEqual([first.id, first.name, first.invitation?.uses], [network.id, 'club', 1])
  assert.deepEqual(readdirSync(home).toSorted(), ['admission.proof', 'network.json', 'node.key'])
  assert.deepEqual(parseNetworkFile(readFileSync(first.path, 'utf8')), file)
  const proofOf = () => {
    const proof = decodeAdmissionProof(new Uint8Array(readFileSync(join(home, 'admission.proof'))))
    assert.ok(proof.way === 'invite')
    return proof
  }
  const { publicKey } = loadOrCreateKey(join(home, 'node.key'))
  assert.equal(toDidKey(publicKey), first.node)
  const proof = proofOf()
  assert.ok(isUsedBy(proof, openInvitation(network, proof.envelope), publicKey))
  const text = readFileSync(first.path, 'utf8')
  const again = await joinNetwork({ token: token({ uses: 7 }), home, signal })
  assert.deepEqual([again.node, again.invitation?.uses, again.isValidator], [first.node, 7, false])
  assert.equal(openInvitation(network, proofOf().envelope).uses, 7)
  assert.equal(readFileSync(first.path, 'utf8'), text)
})

test('a home with the key of a validator of the file is known for one', async (context) => {
  const { place, token, seed } = await setUp(context)
  const home = join(place, 'own')
  loadOrCreateKey(join(home, 'node.key'), seed)
  assert.equal((await joinNetwork({ token: token(), home, signal })).isValidator, true)
})

test('what cannot be joined leaves nothing, and changes nothing in a home that was there', async (context) => {
  const { place, token } = await setUp(context)
  const own = SigningKey.generate()
  const cases: [string, string][] = [
    ['E_JOIN_TOKEN', 'weft-join-nonsense'],
    ['E_JOIN_TOKEN', token().slice(0, -9)],
    ['E_INVITE_EXPIRED', token({ expiresAt: Date.now() - 1 })],
    ['E_INVITE_BOUND', token({ node: own.publicKey })],
    ['E_JOIN_UNREACHABLE', token({}, ['/ip4/127.0.0.1/tcp/1'])],
  ]
  const old = join(place, 'old')
  await joinNetwork({ token: token(), home: old, signal })
  const before = readFileSync(join(old, 'admission.proof'))
  for (const [code, text] of cases) {
    await assert.rejects(joinNetwork({ token: text, home: join(place, 'new', 'home'), signal }), { code })
    // The key that the refusal names stays: an invitation can be asked for it.
    if (code === 'E_INVITE_BOUND') {
      assert.deepEqual(readdirSync(join(place, 'new', 'home')), ['node.key'])
      const { id } = loadOrCreateKey(join(place, 'new', 'home', 'node.key'))
      await assert.rejects(joinNetwork({ token: text, home: join(place, 'new', 'home'), signal }), {
        code,
        fix: new RegExp(`weft network invite --for ${id}`),
      })
      rmSync(join(place, 'new'), { recursive: true })
    }
    assert.ok(!existsSync(join(place, 'new')), code)
    await assert.rejects(joinNetwork({ token: text, home: old, signal }), { code })
    assert.deepEqual(readFileSync(join(old, 'admission.proof')), before)
  }
  writeFileSync(join(old, 'network.json'), '{}')
  await assert.rejects(joinNetwork({ token: token(), home: old, signal }), { code: 'E_NETWORK_EXISTS' })
  await assert.rejects(joinNetwork({ token: token(), home: join(place, 'new'), signal: AbortSignal.abort() }), {
    code: 'E_ABORTED',
  })
  assert.ok(!existsSync(join(place, 'new')))
})

test('who joins by a bridge that does not work is told why it does not', async (context) => {
  const { place, token } = await setUp(context)
  const home = join(place, 'bridged')
  const line = formatBridgeLine({
    endpoint: { host: '127.0.0.1', port: await freePort() },
    pin: new Uint8Array(32),
    id: new Uint8Array(8),
    secret: new Uint8Array(32),
    serverName: '',
  })
  await assert.rejects(joinNetwork({ token: token(), home, bridges: [line], signal }), {
    code: 'E_BRIDGE_NONE',
    cause: /no bridge works: The bridge 127\.0\.0\.1:\d+ cannot be reached/,
    fix: /ask for another one/,
  })
  // What was given stays, for the next try.
  assert.deepEqual(readdirSync(home), ['bridges'])
})
