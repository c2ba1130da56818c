import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AgreementMessageSchema, METHODS, decodeMessage, encodeMessage } from '@weft/wire'
import { Agreement } from '../../src/agreement/agreement.ts'
import { timeoutsOf } from '../../src/agreement/timeouts.ts'
import { fromWire, toWire } from '../../src/agreement/wire-form.ts'
import { EPOCH } from '../fixtures.ts'
import { EPOCH_NUMBER, VALUE, asVote, keyOf, proposalIn, quorumBy, set, voteBy } from './fixtures.ts'

const SECONDS = Number(process.env['WEFT_FUZZ_SECONDS'] ?? 2)
const REFUSALS = /^E_(AGREEMENT_MALFORMED|SIGNATURE_INVALID|MESSAGE_MALFORMED|MESSAGE_UNKNOWN_FIELD|MESSAGE_TOO_LARGE)$/

test('fuzz: what comes by agreement.send is refused with a code or changes nothing that signatures do not carry', () => {
  const lock = quorumBy([0, 1, 2], 1, 'prevote', VALUE)
  const seeds = [
    asVote(voteBy(1, 0, 'prevote', VALUE)),
    { kind: 'proposal', proposal: proposalIn(2, VALUE, lock) } as const,
    { kind: 'certificate', certificate: { quorum: lock, value: VALUE } } as const,
    { kind: 'certificate', certificate: { quorum: quorumBy([0, 1, 2], 1, 'precommit', VALUE), value: VALUE } } as const,
  ].map((message) => encodeMessage(AgreementMessageSchema, toWire(set, message)))
  const spoilt = fc
    .tuple(
      fc.constantFrom(...seeds),
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 5 }),
    )
    .map(([seed, changes]) => {
      const bytes = seed.slice()
      for (const [at, value] of changes) bytes[at % bytes.length] = value
      return bytes
    })
  const property = fc.property(
    fc.array(fc.oneof(spoilt, fc.uint8Array({ maxLength: 400 })), { maxLength: 20 }),
    (all) => {
      const agreement = new Agreement({
        set,
        key: keyOf(3),
        epoch: EPOCH_NUMBER,
        timeouts: timeoutsOf(EPOCH),
        propose: () => VALUE,
        judge: () => true,
      })
      agreement.start()
      for (const bytes of all) {
        try {
          const message = decodeMessage(AgreementMessageSchema, bytes, METHODS['agreement.send'].maxRequest)
          agreement.receive(fromWire(set, message))
        } catch (error) {
          assert.match((error as { code: string }).code, REFUSALS)
        }
      }
      // Of the seeds only the last decides, and only as it was signed.
      if (agreement.decision !== undefined) assert.deepEqual(agreement.decision.value, VALUE)
    },
  )
  const end = performance.now() + SECONDS * 1_000
  while (performance.now() < end) fc.assert(property, { numRuns: 20 })
})
