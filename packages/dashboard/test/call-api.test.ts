import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type RequestListener, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, it } from 'node:test'
import { ApiError } from '../src/api/api-error.ts'
import { callApi } from '../src/api/call-api.ts'

async function serve(context: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

it('takes no part of an answer for the whole when it is given up', async (context) => {
  const url = await serve(context, (_, response) => void response.writeHead(200).write('{"route":'))
  const controller = new AbortController()
  const asked = callApi(url, { signal: signalOnceAnswered(controller) })
  await assert.rejects(asked, { name: 'AbortError' })

  /** Fires when the headers were taken, while the body is being waited for. */
  function signalOnceAnswered({ signal }: AbortController): AbortSignal {
    const { fetch } = globalThis
    context.mock.method(globalThis, 'fetch', async (...args: Parameters<typeof fetch>) => {
      const response = await fetch(...args)
      setImmediate(() => controller.abort())
      return response
    })
    return signal
  }
})

it('says so when an answer breaks off, or is none', async (context) => {
  const cut = await serve(context, (_, response) =>
    response.writeHead(200).write('{"route":', () => response.destroy()),
  )
  const other = await serve(context, (_, response) => void response.end('<html>'))
  for (const url of [cut, other])
    await assert.rejects(callApi(url, {}), (error) => {
      assert.ok(error instanceof ApiError)
      assert.match(error.fault.cause, /did not come whole/)
      return error.fault.code === 'E_HTTP'
    })
})

it('gives the words of the daemon for what it refuses, and its own where there are none', async (context) => {
  const fault = { code: 'E_X', cause: 'A cause.', fix: 'A fix.' }
  const told = await serve(context, (_, response) => void response.writeHead(409).end(JSON.stringify({ error: fault })))
  await assert.rejects(callApi(told, {}), { status: 409, fault })
  const bare = await serve(context, (_, response) => void response.writeHead(502).end('no'))
  await assert.rejects(callApi(bare, {}), { status: 502, message: /^E_HTTP: The daemon answered 502/ })
})
