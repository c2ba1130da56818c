import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatObjectRef, objectId, parseObjectRef } from '../../src/object/object-ref.ts'

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })

test('a reference survives formatting and parsing, with and without its key', () => {
  fc.assert(
    fc.property(bytes32, fc.option(bytes32, { nil: undefined }), (object, dataKey) => {
      const ref = { networkId: 'net-1', object, dataKey }
      assert.deepEqual(parseObjectRef(formatObjectRef(ref), 'net-1'), ref)
    }),
  )
})

test('whatever is not a reference is refused, and the error does not repeat it', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (text) => {
      assert.throws(() => parseObjectRef(text, 'net-1'), { code: 'E_REF_INVALID' })
    }),
  )
  const good = formatObjectRef({
    networkId: 'net-1',
    object: new Uint8Array(32).fill(7),
    dataKey: new Uint8Array(32).fill(9),
  })
  for (const bad of [
    `${good}=`,
    `${good}A`,
    good.slice(0, -1),
    good.toUpperCase(),
    ` ${good}`,
    `${good}\n`,
    good.replace('#', '?'),
  ]) {
    assert.throws(
      () => parseObjectRef(bad, 'net-1'),
      (error: Error) => {
        assert.match(error.message, /^E_REF_INVALID/)
        assert.ok(!error.message.includes(good.slice(-20)))
        return true
      },
    )
  }
})

test('non-canonical ends are refused: two references never name one object', () => {
  const object = new Uint8Array(32).fill(255)
  const id = objectId(object)
  for (const letter of 'abcdefghijklmnopqrstuvwxyz234567') {
    const text = `weft://net-1/${id.slice(0, -1)}${letter}`
    if (letter === id.at(-1)) assert.deepEqual(parseObjectRef(text, 'net-1').object, object)
    else if (!'abcdefghijklmnopqrstuvwxyz234567'.includes(letter)) assert.fail()
    else {
      try {
        assert.equal(formatObjectRef(parseObjectRef(text, 'net-1')), text)
      } catch (error) {
        assert.match(String(error), /E_REF_INVALID/)
      }
    }
  }
})

test('a reference of another network says which', () => {
  const ref = formatObjectRef({ networkId: 'other', object: new Uint8Array(32), dataKey: undefined })
  assert.throws(() => parseObjectRef(ref, 'net-1'), {
    code: 'E_REF_NETWORK',
    details: { expected: 'net-1', given: 'other' },
  })
})
