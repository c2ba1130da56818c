import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fromHex, systemRandom } from '@weft/core'
import { AGREEING_DIALERS, DIALERS, type DialErrand, dialersOf } from '../../src/admission/dialers-of.ts'

const errand = (changes: Partial<DialErrand> = {}): DialErrand => ({
  network: `w${'a'.repeat(32)}`,
  epoch: 7,
  validator: new Uint8Array(32).fill(1),
  host: '198.51.100.7',
  ...changes,
})
const keyOf = (at: number): Uint8Array => {
  const key = new Uint8Array(32)
  new DataView(key.buffer).setUint32(0, at)
  return key
}

test('of ten thousand members a handful dials one host for one validator, and others do in the next epoch', () => {
  const members = Array.from({ length: 10_000 }, (_, at) => keyOf(at))
  const drawn = (epoch: number, dialers: number): number[] => {
    const isDrawn = dialersOf(errand({ epoch }), members.length, dialers)
    return members.flatMap((member, at) => (isDrawn(member) ? [at] : []))
  }
  // Binomial: fewer than 2 or more than 50 come once in a million networks.
  for (const epoch of [1, 2, 3]) {
    const [asked, agreeing] = [drawn(epoch, DIALERS), drawn(epoch, AGREEING_DIALERS)]
    assert.ok(asked.length >= 2 && agreeing.length <= 50, `${asked.length} and ${agreeing.length}`)
    assert.ok(
      asked.every((at) => agreeing.includes(at)),
      'whoever the validator draws agrees',
    )
  }
  assert.notDeepEqual(drawn(1, DIALERS), drawn(2, DIALERS))
})

test('a map that is a quarter smaller changes nothing for who is drawn', () => {
  for (let at = 0; at < 500; at++) {
    const member = systemRandom.bytes(32)
    if (dialersOf(errand(), 1_000, DIALERS)(member)) assert.ok(dialersOf(errand(), 1_250, AGREEING_DIALERS)(member))
  }
})

test('in a small network everybody dials', () => {
  assert.ok(dialersOf(errand(), DIALERS, DIALERS)(keyOf(1)))
  assert.ok(dialersOf(errand(), 0, DIALERS)(keyOf(1)))
})

test('an IPv6 host is drawn for as its /64', () => {
  for (let at = 0; at < 50; at++) {
    const member = keyOf(at)
    const [a, b] = ['2001:db8::1', '2001:db8::2'].map((host) => dialersOf(errand({ host }), 100, DIALERS)(member))
    assert.equal(a, b)
  }
})

test('admission.json: dialers', () => {
  const { dialers } = JSON.parse(readFileSync(join(import.meta.dirname, '../vectors/admission.json'), 'utf8')) as {
    dialers: {
      readonly network: string
      readonly epoch: number
      readonly validator: string
      readonly host: string
      readonly members: number
      readonly drawn: Readonly<Record<string, boolean>>
    }
  }
  const { network, epoch, validator, host, members, drawn } = dialers
  const results = Object.values(drawn)
  assert.ok(results.includes(true) && results.includes(false))
  const isDrawn = dialersOf({ network, epoch, host, validator: fromHex(validator) }, members, DIALERS)
  for (const [member, expected] of Object.entries(drawn)) assert.equal(isDrawn(fromHex(member)), expected, member)
})
