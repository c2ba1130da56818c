import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeEquivocation, verifyEquivocation } from '../../src/agreement/equivocation.ts'
import { codeOf } from '../fixtures.ts'
import { EPOCH_NUMBER, VALUE, proposalIn, set, voteBy } from './fixtures.ts'

const OTHER = Uint8Array.of(9)

test('two votes of one phase and round, or two proposals of one round, are evidence in whatever order', () => {
  const votes = [voteBy(1, 2, 'prevote', VALUE), voteBy(1, 2, 'prevote', undefined)] as const
  const proposals = [proposalIn(0, VALUE), proposalIn(0, OTHER)] as const
  for (const [first, second] of [votes, votes.toReversed() as unknown as typeof votes]) {
    const evidence = encodeEquivocation(set, { validator: 1, of: 'vote', first, second })
    assert.deepEqual(evidence, encodeEquivocation(set, { validator: 1, of: 'vote', first: second, second: first }))
    assert.deepEqual(verifyEquivocation(set, evidence), { validator: 1, epoch: EPOCH_NUMBER })
  }
  const [first, second] = proposals
  const evidence = encodeEquivocation(set, { validator: first.proposer, of: 'proposal', first, second })
  assert.deepEqual(verifyEquivocation(set, evidence), { validator: first.proposer, epoch: EPOCH_NUMBER })
})

test('what an honest validator says is no evidence', async () => {
  const vote = voteBy(1, 2, 'prevote', VALUE)
  const innocent = {
    'one vote twice': vote,
    'the other phase': voteBy(1, 2, 'precommit', undefined),
    'another round': voteBy(1, 3, 'prevote', undefined),
    'another epoch': voteBy(1, 2, 'prevote', undefined, { epoch: EPOCH_NUMBER + 1 }),
    'a vote of another': voteBy(2, 2, 'prevote', undefined),
    'a broken signature': { ...voteBy(1, 2, 'prevote', undefined), signature: new Uint8Array(64) },
  }
  for (const [name, second] of Object.entries(innocent)) {
    const evidence = encodeEquivocation(set, { validator: 1, of: 'vote', first: vote, second })
    assert.equal(await codeOf(() => verifyEquivocation(set, evidence)), 'E_AGREEMENT_MALFORMED', name)
  }
  const network = `w${'a'.repeat(32)}`
  const elsewhere = [VALUE, undefined].map((value) => voteBy(1, 2, 'prevote', value, { network }))
  const [first, second] = elsewhere as [typeof vote, typeof vote]
  const evidence = encodeEquivocation(set, { validator: 1, of: 'vote', first, second })
  assert.equal(await codeOf(() => verifyEquivocation(set, evidence)), 'E_AGREEMENT_MALFORMED')
})
