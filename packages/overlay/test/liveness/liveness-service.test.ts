import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, WeftError, seededRandom, silentLogger, withTimeout } from '@weft/core'
import { type DidKey, type SigningKey, fromDidKey } from '@weft/crypto'
import type { StandingChange } from '../../src/liveness/liveness-action.ts'
import { LivenessService } from '../../src/liveness/liveness-service.ts'
import { decodeSuspicion } from '../../src/liveness/suspicion.ts'
import type { WatchMode } from '../../src/liveness/watch-mode.ts'
import type { Member, Membership } from '../../src/member.ts'
import type { Rpc } from '../../src/rpc.ts'
import { BEGIN, advance, codeOf, testKeys } from '../fixtures.ts'
import { MemoryNetwork } from '../memory-network.ts'
import { NETWORK } from './liveness-simulation.ts'

/** Nodes that watch each other over calls; a stopped one keeps its connections and says nothing. */
function setUp(count: number, mode: WatchMode = 'mesh', clock = new VirtualClock(BEGIN)) {
  const network = new MemoryNetwork(clock)
  const stopped = new Set<DidKey>()
  const stop = new AbortController()
  const keys = testKeys(count)
  const member = (key: SigningKey): Member => ({
    id: key.id,
    roles: ['storage'],
    addresses: [],
    family: key.id,
    region: 'eu',
    country: 'CH',
    asn: 1,
    diversityAddress: `198.51.${keys.indexOf(key)}.1`,
    simulated: true,
    certificateEpoch: 0,
    expiresAt: BEGIN,
    certificateHash: new Uint8Array(32),
  })
  const members = keys.map(member)
  const membership: Membership = {
    networkId: NETWORK,
    members: () => members,
    member: (id) => members.find((one) => one.id === id),
    isMember: (id) => members.some((one) => one.id === id),
    isValidator: () => false,
    status: () => assert.fail('not needed'),
    onChange: () => () => {},
  }
  const nodes = keys.map((key, index) => {
    const { rpc } = network.add(key.id)
    const changes: StandingChange[] = []
    const answers: DidKey[] = []
    const pings: DidKey[] = []
    const call: Rpc['call'] = (to, method, request, options = {}) =>
      withTimeout(clock, options.timeoutMs ?? 5_000, options.signal, silent, async (signal) => {
        if (stopped.has(to) || stopped.has(key.id)) return new Promise<never>(() => {})
        return rpc.call(to, method, request, { signal })
      })
    const ping = async (id: DidKey): Promise<number> => {
      pings.push(id)
      if (stopped.has(id)) throw silent()
      return 1
    }
    const service = new LivenessService({
      key,
      membership,
      transport: { call, handle: (method, handler) => rpc.handle(method, handler), ping },
      clock,
      random: seededRandom(index),
      logger: silentLogger,
      onAnswer: (id) => answers.push(id),
      onStanding: (change) => changes.push(change),
    })
    return { key, id: key.id, rpc, service, changes, answers, pings }
  })
  for (const { id, service } of nodes) {
    const others = new Set(nodes.map((node) => node.id).filter((other) => other !== id))
    service.watch(others, mode)
    for (const other of others) service.connected(other)
    service.start(stop.signal)
  }
  return { clock, nodes, stopped, network, end: () => stop.abort() }
}

function silent(): WeftError {
  return new WeftError({ code: 'E_CALL_TIMEOUT', cause: 'no answer', fix: 'none', retryable: true })
}

test('a stopped node is down for all others, as several see it, until it goes on', async () => {
  const { clock, nodes, stopped, end } = setUp(6)
  await advance(clock, 10_000)
  assert.ok(nodes.every(({ answers, changes }) => answers.length > 10 && changes.length === 0))
  const [gone, ...others] = nodes as [(typeof nodes)[0], ...typeof nodes]
  stopped.add(gone.id)
  await advance(clock, 10_000)
  for (const { service, changes } of others) {
    assert.deepEqual([...service.down], [gone.id])
    const [change] = changes
    assert.ok(change !== undefined && change.standing === 'down' && change.observers >= 3 && change.silentMs >= 4_000)
  }
  assert.equal(gone.service.down.size, 0, 'alone it holds nobody to be down')
  stopped.clear()
  await advance(clock, 12_000)
  for (const { service, changes } of others) {
    assert.equal(service.down.size, 0)
    assert.equal(changes.at(-1)?.standing, 'answers')
  }
  end()
})

