import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { randomInt, seededRandom } from '@weft/core'
import { differences, killSwitchRules, termsIn, withoutNodes } from '../../src/kill-switch/kill-switch-rules.ts'
import { readKnownNodes } from '../../src/kill-switch/known-nodes.ts'

const SECONDS = Number(process.env['WEFT_FUZZ_SECONDS'] ?? 1)
const RULES = killSwitchRules({ since: 1, allowLan: true, uid: 0 })
const NODES = '{"schemaVersion":1,"nodes":[{"host":"192.0.2.1","port":4001},{"host":"2001:db8::1","port":2}]}'
const PIECES = [
  '{',
  '}',
  '\n',
  'set nodes4 {',
  'elements = {',
  'chain x {',
  'comment "weft 1 since=',
  '"',
  '[',
  ',',
  '%',
]

test('no listing and no file of nodes breaks what reads them, whatever is in it', () => {
  const random = seededRandom(Date.now() >>> 0)
  const directory = mkdtempSync(join(tmpdir(), 'weft-known-'))
  try {
    const end = performance.now() + SECONDS * 1_000
    while (performance.now() < end) {
      const listing = spoil(RULES)
      const { rules, nodes } = withoutNodes(listing)
      assert.ok(nodes >= 0 && differences(RULES, rules).length <= 9)
      const terms = termsIn(listing)
      assert.ok(terms === undefined || Number.isSafeInteger(terms.uid))
      const path = join(directory, 'nodes.json')
      writeFileSync(path, spoil(NODES))
      for (const { host, port } of readKnownNodes(path))
        assert.match(`${host} ${port}`, /^[0-9a-fA-F.:]+ [1-9][0-9]{0,4}$/)
    }
  } finally {
    rmSync(directory, { recursive: true })
  }

  /** With a few pieces taken out, doubled or put in. */
  function spoil(text: string): string {
    let spoilt = text
    for (let times = randomInt(random, 6); times >= 0; times--) {
      const at = randomInt(random, spoilt.length + 1)
      const length = randomInt(random, 40)
      const piece = [PIECES[randomInt(random, PIECES.length)] as string, spoilt.slice(at, at + length), '']
      spoilt =
        spoilt.slice(0, at) + (piece[randomInt(random, 3)] as string) + spoilt.slice(at + randomInt(random, length + 1))
    }
    return spoilt
  }
})
