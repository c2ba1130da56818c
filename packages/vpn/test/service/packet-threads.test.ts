import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import type { Worker } from 'node:worker_threads'
import { isWeftError, silentLogger, systemClock, systemRandom } from '@weft/core'
import { type X25519KeyPair, x25519KeyPair } from '@weft/crypto'
import { type CircuitLink, CircuitReason, ClientCircuits, type Endpoint, type Link, LinkSet } from '@weft/onion'
import { PacketThreads, type ThreadsInit } from '../../src/service/packet-threads.ts'
import { openUdpPort } from '../../src/udp/open-udp-port.ts'
import { until } from './until.ts'
import { NO_TUN } from '../engine/no-tun.ts'

const NETWORK = 'test'
const CREATE = 1
const DESTROY = 3
const skip = process.platform === 'linux' ? false : 'only Linux deals senders out among sockets'

interface Entry {
  readonly threads: PacketThreads
  readonly workers: readonly Worker[]
  readonly lost: string[]
  readonly endpoint: Endpoint
  readonly id: Uint8Array
  readonly keys: { readonly link: X25519KeyPair; readonly onion: X25519KeyPair }
  readonly init: ThreadsInit
}

/** An entry with two packet workers. */
async function entryOfTwo(t: TestContext): Promise<Entry> {
  const probe = createSocket('udp4').bind(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  const workers: Worker[] = []
  const onWorker = (worker: Worker): void => void workers.push(worker)
  process.on('worker', onWorker)
  const lost: string[] = []
  const keys = { link: x25519KeyPair(systemRandom.bytes(32)), onion: x25519KeyPair(systemRandom.bytes(32)) }
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
    onRoute: () => {},
    onThroughput: () => {},
    onLost: ({ code }) => void lost.push(code),
  })
  t.after(async () => {
    process.off('worker', onWorker)
    await threads[Symbol.asyncDispose]()
  })
  return { threads, workers, lost, endpoint: { address: '127.0.0.1', port }, id, keys, init }
}

interface Client {
  readonly link: Link
  /** Content of each `create` that it sent. */
  readonly creates: Uint8Array[]
  /** Reasons of each `destroy` that came. */
  readonly refusals: number[]
  /** Builds a circuit of two hops, of which the second is nobody: resolves when the first has answered. */
  build(): Promise<void>
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
  const build = (): Promise<void> => {
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
    const { promise, resolve } = Promise.withResolvers<void>()
    // The entry answers that it knows no such next hop, under the keys of the circuit.
    circuits.build({
      link: watched,
      hops: [
        { id, onionKey: keys.onion.publicKey },
        { id: systemRandom.bytes(32), onionKey: keys.onion.publicKey },
      ],
      timeoutMs: 10_000,
      onReady: () => {},
      onEnd: () => resolve(),
    })
    return promise
  }
  return { link, creates, refusals, build }
}

test('clients land on both workers, and a create that one has answered is refused by both', { skip }, async (t) => {
  const entry = await entryOfTwo(t)
  const clients: Client[] = []
  const linksOf = async (): Promise<readonly number[]> => {
    const { carried } = await entry.threads.status()
    assert.equal(carried?.workers.length, 2)
    assert.equal(carried.links, clients.length)
    return carried.workers.map(({ links }) => links)
  }
  // The system deals by a hash of both addresses: both have one soon.
  do clients.push(await clientOf(t, entry))
  while ((await linksOf()).some((links) => links < 2))
  const [first, ...others] = clients as [Client, ...Client[]]
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

test('when one worker ends the other is ended, and then it is told; the port is free by then', { skip }, async (t) => {
  const entry = await entryOfTwo(t)
  assert.equal(entry.workers.length, 2)
  await assert.rejects(
    PacketThreads.open(entry.init, 2, systemClock, silentLogger, {
      onRoute: () => {},
      onThroughput: () => {},
      onLost: () => {},
    }),
    (error) => isWeftError(error, 'E_PORT_TAKEN'),
  )
  await entry.workers[1]?.terminate()
  await until(() => entry.lost.length > 0)
  assert.deepEqual(entry.lost, ['E_PACKETS_FAILED'])
  const again = await PacketThreads.open(entry.init, 2, systemClock, silentLogger, {
    onRoute: () => {},
    onThroughput: () => {},
    onLost: () => {},
  })
  assert.equal((await again.status()).carried?.workers.length, 2)
  await again[Symbol.asyncDispose]()
})
