import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Endpoint } from '../../src/link/endpoint.ts'
import type { LinkLimits } from '../../src/link/link-limits.ts'
import { TestNetwork, type TestNode, cell, numberOf } from './link-network.ts'

const address = (i: number): Endpoint => ({ address: `198.51.${i >> 8}.${i & 255}`, port: 1_000 + i })

/** A node that is called by many; what they send stays in their hands, and handshakes wait until the test works on them. */
function busyNode(limits: Partial<LinkLimits> = {}) {
  const network = new TestNetwork()
  const server = network.add(1, { limits: { initiationsPerTurn: 10_000, cookieRepliesPerTurn: 10_000, ...limits } })
  const far = network.add(30, { listen: false })
  let made = 0
  network.log = []
  network.works = false
  const initiation = (): Uint8Array => {
    far.links.connect({ address: '192.0.2.1', port: 1_000 + made++ }, server.keys.publicKey, true)
    return network.log!.at(-1)!
  }
  /** The first `count` initiations to a node that is not under load yet, from as many addresses. */
  const load = (count: number): void => {
    for (let i = 0; i < count; i++) network.deliver(initiation(), address(i), server)
  }
  /** What the node sends when `bytes` come from there. */
  const replies = (bytes: Uint8Array, from: Endpoint): Uint8Array[] => {
    const before = network.log!.length
    network.deliver(bytes, from, server)
    return network.log!.slice(before)
  }
  return { network, server, far, initiation, load, replies }
}

const works = (node: TestNode): void => {
  while (node.links.work());
}

