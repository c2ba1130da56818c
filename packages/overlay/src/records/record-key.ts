import { utf8 } from '@weft/core'
import { sha256 } from '@weft/crypto'
import type { RecordKey } from './record-store.ts'

const IMMUTABLE = utf8('weft:record:immutable:v1\0')
const MUTABLE = utf8('weft:record:mutable:v1\0')

/** The key of an immutable record: whoever has the value can compute it, and nobody can put another value under it. */
export function immutableKey(value: Uint8Array): RecordKey {
  return sha256(IMMUTABLE, value)
}

/** The key of a mutable record. @param owner 32 bytes, so that owner and salt cannot run into each other. */
export function mutableKey(owner: Uint8Array, salt: Uint8Array): RecordKey {
  return sha256(MUTABLE, owner, salt)
}
