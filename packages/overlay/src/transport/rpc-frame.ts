import { isWeftError, utf8 } from '@weft/core'
import {
  MAX_RPC_FRAME,
  RpcFrameSchema,
  create,
  decodeMessage,
  encodeFrame,
  encodeMessage,
  varintLength,
  writeVarint,
} from '@weft/wire'
import { fromBinary } from '@bufbuild/protobuf'
import { readPlainFrame } from './read-plain-frame.ts'
import { ID_TAG, INNER_BODY_TAG, METHOD_TAG, REQUEST_TAG, RESPONSE_TAG, type RpcFrameFields } from './rpc-frame-form.ts'
import type { FaultFields } from './wire-fault.ts'

/** Frames of the control stream (docs/specs/rpc.md), complete with their length. */

export function requestFrame(id: number, method: string, body: Uint8Array): Uint8Array {
  const name = utf8(method)
  const inner = fieldLength(name.length) + fieldLength(body.length)
  const { out, at } = begin(id, REQUEST_TAG, inner)
  writeField(out, writeField(out, at, METHOD_TAG, name), INNER_BODY_TAG, body)
  return out
}

export function responseFrame(id: number, body: Uint8Array): Uint8Array {
  const { out, at } = begin(id, RESPONSE_TAG, body.length)
  out.set(body, at)
  return out
}

export function faultFrame(id: number, fault: FaultFields): Uint8Array {
  return encodeFrame(
    encodeMessage(RpcFrameSchema, create(RpcFrameSchema, { id, body: { case: 'fault', value: fault } })),
  )
}

export function cancelFrame(id: number): Uint8Array {
  return encodeFrame(encodeMessage(RpcFrameSchema, create(RpcFrameSchema, { id, body: { case: 'cancel', value: {} } })))
}

/** Reads one frame body strictly. The result may share memory with `bytes`. @throws WeftError E_MESSAGE_… */
export function readRpcFrame(bytes: Uint8Array): RpcFrameFields {
  return readPlainFrame(bytes) ?? decodeMessage(RpcFrameSchema, bytes, MAX_RPC_FRAME)
}

/** The id of a request that cannot be accepted only because it has fields this version does not know; undefined for anything else. */
export function idOfNewerRequest(bytes: Uint8Array, error: unknown): number | undefined {
  if (!isWeftError(error, 'E_MESSAGE_UNKNOWN_FIELD')) return undefined
  try {
    const message = fromBinary(RpcFrameSchema, bytes)
    return message.body.case === 'request' && message.id > 0 ? message.id : undefined
  } catch {
    // Behind the unknown field stands what no version can read.
    return undefined
  }
}

/** A frame up to the contents of its body, which has `length` bytes: by hand, because each call passes here twice. */
function begin(id: number, tag: number, length: number): { out: Uint8Array; at: number } {
  const whole = (id === 0 ? 0 : 1 + varintLength(id)) + 1 + varintLength(length) + length
  const out = new Uint8Array(varintLength(whole) + whole)
  let at = writeVarint(whole, out, 0)
  if (id !== 0) {
    out[at++] = ID_TAG
    at = writeVarint(id, out, at)
  }
  out[at++] = tag
  return { out, at: writeVarint(length, out, at) }
}

/** Bytes of a field outside of a oneof, which is left out when it is empty. */
function fieldLength(length: number): number {
  return length === 0 ? 0 : 1 + varintLength(length) + length
}

function writeField(out: Uint8Array, at: number, tag: number, bytes: Uint8Array): number {
  if (bytes.length === 0) return at
  out[at] = tag
  const start = writeVarint(bytes.length, out, at + 1)
  out.set(bytes, start)
  return start + bytes.length
}
