import { WeftError, equalBytes } from '@weft/core'
import { sha256, verifySignature } from '@weft/crypto'
import { MAX_RECORD_VALUE, type MessageInitShape, type Record as RecordMessage, RecordSchema, create } from '@weft/wire'
import { encodeCanonical } from '../codec/canonical-cbor.ts'
import { immutableKey, mutableKey } from './record-key.ts'
import type { MutableRecordInit, RecordKey } from './record-store.ts'

/** Longest salt of a mutable record, bytes. */
const MAX_RECORD_SALT = 64
/** Furthest that a record may expire, ms from now: a little over the year that leases may last. */
const MAX_RECORD_LIFETIME = 400 * 24 * 60 * 60 * 1000

/** A record whose key, sizes and signature were checked. Whether it has expired is for the reader to ask. */
export interface VerifiedRecord {
  readonly kind: 'immutable' | 'mutable'
  readonly key: RecordKey
  /** 0 for immutable records. */
  readonly sequence: number
  /** ms since the epoch. */
  readonly expiresAt: number
  readonly value: Uint8Array
  /** SHA-256 of the value; tells forks apart. */
  readonly valueHash: Uint8Array
  readonly message: RecordMessage
}

/**
 * Checks everything about a record that arrived but its expiry.
 * @throws WeftError E_RECORD_INVALID, E_RECORD_TOO_LARGE, E_SIGNATURE_INVALID
 */
export function verifyRecord(message: RecordMessage | undefined): VerifiedRecord {
  switch (message?.kind.case) {
    case 'immutable': {
      const { value, expiresAt } = message.kind.value
      checkSize(value)
      return {
        kind: 'immutable',
        key: immutableKey(value),
        sequence: 0,
        expiresAt: safeInteger('expires_at', expiresAt),
        value,
        valueHash: sha256(value),
        message,
      }
    }
    case 'mutable': {
      const { owner, salt, sequence, expiresAt, value, signature } = message.kind.value
      checkSize(value)
      checkSalt(salt)
      if (owner.length !== 32) throw invalid(`its owner has ${owner.length} bytes in place of 32`)
      const valueHash = sha256(value)
      const record: VerifiedRecord = {
        kind: 'mutable',
        key: mutableKey(owner, salt),
        sequence: safeInteger('sequence', sequence),
        expiresAt: safeInteger('expires_at', expiresAt),
        value,
        valueHash,
        message,
      }
      if (!verifySignature('record', statement(salt, record.sequence, record.expiresAt, valueHash), signature, owner)) {
        throw new WeftError({
          code: 'E_SIGNATURE_INVALID',
          cause: 'The record is not signed by its owner.',
          fix: 'Only the owner of a record may write it; check that the key file is intact.',
        })
      }
      return record
    }
    case undefined:
      throw invalid('it is empty')
  }
}

/** Whether two messages are the same in every field, so that what was found out about one holds for the other. */
export function isSameRecord(a: RecordMessage, b: RecordMessage): boolean {
  if (a.kind.case === 'mutable' && b.kind.case === 'mutable') {
    const [x, y] = [a.kind.value, b.kind.value]
    return (
      x.sequence === y.sequence &&
      x.expiresAt === y.expiresAt &&
      equalBytes(x.signature, y.signature) &&
      equalBytes(x.owner, y.owner) &&
      equalBytes(x.salt, y.salt) &&
      sameValue(x.value, y.value)
    )
  }
  if (a.kind.case === 'immutable' && b.kind.case === 'immutable') {
    return a.kind.value.expiresAt === b.kind.value.expiresAt && sameValue(a.kind.value.value, b.kind.value.value)
  }
  return false
}

