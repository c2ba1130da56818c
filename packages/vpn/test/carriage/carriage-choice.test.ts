import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { VirtualClock } from '@weft/core'
import type { Endpoint } from '@weft/onion'
import { CarriageChoice, type CarriageSetting } from '../../src/carriage/carriage-choice.ts'

const UDP: Endpoint = { address: '192.0.2.1', port: 443 }
const TLS: Endpoint = { ...UDP, over: 'tls' }
const HALVES: Endpoint = { ...UDP, over: 'halves' }
const ELSEWHERE: Endpoint = { address: '192.0.2.2', port: 4782 }
const TLS_ELSEWHERE: Endpoint = { ...ELSEWHERE, over: 'tls' }
const TEN_MINUTES = 600_000

function choice(setting: CarriageSetting = 'auto') {
  const clock = new VirtualClock(1_000_000)
  const at = { network: 'home' }
  let changes = 0
  const made = new CarriageChoice({
    setting,
    clock,
    inTls: ({ address }) => (address === UDP.address ? TLS : TLS_ELSEWHERE),
    network: () => at.network,
    onChange: () => changes++,
  })
  const paths = () => made.pathsTo(UDP, new Uint8Array(32))
  /** A link to an entry at another port goes on in TLS, which can be had or not. */
  const tried = (isMade: boolean): void => {
    made.pathsTo(ELSEWHERE, new Uint8Array(32)).next(1)
    made.tlsTried(TLS_ELSEWHERE, isMade)
  }
  return { clock, at, made, paths, tried, changes: () => changes }
}

describe('a network that seems to lead to port 443 only', () => {
  test('is one where UDP is not answered and TLS not to be had at another port; none is so at first', () => {
    const { made, tried } = choice()
    assert.ok(!made.isWebOnly)
    tried(false)
    assert.ok(made.isWebOnly)
  })

  test('one that does not answer at 443 says nothing of other ports', () => {
    const { made, paths } = choice()
    paths().next(1)
    made.tlsTried(TLS, false)
    assert.ok(!made.isWebOnly)
  })

  test('that holds for ten minutes, in that network, until TLS can be had elsewhere or UDP is answered', async () => {
    const { clock, at, made, paths, tried } = choice()
    tried(false)
    at.network = 'café'
    assert.ok(!made.isWebOnly)
    at.network = 'home'
    assert.ok(made.isWebOnly)
    await clock.advance(TEN_MINUTES)
    assert.ok(!made.isWebOnly)
    tried(false)
    tried(true)
    assert.ok(!made.isWebOnly)
    tried(false)
    const link = paths()
    link.next(0)
    link.answered?.(UDP)
    assert.ok(!made.isWebOnly)
  })

  test('where UDP was answered lately an entry that is not reached is down', async () => {
    const { clock, at, made, paths, tried } = choice()
    const link = paths()
    link.next(0)
    link.answered?.(UDP)
    tried(false)
    assert.ok(!made.isWebOnly)
    at.network = 'café'
    tried(false)
    assert.ok(made.isWebOnly, 'in another network it was not')
    at.network = 'home'
    await clock.advance(TEN_MINUTES)
    tried(false)
    assert.ok(made.isWebOnly, 'nor for ten minutes')
  })

  test('connections that are no links of this client say nothing', () => {
    const { made } = choice()
    made.tlsTried(TLS_ELSEWHERE, false)
    assert.ok(!made.isWebOnly)
  })

  test('the status says that entries at 443 come first', async () => {
    const { clock, made, paths, tried } = choice()
    const link = paths()
    link.next(0)
    await clock.advance(1_000)
    link.next(1)
    link.answered?.(TLS)
    assert.doesNotMatch(made.status.reason, /443/)
    tried(false)
    assert.match(made.status.reason, /443/)
  })
})

