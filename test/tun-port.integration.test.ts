import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { skipWithout } from './lib/needs.ts'

const TARGET = join(import.meta.dirname, 'lib', 'tun-port-target.ts')

test(
  'packets of an interface come in order; it is taken over from a thread that left it, and goes when it is closed',
  {
    skip: skipWithout('root', 'nat', 'tun'),
  },
  async () => {
    const env = { ...process.env, NODE_TEST_CONTEXT: undefined }
    const { stdout } = await promisify(execFile)('unshare', ['-n', process.execPath, TARGET], { env, timeout: 30_000 })
    assert.equal(stdout, 'gone\n')
  },
)
