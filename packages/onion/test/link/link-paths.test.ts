import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Endpoint } from '../../src/link/endpoint.ts'
import type { LinkPaths } from '../../src/link/link-paths.ts'
import { TestNetwork, cell, numberOf } from './link-network.ts'

/** Two nodes, of which the second is reached in TLS as well; what is lost is chosen by the way. */
function twoWays(
  next: (tries: number, ways: { udp: Endpoint; tls: Endpoint }, lost: Set<string>) => Endpoint[],
  answersLost: readonly string[] = [],
) {
  const network = new TestNetwork()
  const lost = new Set<string>()
  const sent: string[] = []
  const a = network.add(1, {
    send: (bytes, to) => {
      const over = to.over ?? 'udp'
      sent.push(over)
      if (lost.has(over)) return
      network.send(bytes, over === 'tls' ? { ...a.endpoint, over: 'tls' } : a.endpoint, to)
    },
  })
  const b = network.add(2, {
    send: (bytes, to) => {
      if (![...lost, ...answersLost].includes(to.over ?? 'udp')) network.send(bytes, b.endpoint, to)
    },
  })
  const udp = b.endpoint
  const tls = { ...udp, over: 'tls' } as const
  const answered: string[] = []
  const paths: LinkPaths = {
    next: (tries) => next(tries, { udp, tls }, lost),
    answered: ({ over = 'udp' }) => void answered.push(over),
    renewAfterMs: ({ over }) => (over === 'tls' ? 30_000 : undefined),
  }
  const link = a.links.connect(udp, b.keys.publicKey, true, paths)
  return { network, lost, sent, answered, a, b, link }
}

describe('a link with more than one way', () => {
  it('is made over the second where the first does not answer, and what waited comes', async () => {
    const { network, lost, answered, b, link } = twoWays((tries, { udp, tls }) => (tries === 0 ? [udp] : [tls, udp]))
    lost.add('udp')
    link.sendCell(0x8000_0001, cell(7))
    await network.run(1_100)
    assert.equal(link.state, 'up')
    assert.equal(link.endpoint.over, 'tls')
    assert.deepEqual(answered, ['tls'])
    assert.deepEqual(b.received.map(numberOf), [7])
    assert.equal(b.ups[0]?.endpoint.over, 'tls')
  })

  it('takes the way that is wanted most where both answer', async () => {
    const { network, link, a, b } = twoWays((_, { udp, tls }) => [tls, udp])
    await network.run(100)
    assert.equal(link.endpoint.over, undefined)
    b.ups[0]?.sendCell(1, cell(3))
    await network.run(10)
    assert.deepEqual(a.received.map(numberOf), [3])
  })

  it('moves with its circuits when the way that it has is blocked, and back with new keys', async () => {
    const { network, lost, link, a, b, answered } = twoWays((tries, { udp, tls }, gone) =>
      gone.has('udp') ? [tls] : tries === 0 ? [udp] : [tls, udp],
    )
    await network.run(10)
    for (const end of [link, ...b.ups]) end.circuits = 1
    lost.add('udp')
    link.sendMessage(1, 0x8000_0001, Uint8Array.of(1))
    await network.run(2_000)
    assert.equal(link.state, 'up')
    assert.equal(link.endpoint.over, 'tls')
    b.ups[0]?.sendCell(1, cell(5))
    await network.run(10)
    assert.deepEqual(a.received.map(numberOf), [5], 'the other side has moved as well')
    lost.clear()
    await network.run(31_000)
    assert.equal(link.endpoint.over, undefined)
    assert.deepEqual(answered, ['udp', 'tls', 'udp'])
    assert.deepEqual(a.events, ['up'], 'it was one link all the time')
  })

  it('moves when what is on it fell silent and a ping is not answered; one that is answered changes nothing', async () => {
    const { network, lost, link, b, answered } = twoWays((_, { udp, tls }, gone) => (gone.has('udp') ? [tls] : [udp]))
    await network.run(10)
    for (const end of [link, ...b.ups]) end.circuits = 1
    link.check()
    await network.run(2_000)
    assert.deepEqual(answered, ['udp'])
    lost.add('udp')
    link.check()
    await network.run(500)
    assert.deepEqual(answered, ['udp', 'tls'])
    assert.equal(link.endpoint.over, 'tls')
  })

  it('is made over the way whose answer gets back, though the other was tried later', async () => {
    const { network, link, a, b } = twoWays((_, { udp, tls }) => [tls, udp], ['udp'])
    await network.run(100)
    assert.equal(link.endpoint.over, 'tls')
    link.sendCell(0x8000_0001, cell(4))
    await network.run(10)
    assert.deepEqual(b.received.map(numberOf), [4])
    b.ups[0]?.sendCell(1, cell(6))
    await network.run(10)
    assert.deepEqual(a.received.map(numberOf), [6])
  })

  it('shows a cookie only where it was given', async () => {
    const { network, sent, link, b } = twoWays((_, { udp, tls }) => [tls, udp])
    network.works = false
    b.links.close()
    b.start({ limits: { loadedFrom: 0 } })
    await network.run(10)
    assert.deepEqual(sent, ['tls', 'udp', 'tls', 'udp'], 'each was answered by a cookie, and sent again that way')
    network.works = true
    while (b.links.work());
    await network.run(10)
    assert.equal(link.state, 'up')
  })
})
