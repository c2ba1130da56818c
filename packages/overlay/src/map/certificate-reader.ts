import { type Logger, type Random, equalBytes, messageOf, shuffled, toHex } from '@weft/core'
import { type DidKey, fromDidKey, shortId, toDidKey } from '@weft/crypto'
import type { Certificate } from '@weft/wire'
import { type VerifiedCertificate, verifyCertificate } from '../admission/certificate.ts'
import type { CertificatePool } from '../admission/certificate-pool.ts'
import type { Member, Membership } from '../member.ts'
import type { Network } from '../network/network.ts'
import type { CertificateVote } from '../overlay.ts'
import type { Rpc } from '../rpc.ts'
import { type Sliced, inSlices } from './in-slices.ts'

export interface CertificateReaderInit {
  readonly network: Network
  readonly membership: Membership
  readonly rpc: Pick<Rpc, 'call'>
  readonly connected: () => readonly DidKey[]
  /** A validator's own. */
  readonly pool: () => CertificatePool | undefined
  readonly random: Random
  readonly logger: Logger
}

/** Keys in one question (weft.v1.CertificatesRequest). */
export const MAX_CERTIFICATES_ASKED = 64
const NEVER = new AbortController().signal

/** Fetches the votes behind the entries of the map, when somebody wants to see them; the map itself needs none. */
export class CertificateReader {
  readonly #init: CertificateReaderInit
  /** By the hash of the certificate; only those of the current map are kept. */
  #known = new Map<string, readonly CertificateVote[]>()

  constructor(init: CertificateReaderInit) {
    this.#init = init
  }

  /** The votes of those of `ids` that are in the map and whose certificate some validator gave. */
  async votes(ids: readonly DidKey[], signal?: AbortSignal): Promise<ReadonlyMap<DidKey, readonly CertificateVote[]>> {
    this.#forgetOld()
    const members = ids.flatMap((id) => this.#init.membership.member(id) ?? [])
    for (const member of members) {
      const own = this.#init.pool()?.get(member.id)
      if (own !== undefined) this.#take(member, own)
    }
    let lacking = members.filter((member) => !this.#known.has(toHex(member.certificateHash)))
    for (const validator of lacking.length === 0 ? [] : this.#validators()) {
      for (let at = 0; at < lacking.length; at += MAX_CERTIFICATES_ASKED) {
        if (signal?.aborted === true) break
        await this.#ask(validator, lacking.slice(at, at + MAX_CERTIFICATES_ASKED), signal)
      }
      lacking = lacking.filter((member) => !this.#known.has(toHex(member.certificateHash)))
      if (lacking.length === 0) break
    }
    return new Map(
      members.flatMap((member) => {
        const votes = this.#known.get(toHex(member.certificateHash))
        return votes === undefined ? [] : [[member.id, votes] as const]
      }),
    )
  }

  async #ask(validator: DidKey, members: readonly Member[], signal: AbortSignal | undefined): Promise<void> {
    const { rpc, logger } = this.#init
    const byKey = new Map(members.map((member) => [member.id, member]))
    try {
      const request = { members: members.map(({ id }) => fromDidKey(id)) }
      const { certificates } = await rpc.call(
        validator,
        'map.certificates',
        request,
        signal === undefined ? {} : { signal },
      )
      await inSlices(this.#takeAll(certificates.slice(0, members.length), byKey), signal ?? NEVER)
    } catch (error) {
      logger.debug('no certificates from this validator', { validator: shortId(validator), error: messageOf(error) })
    }
  }

  /** One certificate of many validators takes milliseconds: others have the thread after each. @throws WeftError of `verifyCertificate` */
  *#takeAll(certificates: readonly Certificate[], byKey: ReadonlyMap<DidKey, Member>): Sliced<void> {
    for (const certificate of certificates) {
      const verified = verifyCertificate(this.#init.network, certificate)
      const member = byKey.get(verified.body.id)
      if (member !== undefined) this.#take(member, verified)
      yield
    }
  }

  #take(member: Member, { hash, votes }: VerifiedCertificate): void {
    if (!equalBytes(hash, member.certificateHash)) return
    this.#known.set(
      toHex(hash),
      votes.map(({ signer, signature }) => ({ validator: toDidKey(signer), signature })),
    )
  }

  #forgetOld(): void {
    const current = new Set(this.#init.membership.members().map(({ certificateHash }) => toHex(certificateHash)))
    this.#known = new Map([...this.#known].filter(([hash]) => current.has(hash)))
  }

  #validators(): DidKey[] {
    return shuffled(
      this.#init.random,
      this.#init.connected().filter((id) => this.#init.membership.isValidator(id)),
    )
  }
}
