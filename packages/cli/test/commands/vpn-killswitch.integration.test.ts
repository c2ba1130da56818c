import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startWeft } from '../fixtures/run-weft.ts'

const NOBODY = { uid: 65_534, gid: 65_534 }
const skip = process.getuid?.() === 0 ? false : 'needs root, to be another user'

test('a home that this user may not look at is a matter of rights', { skip }, async (t) => {
  const closed = mkdtempSync(join(tmpdir(), 'weft-closed-'))
  t.after(() => rmSync(closed, { recursive: true }))
  const home = join(closed, 'home')
  mkdirSync(home)
  const { code, stderr } = await startWeft(['vpn', 'killswitch', 'on', '--home', home], {}, '', NOBODY).finished
  assert.match(stderr, /^E_NOT_PERMITTED: .*EACCES.*\nFix: Call it as root: sudo weft vpn killswitch on --home/)
  assert.equal(code, 4)
})
