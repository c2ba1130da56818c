import { WeftError, compareBytes, equalBytes } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import type { Certificate } from '@weft/wire'
import { type VerifiedCertificate, verifyCertificate } from '../admission/certificate.ts'
import { type CertificateBody, decodeCertificateBody } from '../admission/certificate-body.ts'
import { MAX_WIRE_CERTIFICATE } from '../admission/certificate-pool.ts'
import { epochAt, epochStart } from '../network/epoch.ts'
import type { Network } from '../network/network.ts'
import type { MapBody } from './map-body.ts'
import { mapRoot } from './map-entries.ts'

/** The certificate behind one entry of a proposal: known already, or as the leader sent it. */
export type ProposedCertificate = Pick<Certificate, 'body' | 'votes'> | VerifiedCertificate

/** What a validator knows of a proposed map before it looks at a single certificate. */
interface ProposalHead {
  readonly network: Network
  /** The id that the secure channel of the proposal proved. */
  readonly leader: DidKey
  /** Rounds of the agreement whose proposers are heard now. */
  readonly rounds: readonly number[]
  readonly body: MapBody
  /** Hashes of certificates that the proposal lists, one for each entry. */
  readonly hashes: readonly Uint8Array[]
  /** Certificates that the message brings along. */
  readonly brought: number
  /** ms since the Unix epoch */
  readonly now: number
}

/** What a validator knows while it judges a proposed map. */
export interface ProposalCase extends ProposalHead {
  /** In the order of the entries. */
  readonly certificates: readonly ProposedCertificate[]
  /** The bodies of these, parsed. */
  readonly entries: readonly { readonly body: CertificateBody; readonly bytes: Uint8Array }[]
  /** The newest certificate that this validator knows of a key. */
  readonly known: (id: DidKey) => VerifiedCertificate | undefined
  /** Whether validators have decided that a certificate counts no more. */
  readonly isRevoked: (certificate: CertificateBody) => boolean
  /** The map epoch since which it knows that one. */
  readonly learntEpoch: (id: DidKey) => number | undefined
  /** All certificates that it knows and that are valid at the time of the map. */
  readonly valid: () => readonly VerifiedCertificate[]
  /** Whether it looked for a node in vain lately, or the node said that it leaves. */
  readonly isDoubted: (id: DidKey) => boolean
}

/**
 * One condition under which a validator votes for a map. Those of the head cost nothing and come first, so that a message
 * of somebody whose turn it is not is never searched. `run` throws WeftError E_MAP_PROPOSAL and others.
 */
export type ProposalCheck =
  | { readonly name: string; readonly of: 'head'; run(proposal: ProposalHead): void }
  | { readonly name: string; readonly of: 'entries'; run(proposal: ProposalCase): void }

/** Certificates that one proposal may bring: with the hashes of 10,000 members still within its limit of 4 MiB. */
export const CERTIFICATES_AT_ONCE = Math.floor((2.5 * 1024 * 1024) / MAX_WIRE_CERTIFICATE)
/** The clocks of validators may differ by this part of an epoch at most: who signs early cannot sign the epoch before. */
const EARLIEST = 1 / 4
/** SHA-256 */
const HASH_LENGTH = 32

/** The validator whose turn a round of an epoch is. */
export function leaderOf(network: Network, epoch: number, round = 0): DidKey | undefined {
  const { validators } = network.termAt(epoch)
  return validators[(epoch + round) % validators.length]?.id
}

/** The bodies behind the certificates of a proposal. @throws WeftError E_CERTIFICATE_MALFORMED */
export function entriesOf(certificates: readonly ProposedCertificate[]): ProposalCase['entries'] {
  return certificates.map((certificate) =>
    'bodyBytes' in certificate
      ? { body: certificate.body, bytes: certificate.bodyBytes }
      : { body: decodeCertificateBody(certificate.body), bytes: certificate.body },
  )
}

const network: ProposalCheck = {
  name: 'network',
  of: 'head',
  run(proposal) {
    if (proposal.body.network !== proposal.network.id) throw refuse(`it is of the network ${proposal.body.network}`)
  },
}

const leader: ProposalCheck = {
  name: 'leader',
  of: 'head',
  run(proposal) {
    const { network: of, body, rounds } = proposal
    if (rounds.some((round) => leaderOf(of, body.epoch, round) === proposal.leader)) return
    throw refuse(
      `in epoch ${body.epoch} it is not the turn of ${shortId(proposal.leader)} in round ${rounds.join(' or ')}`,
    )
  },
}

const epoch: ProposalCheck = {
  name: 'epoch',
  of: 'head',
  run({ network: { file }, body, now }) {
    const tolerance = Math.min(file.clockToleranceMs, file.mapEpochMs * EARLIEST)
    const first = epochAt(file, now - tolerance)
    const last = epochAt(file, now + tolerance)
    if (body.epoch < first - 1 || body.epoch > last) {
      throw refuse(
        `it is of epoch ${body.epoch}, and now it is epoch ${epochAt(file, now)} by the clock of this validator`,
      )
    }
    const skew = Math.abs(body.signedAt - now)
    const inEpoch = body.signedAt >= epochStart(file, body.epoch) - tolerance
    if (skew > file.mapEpochMs + tolerance || !inEpoch) {
      throw refuse(`its time ${body.signedAt} is ${skew} ms from that of this validator`)
    }
  },
}

