import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AgreementAction } from '../../src/agreement/agreement-action.ts'
import type { AgreementMessage, VoteQuorum } from '../../src/agreement/agreement-message.ts'
import { Agreement, type AgreementInit } from '../../src/agreement/agreement.ts'
import { timeoutsOf } from '../../src/agreement/timeouts.ts'
import { MAX_ROUNDS } from '../../src/agreement/vote.ts'
import { sha256 } from '@weft/crypto'
import { toHex } from '@weft/core'
import { EPOCH, codeOf } from '../fixtures.ts'
import { EPOCH_NUMBER, VALUE, asVote, keyOf, proposalIn, quorumBy, set, voteBy } from './fixtures.ts'

const OTHER = Uint8Array.of(9, 9)
const SELF = 3

/** Validator 3, whose turn is round 3; it finds everything valid but what begins with 0. */
function begin(changes: Partial<AgreementInit> = {}): Agreement {
  const agreement = new Agreement({
    set,
    key: keyOf(SELF),
    epoch: EPOCH_NUMBER,
    timeouts: timeoutsOf(EPOCH),
    propose: () => VALUE,
    judge: (value) => value[0] !== 0,
    ...changes,
  })
  agreement.start()
  return agreement
}

function propose(round: number, value: Uint8Array, lock?: VoteQuorum): AgreementMessage {
  return { kind: 'proposal', proposal: proposalIn(round, value, lock) }
}

/** What it voted: `prevote 0 nil` and the like, values by their first byte. */
function votes(actions: readonly AgreementAction[]): string[] {
  const names = new Map([VALUE, OTHER].map((value) => [toHex(sha256(value)), value === VALUE ? 'VALUE' : 'OTHER']))
  return actions.flatMap((action) => {
    if (action.type !== 'send' || action.message.kind !== 'vote') return []
    const { round, phase, value } = action.message.vote.vote
    return [`${phase} ${round} ${value === undefined ? 'nil' : names.get(toHex(value))}`]
  })
}

function vote(
  agreement: Agreement,
  voters: readonly number[],
  round: number,
  phase: 'prevote' | 'precommit',
  value?: Uint8Array,
) {
  return voters.flatMap((voter) => agreement.receive(asVote(voteBy(voter, round, phase, value))))
}

/** Locked on VALUE since round 0, and in round 1. */
function locked(): Agreement {
  const agreement = begin()
  agreement.receive(propose(0, VALUE))
  assert.deepEqual(votes(vote(agreement, [0, 1], 0, 'prevote', VALUE)), ['precommit 0 VALUE'])
  agreement.onTimer({ step: 'precommit', round: 0 })
  assert.equal(agreement.round, 1)
  return agreement
}

test('line 22: a fresh value is prevoted when it is valid; no other, and none while that cannot be told', () => {
  assert.deepEqual(votes(begin().receive(propose(0, VALUE))), ['prevote 0 VALUE'])
  assert.deepEqual(votes(begin().receive(propose(0, Uint8Array.of(0)))), ['prevote 0 nil'])
  const known: { verdict?: boolean } = {}
  const agreement = begin({ judge: () => known.verdict })
  assert.deepEqual(votes(agreement.receive(propose(0, VALUE))), [])
  known.verdict = true
  assert.deepEqual(votes(agreement.reconsider()), ['prevote 0 VALUE'])
})

test('lines 22 and 28: who is locked prevotes another value only for a quorum that is as new as the lock', () => {
  assert.deepEqual(votes(locked().receive(propose(1, OTHER))), ['prevote 1 nil'])
  assert.deepEqual(votes(locked().receive(propose(1, VALUE))), ['prevote 1 VALUE'])
  const own = quorumBy([0, 1, 2], 0, 'prevote', VALUE)
  assert.deepEqual(votes(locked().receive(propose(1, VALUE, own))), ['prevote 1 VALUE'])
  const agreement = locked()
  agreement.onTimer({ step: 'propose', round: 1 })
  agreement.onTimer({ step: 'prevote', round: 1 })
  agreement.onTimer({ step: 'precommit', round: 1 })
  const newer = quorumBy([0, 1, 2], 1, 'prevote', OTHER)
  assert.deepEqual(votes(agreement.receive(propose(2, OTHER, newer))), ['prevote 2 OTHER'])
})

