import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { VirtualClock, fromHex, silentLogger, toHex } from '@weft/core'
import { type DidKey, SigningKey, fromDidKey, sha256, verifySignature, x25519KeyPair } from '@weft/crypto'
import {
  AgreementEvidenceSchema,
  AgreementMessageSchema,
  CertificateSchema,
  MAX_SUCCESSION,
  RevocationSchema,
  SignedMapSchema,
  SuccessionSchema,
  create,
  decodeMessage,
  encodeMessage,
} from '@weft/wire'
import { decodeApplication } from '../src/admission/application.ts'
import { verifyCertificate } from '../src/admission/certificate.ts'
import { decodeShortfall } from '../src/admission/measure/shortfall.ts'
import { decodeChallengeAnswer } from '../src/admission/challenge-answer.ts'
import { decodeAgreedValue } from '../src/agreement/agreed-value.ts'
import { Agreement } from '../src/agreement/agreement.ts'
import { verifyEquivocation } from '../src/agreement/equivocation.ts'
import { decodeProposal } from '../src/agreement/proposal.ts'
import { timeoutsOf } from '../src/agreement/timeouts.ts'
import { ValidatorSet } from '../src/agreement/validator-set.ts'
import { decodeVote } from '../src/agreement/vote.ts'
import { fromWire, toWire } from '../src/agreement/wire-form.ts'
import { decodeAdmissionProof } from '../src/admission/admission-proof.ts'
import { decodeInvitation, invitationId } from '../src/invitation/invitation.ts'
import { isUsedBy, openInvitation } from '../src/invitation/invitation-proof.ts'
import { formatJoinToken, parseJoinToken } from '../src/invitation/join-token.ts'
import { beaconRandom } from '../src/committee/beacon-random.ts'
import { drawInTurn } from '../src/committee/draw-in-turn.ts'
import { decodeMapBody } from '../src/map/map-body.ts'
import { mapRoot } from '../src/map/map-entries.ts'
import { type MapEntry, readMapEntry } from '../src/map/map-entry.ts'
import { leaderOf } from '../src/map/proposal-checks.ts'
import { SignedMembership } from '../src/map/signed-membership.ts'
import { parseNetworkFile } from '../src/network/network-file.ts'
import { networkIdentity } from '../src/network/network-id.ts'
import { networkOf } from '../src/network/network.ts'
import { encodeRevocationBody } from '../src/revocation/revocation-body.ts'
import { verifyRevocation } from '../src/revocation/revocation.ts'
import { MembershipDatabase } from '../src/state/membership-database.ts'
import { rotationDue } from '../src/terms/handover-seats.ts'
import {
  decodeHandoverValue,
  encodeHandoverValue,
  handoverSet,
  termAfterHandover,
} from '../src/terms/handover-value.ts'
import { drawElectors } from '../src/terms/electors.ts'
import { decodeRecoveryValue, encodeRecoveryValue } from '../src/terms/recovery-value.ts'
import { verifySuccession } from '../src/terms/succession.ts'
import { NO_REVOCATIONS, temporaryDirectory } from './fixtures.ts'

interface Signed {
  readonly payload: string
  readonly signer: string
  readonly signature: string
}

function vectors<T>(name: string): T {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'vectors', `${name}.json`), 'utf8')) as T
}

const networkVector = vectors<{ file: object; parsedDagCbor: string; id: string }>('network-file')
const file = parseNetworkFile(JSON.stringify(networkVector.file))
const network = networkOf(file)

function signatures(list: readonly Omit<Signed, 'payload'>[]) {
  return list.map(({ signer, signature }) => ({ signer: fromHex(signer), signature: fromHex(signature) }))
}

function isSigned(purpose: 'application' | 'challenge', { payload, signer, signature }: Signed): boolean {
  return verifySignature(purpose, fromHex(payload), fromHex(signature), fromHex(signer))
}

test('network-file.json', () => {
  assert.equal(toHex(networkIdentity(file)), networkVector.parsedDagCbor)
  assert.equal(network.id, networkVector.id)
})

test('admission.json', () => {
  const vector = vectors<{
    applicant: string
    body: string
    certificateHash: string
    application: Signed
    challengeAnswer: Signed
    shortfall: string
    votes: Signed[]
  }>('admission')
  const certificate = verifyCertificate(
    network,
    create(CertificateSchema, { body: fromHex(vector.body), votes: signatures(vector.votes) }),
  )
  assert.equal(certificate.body.id, vector.applicant)
  assert.equal(toHex(certificate.hash), vector.certificateHash)
  assert.deepEqual(certificate.body.packets, {
    addresses: ['/ip4/127.0.0.1/udp/20006'],
    linkKey: x25519KeyPair(new Uint8Array(32).fill(21)).publicKey,
    onionKey: x25519KeyPair(new Uint8Array(32).fill(22)).publicKey,
  })
  assert.ok(isSigned('application', vector.application))
  assert.equal(toHex(decodeApplication(fromHex(vector.application.payload)).bodyBytes), vector.body)
  assert.ok(isSigned('challenge', vector.challengeAnswer))
  assert.equal(decodeChallengeAnswer(fromHex(vector.challengeAnswer.payload)).address, certificate.body.addresses[0])
  const claim = { bandwidthMbps: 50, lossPpm: 1_000, storageBytes: 1, availabilityPpm: 1 }
  const found = { bandwidthMbps: 12, lossPpm: 2_500, storageBytes: undefined, availabilityPpm: undefined }
  assert.deepEqual(decodeShortfall(fromHex(vector.shortfall), claim), found)
})

