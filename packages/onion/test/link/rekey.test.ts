import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { LinkLimits } from '../../src/link/link-limits.ts'
import type { Link } from '../../src/link/link.ts'
import { type Received, TestNetwork, type TestNode, cell, numberOf } from './link-network.ts'

const rising = (x: number, y: number): number => x - y
const numbersOf = (received: readonly Received[]): number[] => received.map(numberOf).sort(rising)
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** Two nodes and a link that has circuits, up since 0 ms. */
async function linked(limits: Partial<LinkLimits> = {}, seed = 1) {
  const network = new TestNetwork(seed)
  const [a, b] = [network.add(1, { limits }), network.add(2, { limits })]
  const link = a.links.connect(b.endpoint, b.keys.publicKey, false)
  link.circuits = 1
  await network.run(10)
  const back = b.ups[0]!
  back.circuits = 1
  return { network, a, b, link, back }
}

/** The index by which the other side calls this one changes with the keys. */
const indexOf = (network: TestNetwork, send: () => void): number => {
  network.log = []
  send()
  return new DataView(network.log[0]!.buffer).getUint32(0)
}

describe('keys of a link', () => {
  it('are renewed at 120 s, by the initiator alone, and only then', async () => {
    const { network, link, back } = await linked()
    const [first, firstBack] = [
      indexOf(network, () => link.sendCell(1, cell(0))),
      indexOf(network, () => back.sendCell(1, cell(0))),
    ]
    await network.run(119_900)
    assert.equal(
      indexOf(network, () => link.sendCell(1, cell(0))),
      first,
    )
    await network.run(200)
    assert.notEqual(
      indexOf(network, () => link.sendCell(1, cell(0))),
      first,
    )
    assert.notEqual(
      indexOf(network, () => back.sendCell(1, cell(0))),
      firstBack,
    )
  })

  for (const sender of ['initiator', 'responder'] as const)
    it(`are renewed when the ${sender} sent so many packets, and carry no more than the last limit`, async () => {
      const { network, a, b, link, back } = await linked({ rekeyAfterPackets: 100, rejectAfterPackets: 200 })
      const [from, to] = sender === 'initiator' ? [link, b] : [back, a]
      const first = indexOf(network, () => from.sendCell(1, cell(0)))
      for (let i = 1; i < 300; i++) {
        assert.ok(from.sendCell(1, cell(i)))
        await network.run(5)
      }
      assert.deepEqual(numbersOf(to.received), upTo(300))
      assert.notEqual(
        indexOf(network, () => from.sendCell(1, cell(300))),
        first,
      )
      // Without an answer to its handshakes it ends at the limit.
      await network.run(10)
      network.works = false
      let sent = 0
      while (from.sendCell(1, cell(sent))) {
        sent++
        await network.run(1)
        assert.ok(sent < 250)
      }
      await network.run(10)
      assert.deepEqual(numbersOf(to.received.slice(301)), upTo(sent))
      assert.deepEqual([a.events, b.events], [['up'], ['up']])
    })

  it('are neither used nor taken when they are 180 s old', async () => {
    const { network, a, b, link } = await linked()
    network.works = false
    network.log = []
    await network.run(179_980)
    assert.ok(link.sendCell(1, cell(1)))
    const late = network.log.at(-1)!
    network.conditions.loss = 1
    await network.run(100)
    assert.deepEqual(
      [a.events, b.events],
      [
        ['up', 'down: keys expired'],
        ['up', 'down: keys expired'],
      ],
    )
    const { length } = b.received
    network.deliver(late, a.endpoint, b)
    assert.equal(b.received.length, length)
    assert.equal(link.sendCell(1, cell(2)), false)
  })

  it('go on to their end when the other side answers no handshake, with a try every 5 s', async () => {
    const { network, a, b, link, back } = await linked()
    network.works = false
    network.log = []
    let sent = 0
    for (; sent < 170; sent++) {
      assert.ok(link.sendCell(1, cell(sent)) && back.sendCell(1, cell(sent)), `second ${sent}`)
      await network.run(1_000)
    }
    assert.ok(b.links.waiting >= 9 && b.links.waiting <= 11, `${b.links.waiting} initiations`)
    assert.deepEqual([a.events, b.events], [['up'], ['up']])
    assert.deepEqual([numbersOf(a.received), numbersOf(b.received)], [upTo(sent), upTo(sent)])
    await network.run(20_000)
    assert.deepEqual(a.events, ['up', 'down: keys expired'])
  })

  it('are renewed as soon as the other side answers again', async () => {
    const { network, a, b, link } = await linked()
    network.works = false
    await network.run(150_000)
    network.works = true
    await network.run(6_000)
    const before = b.received.length
    await network.run(100_000)
    assert.ok(link.sendCell(1, cell(7)))
    await network.run(10)
    assert.equal(b.received.length, before + 1)
    assert.deepEqual([a.events, b.events], [['up'], ['up']])
  })

  it('of a side that is gone are not kept: six tries, and no sign of life', async () => {
    const { network, a, link } = await linked()
    await network.run(115_000)
    network.conditions.loss = 1
    // A create that nothing answers begins the renewal.
    link.sendMessage(1, 0x8000_0009, new Uint8Array(10))
    await network.run(6_500)
    assert.deepEqual(a.events, ['up', 'down: no answer'])
  })
})

