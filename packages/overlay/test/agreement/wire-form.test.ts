import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AgreementMessageSchema, create, decodeMessage, encodeMessage } from '@weft/wire'
import type { AgreementMessage } from '../../src/agreement/agreement-message.ts'
import { decodeAgreedValue, encodeAgreedValue } from '../../src/agreement/agreed-value.ts'
import { decodeState, encodeState } from '../../src/agreement/agreement-state.ts'
import { encodeProposal } from '../../src/agreement/proposal.ts'
import { summaryOf, summaryToWire } from '../../src/agreement/summary.ts'
import { verifyVote } from '../../src/agreement/verify-message.ts'
import { MAX_ROUNDS, decodeVote, encodeVote } from '../../src/agreement/vote.ts'
import { fromWire, toWire } from '../../src/agreement/wire-form.ts'
import { codeOf } from '../fixtures.ts'
import { VALUE, asVote, keyOf, proposalIn, quorumBy, set, voteBy } from './fixtures.ts'

const lock = quorumBy([0, 1, 2], 1, 'prevote', VALUE)
const MESSAGES: readonly AgreementMessage[] = [
  asVote(voteBy(0, 0, 'prevote', undefined)),
  asVote(voteBy(1, 3, 'precommit', VALUE)),
  { kind: 'proposal', proposal: proposalIn(0, VALUE) },
  { kind: 'proposal', proposal: proposalIn(2, VALUE, lock) },
  { kind: 'certificate', certificate: { quorum: lock, value: VALUE } },
]

function read(bytes: Uint8Array): AgreementMessage {
  return fromWire(set, decodeMessage(AgreementMessageSchema, bytes, 1 << 17))
}

test('messages come out of the wire form as they went in', () => {
  for (const message of MESSAGES) {
    assert.deepEqual(read(encodeMessage(AgreementMessageSchema, toWire(set, message))), message)
  }
})

test('bytes of any kind are a message or are refused with a code, and what is read is written the same', () => {
  const seeds = MESSAGES.map((message) => encodeMessage(AgreementMessageSchema, toWire(set, message)))
  const spoilt = fc
    .record({
      seed: fc.constantFrom(...seeds),
      changes: fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }),
      cut: fc.option(fc.nat()),
    })
    .map(({ seed, changes, cut }) => {
      const bytes = seed.slice(0, cut === null ? seed.length : cut % seed.length)
      for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value
      return bytes
    })
  fc.assert(
    fc.property(fc.oneof(spoilt, fc.uint8Array({ maxLength: 300 })), (bytes) => {
      let message: AgreementMessage
      try {
        message = read(bytes)
      } catch (error) {
        assert.match(
          (error as { code: string }).code,
          /^E_(AGREEMENT_MALFORMED|MESSAGE_MALFORMED|MESSAGE_UNKNOWN_FIELD)$/,
        )
        return
      }
      assert.deepEqual(encodeMessage(AgreementMessageSchema, toWire(set, message)), bytes)
    }),
    { numRuns: 500 },
  )
})

const HOSTILE: Record<string, AgreementMessage> = {
  'a vote of another network': asVote(voteBy(0, 0, 'prevote', VALUE, { network: `w${'a'.repeat(32)}` })),
  'a quorum of too few': {
    kind: 'certificate',
    certificate: { quorum: quorumBy([0, 1], 0, 'prevote', VALUE), value: VALUE },
  },
  'a quorum for another value': { kind: 'certificate', certificate: { quorum: lock, value: Uint8Array.of(9) } },
  'a proposal of another value': { kind: 'proposal', proposal: { ...proposalIn(0, VALUE), value: Uint8Array.of(9) } },
  'a proposal of whose turn it is not': { kind: 'proposal', proposal: { ...proposalIn(0, VALUE), proposer: 1 } },
  'a proposal without the votes that it names': {
    kind: 'proposal',
    proposal: { ...proposalIn(2, VALUE, lock), lock: undefined },
  },
  'a proposal with votes that it does not name': { kind: 'proposal', proposal: { ...proposalIn(2, VALUE), lock } },
  'a proposal with votes of another phase': {
    kind: 'proposal',
    proposal: proposalIn(2, VALUE, quorumBy([0, 1, 2], 1, 'precommit', VALUE)),
  },
  'a proposal with votes for another value': {
    kind: 'proposal',
    proposal: proposalIn(2, VALUE, quorumBy([0, 1, 2], 1, 'prevote', Uint8Array.of(9))),
  },
}

for (const [name, message] of Object.entries(HOSTILE)) {
  test(`refused: ${name}`, async () => {
    assert.equal(await codeOf(() => fromWire(set, toWire(set, message))), 'E_AGREEMENT_MALFORMED')
  })
}

test('refused: nothing, a stranger, a signature of another length, one signer twice', async () => {
  const vote = voteBy(0, 0, 'prevote', VALUE)
  const { payload, signature } = vote
  const wireVote = (signer: Uint8Array, bytes: Uint8Array) =>
    create(AgreementMessageSchema, {
      body: { case: 'vote', value: { payload, signature: { signer, signature: bytes } } },
    })
  const twice = { signer: keyOf(0).publicKey, signature }
  const doubled = create(AgreementMessageSchema, {
    body: {
      case: 'certificate',
      value: { quorum: { payload, signatures: [twice, twice, twice] }, value: VALUE },
    },
  })
  for (const wire of [
    create(AgreementMessageSchema, {}),
    wireVote(keyOf(4).publicKey, signature),
    wireVote(new Uint8Array(31), signature),
    wireVote(keyOf(0).publicKey, signature.subarray(1)),
    doubled,
  ]) {
    assert.equal(await codeOf(() => fromWire(set, wire)), 'E_AGREEMENT_MALFORMED')
  }
})

