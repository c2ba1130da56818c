import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import type { DidKey } from '@weft/crypto'
import type { Role } from '@weft/overlay'
import { DEFAULT_ROUTE_PROFILE } from '../../src/profile/route-profile.ts'
import type { PacketEngine } from '../../src/engine/packet-engine.ts'
import type { RouteMember } from '../../src/route/route-member.ts'
import { until } from '../service/until.ts'
import { get, openNode, socks } from './open-node.ts'

/** A client whose route leads to this exit at first, by chance. */
async function clientBy(members: readonly RouteMember[], exit: DidKey | undefined): Promise<PacketEngine> {
  for (let tries = 0; tries < 60; tries++) {
    const { engine } = await openNode(
      99,
      [],
      '127.0.0.1',
      {},
      { profile: { ...DEFAULT_ROUTE_PROFILE, exit: 'nearest' } },
    )
    engine.setMembers(members)
    await engine.up()
    await until(() => engine.status().state === 'connected')
    if (engine.status().route.legs[0]?.hops.at(-1)?.node === exit) return engine
    await engine.close()
  }
  assert.fail('no route led there')
}

test('with the wish for the nearest exit streams leave where their target is reached from, once that is known', async (t) => {
  const server = createServer((_, response) => response.end('here')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const roles: Role[][] = [
    ...Array.from({ length: 4 }, (): Role[] => ['entry', 'relay']),
    ...Array.from({ length: 3 }, (): Role[] => ['exit']),
  ]
  // Of three exits one does not reach the target.
  const deny = [`127.0.0.1/32:${port}`]
  const nodes = await Promise.all(
    roles.map((own, index) => openNode(index + 1, own, '127.0.0.1', {}, index === 4 ? { deny } : {})),
  )
  const members = nodes.map(({ member }) => member)
  for (const { engine } of nodes) engine.setMembers(members)
  const client = await clientBy(members, members[4]?.id)
  t.after(async () => {
    await client.close()
    for (const { engine } of nodes) await engine.close()
    server.close()
    server.closeAllConnections()
  })
  const proxy = client.status().proxy?.port ?? assert.fail()
  /** Whether a stream got to the target. */
  const reaches = async (): Promise<boolean> => {
    const socket = await socks(proxy, '127.0.0.1', port)
    if (typeof socket === 'number') return false
    socket.destroy()
    return true
  }
  // Until exits have been asked a stream leaves at that in use.
  await reaches()
  const deadline = performance.now() + 20_000
  for (let row = 0; row < 5;) {
    assert.ok(performance.now() < deadline, 'streams go on leaving where the target is not reached')
    row = (await reaches()) ? row + 1 : 0
  }
  for (let time = 0; time < 10; time++) assert.ok(await reaches(), 'it left at an exit that does not reach the target')
  assert.equal((await get(proxy, port)).toString(), 'here')
})