describe('a node under load', () => {
  it('looks into a few initiations a turn, behind the packets of that turn', () => {
    const { server, load } = busyNode({ handshakesPerTurn: 2 })
    load(5)
    assert.deepEqual([server.links.size, server.links.waiting], [0, 5])
    assert.equal(server.links.work(), true)
    assert.deepEqual([server.links.size, server.links.waiting], [2, 3])
    assert.equal(server.links.work(), true)
    assert.equal(server.links.work(), false)
    assert.deepEqual([server.links.size, server.links.waiting], [5, 0])
  })

  it('tries so many packets a turn as initiations, and drops others unread', () => {
    const { server, initiation, replies } = busyNode({ loadedFrom: 0, initiationsPerTurn: 8 })
    const bytes = initiation()
    const answered = (): number => Array.from({ length: 20 }, (_, i) => replies(bytes, address(i))).flat().length
    assert.equal(answered(), 8)
    assert.equal(server.links.counters.tooManyHandshakes, 12)
    assert.equal(server.links.wantsTurn, true)
    assert.equal(server.links.work(), false)
    assert.equal(server.links.wantsTurn, false)
    assert.equal(answered(), 8)
  })

  it('sends so many cookies a turn, and takes those who show one beyond that', async () => {
    const { network, server, initiation, replies } = busyNode({ loadedFrom: 0, cookieRepliesPerTurn: 3 })
    const client = network.add(50, { listen: false })
    client.links.connect(server.endpoint, server.keys.publicKey, true)
    network.conditions.minDelay = network.conditions.maxDelay = 2
    await network.run(4)
    assert.equal(server.links.counters.cookieReplies, 1)
    const bytes = initiation()
    const answered = (): number => Array.from({ length: 9 }, (_, i) => replies(bytes, address(i))).flat().length
    assert.equal(answered(), 2)
    assert.equal(server.links.waiting, 0)
    await network.run(2)
    assert.equal(server.links.waiting, 1)
    server.links.work()
    assert.equal(answered(), 3)
  })

  it('asks for cookies once its queue has grown, one packet for one, and keeps no more than the queue', () => {
    const { server, load, initiation, replies } = busyNode({ loadedFrom: 8, waitingHandshakes: 32 })
    load(8)
    assert.equal(server.links.counters.cookieReplies, 0)
    const bytes = initiation()
    for (let i = 0; i < 500; i++) {
      const sent = replies(bytes, address(1_000 + i))
      assert.deepEqual(
        sent.map(({ length }) => length),
        [1440],
      )
    }
    assert.equal(server.links.counters.cookieReplies, 500)
    assert.deepEqual([server.links.size, server.links.waiting], [0, 8])
  })

  it('is reached by those who show the cookie, while a flood from false addresses goes on, and no link is lost', async () => {
    const { network, server, initiation } = busyNode({ loadedFrom: 8, waitingHandshakes: 32 })
    const old = network.add(2)
    network.works = true
    const link = old.links.connect(server.endpoint, server.keys.publicKey, false)
    link.circuits = 1
    await network.run(20)
    server.ups[0]!.circuits = 1
    network.works = false
    const flood = Array.from({ length: 16 }, initiation)
    const honest = Array.from({ length: 40 }, (_, i) => network.add(100 + i, { listen: false }))
    let sent = 0
    for (let turn = 0; turn < 4_000; turn++) {
      for (let i = 0; i < 4; i++) network.deliver(flood[(turn + i) % 16]!, address((turn * 4 + i) & 0xffff), server)
      const next = turn % 100 === 50 ? honest[turn / 100 - 0.5] : undefined
      next?.links.connect(server.endpoint, server.keys.publicKey, true)
      if (turn % 40 === 0) link.sendCell(1, cell(sent++))
      network.log = []
      await network.run(1)
      server.links.work()
      assert.ok(server.links.waiting <= 32)
    }
    for (let turn = 0; turn < 50; turn++) {
      await network.run(1)
      server.links.work()
    }
    assert.deepEqual(
      honest.map(({ events }) => events),
      honest.map(() => ['up']),
    )
    assert.deepEqual(old.events, ['up'])
    assert.deepEqual(
      server.received.map(numberOf),
      Array.from({ length: sent }, (_, i) => i),
    )
    assert.ok(server.links.counters.cookieReplies > 10_000)
    // The flood's own were replays, but for the sixteen and what was let in before the queue had grown.
    assert.ok(server.links.size <= 60, `${server.links.size} links`)
  })

  it('takes a cookie from that address and port only, and for two minutes', async () => {
    const { network, server, load } = busyNode({ loadedFrom: 4 })
    load(4)
    const client = network.add(50, { listen: false })
    client.links.connect(server.endpoint, server.keys.publicKey, true)
    // There, the cookie back, and the initiation that shows it.
    network.conditions.minDelay = network.conditions.maxDelay = 2
    await network.run(5)
    const proven = network.log!.at(-1)!
    const before = server.links.counters.cookieReplies
    assert.equal(before, 1)
    const waits = (from: Endpoint): boolean => {
      const { waiting } = server.links
      network.deliver(proven, from, server)
      return server.links.waiting > waiting
    }
    assert.equal(waits(client.endpoint), true)
    assert.equal(waits({ ...client.endpoint, port: 51 }), false)
    assert.equal(waits({ ...client.endpoint, address: '192.0.2.2' }), false)
    network.conditions.loss = 1
    await network.run(115_000)
    assert.equal(waits(client.endpoint), true)
    await network.run(5_000)
    assert.equal(waits(client.endpoint), false)
  })

  it('works for one address no more than so many times a second, cookie or not', async () => {
    const { network, server, load } = busyNode({ loadedFrom: 4, handshakesPerPrefix: 3 })
    load(4)
    const clients = Array.from({ length: 6 }, (_, i) => network.add(50 + i, { listen: false }))
    for (const { links } of clients) links.connect(server.endpoint, server.keys.publicKey, true)
    await network.run(10)
    assert.equal(server.links.waiting, 4 + 3)
    assert.equal(server.links.counters.tooManyHandshakes, 3)
    works(server)
    // The others come again after a second.
    await network.run(1_100)
    works(server)
    await network.run(10)
    assert.equal(clients.filter(({ events }) => events[0] === 'up').length, 6)
  })

  it('works for one network no more than so many times a second, whatever address of it asks', async () => {
    const { network, server, load } = busyNode({ loadedFrom: 4, handshakesPerPrefix: 3, handshakesPerNetwork: 5 })
    load(4)
    const clients = Array.from({ length: 12 }, (_, i) =>
      network.add(50 + i, { listen: false }, `2001:db8:${i < 8 ? 1 : 2}:${i}::1`),
    )
    for (const { links } of clients) links.connect(server.endpoint, server.keys.publicKey, true)
    await network.run(10)
    // Five of the eight of one network, and all four of the other.
    assert.equal(server.links.waiting, 4 + 5 + 4)
    assert.equal(server.links.counters.tooManyHandshakes, 3)
  })

  it('leaves a quarter of its queue to those it has links with', async () => {
    const { network, server, initiation } = busyNode({ loadedFrom: 100, waitingHandshakes: 8 })
    const from = { address: '203.0.113.5', port: 9 }
    network.deliver(initiation(), from, server)
    works(server)
    for (let i = 0; i < 10; i++) network.deliver(initiation(), address(i), server)
    assert.equal(server.links.waiting, 6)
    assert.equal(server.links.counters.tooManyHandshakes, 4)
    for (let i = 0; i < 3; i++) network.deliver(initiation(), { ...from, port: 10 + i }, server)
    assert.equal(server.links.waiting, 8)
    await network.run(0)
  })

  it('counts answers that nobody confirmed as load, and forgets them after ten seconds', async () => {
    const { network, server, load, initiation, replies } = busyNode({ handshakes: 8 })
    load(4)
    works(server)
    assert.equal(server.links.size, 4)
    assert.equal(replies(initiation(), address(9)).length, 1)
    assert.equal(server.links.counters.cookieReplies, 1)
    network.conditions.loss = 1
    await network.run(10_000)
    assert.equal(server.links.size, 0)
    await network.run(1_000)
    network.deliver(initiation(), address(10), server)
    assert.equal(server.links.counters.cookieReplies, 1)
    assert.equal(server.links.waiting, 1)
  })

  it('asks for no more cookies a second after the queue was last that long', async () => {
    const { network, server, load, initiation } = busyNode({ loadedFrom: 4, handshakes: 100 })
    load(4)
    network.deliver(initiation(), address(10), server)
    works(server)
    await network.run(999)
    network.deliver(initiation(), address(11), server)
    assert.equal(server.links.counters.cookieReplies, 2)
    await network.run(1)
    network.deliver(initiation(), address(12), server)
    assert.equal(server.links.counters.cookieReplies, 2)
    assert.equal(server.links.waiting, 1)
  })

  it('is asked for a cookie by nobody who does not know its key: other packets are dropped in silence', () => {
    const { server, load, initiation, replies } = busyNode({ loadedFrom: 4 })
    load(4)
    const bytes = initiation()
    for (let at = 0; at < 1440; at += 7) {
      const changed = bytes.slice()
      changed[at]! ^= 1
      assert.equal(replies(changed, address(9)).length, 0)
    }
    assert.deepEqual([server.links.counters.cookieReplies, server.links.waiting], [0, 4])
  })
})

