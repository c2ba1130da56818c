import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Worker } from 'node:worker_threads'
import { isWeftError, silentLogger, systemClock, systemRandom } from '@weft/core'
import { type X25519KeyPair, x25519KeyPair } from '@weft/crypto'
import {
  ReceiptAnswer,
  type CircuitLink,
  CircuitReason,
  ClientCircuits,
  type Endpoint,
  type Link,
  LinkSet,
} from '@weft/onion'
import type { PacketKeys } from '../../src/engine/engine-init.ts'
import type { GuardState } from '../../src/route/guard-state.ts'
import type { PacketThreadEvents } from '../../src/service/packet-thread.ts'
import { PacketThreads, type ThreadsInit } from '../../src/service/packet-threads.ts'
import { openUdpPort } from '../../src/udp/open-udp-port.ts'
import { freePort } from './free-port.ts'
import { until } from './until.ts'
import { NO_TUN } from '../engine/no-tun.ts'
import { makeMember } from '../route/make-member.ts'

const NETWORK = 'test'
const CREATE = 1
const DESTROY = 3
const skip = process.platform === 'linux' ? false : 'only Linux deals senders out among sockets'

const NO_EVENTS: PacketThreadEvents = {
  onRoute: () => {},
  onRouteEvent: () => {},
  onThroughput: () => {},
  onGuards: () => {},
  onPayment: async () => ReceiptAnswer.noRoom,
  onWantTokens: () => {},
  onTokensLeft: () => {},
  onUse: () => {},
  onLost: () => {},
}

interface Entry {
  readonly threads: PacketThreads
  readonly workers: readonly Worker[]
  readonly lost: string[]
  readonly uses: readonly number[]
  readonly endpoint: Endpoint
  readonly id: Uint8Array
  readonly keys: PacketKeys & { readonly onion: readonly [X25519KeyPair] }
  readonly init: ThreadsInit
}

/** As the daemon makes onion keys: all threads see the same memory. */
function sharedPair(): X25519KeyPair {
  const secretKey = new Uint8Array(new SharedArrayBuffer(32))
  secretKey.set(systemRandom.bytes(32))
  return x25519KeyPair(secretKey)
}

/** An entry with two packet workers. */
async function entryOfTwo(t: TestContext): Promise<Entry> {
  const port = await freePort()
  const workers: Worker[] = []
  const onWorker = (worker: Worker): void => void workers.push(worker)
  process.on('worker', onWorker)
  const lost: string[] = []
  const uses: number[] = []
  const keys: Entry['keys'] = { link: x25519KeyPair(systemRandom.bytes(32)), onion: [sharedPair()] }
  const id = systemRandom.bytes(32)
  const init: ThreadsInit = {
    networkId: NETWORK,
    nodeKey: id,
    roles: { entry: true, relay: false, exit: false },
    keys,
    suite: 'auto',
    carriage: { setting: 'auto', identity: undefined, bridges: [] },
    udp: { host: '127.0.0.1', port },
    proxy: { host: '127.0.0.1', port: 0 },
    dns: undefined,
    tun: NO_TUN,
    relay: { bytesPerSecond: undefined },
    exit: { allow: [], deny: [], own: [], nameServers: [], ip: false },
  }
  const threads = await PacketThreads.open(init, 2, systemClock, silentLogger, {
    ...NO_EVENTS,
    onUse: (use) => void uses.push(use),
    onLost: ({ code }) => void lost.push(code),
  })
  t.after(async () => {
    process.off('worker', onWorker)
    await threads[Symbol.asyncDispose]()
  })
  return { threads, workers, lost, uses, endpoint: { address: '127.0.0.1', port }, id, keys, init }
}

interface Client {
  readonly link: Link
  /** Content of each `create` that it sent. */
  readonly creates: Uint8Array[]
  /** Reasons of each `destroy` that came. */
  readonly refusals: number[]
  /** Builds a circuit of two hops, of which the second is nobody: resolves when the first has answered, with which hop failed and why. */
  build(onionKey?: Uint8Array): Promise<readonly [hop: number, reason: number]>
}

