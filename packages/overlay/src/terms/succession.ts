import { verifyMerkleProof } from '@weft/crypto'
import {
  type AgreementCertificate,
  AgreementMessageSchema,
  type SignedMap,
  type Succession,
  SuccessionSchema,
  create,
} from '@weft/wire'
import type { Certificate } from '../agreement/agreement-message.ts'
import type { ValidatorSet } from '../agreement/validator-set.ts'
import { verifyQuorum } from '../agreement/verify-message.ts'
import { fromWire, toWire } from '../agreement/wire-form.ts'
import { validVotes, votesToQuorum } from '../admission/certificate.ts'
import type { EntryList } from '../map/entry-list.ts'
import { decodeMapBody } from '../map/map-body.ts'
import { readMapEntry } from '../map/map-entry.ts'
import type { Network } from '../network/network.ts'
import { type Electors, drawElectors } from './electors.ts'
import { decodeHandoverValue, handoverSet, termAfterHandover } from './handover-value.ts'
import { decodeRecoveryValue, nextTerm } from './recovery-value.ts'
import { refuseSuccession } from './refuse-succession.ts'
import type { Term, TermInit } from './term.ts'

/** What is told of a new term but the decision: the last map of the one before, and its electors with proofs. */
export type SuccessionGround = Pick<Succession, 'number' | 'anchor' | 'entries'>

/** @param head the anchor as it is held, which may carry signatures that do not count */
export function successionGround(term: Term, head: SignedMap, list: EntryList, { drawn }: Electors): SuccessionGround {
  const signatures = validVotes(term, 'map', head.body, head.signatures)
  const { number, anchor, entries } = create(SuccessionSchema, {
    number: term.number + 1,
    anchor: { body: head.body, signatures: signatures.map((signature) => ({ ...signature })) },
    // Copies, as the tree of a large map is large.
    entries: drawn.map(({ position, entry }) => ({
      entry: entry.bytes,
      path: list.tree.path(position).map((hash) => hash.slice()),
    })),
  })
  return { number, anchor, entries }
}

/** How a new term is told. */
export function toSuccession(ground: SuccessionGround, { set }: Electors, decision: Certificate): Succession {
  const { body } = toWire(set, { kind: 'certificate', certificate: decision })
  return create(SuccessionSchema, { ...ground, ...(body.case === 'certificate' ? { decision: body.value } : {}) })
}

/**
 * Verifies a term from anywhere; it has to follow the newest that is known. With an anchor: a map that a quorum of the term
 * before signed, the electors are those that its root draws, and a quorum of them decided on these seats. Without one a
 * quorum of the validators before did.
 * @throws WeftError E_SUCCESSION, E_MAP_MALFORMED, E_CERTIFICATE_MALFORMED, E_MAP_ENTRIES, E_AGREEMENT_MALFORMED, E_SIGNATURE_INVALID
 */
export function verifySuccession(network: Network, { number, anchor, entries, decision }: Succession): TermInit {
  const { term } = network
  if (number !== term.number + 1) throw refuseSuccession(`it is term ${number}; the newest here is ${term.number}`)
  if (decision === undefined) throw refuseSuccession('it names no decision')
  if (anchor === undefined) {
    if (entries.length > 0) throw refuseSuccession('it has entries, and no map')
    const value = decidedBy(handoverSet(network, term), decision, term.number)
    return termAfterHandover(network, term, decodeHandoverValue(value))
  }
  const body = decodeMapBody(anchor.body)
  if (body.network !== network.id) throw refuseSuccession(`its map is of the network ${body.network}`)
  if (body.epoch < term.fromEpoch) throw refuseSuccession('its map is of an earlier term')
  // First so, as strangers tell terms, too: made-up signatures of all seats cost one verification.
  if (votesToQuorum(term, 'map', anchor.body, anchor.signatures).length < term.quorum)
    throw refuseSuccession('its map is not signed by a quorum of the validators before')
  // What was not verified is not kept and passed on.
  if (validVotes(term, 'map', anchor.body, anchor.signatures).length !== anchor.signatures.length)
    throw refuseSuccession('its map has signatures that do not count')
  let used = 0
  const electors = drawElectors(body, term, (position) => {
    const proven = entries[used++]
    if (proven === undefined) throw refuseSuccession('entries of electors are missing')
    const entry = readMapEntry(network.id, proven.entry)
    if (!verifyMerkleProof(entry.leaf, position, body.count, proven.path, body.root))
      throw refuseSuccession(`the entry at position ${position} is not proven`)
    return entry
  })
  if (used !== entries.length) throw refuseSuccession('it has more entries than electors were drawn')
  const value = decidedBy(electors.set, decision, body.epoch)
  return nextTerm(network.file, electors, term, body.epoch, decodeRecoveryValue(value))
}

/** The value that a quorum decided on. @throws WeftError E_SUCCESSION, E_AGREEMENT_MALFORMED, E_SIGNATURE_INVALID */
function decidedBy(set: ValidatorSet, decision: AgreementCertificate, epoch: number): Uint8Array {
  const message = fromWire(set, create(AgreementMessageSchema, { body: { case: 'certificate', value: decision } }))
  if (message.kind !== 'certificate') throw refuseSuccession('it has no decision')
  const { quorum, value } = message.certificate
  if (quorum.vote.phase !== 'precommit' || quorum.vote.epoch !== epoch)
    throw refuseSuccession('the votes of its decision are others')
  verifyQuorum(set, quorum)
  return value
}
