import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runWeft, startWeft } from '../fixtures/run-weft.ts'
import { serveApi } from '../fixtures/serve-api.ts'
import { REF } from '../fixtures/reference.ts'

test('put streams a file with its length and prints the reference alone to stdout', async (context) => {
  const seen: { url?: string | undefined; length?: string | undefined; body: string }[] = []
  const home = await serveApi(context, (request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      seen.push({ url: request.url, length: request.headers['content-length'], body })
      response.end(
        JSON.stringify({
          schemaVersion: 1,
          ref: REF,
          object: 'object',
          name: 'n',
          size: body.length,
          class: 'tiny',
          createdAt: 0,
          expiresAt: 0,
          private: false,
          warnings: [{ code: 'E_HOLDER_REPLACED', cause: 'one fell out', fix: 'nothing' }],
        }),
      )
    })
  })
  writeFileSync(join(home, 'file.txt'), 'hello')
  const plain = await runWeft(['put', join(home, 'file.txt'), '--class', 'tiny', '--ttl', '1h'], { WEFT_HOME: home })
  assert.deepEqual([plain.code, plain.stdout], [0, `${REF}\n`])
  assert.match(plain.stderr, /E_HOLDER_REPLACED: one fell out/)
  const piped = await runWeft(['put', '-', '--json'], { WEFT_HOME: home }, 'from stdin')
  assert.equal((JSON.parse(piped.stdout) as { ref: string }).ref, REF)
  assert.deepEqual(seen, [
    { url: '/api/v1/objects?class=tiny&ttlMs=3600000&name=file.txt', length: '5', body: 'hello' },
    { url: '/api/v1/objects?', length: undefined, body: 'from stdin' },
  ])
})

test('a file that is not there, and a directory, are told before anything is sent', async (context) => {
  const home = await serveApi(context, () => assert.fail('nothing may be sent'))
  const none = await runWeft(['put', join(home, 'none')], { WEFT_HOME: home })
  assert.deepEqual([none.code, none.stderr.split(':')[0]], [5, 'E_FILE_NOT_FOUND'])
  const directory = await runWeft(['put', home], { WEFT_HOME: home })
  assert.deepEqual([directory.code, /tar -c/.test(directory.stderr)], [2, true])
})

test('Ctrl-C in the middle of a put breaks the upload off', async (context) => {
  const { promise: started, resolve: start } = Promise.withResolvers<void>()
  const { promise: broken, resolve: breakOff } = Promise.withResolvers<void>()
  const home = await serveApi(context, (request) => {
    request.once('data', () => start())
    request.once('error', () => breakOff())
  })
  writeFileSync(join(home, 'file'), Buffer.alloc(64 * 1024 * 1024))
  const { child, finished } = startWeft(['put', join(home, 'file')], { WEFT_HOME: home })
  await started
  child.kill('SIGINT')
  await broken
  const { code, stdout, stderr } = await finished
  assert.deepEqual([code, stdout], [130, ''])
  assert.match(stderr, /E_INTERRUPTED/)
})

test('a put from a pipe that stays open ends when it is interrupted or refused', async (context) => {
  let arrived = Promise.withResolvers<void>()
  const home = await serveApi(context, (request, response) => {
    request.once('data', () => {
      arrived.resolve()
      if (request.url?.includes('refused') !== true) return
      response.writeHead(503, { connection: 'close' })
      response.end(JSON.stringify({ error: { code: 'E_CLASS_UNAVAILABLE', cause: 'c', fix: 'f' } }))
    })
  })
  for (const [name, expected] of [
    ['refused', 1],
    ['interrupted', 130],
  ] as const) {
    arrived = Promise.withResolvers<void>()
    const { child, finished } = startWeft(['put', '-', '--name', name], { WEFT_HOME: home }, null)
    child.stdin?.write('some')
    await arrived.promise
    if (name === 'interrupted') child.kill('SIGINT')
    assert.equal((await finished).code, expected)
  }
})