test('a round beyond the last, or a lock that is not of an earlier round, is refused', async () => {
  const { vote } = voteBy(0, MAX_ROUNDS - 1, 'prevote', VALUE)
  assert.deepEqual(decodeVote(encodeVote(vote)), vote)
  assert.equal(await codeOf(() => decodeVote(encodeVote({ ...vote, round: MAX_ROUNDS }))), 'E_AGREEMENT_MALFORMED')
  const { proposal } = proposalIn(2, VALUE)
  for (const lockRound of [2, 3]) {
    const payload = encodeProposal({ ...proposal, lockRound })
    const wire = toWire(set, { kind: 'proposal', proposal: { ...proposalIn(2, VALUE, lock), payload } })
    assert.equal(await codeOf(() => fromWire(set, wire)), 'E_AGREEMENT_MALFORMED')
  }
})

test('a signature for another purpose is none', async () => {
  const vote = voteBy(0, 0, 'prevote', VALUE)
  verifyVote(set, vote)
  const signature = keyOf(0).sign('agreement-proposal', vote.payload)
  assert.equal(await codeOf(() => verifyVote(set, { ...vote, signature })), 'E_SIGNATURE_INVALID')
})

test('a summary comes out of the wire form as it went in; bits for more validators than there are is refused', async () => {
  const summary = fc.record({
    epoch: fc.nat(),
    round: fc.nat({ max: MAX_ROUNDS - 1 }),
    proposal: fc.boolean(),
    prevotes: fc.uniqueArray(fc.nat({ max: 63 })).map((members) => new Set(members)),
    precommits: fc.uniqueArray(fc.nat({ max: 63 })).map((members) => new Set(members)),
    validRound: fc.option(fc.nat({ max: MAX_ROUNDS - 1 }), { nil: undefined }),
  })
  fc.assert(
    fc.property(summary, (asked) => {
      const sorted = (members: ReadonlySet<number>): Set<number> => new Set([...members].sort((a, b) => a - b))
      const expected = { ...asked, prevotes: sorted(asked.prevotes), precommits: sorted(asked.precommits) }
      assert.deepEqual(summaryOf(summaryToWire(asked), 64), expected)
    }),
  )
  const empty = { epoch: 1, round: 0, proposal: false, prevotes: new Set<number>(), precommits: new Set<number>() }
  const wire = summaryToWire({ ...empty, validRound: undefined })
  for (const changes of [
    { prevotes: new Uint8Array(2) },
    { round: MAX_ROUNDS },
    { epoch: 2n ** 63n },
    { validRounds: 99 },
  ]) {
    assert.equal(await codeOf(() => summaryOf({ ...wire, ...changes }, 8)), 'E_AGREEMENT_MALFORMED')
  }
})

test('a value comes out as it went in, and only in its one form', async () => {
  const parts = fc.dictionary(fc.stringMatching(/^[a-z][a-z-]{0,20}$/), fc.uint8Array({ maxLength: 50 }), {
    minKeys: 1,
    maxKeys: 8,
    noNullPrototype: true,
  })
  fc.assert(
    fc.property(parts, (named) => {
      const value = new Map(Object.entries(named))
      const read = decodeAgreedValue(encodeAgreedValue(value))
      assert.deepEqual(new Map(read), new Map([...value].map(([name, bytes]) => [name, new Uint8Array(bytes)])))
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      try {
        assert.deepEqual(encodeAgreedValue(decodeAgreedValue(bytes)), new Uint8Array(bytes))
      } catch (error) {
        assert.equal((error as { code: string }).code, 'E_AGREEMENT_MALFORMED')
      }
    }),
  )
  const bad = [new Map(), new Map([['A', VALUE]]), new Map([['x'.repeat(33), VALUE]])]
  for (const value of bad)
    assert.equal(await codeOf(() => decodeAgreedValue(encodeAgreedValue(value))), 'E_AGREEMENT_MALFORMED')
})

test('a state comes back from the disk as it was written, and damage is refused', () => {
  const maybe = <T>(value: T): fc.Arbitrary<T | undefined> => fc.constantFrom(undefined, value)
  const hash = new Uint8Array(32).fill(7)
  const state = fc
    .tuple(
      fc.nat(),
      fc.nat({ max: MAX_ROUNDS - 1 }),
      fc.constantFrom(undefined, { value: VALUE, lockRound: undefined }, { value: VALUE, lockRound: 1 }),
      fc.constantFrom(undefined, { value: undefined }, { value: hash }),
      fc.constantFrom(undefined, { value: undefined }, { value: hash }),
      maybe({ round: 1, value: hash }),
      maybe({ quorum: lock, value: VALUE }),
      fc.constantFrom([], [voteBy(1, 3, 'precommit', VALUE), voteBy(2, 3, 'precommit', undefined)]),
    )
    .map(([epoch, round, proposal, prevote, precommit, locked, valid, entry]) => ({
      epoch,
      round,
      proposal,
      prevote,
      precommit,
      locked,
      valid,
      entry,
    }))
  fc.assert(fc.property(state, (written) => assert.deepEqual(decodeState(encodeState(written)), written)))
  fc.assert(
    fc.property(state, fc.nat(), fc.nat({ max: 255 }), (written, at, byte) => {
      const bytes = encodeState(written)
      bytes[at % bytes.length] = byte
      try {
        assert.deepEqual(encodeState(decodeState(bytes)), bytes)
      } catch (error) {
        assert.equal((error as { code: string }).code, 'E_AGREEMENT_MALFORMED')
      }
    }),
  )
})
