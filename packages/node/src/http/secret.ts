import { systemRandom, toBase64Url, utf8 } from '@weft/core'
import { sha256 } from '@weft/crypto'

/** 256 random bits as 43 characters: nothing to guess, so that a plain hash is enough to keep it by. */
export function newSecret(): string {
  return toBase64Url(systemRandom.bytes(32))
}

/** The form of a secret that is stored and looked up: SHA-256 as base64url. The lookup learns nothing from its timing. */
export function secretHash(secret: string): string {
  return toBase64Url(sha256(utf8(secret)))
}
