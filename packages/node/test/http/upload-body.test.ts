import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'node:test'
import { limitBodyTime } from '../../src/http/limit-body-time.ts'
import { uploadBody } from '../../src/http/upload-body.ts'

/** A request whose body stops after its first bytes. */
async function stalledRequest(): Promise<{ request: IncomingMessage; end: () => void }> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc')
  const [request] = (await once(server, 'request')) as [IncomingMessage]
  const end = (): void => {
    socket.destroy()
    server.close()
    server.closeAllConnections()
  }
  return { request, end }
}

test('a silent client is given up, a gone one at once', async () => {
  for (const leave of [false, true]) {
    const { request, end } = await stalledRequest()
    const got: string[] = []
    await assert.rejects(
      async () => {
        for await (const chunk of uploadBody(request, leave ? 60_000 : 20)) {
          got.push(Buffer.from(chunk).toString())
          if (leave) end()
        }
      },
      { code: 'E_UPLOAD_BROKEN' },
    )
    assert.deepEqual(got, ['abc'])
    end()
  }
})

test('leaving early keeps the connection', async () => {
  const { request, end } = await stalledRequest()
  for await (const _ of uploadBody(request)) break
  assert.equal(request.destroyed, false)
  end()
})

test('a small body that comes drop by drop is cut off', async () => {
  const { request, end } = await stalledRequest()
  limitBodyTime({ raw: request } as never, 10)
  await once(request, 'close')
  assert.ok(request.destroyed)
  end()
})