const size: ProposalCheck = {
  name: 'size',
  of: 'head',
  run({ body, hashes, brought }) {
    if (hashes.length !== body.count) throw refuse(`it counts ${body.count} entries and lists ${hashes.length}`)
    if (hashes.some(({ length }) => length !== HASH_LENGTH)) throw refuse('it lists what is no hash of a certificate')
    if (brought > CERTIFICATES_AT_ONCE) {
      throw refuse(`it brings ${brought} certificates at once; the limit is ${CERTIFICATES_AT_ONCE}`)
    }
  },
}

const certificateQuorum: ProposalCheck = {
  name: 'certificate-quorum',
  of: 'entries',
  run(proposal) {
    for (const certificate of proposal.certificates) {
      if (!('bodyBytes' in certificate)) verifyCertificate(proposal.network, certificate)
    }
  },
}

const certificateOrder: ProposalCheck = {
  name: 'certificate-order',
  of: 'entries',
  run({ entries }) {
    for (let at = 1; at < entries.length; at++) {
      const [before, after] = [entries[at - 1]?.body.key, entries[at]?.body.key]
      if (before === undefined || after === undefined || compareBytes(before, after) >= 0) {
        throw refuse('its entries are not sorted by public key, or name a key twice')
      }
    }
  },
}

const expiry: ProposalCheck = {
  name: 'expiry',
  of: 'entries',
  run({ entries, body: map }) {
    const expired = entries.find(({ body }) => body.expiresAt <= map.signedAt)
    if (expired !== undefined) throw refuse(`the certificate of ${shortId(expired.body.id)} has expired`)
  },
}

/** A leader that was away when a node was ejected learns of it from the others and leaves it out the next time. */
const revoked: ProposalCheck = {
  name: 'revoked',
  of: 'entries',
  run({ entries, isRevoked }) {
    const ejected = entries.find(({ body }) => isRevoked(body))
    if (ejected !== undefined) throw refuse(`validators have ejected ${shortId(ejected.body.id)}`)
  },
}

/**
 * Of each key the newest certificate. An older one is tolerated until this validator has known the newer for a whole
 * rotation of leaders: it had the first turn of an epoch once itself then, and its proposal brought the newer one to everybody. How long ago
 * that was issued must not matter: whoever keeps certificates of its own back and shows them to some validators just
 * before each epoch would have these refuse every leader.
 */
const newest: ProposalCheck = {
  name: 'newest',
  of: 'entries',
  run({ network: { validators }, entries, body: map, known, learntEpoch }) {
    for (const { body } of entries) {
      const newer = known(body.id)
      if (newer === undefined || newer.body.issuedEpoch <= body.issuedEpoch) continue
      const since = learntEpoch(body.id) ?? map.epoch
      if (since + validators.length < map.epoch) {
        throw refuse(
          `it holds the certificate of ${shortId(body.id)} of epoch ${body.issuedEpoch}, and since epoch ${since} there is one of epoch ${newer.body.issuedEpoch}`,
        )
      }
    }
  },
}

/**
 * Nobody is left out whom this validator reaches, once it has known the certificate for a whole rotation of leaders: else
 * one that proposes could keep members out at its turns.
 */
const complete: ProposalCheck = {
  name: 'complete',
  of: 'entries',
  run({ network: { validators }, entries, body: map, valid, learntEpoch, isDoubted }) {
    const listed = new Set(entries.map(({ body }) => body.id))
    const lacking = valid().find(({ body: { id } }) => {
      const since = learntEpoch(id) ?? map.epoch
      return since + validators.length < map.epoch && !listed.has(id) && !isDoubted(id)
    })
    if (lacking !== undefined) throw refuse(`it leaves out ${shortId(lacking.body.id)}, which can be reached`)
  },
}

const root: ProposalCheck = {
  name: 'root',
  of: 'entries',
  run({ entries, body }) {
    if (!equalBytes(mapRoot(entries.map(({ bytes }) => bytes)), body.root))
      throw refuse('its root is not that of its entries')
  },
}

const placed: ProposalCheck = {
  name: 'placed',
  of: 'entries',
  run({ entries, body: map }) {
    const count = entries.filter(({ body }) => body.position !== undefined).length
    if (count !== map.placed) throw refuse(`it counts ${map.placed} positions, and ${count} of its entries have one`)
  },
}

export const PROPOSAL_CHECKS: readonly ProposalCheck[] = [
  network,
  leader,
  epoch,
  size,
  certificateQuorum,
  certificateOrder,
  expiry,
  revoked,
  newest,
  complete,
  root,
  placed,
]

function refuse(why: string): WeftError {
  return new WeftError({
    code: 'E_MAP_PROPOSAL',
    cause: `The proposed map is not taken: ${why}.`,
    fix: 'Another validator proposes in the next round; if it goes on, compare the versions and clocks of the validators.',
  })
}
