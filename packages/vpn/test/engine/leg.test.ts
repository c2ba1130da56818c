import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, seededRandom } from '@weft/core'
import {
  type CircuitLink,
  type ClientCircuit,
  type ClientCircuitOptions,
  ClientCircuits,
  Session,
  type SessionStream,
} from '@weft/onion'
import { FlushQueue } from '../../src/engine/flush-queue.ts'
import { PathSet } from '../../src/engine/path-set.ts'
import { LOW_ORDER_KEY, makeMember } from '../route/make-member.ts'
import { HoldableClock } from './holdable-clock.ts'

const PAYLOAD = 1329
const EXIT = 2

/** Of a path set that has one leg. */
const ALONE = {
  linkTo: () => ({ newCircuitId: () => 1, sendMessage: () => true }) as unknown as CircuitLink,
  moreHops: () => undefined,
  onLegEnd: () => assert.fail(),
  onRed: () => assert.fail(),
}

/** A leg over a circuit that is ready at once; each packet and each answer takes 5 ms. */
function makeLeg() {
  const clock = new HoldableClock()
  const random = seededRandom(1)
  const hops = [makeMember(1, ['entry']), makeMember(2, ['relay']), makeMember(3, ['exit'])]
  const told: string[] = []
  /** When which hop was pinged, monotonic ms. */
  const pings: { readonly at: number; readonly hop: number }[] = []
  /** Whether the exit's session hears and talks, and whether the hops answer pings. */
  const exit = { serves: true, pongs: true }
  const streams: SessionStream[] = []
  const session = new Session({
    role: 'exit',
    clock,
    random,
    payloadLength: PAYLOAD,
    onStream: (stream) => {
      streams.push(stream)
      stream.accept('192.0.2.1')
    },
  })
  let circuit: ClientCircuitOptions | undefined
  const talk = (): void => {
    while (exit.serves && session.next() !== undefined) {
      const payload = new Uint8Array(PAYLOAD)
      circuit?.onPacket?.(session.fill(payload), payload)
    }
  }
  const circuits = {
    build: (options: ClientCircuitOptions) => {
      circuit = options
      return {
        payloadLength: PAYLOAD,
        rttMs: [],
        suites: [],
        cells: 0,
        count: () => {},
        ping: (hop: number) => {
          pings.push({ at: clock.monotonic(), hop })
          if (exit.pongs) clock.after(5, () => options.onPong?.(hop, 5))
        },
        seal: (fill: (payload: Uint8Array) => number) => {
          const payload = new Uint8Array(PAYLOAD)
          const packetNumber = fill(payload)
          if (exit.serves) {
            session.receive(packetNumber, payload)
            clock.after(5, talk)
          }
          return true
        },
        destroy: () => {},
      } as unknown as ClientCircuit
    },
  } as unknown as ClientCircuits
  const leg = new PathSet({
    ...ALONE,
    hops,
    circuits,
    queue: new FlushQueue(() => {}),
    clock,
    random,
    onReady: () => told.push('ready'),
    onSuspect: () => told.push('suspect'),
    onEnd: () => told.push('end'),
  })
  leg.start()
  circuit?.onReady?.()
  return { clock, leg, told, pings, exit, streams, talk }
}

test('an exit that says nothing for 5 s ends the leg, and it is not known which hop it was', async () => {
  const { clock, leg, told, exit } = makeLeg()
  await clock.advance(1_000)
  exit.serves = false
  exit.pongs = false
  leg.openStream({ host: 'a.test', port: 80 })
  await clock.advance(500)
  assert.deepEqual([leg.healthy, told], [true, ['ready']])
  await clock.advance(500)
  assert.deepEqual([leg.healthy, told], [false, ['ready', 'suspect']])
  assert.equal(leg.status('active')[0]?.state, 'silent')
  await clock.advance(4_000)
  assert.equal(leg.over, false)
  await clock.advance(200)
  assert.equal(leg.over, true)
  assert.deepEqual(told, ['ready', 'suspect', 'end'])
  assert.equal(leg.loss?.fault.code, 'E_ROUTE_SILENT')
  assert.match(leg.loss.fault.cause, /Nothing came back .* for 5 s/)
  assert.equal(leg.loss.culprit, undefined)
  assert.equal(leg.openStream({ host: 'a.test', port: 80 }), undefined)
})