/** A client at a port of its own, with a link to the entry. */
async function clientOf(t: TestContext, { endpoint, keys, id }: Entry): Promise<Client> {
  const [creates, refusals]: [Uint8Array[], number[]] = [[], []]
  const shared = { networkId: NETWORK, clock: systemClock, random: systemRandom }
  const circuits = new ClientCircuits(shared)
  let up = (): void => {}
  const isUp = new Promise<void>((resolve) => (up = resolve))
  let watched: CircuitLink | undefined
  const links = new LinkSet({
    ...shared,
    listen: false,
    send: (bytes, to) => {
      port.send(bytes, to)
      port.flush()
    },
    onCell: (_, circuitId, packet) => watched !== undefined && circuits.onCell(watched, circuitId, packet),
    onMessage: (_, command, circuitId, content) => {
      if (command === DESTROY) refusals.push(content[0] ?? -1)
      if (watched !== undefined) circuits.onMessage(watched, command, circuitId, content)
    },
    onLink: (_, state) => void (state === 'up' && up()),
  })
  const port = await openUdpPort({
    host: '127.0.0.1',
    port: 0,
    logger: silentLogger,
    onBatch: (count, packets, from) => {
      for (let at = 0; at < count; at++) links.receive(packets[at]!, from[at]!)
    },
  })
  t.after(() => {
    links.close()
    port.close()
  })
  const link = links.connect(endpoint, keys.link.publicKey, true)
  await isUp
  const build: Client['build'] = (onionKey = keys.onion[0].publicKey) => {
    watched = {
      initiator: true,
      peerKey: link.peerKey,
      peerName: link.peerName,
      isSilent: false,
      circuits: 0,
      newCircuitId: () => link.newCircuitId(),
      sendCell: (circuitId, packet) => link.sendCell(circuitId, packet),
      sendMessage: (command, circuitId, content) => {
        if (command === CREATE) creates.push(content.slice())
        return link.sendMessage(command, circuitId, content)
      },
    }
    const { promise, resolve } = Promise.withResolvers<readonly [number, number]>()
    // The entry answers that it knows no such next hop, under the keys of the circuit.
    circuits.build({
      link: watched,
      hops: [
        { id, onionKey },
        { id: systemRandom.bytes(32), onionKey },
      ],
      timeoutMs: 10_000,
      onReady: () => {},
      onEnd: (reason, hop) => resolve([hop, reason]),
    })
    return promise
  }
  return { link, creates, refusals, build }
}

/** Clients until each worker has two of them: the system deals by a hash of both addresses. */
async function clientsOfBoth(t: TestContext, entry: Entry): Promise<readonly [Client, ...Client[]]> {
  const clients: Client[] = []
  const linksOf = async (): Promise<readonly number[]> => {
    const { carried } = await entry.threads.status()
    assert.equal(carried?.workers.length, 2)
    assert.equal(carried.links, clients.length)
    return carried.workers.map(({ links }) => links)
  }
  do clients.push(await clientOf(t, entry))
  while ((await linksOf()).some((links) => links < 2))
  return clients as unknown as [Client, ...Client[]]
}

test('clients land on both workers, and a create that one has answered is refused by both', { skip }, async (t) => {
  const entry = await entryOfTwo(t)
  const [first, ...others] = await clientsOfBoth(t, entry)
  await first.build()
  const [create] = first.creates
  assert.ok(create !== undefined)
  // The second time on the link that it came on, and on those of either worker.
  for (const { link, refusals } of [...others, first]) {
    const before = refusals.length
    link.sendMessage(CREATE, link.newCircuitId(), create)
    await until(() => refusals.length > before)
    assert.equal(refusals.at(-1), CircuitReason.handshakeRefused)
  }
  // What is new is answered by both.
  await Promise.all(others.map((client) => client.build()))
  const { carried } = await entry.threads.status()
  assert.equal(
    carried?.circuits,
    carried?.workers.reduce((sum, { circuits }) => sum + circuits, 0),
  )
})

