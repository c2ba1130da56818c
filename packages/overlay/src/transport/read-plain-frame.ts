import { MAX_RPC_FRAME } from '@weft/wire'
import { ID_TAG, INNER_BODY_TAG, METHOD_TAG, REQUEST_TAG, RESPONSE_TAG, type RpcFrameFields } from './rpc-frame-form.ts'

interface Cursor {
  readonly bytes: Uint8Array
  at: number
}

/**
 * Reads a request or an answer in its one canonical form; undefined for anything else, also for what is merely unusual:
 * the strict decoder then reads it, or says what is wrong with it. Each call passes here twice, and the generic decoder
 * takes several times as long.
 */
export function readPlainFrame(bytes: Uint8Array): RpcFrameFields | undefined {
  if (bytes.length > MAX_RPC_FRAME || bytes[0] !== ID_TAG) return undefined
  const cursor: Cursor = { bytes, at: 1 }
  const id = readVarint(cursor)
  if (id === undefined || id === 0) return undefined
  const tag = bytes[cursor.at++]
  if (tag !== RESPONSE_TAG && tag !== REQUEST_TAG) return undefined
  const length = readVarint(cursor)
  // Nothing may stand behind the body.
  if (length === undefined || cursor.at + length !== bytes.length) return undefined
  if (tag === RESPONSE_TAG) return { id, body: { case: 'response', value: bytes.subarray(cursor.at) } }
  const method = readMethod(cursor)
  if (method === undefined) return undefined
  if (cursor.at === bytes.length) return { id, body: { case: 'request', value: { method, body: new Uint8Array(0) } } }
  if (bytes[cursor.at++] !== INNER_BODY_TAG) return undefined
  const size = readVarint(cursor)
  if (size === undefined || size === 0 || cursor.at + size !== bytes.length) return undefined
  return { id, body: { case: 'request', value: { method, body: bytes.subarray(cursor.at) } } }
}

/** A name in ASCII, as those of all methods are. */
function readMethod(cursor: Cursor): string | undefined {
  const { bytes } = cursor
  if (bytes[cursor.at++] !== METHOD_TAG) return undefined
  const length = bytes[cursor.at++]
  if (length === undefined || length === 0 || length > 127 || cursor.at + length > bytes.length) return undefined
  let name = ''
  for (const end = cursor.at + length; cursor.at < end; cursor.at++) {
    const byte = bytes[cursor.at] as number
    if (byte > 127) return undefined
    name += String.fromCharCode(byte)
  }
  return name
}

/** Minimal and of 32 bits; undefined for any other, or when the bytes end in it. */
function readVarint(cursor: Cursor): number | undefined {
  let value = 0
  let scale = 1
  for (let count = 0; count < 5; count++) {
    const byte = cursor.bytes[cursor.at++]
    if (byte === undefined) return undefined
    value += (byte & 127) * scale
    if (byte < 128) return value > 0xffff_ffff || (byte === 0 && count > 0) ? undefined : value
    scale *= 128
  }
  return undefined
}
