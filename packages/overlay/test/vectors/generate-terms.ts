import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compareBytes, toHex } from '@weft/core'
import { SigningKey, sha256 } from '@weft/crypto'
import { SuccessionSchema, create, encodeMessage } from '@weft/wire'
import { decodeCertificateBody, encodeCertificateBody } from '../../src/admission/certificate-body.ts'
import { toWire } from '../../src/agreement/wire-form.ts'
import { encodeVote } from '../../src/agreement/vote.ts'
import { beaconRandom } from '../../src/committee/beacon-random.ts'
import { drawInTurn } from '../../src/committee/draw-in-turn.ts'
import { atOnce } from '../../src/map/in-slices.ts'
import { decodeMapBody } from '../../src/map/map-body.ts'
import type { MapEntry } from '../../src/map/map-entry.ts'
import { mapReader } from '../../src/map/map-reader.ts'
import { networkOf } from '../../src/network/network.ts'
import { parseNetworkFile } from '../../src/network/network-file.ts'
import { drawElectors } from '../../src/terms/electors.ts'
import { rotationDue } from '../../src/terms/handover-seats.ts'
import { encodeHandoverValue, handoverSet, termAfterHandover } from '../../src/terms/handover-value.ts'
import { rotationStart } from '../../src/terms/rotation-times.ts'
import { silenceEpochs } from '../../src/terms/recovery-times.ts'
import { encodeRecoveryValue } from '../../src/terms/recovery-value.ts'
import { successionGround, toSuccession, verifySuccession } from '../../src/terms/succession.ts'
import { signedMapOf } from '../map/many-entries.ts'

/** Writes terms.json: `node generate-terms.ts`. Validators are those of network-file.json, seeds 32 times 1 to 4; members 65 to 76. */
const vectors = <T>(name: string): T => JSON.parse(readFileSync(join(import.meta.dirname, name), 'utf8')) as T
const network = networkOf(parseNetworkFile(JSON.stringify(vectors<{ file: object }>('network-file.json').file)))
const keyOf = (byte: number): SigningKey => new SigningKey(new Uint8Array(32).fill(byte))
const EPOCH = 10
const validators = [1, 2, 3, 4].map(keyOf)
const members = [...validators, ...Array.from({ length: 12 }, (_, at) => keyOf(65 + at))]
const entries = members
  .toSorted((a, b) => compareBytes(a.publicKey, b.publicKey))
  .map(({ publicKey, id }, at) =>
    encodeCertificateBody({
      network: network.id,
      key: publicKey,
      id,
      roles: network.isValidator(id) ? ['storage', 'validator'] : ['storage'],
      addresses: [`/ip4/127.0.0.1/tcp/${21_000 + at}`],
      family: `family-${at}`,
      region: 'eu-central',
      country: 'CH',
      asn: 64_500 + at,
      diversityAddress: `198.51.${at}.1`,
      simulated: true,
      issuedEpoch: 3,
      expiresAt: network.file.createdAt + 86_400_000,
      packets: undefined,
      position: undefined,
      beaconKey: undefined,
      measured: undefined,
      resources: undefined,
    }),
  )
