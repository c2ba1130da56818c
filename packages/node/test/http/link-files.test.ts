import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { LinkFiles } from '../../src/http/link-files.ts'
import { LINK_TTL_MS, MAX_LINKS } from '../../src/http/session-store.ts'
import { testDirectory } from '../support/test-daemon.ts'

test('a page goes when its link is used, when its time is over, and when the daemon ends', async (t) => {
  const clock = new VirtualClock()
  const files = new LinkFiles(join(testDirectory(t), 'links'), clock)
  const used = files.write('used', 'http://127.0.0.1/#used')
  const late = files.write('late', 'http://127.0.0.1/#late')
  files.remove('used')
  assert.deepEqual([existsSync(used), existsSync(late)], [false, true])
  await clock.advance(LINK_TTL_MS)
  assert.ok(!existsSync(late))
  files.remove('used')
  const last = files.write('last', 'http://127.0.0.1/#last')
  files[Symbol.dispose]()
  assert.ok(!existsSync(last))
})

test('pages are bounded, and those that a killed daemon left go at the next start', (t) => {
  const directory = join(testDirectory(t), 'links')
  mkdirSync(directory)
  writeFileSync(join(directory, 'left.html'), 'left')
  const files = new LinkFiles(directory, new VirtualClock())
  assert.ok(!existsSync(directory))
  const first = files.write('first', 'http://127.0.0.1/#first')
  for (let index = 0; index < MAX_LINKS; index++) files.write(`code${index}`, 'http://127.0.0.1/#code')
  assert.ok(!existsSync(first))
  assert.equal(readdirSync(directory).length, MAX_LINKS)
})

test('a page that cannot be written is told as a fault of the state directory', (t) => {
  const blocked = join(testDirectory(t), 'file')
  writeFileSync(blocked, '')
  const files = new LinkFiles(join(blocked, 'links'), new VirtualClock())
  assert.throws(() => files.write('code', 'http://127.0.0.1/#code'), { code: 'E_STATE_UNWRITABLE' })
})