describe('what packets to an entry travel in', () => {
  test('UDP alone at first, then both, then TLS by itself: UDP may get through one way only', () => {
    const { paths } = choice()
    const link = paths()
    assert.deepEqual(
      [0, 1, 2, 3, 4].map((tries) => link.next(tries)),
      [[UDP], [TLS, HALVES, UDP], [TLS, HALVES], [TLS], [TLS, HALVES, UDP]],
    )
  })

  test('where TLS alone was answered later links begin with it, and say why; UDP is tried every half minute', async () => {
    const { clock, made, paths, changes } = choice()
    const link = paths()
    link.next(0)
    await clock.advance(1_000)
    link.next(1)
    link.answered?.(TLS)
    assert.equal(made.status.over, 'tls')
    assert.match(made.status.reason, /blocked/)
    assert.equal(made.status.since, clock.now())
    assert.equal(changes(), 1)
    assert.deepEqual(paths().next(0), [TLS])
    await clock.advance(30_000)
    assert.deepEqual(paths().next(0), [TLS, HALVES, UDP])
    assert.deepEqual(paths().next(0), [TLS])
  })

  test('one answer by UDP brings all back to it', async () => {
    const { clock, made, paths, changes } = choice()
    const link = paths()
    link.next(0)
    await clock.advance(1_000)
    link.next(1)
    link.answered?.(TLS)
    link.answered?.(UDP)
    assert.deepEqual(made.status, { over: 'udp', setting: 'auto', reason: '', since: undefined })
    assert.deepEqual(paths().next(0), [UDP])
    assert.equal(changes(), 2)
  })

  test('an entry that does not answer by UDP where another does is the trouble itself', async () => {
    const { clock, made, paths } = choice()
    const link = paths()
    link.next(0)
    await clock.advance(500)
    const other = paths()
    other.next(0)
    other.answered?.(UDP)
    await clock.advance(500)
    link.next(1)
    link.answered?.(TLS)
    assert.equal(made.status.over, 'udp')
  })

  test('TLS that is answered before UDP had its time says nothing', () => {
    const { made, paths } = choice()
    const link = paths()
    link.next(1)
    link.answered?.(TLS)
    assert.equal(made.status.over, 'udp')
  })

  test('another network is another matter, and the first is remembered', async () => {
    const { clock, at, made, paths } = choice()
    const link = paths()
    link.next(0)
    await clock.advance(1_000)
    link.answered?.(TLS)
    at.network = 'café'
    assert.equal(made.status.over, 'udp')
    assert.deepEqual(paths().next(0), [UDP])
    at.network = 'home'
    assert.equal(made.status.over, 'tls')
  })

  test('where halves alone were answered links begin with them and whole packets, until these are answered', async () => {
    const { clock, made, paths, changes } = choice()
    const link = paths()
    link.next(0)
    await clock.advance(1_000)
    const [, halves] = link.next(1) as [Endpoint, Endpoint, Endpoint]
    link.answered?.(halves)
    assert.equal(made.status.over, 'halves')
    assert.match(made.status.reason, /whole ones, which this network seems not to carry/)
    const later = paths()
    const [, whole] = later.next(0) as [Endpoint, Endpoint]
    assert.deepEqual(whole, UDP)
    assert.equal(later.renewAfterMs?.(halves), undefined, 'renewed as often as others')
    later.answered?.(whole)
    assert.equal(made.status.over, 'udp')
    assert.equal(changes(), 2)
  })

  test('by setting there is UDP, whole or in halves, or TLS alone, and the status says so', () => {
    for (const setting of ['udp', 'tls'] as const) {
      const { made, paths } = choice(setting)
      const link = paths()
      const ways = setting === 'tls' ? [[TLS], [TLS], [TLS]] : [[UDP], [HALVES, UDP], [HALVES]]
      const went = [0, 1, 2].map((tries) => link.next(tries))
      assert.deepEqual(went, ways)
      assert.deepEqual(made.status, { over: setting, setting, reason: `vpn.carriage is ${setting}`, since: undefined })
    }
  })
})
