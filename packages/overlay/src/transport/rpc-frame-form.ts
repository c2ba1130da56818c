import type { Fault } from '@weft/wire'

/** What one frame of a control stream says. */
export interface RpcFrameFields {
  readonly id: number
  readonly body:
    | { readonly case: 'request'; readonly value: { readonly method: string; readonly body: Uint8Array } }
    | { readonly case: 'response'; readonly value: Uint8Array }
    | { readonly case: 'fault'; readonly value: Fault }
    | { readonly case: 'cancel' | undefined }
}

/** Field numbers of `RpcFrame` and `RpcRequest` with their wire types (protobuf.dev, Encoding: Message Structure). */
export const ID_TAG = 0x08
export const REQUEST_TAG = 0x12
export const RESPONSE_TAG = 0x1a
export const METHOD_TAG = 0x0a
export const INNER_BODY_TAG = 0x12
