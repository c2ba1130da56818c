import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { test } from 'node:test'
import { isOfSameUser, usersAt } from '../../src/engine/socket-users.ts'

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'
const row = (local: string, remote: string, user: number): string =>
  `   1: ${local} ${remote} 07 00000000:00000000 00:00000000 00000000  ${user}        0 34157 2 0000000000000000 0\n`

test(
  'users of sockets at an address and port are found, also of those at any address, and of no others',
  { skip: ['x64', 'arm64'].includes(process.arch) ? false : 'the order of bytes is another' },
  () => {
    const four = [
      HEAD,
      row('0100007F:1F90', '00000000:0000', 1),
      row('00000000:1F90', '00000000:0000', 2),
      row('0200007F:1F90', '00000000:0000', 3),
      row('0100007F:1F91', '00000000:0000', 4),
    ].join('')
    const six = [
      HEAD,
      row('00000000000000000000000000000000:1F90', `${'0'.repeat(32)}:0000`, 5),
      row('0000000000000000FFFF00000100007F:1F90', `${'0'.repeat(32)}:0000`, 6),
      row('00000000000000000000000001000000:1F90', `${'0'.repeat(32)}:0000`, 7),
    ].join('')
    const at = (address: string, port: number): string[] => [...usersAt([four, six], { address, port })].toSorted()
    assert.deepEqual(at('127.0.0.1', 8080), ['1', '2', '5', '6'])
    assert.deepEqual(at('127.0.0.1', 8081), ['4'])
    assert.deepEqual(at('::1', 8080), ['2', '5', '7'])
    assert.deepEqual(at('127.0.0.1', 80), [])
    const connected = HEAD + row('0100007F:1F90', '0100007F:0050', 1) + row('0100007F:1F90', '0100007F:0051', 2)
    const own = { address: '127.0.0.1', port: 8080 }
    assert.deepEqual([...usersAt([connected], own, { address: '127.0.0.1', port: 80 })], ['1'])
  },
)

test(
  'sockets of this process are of one user; a port where nobody is has none',
  { skip: process.platform === 'linux' ? false : 'only Linux tells' },
  async (t) => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const peer = server.address() as AddressInfo
    const connection = connect(peer.port, peer.address)
    const own = createSocket('udp4').bind(0)
    await Promise.all([once(connection, 'connect'), once(own, 'listening')])
    t.after(() => {
      connection.destroy()
      server.close()
    })
    const { port } = own.address()
    const local = { address: '127.0.0.1', port: connection.localPort ?? 0 }
    const sender = { address: '127.0.0.1', port }
    assert.equal(isOfSameUser(sender, local, peer), true)
    own.close()
    await once(own, 'close')
    assert.equal(isOfSameUser(sender, local, peer), false)
  },
)