test('a probe that is due at a fraction of a ms comes, though the clock cannot tell that time to its last digit', async () => {
  let timers = 0
  const settle = async (): Promise<void> => {
    if (++timers > 10_000) throw new RangeError('time stands still')
  }
  const { clock, nodes, end } = setUp(8, 'sparse', new VirtualClock(BEGIN, settle))
  await advance(clock, 30_000)
  assert.ok(nodes.flatMap(({ answers }) => answers).length > 150, 'each pair once in 4 s')
  end()
})

test('a lost connection, that nobody has any more, is confirmed without waiting for probes', async () => {
  const { clock, nodes, network, end } = setUp(5)
  await advance(clock, 5_000)
  const [gone, ...others] = nodes as [(typeof nodes)[0], ...typeof nodes]
  const node = network.nodes.get(gone.id)
  assert.ok(node !== undefined)
  node.online = false
  for (const { service } of others) service.lost(gone.id)
  await advance(clock, 5_500)
  for (const { service } of others) assert.deepEqual([...service.down], [gone.id])
  node.online = true
  for (const { service } of others) service.connected(gone.id)
  for (const { service } of others) assert.equal(service.down.size, 0)
  end()
})

test('a node that is no member asks by peer.ping, and judges alone', async () => {
  const { clock, nodes, stopped, network, end } = setUp(4, 'alone')
  const [client, gone] = nodes as [(typeof nodes)[0], (typeof nodes)[0]]
  await advance(clock, 6_000)
  assert.equal(network.calls.length, 0)
  assert.ok(client.pings.length >= 4)
  stopped.add(gone.id)
  await advance(clock, 10_000)
  assert.deepEqual(
    client.changes.map(({ id, standing, observers }) => [id, standing, observers]),
    [[gone.id, 'down', 1]],
  )
  end()
})

test('a refusal is an answer: whoever refuses is there', async () => {
  const { clock, nodes, network, end } = setUp(3)
  const [asker, other] = nodes as [(typeof nodes)[0], (typeof nodes)[0]]
  const fault = { code: 'E_ACCESS_MEMBERS_ONLY', cause: 'no', fix: 'no', details: { from: other.id } }
  network.nodes.get(other.id)?.rpc.handle('liveness.ping', async () => {
    throw new WeftError(fault)
  })
  await advance(clock, 30_000)
  assert.deepEqual(asker.changes, [])
  end()
})

test('a helper looks for a caller: a proof, its own suspicion, or neither; malformed and too many asks are refused', async () => {
  const { clock, nodes, stopped, end } = setUp(4)
  const [asker, helper, target] = nodes as [(typeof nodes)[0], (typeof nodes)[0], (typeof nodes)[0]]
  await advance(clock, 1_000)
  const nonce = new Uint8Array(16).fill(3)
  const ask = (key: Uint8Array, random = nonce) =>
    asker.rpc.call(helper.id, 'liveness.ask', { target: key, nonce: random, incarnation: BigInt(BEGIN) })
  const seen = await ask(target.key.publicKey)
  assert.equal(seen.seen.case, 'alive')
  assert.deepEqual(seen.seen.value?.signer, target.key.publicKey)
  stopped.add(target.id)
  const asked = ask(target.key.publicKey)
  await advance(clock, 1_100)
  const { seen: now } = await asked
  assert.equal(now.case, 'silent')
  assert.deepEqual(now.value?.signer, helper.key.publicKey)
  assert.deepEqual(decodeSuspicion(now.value.payload).accused, fromDidKey(target.id))
  assert.deepEqual((await ask(target.key.publicKey)).seen.value?.signature, now.value.signature, 'no second look')
  stopped.delete(target.id)
  assert.deepEqual(await target.rpc.call(helper.id, 'liveness.ping', {}).then(() => 'heard'), 'heard')
  assert.equal((await ask(target.key.publicKey)).seen.case, 'alive')
  assert.equal((await ask(new Uint8Array(32).fill(1))).seen.case, undefined, 'no member')
  assert.equal((await ask(helper.key.publicKey)).seen.case, undefined, 'itself')
  assert.equal(await codeOfAsync(ask(new Uint8Array(31))), 'E_LIVENESS_MALFORMED')
  assert.equal(await codeOfAsync(ask(target.key.publicKey, new Uint8Array(15))), 'E_LIVENESS_MALFORMED')
  const many = await Promise.all(Array.from({ length: 200 }, () => codeOfAsync(ask(helper.key.publicKey))))
  assert.ok(many.includes('E_RATE_LIMITED'))
  end()
})

function codeOfAsync(call: Promise<unknown>): Promise<string> {
  return codeOf(() => call)
}
