import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { configurationReference } from '../support/configuration-reference.ts'
import { explainSection, explainSetting } from '../../src/config/explain-setting.ts'
import { SETTING_KEYS } from '../../src/config/settings.ts'

test('every setting is explained in full', () => {
  for (const key of SETTING_KEYS) {
    const { summary, syntax, fallback, absent, variable } = explainSetting(key)
    assert.match(summary, /\.$/, key)
    assert.ok(syntax.length > 0 && (fallback !== undefined || absent !== undefined), key)
    assert.match(variable, /^WEFT_[A-Z0-9_]+$/, key)
  }
  assert.equal(new Set(SETTING_KEYS.map((key) => explainSetting(key).variable)).size, SETTING_KEYS.length)
  assert.throws(() => explainSetting('ports.bas'), /ports\.base/)
})

test('a section is explained as a whole', () => {
  const keys = explainSection('bridge').map(({ key }) => key)
  assert.ok(keys.includes('bridge.enabled') && keys.every((key) => key.startsWith('bridge.')))
  assert.equal(explainSection().length, SETTING_KEYS.length)
  for (const none of ['bridg', 'bridge.', '', 'bridge.enabled']) assert.deepEqual(explainSection(none), [], none)
})

test('docs/configuration.md is what the settings say', () => {
  const docs = new URL('../../../../docs/configuration.md', import.meta.url)
  if (process.env['WEFT_TEST_WRITE_DOCS'] === '1') writeFileSync(docs, configurationReference())
  assert.equal(readFileSync(docs, 'utf8'), configurationReference(), 'run the tests with WEFT_TEST_WRITE_DOCS=1')
})
