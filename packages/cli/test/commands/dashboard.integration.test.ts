import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runWeft } from '../fixtures/run-weft.ts'
import { serveApi } from '../fixtures/serve-api.ts'

test('dashboard hands the browser a file and never the link', async (context) => {
  const asked: string[] = []
  const { promise: called, resolve: call } = Promise.withResolvers<string>()
  const home = await serveApi(context, (request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      if (request.url === '/called') return call(body)
      asked.push(body)
      const { file } = JSON.parse(body) as { file: boolean }
      const answer = { schemaVersion: 1, url: 'http://127.0.0.1:1/open#CODE' }
      return response.end(JSON.stringify({ ...answer, ...(file && { file: join(home, 'a b.html') }) }))
    })
  })
  // In the place of the programs that open a browser: they tell how they were called.
  const tell = `require('node:http').request({ socketPath: '${home}/api.sock', path: '/called', method: 'POST' })`
  const opener = `#!${process.execPath}\n${tell}.on('error', () => {}).end(process.argv.slice(2).join(' '))\n`
  for (const name of ['xdg-open', 'open']) writeFileSync(join(home, name), opener, { mode: 0o755 })
  const env = { WEFT_HOME: home, DISPLAY: ':0', PATH: home }
  const opened = await runWeft(['dashboard'], env)
  assert.equal(opened.stdout, 'http://127.0.0.1:1/open#CODE\n', opened.stderr)
  assert.equal(await called, `file://${home}/a%20b.html`)
  for (const args of [['--no-open'], ['--json']]) assert.equal((await runWeft(['dashboard', ...args], env)).code, 0)
  assert.deepEqual(asked, ['{"file":true}', '{"file":false}', '{"file":false}'])
})
