import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Random, concatBytes, randomInt, seededRandom } from '@weft/core'
import { say, textOf } from '../circuit/fake-network.ts'
import { CLIENT, type Datagram, LinkedNodes } from '../circuit/linked-nodes.ts'

/** What somebody on the way makes of the datagrams that he saw. */
const CHANGES: readonly ((seen: Uint8Array, other: Uint8Array, random: Random) => Uint8Array)[] = [
  (seen) => seen,
  (seen, _, random) => {
    const bytes = seen.slice()
    bytes[randomInt(random, 1440)]! ^= 1 << randomInt(random, 8)
    return bytes
  },
  // More likely where something is said in few bytes: index, counters, header, and the counter of the circuit.
  (seen, _, random) => {
    const bytes = seen.slice()
    bytes[randomInt(random, 52)]! ^= 1 + randomInt(random, 255)
    return bytes
  },
  (seen, _, random) => seen.subarray(0, randomInt(random, 1440)),
  (seen, _, random) => concatBytes([seen, random.bytes(1 + randomInt(random, 100))]),
  (seen, _, random) => concatBytes([seen.subarray(0, 4), random.bytes(1436)]),
  (_seen, _other, random) => random.bytes(1440),
  // The head of one with the rest of another.
  (seen, other, random) => {
    const at = randomInt(random, 1440)
    return concatBytes([seen.subarray(0, at), other.subarray(at)])
  },
]

/**
 * So many changed, cut, lengthened, mixed, made-up and replayed datagrams between all neighbours of a circuit that is in use:
 * none brings anything to either end, none makes or ends anything, and none is too much.
 */
export function testHostile(count: number, seed: number): void {
  test(`${count} hostile datagrams against links and a circuit in use (seed ${seed}): none is accepted`, async () => {
    const nodes = new LinkedNodes()
    const random = seededRandom(seed)
    const back: string[] = []
    const ends: number[] = []
    nodes.log = []
    const circuit = nodes.build({
      onPacket: (_, payload) => back.push(textOf(payload)),
      onEnd: (reason) => ends.push(reason),
    })
    nodes.settle()
    assert.equal(circuit.state, 'ready')
    let said = 0
    const exchange = (): void => {
      said++
      assert.ok(circuit.seal(say(said, `up ${said}`)))
      assert.ok(nodes.exits[0]!.seal(say(said, `down ${said}`)))
    }
    /** Keys are renewed twice meanwhile, so that some of what is sent was once right. */
    const rounds = 5
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < 30; i++) exchange()
      nodes.settle()
      // Some never arrive: only what is in them can give them away.
      exchange()
      nodes.lose()
      const lost = nodes.log.slice(-LOST)
      const seen: readonly Datagram[] = nodes.log
      nodes.log = undefined
      const [arrived, returned] = [nodes.arrived.length, back.length]
      for (let i = 0; i < count / rounds; i++) {
        const datagram = seen[randomInt(random, seen.length)]!
        const other = seen[randomInt(random, seen.length)]!
        const kind = i % CHANGES.length
        const bytes = CHANGES[kind]!(datagram.bytes, other.bytes, random)
        // What never arrived is no replay; a mixture may be one of its two, whole.
        if (lost.some((each) => Buffer.compare(each.bytes, bytes) === 0)) continue
        nodes.deliver({ bytes, from: i % 5 === 0 ? randomInt(random, 4) : datagram.from, to: datagram.to })
        nodes.settle()
      }
      assert.deepEqual([nodes.arrived.length, back.length], [arrived, returned])
      assert.deepEqual([nodes.down, ends, circuit.state], [[], [], 'ready'])
      for (const { links, circuits } of nodes.machines) {
        assert.ok(links.size <= 2, `${links.size} links`)
        assert.equal(circuits.size, 1)
      }
      nodes.log = seen.slice(-500)
      for (let i = 0; i < 5; i++) {
        await nodes.pass(10_000)
        for (const hop of [0, 1, 2]) circuit.ping(hop)
        nodes.settle()
      }
    }
    exchange()
    nodes.settle()
    assert.deepEqual([nodes.arrived.at(-1), back.at(-1)], [`up ${said}`, `down ${said}`])
    assert.equal(nodes.machine(CLIENT).circuits.size, 1)
  })
}

/** Datagrams of the last exchange of a round, which are lost at their first link. */
const LOST = 2
