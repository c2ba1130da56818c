import { hash } from 'node:crypto'
import { concatBytes } from '@weft/core'

/** Findings that are kept by default; the oldest goes first. About 150 bytes each. */
const MAX_FINDINGS = 4_096

/**
 * Signatures that were found valid lately. One message is looked at more than once: a signed map when gossip brings it,
 * when it is compared with the one that is held and when it is adopted, a certificate in each map. A finding is kept
 * under SHA-256 of all that it depends on, so that only the very same key, signature and bytes are believed without
 * being verified again. Only what is valid is kept: bad signatures push nothing out and are refused each time anew.
 */
export class VerifiedSignatures {
  readonly #findings = new Set<string>()
  #most = MAX_FINDINGS

  get size(): number {
    return this.#findings.size
  }

  /** The name of a finding. The key has 32 bytes and the signature 64, so that nothing else gives the same bytes. */
  static nameOf(publicKey: Uint8Array, signature: Uint8Array, bytes: Uint8Array): string {
    return hash('sha256', concatBytes([publicKey, signature, bytes]), 'base64')
  }

  has(name: string): boolean {
    return this.#findings.has(name)
  }

  /** Keeps so many from now on; never fewer than before. */
  keep(most: number): void {
    this.#most = Math.max(this.#most, most)
  }

  add(name: string): void {
    this.#findings.add(name)
    if (this.#findings.size <= this.#most) return
    const [oldest] = this.#findings
    if (oldest !== undefined) this.#findings.delete(oldest)
  }
}