describe('a cookie reply', () => {
  /** A client whose first initiation was answered by a cookie that it has not seen. */
  async function asked() {
    const { network, server, far, load } = busyNode({ loadedFrom: 4 })
    load(4)
    far.links.close()
    const client = network.add(50, { listen: false })
    client.links.connect(server.endpoint, server.keys.publicKey, true)
    network.conditions.minDelay = network.conditions.maxDelay = 1
    await network.run(1)
    return { network, server, client, reply: network.log!.at(-1)! }
  }

  it('is taken once, and answered at once; changed it is not taken at all', async () => {
    const { network, server, client, reply } = await asked()
    network.log = []
    for (let at = 0; at < 1440; at += 5) {
      const changed = reply.slice()
      changed[at]! ^= 4
      network.deliver(changed, server.endpoint, client)
    }
    assert.equal(network.log.length, 0)
    for (let i = 0; i < 3; i++) network.deliver(reply, server.endpoint, client)
    assert.equal(network.log.length, 1)
  })

  it('for another initiation is not taken', async () => {
    const { network, server, reply } = await asked()
    const other = network.add(60, { listen: false })
    other.links.connect(server.endpoint, server.keys.publicKey, true)
    const index = network.log!.at(-1)!
    network.log = []
    const changed = reply.slice()
    changed.set(index.subarray(0, 4))
    network.deliver(changed, server.endpoint, other)
    network.deliver(reply, server.endpoint, other)
    assert.equal(network.log.length, 0)
  })

  it('makes no more initiations than are sent without one, whatever the responder does', async () => {
    const { network, server, client } = await asked()
    network.log = []
    // The responder forgets its secret before each, so that no cookie is good.
    for (let i = 0; i < 100; i++) {
      server.start({ limits: { loadedFrom: 0 } })
      await network.run(100)
    }
    assert.deepEqual(client.events, ['down: no answer'])
    assert.ok(network.log.length <= 2 * 6, `${network.log.length} packets`)
  })

  it('looks like any other packet from outside: no byte tells it from random ones', async () => {
    const { server, load, initiation, replies } = busyNode({ loadedFrom: 4 })
    load(4)
    const count = 2_000
    const bytes = initiation()
    const ones = new Float64Array(1440)
    const distinct = new Set<string>()
    for (let i = 0; i < count; i++) {
      const [reply] = replies(bytes, address(i))
      for (let at = 0; at < 1440; at++) for (let bits = reply![at]!; bits > 0; bits &= bits - 1) ones[at]!++
      distinct.add(Buffer.from(reply!.subarray(4, 20)).toString('hex'))
    }
    assert.equal(server.links.counters.cookieReplies, count)
    assert.equal(distinct.size, count)
    // 8 bits in each place, with half of them set: six standard deviations. The first four are the index, as in every packet.
    const [mean, bound] = [count * 4, 6 * Math.sqrt(count * 8) * 0.5]
    for (let at = 4; at < 1440; at++) assert.ok(Math.abs(ones[at]! - mean) < bound, `byte ${at}`)
  })
})