test('invitation.json', () => {
  const vector = vectors<{
    file: object
    networkIdentity: string
    network: string
    invitation: Signed
    name: string
    node: string
    use: string
    proof: string
    boundPayload: string
    token: string
  }>('invitation')
  const joined = networkOf(parseNetworkFile(JSON.stringify(vector.file)))
  assert.equal(toHex(networkIdentity(joined.file)), vector.networkIdentity)
  assert.equal(joined.id, vector.network)
  const [envelope] = signatures([vector.invitation]).map((signed) => ({
    ...signed,
    payload: fromHex(vector.invitation.payload),
  }))
  assert.ok(envelope)
  const invitation = openInvitation(joined, envelope)
  assert.deepEqual([invitation.roles, invitation.uses, invitation.node], [['storage', 'mailbox'], 2, undefined])
  assert.equal(toHex(invitationId(envelope.payload)), vector.name)
  const node = fromDidKey(vector.node)
  assert.deepEqual(decodeInvitation(fromHex(vector.boundPayload)).node, node)
  const proof = decodeAdmissionProof(fromHex(vector.proof))
  assert.deepEqual(proof, { way: 'invite', envelope, use: fromHex(vector.use) })
  assert.ok(proof.way === 'invite' && isUsedBy(proof, invitation, node))
  const token = parseJoinToken(vector.token)
  assert.deepEqual([token.network, token.invitation?.envelope], [vector.network, envelope])
  assert.deepEqual(token.invitation?.seed, new Uint8Array(32).fill(31))
  assert.equal(formatJoinToken(token), vector.token)
})

test('map.json', () => {
  const vector = vectors<{ leader: string; entries: string[]; root: string; body: string; signatures: Signed[] }>('map')
  const entries = vector.entries.map(fromHex)
  const body = decodeMapBody(fromHex(vector.body))
  assert.equal(toHex(mapRoot(entries)), vector.root)
  assert.equal(toHex(body.root), vector.root)
  assert.equal(leaderOf(network, body.epoch), vector.leader)
  using directory = temporaryDirectory()
  using database = new MembershipDatabase(directory.path)
  const membership = new SignedMembership({
    revocations: NO_REVOCATIONS,
    network,
    database,
    clock: new VirtualClock(body.signedAt),
    logger: silentLogger,
  })
  membership.adopt(
    create(SignedMapSchema, { body: fromHex(vector.body), signatures: signatures(vector.signatures) }),
    entries,
  )
  assert.equal(membership.members().length, 5)
  assert.deepEqual(
    membership.members().map(({ packets }) => packets?.addresses),
    [['/ip4/127.0.0.1/udp/20006'], undefined, undefined, undefined, undefined],
  )
})

test('revocation.json', () => {
  const vector = vectors<{ ejected: string; body: string; votes: Omit<Signed, 'payload'>[] }>('revocation')
  const { body, votes } = verifyRevocation(
    network,
    create(RevocationSchema, { body: fromHex(vector.body), votes: signatures(vector.votes) }),
  )
  assert.deepEqual(
    [body.id, body.issuedUpTo, body.blockedUntil, body.reason, body.decidedAt, votes.length],
    [vector.ejected, 104, 1_800_086_400_000, 'compromised', 1_800_000_525_000, 3],
  )
  assert.equal(toHex(encodeRevocationBody(body)), vector.body)
})

