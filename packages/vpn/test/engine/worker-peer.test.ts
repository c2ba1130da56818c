import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CircuitReason, type ExitCircuit } from '@weft/onion'
import fc from 'fast-check'
import { FlushQueue } from '../../src/engine/flush-queue.ts'
import { BATCH_PACKETS, PacketBatch } from '../../src/engine/packet-batch.ts'
import { LANE_PACKETS, LANE_PACKETS_OF_CIRCUIT, WorkerLane } from '../../src/engine/worker-lane.ts'
import { WorkerPeer } from '../../src/engine/worker-peer.ts'
import { FakeWorkerPorts } from './fake-worker-port.ts'

const PAYLOAD = 1329

/** A circuit that takes packets while it has room. */
class FakeCircuit implements ExitCircuit {
  readonly payloadLength = PAYLOAD
  onPacket: ExitCircuit['onPacket']
  onEnd: ExitCircuit['onEnd']
  onRoom: ExitCircuit['onRoom']
  room = Infinity
  readonly sent: number[] = []
  readonly ends: number[] = []

  seal(fill: (payload: Uint8Array) => number): boolean {
    if (this.room <= 0) return false
    this.room--
    const payload = new Uint8Array(PAYLOAD)
    const number = fill(payload)
    assert.equal(payload[0], number & 0xff)
    this.sent.push(number)
    return true
  }

  destroy(reason: number): void {
    this.ends.push(reason)
    this.onEnd = undefined
  }
}

function packet(number: number): Uint8Array {
  return new Uint8Array(PAYLOAD).fill(number & 0xff)
}

/** Two workers: circuits of the first, sessions of the second. */
function twoWorkers(takes = true) {
  const ports = new FakeWorkerPorts()
  const queues = [new FlushQueue(() => {}), new FlushQueue(() => {})] as const
  const borrowed: ExitCircuit[] = []
  const came: number[] = []
  const ends: number[] = []
  const peer = (at: 0 | 1): WorkerPeer =>
    new WorkerPeer({
      port: ports.ends[at],
      queue: queues[at],
      join: (circuit, packetNumber, payload) => {
        if (!takes) return false
        const take = (number: number, bytes: Uint8Array): void => {
          assert.deepEqual([...new Set(bytes)], [number & 0xff])
          came.push(number)
        }
        borrowed.push(circuit)
        circuit.onPacket = take
        circuit.onEnd = (reason) => void ends.push(reason)
        take(packetNumber, payload)
        return true
      },
    })
  const [first, second] = [peer(0), peer(1)]
  const lend = (): FakeCircuit => {
    const circuit = new FakeCircuit()
    assert.ok(first.lend(circuit, 7, packet(7)))
    return circuit
  }
  /** Lets both queues run, and delivers what they send. */
  const settle = async (): Promise<void> => {
    do {
      ports.deliver()
      await Promise.resolve()
      await new Promise((done) => setImmediate(done))
    } while (ports.waiting > 0)
  }
  const send = (circuit: ExitCircuit, number: number): boolean =>
    circuit.seal((payload) => {
      payload.set(packet(number))
      return number
    })
  return { ports, first, second, borrowed, came, ends, lend, settle, send }
}

