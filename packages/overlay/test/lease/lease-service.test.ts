import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Scope, VirtualClock, compareBytes, seededRandom, silentLogger } from '@weft/core'
import { type DidKey, SigningKey } from '@weft/crypto'
import type { LeaseUse } from '../../src/lease/lease-body.ts'
import { LeaseService } from '../../src/lease/lease-service.ts'
import { leaseEnd } from '../../src/lease/lease.ts'
import { networkOf } from '../../src/network/network.ts'
import { Revocations } from '../../src/revocation/revocations.ts'
import { MemoryMembershipStore } from '../../src/state/memory-membership-store.ts'
import { BEGIN, EPOCH, advance, codeOf } from '../fixtures.ts'
import { MemoryNetwork } from '../memory-network.ts'
import { clients, fixture, leaseBody, validators, wireLease } from './lease-fixture.ts'

const HOUR = 3_600_000
const [lender, second, reader] = clients as [SigningKey, SigningKey, SigningKey]
const { signal } = new AbortController()

/** Four validators, two clients of which the first lends, and one that reads. */
function setUp(uses: readonly LeaseUse[] = ['forward']) {
  const clock = new VirtualClock(BEGIN + 10 * EPOCH)
  const wire = new MemoryNetwork(clock)
  const scope = new Scope({ name: 'test' })
  const members = new Set<DidKey>()
  const network = networkOf(fixture.network.file)
  const states: string[] = []
  const add = (key: SigningKey, lends: readonly LeaseUse[] = []) => {
    const node = wire.add(key.id)
    const service = new LeaseService({
      network,
      key,
      transport: {
        ...node.rpc,
        connected: () => wire.connected(key.id),
        ping: async (id) => {
          if (wire.nodes.get(id)?.online !== true) throw new Error('it is not there')
          return 1
        },
      },
      membership: { isMember: (id) => members.has(id) },
      revocations: new Revocations({ network, database: new MemoryMembershipStore(), clock, logger: silentLogger }),
      uses: lends,
      clock,
      random: seededRandom(5),
      logger: silentLogger,
      onState: () => states.push(service.own().state),
    })
    service.start(scope)
    return { node, service }
  }
  const seats = validators.map((key) => add(key))
  const holder = add(lender, uses)
  const list = async (from: LeaseService): Promise<DidKey[]> => (await from.list(signal)).map(({ body }) => body.id)
  return {
    clock,
    network,
    wire,
    seats,
    holder,
    other: add(second, ['forward', 'compute']),
    reading: add(reader).service,
    members,
    states,
    list,
    calls: (method: string) => wire.calls.filter((call) => call.method === method).length,
    [Symbol.asyncDispose]: () => scope.close(),
  }
}

test('a client that lends gets a lease from a quorum, others read and verify it, and it is renewed before it ends', async () => {
  await using set = setUp()
  assert.deepEqual(set.reading.own(), { state: 'none' })
  await advance(set.clock, 10)
  const held = set.holder.service.own()
  assert.deepEqual(held, {
    state: 'held',
    uses: ['forward'],
    issuedEpoch: 10,
    expiresAt: leaseEnd(set.network, 10),
    listedBy: 4,
  })
  assert.deepEqual(new Set(set.states), new Set(['held']))
  const leases = await set.reading.list(signal)
  assert.deepEqual(new Set(leases.map(({ body }) => body.id)), new Set([lender.id, second.id]))
  assert.ok(leases.every(({ votes }) => votes.length >= 3))
  for (let minutes = 0; minutes < 180; minutes++) {
    await advance(set.clock, 60_000)
    assert.equal(set.holder.service.own().state, 'held', `after ${minutes} min`)
  }
  assert.equal((await set.list(set.reading)).length, 2)
  // Each in the middle third of an hour: four to ten times by each of two clients in three hours.
  const asked = set.calls('lease.ask') / 8
  assert.ok(asked >= 4 && asked <= 10, `${asked}`)
})

test('one of four validators may be down; with two the client says why and goes on asking', async () => {
  await using set = setUp()
  const [one, two] = set.seats as [(typeof set.seats)[0], (typeof set.seats)[0]]
  one.node.online = false
  two.node.online = false
  await advance(set.clock, 10)
  const state = set.holder.service.own()
  assert.ok(state.state === 'asking')
  assert.deepEqual([state.votes, state.quorum], [2, 3])
  assert.deepEqual(
    state.faults.map(({ code }) => code),
    ['E_NODE_UNREACHABLE', 'E_NODE_UNREACHABLE'],
  )
  two.node.online = true
  await advance(set.clock, 60_000)
  assert.equal(set.holder.service.own().state, 'held')
  assert.equal((await set.list(set.reading)).length, 2)
  one.node.online = true
  assert.deepEqual(await set.list(one.service), await set.list(set.reading), 'a validator asks others, too')
  await advance(set.clock, 60_000)
  assert.ok(
    set.wire.calls.some(({ method, to }) => method === 'lease.submit' && to === validators[0]?.id),
    'it is shown to who comes back',
  )
})

test('a client that stopped is gone from the list when its lease ends', async () => {
  await using set = setUp()
  await advance(set.clock, 10)
  set.holder.node.online = false
  await advance(set.clock, HOUR + EPOCH)
  assert.deepEqual(await set.list(set.reading), [second.id])
  assert.equal(set.holder.service.own().state, 'asking')
})

