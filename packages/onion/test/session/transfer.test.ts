import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type LinkShape, type Path, type Sink, exchange, simulatedPath } from './simulated-path.ts'

const TARGET = { host: 'example.org', port: 443 }

interface Transfer {
  readonly path: Path
  readonly ms: number
  readonly up: Sink
  readonly down: Sink
}

/** `up` bytes from the client and `down` bytes from the exit over one stream. */
function transfer(seed: number, shape: LinkShape, up: number, down: number, limit = 600_000): Transfer {
  let atExit: Sink | undefined
  const path = simulatedPath(seed, shape, (stream) => {
    atExit = exchange(stream, down)
    stream.accept('192.0.2.1')
  })
  const stream = path.client.session.openStream(TARGET)
  const atClient = exchange(stream, up)
  const done = path.world.run(
    () =>
      atClient.ended && atExit?.ended === true && path.client.session.streams === 0 && path.exit.session.streams === 0,
    limit,
  )
  assert.ok(
    done,
    `seed ${seed}: ${JSON.stringify([atClient, atExit, path.client.session.stats, path.exit.session.stats, path.ends])}`,
  )
  assert.ok(atExit !== undefined)
  assert.equal(atClient.isWrong, false)
  assert.equal(atExit.isWrong, false)
  assert.equal(atClient.received, down)
  assert.equal(atExit.received, up)
  assert.deepEqual(path.ends, [])
  return { path, ms: path.world.now, up: atExit, down: atClient }
}

test('20 MB both ways over a link that drops, doubles and reorders come whole', () => {
  const shape = { delay: 5, rate: 20_000, queue: 400_000, drop: 0.01, duplicate: 0.01, reorder: 0.01, reorderBy: 1 }
  const { path } = transfer(1, shape, 20e6, 20e6)
  assert.equal(path.client.session.stats.memory, 0)
  assert.equal(path.exit.session.stats.memory, 0)
})

test('without loss a stream fills a link of 100 MB/s at a round trip of 1 ms', () => {
  const { ms } = transfer(2, { delay: 0.5, rate: 100_000, queue: 300_000 }, 0, 40e6)
  const rate = 40e6 / ms / 1000
  // 1329 of 1440 bytes are payload: 92 MB/s is the bound.
  assert.ok(rate > 83, `${rate} MB/s`)
})

test('at 20 ms and 0.1 % loss a stream reaches 80 % of a link of 10 MB/s', () => {
  const { ms } = transfer(3, { delay: 10, rate: 10_000, queue: 200_000, drop: 0.001 }, 0, 30e6)
  const rate = 30e6 / ms / 1000
  assert.ok(rate > 8, `${rate} MB/s`)
})

test('a queue that overflows is congestion: the window falls, and few packets are lost', () => {
  const { path, ms } = transfer(4, { delay: 10, rate: 10_000, queue: 100_000 }, 0, 30e6)
  const { packetsLost, packetsSent } = path.exit.session.stats
  assert.ok(packetsLost > 0)
  assert.ok(packetsLost < packetsSent * 0.02, `${packetsLost} of ${packetsSent}`)
  assert.ok(30e6 / ms / 1000 > 7)
})

test('packets that come late do not hold the window down', () => {
  const shape = { delay: 10, rate: 10_000, queue: 400_000, reorder: 0.02, reorderBy: 3 }
  const { path, ms } = transfer(5, shape, 0, 30e6)
  const { packetsLost, packetsSpurious } = path.exit.session.stats
  assert.ok(30e6 / ms / 1000 > 8, `${30e6 / ms / 1000} MB/s`)
  // About 800 packets come late; once reordering is known they no longer count as lost.
  assert.ok(packetsSpurious > 0 && packetsSpurious < 100, `${packetsSpurious} came late after all`)
  assert.ok(packetsLost <= path.down.dropped + packetsSpurious, `${packetsLost} lost, ${path.down.dropped} dropped`)
})

test('an empty stream and one byte each way end properly at any loss up to 30 %', () => {
  for (let seed = 0; seed < 40; seed++)
    transfer(
      seed,
      { delay: 5, rate: 1000, queue: 100_000, drop: 0.3, duplicate: 0.2, reorder: 0.2 },
      seed % 2,
      seed % 3,
      119_000,
    )
})
