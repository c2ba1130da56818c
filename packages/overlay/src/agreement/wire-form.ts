import { equalBytes } from '@weft/core'
import { sha256 } from '@weft/crypto'
import {
  type AgreementProposal,
  type AgreementQuorum,
  type AgreementVote,
  type AgreementMessage as WireMessage,
  AgreementMessageSchema,
  type MessageInitShape,
  type Signature,
  create,
} from '@weft/wire'
import type { AgreementMessage, SignedProposal, SignedVote, VoteQuorum } from './agreement-message.ts'
import { malformed } from './malformed.ts'
import { decodeProposal } from './proposal.ts'
import type { ValidatorSet } from './validator-set.ts'
import { decodeVote } from './vote.ts'

type BodyInit = MessageInitShape<typeof AgreementMessageSchema>['body']

/** The form of a message that crosses the wire. */
export function toWire(set: ValidatorSet, message: AgreementMessage): WireMessage {
  return create(AgreementMessageSchema, { body: bodyOf(set, message) })
}

function bodyOf(set: ValidatorSet, message: AgreementMessage): NonNullable<BodyInit> {
  switch (message.kind) {
    case 'proposal': {
      const { payload, proposer, signature, value, lock } = message.proposal
      const signed = { payload, signature: { signer: set.keyOf(proposer), signature }, value }
      return { case: 'proposal', value: lock === undefined ? signed : { ...signed, lock: quorumToWire(set, lock) } }
    }
    case 'vote': {
      const { payload, voter, signature } = message.vote
      return { case: 'vote', value: { payload, signature: { signer: set.keyOf(voter), signature } } }
    }
    case 'certificate': {
      const { quorum, value } = message.certificate
      return { case: 'certificate', value: { quorum: quorumToWire(set, quorum), value } }
    }
  }
}

function quorumToWire(set: ValidatorSet, { payload, signatures }: VoteQuorum) {
  return { payload, signatures: [...signatures].map(([voter, signature]) => ({ signer: set.keyOf(voter), signature })) }
}

/**
 * Reads a message: its form, limits, network, signers and hashes are right then. Its signatures are looked at only by
 * who has a use for it (`verify-message.ts`).
 * @throws WeftError E_AGREEMENT_MALFORMED
 */
export function fromWire(set: ValidatorSet, { body }: WireMessage): AgreementMessage {
  switch (body.case) {
    case 'proposal':
      return { kind: 'proposal', proposal: proposalOf(set, body.value) }
    case 'vote':
      return { kind: 'vote', vote: voteOf(set, body.value) }
    case 'certificate': {
      const quorum = quorumOf(set, body.value.quorum)
      const { value } = body.value
      requireHash(quorum.vote.value, value)
      return { kind: 'certificate', certificate: { quorum, value } }
    }
    case undefined:
      throw malformed('it is empty')
  }
}

function voteOf(set: ValidatorSet, wire: AgreementVote): SignedVote {
  const vote = decodeVote(wire.payload)
  requireNetwork(set, vote.network)
  const { index, signature } = signerOf(set, wire.signature)
  return { vote, payload: wire.payload, voter: index, signature }
}

function proposalOf(set: ValidatorSet, wire: AgreementProposal): SignedProposal {
  const proposal = decodeProposal(wire.payload)
  requireNetwork(set, proposal.network)
  requireHash(proposal.value, wire.value)
  const { index, signature } = signerOf(set, wire.signature)
  if (index !== set.proposer(proposal.epoch, proposal.round)) {
    throw malformed(`validator ${index} does not propose in round ${proposal.round} of epoch ${proposal.epoch}`)
  }
  const signed = { proposal, payload: wire.payload, proposer: index, signature, value: wire.value }
  if (proposal.lockRound === undefined) {
    if (wire.lock !== undefined) throw malformed('it carries votes of a round that it does not name')
    return { ...signed, lock: undefined }
  }
  const lock = quorumOf(set, wire.lock)
  const { epoch, round, phase, value } = lock.vote
  if (epoch !== proposal.epoch || round !== proposal.lockRound || phase !== 'prevote') {
    throw malformed('the votes that it carries are not the prevotes of the round that it names')
  }
  if (value === undefined || !equalBytes(value, proposal.value)) {
    throw malformed('the votes that it carries are for another value')
  }
  return { ...signed, lock }
}

function quorumOf(set: ValidatorSet, wire: AgreementQuorum | undefined): VoteQuorum {
  if (wire === undefined) throw malformed('it names votes and carries none')
  const vote = decodeVote(wire.payload)
  requireNetwork(set, vote.network)
  if (wire.signatures.length > set.size) {
    throw malformed(`it has ${wire.signatures.length} signatures of ${set.size} validators`)
  }
  const signatures = new Map<number, Uint8Array>()
  for (const wireSignature of wire.signatures) {
    const { index, signature } = signerOf(set, wireSignature)
    if (signatures.has(index)) throw malformed(`validator ${index} signed it twice`)
    signatures.set(index, signature)
  }
  if (signatures.size < set.quorum) throw malformed(`${signatures.size} signatures are no quorum of ${set.size}`)
  return { vote, payload: wire.payload, signatures }
}

function signerOf(set: ValidatorSet, wire: Signature | undefined): { index: number; signature: Uint8Array } {
  const index = wire === undefined ? undefined : set.indexOf(wire.signer)
  if (wire === undefined || index === undefined) throw malformed('it is not signed by a validator')
  if (wire.signature.length !== 64) throw malformed(`a signature has ${wire.signature.length} bytes`)
  return { index, signature: wire.signature }
}

function requireNetwork(set: ValidatorSet, network: string): void {
  if (network !== set.networkId) throw malformed(`it is of the network ${network}`)
}

function requireHash(hash: Uint8Array | undefined, value: Uint8Array): void {
  if (hash === undefined || !equalBytes(sha256(value), hash)) throw malformed('its value is not the one that it names')
}
