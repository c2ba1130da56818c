import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Random, concatBytes, randomInt, seededRandom } from '@weft/core'
import { Packet } from '../../src/packet/packet.ts'
import { TestNetwork, cell } from './link-network.ts'

const PACKETS = 100_000
const SEED = 20_261

/** One hostile datagram made of a genuine one. Of a cell the link authenticates all but the unit, which its hop does. */
function spoil(random: Random, genuine: Uint8Array, isCell: boolean): Uint8Array {
  const bytes = genuine.slice()
  switch (randomInt(random, 5)) {
    case 0:
      return bytes.subarray(0, randomInt(random, 1440))
    case 1:
      return concatBytes([bytes, random.bytes(1 + randomInt(random, 100))])
    case 2: // cut, then filled up to size
      bytes.set(random.bytes(100), 1340)
      return bytes
    case 3:
      return random.bytes(1440)
    default: {
      const place = randomInt(random, isCell ? 136 : 1440)
      const at = place < 36 || !isCell ? place : 1304 + place
      bytes[at]! ^= 1 << randomInt(random, 8)
      return bytes
    }
  }
}

describe(`${PACKETS} hostile datagrams (seed ${SEED})`, () => {
  it('are all dropped, and the link lives on', async () => {
    const network = new TestNetwork()
    const [a, b] = [network.add(1), network.add(2)]
    const link = a.links.connect(b.endpoint, b.keys.publicKey, false)
    link.circuits = 1
    await network.run(10)
    // Genuine packets that never arrived, so that only their content can give them away; and ones that did.
    network.log = []
    network.conditions.loss = 1
    for (let i = 0; i < 20; i++) link.sendCell(1, cell(i))
    for (let i = 0; i < 20; i++) link.sendMessage(3, 1, Uint8Array.of(i))
    network.add(3).links.connect(b.endpoint, b.keys.publicKey, true)
    const lost = network.log
    network.log = []
    network.conditions.loss = 0
    for (let i = 0; i < 20; i++) link.sendCell(1, cell(100 + i))
    await network.run(10)
    const arrived = network.log
    const before = b.received.length
    assert.equal(before, 20)

    const random = seededRandom(SEED)
    const packet = new Packet()
    const counters = { ...b.links.counters }
    let dropped = 0
    for (let i = 0; i < PACKETS; i++) {
      const replay = randomInt(random, 10) === 0
      const pick = randomInt(random, replay ? arrived.length : lost.length)
      const datagram = replay ? arrived[pick]! : spoil(random, lost[pick]!, pick < 20)
      if (packet.copyFrom(datagram)) b.links.receive(packet, a.endpoint)
      else dropped++
      b.links.work()
    }
    assert.equal(b.received.length, before)
    assert.deepEqual(b.events, ['up'])
    const now = b.links.counters
    const refused =
      now.unknown + now.notAuthentic + now.replayed - counters.unknown - counters.notAuthentic - counters.replayed
    assert.equal(refused + dropped, PACKETS)
    assert.ok(now.replayed > PACKETS / 20 && now.notAuthentic > PACKETS / 20 && now.unknown > PACKETS / 20)

    for (const bytes of lost.slice(0, 40)) network.deliver(bytes, a.endpoint, b)
    assert.equal(b.received.length, before + 40)
  })
})
