import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Packet } from '../../src/packet/packet.ts'
import type { CellFlow } from '../../src/queue/cell-flow.ts'
import { CellBucket } from '../../src/queue/cell-bucket.ts'
import { CellQueue } from '../../src/queue/cell-queue.ts'
import { type SessionStream } from '../../src/session/session-stream.ts'
import { World, exchange, simulatedPath } from '../session/simulated-path.ts'

// A hop with an operator's limit in simulated time: a session that downloads without end (BBR), and beside it a small flow.

const TARGET = { host: 'example.org', port: 443 }
const RUN_MS = 20_000
/** A timer of Node is no finer. */
const TICK_MS = 1

type Owner = (body: Uint8Array) => void

function hop(world: World, bytesPerMs: number) {
  const drops = { queueFull: 0, queueLate: 0 }
  const packet = new Packet()
  const queue = new CellQueue<Owner>({
    clock: world,
    allowance: new CellBucket(bytesPerMs * 1_000, 0),
    drops,
    pass: (deliver, { body }) => deliver(body),
    onRoom: () => {},
    onWaiting: () => {},
  })
  const tick = (): void => {
    queue.serve()
    world.at(world.now + TICK_MS, tick)
  }
  tick()
  const come = (flow: CellFlow<Owner>, fill: (body: Uint8Array) => void): void => {
    fill(packet.body)
    queue.begin(1)
    if (queue.mayPass()) flow.owner(packet.body)
    else queue.enqueue(flow, packet.body)
  }
  let peers = 0
  return { queue, drops, come, flow: (owner: Owner) => queue.flow(owner, `${peers++}`, false) }
}

function percentile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * part)] ?? Number.NaN
}

interface Measured {
  /** ms that the hop kept a cell of the small flow. */
  readonly p50: number
  readonly p99: number
  readonly lost: number
  /** Bytes of each download. */
  readonly downloads: readonly number[]
  readonly drops: { readonly queueFull: number; readonly queueLate: number }
}

/** @param everyMs between cells of the small flow @param bulk downloads that go on all the time */
function measure(bytesPerMs: number, everyMs: number, bulk: number, aggressive = 0): Measured {
  const world = new World()
  const { come, flow, drops } = hop(world, bytesPerMs)
  const sinks: { received: number }[] = []
  for (let i = 0; i < bulk; i++) {
    const shape = { delay: 10, rate: 1_000_000, queue: 100_000_000 }
    const path = simulatedPath(
      i,
      shape,
      (stream: SessionStream) => {
        exchange(stream, 10 ** 9)
        stream.accept('192.0.2.1')
      },
      { world },
    )
    const { deliver } = path.down
    const way = flow((body) =>
      deliver(Number(new DataView(body.buffer, body.byteOffset).getBigUint64(0)), body.slice(8, 8 + 1329)),
    )
    path.down.deliver = (number, payload) =>
      come(way, (body) => {
        new DataView(body.buffer, body.byteOffset).setBigUint64(0, BigInt(number))
        body.set(payload, 8)
      })
    sinks.push(exchange(path.client.session.openStream(TARGET), 0))
  }
  // One that heeds nothing: it sends a cell a tick for each of these, whatever is lost.
  const deaf = flow(() => {})
  const push = (): void => {
    for (let i = 0; i < aggressive; i++) come(deaf, () => {})
    world.at(world.now + 1, push)
  }
  push()
  const delays: number[] = []
  let sent = 0
  const small = flow((body) => void delays.push(world.now - new DataView(body.buffer, body.byteOffset).getFloat64(0)))
  const beat = (): void => {
    sent++
    come(small, (body) => new DataView(body.buffer, body.byteOffset).setFloat64(0, world.now))
    world.at(world.now + everyMs, beat)
  }
  // Once the downloads fill the way.
  world.at(2_000.3, beat)
  world.run(() => false, RUN_MS)
  return {
    p50: percentile(delays, 0.5),
    p99: percentile(delays, 0.99),
    lost: sent - delays.length,
    downloads: sinks.map(({ received }) => received),
    drops,
  }
}

for (const [mbps, bulk] of [
  [10, 1],
  [100, 1],
  [100, 8],
] as const)
  test(`a call of 50 packets a second beside ${bulk} downloads through ${mbps} Mbit/s: 10 ms at most in 99 of 100`, () => {
    const bytesPerMs = mbps * 125
    const { p99, lost, downloads } = measure(bytesPerMs, 20, bulk)
    assert.ok(p99 < 10, `${p99} ms`)
    assert.ok(lost <= 1, `${lost} lost`)
    const all = downloads.reduce((sum, each) => sum + each, 0)
    // 1329 of 1440 bytes are payload, and the call has its part.
    const bound = bytesPerMs * (RUN_MS - 500) * (1329 / 1440) - (1440 / 20) * RUN_MS
    assert.ok(all > 0.8 * bound, `${all} of ${bound} bytes`)
    assert.ok(Math.min(...downloads) > (0.7 * all) / bulk, downloads.join(' '))
  })

test('one that sends ten times the limit and heeds nothing takes its share, and no more', () => {
  const bytesPerMs = 1_440 // a cell a ms
  const { p99, lost, downloads, drops } = measure(bytesPerMs, 20, 1, 10)
  assert.ok(p99 < 10, `${p99} ms`)
  assert.ok(lost <= 1, `${lost} lost`)
  assert.ok(drops.queueFull > 0)
  const share = (bytesPerMs * RUN_MS * (1329 / 1440)) / 2
  assert.ok((downloads[0] ?? 0) > 0.75 * share, `${downloads[0]} of ${share} bytes`)
})
