import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'node:test'
import { answerAsWebServer } from '../src/web-page.ts'

interface Asked {
  readonly request: string
  readonly answer: string
}

interface Recorded {
  readonly page: string
  readonly withPage: readonly Asked[]
  readonly withoutPage: readonly Asked[]
}

/** What Express 4.22 on Node 26 said, in production, to the same bytes; of its Date the value is left out. */
const recorded = JSON.parse(readFileSync(new URL('express-answers.json', import.meta.url), 'utf8')) as Recorded

async function assertSaid(page: string | undefined, asked: readonly Asked[]): Promise<void> {
  const server = createServer((request, response) => answerAsWebServer(page, request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    for (const { request, answer } of asked) {
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
      const parts: Buffer[] = []
      socket.on('data', (part: Buffer) => parts.push(part))
      socket.end(request, 'latin1')
      await once(socket, 'close')
      const said = Buffer.concat(parts).toString('latin1')
      assert.equal(said.replace(/Date: [^\r]*/, 'Date:'), answer, JSON.stringify(request))
    }
  } finally {
    server.close()
  }
}

test('a stranger gets what an application on Express says, byte for byte', async () => {
  await assertSaid(recorded.page, recorded.withPage)
  await assertSaid(undefined, recorded.withoutPage)
})
