import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AgreedPart, AgreedParts } from '../../src/agreement/agreed-parts.ts'
import { encodeAgreedValue } from '../../src/agreement/agreed-value.ts'
import { codeOf } from '../fixtures.ts'

const A = Uint8Array.of(1)
const B = Uint8Array.of(2)

function part(
  name: string,
  own: Uint8Array | undefined,
  verdict: boolean | undefined,
  decided: string[] = [],
): AgreedPart {
  return {
    name,
    isReady: () => own !== undefined,
    propose: () => own,
    judge: () => verdict,
    decided: (epoch, bytes) => void decided.push(`${name} ${epoch} ${bytes.toHex()}`),
  }
}

test('a value has all parts, and waits for the last of them', () => {
  const whole = new AgreedParts([part('map', A, true), part('beacon', B, true)])
  assert.deepEqual(
    whole.propose(1),
    encodeAgreedValue(
      new Map([
        ['beacon', B],
        ['map', A],
      ]),
    ),
  )
  assert.equal(whole.isReady(1), true)
  const waiting = new AgreedParts([part('map', A, true), part('beacon', undefined, true)])
  assert.equal(waiting.propose(1), undefined)
  assert.equal(waiting.isReady(1), false)
})

test('one part that does not hold spoils a value; one that cannot be told yet delays it', () => {
  const value = encodeAgreedValue(
    new Map([
      ['beacon', B],
      ['map', A],
    ]),
  )
  const verdict = (map: boolean | undefined, beacon: boolean | undefined): boolean | undefined =>
    new AgreedParts([part('map', A, map), part('beacon', B, beacon)]).judge(1, value)
  assert.equal(verdict(true, true), true)
  assert.equal(verdict(true, undefined), undefined)
  assert.equal(verdict(undefined, true), undefined)
  assert.equal(verdict(undefined, false), false)
  assert.equal(verdict(false, undefined), false)
})

test('a value with other parts than are known, or none, does not hold', () => {
  const parts = new AgreedParts([part('map', A, true)])
  assert.equal(parts.judge(1, encodeAgreedValue(new Map([['map', A]]))), true)
  assert.equal(
    parts.judge(
      1,
      encodeAgreedValue(
        new Map([
          ['map', A],
          ['more', B],
        ]),
      ),
    ),
    false,
  )
  assert.equal(parts.judge(1, encodeAgreedValue(new Map([['other', A]]))), false)
  assert.equal(parts.judge(1, Uint8Array.of(0)), false)
})

test('each part is told what was agreed on of it', async () => {
  const decided: string[] = []
  const parts = new AgreedParts([part('map', A, true, decided), part('beacon', B, true, decided)])
  parts.decided(
    7,
    encodeAgreedValue(
      new Map([
        ['beacon', B],
        ['map', A],
      ]),
    ),
  )
  assert.deepEqual(decided, ['map 7 01', 'beacon 7 02'])
  assert.equal(await codeOf(() => parts.decided(7, Uint8Array.of(0))), 'E_AGREEMENT_MALFORMED')
})
