import assert from 'node:assert/strict'
import { test } from 'node:test'
import { multiaddr } from '@multiformats/multiaddr'
import { VirtualClock } from '@weft/core'
import fc from 'fast-check'
import { InboundGate } from '../../src/transport/inbound-gate.ts'
import {
  ADDRESS_CONNECTION_RATE,
  MAX_CONNECTIONS_PER_ADDRESS,
  MAX_PENDING_CONNECTIONS,
  MAX_PENDING_PER_ADDRESS,
} from '../../src/transport/limits.ts'

/** A connection as far as the gate looks at it. */
class Arrival extends EventTarget {
  readonly remoteAddr
  open = true

  constructor(host: string) {
    super()
    this.remoteAddr = multiaddr(`/${host.includes(':') ? 'ip6' : 'ip4'}/${host}/tcp/1`)
  }

  abort(): void {
    if (!this.open) return
    this.open = false
    this.dispatchEvent(new Event('close'))
  }
}

interface Entered {
  readonly arrival: Arrival
  readonly leave: () => void
}

/** What entered, or undefined when the gate refused. */
function enter(gate: InboundGate, host: string): Entered | undefined {
  const arrival = new Arrival(host)
  try {
    return { arrival, leave: gate.enter(arrival) }
  } catch {
    return undefined
  }
}

function enterMany(gate: InboundGate, host: string, count: number): (Entered | undefined)[] {
  return Array.from({ length: count }, () => enter(gate, host))
}

function countOf(entered: readonly (Entered | undefined)[]): number {
  return entered.filter((each) => each !== undefined && each.arrival.open).length
}

test('one address has few places for what is not secured yet, and the others keep theirs', () => {
  const gate = new InboundGate(new VirtualClock())
  assert.equal(countOf(enterMany(gate, '192.0.2.1', 30)), MAX_PENDING_PER_ADDRESS)
  assert.equal(countOf(enterMany(gate, '192.0.2.2', 1)), 1)
})

test('all of an IPv6 /64 is one address', () => {
  const gate = new InboundGate(new VirtualClock())
  const hosts = Array.from({ length: 20 }, (_, index) => `2001:db8::${(index + 1).toString(16)}:1`)
  assert.equal(countOf(hosts.map((host) => enter(gate, host))), MAX_PENDING_PER_ADDRESS)
  assert.equal(countOf(enterMany(gate, '2001:db8:0:1::1', 1)), 1)
})

test('who is secured gives the place back, and keeps one of those for open connections', async () => {
  const clock = new VirtualClock()
  const gate = new InboundGate(clock)
  const open: Entered[] = []
  for (let i = 0; i < MAX_CONNECTIONS_PER_ADDRESS; i++) {
    const entered = enter(gate, '192.0.2.1')
    assert.ok(entered !== undefined, `connection ${i}`)
    entered.leave()
    open.push(entered)
    await clock.advance(1_000)
  }
  assert.equal(enter(gate, '192.0.2.1'), undefined)
  open[0]!.arrival.abort()
  assert.ok(enter(gate, '192.0.2.1') !== undefined)
})

test('who goes before it is secured gives the place back, also where nobody else does it', () => {
  const gate = new InboundGate(new VirtualClock())
  // Others of the address stay.
  const neighbour = enter(gate, '192.0.2.1')
  neighbour?.leave()
  for (let i = 0; i < MAX_PENDING_PER_ADDRESS; i++) enter(gate, '192.0.2.1')?.arrival.abort()
  assert.ok(enter(gate, '192.0.2.1') !== undefined)
})

test('who has gone keeps nobody else from being secured', () => {
  const gate = new InboundGate(new VirtualClock())
  const waiting = enter(gate, '192.0.2.1')
  for (let index = 0; index < MAX_PENDING_CONNECTIONS; index++)
    enter(gate, `198.51.${index >> 8}.${index & 255}`)?.arrival.abort()
  assert.equal(waiting?.arrival.open, true)
})

test('an address connects only so often', async () => {
  const clock = new VirtualClock()
  const gate = new InboundGate(clock)
  let count = 0
  const flood = (): void => {
    for (let i = 0; i < 100; i++) {
      const entered = enter(gate, '192.0.2.1')
      if (entered === undefined) continue
      count++
      entered.leave()
      entered.arrival.abort()
    }
  }
  flood()
  assert.equal(count, ADDRESS_CONNECTION_RATE.burst)
  await clock.advance(1_000)
  flood()
  assert.equal(count, ADDRESS_CONNECTION_RATE.burst + ADDRESS_CONNECTION_RATE.perSecond)
})

test('when all places are taken the one that waited longest gives way', () => {
  const gate = new InboundGate(new VirtualClock())
  const entered = Array.from({ length: MAX_PENDING_CONNECTIONS }, (_, index) =>
    enter(gate, `192.0.${index >> 8}.${index & 255}`),
  )
  assert.equal(countOf(entered), MAX_PENDING_CONNECTIONS)
  // The first is done with its handshake, the second is not.
  entered[0]!.leave()
  assert.ok(enter(gate, '192.0.2.1') !== undefined)
  assert.ok(enter(gate, '192.0.2.2') !== undefined)
  assert.deepEqual(
    entered.slice(0, 3).map((each) => each!.arrival.open),
    [true, false, true],
  )
})

test('the nodes of a devnet share loopback, and all places together still bound them', () => {
  const gate = new InboundGate(new VirtualClock())
  const entered = [...enterMany(gate, '127.0.0.1', MAX_PENDING_CONNECTIONS), ...enterMany(gate, '::1', 10)]
  assert.ok(entered.every((each) => each !== undefined))
  assert.equal(countOf(entered), MAX_PENDING_CONNECTIONS)
})

test('whatever comes and goes, no address holds more than its share and nothing is counted twice', async () => {
  const step = fc.record({
    address: fc.integer({ min: 1, max: 3 }),
    action: fc.constantFrom('enter', 'secured', 'closed', 'both'),
    at: fc.nat(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 200 }), async (steps) => {
      const clock = new VirtualClock()
      const gate = new InboundGate(clock)
      const held: (Entered & { readonly address: number; pending: boolean })[] = []
      for (const { address, action, at } of steps) {
        await clock.advance(200)
        if (action === 'enter') {
          const open = held.filter((each) => each.address === address)
          const pending = open.filter((each) => each.pending).length
          const entered = enter(gate, `192.0.2.${address}`)
          const free = open.length < MAX_CONNECTIONS_PER_ADDRESS && pending < MAX_PENDING_PER_ADDRESS
          assert.equal(entered !== undefined, free)
          if (entered !== undefined) held.push({ ...entered, address, pending: true })
          continue
        }
        const chosen = held[at % Math.max(1, held.length)]
        if (chosen === undefined) continue
        if (action !== 'closed') chosen.leave()
        if (action !== 'secured') {
          chosen.arrival.abort()
          // What libp2p does: its upgrade ends with the connection.
          chosen.leave()
          held.splice(held.indexOf(chosen), 1)
        } else chosen.pending = false
      }
    }),
    { numRuns: 50 },
  )
})
