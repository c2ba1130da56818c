import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type LinkShape, type Path, World, exchange, simulatedPath } from './simulated-path.ts'

const TARGET = { host: 'example.org', port: 443 }
/** Payload of what is on the wire. */
const PAYLOAD = 1329 / 1440

interface Download {
  readonly path: Path
  /** Bytes that came to the client until now. */
  readonly received: () => number
}

/** A download that does not end in the time of a test. */
function download(seed: number, shape: LinkShape, world = new World()): Download {
  const path = simulatedPath(
    seed,
    shape,
    (stream) => {
      exchange(stream, 1e9)
      stream.accept('192.0.2.1')
    },
    { world },
  )
  const sink = exchange(path.client.session.openStream(TARGET), 0)
  return { path, received: () => sink.received }
}

/** Part of what the link carries of payload at most that came through from `from` to `to`, ms. */
function share({ path, received }: Download, rate: number, from: number, to: number): number {
  path.world.run(() => false, from)
  const before = received()
  path.world.run(() => false, to)
  return (received() - before) / ((to - from) * rate * PAYLOAD)
}

test('BBR fills a path and keeps no queue in a deep buffer', () => {
  const flow = download(1, { delay: 10, rate: 10_000, queue: 2_000_000 })
  const part = share(flow, 10_000, 2_000, 8_000)
  assert.ok(part > 0.9, `${part}`)
  const { rttMs, minRttMs } = flow.path.exit.session.stats
  assert.ok((rttMs ?? 0) < 1.5 * (minRttMs ?? 0), `${rttMs} of ${minRttMs}`)
  assert.equal(flow.path.exit.session.stats.packetsLost, 0)
})

test('BBR fills a path whose buffer is a fifth of it, and loses little', () => {
  const flow = download(2, { delay: 10, rate: 10_000, queue: 40_000 })
  const part = share(flow, 10_000, 2_000, 8_000)
  assert.ok(part > 0.8, `${part}`)
  const { packetsLost, packetsSent } = flow.path.exit.session.stats
  assert.ok(packetsLost < 0.02 * packetsSent, `${packetsLost} of ${packetsSent}`)
})

test('BBR does not take the losses of a link for congestion', () => {
  for (const [drop, least] of [
    [0.001, 0.85],
    [0.01, 0.65],
  ] as const) {
    const part = share(download(3, { delay: 10, rate: 10_000, queue: 400_000, drop }), 10_000, 2_000, 8_000)
    assert.ok(part > least, `${part} at ${drop}`)
  }
})

test('BBR follows a path that becomes slower, then faster', () => {
  const shape = { delay: 10, rate: 10_000, queue: 400_000 }
  const flow = download(4, shape)
  flow.path.world.run(() => false, 3_000)
  flow.path.down.shape = { ...shape, rate: 2_000 }
  const slow = share(flow, 2_000, 6_000, 20_000)
  assert.ok(slow > 0.85, `${slow}`)
  // The queue, of 200 ms, that the old estimate made is gone.
  assert.ok((flow.path.exit.session.stats.rttMs ?? 0) < 100, `${flow.path.exit.session.stats.rttMs}`)
  flow.path.down.shape = shape
  const fast = share(flow, 10_000, 30_000, 36_000)
  assert.ok(fast > 0.8, `${fast}`)
})

test('BBR finds out that a path has become longer', () => {
  const shape = { delay: 5, rate: 10_000, queue: 400_000 }
  const flow = download(5, shape)
  flow.path.world.run(() => false, 3_000)
  flow.path.down.shape = { ...shape, delay: 50 }
  const part = share(flow, 10_000, 25_000, 31_000)
  assert.ok(part > 0.8, `${part}`)
})

test('two sessions that share a link come to shares of the same order', () => {
  const world = new World()
  const shape = { delay: 10, rate: 10_000, queue: 200_000 }
  const [one, two] = [download(6, shape, world), download(7, shape, world)]
  // Both exits send over the link of the first; each packet is brought to the client that it is for.
  const clients = new WeakMap<Uint8Array, Path['client']>()
  const link = one.path.down
  const send = link.send.bind(link)
  for (const { path } of [one, two]) {
    const shared = Object.create(link, {
      send: {
        value: (number: number, payload: Uint8Array) => {
          clients.set(payload, path.client)
          send(number, payload)
        },
      },
    }) as typeof link
    path.exit.links.set(path.exit.session.first, shared)
  }
  link.deliver = (number, payload) => clients.get(payload)?.receive(number, payload)
  world.run(() => false, 10_000)
  const before = [one.received(), two.received()] as const
  world.run(() => false, 30_000)
  const got = [one.received() - before[0], two.received() - before[1]] as const
  const all = (got[0] + got[1]) / (20_000 * 10_000 * PAYLOAD)
  assert.ok(all > 0.85, `${all} together`)
  assert.ok(Math.min(...got) > 0.3 * (got[0] + got[1]), `${got.join(' and ')}`)
})

test('a sender that had little to send for a while sends at once at the rate that it knows', () => {
  const world = new World()
  const path = simulatedPath(
    8,
    { delay: 10, rate: 10_000, queue: 400_000 },
    (stream) => {
      exchange(stream, 20e6)
      stream.accept('192.0.2.1')
    },
    { world },
  )
  const fetch = (): number => {
    const start = world.now
    const sink = exchange(path.client.session.openStream(TARGET), 0)
    assert.ok(world.run(() => sink.ended, start + 60_000))
    return world.now - start
  }
  fetch()
  world.run(() => false, world.now + 4_000)
  const again = fetch()
  // 20 MB take 2.2 s at the bound.
  assert.ok(again < 2_700, `${again} ms`)
})
