import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseProfile } from '../../src/profile/parse-profile.ts'
import { exportProfile, importProfile, parseDocumentText } from '../../src/profile/profile-document.ts'
import { anyProfile } from './make-profile.ts'

const OF_MACHINE = ['tunExcludeUsers', 'tunIncludeUsers', 'tunExcludeCgroups', 'tunIncludeCgroups'] as const

test('a profile comes back out of its document, but for what names the machine', () => {
  fc.assert(
    fc.property(anyProfile, (profile) => {
      const text = JSON.stringify(exportProfile(profile))
      const { profile: read, leftOut } = importProfile(parseDocumentText(text))
      const had = OF_MACHINE.filter((field) => profile.fields[field] !== undefined)
      assert.deepEqual(leftOut, had)
      const { name, fields } = profile
      const kept = Object.entries(fields).filter(([field]) => !(had as readonly string[]).includes(field))
      assert.deepEqual(read, { name, fields: Object.fromEntries(kept) })
    }),
  )
})

test('neither users nor programs of the machine are in a document', () => {
  const profile = parseProfile({
    name: 'x',
    tunExcludeUsers: ['alice'],
    tunIncludeUsers: ['1234'],
    tunExcludeCgroups: ['/system.slice/backup.service'],
    tunIncludeCgroups: ['/user.slice'],
    tunExclude: ['192.168.0.0/16'],
  })
  const text = JSON.stringify(exportProfile(profile))
  assert.doesNotMatch(text, /alice|1234|slice/)
  assert.match(text, /192\.168\.0\.0/)
})

const document = exportProfile(parseProfile({ name: 'x', hops: 4 }))

test('a document of another kind or version, or with more in it, is refused with the field', () => {
  const cases = [
    [{ ...document, kind: 'other' }, 'kind'],
    [{ ...document, schemaVersion: 2 }, 'schemaVersion'],
    [{ ...document, key: 'secret' }, 'key'],
    [{ ...document, leftOut: ['nothing'] }, 'leftOut'],
    [{ ...document, leftOut: undefined }, 'leftOut'],
    [{ ...document, profile: { name: 'x', hops: 9 } }, 'hops'],
  ] as const
  for (const [value, field] of cases)
    assert.throws(() => importProfile(value), { code: 'E_PROFILE_INVALID', details: { field } })
})

test('a document that an editor put a byte order mark before is read', () => {
  assert.deepEqual(parseDocumentText(`\uFEFF${JSON.stringify(document)}`), document)
})

test('text that is no JSON, or too long, is refused', () => {
  assert.throws(() => parseDocumentText('{'), { code: 'E_PROFILE_INVALID', message: /no JSON/ })
  assert.throws(() => parseDocumentText(`"${'x'.repeat(64 * 1_024)}"`), /more than 65536/)
})
