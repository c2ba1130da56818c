import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromHex, toHex } from '@weft/core'
import { SigningKey, sha256 } from '@weft/crypto'
import { AgreementEvidenceSchema, AgreementMessageSchema, encodeMessage } from '@weft/wire'
import type { AgreementMessage, SignedProposal, SignedVote, VoteQuorum } from '../../src/agreement/agreement-message.ts'
import { encodeAgreedValue } from '../../src/agreement/agreed-value.ts'
import { encodeEquivocation } from '../../src/agreement/equivocation.ts'
import { encodeProposal } from '../../src/agreement/proposal.ts'
import { ValidatorSet } from '../../src/agreement/validator-set.ts'
import { type Phase, encodeVote } from '../../src/agreement/vote.ts'
import { toWire } from '../../src/agreement/wire-form.ts'
import { networkOf } from '../../src/network/network.ts'
import { parseNetworkFile } from '../../src/network/network-file.ts'

/** Writes agreement.json: `node generate-agreement.ts`. The keys are those of network-file.json, seeds 32 times 1 to 4. */
const vectors = <T>(name: string): T => JSON.parse(readFileSync(join(import.meta.dirname, name), 'utf8')) as T
const network = networkOf(parseNetworkFile(JSON.stringify(vectors<{ file: object }>('network-file.json').file)))
const set = new ValidatorSet(network.id, network.term)
const keys = [1, 2, 3, 4].map((byte) => new SigningKey(new Uint8Array(32).fill(byte)))
const keyOf = (index: number): SigningKey => keys.find(({ publicKey }) => set.indexOf(publicKey) === index) as SigningKey
const epoch = 8
const value = encodeAgreedValue(new Map([['map', fromHex(vectors<{ body: string }>('map.json').body)]]))

function vote(voter: number, round: number, phase: Phase, of: Uint8Array | undefined): SignedVote {
  const hash = of === undefined ? undefined : sha256(of)
  const payload = encodeVote({ network: set.networkId, epoch, round, phase, value: hash })
  const signature = keyOf(voter).sign('agreement-vote', payload)
  return { vote: { network: set.networkId, epoch, round, phase, value: hash }, payload, voter, signature }
}

function quorum(round: number, phase: Phase): VoteQuorum {
  const votes = [1, 2, 3].map((voter) => vote(voter, round, phase, value))
  const [first] = votes as [SignedVote]
  const signatures = new Map(votes.map(({ voter, signature }) => [voter, signature]))
  return { vote: first.vote, payload: first.payload, signatures }
}

function proposal(round: number, lock: VoteQuorum | undefined): SignedProposal {
  const proposer = set.proposer(epoch, round)
  const fields = { network: set.networkId, epoch, round, lockRound: lock?.vote.round, value: sha256(value) }
  const payload = encodeProposal(fields)
  const signature = keyOf(proposer).sign('agreement-proposal', payload)
  return { proposal: fields, payload, proposer, signature, value, lock }
}

const nil = vote(1, 0, 'prevote', undefined)
const messages: Record<string, AgreementMessage> = {
  'a fresh proposal of round 0': { kind: 'proposal', proposal: proposal(0, undefined) },
  'a proposal of round 2 with the prevotes of round 1': { kind: 'proposal', proposal: proposal(2, quorum(1, 'prevote')) },
  'a nil prevote of round 0 by validator 1': { kind: 'vote', vote: nil },
  'a precommit of round 2 by validator 3': { kind: 'vote', vote: vote(3, 2, 'precommit', value) },
  'the decision of round 2': { kind: 'certificate', certificate: { quorum: quorum(2, 'precommit'), value } },
}
const evidence = { validator: 1, of: 'vote' as const, first: nil, second: vote(1, 0, 'prevote', value) }
const text = JSON.stringify(
  {
    description:
      'Agreement of the four validators of network-file.json in epoch 8 on the map of map.json: what is signed, and the messages (protobuf AgreementMessage, AgreementEvidence), all hex. Seeds are 32 times the byte 1 to 4 (docs/specs/agreement.md).',
    value: toHex(value),
    valueHash: toHex(sha256(value)),
    proposers: [0, 1, 2, 3, 4].map((round) => set.proposer(epoch, round)),
    prevote: { payload: toHex(nil.payload), signature: toHex(nil.signature) },
    proposal: { payload: toHex(proposal(2, quorum(1, 'prevote')).payload) },
    messages: Object.entries(messages).map(([name, message]) => ({
      name,
      message: toHex(encodeMessage(AgreementMessageSchema, toWire(set, message))),
    })),
    evidence: toHex(encodeMessage(AgreementEvidenceSchema, encodeEquivocation(set, evidence))),
  },
  null,
  2,
)
writeFileSync(join(import.meta.dirname, 'agreement.json'), `${text}\n`)