describe('a circuit whose session is another worker of its node has', () => {
  test('packets go both ways whole and in order, and many in one message', async () => {
    const { ports, came, borrowed, lend, settle, send } = twoWorkers()
    const circuit = lend()
    await settle()
    for (let number = 100; number < 200; number++) circuit.onPacket?.(number, packet(number))
    await settle()
    const [far] = borrowed
    assert.ok(far !== undefined)
    assert.equal(far.payloadLength, PAYLOAD)
    assert.deepEqual(came, [7, ...Array.from({ length: 100 }, (_, at) => 100 + at)])
    for (let number = 2 ** 40; number < 2 ** 40 + 100; number++) assert.ok(send(far, number))
    await settle()
    assert.deepEqual(
      circuit.sent,
      Array.from({ length: 100 }, (_, at) => 2 ** 40 + at),
    )
    assert.deepEqual([ports.sent['up'], ports.sent['down']], [4, 4])
  })

  test('a circuit that takes nothing holds its session back after 128 packets, which go later, and another one goes on', async () => {
    const { borrowed, lend, settle, send } = twoWorkers()
    const [stuck, free] = [lend(), lend()]
    stuck.room = 0
    await settle()
    const [toStuck, toFree] = borrowed as [ExitCircuit, ExitCircuit]
    let rooms = 0
    toStuck.onRoom = () => void rooms++
    let taken = 0
    for (let round = 0; round < 4; round++) {
      while (taken < 10_000 && send(toStuck, taken)) taken++
      await settle()
    }
    assert.equal(taken, LANE_PACKETS_OF_CIRCUIT)
    assert.equal(rooms, 0)
    for (let number = 0; number < 1_000; number++) {
      assert.ok(send(toFree, number))
      if (number % 50 === 0) await settle()
    }
    await settle()
    assert.equal(free.sent.length, 1_000)
    stuck.room = 40
    stuck.onRoom?.()
    await settle()
    assert.ok(rooms > 0)
    assert.equal(stuck.sent.length, 40)
    stuck.room = Infinity
    stuck.onRoom?.()
    await settle()
    assert.deepEqual(
      stuck.sent,
      Array.from({ length: LANE_PACKETS_OF_CIRCUIT }, (_, at) => at),
    )
    assert.ok(send(toStuck, taken))
  })

  test('a client that sends more than the other worker takes loses packets of its own', async () => {
    const { first, came, lend, settle } = twoWorkers()
    const [flood, other] = [lend(), lend()]
    await settle()
    for (let number = 0; number < 10_000; number++) flood.onPacket?.(number, packet(number))
    other.onPacket?.(77, packet(77))
    assert.equal(first.dropped, 10_000 - LANE_PACKETS_OF_CIRCUIT)
    await settle()
    assert.equal(came.length, 2 + LANE_PACKETS_OF_CIRCUIT + 1)
    flood.onPacket?.(5, packet(5))
    await settle()
    assert.equal(came.at(-1), 5)
  })

  test('a worker that reads nothing is sent no more than its room, however many circuits come, send and end', async () => {
    const { ports, first, came, ends, lend, settle } = twoWorkers()
    for (let circuits = 0; circuits < 300; circuits++) {
      const circuit = lend()
      for (let number = 0; number < 200; number++) circuit.onPacket?.(number, packet(number))
      circuit.onEnd?.(CircuitReason.none)
      await new Promise((done) => setImmediate(done))
    }
    assert.ok(ports.packetsTo(1) > LANE_PACKETS / 2 && ports.packetsTo(1) <= LANE_PACKETS, `${ports.packetsTo(1)}`)
    assert.ok((ports.sent['end'] ?? 0) <= (ports.sent['join'] ?? 0))
    assert.equal(first.lent, 0)
    await settle()
    const before = came.length
    assert.equal(ends.length, ports.sent['join'])
    const circuit = lend()
    for (let number = 0; number < 200; number++) circuit.onPacket?.(number, packet(number))
    await settle()
    // Its first and 127 more were under way at once.
    assert.equal(came.length - before, LANE_PACKETS_OF_CIRCUIT)
  })

  test('a circuit that comes while there is no room joins by a packet behind, and its end is told when it did', async () => {
    const { ports, came, lend, settle } = twoWorkers()
    for (let circuits = 0; circuits < 300; circuits++) {
      const circuit = lend()
      for (let number = 0; number < 200; number++) circuit.onPacket?.(number, packet(number))
    }
    const [late, gone] = [lend(), lend()]
    late.onPacket?.(8, packet(8))
    gone.onEnd?.(CircuitReason.none)
    const joins = ports.sent['join']
    await settle()
    assert.deepEqual([ports.sent['join'], ports.sent['end'] ?? 0], [joins, 0])
    late.onPacket?.(99, packet(99))
    late.onPacket?.(100, packet(100))
    await settle()
    assert.deepEqual([ports.sent['join'], came.slice(-2)], [(joins ?? 0) + 1, [99, 100]])
  })

  test('what a session sends to circuits that end is counted until it was read, whoever ends them', async () => {
    const { ports, borrowed, lend, settle, send } = twoWorkers()
    for (let circuits = 0; circuits < 60; circuits++) {
      const circuit = lend()
      circuit.room = circuits % 3 === 0 ? 0 : Infinity
      ports.deliver(1)
      const far = borrowed.at(-1) ?? assert.fail()
      for (let number = 0; number < 200; number++) send(far, number)
      if (circuits % 2 === 0) circuit.onEnd?.(CircuitReason.none)
      else far.destroy(CircuitReason.none)
      await new Promise((done) => setImmediate(done))
      ports.deliver(1)
    }
    assert.ok(ports.packetsTo(0) > LANE_PACKETS / 2 && ports.packetsTo(0) <= LANE_PACKETS, `${ports.packetsTo(0)}`)
    await settle()
    const circuit = lend()
    await settle()
    const far = borrowed.at(-1) ?? assert.fail()
    let taken = 0
    while (taken < 500 && send(far, taken)) taken++
    assert.equal(taken, LANE_PACKETS_OF_CIRCUIT)
    await settle()
    assert.equal(circuit.sent.length, LANE_PACKETS_OF_CIRCUIT)
  })

  test('what a circuit kept when it ended leaves its room to others', async () => {
    const { borrowed, lend, settle, send } = twoWorkers()
    for (let circuits = 0; circuits < 40; circuits++) {
      const circuit = lend()
      circuit.room = 0
      await settle()
      const far = borrowed.at(-1) ?? assert.fail()
      let taken = 0
      while (send(far, taken)) taken++
      assert.equal(taken, LANE_PACKETS_OF_CIRCUIT, `of circuit ${circuits}`)
      await settle()
      circuit.onEnd?.(CircuitReason.none)
      await settle()
    }
  })

  test('its end is told to the session, behind what it sent, and once', async () => {
    const { first, came, ends, lend, settle } = twoWorkers()
    const circuit = lend()
    circuit.onPacket?.(9, packet(9))
    circuit.onEnd?.(CircuitReason.linkLost)
    await settle()
    assert.deepEqual([came, ends, first.lent], [[7, 9], [CircuitReason.linkLost], 0])
  })

  test('the session ends it, behind its last words', async () => {
    const { first, borrowed, ends, lend, settle, send } = twoWorkers()
    const circuit = lend()
    await settle()
    const [far] = borrowed as [ExitCircuit]
    assert.ok(send(far, 3))
    far.destroy(CircuitReason.none)
    far.destroy(CircuitReason.none)
    assert.equal(send(far, 4), false)
    await settle()
    assert.deepEqual([circuit.sent, circuit.ends, ends, first.lent], [[3], [CircuitReason.none], [], 0])
  })

  test('it is refused where the session is not there any more', async () => {
    const { first, lend, settle } = twoWorkers(false)
    const circuit = lend()
    await settle()
    assert.deepEqual([circuit.ends, first.lent], [[CircuitReason.sessionUnknown], 0])
  })

  test('when a worker goes all that ran over it ends at both', async () => {
    const { first, second, ends, lend, settle } = twoWorkers()
    const circuit = lend()
    await settle()
    second.close()
    assert.deepEqual([circuit.ends, ends], [[CircuitReason.stopping], [CircuitReason.stopping]])
    assert.equal(first.lend(new FakeCircuit(), 1, packet(1)), false)
  })
})

