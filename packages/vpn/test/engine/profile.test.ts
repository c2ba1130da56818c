import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { DEFAULT_ROUTE_PROFILE } from '../../src/profile/route-profile.ts'
import { NO_TUN } from './no-tun.ts'
import { get, openNode } from './open-node.ts'

test('a profile that isolates nothing leads users and passwords over the routes of all, from the next request on', async (t) => {
  const nodes = [await openNode(1, ['entry']), await openNode(2, ['relay']), await openNode(3, ['exit'])]
  const { engine: client } = await openNode(99, [])
  const server = createServer((_, response) => response.end('page')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    await client.close()
    for (const { engine } of nodes) await engine.close()
    server.close()
  })
  const members = nodes.map(({ member }) => member)
  for (const { engine } of [...nodes, { engine: client }]) engine.setMembers(members)
  client.setProfile({ ...DEFAULT_ROUTE_PROFILE, isolation: 'none' })
  await client.up()
  const proxy = client.status().proxy?.port ?? assert.fail()
  const { port } = server.address() as { port: number }
  assert.equal(String(await get(proxy, port, 'alice')), 'page')
  assert.deepEqual(client.status().others, [])
  client.setProfile(DEFAULT_ROUTE_PROFILE)
  assert.equal(String(await get(proxy, port, 'alice')), 'page')
  assert.deepEqual(
    client.status().others.map(({ use }) => use),
    ['credentials'],
  )
})

test('DNS is as the ways of the first up say until down', async (t) => {
  const { engine } = await openNode(1, [])
  t.after(() => engine.close())
  const ways = { dns: { host: '127.0.0.1', port: 0 }, tun: NO_TUN }
  await engine.up(undefined, ways)
  const { dns } = engine.status()
  assert.ok(dns !== undefined)
  await engine.up(undefined, { ...ways, dns: undefined })
  assert.deepEqual(engine.status().dns, dns)
  await engine.down()
  await engine.up(undefined, { ...ways, dns: undefined })
  assert.deepEqual([engine.status().dns, engine.status().proxy === undefined], [undefined, false])
})

test('a tunnel is wanted, and split, as the ways say', async (t) => {
  const { engine } = await openNode(1, [])
  t.after(() => engine.close())
  const tun = { ...NO_TUN, isWanted: true, includePrograms: { users: ['no-such-user'], cgroups: [] } }
  await assert.rejects(engine.up(undefined, { dns: undefined, tun }), { code: 'E_TUN_SPLIT', message: /no-such-user/ })
  await engine.up(false, { dns: undefined, tun })
  assert.ok(engine.status().proxy !== undefined)
})
