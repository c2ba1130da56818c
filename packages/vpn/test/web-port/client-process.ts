/**
 * A client to whose packets nothing is open but TCP 443: `bin/node client-process.ts`, in a namespace where that is so for 10.78.0.0/16, which is
 * local there. Of 21 entries one is at 443. Tells in a line which of its users, each with routes of its own, got a page.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { get, openNode } from '../engine/open-node.ts'
import { until } from '../service/until.ts'

const ELSEWHERE = 20
const USERS = 10

const nodes = [
  await openNode(1, ['entry'], '10.78.0.1', {}, { port: 443 }),
  // What it answers entries is let through.
  await openNode(2, ['relay'], '127.0.0.1', {}, { port: 5_000 }),
  await openNode(3, ['exit'], '127.0.0.1'),
]
for (let at = 1; at <= ELSEWHERE; at++)
  nodes.push(await openNode(10 + at, ['entry'], `10.78.${at}.1`, {}, { port: 4_782 }))
const members = nodes.map(({ member }) => member)
for (const { engine } of nodes) engine.setMembers(members)
const server = createServer((_request, response) => response.end('here'))
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as { port: number }

const { engine: client } = await openNode(99, [], '0.0.0.0')
client.setMembers(members)
await client.up()
await until(() => client.status().state === 'connected')
const served: string[] = []
for (let user = 0; user < USERS; user++) {
  const page = await get(client.status().proxy?.port ?? 0, port, `user${user}`).catch((error: unknown) => String(error))
  served.push(page.toString())
}
// Not why: who comes to the one at 443 first tries no other.
assert.equal(client.status().carriage.over, 'tls')
process.stdout.write(`${JSON.stringify(served)}\n`, () => process.exit(0))
