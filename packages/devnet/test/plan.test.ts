import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import fc from 'fast-check'
import { requireFreePorts } from '../src/plan/free-ports.ts'
import { MAX_NODES, MIN_NODES, planNodes } from '../src/plan/plan-nodes.ts'
import { portBlock } from '../src/plan/port-block.ts'
import { seedFor } from '../src/plan/seed.ts'
import { syntheticPlaces } from '../src/plan/synthetic-places.ts'

const size = fc.integer({ min: MIN_NODES, max: MAX_NODES })

test('twelve nodes are two clients, four validators that store, six that only store', () => {
  assert.deepEqual(
    planNodes(12).map(({ name, roles }) => `${name}:${roles.join('+')}`),
    [
      'client:',
      ...[1, 2, 3, 4].map((i) => `validator${i}:validator+storage`),
      ...[1, 2, 3, 4, 5, 6].map((i) => `storage${i}:storage`),
      'client2:',
    ],
  )
})

test('a devnet has as many nodes as asked for, with names of their own', () => {
  fc.assert(
    fc.property(size, (count) => {
      const nodes = planNodes(count)
      assert.equal(nodes.length, count)
      assert.equal(new Set(nodes.map(({ name }) => name)).size, count)
      assert.equal(nodes.filter(({ client }) => client).length, 2)
    }),
  )
  for (const count of [0, 5, 61, 7.5, Number.NaN]) assert.throws(() => planNodes(count), { code: 'E_DEVNET_SIZE' })
})

test('places keep the rules of placement: own /24, two of a family or ASN at most, regions even', () => {
  fc.assert(
    fc.property(size, fc.string(), (count, seed) => {
      const nodes = planNodes(count)
      const places = [...syntheticPlaces(seed, nodes).values()]
      const most = (of: (place: (typeof places)[number]) => unknown): number =>
        Math.max(...[...Map.groupBy(places, of).values()].map((group) => group.length))
      assert.equal(places.length, count - 2)
      assert.equal(
        most(({ address }) => address.split('.').slice(0, 3).join('.')),
        1,
      )
      assert.ok(most(({ family }) => family) <= 2)
      assert.ok(most(({ asn }) => asn) <= 2)
      assert.ok(most(({ region }) => region) <= Math.ceil(places.length / 3))
      for (const { address, asn, country } of places) {
        assert.match(address, /^198\.1[89]\.\d{1,3}\.([1-9]\d{0,2})$/)
        assert.ok(asn >= 64_512 && asn <= 65_534)
        assert.match(country, /^[A-Z]{2}$/)
      }
    }),
    { numRuns: 50 },
  )
})

test('the same seed makes the same keys and places, another seed others', () => {
  const nodes = planNodes(12)
  assert.deepEqual(syntheticPlaces('a', nodes), syntheticPlaces('a', nodes))
  assert.notDeepEqual(syntheticPlaces('a', nodes), syntheticPlaces('b', nodes))
  assert.deepEqual(seedFor('a', 'node x'), seedFor('a', 'node x'))
  assert.notDeepEqual(seedFor('a', 'node x'), seedFor('a', 'node y'))
  assert.notDeepEqual(seedFor('a', 'node x'), seedFor('b', 'node x'))
})

test('blocks of ten do not overlap', () => {
  const ports = planNodes(60).flatMap((_, index) => Object.values(portBlock(7780, index)) as number[])
  assert.equal(new Set(ports).size, 600)
})

test('a port that is taken is named with its owner and a free block, before anything is started', async (context) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => server.close())
  const { port } = server.address() as { port: number }
  const base = Math.min(port - 3, 65_000)
  await assert.rejects(
    requireFreePorts(base, 6),
    (error: Error & { code: string; cause: string; details: Record<string, number> }) => {
      assert.equal(error.code, 'E_PORT_TAKEN')
      // Another port of the block may be in use on this machine, too.
      assert.ok((error.details['port'] as number) <= port)
      if (error.details['port'] === port && process.platform === 'linux')
        assert.equal(error.details['pid'], process.pid)
      return true
    },
  )
  await assert.rejects(requireFreePorts(65_500, 12), { code: 'E_PORT_RANGE' })
  await assert.rejects(requireFreePorts(80, 12), { code: 'E_PORT_RANGE' })
})
