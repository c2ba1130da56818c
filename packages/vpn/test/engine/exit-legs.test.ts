import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, silentLogger, systemRandom } from '@weft/core'
import {
  CircuitReason,
  type ExitCircuit,
  MemoryBudget,
  Session,
  type SessionLeg,
  SharedSessionNames,
  newSharedMemory,
} from '@weft/onion'
import { ExitService } from '../../src/engine/exit-service.ts'
import { FlushQueue } from '../../src/engine/flush-queue.ts'
import { OtherWorkers } from '../../src/engine/other-workers.ts'
import { SessionDriver } from '../../src/engine/session-driver.ts'
import { FakeWorkerPorts } from './fake-worker-port.ts'

const PAYLOAD = 1329

/** Workers of one exit, each connected with each. */
function exits(count: number) {
  const clock = new VirtualClock()
  const { sessionNames, secret } = newSharedMemory(systemRandom.bytes(32))
  const ways: FakeWorkerPorts[] = []
  const workers = Array.from({ length: count }, (_, index) => {
    const queue = new FlushQueue(() => {})
    const others = new OtherWorkers(new SharedSessionNames(sessionNames, secret), index, queue)
    const exit = new ExitService({
      workers: count,
      others: count > 1 ? others : undefined,
      internet: undefined,
      memory: new MemoryBudget(12 << 20),
      queue,
      clock,
      random: systemRandom,
      logger: silentLogger,
    })
    return { exit, others }
  })
  for (const [index, { exit, others }] of workers.entries())
    for (const [before, other] of workers.slice(0, index).entries()) {
      const way = new FakeWorkerPorts()
      ways.push(way)
      others.add(before, way.ends[0], (...packet) => exit.join(...packet))
      other.others.add(index, way.ends[1], (...packet) => other.exit.join(...packet))
    }
  /** Lets all that is under way arrive, and a while pass. */
  const settle = async (): Promise<void> => {
    for (let ms = 0; ms < 50; ms += 5) {
      for (const way of ways) way.deliver()
      await clock.advance(5)
    }
  }
  return { clock, workers, settle }
}

/** A client's session, whose circuits hand packets over at once. */
function client(clock: VirtualClock) {
  const queue = new FlushQueue(() => {})
  const session = new Session({
    role: 'client',
    clock,
    random: systemRandom,
    payloadLength: PAYLOAD,
    onWritable: () => driver.wake(),
  })
  const driver = new SessionDriver(session, queue, clock)
  const connect = (exit: ExitService, leg: SessionLeg = session.first) => {
    const ends: number[] = []
    let came = 0
    const circuit: ExitCircuit = {
      payloadLength: PAYLOAD,
      seal: (fill) => {
        const payload = new Uint8Array(PAYLOAD)
        const number = fill(payload)
        came++
        session.receive(number, payload, leg)
        driver.wake()
        return true
      },
      destroy: (reason) => {
        ends.push(reason)
        circuit.onEnd = undefined
      },
    }
    const isTaken = exit.accept(circuit)
    driver.carry(leg, {
      seal: (fill) => {
        const payload = new Uint8Array(PAYLOAD)
        circuit.onPacket?.(fill(payload), payload)
        return true
      },
    })
    driver.wake()
    return { circuit, ends, isTaken, leg, came: () => came }
  }
  const join = (exit: ExitService) => connect(exit, session.addLeg('used') ?? assert.fail('no further leg'))
  return { session, driver, connect, join }
}

test('a circuit joins the session of another worker: the session outlives the circuit that it began with', async () => {
  const { clock, workers, settle } = exits(3)
  const [one, two] = workers as [(typeof workers)[0], (typeof workers)[0]]
  const { session, connect, join, driver } = client(clock)
  const first = connect(one.exit)
  session.name()
  await settle()
  assert.ok(session.isNamed)
  const second = join(two.exit)
  await settle()
  assert.ok(second.came() > 0)
  assert.deepEqual([second.leg.owesJoin, second.ends, two.others.lent], [false, [], 1])
  first.circuit.onEnd?.(CircuitReason.linkLost)
  driver.drop(first.leg)
  session.removeLeg(first.leg)
  await settle()
  // A relay leads to members only; its answer shows that the session is there, over the other worker's circuit.
  const codes: number[] = []
  session.openStream({ host: '192.0.2.1', port: 80 }).handler = { onRefused: (code) => void codes.push(code) }
  driver.wake()
  await settle()
  assert.deepEqual(codes, [13])
  session.close(0, '')
  driver.wake()
  await settle()
  assert.deepEqual([second.ends, one.exit.fill, two.others.lent], [[CircuitReason.none], 0, 0])
  const third = client(clock)
  third.connect(two.exit)
  await settle()
  driver.close()
  third.driver.close()
})

test('a session without a name ends with its last leg, whoever says that this is gone', async () => {
  const { clock, workers, settle } = exits(1)
  const { exit } = workers[0] ?? assert.fail()
  const { session, connect, driver } = client(clock)
  const { circuit, ends } = connect(exit)
  session.openStream({ host: '192.0.2.1', port: 80 })
  driver.wake()
  await settle()
  assert.ok(exit.fill > 0)
  const gone = new Uint8Array(PAYLOAD)
  gone.set([0x22, 0, 0, 0])
  circuit.onPacket?.(2 ** 40, gone)
  await settle()
  assert.deepEqual([exit.fill, ends], [0, [CircuitReason.none]])
  driver.close()
})

