import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { decode, encode } from '@ipld/dag-cbor'
import fc from 'fast-check'
import { WeftError, fromHex, toHex } from '@weft/core'
import { resourcesField, resourcesOf } from '../../src/admission/resources-field.ts'
import type { ResourceDescriptor } from '../../src/resources/resource-descriptor.ts'
import { anyFigures, anyResources, attestedFor, largestResources } from '../resources/any-resources.ts'

/** What docs/specs/resources.md gives a descriptor at most, bytes. */
const MOST = 600
const refuse = (cause: string): WeftError => new WeftError({ code: 'E_TEST', cause, fix: 'none' })
const HOLDER = { network: `w${'a'.repeat(32)}`, key: new Uint8Array(32).fill(5), expiresAt: 1_000 }
const read = (field: unknown, holder = HOLDER): ResourceDescriptor | undefined =>
  resourcesOf(decode(encode(field)), holder, refuse)

test('a descriptor reads back as it was written', () => {
  fc.assert(fc.property(anyResources, (resources) => assert.deepEqual(read(resourcesField(resources)), resources)))
  assert.equal(read(resourcesField(undefined)), undefined)
})

test('energy that somebody attests reads back with who and until when', () => {
  fc.assert(
    fc.property(anyResources, anyFigures, fc.integer({ min: 1_000, max: 2 ** 50 }), (resources, figures, notAfter) => {
      const attested = { ...resources, energy: attestedFor(HOLDER, { ...figures, notAfter }) }
      assert.deepEqual(read(resourcesField(attested)), attested)
    }),
  )
})

test('an attestation for another node, for another network, or that ends before the certificate is refused by name', () => {
  const field = resourcesField({ site: 'home', energy: attestedFor(HOLDER, { carbon: 1, notAfter: 1_000 }) })
  assert.ok(read(field))
  for (const [changes, why] of [
    [{ key: new Uint8Array(32).fill(6) }, /resources\.energy\.attestation\.member is /],
    [{ network: `w${'b'.repeat(32)}` }, /resources\.energy\.attestation\.network is wa+, and the node is in wb+/],
    [{ expiresAt: 1_001 }, /resources\.energy\.attestation\.notAfter is 1000, and it has to hold until 1001/],
  ] as const)
    assert.throws(() => read(field, { ...HOLDER, ...changes }), { code: 'E_TEST', cause: why })
})

test('the longest fits what is meant for it', () => {
  const largest = largestResources(HOLDER)
  const { length } = encode(resourcesField(largest))
  assert.deepEqual(read(resourcesField(largest)), largest)
  assert.ok(length <= MOST, `${length} bytes`)
  fc.assert(fc.property(anyResources, (resources) => encode(resourcesField(resources)).length <= length))
})

test('whatever is put in place of a part, nothing but a descriptor is read, and it has one encoding', () => {
  const parts = fc.anything({ withBigInt: false, values: [fc.constant(null), fc.string(), fc.integer(), fc.boolean()] })
  fc.assert(
    fc.property(anyResources, fc.nat(4), parts, (resources, at, part) => {
      const field = (resourcesField(resources) as unknown[]).with(at, part)
      let bytes: Uint8Array
      try {
        bytes = encode(field)
      } catch {
        return // Not dag-cbor: it never gets so far.
      }
      try {
        const understood = resourcesOf(decode(bytes), HOLDER, refuse)
        assert.deepEqual(encode(resourcesField(understood)), bytes)
      } catch (error) {
        assert.ok(error instanceof WeftError, String(error))
      }
    }),
  )
})

test('what is out of bounds is refused by name', () => {
  const say = (changes: Record<number, unknown>): unknown[] =>
    Object.assign(['home', null, null, null, null] as unknown[], changes)
  for (const [field, why] of [
    [[], /resources must be a list of 5/],
    ['home', /resources must be a list of 5/],
    [say({ 0: 'palace' }), /resources\.site must be one of home, office/],
    [say({ 1: '' }), /resources\.provider must be text/],
    [say({ 1: 'p'.repeat(65) }), /resources\.provider must be text .*at most 64/],
    [say({ 1: 'two\nlines' }), /resources\.provider must be text/],
    [say({ 1: 'Müller' }), /resources\.provider must be text/],
    [say({ 2: ' spaced' }), /resources\.hardware must be text/],
    [say({ 2: 'h'.repeat(129) }), /resources\.hardware must be text/],
    [say({ 3: [1, 2] }), /resources\.capacity must be a list of 6/],
    [say({ 3: [null, null, null, null, null, null] }), /says nothing of any quantity/],
    [say({ 3: [2 ** 16 + 1, null, null, null, null, null] }), /resources\.capacity\.cores must be a whole number/],
    [say({ 3: [null, null, 0.5, null, null, null] }), /resources\.capacity\.memoryBytes must be a whole number/],
    [say({ 3: [null, null, null, -1, null, null] }), /resources\.capacity\.storageBytes must be a whole number/],
    [say({ 4: ['declared', null, null, null] }), /says neither grid, source nor carbon/],
    [say({ 4: ['attested', 'CH', null, null] }), /resources\.energy\.attestation must be bytes/],
    [say({ 4: ['attested', new Uint8Array(9), new Uint8Array(32), null] }), /attestation\.signature must be 64 bytes/],
    [
      say({ 4: ['attested', new Uint8Array(9), new Uint8Array(32), new Uint8Array(64)] }),
      /resources\.energy\.attestation: /,
    ],
    [say({ 4: ['sworn', 'CH', null, null] }), /resources\.energy\.evidence must be one of declared, attested/],
    [say({ 4: ['declared', 'ch', null, null] }), /resources\.energy\.grid must be text/],
    [say({ 4: ['declared', null, 'fusion', null] }), /resources\.energy\.source must be one of mix/],
    [say({ 4: ['declared', null, null, 2_001] }), /resources\.energy\.carbon must be a whole number from 0 to 2000/],
  ] as const) {
    assert.throws(() => read(field), { code: 'E_TEST', cause: why }, JSON.stringify(field))
  }
})

test('resources.json', () => {
  const { descriptors } = JSON.parse(readFileSync(join(import.meta.dirname, '../vectors/resources.json'), 'utf8')) as {
    descriptors: readonly { readonly resources: ResourceDescriptor; readonly field: string }[]
  }
  assert.equal(descriptors.length, 3)
  for (const { resources, field } of descriptors) {
    assert.deepEqual(read(decode(fromHex(field))), resources)
    assert.equal(toHex(encode(resourcesField(resources))), field)
  }
})
