import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { type TestContext, test } from 'node:test'
import { isWeftError } from '@weft/core'
import { curlLine, fetchOverProxy } from '../tour/fetch-over-proxy.ts'
import { TourServer } from '../tour/tour-server.ts'

const CURL = '/usr/bin/curl'
const { signal } = new AbortController()

async function listening(context: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  context.after(() => server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** A SOCKS5 proxy that passes on to whom it was asked for, or refuses with `reply`, in as small pieces as there are. */
function socksProxy(context: TestContext, reply = 0): Promise<number> {
  const server = createServer((client) => {
    client.setNoDelay(true).on('error', () => {})
    client.once('data', () => {
      client.write(Uint8Array.of(5))
      client.write(Uint8Array.of(0))
      client.once('data', (asked: Buffer) => {
        const target = asked.readUInt16BE(asked.length - 2)
        const host = asked[3] === 3 ? asked.subarray(5, -2).toString() : asked.subarray(4, 8).join('.')
        const bytes = [5, reply, 0, 1, 0, 0, 0, 0, 0, 0]
        if (reply !== 0) {
          client.end(Uint8Array.from(bytes))
          return
        }
        const far = connect(target, host === 'localhost' ? '127.0.0.1' : host)
        far.on('error', () => client.destroy())
        for (const byte of bytes) client.write(Uint8Array.of(byte))
        client.pipe(far).pipe(client)
      })
    })
  })
  return listening(context, server)
}

async function tourServer(context: TestContext): Promise<TourServer> {
  const server = await TourServer.start(() => false)
  context.after(() => server[Symbol.asyncDispose]())
  return server
}

const clients = [
  {
    name: 'curl',
    program: CURL,
    client: 'curl',
    skip: !existsSync(CURL) && process.env['CI'] !== 'true' && 'no curl here',
  },
  { name: 'our own client', program: '/nowhere/curl', client: 'own', skip: false },
] as const

for (const { name, program, client, skip } of clients) {
  test(`${name} fetches over the proxy, by address and by name`, { skip }, async (context) => {
    // Set on many machines; it must not lead round the proxy.
    const before = process.env['NO_PROXY']
    process.env['NO_PROXY'] = '*'
    context.after(() => {
      if (before === undefined) delete process.env['NO_PROXY']
      else process.env['NO_PROXY'] = before
    })
    const server = await tourServer(context)
    const proxy = await socksProxy(context)
    for (const url of [server.url, server.url.replace('127.0.0.1', 'localhost')]) {
      assert.deepEqual(await fetchOverProxy(proxy, url, signal, program), { body: server.page, client })
    }
    assert.equal(server.visits.length, 2)
    for (const { address, owner } of server.visits) {
      assert.equal(address, '127.0.0.1')
      // The proxy of this test, not curl.
      if (process.platform === 'linux') assert.equal(owner?.pid, process.pid)
    }
  })

  test(`${name} tells why a page did not come`, { skip }, async (context) => {
    const server = await tourServer(context)
    const refuses = await socksProxy(context, 2)
    const silent = await listening(
      context,
      createServer((socket) => socket.on('error', () => {}).end()),
    )
    for (const [proxy, url] of [
      [refuses, server.url],
      [silent, server.url],
      [1, server.url],
    ] as const) {
      await assert.rejects(fetchOverProxy(proxy, url, signal, program), (error) => isWeftError(error, 'E_TOUR_FETCH'))
    }
    assert.deepEqual(server.visits, [])
  })
}

test('gives up when it is interrupted', async (context) => {
  const mute = await listening(
    context,
    createServer((socket) => context.after(() => socket.destroy())),
  )
  for (const { program, skip } of clients) {
    if (skip !== false) continue
    const controller = new AbortController()
    const fetched = fetchOverProxy(mute, 'http://127.0.0.1:1/', controller.signal, program)
    setImmediate(() => controller.abort())
    await assert.rejects(fetched, (error) => !isWeftError(error, 'E_TOUR_FETCH'))
  }
})

test('names a line that works when pasted', () => {
  assert.equal(curlLine(7781, 'https://example.org/'), 'curl --proxy socks5h://127.0.0.1:7781 https://example.org/')
})
