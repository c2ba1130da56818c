import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fromHex, isWeftError, toHex } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import {
  LivenessAskRequestSchema,
  LivenessAskResponseSchema,
  LivenessPingRequestSchema,
  LivenessPingResponseSchema,
  METHODS,
  create,
  decodeMessage,
  encodeMessage,
} from '@weft/wire'
import fc from 'fast-check'
import { encodeCanonical } from '../../src/codec/canonical-cbor.ts'
import { observersNeeded } from '../../src/liveness/observer-place.ts'
import { decodeSignOfLife, encodeSignOfLife } from '../../src/liveness/sign-of-life.ts'
import { statementSignatures } from '../../src/liveness/statement-signatures.ts'
import { decodeSuspicion, encodeSuspicion } from '../../src/liveness/suspicion.ts'
import { suspicionTimeout } from '../../src/liveness/suspicion-timeout.ts'
import { NETWORK } from './liveness-simulation.ts'

type Signed = Readonly<Record<'payload' | 'signer' | 'signature', string>>
interface Vector {
  readonly network: string
  readonly seeds: { readonly subject: string; readonly observer: string }
  readonly incarnation: number
  readonly at: number
  readonly nonce: string
  readonly signOfLife: Signed
  readonly proof: Signed
  readonly suspicion: Signed
  readonly messages: Readonly<Record<string, string>>
  readonly timeouts: readonly { readonly others: number; readonly ms: number }[]
  readonly needed: readonly { readonly places: number; readonly needed: number }[]
}
const vector = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'vectors', 'liveness.json'), 'utf8')) as Vector

const envelope = ({ payload, signer, signature }: Signed) => ({
  payload: fromHex(payload),
  signer: fromHex(signer),
  signature: fromHex(signature),
})

test('liveness.json: statements', () => {
  const subject = new SigningKey(fromHex(vector.seeds.subject))
  const observer = new SigningKey(fromHex(vector.seeds.observer))
  const { network, incarnation, at } = vector
  const nonce = fromHex(vector.nonce)
  const life = { network, incarnation: incarnation + 1, nonce: new Uint8Array() }
  const suspicion = { network, accused: subject.publicKey, incarnation, at }
  const [of, by] = [statementSignatures(subject), statementSignatures(observer)]
  assert.deepEqual(of.sign('alive', encodeSignOfLife(life)), envelope(vector.signOfLife))
  assert.deepEqual(of.sign('alive', encodeSignOfLife({ ...life, nonce })), envelope(vector.proof))
  assert.deepEqual(by.sign('suspicion', encodeSuspicion(suspicion)), envelope(vector.suspicion))
  assert.deepEqual(decodeSignOfLife(fromHex(vector.proof.payload)), { ...life, nonce })
  assert.deepEqual(decodeSuspicion(fromHex(vector.suspicion.payload)), suspicion)
  assert.ok(by.verify('alive', envelope(vector.proof)) && by.verify('suspicion', envelope(vector.suspicion)))
  assert.ok(!by.verify('suspicion', envelope(vector.proof)), 'no statement passes for one of the other kind')
})

test('liveness.json: messages', () => {
  const nonce = fromHex(vector.nonce)
  const [alive, proof, suspicion] = [vector.signOfLife, vector.proof, vector.suspicion].map(envelope)
  const [target, incarnation] = [alive?.signer, BigInt(vector.incarnation)]
  const expected = {
    LivenessPingRequest: encodeMessage(
      LivenessPingRequestSchema,
      create(LivenessPingRequestSchema, { alive: [alive ?? {}], suspicions: [suspicion ?? {}], nonce }),
    ),
    LivenessPingResponse: encodeMessage(
      LivenessPingResponseSchema,
      create(LivenessPingResponseSchema, { incarnation: incarnation + 1n, alive: [alive ?? {}], proof: proof ?? {} }),
    ),
    LivenessAskRequest: encodeMessage(
      LivenessAskRequestSchema,
      create(LivenessAskRequestSchema, { target: target ?? new Uint8Array(), nonce, incarnation }),
    ),
    LivenessAskResponse: encodeMessage(
      LivenessAskResponseSchema,
      create(LivenessAskResponseSchema, { seen: { case: 'alive', value: proof ?? {} } }),
    ),
  }
  const hex = Object.fromEntries(Object.entries(expected).map(([name, bytes]) => [name, toHex(bytes)]))
  assert.deepEqual(hex, vector.messages)
  decodeMessage(LivenessAskResponseSchema, expected.LivenessAskResponse, METHODS['liveness.ask'].maxResponse)
})