test('line 28: a lock that is older than the own one binds nobody', () => {
  const agreement = begin()
  agreement.onTimer({ step: 'propose', round: 0 })
  agreement.onTimer({ step: 'prevote', round: 0 })
  agreement.onTimer({ step: 'precommit', round: 0 })
  agreement.receive(propose(1, VALUE))
  assert.deepEqual(votes(vote(agreement, [0, 1], 1, 'prevote', VALUE)), ['precommit 1 VALUE'])
  agreement.onTimer({ step: 'precommit', round: 1 })
  const older = quorumBy([0, 1, 2], 0, 'prevote', OTHER)
  assert.deepEqual(votes(agreement.receive(propose(2, OTHER, older))), ['prevote 2 nil'])
})

test('a lock of forged votes is refused whole', async () => {
  const forged = quorumBy([0, 1, 2], 1, 'prevote', OTHER)
  const signature = forged.signatures.get(0) as Uint8Array
  const lock = { ...forged, signatures: new Map([0, 1, 2].map((voter) => [voter, signature])) }
  const agreement = begin()
  agreement.onTimer({ step: 'precommit', round: 0 })
  assert.equal(await codeOf(() => agreement.receive(propose(2, OTHER, lock))), 'E_SIGNATURE_INVALID')
  const certificate = { quorum: { ...lock, vote: { ...lock.vote } }, value: OTHER }
  assert.equal(await codeOf(() => agreement.receive({ kind: 'certificate', certificate })), 'E_SIGNATURE_INVALID')
  assert.equal(agreement.answer({ ...agreement.summary(), round: 0 }).length, 0)
})

test('lines 34 to 47: timers begin with a quorum of whatever votes, once, and only in their step', () => {
  const agreement = begin()
  agreement.receive(propose(0, VALUE))
  const timers = (actions: readonly AgreementAction[]): string[] =>
    actions.flatMap((action) => (action.type === 'timer' ? [action.timer.step] : []))
  assert.deepEqual(timers(vote(agreement, [0, 1], 0, 'prevote')), ['prevote'])
  assert.deepEqual(timers(vote(agreement, [2], 0, 'prevote')), [])
  assert.deepEqual(votes(agreement.onTimer({ step: 'prevote', round: 0 })), [])
  assert.deepEqual(timers(vote(agreement, [0, 1], 0, 'precommit')), ['precommit'])
})

test('line 44: a quorum of nil prevotes is a nil precommit at once', () => {
  const agreement = begin()
  agreement.onTimer({ step: 'propose', round: 0 })
  assert.deepEqual(votes(vote(agreement, [0, 1], 0, 'prevote')), ['precommit 0 nil'])
})

test('line 36: a quorum that comes after the own precommit is what is proposed next', () => {
  const agreement = begin()
  agreement.onTimer({ step: 'propose', round: 0 })
  agreement.onTimer({ step: 'prevote', round: 0 })
  const quorum = quorumBy([0, 1, 2], 0, 'prevote', OTHER)
  assert.deepEqual(votes(agreement.receive({ kind: 'certificate', certificate: { quorum, value: OTHER } })), [])
  for (const round of [0, 1, 2]) agreement.onTimer({ step: 'precommit', round })
  const asked = { ...agreement.summary(), proposal: false, validRound: 0 }
  const [proposal] = agreement.answer(asked)
  assert.ok(proposal?.kind === 'proposal')
  assert.deepEqual(proposal.proposal.value, OTHER)
  assert.equal(proposal.proposal.proposal.lockRound, 0)
})