const head = signedMapOf(network, validators.slice(0, 3), entries, EPOCH)
const anchor = decodeMapBody(head.body)
const list = atOnce(mapReader.whole(anchor, entries, undefined))
const electors = drawElectors(anchor, network.term, (position) => list.entries[position] as MapEntry)
const { set } = electors
const value = encodeRecoveryValue({ fromEpoch: EPOCH + silenceEpochs(network.file) + 2, seats: [0, 1, 3, 4, 5, 6] })
const vote = { network: set.networkId, epoch: EPOCH, round: 1, phase: 'precommit' as const, value: sha256(value) }
const payload = encodeVote(vote)
const signatures = new Map(
  electors.members.slice(0, set.quorum).map(({ member }, place) => {
    const key = members.find(({ id }) => id === member.id) as SigningKey
    return [place, key.sign('agreement-vote', payload)]
  }),
)
const succession = toSuccession(successionGround(network.term, head, list, electors), electors, {
  quorum: { vote, payload, signatures },
  value,
})
const term = verifySuccession(network, succession)
// Before the recovery: the fourth validator gives up its seat, and the first of the members gets it.
const ends = networkOf(network.file)
const handover = handoverSet(ends, ends.term)
const heir = list.members.find((member) => !ends.isValidator(member.id))
if (heir === undefined) throw new Error('nobody gets the seat')
const entering = [{ id: heir.id, addresses: heir.addresses, family: heir.family }]
const passed = encodeHandoverValue({ rotates: false, fromEpoch: EPOCH + 2, anchorEpoch: EPOCH, leaving: [3], entering })
const passedVote = { ...vote, network: handover.networkId, epoch: 0, round: 0, value: sha256(passed) }
const passedPayload = encodeVote(passedVote)
const voters = new Map(
  validators.slice(0, 3).map((key, place) => [place, key.sign('agreement-vote', passedPayload)] as const),
)
const { body } = toWire(handover, {
  kind: 'certificate',
  certificate: { quorum: { vote: passedVote, payload: passedPayload, signatures: voters }, value: passed },
})
if (body.case !== 'certificate') throw new Error('there is no decision')
const told = create(SuccessionSchema, { number: 1, decision: body.value })
// In place of both: the first rotation, by a beacon of 32 times the byte 7 and a map in which all ask for a seat, as if the
// network file had this `rotateMs`.
const rotateMs = 86_400_000
const rotating = { file: { ...network.file, rotateMs } }
const rotationEpoch = rotationStart(rotating.file, 1)
const willing = entries.map((entry) =>
  encodeCertificateBody({ ...decodeCertificateBody(entry), roles: ['storage', 'validator'] }),
)
const rotationBody = decodeMapBody(signedMapOf(network, [], willing, rotationEpoch).body)
const rotationMap = atOnce(mapReader.whole(rotationBody, willing, undefined))
const beacon = new Uint8Array(32).fill(7)
const change = rotationDue(ends.term, {
  members: rotationMap.members,
  member: (id) => rotationMap.member(id),
  seed: beacon,
})
if (change === undefined) throw new Error('nobody rotates')
const rotated = { rotates: true, fromEpoch: rotationEpoch + 3, anchorEpoch: rotationEpoch, ...change }
const root = new Uint8Array(32).fill(9)
const positions = Array.from({ length: 1_000 }, (_, position) => position)
const text = JSON.stringify(
  {
    description:
      'The term that begins behind the validators of network-file.json, from a map of epoch 10 with them and twelve members, seeds 32 times the byte 65 to 76, all hex (docs/specs/terms.md).',
    draw: {
      root: toHex(root),
      count: positions.length,
      first: [...drawInTurn(beaconRandom(root, 'recovery'), positions)].slice(0, 20),
    },
    map: toHex(head.body),
    positions: electors.drawn.map(({ position }) => position),
    electors: electors.members.map(({ member }) => member.id),
    quorum: set.quorum,
    context: set.networkId,
    value: toHex(value),
    precommit: toHex(payload),
    succession: toHex(encodeMessage(SuccessionSchema, succession)),
    term,
    handover: {
      context: handover.networkId,
      value: toHex(passed),
      precommit: toHex(passedPayload),
      succession: toHex(encodeMessage(SuccessionSchema, told)),
      term: verifySuccession(ends, told),
    },
    rotation: {
      beacon: toHex(beacon),
      rotateMs,
      epoch: rotationEpoch,
      entries: willing.map(toHex),
      leaving: change.leaving,
      entering: change.entering.map(({ id }) => id),
      value: toHex(encodeHandoverValue(rotated)),
      term: termAfterHandover(rotating, ends.term, rotated),
    },
  },
  null,
  2,
)
writeFileSync(join(import.meta.dirname, 'terms.json'), `${text}\n`)
