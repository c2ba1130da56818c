import { isWeftError } from '@weft/core'
import { MAX_RPC_FRAME, RpcFrameSchema, create, decodeMessage, encodeFrame, encodeMessage } from '@weft/wire'
import { fromBinary } from '@bufbuild/protobuf'
import type { FaultFields } from './wire-fault.ts'

/** Frames of the control stream (docs/specs/rpc.md), complete with their length. */

export function requestFrame(id: number, method: string, body: Uint8Array): Uint8Array {
  return frame(id, { case: 'request', value: { method, body } })
}

export function responseFrame(id: number, body: Uint8Array): Uint8Array {
  return frame(id, { case: 'response', value: body })
}

export function faultFrame(id: number, fault: FaultFields): Uint8Array {
  return frame(id, { case: 'fault', value: fault })
}

export function cancelFrame(id: number): Uint8Array {
  return frame(id, { case: 'cancel', value: {} })
}

/** Reads one frame body strictly. @throws WeftError E_MESSAGE_… */
export function readRpcFrame(bytes: Uint8Array) {
  return decodeMessage(RpcFrameSchema, bytes, MAX_RPC_FRAME)
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

type Body =
  | { case: 'request'; value: { method: string; body: Uint8Array } }
  | { case: 'response'; value: Uint8Array }
  | { case: 'fault'; value: FaultFields }
  | { case: 'cancel'; value: Record<never, never> }

function frame(id: number, body: Body): Uint8Array {
  return encodeFrame(encodeMessage(RpcFrameSchema, create(RpcFrameSchema, { id, body })))
}
