import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { skipWithout } from './lib/needs.ts'

const TARGET = join(import.meta.dirname, 'lib', 'exit-flows-target.ts')

for (const [name, what] of [
  ['one client of an exit begins so many flows and no more, which are soon over; it is told, and others go on', 'one'],
  ["all clients of an exit together leave half of the system's table to others", 'all'],
  ['one client begins so many flows a second and no more', 'often'],
  ['what a client began is tracked no longer when it has left', 'gone'],
  ['what any client began is tracked no longer when the way out has closed', 'closed'],
  ['what an exit that was killed left is tracked no longer once another began', 'left'],
] as const)
  test(name, { skip: skipWithout('root', 'nat', 'tun') }, async () => {
    const env = { ...process.env, NODE_TEST_CONTEXT: undefined }
    const words = ['-n', process.execPath, TARGET, what]
    const { stdout } = await promisify(execFile)('unshare', words, { env, timeout: 120_000 })
    assert.equal(stdout, 'kept\n')
  })
