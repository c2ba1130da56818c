import { toBase32, utf8 } from '@weft/core'
import { type SigningKey, sha256 } from '@weft/crypto'

/**
 * The family of an operator who named none: a pseudonym of the person's key, so that two daemons with the same
 * person are one family, and nobody learns the person's id from it.
 */
export function defaultFamily(person: SigningKey): string {
  return `p${toBase32(sha256(utf8('weft:family:v1\0'), person.publicKey)).slice(0, 20)}`
}