/** Values are long enough for the loop in JavaScript to show in a profile. */
function sameValue(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

/** @throws WeftError E_RECORD_TOO_LARGE */
export function makeImmutable(value: Uint8Array, expiresAt: number): VerifiedRecord {
  checkSize(value)
  const message = create(RecordSchema, {
    kind: { case: 'immutable', value: { value, expiresAt: BigInt(expiresAt) } },
  })
  return {
    kind: 'immutable',
    key: immutableKey(value),
    sequence: 0,
    expiresAt,
    value,
    valueHash: sha256(value),
    message,
  }
}

/** Signs a mutable record. @throws WeftError E_RECORD_TOO_LARGE, E_RECORD_INVALID */
export function makeMutable(init: MutableRecordInit): VerifiedRecord {
  const { owner, salt, sequence, expiresAt, value } = init
  checkSize(value)
  checkSalt(salt)
  if (!Number.isSafeInteger(sequence) || sequence < 0)
    throw invalid(`its sequence ${sequence} is not a whole number from 0 on`)
  const valueHash = sha256(value)
  const fields: MessageInitShape<typeof RecordSchema> = {
    kind: {
      case: 'mutable',
      value: {
        owner: owner.publicKey,
        salt,
        sequence: BigInt(sequence),
        expiresAt: BigInt(expiresAt),
        value,
        signature: owner.sign('record', statement(salt, sequence, expiresAt, valueHash)),
      },
    },
  }
  const key = mutableKey(owner.publicKey, salt)
  return { kind: 'mutable', key, sequence, expiresAt, value, valueHash, message: create(RecordSchema, fields) }
}

/** What of a record decides whether another replaces it. */
export type RecordVersion = Pick<VerifiedRecord, 'sequence' | 'expiresAt' | 'valueHash'>

/**
 * How `a` stands to `b` of the same key. `longer`: the same sequence and value with a later expiry, which replaces;
 * `same`: nothing to write; `fork`: the same sequence with another value, which never replaces.
 */
export function compareVersions(a: RecordVersion, b: RecordVersion): 'newer' | 'longer' | 'same' | 'older' | 'fork' {
  if (a.sequence !== b.sequence) return a.sequence > b.sequence ? 'newer' : 'older'
  if (!equalBytes(a.valueHash, b.valueHash)) return 'fork'
  return a.expiresAt > b.expiresAt ? 'longer' : 'same'
}

/** @param most how far ahead it may be, ms. @throws WeftError E_RECORD_INVALID, E_RECORD_EXPIRED, E_RECORD_LIFETIME */
export function checkExpiry(expiresAt: number, now: number, most = MAX_RECORD_LIFETIME): void {
  if (!Number.isSafeInteger(expiresAt)) throw invalid(`its expiry ${expiresAt} is not a whole number of ms`)
  if (expiresAt <= now) {
    throw new WeftError({
      code: 'E_RECORD_EXPIRED',
      cause: `The record expired ${now - expiresAt} ms ago.`,
      fix: 'Give it a later expiry; if it should be valid, see that the clocks of both machines are right.',
    })
  }
  if (expiresAt > now + most) {
    throw new WeftError({
      code: 'E_RECORD_LIFETIME',
      cause: `The record expires in ${expiresAt - now} ms; at most ${most} are held for this caller.`,
      fix: 'Give it an earlier expiry and renew it later; see that the clocks of both machines are right.',
    })
  }
}

function statement(salt: Uint8Array, sequence: number, expiresAt: number, valueHash: Uint8Array): Uint8Array {
  return encodeCanonical([salt, sequence, expiresAt, valueHash])
}

function checkSize(value: Uint8Array): void {
  if (value.length <= MAX_RECORD_VALUE) return
  throw new WeftError({
    code: 'E_RECORD_TOO_LARGE',
    cause: `The value has ${value.length} bytes; a record holds at most ${MAX_RECORD_VALUE}.`,
    fix: 'Put larger values as objects (`weft put`) and keep their reference in the record.',
  })
}

function checkSalt(salt: Uint8Array): void {
  if (salt.length > MAX_RECORD_SALT) throw invalid(`its salt has ${salt.length} bytes; the limit is ${MAX_RECORD_SALT}`)
}

function safeInteger(name: string, value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid(`its ${name} ${value} is above 2^53 - 1`)
  return Number(value)
}

function invalid(why: string): WeftError {
  return new WeftError({
    code: 'E_RECORD_INVALID',
    cause: `The record cannot be used: ${why}.`,
    fix: 'The writer has to follow docs/specs/records.md; update the older of the two sides.',
  })
}
