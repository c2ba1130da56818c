import { WeftError, compareBytes, equalBytes } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import type { Certificate } from '@weft/wire'
import { type VerifiedCertificate, verifyCertificate } from '../admission/certificate.ts'
import { type CertificateBody, decodeCertificateBody } from '../admission/certificate-body.ts'
import { epochAt, epochStart } from '../network/epoch.ts'
import type { Network } from '../network/network.ts'
import type { MapBody } from './map-body.ts'
import { mapRoot } from './map-entries.ts'

/** The certificate behind one entry of a proposal: known already, or as the leader sent it. */
export type ProposedCertificate = Pick<Certificate, 'body' | 'votes'> | VerifiedCertificate

/** What a validator knows while it judges a proposed map. */
export interface ProposalCase {
  readonly network: Network
  /** The id that the secure channel of the proposal proved. */
  readonly leader: DidKey
  readonly body: MapBody
  /** In the order of the entries. */
  readonly certificates: readonly ProposedCertificate[]
  /** The bodies of these, parsed. */
  readonly entries: readonly { readonly body: CertificateBody; readonly bytes: Uint8Array }[]
  /** The newest certificate that this validator knows of a key. */
  readonly known: (id: DidKey) => VerifiedCertificate | undefined
  /** ms since the Unix epoch */
  readonly now: number
}

/** One condition under which a validator signs a map. That it signs at most one body an epoch is the signer's own matter. */
export interface ProposalCheck {
  readonly name: string
  /** @throws WeftError E_MAP_PROPOSAL and others */
  run(proposal: ProposalCase): void
}

/** The validator whose turn an epoch is. */
export function leaderOf(network: Network, epoch: number): DidKey | undefined {
  return network.validators[epoch % network.validators.length]?.id
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
  run(proposal) {
    if (proposal.body.network !== proposal.network.id) throw refuse(`it is of the network ${proposal.body.network}`)
  },
}

const leader: ProposalCheck = {
  name: 'leader',
  run(proposal) {
    const expected = leaderOf(proposal.network, proposal.body.epoch)
    if (proposal.leader !== expected) {
      throw refuse(
        `epoch ${proposal.body.epoch} is the turn of ${shortId(expected ?? '')}, and ${shortId(proposal.leader)} proposed it`,
      )
    }
  },
}

const epoch: ProposalCheck = {
  name: 'epoch',
  run({ network: { file }, body, now }) {
    const first = epochAt(file, now - file.clockToleranceMs)
    const last = epochAt(file, now + file.clockToleranceMs)
    if (body.epoch < first - 1 || body.epoch > last + 1) {
      throw refuse(
        `it is of epoch ${body.epoch}, and now it is epoch ${epochAt(file, now)} by the clock of this validator`,
      )
    }
    const skew = Math.abs(body.signedAt - now)
    const inEpoch = body.signedAt >= epochStart(file, body.epoch) - file.clockToleranceMs
    if (skew > file.mapEpochMs + file.clockToleranceMs || !inEpoch) {
      throw refuse(`its time ${body.signedAt} is ${skew} ms from that of this validator`)
    }
  },
}

const certificateQuorum: ProposalCheck = {
  name: 'certificate-quorum',
  run(proposal) {
    for (const certificate of proposal.certificates) {
      if (!('bodyBytes' in certificate)) verifyCertificate(proposal.network, certificate)
    }
  },
}

const certificateOrder: ProposalCheck = {
  name: 'certificate-order',
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
  run({ entries, body: map }) {
    const expired = entries.find(({ body }) => body.expiresAt <= map.signedAt)
    if (expired !== undefined) throw refuse(`the certificate of ${shortId(expired.body.id)} has expired`)
  },
}

/**
 * A renewal reaches the validators at different moments: the older certificate is tolerated for one epoch, so that a
 * renewal under way does not cost everybody the map.
 */
const newest: ProposalCheck = {
  name: 'newest',
  run({ entries, body: map, known }) {
    for (const { body } of entries) {
      const newer = known(body.id)
      if (newer !== undefined && newer.body.issuedEpoch > body.issuedEpoch && newer.body.issuedEpoch + 1 < map.epoch) {
        throw refuse(
          `it holds the certificate of ${shortId(body.id)} of epoch ${body.issuedEpoch}, and there is one of epoch ${newer.body.issuedEpoch}`,
        )
      }
    }
  },
}

const root: ProposalCheck = {
  name: 'root',
  run({ entries, body }) {
    if (entries.length !== body.count) throw refuse(`it counts ${body.count} entries and lists ${entries.length}`)
    if (!equalBytes(mapRoot(entries.map(({ bytes }) => bytes)), body.root))
      throw refuse('its root is not that of its entries')
  },
}

export const PROPOSAL_CHECKS: readonly ProposalCheck[] = [
  network,
  leader,
  epoch,
  certificateQuorum,
  certificateOrder,
  expiry,
  newest,
  root,
]

function refuse(why: string): WeftError {
  return new WeftError({
    code: 'E_MAP_PROPOSAL',
    cause: `The proposed map is not signed: ${why}.`,
    fix: 'The epoch is skipped and the next leader proposes; if it goes on, compare the versions and clocks of the validators.',
  })
}
