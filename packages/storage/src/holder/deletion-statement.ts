import { WeftError, concatBytes, utf8 } from '@weft/core'
import { type DidKey, type SigningKey, fromDidKey, shortId, verifySignature } from '@weft/crypto'
import type { ShardRemoved } from '@weft/wire'
import { cborUnsigned } from './cbor-unsigned.ts'

/** What a holder did when the owner of an object removed it. */
export interface Deletion {
  /** Shards that it deleted, and their bytes; 0 when it had none. */
  readonly shards: number
  readonly bytes: number
  /** ms since the epoch, by the holder's clock. */
  readonly at: number
  /** ms since the epoch: until then it refuses the object; 0 when it does not, as it keeps no more such marks. */
  readonly until: number
}

/** The word of a holder that it deleted what it had of an object. No proof: it may have kept a copy. */
export interface DeletionStatement extends Deletion {
  /** 32 bytes. */
  readonly object: Uint8Array
  readonly holder: DidKey
  /** 64 bytes, purpose `shard-deletion`. */
  readonly signature: Uint8Array
}

/** @param holder the key of the node that makes the statement. */
export function signDeletion(holder: SigningKey, object: Uint8Array, deletion: Deletion): DeletionStatement {
  const { shards, bytes, at, until } = deletion
  const fields = { object, holder: holder.id, shards, bytes, at, until }
  return { ...fields, signature: holder.sign('shard-deletion', deletionStatement(fields)) }
}

/** @throws WeftError E_DELETION_STATEMENT */
export function verifyDeletion(statement: DeletionStatement): void {
  const { holder, signature } = statement
  const isSigned =
    holdsNumbers(statement) &&
    statement.object.length === 32 &&
    verifySignature('shard-deletion', deletionStatement(statement), signature, fromDidKey(holder))
  if (!isSigned) throw worthless(holder, 'it is not signed by this holder, or is of another object')
}

/**
 * The statement in the answer of a holder to the removal of `object`.
 * @throws WeftError E_DELETION_STATEMENT when the holder that was asked did not sign it for this object
 */
export function parseDeletion(message: ShardRemoved, object: Uint8Array, holder: DidKey): DeletionStatement {
  const { shards, bytes, at, until, signature } = message
  if ([shards, bytes, at, until].some((value) => value > BigInt(Number.MAX_SAFE_INTEGER))) {
    throw worthless(holder, 'a number in it is above 2^53 - 1')
  }
  const statement = {
    object,
    holder,
    shards: Number(shards),
    bytes: Number(bytes),
    at: Number(at),
    until: Number(until),
    // A copy: the frame may share its memory with a whole chunk of the stream.
    signature: signature.slice(),
  }
  verifyDeletion(statement)
  return statement
}

/** dag-cbor ["deleted", object, public key of the holder, shards, bytes, at, until]; of fixed shape, and never parsed. */
function deletionStatement(statement: Omit<DeletionStatement, 'signature'>): Uint8Array {
  const { object, holder, shards, bytes, at, until } = statement
  const bytes32 = Uint8Array.of(0x58, 0x20)
  const numbers = [shards, bytes, at, until].map(cborUnsigned)
  const head = Uint8Array.of(0x87, 0x67)
  return concatBytes([head, utf8('deleted'), bytes32, object, bytes32, fromDidKey(holder), ...numbers])
}

function holdsNumbers({ shards, bytes, at, until }: Deletion): boolean {
  return [shards, bytes, at, until].every((value) => Number.isSafeInteger(value) && value >= 0)
}

function worthless(holder: DidKey, why: string): WeftError {
  return new WeftError({
    code: 'E_DELETION_STATEMENT',
    cause: `What ${shortId(holder)} answered is no statement that it deleted the object: ${why}.`,
    fix: 'It is asked again by itself. Whatever it keeps cannot be read: the key is destroyed.',
    retryable: true,
    details: { node: holder },
  })
}
