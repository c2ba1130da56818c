import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { runWeft } from '../fixtures/run-weft.ts'

test('a start in the foreground that fails says why once', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-start-'))
  context.after(() => rmSync(directory, { recursive: true }))
  const args = ['start', '--home', join(directory, 'home'), '--network', '/nonexistent/network.json']
  const { code, stdout, stderr } = await runWeft(args)
  assert.deepEqual([code, stdout], [1, ''])
  assert.match(stderr, /^E_NETWORK_FILE_MISSING: .* Fix: .*\n$/)
})