test('agreement.json', () => {
  const vector = vectors<{
    value: string
    valueHash: string
    proposers: number[]
    prevote: { payload: string; signature: string }
    proposal: { payload: string }
    messages: { name: string; message: string }[]
    evidence: string
  }>('agreement')
  const set = new ValidatorSet(network.id, network.term)
  const hash = fromHex(vector.valueHash)
  assert.deepEqual(sha256(fromHex(vector.value)), hash)
  assert.equal(
    toHex(decodeAgreedValue(fromHex(vector.value)).get('map') as Uint8Array),
    vectors<{ body: string }>('map').body,
  )
  assert.deepEqual(
    vector.proposers,
    vector.proposers.map((_, round) => set.proposer(8, round)),
  )
  const nil = { network: network.id, epoch: 8, round: 0, phase: 'prevote', value: undefined }
  assert.deepEqual(decodeVote(fromHex(vector.prevote.payload)), nil)
  const { payload, signature } = vector.prevote
  assert.ok(verifySignature('agreement-vote', fromHex(payload), fromHex(signature), set.keyOf(1)))
  const proposed = { network: network.id, epoch: 8, round: 2, lockRound: 1, value: hash }
  assert.deepEqual(decodeProposal(fromHex(vector.proposal.payload)), proposed)
  // A validator that hears them one after the other ends with the decision.
  const agreement = new Agreement({
    set,
    key: new SigningKey(new Uint8Array(32).fill(1)),
    epoch: 8,
    timeouts: timeoutsOf(file.mapEpochMs),
    propose: () => undefined,
    judge: () => true,
  })
  agreement.start()
  for (const { message } of vector.messages) {
    const read = fromWire(set, decodeMessage(AgreementMessageSchema, fromHex(message), 128 * 1024))
    assert.equal(toHex(encodeMessage(AgreementMessageSchema, toWire(set, read))), message)
    agreement.receive(read)
  }
  assert.equal(toHex(agreement.decision?.value ?? new Uint8Array()), vector.value)
  const evidence = decodeMessage(AgreementEvidenceSchema, fromHex(vector.evidence), 4096)
  assert.deepEqual(verifyEquivocation(set, evidence), { validator: 1, epoch: 8 })
})

test('terms.json', () => {
  const vector = vectors<{
    draw: { root: string; count: number; first: number[] }
    map: string
    positions: number[]
    electors: string[]
    quorum: number
    context: string
    value: string
    precommit: string
    succession: string
    term: object
    handover: { context: string; value: string; succession: string; term: object }
    rotation: {
      beacon: string
      rotateMs: number
      entries: string[]
      value: string
      leaving: number[]
      entering: string[]
      term: object
    }
  }>('terms')
  const { root, count, first } = vector.draw
  const all = Array.from({ length: count }, (_, position) => position)
  assert.deepEqual([...drawInTurn(beaconRandom(fromHex(root), 'recovery'), all)].slice(0, first.length), first)
  const succession = decodeMessage(SuccessionSchema, fromHex(vector.succession), MAX_SUCCESSION)
  assert.equal(toHex(succession.anchor?.body ?? new Uint8Array()), vector.map)
  const entries = succession.entries.map(({ entry }) => readMapEntry(network.id, entry))
  const positions: number[] = []
  const electors = drawElectors(decodeMapBody(fromHex(vector.map)), network.term, (position) => {
    positions.push(position)
    return entries[positions.length - 1] as MapEntry
  })
  assert.deepEqual(positions, vector.positions)
  assert.deepEqual(
    electors.members.map(({ member }) => member.id),
    vector.electors,
  )
  assert.deepEqual([electors.set.quorum, electors.set.networkId], [vector.quorum, vector.context])
  const { decision } = succession
  assert.deepEqual(
    [toHex(decision?.value ?? new Uint8Array()), toHex(decision?.quorum?.payload ?? new Uint8Array())],
    [vector.value, vector.precommit],
  )
  assert.equal(toHex(encodeRecoveryValue(decodeRecoveryValue(fromHex(vector.value)))), vector.value)
  assert.deepEqual(verifySuccession(networkOf(file), succession), vector.term)
  const { context, value, succession: passed, term } = vector.handover
  const told = decodeMessage(SuccessionSchema, fromHex(passed), MAX_SUCCESSION)
  assert.equal(handoverSet(network, network.term).networkId, context)
  assert.equal(toHex(told.decision?.value ?? new Uint8Array()), value)
  assert.equal(toHex(encodeHandoverValue(decodeHandoverValue(fromHex(value)))), value)
  assert.deepEqual(verifySuccession(networkOf(file), told), term)
  const { beacon, leaving, entering, ...rotation } = vector.rotation
  const members = rotation.entries.map((entry) => readMapEntry(network.id, fromHex(entry)).member)
  const member = (id: DidKey) => members.find((each) => each.id === id)
  const change = rotationDue(network.term, { members, member, seed: fromHex(beacon) })
  assert.deepEqual([change?.leaving, change?.entering.map(({ id }) => id)], [leaving, entering])
  const rotated = decodeHandoverValue(fromHex(rotation.value))
  assert.deepEqual([rotated.rotates, rotated.entering], [true, change?.entering])
  assert.equal(toHex(encodeHandoverValue(rotated)), rotation.value)
  const rotating = { file: { ...network.file, rotateMs: rotation.rotateMs } }
  assert.deepEqual(termAfterHandover(rotating, network.term, rotated), rotation.term)
  assert.throws(() => termAfterHandover(network, network.term, rotated), { code: 'E_SUCCESSION' })
})
