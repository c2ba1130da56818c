import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SigningKey } from '@weft/crypto'
import { RpcHandlers } from '../src/rpc-handlers.ts'
import { RpcDispatcher } from '../src/transport/rpc-dispatcher.ts'
import { codeOf } from './fixtures.ts'

test('calls that a part answers end together, and others can take them over', async () => {
  const dispatcher = new RpcDispatcher({ allows: () => true }, { take: () => true })
  const caller = { id: SigningKey.generate().id, address: '/ip4/192.0.2.1/tcp/1' }
  const { signal } = new AbortController()
  const call = (method: string): Promise<string> =>
    codeOf(() => dispatcher.answer(method, new Uint8Array(), caller, signal))
  const rpc = { call: () => Promise.reject(new Error('not here')), handle: dispatcher.handle }
  const handlers = new RpcHandlers(rpc)
  handlers.handle('map.propose', async () => ({ missing: [] }))
  handlers.handle('map.endorse', async () => ({}))
  dispatcher.handle('map.head', async () => ({}))
  assert.deepEqual([await call('map.propose'), await call('map.endorse')], ['nothing', 'nothing'])
  assert.throws(() => handlers.handle('map.endorse', async () => ({})), RangeError)
  handlers.end()
  handlers.end()
  assert.deepEqual(
    [await call('map.propose'), await call('map.endorse'), await call('map.head')],
    ['E_METHOD_NOT_OFFERED', 'E_METHOD_NOT_OFFERED', 'nothing'],
  )
  new RpcHandlers(rpc).handle('map.endorse', async () => ({}))
  assert.equal(await call('map.endorse'), 'nothing')
})
