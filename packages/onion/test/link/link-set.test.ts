import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isWeftError, systemRandom, toHex } from '@weft/core'
import type { Endpoint } from '../../src/link/endpoint.ts'
import { TestNetwork, cell, numberOf } from './link-network.ts'

function twoNodes(seed = 1) {
  const network = new TestNetwork(seed)
  const [a, b] = [network.add(1), network.add(2)]
  return { network, a, b }
}

const rising = (x: number, y: number): number => x - y

describe('a set of links', () => {
  it('makes a link, and brings what waited for it', async () => {
    const { network, a, b } = twoNodes()
    const link = a.links.connect(b.endpoint, b.keys.publicKey, false)
    assert.equal(link, a.links.connect(b.endpoint, b.keys.publicKey, false))
    assert.equal(link.state, 'connecting')
    assert.ok(link.sendCell(0x8000_0001, cell(7)))
    assert.ok(link.sendMessage(1, 0x8000_0002, Uint8Array.of(1, 2, 3)))
    await network.run(10)
    assert.equal(link.state, 'up')
    assert.deepEqual([a.events, b.events], [['up'], ['up']])
    assert.deepEqual(b.ups[0]!.peerKey, a.keys.publicKey)
    assert.equal(b.ups[0]!.initiator, false)
    assert.deepEqual(
      b.received.map(({ command, circuitId }) => [command, circuitId]),
      [
        [0, 0x8000_0001],
        [1, 0x8000_0002],
      ],
    )
    assert.equal(numberOf(b.received[0]!), 7)
    assert.deepEqual(b.received[1]!.bytes.subarray(0, 4), Uint8Array.of(1, 2, 3, 0))
    assert.ok(b.ups[0]!.sendCell(5, cell(9)))
    await network.run(10)
    assert.equal(numberOf(a.received[0]!), 9)
  })

  it('lets a member use the link that the other side made, and a client make one of its own key', async () => {
    const { network, a, b } = twoNodes()
    const link = a.links.connect(b.endpoint, b.keys.publicKey, false)
    await network.run(10)
    assert.equal(b.links.connect(a.endpoint, a.keys.publicKey, false), b.ups[0])
    const client = b.links.connect(a.endpoint, a.keys.publicKey, true)
    await network.run(10)
    assert.equal(client.state, 'up')
    assert.notEqual(a.ups[1], link)
    assert.notDeepEqual(a.ups[1]!.peerKey, b.keys.publicKey)
  })

  it('keeps links apart that several parts of a member make, and each renews its own', async () => {
    const { network, a, b } = twoNodes()
    const other = network.add(3, { keys: a.keys, part: 1 })
    const links = [a, other].map(({ links: set }) => set.connect(b.endpoint, b.keys.publicKey, false))
    await network.run(10)
    assert.deepEqual(
      links.map(({ state }) => state),
      ['up', 'up'],
    )
    assert.equal(b.ups.length, 2)
    assert.ok(b.ups.every(({ peerKey }) => Buffer.compare(peerKey, a.keys.publicKey) === 0))
    assert.ok(
      b.ups.every(({ peerName }) => peerName === toHex(a.keys.publicKey)),
      'limits count both as one',
    )
    const back = b.links.connect(a.endpoint, a.keys.publicKey, false)
    assert.ok(b.ups.includes(back), 'either serves the other way round as well')
    for (const link of [...links, ...b.ups]) link.circuits = 1
    // Beyond the time for which keys are good.
    for (let at = 0; at < 200; at++) await network.run(1_000)
    assert.deepEqual(
      [...links, ...b.ups].map(({ state }) => state),
      ['up', 'up', 'up', 'up'],
    )
    assert.ok(links.every((link, at) => link.sendCell(0x8000_0001, cell(at))))
    await network.run(10)
    assert.deepEqual(b.received.map(numberOf).toSorted(rising), [0, 1])
    assert.equal(b.ups.length, 2)
  })

  it('has two links when both sides begin at once, and both work', async () => {
    const { network, a, b } = twoNodes()
    const links = [
      a.links.connect(b.endpoint, b.keys.publicKey, false),
      b.links.connect(a.endpoint, a.keys.publicKey, false),
    ]
    await network.run(10)
    assert.deepEqual(
      [a.events, b.events],
      [
        ['up', 'up'],
        ['up', 'up'],
      ],
    )
    links.forEach((link, i) => link.sendCell(1, cell(i)))
    for (const link of [...a.ups, ...b.ups]) if (!link.initiator) link.sendCell(2, cell(10))
    await network.run(10)
    assert.deepEqual(
      [a.received.map(numberOf).sort(rising), b.received.map(numberOf).sort(rising)],
      [
        [1, 10],
        [0, 10],
      ],
    )
  })

  it('keeps at most 48 packets for a link that is being made', async () => {
    const { network, a, b } = twoNodes()
    const link = a.links.connect(b.endpoint, b.keys.publicKey, false)
    const sent = Array.from({ length: 52 }, (_, i) => link.sendCell(1, cell(i)))
    assert.deepEqual(sent, [...Array<boolean>(48).fill(true), ...Array<boolean>(4).fill(false)])
    assert.equal(a.links.counters.unsent, 4)
    await network.run(10)
    assert.deepEqual(
      b.received.map(numberOf),
      Array.from({ length: 48 }, (_, i) => i),
    )
  })

  it('tries six times, then says that there is no answer', async () => {
    const { network, a, b } = twoNodes()
    network.log = []
    const link = a.links.connect({ address: '192.0.2.1', port: 9 }, b.keys.publicKey, false)
    await network.run(5_900)
    assert.equal(network.log.length, 6)
    assert.equal(link.state, 'connecting')
    await network.run(200)
    assert.deepEqual(a.events, ['down: no answer'])
    assert.equal(link.sendCell(1, cell(1)), false)
    assert.equal(a.links.size, 0)
    assert.equal(a.links.nextTimeout(), undefined)
  })

  it('comes up although an answer takes longer than the next try', async () => {
    const { network, a, b } = twoNodes()
    network.conditions.minDelay = network.conditions.maxDelay = 900
    const link = a.links.connect(b.endpoint, b.keys.publicKey, false)
    link.circuits = 1
    await network.run(10_000)
    assert.equal(link.state, 'up')
    assert.ok(link.sendCell(1, cell(1)))
    assert.ok(b.ups[0]!.sendCell(1, cell(2)))
    await network.run(1_000)
    assert.deepEqual([a.received.map(numberOf), b.received.map(numberOf)], [[2], [1]])
  })

  it('answers nobody that has a wrong key, and refuses its own and a key of low order', async () => {
    const { network, a, b } = twoNodes()
    a.links.connect(
      b.endpoint,
      a.keys.publicKey.map((byte, i) => (i === 0 ? byte ^ 2 : byte)),
      false,
    )
    await network.run(7_000)
    assert.deepEqual(b.events, [])
    assert.equal(b.links.counters.unknown, 6)
    assert.deepEqual(a.events, ['down: no answer'])
    const refused = (key: Uint8Array) =>
      assert.throws(
        () => a.links.connect(b.endpoint, key, false),
        (error) => isWeftError(error, 'E_LINK_KEY'),
      )
    refused(a.keys.publicKey)
    refused(new Uint8Array(32))
    refused(new Uint8Array(31))
    assert.equal(a.links.size, 0)
  })

  it('leaves no key behind that was made for a link to a key of low order', () => {
    const drawn: Uint8Array[] = []
    const random = {
      bytes(length: number): Uint8Array {
        drawn.push(systemRandom.bytes(length))
        return drawn.at(-1)!
      },
    }
    const { links, endpoint } = new TestNetwork().add(1, { random })
    assert.throws(
      () => links.connect(endpoint, new Uint8Array(32), true),
      (error) => isWeftError(error, 'E_LINK_KEY'),
    )
    // The link's own key and the handshake's.
    assert.deepEqual(
      drawn.filter((bytes) => bytes.length === 32),
      [new Uint8Array(32), new Uint8Array(32)],
    )
  })

  it('does not shake hands across networks', async () => {
    const network = new TestNetwork()
    const [a, b] = [network.add(1), network.add(2, { networkId: 'other' })]
    a.links.connect(b.endpoint, b.keys.publicKey, false)
    await network.run(7_000)
    assert.deepEqual([a.events, b.events], [['down: no answer'], []])
  })

  it('does not answer an initiation twice, nor one whose time is off by more than five minutes', async () => {
    const { network, a, b } = twoNodes()
    network.log = []
    a.links.connect(b.endpoint, b.keys.publicKey, false)
    const [initiation] = network.log
    await network.run(10)
    const sent = network.log.length
    network.deliver(initiation!, a.endpoint, b)
    assert.equal(b.links.counters.initiationTime, 1)
    assert.equal(network.log.length, sent)
    for (const skew of [-301_000, 301_000]) {
      const late = network.add(3, {
        clock: { now: () => network.clock.now() + skew, monotonic: () => network.clock.monotonic() },
      })
      late.links.connect(b.endpoint, b.keys.publicKey, true)
      await network.run(10)
      assert.deepEqual(late.events, [])
      late.links.close()
    }
    assert.equal(b.links.counters.initiationTime, 3)
  })

  it('loses no cell while keys are renewed, in either direction', async () => {
    const { network, a, b } = twoNodes()
    network.conditions.maxDelay = 30
    const link = a.links.connect(b.endpoint, b.keys.publicKey, false)
    link.circuits = 1
    await network.run(100)
    const back = b.ups[0]!
    back.circuits = 1
    let sent = 0
    for (; sent < 4_000; sent++) {
      assert.ok(link.sendCell(1, cell(sent)))
      assert.ok(back.sendCell(1, cell(sent)))
      await network.run(100)
    }
    await network.run(100)
    const all = Array.from({ length: sent }, (_, i) => i)
    assert.deepEqual(a.received.map(numberOf).sort(rising), all)
    assert.deepEqual(b.received.map(numberOf).sort(rising), all)
    assert.deepEqual([a.events, b.events], [['up'], ['up']])
    assert.equal(a.links.counters.notAuthentic + b.links.counters.notAuthentic, 0)
  })

  it('lives for hours with loss, doubling and reordering, and delivers no cell twice', async () => {
    const { network, a, b } = twoNodes(7)
    Object.assign(network.conditions, { loss: 0.05, duplication: 0.05, minDelay: 5, maxDelay: 80 })
    const link = a.links.connect(b.endpoint, b.keys.publicKey, false)
    link.circuits = 1
    await network.run(7_000)
    const back = b.ups[0]!
    back.circuits = 1
    for (let i = 0; i < 3_600; i++) {
      link.sendCell(1, cell(i))
      back.sendCell(1, cell(i))
      await network.run(1_000)
    }
    assert.deepEqual([a.events, b.events], [['up'], ['up']])
    for (const node of [a, b]) {
      const numbers = node.received.map(numberOf)
      assert.equal(new Set(numbers).size, numbers.length)
      assert.ok(numbers.length > 3_600 * 0.9, `only ${numbers.length} cells arrived`)
      assert.ok(node.links.counters.replayed > 50)
    }
  })

  it('keeps an idle link with circuits by pings, and ends one without', async () => {
    const { network, a, b } = twoNodes()
    const link = a.links.connect(b.endpoint, b.keys.publicKey, false)
    link.circuits = 1
    await network.run(10)
    b.ups[0]!.circuits = 1
    network.log = []
    await network.run(600_000)
    assert.deepEqual([a.events, b.events], [['up'], ['up']])
    assert.ok(network.log.length < 600, `${network.log.length} packets to keep a link for ten minutes`)
    link.circuits = 0
    b.ups[0]!.circuits = 0
    await network.run(59_000)
    assert.equal(link.state, 'up')
    await network.run(2_000)
    assert.deepEqual(a.events, ['up', 'down: idle'])
    assert.deepEqual(b.events, ['up'])
    await network.run(20_000)
    assert.deepEqual(b.events, ['up', 'down: idle'])
  })

  it('notices that the other side was restarted, and makes the link anew', async () => {
    const { network, a, b } = twoNodes()
    const link = a.links.connect(b.endpoint, b.keys.publicKey, false)
    link.circuits = 1
    await network.run(10)
    b.start()
    link.sendCell(1, cell(1))
    await network.run(24_000)
    assert.equal(link.state, 'up')
    await network.run(2_000)
    assert.deepEqual(a.events, ['up', 'down: silent'])
    assert.equal(b.received.length, 0)
    const again = a.links.connect(b.endpoint, b.keys.publicKey, false)
    assert.notEqual(again, link)
    again.sendCell(1, cell(2))
    await network.run(10)
    assert.deepEqual(b.received.map(numberOf), [2])
  })

  it('renews its keys when nothing answers a create, so that the next one reaches a side that was restarted', async () => {
    const { network, a, b } = twoNodes()
    const link = a.links.connect(b.endpoint, b.keys.publicKey, false)
    link.circuits = 1
    await network.run(10)
    b.start()
    link.sendMessage(1, 5, new Uint8Array(10))
    await network.run(450)
    assert.deepEqual([link.state, b.received.length], ['up', 0])
    link.sendMessage(1, 5, new Uint8Array(10))
    await network.run(10)
    assert.equal(b.received.length, 1)
    assert.equal(a.links.connect(b.endpoint, b.keys.publicKey, false), link)
  })

  it('makes a link of its own when nothing answers a create on one that the other side made', async () => {
    const { network, a, b } = twoNodes()
    a.links.connect(b.endpoint, b.keys.publicKey, false).circuits = 1
    await network.run(10)
    const theirs = b.links.connect(a.endpoint, a.keys.publicKey, false)
    assert.equal(theirs.initiator, false)
    a.start()
    theirs.sendMessage(1, 5, new Uint8Array(10))
    await network.run(450)
    assert.equal(theirs.isSilent, true)
    const own = b.links.connect(a.endpoint, a.keys.publicKey, false)
    assert.notEqual(own, theirs)
    own.sendMessage(1, 5, new Uint8Array(10))
    await network.run(10)
    assert.equal(a.received.length, 1)
  })

  it('takes a restarted initiator as the same link', async () => {
    const { network, a, b } = twoNodes()
    a.links.connect(b.endpoint, b.keys.publicKey, false)
    await network.run(1_000)
    a.start()
    a.links.connect(b.endpoint, b.keys.publicKey, false).sendCell(1, cell(3))
    await network.run(10)
    assert.deepEqual(b.events, ['up'])
    assert.deepEqual(b.received.map(numberOf), [3])
    assert.equal(b.links.size, 1)
  })

  it('follows an initiator to a new address once it answers there, and not back by an old packet', async () => {
    const { network, a, b } = twoNodes()
    const link = a.links.connect(b.endpoint, b.keys.publicKey, false)
    await network.run(10)
    const server = b.ups[0]!
    network.log = []
    link.sendCell(1, cell(1))
    link.sendCell(1, cell(2))
    const [older, newer] = network.log
    const moved = { address: '198.51.100.7', port: 77 }
    network.deliver(newer!, moved, b)
    assert.deepEqual(server.endpoint, a.endpoint)
    const ping = network.log[2]!
    assert.equal(network.log.length, 3)
    network.deliver(ping, b.endpoint, a)
    network.deliver(network.log[3]!, moved, b)
    assert.deepEqual(server.endpoint, moved)
    network.deliver(older!, a.endpoint, b)
    assert.equal(b.received.length, 2)
    assert.deepEqual(server.endpoint, moved)
  })

  it('sends nothing but pings to an address that packets only pretend to come from', async () => {
    const { network, a, b } = twoNodes()
    const link = a.links.connect(b.endpoint, b.keys.publicKey, false)
    await network.run(10)
    const server = b.ups[0]!
    const sent: [string, number][] = []
    const victim = { address: '198.51.100.7', port: 77 }
    network.log = []
    for (let i = 0; i < 20; i++) {
      link.sendCell(1, cell(i))
      const before = network.log.length
      network.deliver(network.log.at(-1)!, victim, b)
      for (let at = before; at < network.log.length; at++) sent.push(['ping', at])
      server.sendCell(2, cell(i))
    }
    assert.equal(sent.length, 1)
    assert.deepEqual(server.endpoint, a.endpoint)
    // The answer to the ping, but not from where it was asked.
    network.deliver(network.log[sent[0]![1]]!, b.endpoint, a)
    network.deliver(network.log.at(-1)!, a.endpoint, b)
    assert.deepEqual(server.endpoint, a.endpoint)
  })

  it('asks one address in 250 ms, however many addresses packets come from', async () => {
    const { network, a, b } = twoNodes()
    const link = a.links.connect(b.endpoint, b.keys.publicKey, false)
    await network.run(10)
    const server = b.ups[0]!
    const asked = (from: Endpoint): number => {
      network.log = []
      link.sendCell(1, cell(0))
      network.deliver(network.log[0]!, from, b)
      return network.log.length - 1
    }
    const victims = Array.from({ length: 4 }, (_, i) => ({ address: '198.51.100.7', port: 77 + i }))
    assert.deepEqual(victims.map(asked), [1, 0, 0, 0])
    await network.run(249)
    assert.deepEqual(victims.map(asked), [0, 0, 0, 0])
    await network.run(1)
    // The initiator did move meanwhile, and the next packet says so.
    const moved = { address: '203.0.113.1', port: 9 }
    assert.equal(asked(moved), 1)
    network.deliver(network.log!.at(-1)!, b.endpoint, a)
    network.deliver(network.log!.at(-1)!, moved, b)
    assert.deepEqual(server.endpoint, moved)
  })

  it('holds its limits on links, on links of one address and on handshakes', async () => {
    const network = new TestNetwork()
    const server = network.add(1, { limits: { links: 6, linksPerPrefix: 4, handshakes: 3 } })
    const clients = Array.from({ length: 5 }, (_, i) => network.add(10 + i, { listen: false }))
    for (const client of clients) {
      client.links.connect(server.endpoint, server.keys.publicKey, true)
      await network.run(20)
    }
    assert.equal(server.ups.length, 4)
    assert.equal(server.links.counters.tooManyLinks, 1)
    network.log = []
    const far = network.add(30, { listen: false })
    const initiations = Array.from({ length: 12 }, (_, i) => {
      far.links.connect({ address: '192.0.2.1', port: 1_000 + i }, server.keys.publicKey, true)
      return network.log!.at(-1)!
    })
    server.links.close()
    const again = network.add(40, { keys: server.keys, limits: { handshakes: 3 } })
    // All come before the first is looked into: else this side would ask for cookies.
    network.works = false
    for (const [i, bytes] of initiations.entries())
      network.deliver(bytes, { address: `2001:db8::${i}`, port: 1 }, again)
    while (again.links.work());
    assert.equal(again.links.size, 3)
    assert.deepEqual(again.events, [])
    const full = network.add(50, { limits: { links: 1 } })
    full.links.connect(server.endpoint, server.keys.publicKey, false)
    assert.throws(
      () => full.links.connect(server.endpoint, again.keys.publicKey, true),
      (error) => isWeftError(error, 'E_LINK_LIMIT'),
    )
  })

  it('has room for members when strangers have taken what they may', async () => {
    const network = new TestNetwork()
    const members = new Set<string>()
    const server = network.add(1, {
      limits: { links: 4, linksPerPrefix: 2 },
      isMember: (key) => members.has(Buffer.from(key).toString('hex')),
    })
    const nodes = Array.from({ length: 5 }, (_, i) => network.add(10 + i, { listen: false }))
    for (const node of nodes.slice(3)) members.add(Buffer.from(node.keys.publicKey).toString('hex'))
    for (const node of nodes) {
      node.links.connect(server.endpoint, server.keys.publicKey, nodes.indexOf(node) < 3)
      await network.run(20)
    }
    // Two of the three strangers, by their prefix; both members although it is theirs, too.
    assert.equal(server.links.counters.tooManyLinks, 1)
    assert.equal(server.ups.length, 4)
  })

  it('leaves strangers a part of its links, whatever addresses they have', () => {
    const network = new TestNetwork()
    const server = network.add(1, { limits: { links: 8, strangersShare: 1 / 2 } })
    network.log = []
    const far = network.add(30, { listen: false })
    for (let i = 0; i < 7; i++) {
      far.links.connect({ address: '192.0.2.1', port: 1_000 + i }, server.keys.publicKey, true)
      network.deliver(network.log.at(-1)!, { address: `198.51.100.${i}`, port: 1 }, server)
    }
    assert.equal(server.links.size, 4)
    assert.equal(server.links.counters.tooManyLinks, 3)
  })

  it('leaves strangers of one network a part of theirs, whatever addresses of it they have', () => {
    const network = new TestNetwork()
    const server = network.add(1, { limits: { links: 40, linksPerPrefix: 4, linksPerNetwork: 6 } })
    network.log = []
    const far = network.add(30, { listen: false })
    let made = 0
    const from = (address: string): number => {
      far.links.connect({ address: '192.0.2.1', port: 1_000 + made++ }, server.keys.publicKey, true)
      network.deliver(network.log!.at(-1)!, { address, port: 1 }, server)
      return server.links.size
    }
    for (let i = 0; i < 12; i++) from(`2001:db8:1:${i}::1`)
    assert.equal(server.links.size, 6)
    for (let i = 0; i < 12; i++) from(`198.51.100.${i}`)
    assert.equal(server.links.size, 12)
    assert.equal(server.links.counters.tooManyLinks, 12)
    assert.equal(from('2001:db8:2:1::1'), 13)
    assert.equal(from('198.51.101.1'), 14)
  })

  it('does not take the link to one endpoint for that to another of the same key', () => {
    const { a, b } = twoNodes()
    const between = a.links.connect({ address: '203.0.113.9', port: 9 }, b.keys.publicKey, false)
    assert.notEqual(a.links.connect(b.endpoint, b.keys.publicKey, false), between)
  })

  it('ends with all its links when it is closed', async () => {
    const { network, a, b } = twoNodes()
    const link = a.links.connect(b.endpoint, b.keys.publicKey, false)
    await network.run(10)
    a.links.close()
    assert.equal(link.state, 'down')
    assert.deepEqual(a.events, ['up', 'down: closed'])
    assert.throws(
      () => a.links.connect(b.endpoint, b.keys.publicKey, false),
      (error) => isWeftError(error, 'E_LINKS_CLOSED'),
    )
    assert.equal(a.links.nextTimeout(), undefined)
  })
})
