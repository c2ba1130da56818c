import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isWeftError } from '@weft/core'
import fc from 'fast-check'
import { parseProfile, writtenProfile } from '../../src/profile/parse-profile.ts'
import { importProfile, parseDocumentText } from '../../src/profile/profile-document.ts'
import { PROFILE_FIELDS } from '../../src/profile/profile-values.ts'
import { anyWritten } from './make-profile.ts'

const SECONDS = Number(process.env['WEFT_FUZZ_SECONDS'] ?? 2)
const RUNS = { numRuns: Infinity, plugins: [fc.interruptAfterTimeLimit((SECONDS * 1_000) / 2)] }

const field = fc.oneof(fc.constantFrom('name', ...PROFILE_FIELDS), fc.string())

function mayOnlyRefuse(read: () => void): void {
  try {
    read()
  } catch (error) {
    assert.ok(isWeftError(error, 'E_PROFILE_INVALID'), String(error))
    assert.ok(error.cause.length < 400 && error.fix.length < 400)
  }
}

test('fuzz: whatever is given as a profile is refused, or is one that is read again as it was', () => {
  const damaged = fc
    .tuple(anyWritten, fc.dictionary(field, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 2 }))
    .map(([written, damage]) => ({ ...written, ...damage }))
  fc.assert(
    fc.property(fc.oneof(damaged, fc.jsonValue()), (value) =>
      mayOnlyRefuse(() => {
        const profile = parseProfile(value)
        assert.deepEqual(parseProfile(JSON.parse(JSON.stringify(writtenProfile(profile)))), profile)
      }),
    ),
    RUNS,
  )
})

test('fuzz: whatever is given as a document is refused, or is one', () => {
  const near = fc
    .tuple(anyWritten, fc.nat(400), fc.string({ minLength: 0, maxLength: 3 }))
    .map(([profile, at, text]) => {
      const whole = JSON.stringify({ schemaVersion: 1, kind: 'weft-vpn-profile', profile, leftOut: [] })
      return whole.slice(0, at) + text + whole.slice(at)
    })
  fc.assert(
    fc.property(fc.oneof(near, fc.string(), fc.json()), (text) =>
      mayOnlyRefuse(() => void importProfile(parseDocumentText(text))),
    ),
    RUNS,
  )
})