test('line 49: precommits of an earlier round decide as well', () => {
  const agreement = begin()
  agreement.receive(propose(0, VALUE))
  agreement.onTimer({ step: 'precommit', round: 0 })
  vote(agreement, [0, 1], 0, 'precommit', VALUE)
  const [decided] = agreement.receive(asVote(voteBy(2, 0, 'precommit', VALUE)))
  assert.ok(decided?.type === 'decide')
  assert.deepEqual(decided.certificate.value, VALUE)
  assert.deepEqual(agreement.onTimer({ step: 'propose', round: 1 }), [], 'and nothing is said after it')
})

test('line 55: f + 1 validators in a later round take it there; f do not', () => {
  const agreement = begin()
  vote(agreement, [0], 5, 'prevote')
  vote(agreement, [0], 5, 'precommit')
  assert.equal(agreement.round, 0)
  vote(agreement, [1], 5, 'precommit')
  assert.equal(agreement.round, 5)
})

test('after a restart it still has the precommits by which it entered its round, for those who are behind', () => {
  const agreement = begin()
  agreement.onTimer({ step: 'propose', round: 0 })
  agreement.onTimer({ step: 'prevote', round: 0 })
  vote(agreement, [0, 1], 0, 'precommit')
  agreement.onTimer({ step: 'precommit', round: 0 })
  const said = agreement.onTimer({ step: 'propose', round: 1 })
  const state = said.flatMap((action) => (action.type === 'persist' ? [action.state] : []))[0]
  const again = begin({ restored: state })
  assert.equal(again.round, 1)
  const behind = { ...begin().summary(), precommits: new Set<number>(), prevotes: new Set<number>() }
  const precommits = again.answer(behind).filter((one) => one.kind === 'vote' && one.vote.vote.round === 0)
  assert.equal(precommits.length, 3)
})

test('timers of a step or round that is over do nothing', () => {
  const agreement = begin()
  agreement.receive(propose(0, VALUE))
  assert.deepEqual(agreement.onTimer({ step: 'propose', round: 0 }), [])
  agreement.onTimer({ step: 'precommit', round: 0 })
  for (const step of ['propose', 'prevote', 'precommit'] as const) {
    assert.deepEqual(agreement.onTimer({ step, round: 0 }), [])
  }
  assert.equal(agreement.round, 1)
})

test('the last round is the last', () => {
  const agreement = begin()
  for (let round = 0; round < MAX_ROUNDS + 5; round++) agreement.onTimer({ step: 'precommit', round })
  assert.equal(agreement.round, MAX_ROUNDS - 1)
})

test('every message is behind the state that remembers it', () => {
  const agreement = begin()
  const actions = [...agreement.receive(propose(0, VALUE)), ...vote(agreement, [0, 1], 0, 'prevote', VALUE)]
  let written = { prevote: false, precommit: false }
  for (const action of actions) {
    if (action.type === 'persist') {
      const { prevote, precommit, locked } = action.state
      written = { prevote: prevote !== undefined, precommit: precommit !== undefined && locked !== undefined }
    } else if (action.type === 'send' && action.message.kind === 'vote') {
      assert.ok(written[action.message.vote.vote.phase])
    }
  }
  assert.ok(written.precommit)
})

test('what is kept of one sender is bounded, whatever it sends', () => {
  const agreement = begin()
  for (let round = 0; round < MAX_ROUNDS; round++) {
    for (let different = 0; different < 5; different++) {
      for (const phase of ['prevote', 'precommit'] as const)
        vote(agreement, [0], round, phase, Uint8Array.of(1, different))
      if (set.proposer(EPOCH_NUMBER, round) === 0)
        agreement.receive(propose(round, new Uint8Array(9).fill(different + 1)))
    }
  }
  const kept = Array.from({ length: MAX_ROUNDS }, (_, round) =>
    agreement.answer({ ...agreement.summary(), round, proposal: false, prevotes: new Set(), precommits: new Set() }),
  )
  assert.ok(kept.every((messages) => messages.length <= 2 * 3 + 1))
  const proposals = kept.flat().filter(({ kind }) => kind === 'proposal')
  assert.equal(proposals.length, 1, 'of the round that goes on; those of later ones are asked for when they come')
})

test('only a validator takes part', () => {
  assert.throws(() => begin({ key: keyOf(4) }), RangeError)
})
