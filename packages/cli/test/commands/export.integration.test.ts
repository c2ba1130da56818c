import assert from 'node:assert/strict'
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openArchive } from '../../src/archive/sealed-archive.ts'
import { type Finished, runWeft } from '../fixtures/run-weft.ts'
import { serveApi } from '../fixtures/serve-api.ts'

const PASSPHRASE = 'correct horse battery'
const counts = { adopted: 1, stored: 0, present: 2, left: 0 }
const REPORT = {
  schemaVersion: 1,
  objects: counts,
  versions: { ...counts, adopted: 0, left: 1 },
  buckets: 3,
  bytes: 1_000,
  left: [{ name: 'b/k\u001b', fault: { code: 'E_ARCHIVE_CONTENT', cause: 'It has no bytes.', fix: 'Take another.' } }],
}

/** A daemon whose archive is its path; what it was given. */
async function daemon(context: TestContext) {
  const given: string[] = []
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method === 'PUT') {
      given.push(Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString())
      response.end(JSON.stringify(REPORT))
      return
    }
    response.writeHead(200, { 'weft-expected-bytes': 99 })
    response.write(`archive of ${request.url}`)
    if (request.url?.includes('content') === true) response.end()
    else setImmediate(() => request.socket.destroy())
  }
  const home = await serveApi(context, (request, response) => void answer(request, response).catch(() => {}))
  const secret = join(home, 'secret')
  writeFileSync(secret, `${PASSPHRASE}\r\nmore\n`)
  const weft = (...args: string[]): Promise<Finished> => runWeft(args, { WEFT_HOME: home })
  return { home, secret, given, weft }
}

async function opened(path: string, passphrase: string): Promise<string> {
  const file = async function* (): AsyncGenerator<Uint8Array> {
    yield readFileSync(path)
  }
  return Buffer.concat(await Array.fromAsync(openArchive(file(), passphrase))).toString()
}

test('export seals the archive under a passphrase that it makes, or the first line of a file', async (context) => {
  const { home, secret, weft } = await daemon(context)
  const path = join(home, 'all.age')
  const { code, stdout, stderr } = await weft('export', '--keys-only', path)
  assert.equal(code, 0, stderr)
  assert.equal(await opened(path, stdout.trim()), 'archive of /api/v1/archive?content=false')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.match((await weft('export', '--keys-only', path)).stderr, /E_FILE_EXISTS/)
  const forced = await weft('export', '--keys-only', path, '--force', '--passphrase-file', secret, '--json')
  assert.deepEqual(JSON.parse(forced.stdout), { schemaVersion: 1, file: path, size: statSync(path).size })
  assert.equal(await opened(path, PASSPHRASE), 'archive of /api/v1/archive?content=false')
})

test('an export that breaks off leaves no file', async (context) => {
  const { home, secret, weft } = await daemon(context)
  const { code, stderr } = await weft('export', join(home, 'all.age'), '--passphrase-file', secret)
  assert.equal(code, 1)
  assert.match(stderr, /^E_STREAM_TRUNCATED: /m)
  assert.ok(readdirSync(home).every((name) => !name.includes('all')))
})

test('export and import say what is wrong with what they are given, before they ask the daemon', async (context) => {
  const { home, secret, given, weft } = await daemon(context)
  const short = join(home, 'short')
  writeFileSync(short, 'short\n')
  writeFileSync(join(home, 'empty'), '\n')
  for (const [args, words] of [
    [['export', 'x', '--passphrase-file', short], /fewer than 12 characters/],
    [['export', 'x', '--passphrase-file', join(home, 'empty')], /is empty/],
    [['export', '-'], /the archive alone/],
    [['export', '-', '--passphrase-file', secret, '--json'], /the archive alone/],
    [['import', secret], /Nobody is there to be asked/],
    [['import', home, '--passphrase-file', secret], /is a directory/],
  ] as const) {
    const { code, stderr } = await weft(...args)
    assert.deepEqual([code, words.test(stderr)], [2, true], `${args.join(' ')}: ${stderr}`)
  }
  assert.equal((await weft('import', join(home, 'none'), '--passphrase-file', secret)).code, 5)
  assert.equal((await weft('export', 'x', '--passphrase-file', join(home, 'none'))).code, 5)
  assert.deepEqual(given, [])
})

test('import gives the daemon what was sealed, and says what became of it', async (context) => {
  const { home, secret, given, weft } = await daemon(context)
  const path = join(home, 'all.age')
  await weft('export', '--keys-only', path, '--passphrase-file', secret)
  const { code, stdout, stderr } = await weft('import', path, '--passphrase-file', secret)
  assert.equal(code, 0, stderr)
  assert.deepEqual(given, ['archive of /api/v1/archive?content=false'])
  for (const line of [
    'objects  1 in the network still and yours to renew and remove, 2 here already',
    'buckets  3 made; versions: 2 here already, 1 left out',
    'left     b/k',
    '(E_ARCHIVE_CONTENT)',
  ]) {
    assert.ok(stdout.includes(line), `${line} in ${stdout}`)
  }
  assert.ok(!stdout.includes('\u001b'))
  assert.deepEqual(JSON.parse((await weft('import', path, '--passphrase-file', secret, '--json')).stdout), REPORT)
})

test('a wrong passphrase, and a file that is none, give the daemon nothing', async (context) => {
  const { home, secret, given, weft } = await daemon(context)
  const path = join(home, 'all.age')
  await weft('export', '--keys-only', path, '--passphrase-file', secret)
  writeFileSync(join(home, 'other'), 'another passphrase\n')
  const wrong = await weft('import', path, '--passphrase-file', join(home, 'other'))
  assert.deepEqual([wrong.code, wrong.stderr.startsWith('E_ARCHIVE_PASSPHRASE: ')], [1, true], wrong.stderr)
  const none = await weft('import', secret, '--passphrase-file', secret)
  assert.deepEqual([none.code, none.stderr.startsWith('E_ARCHIVE_SEAL: ')], [1, true], none.stderr)
  assert.deepEqual(given, [])
})
