import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { portOwner } from '../src/index.ts'
import { socketInodes } from '../src/port-owner.ts'

test('whoever listens on a port is named', { skip: !existsSync('/proc/net/tcp') && 'no /proc here' }, async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  assert.equal(portOwner(port)?.pid, process.pid)
  assert.match(portOwner(port)?.name ?? '', /^node/)
  server.close()
  await once(server, 'close')
  assert.equal(portOwner(port), undefined)
})

test('the table of sockets is read field by field', () => {
  const table = [
    '  sl  local_address',
    '   0: 0100007F:1E64 00000000:0000 0A 0:0 0:0 0 0 0 4711',
    '   1: 0100007F:1E65 00000000:1E64 01 0:0 0:0 0 0 0 4712',
    '   2: 0100007F:1E64 00000000:0000 06 0:0 0:0 0 0 0 0',
  ].join('\n')
  assert.deepEqual(socketInodes(table, 0x1e64), ['4711'])
  assert.deepEqual(socketInodes(table, 0x1e65), ['4712'])
  assert.deepEqual(socketInodes(table, 0x1e65, 0x1e64), ['4712'])
  assert.deepEqual(socketInodes(table, 0x1e65, 0x1e63), [])
  assert.deepEqual(socketInodes('', 1), [])
})