describe('a link that fell silent', () => {
  it('goes on when the other side answers pings, and no handshakes', async () => {
    const { network, a, b, link } = await linked()
    network.works = false
    link.sendMessage(1, 0x8000_0009, new Uint8Array(10))
    await network.run(60_000)
    assert.ok(b.links.waiting > 6)
    assert.ok(link.sendCell(1, cell(1)))
    await network.run(10)
    assert.equal(numberOf(b.received.at(-1)!), 1)
    assert.deepEqual([a.events, b.events], [['up'], ['up']])
  })
})

describe('a renewal of keys', () => {
  it('loses nothing that is on its way, be it for nearly a second and out of order', async () => {
    const { network, a, b, link, back } = await linked({}, 5)
    Object.assign(network.conditions, { minDelay: 20, maxDelay: 900 })
    let sent = 0
    for (; sent < 7_000; sent++) {
      assert.ok(link.sendCell(1, cell(sent)) && back.sendCell(1, cell(sent)))
      await network.run(100)
    }
    await network.run(1_000)
    assert.deepEqual([numbersOf(a.received), numbersOf(b.received)], [upTo(sent), upTo(sent)])
    assert.deepEqual([a.events, b.events], [['up'], ['up']])
  })

  for (const [lost, word] of [
    [0, 'initiation'],
    [1, 'response'],
    [2, 'first packet under the new keys'],
  ] as const)
    it(`is made again when its ${word} is lost, and loses nothing else`, async () => {
      const { network, a, b, link, back } = await linked()
      let sent = 0
      const exchange = async (seconds: number): Promise<void> => {
        for (let i = 0; i < seconds; i++, sent++) {
          assert.ok(link.sendCell(1, cell(sent)) && back.sendCell(1, cell(sent)))
          await network.run(1_000)
        }
      }
      await exchange(119)
      const first = indexOf(network, () => link.sendCell(1, cell(sent)))
      back.sendCell(1, cell(sent))
      sent++
      await network.run(500)
      // In the silence around 120 s the three packets of the handshake are alone.
      let seen = 0
      network.drop = () => seen++ === lost
      await network.run(800)
      network.drop = undefined
      assert.ok(seen > lost)
      await exchange(130)
      assert.deepEqual([numbersOf(a.received), numbersOf(b.received)], [upTo(sent), upTo(sent)])
      assert.deepEqual([a.events, b.events], [['up'], ['up']])
      assert.notEqual(
        indexOf(network, () => link.sendCell(1, cell(sent))),
        first,
      )
    })

  it('settles when both sides make one at once, of the two links between them, and when their packets cross', async () => {
    const network = new TestNetwork(3)
    const [a, b] = [network.add(1), network.add(2)]
    network.conditions.minDelay = network.conditions.maxDelay = 40
    const own = [
      a.links.connect(b.endpoint, b.keys.publicKey, false),
      b.links.connect(a.endpoint, a.keys.publicKey, false),
    ]
    await network.run(200)
    const all = [...a.ups, ...b.ups]
    for (const link of all) link.circuits = 1
    assert.equal(all.length, 4)
    let sent = 0
    for (; sent < 500; sent++) {
      for (const link of own) assert.ok(link.sendCell(1, cell(sent)))
      await network.run(1_000)
    }
    await network.run(100)
    assert.deepEqual(
      [a.events, b.events],
      [
        ['up', 'up'],
        ['up', 'up'],
      ],
    )
    assert.deepEqual([numbersOf(a.received), numbersOf(b.received)], [upTo(sent), upTo(sent)])
  })

  it('settles on the newest keys when an initiator sends several, and their answers come late and in any order', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { network, a, b, link, back } = await linked({}, seed)
      Object.assign(network.conditions, { minDelay: 700, maxDelay: 2_600 })
      await network.run(130_000)
      Object.assign(network.conditions, { minDelay: 1, maxDelay: 1 })
      await network.run(3_000)
      const count = (node: TestNode, from: Link): number => {
        const before = node.received.length
        assert.ok(from.sendCell(1, cell(1)))
        return before
      }
      const before = [count(b, link), count(a, back)]
      await network.run(10)
      assert.deepEqual([b.received.length, a.received.length], [before[0]! + 1, before[1]! + 1], `seed ${seed}`)
    }
  })
})