test(
  'both workers hear of a new onion key, answer under that of before until it is gone, and hold no copy of it',
  { skip },
  async (t) => {
    const entry = await entryOfTwo(t)
    const clients = await clientsOfBoth(t, entry)
    const answered = [1, CircuitReason.unknownNextHop]
    const refused = [0, CircuitReason.handshakeRefused]
    const askAll = (onionKey: Uint8Array) => Promise.all(clients.map((client) => client.build(onionKey)))
    const all = (answer: readonly number[]): readonly (readonly number[])[] => clients.map(() => answer)
    const [before] = entry.keys.onion
    const after = sharedPair()
    assert.deepEqual(await askAll(after.publicKey), all(refused))
    entry.threads.setOnionKeys([after, before])
    // Both have heard of it by their answers; a packet may come before a message.
    await entry.threads.status()
    assert.deepEqual(await askAll(after.publicKey), all(answered))
    assert.deepEqual(await askAll(before.publicKey), all(answered))
    entry.threads.setOnionKeys([after])
    await entry.threads.status()
    assert.deepEqual(await askAll(before.publicKey), all(refused))
    assert.deepEqual(await askAll(after.publicKey), all(answered))
    // A thread that wipes what it has wipes what all have.
    assert.ok(before.secretKey.every((byte) => byte === 0))
    assert.ok(after.secretKey.some((byte) => byte !== 0))
  },
)

test('a secret that is wiped is gone in the threads at once, though none of them was told', { skip }, async (t) => {
  const entry = await entryOfTwo(t)
  const client = await clientOf(t, entry)
  assert.deepEqual(await client.build(), [1, CircuitReason.unknownNextHop])
  entry.keys.onion[0].secretKey.fill(0)
  assert.deepEqual(await client.build(), [0, CircuitReason.handshakeRefused])
})

test('guards cross to the thread of a client as they were kept, and come back when they change', async () => {
  const [kept, ...others] = [1, 2, 3, 4].map((index) =>
    makeMember(index, index === 1 ? ['entry'] : ['entry', 'relay', 'exit'], {
      endpoint: { address: '127.0.0.1', port: 9 },
    }),
  )
  assert.ok(kept !== undefined)
  const guard = { id: kept.id, since: systemClock.now() - 1_000, confirmed: true, unlistedSince: undefined }
  const told: GuardState[] = []
  const init: ThreadsInit = {
    networkId: NETWORK,
    nodeKey: systemRandom.bytes(32),
    roles: { entry: false, relay: false, exit: false },
    keys: undefined,
    guards: { guards: [guard], lastLeft: undefined },
    suite: 'auto',
    carriage: { setting: 'udp', identity: undefined, bridges: [] },
    udp: { host: '127.0.0.1', port: 0 },
    proxy: { host: '127.0.0.1', port: 0 },
    dns: undefined,
    tun: NO_TUN,
    relay: { bytesPerSecond: undefined },
    exit: { allow: [], deny: [], own: [], nameServers: [], ip: false },
  }
  await using threads = await PacketThreads.open(init, 1, systemClock, silentLogger, {
    ...NO_EVENTS,
    onGuards: (state) => void told.push(state),
  })
  threads.setMembers([kept, ...others])
  await threads.up()
  await until(() => told.length > 0)
  const [state] = told
  assert.deepEqual(state?.guards[0], guard)
  assert.ok(state.guards.length > 1)
})

test('workers that carry nothing tell of a use that is none', { skip }, async (t) => {
  const { uses } = await entryOfTwo(t)
  // Other programs of this machine may keep a thread from its work for a second.
  await until(() => uses.some((use) => use < 0.3))
  assert.ok(uses.every((use) => use >= 0 && use <= 1))
})

test('when one worker ends the other is ended, and then it is told; the port is free by then', { skip }, async (t) => {
  const entry = await entryOfTwo(t)
  assert.equal(entry.workers.length, 2)
  await assert.rejects(PacketThreads.open(entry.init, 2, systemClock, silentLogger, NO_EVENTS), (error) =>
    isWeftError(error, 'E_PORT_TAKEN'),
  )
  await entry.workers[1]?.terminate()
  await until(() => entry.lost.length > 0)
  assert.deepEqual(entry.lost, ['E_PACKETS_FAILED'])
  const again = await PacketThreads.open(entry.init, 2, systemClock, silentLogger, NO_EVENTS)
  assert.equal((await again.status()).carried?.workers.length, 2)
  await again[Symbol.asyncDispose]()
})
