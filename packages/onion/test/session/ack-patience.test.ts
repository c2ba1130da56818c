import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AckPatience } from '../../src/session/ack-patience.ts'
import { ACK_PATIENCE_MS, ASK_AGAIN_MS, OLDEST_IN_FLIGHT_MS } from '../../src/session/tuning.ts'
import { SeveralLegs } from './several-legs.ts'
import { exchange, simulatedPath } from './simulated-path.ts'

test('patience ends with something in flight alone, a minute after a packet that came behind a question, or three after the sending', () => {
  const step = fc.record({
    ms: fc.nat(40_000),
    what: fc.constantFrom('sent', 'asked', 'heard', 'acked', 'ackedAll'),
    acked: fc.nat(20),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const patience = new AckPatience()
      const inFlight: number[] = []
      /** All times since the last answer. */
      let asked: number[] = []
      let heard: number[] = []
      let lastAsk: number | undefined
      let now = 0
      for (const { ms, what, acked } of steps) {
        now += ms
        if (what === 'sent') inFlight.push(now)
        else if (what === 'asked' && inFlight.length > 0) {
          patience.onAsked(now)
          asked.push(now)
        } else if (what === 'heard') {
          patience.onHeard(now)
          if (asked.length > 0) heard.push(now)
        } else if (what === 'acked' || what === 'ackedAll') {
          inFlight.splice(0, what === 'acked' ? acked : inFlight.length)
          patience.onAck(inFlight[0])
          if ((inFlight[0] ?? Infinity) >= (asked[0] ?? Infinity)) [asked, heard] = [[], []]
        }
        const sent = inFlight[0] ?? Infinity
        const expected = Math.min((heard[0] ?? Infinity) + ACK_PATIENCE_MS, sent + OLDEST_IN_FLIGHT_MS)
        const isDue = heard.length > 0 && now >= (lastAsk ?? -Infinity) + ASK_AGAIN_MS
        assert.equal(patience.takeAsk(now), isDue)
        lastAsk = heard.length === 0 ? undefined : isDue ? now : lastAsk
        assert.equal(patience.endsAt(inFlight[0], 1_000), inFlight.length > 0 ? expected : Infinity)
      }
    }),
  )
})

test('a leg on a slow path that loses and reorders much is not given up, nor behind an outage', () => {
  const path = fc.record({
    seed: fc.nat(),
    delay: fc.constantFrom(1, 50, 500, 3_000, 10_000),
    drop: fc.double({ min: 0, max: 0.3, noNaN: true }),
    reorder: fc.double({ min: 0, max: 0.3, noNaN: true }),
    outage: fc.integer({ min: 1_000, max: 90_000 }),
    onlyDown: fc.boolean(),
  })
  fc.assert(
    fc.property(path, ({ seed, delay, drop, reorder, outage, onlyDown }) => {
      const shape = { delay, drop, reorder, reorderBy: 20, rate: 50, queue: 50_000 }
      let received = 0
      const { client, world, up, down, ends } = simulatedPath(seed, shape, (stream) => {
        exchange(stream, 50_000_000)
        stream.accept('192.0.2.1')
      })
      const stream = client.session.openStream({ host: '192.0.2.1', port: 80 })
      stream.handler = {
        onData: ({ length }) => {
          received += length
          stream.consume(length)
        },
      }
      world.run(() => false, 60_000)
      down.shape = { ...shape, drop: 1 }
      // While it lasts the client is heard, and would have to be given up a minute later.
      if (onlyDown) world.run(() => false, world.now + Math.min(outage, 40_000))
      up.shape = down.shape
      world.run(() => false, world.now + (onlyDown ? 0 : outage))
      up.shape = down.shape = shape
      const before = received
      world.run(() => received > before, world.now + 300_000)
      // Where all answers were lost for long enough the session itself may have ended.
      assert.deepEqual(
        ends.filter((end) => !end.includes('nothing came')),
        [],
      )
      assert.ok(received > before || ends.length > 0)
    }),
    { numRuns: 30 },
  )
})

test('a leg that fell silent with much in flight is given up though its session lives by another one', () => {
  const legs = new SeveralLegs(5, (stream) => {
    exchange(stream, 1e12)
    stream.accept('192.0.2.1')
  })
  const shape = { delay: 20, rate: 100, queue: 50_000 }
  legs.begin(shape)
  legs.name()
  const second = legs.join(shape, 'used')
  const stream = legs.client.session.openStream({ host: '192.0.2.1', port: 80 })
  stream.handler = { onData: ({ length }) => stream.consume(length) }
  legs.run(3_000)
  const { legs: atExit } = legs.exit.session
  assert.ok(atExit.every(({ recovery }) => recovery.inFlight > 1))
  second.cut()
  legs.run(170_000)
  assert.equal(atExit.length, 2)
  legs.run(20_000)
  assert.deepEqual(
    atExit.map(({ id }) => id),
    [0],
  )
  assert.deepEqual([legs.exit.session.state, legs.ends], ['open', []])
})