test('a word of the exit clears the suspicion, and 5 s count anew from the next silence', async () => {
  const { clock, leg, told, exit } = makeLeg()
  exit.serves = false
  exit.pongs = false
  const stream = leg.openStream({ host: 'a.test', port: 80 })
  await clock.advance(1_500)
  assert.deepEqual([leg.healthy, told], [false, ['ready', 'suspect']])
  exit.serves = true
  exit.pongs = true
  // What was lost is sent again, and is answered.
  await clock.advance(4_500)
  assert.deepEqual([leg.healthy, told], [true, ['ready', 'suspect']])
  exit.serves = false
  exit.pongs = false
  stream?.write(new Uint8Array(1))
  leg.wake()
  await clock.advance(4_900)
  assert.equal(leg.over, false)
  await clock.advance(400)
  assert.deepEqual([leg.over, told], [true, ['ready', 'suspect', 'suspect', 'end']])
})

test('a look that comes late blames nobody: what came meanwhile is not read yet', async () => {
  const { clock, leg, told, exit } = makeLeg()
  exit.serves = false
  exit.pongs = false
  leg.openStream({ host: 'a.test', port: 80 })
  await clock.advance(300)
  clock.holdUp(60_000)
  await clock.advance(500)
  assert.deepEqual([leg.healthy, told], [true, ['ready']])
  // From here on nothing held this thread up, and the silence is the route's.
  await clock.advance(500)
  assert.deepEqual([leg.over, told], [false, ['ready', 'suspect']])
  await clock.advance(3_800)
  assert.equal(leg.over, false)
  await clock.advance(600)
  assert.deepEqual([leg.over, told], [true, ['ready', 'suspect', 'end']])
})

test('a leg whose open streams are quiet is asked ever more rarely while only pings are answered', async () => {
  const { clock, leg, told, pings, streams, talk } = makeLeg()
  leg.openStream({ host: 'a.test', port: 80 })
  await clock.advance(50)
  const [stream] = streams
  assert.ok(stream !== undefined)
  /** ms from the last answer to each of the probes in the next `ms`; answers come 5 ms after what they answer. */
  const gapsWithin = async (ms: number): Promise<number[]> => {
    const from = clock.monotonic()
    await clock.advance(ms)
    const probes = pings.filter(({ at, hop }) => at > from && hop === EXIT).map(({ at }) => at)
    return probes.map((at, index) => at - (index === 0 ? from : (probes[index - 1] ?? 0) + 5))
  }
  const doubling = (gaps: readonly number[]): void => {
    assert.equal(gaps.length, 4, `${gaps.join(', ')}`)
    // A look is due every 100 ms.
    for (const [index, gap] of gaps.entries()) {
      const least = 300 * 2 ** index - 50
      assert.ok(gap >= least && gap <= least + 200, `${gap} ms is not about ${least}`)
    }
  }
  doubling(await gapsWithin(5_000))
  // More than an answer to a ping: it begins anew.
  stream.write(new Uint8Array(1))
  talk()
  await clock.advance(10)
  assert.equal(pings.filter(({ hop }) => hop !== EXIT).length, 2)
  doubling(await gapsWithin(4_900))
  assert.deepEqual([leg.healthy, told], [true, ['ready']])
  leg.destroy()
})

test('a leg outlives a ping that is lost', async () => {
  const { clock, leg, told, pings, exit } = makeLeg()
  leg.openStream({ host: 'a.test', port: 80 })
  await clock.advance(600)
  exit.pongs = false
  const before = pings.length
  while (pings.length === before) await clock.advance(50)
  exit.pongs = true
  await clock.advance(6_000)
  assert.deepEqual([leg.over, told], [false, ['ready']])
})

test('a leg whose entry has no usable onion key is over when it is started', () => {
  const clock = new VirtualClock()
  const random = seededRandom(1)
  const circuits = new ClientCircuits({ networkId: 'test', clock, random })
  const entry = makeMember(1, ['entry'], { onionKey: LOW_ORDER_KEY })
  const told: string[] = []
  const leg = new PathSet({
    ...ALONE,
    hops: [entry, makeMember(2, ['relay']), makeMember(3, ['exit'])],
    circuits,
    queue: new FlushQueue(() => {}),
    clock,
    random,
    onReady: () => told.push('ready'),
    onSuspect: () => told.push('suspect'),
    onEnd: ({ over, loss }) => {
      assert.ok(over)
      assert.equal(loss?.fault.code, 'E_CIRCUIT_ENDED')
      assert.equal(loss.culprit, entry)
      told.push('end')
    },
  })
  leg.start()
  assert.deepEqual(told, ['end'])
  assert.deepEqual([leg.over, leg.ready, leg.promising], [true, false, false])
  assert.equal(leg.openStream({ host: 'a.test', port: 80 }), undefined)
  assert.deepEqual(leg.status('active'), [])
  assert.equal(circuits.size, 0)
  leg.destroy()
  assert.deepEqual(told, ['end'])
})
