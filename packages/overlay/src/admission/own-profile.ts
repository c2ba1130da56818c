import { Emitter, equalBytes } from '@weft/core'
import { type AdmissionProfile, type ProfileInit, admissionProfile } from './admission-profile.ts'
import { encodeCertificateBody } from './certificate-body.ts'

/** What this node wants certified of itself; where it is reached may be known later, and may change. */
export class OwnProfile {
  readonly #init: Omit<ProfileInit, 'addresses' | 'seenAt'>
  readonly #events = new Emitter<{ change: undefined }>()
  #current: AdmissionProfile | undefined

  constructor(init: Omit<ProfileInit, 'addresses' | 'seenAt'>) {
    this.#init = init
  }

  /** Undefined until it is known where the node is reached. */
  get current(): AdmissionProfile | undefined {
    return this.#current
  }

  /**
   * Says where the node is reached; undefined for nowhere.
   * @throws WeftError E_ANNOUNCE_NEEDED, E_NOT_IN_SIMULATION, E_CERTIFICATE_MALFORMED
   */
  reachedAt(place: Pick<ProfileInit, 'addresses' | 'seenAt'> | undefined): void {
    const next = place === undefined ? undefined : admissionProfile({ ...this.#init, ...place })
    const same = next === undefined ? this.#current === undefined : isSame(next, this.#current)
    if (same) return
    this.#current = next
    this.#events.emit('change', undefined)
  }

  /** Returns the unsubscribe function. */
  onChange(listener: () => void): () => void {
    return this.#events.on('change', listener)
  }
}

function isSame(a: AdmissionProfile, b: AdmissionProfile | undefined): boolean {
  return b !== undefined && equalBytes(bytesOf(a), bytesOf(b))
}

function bytesOf(profile: AdmissionProfile): Uint8Array {
  return encodeCertificateBody({ ...profile, issuedEpoch: 0, expiresAt: 0 })
}
