import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { Scope, silentLogger, systemClock } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { Caller } from '../../src/rpc.ts'
import { createAnonymous } from '../../src/transport/create-anonymous.ts'
import { TestNetwork } from './test-network.ts'

/** A member that notes who calls it, and one that is no member of anything, who calls by ways. */
async function world(t: TestContext) {
  const network = new TestNetwork()
  t.after(() => network[Symbol.asyncDispose]())
  const members: DidKey[] = []
  const member = await network.node({ access: { allows: (id, access) => access === 'anyone' || members.includes(id) } })
  const callers: Caller[] = []
  member.transport.handle('record.get', async (_, caller) => {
    callers.push(caller)
    return {}
  })
  const port = (id: DidKey): number => Number(/tcp\/(\d+)/.exec(network.addresses.get(id)?.[0] ?? '')?.[1])
  const scope = new Scope({ name: 'anonymous' })
  t.after(() => scope.close())
  const opened: DidKey[] = []
  const anonymous = (leadTo: (id: DidKey) => number = port) =>
    createAnonymous({
      networkId: 'test',
      open: async (to) => {
        opened.push(to)
        const socket = connect({ host: '127.0.0.1', port: leadTo(to) })
        await once(socket, 'connect')
        return socket
      },
      clock: systemClock,
      logger: silentLogger,
      scope,
    })
  return { network, member, members, callers, anonymous, opened, port }
}

const ASK = { key: new Uint8Array(32) }

test('calls and streams go over one way, under a key of its own, another for each caller', async (t) => {
  const { member, callers, anonymous, opened } = await world(t)
  member.transport.handleStream('shard', async (stream) => {
    for await (const chunk of stream.incoming) await stream.write(chunk)
    await stream.closeWrite()
  })
  const [one, other] = [await anonymous(), await anonymous()]
  await one.rpc.call(member.id, 'record.get', ASK)
  await one.rpc.call(member.id, 'record.get', ASK)
  const stream = await one.streams.open(member.id, 'shard')
  await stream.write(new Uint8Array(3_000_000).fill(7))
  await stream.closeWrite()
  let came = 0
  for await (const chunk of stream.incoming) came += chunk.length
  assert.equal(came, 3_000_000)
  assert.deepEqual(opened, [member.id])
  await other.rpc.call(member.id, 'record.get', ASK)
  assert.deepEqual(
    callers.map(({ id }) => id),
    [one.self, one.self, other.self],
  )
  assert.notEqual(one.self, other.self)
})

test('it has the rights of a stranger, and is called by nobody', async (t) => {
  const { member, anonymous } = await world(t)
  const caller = await anonymous()
  await assert.rejects(caller.rpc.call(member.id, 'liveness.ask', {}), { code: 'E_ACCESS_MEMBERS_ONLY' })
  await assert.rejects(member.transport.call(caller.self, 'record.get', ASK), { code: /^E_/ })
})

test('who answers at the end of a way without the key of the member is not spoken to', async (t) => {
  const { network, member, callers, anonymous, port } = await world(t)
  const impostor = await network.node()
  const caller = await anonymous(() => port(impostor.id))
  await assert.rejects(caller.rpc.call(member.id, 'record.get', ASK), { code: 'E_NODE_UNREACHABLE' })
  assert.deepEqual(callers, [])
})
