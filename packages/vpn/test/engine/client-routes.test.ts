import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, isWeftError, seededRandom } from '@weft/core'
import { toDidKey } from '@weft/crypto'
import {
  type CircuitLink,
  type ClientCircuit,
  type ClientCircuitOptions,
  type ClientCircuits,
  Session,
} from '@weft/onion'
import { ClientRoutes } from '../../src/engine/client-routes.ts'
import { FlushQueue } from '../../src/engine/flush-queue.ts'
import type { RouteMember } from '../../src/route/route-member.ts'

const PAYLOAD = 1329

function member(index: number, role: 'entry' | 'relay' | 'exit'): RouteMember {
  const key = new Uint8Array(32).fill(index)
  return {
    id: toDidKey(key),
    key,
    roles: [role],
    endpoint: { address: `198.18.${index}.1`, port: 1 },
    linkKey: key,
    onionKey: key,
    family: `family-${index}`,
    prefix: `198.18.${index}.0/24`,
    asn: 64_512 + index,
    country: 'DE',
    region: 'europe',
    simulated: true,
  }
}

/** Circuits that are ready at once; the exits named close each session with a code as soon as they hear of it. */
function network(seed: number, exits: number, hostile: readonly number[], code: number) {
  const clock = new VirtualClock()
  const random = seededRandom(seed)
  const members = [member(1, 'entry'), member(2, 'relay')]
  for (let index = 0; index < exits; index++) members.push(member(10 + index, 'exit'))
  const built: number[] = []
  const circuits = {
    build: (options: ClientCircuitOptions): ClientCircuit => {
      const exit = (options.hops.at(-1)?.id[0] ?? 0) - 10
      built.push(exit)
      const session = new Session({ role: 'exit', clock, random, payloadLength: PAYLOAD })
      let over = false
      clock.after(10, () => {
        if (over) return
        options.onReady?.()
        if (!hostile.includes(exit)) return
        session.close(code, '')
        const payload = new Uint8Array(PAYLOAD)
        options.onPacket?.(session.fill(payload), payload)
      })
      return {
        payloadLength: PAYLOAD,
        rttMs: [],
        ping: () => {},
        seal: () => false,
        destroy: () => (over = true),
      } as unknown as ClientCircuit
    },
  } as unknown as ClientCircuits
  const routes = new ClientRoutes({
    circuits,
    self: toDidKey(new Uint8Array(32).fill(99)),
    queue: new FlushQueue(() => {}),
    clock,
    random,
    members: () => members,
    linkTo: () => ({}) as CircuitLink,
    spares: 0,
    onChange: () => {},
  })
  return { clock, routes, built, members }
}

for (const code of [0, 2, 11])
  test(`an exit that closes a session with code ${code} is left out, the other hops are not`, async () => {
    // Whichever is drawn first is hostile or not: of many draws both are met.
    for (let seed = 1; seed <= 10; seed++) {
      const { clock, routes, built, members } = network(seed, 3, [0, 1], code)
      routes.keep()
      await clock.advance(5_000)
      assert.equal(built.at(-1), 2)
      assert.equal(new Set(built).size, built.length)
      assert.deepEqual(
        routes.legs().map(({ hops }) => hops[2]?.node),
        [members.at(-1)?.id],
      )
      routes.close()
    }
  })

test('when the only exit closes each session at once, attempts are ever rarer', async () => {
  const { clock, routes, built } = network(1, 1, [0], 0)
  routes.keep()
  await clock.advance(30_000)
  // At once, then after 0.5, 1, 2, 4 and 8 s.
  assert.ok(built.length >= 5 && built.length <= 10, `${built.length}`)
  assert.equal(routes.state, 'blocked')
  assert.equal(routes.fault?.code, 'E_ROUTE_NONE')
  assert.match(routes.fault.cause, /closed the session/)
  routes.close()
})

test('a request whose legs end is told that no route worked, not that its target failed', async () => {
  const { clock, routes, built } = network(3, 2, [0, 1], 0)
  const refused = assert.rejects(
    routes.open('a.test', 80, new AbortController().signal, () => assert.fail('nobody opened it')),
    (error) => isWeftError(error, 'E_ROUTE_TIMEOUT'),
  )
  await clock.advance(10_000)
  await refused
  assert.ok(built.length > 1)
  routes.close()
})