test('who became a member is none of those who hold leases, and gets no further one', async () => {
  await using set = setUp()
  await advance(set.clock, 10)
  set.members.add(lender.id)
  assert.deepEqual(await set.list(set.reading), [second.id])
  await advance(set.clock, HOUR + EPOCH)
  const state = set.holder.service.own()
  assert.ok(state.state === 'asking')
  assert.ok(state.faults.every(({ code }) => code === 'E_LEASE_MEMBER'))
})

test('nobody can show the lease of another, a forged one, or one that is over', async () => {
  await using set = setUp([])
  await advance(set.clock, 10)
  const to = validators[0]?.id as DidKey
  const { rpc } = set.holder.node
  const submit = (lease: ReturnType<typeof wireLease> | undefined) =>
    codeOf(() => rpc.call(to, 'lease.submit', lease === undefined ? {} : { lease }))
  assert.equal(await submit(undefined), 'E_LEASE_MALFORMED')
  assert.equal(await submit(wireLease(leaseBody(reader))), 'E_LEASE_SIGNER')
  assert.equal(await submit(wireLease(leaseBody(lender), validators.slice(0, 2))), 'E_LEASE_QUORUM')
  assert.equal(await submit(wireLease(leaseBody(lender, 10, { expiresAt: set.clock.now() }))), 'E_LEASE_EXPIRED')
  assert.deepEqual(await set.list(set.reading), [second.id])
  assert.equal(await submit(wireLease(leaseBody(lender))), 'nothing')
})

test('a validator that lies in its list adds nothing and is not read without end', async () => {
  await using set = setUp()
  await advance(set.clock, 10)
  const forged = Array.from({ length: 100 }, (_, at) =>
    wireLease(leaseBody(clients[at % 4] as SigningKey, 10, { uses: ['compute'] }), [lender, second, reader]),
  )
  const good = wireLease(leaseBody(reader))
  const answers: (() => Promise<{ leases: typeof forged }>)[] = [
    async () => ({ leases: forged }),
    async () => ({ leases: [good] }),
    async () => ({ leases: [{ ...good, body: new Uint8Array([9]) }] }),
  ]
  for (const [at, answer] of answers.entries()) set.seats[at]?.node.rpc.handle('lease.list', answer)
  for (let times = 0; times < 12; times++) {
    await advance(set.clock, 6_000)
    const before = set.calls('lease.list')
    await set.reading.list(signal)
    assert.ok(set.calls('lease.list') - before <= 8, 'four validators at most, few pages each')
  }
  assert.deepEqual(new Set(await set.list(set.reading)), new Set([lender.id, second.id, reader.id]))
})

test('a validator that goes on listing leases that do not hold is soon left alone', async () => {
  await using set = setUp([])
  let last = 0
  const endless = async () => {
    last += 1
    const key = Buffer.alloc(32)
    key.writeUInt32BE(last)
    return { leases: [wireLease({ ...leaseBody(lender), key }, [lender, second, reader])] }
  }
  for (const { node } of set.seats) node.rpc.handle('lease.list', endless)
  assert.equal(await codeOf(() => set.list(set.reading)), 'E_LEASE_LIST')
  assert.ok(set.calls('lease.list') <= 4 * 10, `${set.calls('lease.list')} calls`)
})

test('what validators said is told again for a while; when none answers that is an error', async () => {
  await using set = setUp()
  await advance(set.clock, 10)
  await set.list(set.reading)
  const before = set.calls('lease.list')
  await set.list(set.reading)
  assert.equal(set.calls('lease.list'), before)
  for (const { node } of set.seats) node.online = false
  await advance(set.clock, 5_000)
  assert.equal(await codeOf(() => set.list(set.reading)), 'E_LEASE_LIST')
})

test('validators of a new term are shown the lease, and those of before vote no more', async () => {
  await using set = setUp()
  await advance(set.clock, 10)
  const seats = validators.slice(1).map(({ id }) => ({ id, addresses: ['/ip4/127.0.0.1/tcp/1'], family: 'f' }))
  const extra = { id: reader.id, addresses: ['/ip4/127.0.0.1/tcp/1'], family: 'g' }
  set.network.begin({ number: 1, fromEpoch: 12, rotation: 0, validators: [...seats, extra] })
  await advance(set.clock, 60_000)
  assert.ok(set.wire.calls.some(({ method, to }) => method === 'lease.submit' && to === reader.id))
  const asked = { body: new Uint8Array(), time: 0n }
  const old = validators[0]?.id as DidKey
  assert.equal(await codeOf(() => set.holder.node.rpc.call(old, 'lease.ask', asked)), 'E_METHOD_NOT_OFFERED')
  assert.equal(set.holder.service.own().state, 'held')
})

test('a page of many leases is verified in slices, between which others have the thread', async () => {
  await using set = setUp()
  const keys = Array.from({ length: 64 }, () => SigningKey.generate()).toSorted((a, b) =>
    compareBytes(a.publicKey, b.publicKey),
  )
  const page = keys.map((key) => wireLease(leaseBody(key)))
  for (const { node } of set.seats)
    node.rpc.handle('lease.list', async ({ after }) => ({ leases: after.length === 0 ? page : [] }))
  let turns = 0
  let isListed = false
  const count = (): void => {
    if (isListed) return
    turns++
    setImmediate(count)
  }
  setImmediate(count)
  const listed = await set.list(set.reading).finally(() => (isListed = true))
  assert.ok(keys.every(({ id }) => listed.includes(id)))
  assert.ok(turns >= 8, `${turns} turns`)
})
