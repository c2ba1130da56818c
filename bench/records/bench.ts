import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Scope, silentLogger, systemClock } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { type Overlay, createOverlay, parseNetworkFile } from '@weft/overlay'
import { BenchDevnet } from '../lib/bench-devnet.ts'
import type { Bench } from '../lib/bench-result.ts'
import { measure } from '../lib/measure.ts'

const BASE_PORT = 29_200
const MEMBERS = 10
/** Operations a sample; the sample is their median. */
const OPERATIONS = 50
const VALUE = 1_024
const HOUR_MS = 3_600_000

/** Records of a client in the network of twelve processes, one after the other: what a person waits for. */
const bench: Bench = async () => {
  await using devnet = new BenchDevnet(BASE_PORT)
  await devnet.up()
  await using scope = new Scope({ name: 'bench' })
  const overlay = await createOverlay({
    network: parseNetworkFile(readFileSync(join(devnet.network, 'network.json'), 'utf8')),
    key: SigningKey.generate(),
    roles: ['client'],
    listen: [],
    family: 'bench',
    directory: join(devnet.directory, 'overlay'),
    clock: systemClock,
    logger: silentLogger,
    scope,
  })
  await connected(overlay)
  const owner = SigningKey.generate()
  const salts: Uint8Array[] = []
  const put = await measure(() =>
    median(OPERATIONS, async () => {
      const salt = new Uint8Array(randomBytes(16))
      salts.push(salt)
      const value = new Uint8Array(randomBytes(VALUE))
      await overlay.records.putMutable({ owner, salt, sequence: 1, value, expiresAt: Date.now() + HOUR_MS })
    }),
  )
  const get = await measure(() =>
    median(OPERATIONS, async (at) => {
      await overlay.records.getMutable(owner.publicKey, salts[at] as Uint8Array)
    }),
  )
  return {
    name: 'records',
    rows: [
      { what: 'record put, 1 KiB, p50', unit: 'ms', ...put, goal: 10 },
      { what: 'record get, 1 KiB, p50', unit: 'ms', ...get, goal: 2 },
    ],
    notes: [
      `A client outside the map, ${MEMBERS} holders in processes of their own on two cores; a put waits for fsync at each of its holders.`,
      `A sample is the median of ${OPERATIONS} operations, one after the other.`,
      'A get asks seven of the ten. It takes some 9 ms of processor in all, 3 of the client and 6 of the holders (11 ms when all ten were asked, and answers were encoded twice); twelve nodes with nothing to do take 0.2 of each ms besides. Two cores give 4 ms in the 2 ms of the goal: it needs less than half of the work for each call, or more cores. A call that finds its holder idle takes 0.8 ms, three times as long as one of many to the same.',
      'Client during gets (CPU profile): 27 % writes to sockets, in which the kernel may run the receiver; 11 % the one signature that is checked; 4 % garbage collection; the rest in small parts, of TLS, yamux, protobuf and promises. A holder: 70 % outside of JavaScript (waking up, sockets, TLS), 15 % answering, 4 % garbage collection; SQLite 2 %.',
      'A holder during puts: 18 % the signature, 16 % outside of JavaScript, 11 % handing fdatasync to its thread, 10 % SQLite, 7 % writing the answer. The disk itself is the least: an fdatasync of 20 KB behind the end of a file took 0.2 ms alone and 0.4 to 1.9 ms with ten at once (medians). The ten holders take 15 to 20 ms of processor for a put and the client 3: two cores that do nothing else need about the 10 ms of the goal.',
    ],
  }
}

/** Resolves when the client is connected to every member of the map. */
function connected(overlay: Overlay): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const look = (): void => {
    const peers = overlay.peers()
    if (peers.length === MEMBERS && peers.every(({ state }) => state === 'connected')) resolve()
  }
  overlay.on('map', look)
  overlay.on('peer', look)
  look()
  return promise
}

async function median(count: number, once: (at: number) => Promise<void>): Promise<number> {
  const times: number[] = []
  for (let at = 0; at < count; at++) {
    const start = performance.now()
    await once(at)
    times.push(performance.now() - start)
  }
  return times.toSorted((a, b) => a - b)[count / 2] ?? Number.NaN
}

export default bench