test('a lane never holds more than its room, and all of it comes back', () => {
  const port = { postMessage: () => {}, on: () => undefined, close: () => {} }
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('put', 'count', 'took', 'open', 'close', 'flush'), fc.nat(40), fc.integer()), {
        maxLength: 1_000,
        size: 'max',
      }),
      (steps) => {
        const lane = new WorkerLane(port, 'up', () => {})
        /** What was put and not taken, of circuits that are open, and of those that are over. */
        const onItsWay = new Map<number, number>()
        const open = new Set<number>()
        for (const [what, id, count] of steps) {
          const waiting = onItsWay.get(id) ?? 0
          // No circuit gets the id of one that has packets on their way.
          if (what === 'open' && waiting === 0) {
            lane.open(id)
            open.add(id)
          } else if (what === 'close') {
            lane.close(id)
            open.delete(id)
          } else if (what === 'took') {
            lane.took(id, count)
            if (count > 0) onItsWay.set(id, Math.max(0, waiting - count))
          } else if (what === 'flush') lane.flush()
          else if (what === 'put' || what === 'count')
            for (let more = 0; more < 200; more++) {
              const before = onItsWay.get(id) ?? 0
              const isTaken: boolean = what === 'put' ? lane.put(id, 4, () => more) : lane.count(id)
              assert.ok(!isTaken || (open.has(id) && before < LANE_PACKETS_OF_CIRCUIT))
              if (isTaken) onItsWay.set(id, before + 1)
            }
          let all = 0
          for (const packets of onItsWay.values()) all += packets
          assert.equal(lane.size, all)
          assert.ok(lane.size <= LANE_PACKETS)
        }
        for (const [id, packets] of onItsWay) lane.took(id, packets)
        assert.equal(lane.size, 0)
      },
    ),
    { numRuns: 50 },
  )
})

test('a batch of whatever bytes gives packets of sound lengths and numbers, or none', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5_000 }), fc.integer(), (bytes, count) => {
      new PacketBatch(bytes.slice().buffer).read(count, (id, number, payload) => {
        assert.ok(id >= 0 && id < 2 ** 32 && Number.isSafeInteger(number) && number >= 0)
        assert.ok(payload.length <= 1_379)
      })
    }),
  )
  const batch = new PacketBatch()
  for (let at = 0; !batch.isFull; at++) batch.add(at, 1_379, () => at)
  assert.equal(batch.count, BATCH_PACKETS)
})

test('many circuits together fill a lane no further than its room, and each gets less the fuller it is', () => {
  const lane = new WorkerLane({ postMessage: () => {}, on: () => undefined, close: () => {} }, 'up', () => {})
  const had: number[] = []
  for (let id = 0; id < 40; id++) {
    lane.open(id)
    const before = lane.size
    while (lane.put(id, 4, () => id));
    had.push(lane.size - before)
  }
  assert.ok(lane.size <= LANE_PACKETS, `${lane.size}`)
  assert.equal(had[0], LANE_PACKETS_OF_CIRCUIT)
  assert.ok(had.every((packets, at) => at === 0 || packets <= (had[at - 1] ?? 0)))
  assert.ok((had[17] ?? 0) > 0)
})
