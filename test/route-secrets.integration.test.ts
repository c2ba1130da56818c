import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { inspect } from 'node:util'
import type { Role } from '@weft/overlay'
import { SecretWatch } from '../packages/onion/test/secret-watch.ts'
import { until } from '../packages/vpn/test/service/until.ts'
import { get, openNode, socks } from '../packages/vpn/test/engine/open-node.ts'

test('no key that a route was made or used with, and no destination, is in a line of the log, an event or a status', async () => {
  using watch = new SecretWatch()
  let said = ''
  const say = (...words: readonly unknown[]): void => void (said += inspect(words, { depth: 9, maxArrayLength: 99 }))
  const logger = { debug: say, info: say, warn: say, error: say }
  const parts = { logger, onRoute: say, onRouteEvent: say, onThroughput: say }
  const roles: Role[][] = [['entry'], ['relay'], ['relay'], ['exit'], []]
  const nodes = await Promise.all(roles.map((role, at) => openNode(at + 1, role, '127.0.0.1', parts)))
  const members = nodes.slice(0, 4).map(({ member }) => member)
  for (const { engine } of nodes) engine.setMembers(members)
  const client = nodes[4]?.engine ?? assert.fail()
  const server = createServer((_request, response) => response.end('here'.repeat(100_000)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await client.up()
  const proxy = client.status().proxy?.port ?? assert.fail()
  await get(proxy, port)
  assert.equal(await socks(proxy, 'canary-name.invalid', 80), 4)
  assert.equal(await socks(proxy, '10.66.77.88', 4_321, 'canary-user'), 2)
  // A hop is lost, and another route is taken: which is said.
  const relay = client.status().route.legs[0]?.hops[1]?.node
  await nodes.find(({ member }) => member.id === relay)?.engine.close()
  await get(proxy, port)
  await until(() => said.includes('state:'))
  for (const { engine } of nodes) say(engine.status())
  for (const { engine } of nodes.toReversed()) await engine.close()
  server.close()
  server.closeAllConnections()

  assert.ok(said.includes('E_TARGET_POLICY'), said)
  for (const destination of ['canary', '10.66.77.88', `127.0.0.1:${port}`, `port: ${port}`])
    assert.equal(said.includes(destination), false, destination)
  assert.ok(watch.size > 200, `${watch.size} secrets`)
  for (const secret of watch.secrets)
    for (const form of [
      secret.toString('hex'),
      secret.toString('base64').slice(0, 42),
      secret.toString('base64url'),
      secret.join(', '),
    ])
      assert.equal(said.toLowerCase().includes(form.toLowerCase()), false)
})
