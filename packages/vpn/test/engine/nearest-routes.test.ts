import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { systemClock, systemRandom } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { Role } from '@weft/overlay'
import { NearestRoutes } from '../../src/engine/nearest-routes.ts'
import type { PathSet } from '../../src/engine/path-set.ts'
import type { RouteMember } from '../../src/route/route-member.ts'
import { until } from '../service/until.ts'
import { CircuitClient } from './circuit-client.ts'
import { NETWORK, type TestNode, openNode } from './open-node.ts'

const ROLES: readonly (readonly Role[])[] = [['entry'], ['relay'], ['exit'], ['exit'], ['exit'], ['exit']]

describe('exits of real engines measure through circuits', () => {
  let nodes: TestNode[]
  let client: CircuitClient
  let server: Server
  let target: { readonly host: string; readonly port: number }
  let connections: { readonly ended: boolean; readonly bytes: number }[]
  const open: NearestRoutes[] = []

  before(async () => {
    nodes = []
    for (const [index, roles] of ROLES.entries()) nodes.push(await openNode(index + 1, roles))
    const members = nodes.map(({ member }) => member)
    for (const { engine } of nodes) engine.setMembers(members)
    client = await CircuitClient.open(NETWORK, '127.0.0.1')
    server = createServer((socket: Socket) => {
      const seen = { ended: false, bytes: 0 }
      connections.push(seen)
      socket
        .on('error', () => {})
        .on('data', ({ length }) => (seen.bytes += length))
        .on('end', () => (seen.ended = true))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    target = { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
  })

  after(async () => {
    for (const each of open) each.close()
    client[Symbol.dispose]()
    for (const { engine } of nodes) await engine.close()
    server.close()
  })

  const hopsTo = (exit: RouteMember): RouteMember[] => [...nodes.slice(0, 2).map(({ member }) => member), exit]
  const exits = (): RouteMember[] => nodes.slice(2).map(({ member }) => member)

  /** @param pathSets of the routes */
  function routes(pathSets: readonly PathSet[]) {
    connections = []
    const made: { readonly exit: DidKey; readonly set: PathSet }[] = []
    const nearest = new NearestRoutes({
      clock: systemClock,
      random: systemRandom,
      exits,
      pathSets: () => pathSets,
      make: (exit, events) => {
        const set = client.pathSet(hopsTo(exit), events)
        made.push({ exit: exit.id, set })
        return set
      },
    })
    open.push(nearest)
    return {
      nearest,
      /** Exits to which circuits were made for measuring alone. */
      made: () => made.map(({ exit }) => exit),
      standing: () => made.filter(({ set }) => !set.over).length,
      known: (host = target.host) => until(() => nearest.of({ host, port: target.port }) !== undefined),
    }
  }

  async function ready(exit: RouteMember): Promise<PathSet> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const set = client.pathSet(hopsTo(exit), { onReady: () => resolve() })
    set.start()
    await promise
    return set
  }

  test('each of four exits connects to the target three times without a byte, and the client knows who is near', async () => {
    const { nearest, known, made, standing } = routes([])
    assert.equal(nearest.of(target), undefined)
    await known()
    const near = nearest.of(target)
    const ids = exits().map(({ id }) => id)
    assert.deepEqual(new Set(made()), new Set(ids))
    assert.ok(near !== undefined && near.size > 0)
    for (const [exit, ms] of near) assert.ok(ids.includes(exit) && ms >= 1 && ms < 1_000, `${ms}`)
    await until(() => connections.every(({ ended }) => ended))
    // One that takes longer than another before is given up, at the exit; here it may have come through.
    assert.ok(connections.length >= ids.length && connections.length <= 3 * ids.length, `${connections.length}`)
    assert.ok(connections.every(({ bytes }) => bytes === 0))
    nearest.close()
    assert.equal(standing(), 0)
  })

  test('circuits that stand are used, and those made for measuring serve for the next target', async () => {
    const [first] = exits() as [RouteMember]
    const own = await ready(first)
    const { nearest, known, made, standing } = routes([own])
    await known()
    assert.equal(made().includes(first.id), false)
    assert.deepEqual([made().length, standing(), own.streams], [3, 3, 0])
    await known('localhost')
    assert.equal(made().length, 3)
    nearest.close()
    assert.equal(own.over, false, 'it is the routes that end it')
    own.destroy()
  })

  test('an exit through which connections take much longer than it said is near no more; streams to what is no target of that kind tell nothing', async () => {
    const all = await Promise.all(exits().map(ready))
    const { nearest, known } = routes(all)
    await known()
    // Which of them are near is for the machine to say, which may have held one up.
    const own = all.find(({ exit }) => nearest.of(target)?.has(exit?.id as DidKey)) ?? assert.fail()
    const { id } = own.exit as RouteMember
    const { clientMs = Infinity, variationMs = Infinity } = own.roundTrip ?? {}
    assert.ok(clientMs > 0 && clientMs < 1_000 && variationMs < 1_000)
    assert.equal(nearest.hold({ ...target, protocol: 'udp' }, own, 3_000), undefined)
    assert.ok(nearest.hold(target, own, undefined) !== undefined)
    assert.equal(nearest.of(target)?.has(id), true)
    nearest.hold(target, own, 3_000)
    assert.notEqual(nearest.of(target)?.has(id), true)
    nearest.close()
    for (const set of all) set.destroy()
  })

  test('when routes have moved other circuits are made for what is asked next, and what is known stays known', async () => {
    const { nearest, known, made, standing } = routes([])
    await known()
    assert.deepEqual([made().length, standing()], [4, 4])
    nearest.moved()
    assert.equal(standing(), 0)
    assert.ok(nearest.of(target) !== undefined)
    await known('localhost')
    assert.equal(made().length, 8)
    nearest.close()
  })

  test('what exits do not connect to stays as by auto', async () => {
    const { nearest, known } = routes([])
    const inside = { host: '10.0.0.1', port: 80 }
    assert.equal(nearest.of(inside), undefined)
    // One target is asked about after the other.
    await known()
    assert.equal(nearest.of(inside), undefined)
    nearest.close()
  })

  test('an exit that is gone is passed over, and nothing is left behind', async () => {
    const gone = nodes.pop() ?? assert.fail()
    await gone.engine.close()
    nodes.push(gone)
    const { nearest, known, made, standing } = routes([])
    await known()
    assert.ok(made().includes(gone.member.id))
    const near = nearest.of(target)
    assert.ok(near !== undefined && !near.has(gone.member.id))
    await until(() => standing() === 3)
    nearest.close()
  })
})