test('a circuit whose client pings and acknowledges nothing ends, and its session with it', async () => {
  const { clock, workers } = exits(1)
  const { exit } = workers[0] ?? assert.fail()
  const ends: number[] = []
  let number = 0
  const circuit: ExitCircuit = {
    payloadLength: PAYLOAD,
    seal: (fill) => fill(new Uint8Array(PAYLOAD)) >= 0,
    destroy: (reason) => void ends.push(reason),
  }
  const say = (...bytes: readonly number[]): void => {
    const payload = new Uint8Array(PAYLOAD)
    payload.set(bytes)
    circuit.onPacket?.(number++, payload)
  }
  assert.ok(exit.accept(circuit))
  // OPEN of a stream to port 80 of "a": a relay refuses it, and wants that acknowledged.
  say(0x30, 0, 1, 0, 80, 1, 0x61)
  for (let second = 0; second < 80 && ends.length === 0; second++) {
    await clock.advance(1_000)
    say(0x01)
    assert.ok(ends.length === 0 || second > 59, `${second}`)
  }
  assert.deepEqual([ends, exit.fill], [[CircuitReason.none], 0])
})

/** Circuits of clients that say one thing, as bytes, and name sessions by numbers. */
function bareCircuits(exit: ExitService) {
  const refused: number[] = []
  const name = (at: number): Uint8Array => new Uint8Array(32).fill(1 + (at >> 8)).fill(at & 0xff, 16)
  /** Undefined where the exit takes none. */
  const say = (first: readonly number[], session: number): ExitCircuit | undefined => {
    const made: ExitCircuit = {
      payloadLength: PAYLOAD,
      seal: () => false,
      destroy: (reason) => void refused.push(reason),
    }
    if (!exit.accept(made)) return undefined
    const payload = new Uint8Array(PAYLOAD)
    payload.set(first)
    payload.set(name(session), first.length)
    made.onPacket?.(1, payload)
    return made
  }
  return { say, refused }
}

test('an exit takes three circuits for each place of a session, whatever the sessions ask for', async () => {
  const { workers } = exits(1)
  const { exit } = workers[0] ?? assert.fail()
  const { say, refused } = bareCircuits(exit)
  let taken = 0
  for (let session = 0; session < 1_000; session++) {
    if (say([0x20], session) !== undefined) taken++
    for (let leg = 1; leg < 8; leg++) if (say([0x21, leg, 2], session) !== undefined) taken++
  }
  // 768 sessions with eight of them are 6,144; those behind begin and have no more.
  assert.equal(taken, 8_000)
  assert.deepEqual(
    refused,
    Array.from({ length: 7 * (1_000 - 768) }, () => CircuitReason.sessionUnknown),
  )
})

/** An exit all places of which sessions have that wait for a circuit, in the order of their numbers. */
async function fullOfOrphans() {
  const { clock, workers } = exits(1)
  const { exit } = workers[0] ?? assert.fail()
  const bare = bareCircuits(exit)
  const circuits = Array.from({ length: 2_048 }, (_, at) => bare.say([0x20], at) ?? assert.fail(`${at}`))
  assert.deepEqual([exit.fill, bare.say([0x20], 5_000)], [1, undefined])
  await clock.advance(5_000)
  for (const circuit of circuits) circuit.onEnd?.(CircuitReason.linkLost)
  return { clock, exit, ...bare }
}

test('sessions that wait for a circuit keep nobody out, and give way to a new one, who waits longest first', async () => {
  const { exit, say, refused } = await fullOfOrphans()
  assert.equal(exit.fill, 0)
  assert.ok(say([0x20], 5_000) !== undefined)
  assert.equal(exit.fill, 1 / 2_048)
  assert.deepEqual(refused, [])
  // The first has given way; one that is joined has its place, and takes nobody's.
  say([0x21, 1, 1], 0)
  assert.deepEqual(refused, [CircuitReason.sessionUnknown])
  say([0x21, 1, 1], 2)
  assert.deepEqual([refused.length, exit.fill], [1, 2 / 2_048])
  for (let more = 0; more < 2_046; more++) assert.ok(say([0x20], 6_000 + more) !== undefined, `${more}`)
  assert.deepEqual([exit.fill, say([0x20], 9_000)], [1, undefined])
})

test('a session that waits for a circuit has its place until nobody else needs it, for 15 s', async () => {
  const { clock, exit, say, refused } = await fullOfOrphans()
  await clock.advance(14_000)
  say([0x21, 1, 1], 2_047)
  assert.deepEqual([exit.fill, refused], [1 / 2_048, []])
  await clock.advance(1_001)
  say([0x21, 1, 1], 2_046)
  assert.deepEqual(refused, [CircuitReason.sessionUnknown])
})

test('a session that did not stand for some seconds waits for no circuit, named or not', async () => {
  const { clock, workers } = exits(1)
  const { exit } = workers[0] ?? assert.fail()
  const { say, refused } = bareCircuits(exit)
  const first = say([0x20], 1) ?? assert.fail()
  await clock.advance(4_990)
  first.onEnd?.(CircuitReason.none)
  say([0x21, 1, 1], 1)
  assert.deepEqual([exit.fill, refused], [0, [CircuitReason.sessionUnknown]])
})
