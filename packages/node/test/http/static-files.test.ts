import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import type { FastifyReply } from 'fastify'
import { staticFiles } from '../../src/http/static-files.ts'
import { testDirectory } from '../support/test-daemon.ts'

interface Served {
  readonly statusCode: number
  readonly body: string
  readonly headers: Record<string, string>
}

/** What is answered for a path as it stands in the request line. */
function serve(directory: string): (path: string) => Served {
  const answer = staticFiles(directory)
  return (path) => {
    const served = { statusCode: 200, body: '', headers: {} as Record<string, string> }
    const reply = {
      code: (status: number) => ((served.statusCode = status), reply),
      header: (name: string, value: string) => ((served.headers[name] = value), reply),
      type: (value: string) => reply.header('content-type', value),
      send: (body: unknown) => ((served.body = String(body)), reply),
    }
    if (!answer(path, reply as unknown as FastifyReply)) served.statusCode = 404
    return served
  }
}

test('files with their types, pages fall back to the index, names with a hash are kept', (t) => {
  const root = testDirectory(t)
  const directory = join(root, 'dashboard')
  mkdirSync(join(directory, 'assets'), { recursive: true })
  writeFileSync(join(directory, 'index.html'), 'INDEX')
  writeFileSync(join(directory, 'assets', 'a-HASH.js'), 'SCRIPT')
  writeFileSync(join(root, 'secret.txt'), 'SECRET')
  const get = serve(directory)
  assert.deepEqual([get('/').body, get('/').headers['cache-control']], ['INDEX', 'no-cache'])
  assert.equal(get('/storage/abc').body, 'INDEX')
  const script = get('/assets/a-HASH.js')
  assert.deepEqual([script.body, script.headers['content-type']], ['SCRIPT', 'text/javascript; charset=utf-8'])
  assert.match(String(script.headers['cache-control']), /immutable/)
  for (const path of [
    '/assets/none.js',
    '/secret.txt',
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/assets/%2e%2e/%2e%2e/secret.txt',
    '//secret.txt',
    '/assets/..\\..\\secret.txt',
  ]) {
    const { statusCode, body } = get(path)
    assert.ok(statusCode === 404 && !body.includes('SECRET'), path)
  }
})

test('property: no path leaves the directory', (t) => {
  const root = testDirectory(t)
  mkdirSync(join(root, 'd'))
  writeFileSync(join(root, 'd', 'index.html'), 'INDEX')
  writeFileSync(join(root, 'secret'), 'SECRET')
  const get = serve(join(root, 'd'))
  const part = fc.constantFrom('..', '.', 'secret', '%2e%2e', '%2f', 'd', '', '\\', '\0')
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) =>
      assert.ok(!get(`/${parts.join('/')}`).body.includes('SECRET')),
    ),
  )
})

test('a dashboard that is not built says so', (t) => {
  const get = serve(join(testDirectory(t), 'none'))
  const { statusCode, body } = get('/')
  assert.equal(statusCode, 503)
  assert.match(body, /npm run build/)
})
