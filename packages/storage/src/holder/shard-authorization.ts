import { WeftError, concatBytes, utf8 } from '@weft/core'
import { type DidKey, type SigningKey, fromDidKey, verifySignature } from '@weft/crypto'
import { cborUnsigned } from './cbor-unsigned.ts'

/** The owner's word that a node may put shards of the object. One signature serves every shard and holder. */
export interface PutAuthorization {
  /** 32 bytes. */
  readonly object: Uint8Array
  /** The node that puts, as its connection proves. */
  readonly peer: DidKey
  /** 64 bytes, purpose `object`. */
  readonly signature: Uint8Array
}

/** The owner's word that the object is whole: its shards live until `expiresAt`. One signature serves every holder. */
export interface CommitAuthorization {
  /** 32 bytes. */
  readonly object: Uint8Array
  /** ms since the epoch. */
  readonly expiresAt: number
  /** 64 bytes, purpose `object`. */
  readonly signature: Uint8Array
}

/** The owner's word that holders may drop all shards of the object. */
export interface ReleaseAuthorization {
  /** 32 bytes. */
  readonly object: Uint8Array
  /** 64 bytes, purpose `shard-release`. */
  readonly signature: Uint8Array
}

/** The owner's word that the object is removed for good. One signature serves every holder. */
export interface RemoveAuthorization {
  /** 32 bytes. */
  readonly object: Uint8Array
  /** ms since the epoch: the latest expiry that any shard of it had. */
  readonly expiresAt: number
  /** 64 bytes, purpose `object`. */
  readonly signature: Uint8Array
}

/** @param object the object's own key. @param peer the node that will put, to which the word is bound. */
export function authorizePut(object: SigningKey, peer: DidKey): PutAuthorization {
  const { publicKey } = object
  return { object: publicKey, peer, signature: object.sign('object', putStatement(publicKey, peer)) }
}

/** @param object the object's own key. @param expiresAt ms since the epoch, a safe integer. */
export function authorizeCommit(object: SigningKey, expiresAt: number): CommitAuthorization {
  const { publicKey } = object
  return { object: publicKey, expiresAt, signature: object.sign('object', commitStatement(publicKey, expiresAt)) }
}

export function authorizeRelease(object: SigningKey): ReleaseAuthorization {
  const { publicKey } = object
  return { object: publicKey, signature: object.sign('shard-release', releaseStatement(publicKey)) }
}

/** @param object the object's own key. @param expiresAt ms since the epoch, a safe integer. */
export function authorizeRemove(object: SigningKey, expiresAt: number): RemoveAuthorization {
  const { publicKey } = object
  return { object: publicKey, expiresAt, signature: object.sign('object', removeStatement(publicKey, expiresAt)) }
}

/** @throws WeftError E_SIGNATURE_INVALID */
export function verifyPut({ object, peer, signature }: PutAuthorization): void {
  if (!verifySignature('object', putStatement(object, peer), signature, object)) throw notTheOwner('put')
}

/** @throws WeftError E_SIGNATURE_INVALID */
export function verifyCommit({ object, expiresAt, signature }: CommitAuthorization): void {
  if (!verifySignature('object', commitStatement(object, expiresAt), signature, object)) throw notTheOwner('commit')
}

/** @throws WeftError E_SIGNATURE_INVALID */
export function verifyRelease({ object, signature }: ReleaseAuthorization): void {
  if (!verifySignature('shard-release', releaseStatement(object), signature, object)) throw notTheOwner('release')
}

/** @throws WeftError E_SIGNATURE_INVALID */
export function verifyRemove({ object, expiresAt, signature }: RemoveAuthorization): void {
  if (!verifySignature('object', removeStatement(object, expiresAt), signature, object)) throw notTheOwner('removal')
}

// The signed statements are dag-cbor (RFC 8949, section 4.2.1: shortest forms) of fixed shape and are never parsed:
// both sides build them from the fields. Arrays start with 0x80 | length, texts with 0x60 | length, 32 bytes with 58 20.

/** dag-cbor ["put", object, public key of the peer] */
function putStatement(object: Uint8Array, peer: DidKey): Uint8Array {
  const bytes32 = Uint8Array.of(0x58, 0x20)
  return concatBytes([Uint8Array.of(0x83, 0x63), utf8('put'), bytes32, object, bytes32, fromDidKey(peer)])
}

/** dag-cbor ["commit", object, expiresAt] */
function commitStatement(object: Uint8Array, expiresAt: number): Uint8Array {
  return timedStatement('commit', object, expiresAt)
}

/** dag-cbor ["remove", object, expiresAt] */
function removeStatement(object: Uint8Array, expiresAt: number): Uint8Array {
  return timedStatement('remove', object, expiresAt)
}

/** @param what six letters. */
function timedStatement(what: 'commit' | 'remove', object: Uint8Array, expiresAt: number): Uint8Array {
  return concatBytes([
    Uint8Array.of(0x83, 0x66),
    utf8(what),
    Uint8Array.of(0x58, 0x20),
    object,
    cborUnsigned(expiresAt),
  ])
}

/** dag-cbor ["release", object] */
function releaseStatement(object: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.of(0x82, 0x67), utf8('release'), Uint8Array.of(0x58, 0x20), object])
}

function notTheOwner(what: string): WeftError {
  return new WeftError({
    code: 'E_SIGNATURE_INVALID',
    cause: `The ${what} is not signed by the object's key.`,
    fix: 'Only the owner of an object may do this; use the state directory that put the object.',
  })
}