test('liveness.json: timeouts and needed observers', () => {
  for (const { others, ms } of vector.timeouts) assert.equal(Math.round(suspicionTimeout(others)), ms)
  for (const { places, needed } of vector.needed) assert.equal(observersNeeded(places), needed)
})

test('the largest message that may be sent fits the limits', () => {
  const signatures = statementSignatures(SigningKey.generate())
  const at = Number.MAX_SAFE_INTEGER
  const suspicion = { network: NETWORK, accused: new Uint8Array(32), incarnation: at, at }
  const suspicions = Array.from({ length: 8 }, () => signatures.sign('suspicion', encodeSuspicion(suspicion)))
  const proof = signatures.sign(
    'alive',
    encodeSignOfLife({ network: NETWORK, incarnation: at, nonce: new Uint8Array(16) }),
  )
  const incarnation = 2n ** 64n - 1n
  const answer = create(LivenessPingResponseSchema, { incarnation, suspicions, proof })
  assert.ok(encodeMessage(LivenessPingResponseSchema, answer).length < METHODS['liveness.ping'].maxResponse)
})

test('what is encoded is read again; nothing else is', () => {
  const number = fc.nat({ max: Number.MAX_SAFE_INTEGER })
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
  fc.assert(
    fc.property(number, number, bytes(32), bytes(16), fc.boolean(), (incarnation, at, accused, random, empty) => {
      const suspicion = { network: NETWORK, accused, incarnation, at }
      assert.deepEqual(decodeSuspicion(encodeSuspicion(suspicion)), suspicion)
      const nonce = empty ? new Uint8Array() : random
      const life = { network: NETWORK, incarnation: Math.max(1, incarnation), nonce }
      assert.deepEqual(decodeSignOfLife(encodeSignOfLife(life)), life)
    }),
  )
})

/** Only the one error, whatever comes. */
function refuses(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): void {
  try {
    decode(bytes)
  } catch (error) {
    if (!isWeftError(error, 'E_LIVENESS_MALFORMED')) throw error
  }
}

test('random bytes, bent statements and other structures are refused with a reason', () => {
  const good = [
    encodeSuspicion({ network: NETWORK, accused: new Uint8Array(32), incarnation: 5, at: 6 }),
    encodeSignOfLife({ network: NETWORK, incarnation: 5, nonce: new Uint8Array(16) }),
  ]
  const value = fc.oneof(
    fc.integer(),
    fc.string(),
    fc.uint8Array(),
    fc.constant(null),
    fc.constant(NETWORK),
    fc.constant(1),
  )
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(value, { maxLength: 6 }),
      fc.nat(),
      fc.nat({ max: 255 }),
      (bytes, items, at, byte) => {
        const bent = good.map((one) => one.with(at % one.length, byte))
        for (const decode of [decodeSuspicion, decodeSignOfLife]) {
          for (const one of [bytes, encodeCanonical(items), ...bent]) refuses(decode, one)
        }
      },
    ),
    { numRuns: 300 },
  )
  for (const bytes of good) {
    assert.throws(() => decodeSuspicion(bytes.subarray(1)), { code: 'E_LIVENESS_MALFORMED' })
    assert.throws(() => decodeSignOfLife(bytes.subarray(1)), { code: 'E_LIVENESS_MALFORMED' })
  }
})
