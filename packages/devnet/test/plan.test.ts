import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import fc from 'fast-check'
import { requireFreePorts } from '../src/plan/free-ports.ts'
import { type DevnetRole, MAX_NODES, MIN_NODES, type PlannedNode, planNodes } from '../src/plan/plan-nodes.ts'
import { portBlock } from '../src/plan/port-block.ts'
import { seedFor } from '../src/plan/seed.ts'
import { syntheticPlaces } from '../src/plan/synthetic-places.ts'

const size = fc.integer({ min: MIN_NODES, max: MAX_NODES })

test('twelve nodes: two clients, four validators, four that store, all eight entry and relay, and two exits', () => {
  assert.deepEqual(
    planNodes(12).map(({ name, roles }) => `${name}:${roles.join('+')}`),
    [
      'client:',
      ...[1, 2, 3, 4].map((i) => `validator${i}:validator+storage+entry+relay`),
      ...[1, 2, 3, 4].map((i) => `storage${i}:storage+entry+relay`),
      'exit1:storage+exit',
      'exit2:exit',
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
      const having = (role: DevnetRole): number => nodes.filter(({ roles }) => roles.includes(role)).length
      assert.equal(having('validator'), 4)
      assert.ok(having('exit') >= (count >= 8 ? 2 : 1), `${having('exit')} exits`)
      assert.ok(having('storage') >= Math.min(9, count - 3), `${having('storage')} store`)
      assert.equal(having('entry') + having('exit'), count - 2, 'an exit is no entry, every other member is')
      assert.equal(having('entry'), having('relay'))
    }),
  )
  for (const count of [0, 5, 61, 7.5, Number.NaN]) assert.throws(() => planNodes(count), { code: 'E_DEVNET_SIZE' })
})

test('from eight nodes on there is a route whichever member is gone, by the rules for family, /16 and ASN', () => {
  fc.assert(
    fc.property(size, fc.string(), fc.nat(), (count, seed, gone) => {
      const nodes = planNodes(count)
      const places = syntheticPlaces(seed, nodes)
      const members = nodes.filter(({ client }) => !client)
      const left = count < 8 ? members : members.filter((_, index) => index !== gone % members.length)
      const groupsOf = ({ name }: PlannedNode): string[] => {
        const { family, address, asn } = places.get(name) ?? assert.fail()
        return [family, `AS ${asn}`, address.split('.').slice(0, 2).join('.')]
      }
      const apart = (a: PlannedNode, b: PlannedNode): boolean =>
        new Set([...groupsOf(a), ...groupsOf(b)]).size === groupsOf(a).length + groupsOf(b).length
      const forwarding = left.filter(({ roles }) => roles.includes('entry'))
      const exits = left.filter(({ roles }) => roles.includes('exit'))
      assert.ok(exits.length > 0)
      for (const exit of exits) {
        const others = forwarding.filter((node) => apart(node, exit))
        assert.ok(
          others.some((entry) => others.some((relay) => apart(entry, relay))),
          `no route to ${exit.name}`,
        )
      }
    }),
    { numRuns: 50 },
  )
})

test('from eight nodes on two legs to each exit need no node twice, and no related ones', () => {
  for (let count = 8; count <= MAX_NODES; count++) {
    const nodes = planNodes(count)
    const places = syntheticPlaces('legs', nodes)
    const groupsOf = ({ name }: PlannedNode): string[] => {
      const { family, address, asn } = places.get(name) ?? assert.fail()
      return [family, `AS ${asn}`, address.split('.').slice(0, 2).join('.')]
    }
    for (const exit of nodes.filter(({ roles }) => roles.includes('exit'))) {
      const taken = new Set(groupsOf(exit))
      const apart = nodes.filter((node) => {
        if (!node.roles.includes('relay') || groupsOf(node).some((group) => taken.has(group))) return false
        for (const group of groupsOf(node)) taken.add(group)
        return true
      })
      assert.ok(apart.length >= 4, `${apart.length} of ${count} nodes for ${exit.name}`)
    }
  }
})

test('two operators of twelve nodes share a /16, and a pair is never two exits', () => {
  const nodes = planNodes(12)
  const places = syntheticPlaces('a', nodes)
  const networks = Map.groupBy(places.values(), ({ address }) => address.split('.').slice(0, 2).join('.'))
  const families = [...networks.values()].map((group) => new Set(group.map(({ family }) => family)).size)
  assert.deepEqual(
    families.toSorted((a, b) => a - b),
    [1, 1, 1, 1, 1, 2],
  )
  assert.notEqual(places.get('exit1')?.family, places.get('exit2')?.family)
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
        assert.match(address, /^2(4\d|5[0-4])\.\d{1,3}\.\d{1,3}\.([1-9]\d{0,2})$/)
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
