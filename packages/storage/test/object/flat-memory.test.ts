import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** The goal for the memory of a whole process, bytes (docs/known-issues.md, Storage). */
const LIMIT = 300e6
/** As a daemon is started (DAEMON_NODE_FLAGS of node, which stands above this package): a larger nursery is memory, too. */
const FLAGS = ['--max-semi-space-size=2', '--heap-growing-percent=60']
/** Three times as many bytes of shards: memory that grew with the object could not hide. */
const MEGABYTES = process.env['WEFT_LONG'] === undefined ? 160 : 2048

test(`a put of ${MEGABYTES} MiB keeps the whole process under ${LIMIT / 1e6} MB`, async () => {
  const script = fileURLToPath(new URL('../support/stream-large-object.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [...FLAGS, script, String(MEGABYTES)])
  const most = Number(stdout)
  assert.ok(most > 0 && most < LIMIT, `${Math.round(most / 1e6)} MB`)
})
