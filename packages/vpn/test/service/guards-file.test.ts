import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { isWeftError, silentLogger } from '@weft/core'
import { type GuardState, formatGuardState } from '../../src/route/guard-state.ts'
import { GuardsFile } from '../../src/service/guards-file.ts'
import { makeMember } from '../route/make-member.ts'

const directory = mkdtempSync(join(tmpdir(), 'weft-guards-'))
after(() => rmSync(directory, { recursive: true }))

const STATE: GuardState = {
  guards: [{ id: makeMember(1, ['entry']).id, since: 5, confirmed: true, unlistedSince: undefined }],
  lastLeft: undefined,
}

test('guards that are kept are there at the next start, as data that crosses to a thread', () => {
  const path = join(directory, 'kept.json')
  const first = new GuardsFile(path, silentLogger)
  assert.equal(first.state, undefined)
  first.keep(STATE)
  assert.deepEqual(first.state, STATE)
  assert.equal(readFileSync(path, 'utf8'), formatGuardState(STATE))
  assert.deepEqual(structuredClone(new GuardsFile(path, silentLogger).state), STATE)
})

test('guards that cannot be written are kept for a thread that starts anew, and the log has why', () => {
  const warnings: string[] = []
  const logger = { ...silentLogger, warn: (message: string) => void warnings.push(message) }
  const path = join(directory, 'away', 'guards.json')
  const file = new GuardsFile(path, logger)
  writeFileSync(join(directory, 'away'), '')
  file.keep(STATE)
  assert.deepEqual(file.state, STATE)
  assert.match(warnings.join(), /could not be kept/)
})

for (const [what, text] of [
  ['is no state', '{}'],
  ['is longer than 64 KiB', ' '.repeat(64 * 1024 + 1)],
])
  test(`a file that ${what} is refused, and stays as it is`, () => {
    const path = join(directory, 'refused.json')
    writeFileSync(path, text ?? '')
    assert.throws(
      () => new GuardsFile(path, silentLogger),
      (error) => isWeftError(error, 'E_STATE_CORRUPT') && error.cause.includes(path),
    )
    assert.equal(readFileSync(path, 'utf8'), text)
  })
