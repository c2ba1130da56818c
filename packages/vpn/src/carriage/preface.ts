import { createHmac, timingSafeEqual } from 'node:crypto'
import { utf8 } from '@weft/core'

/** What a client names the connections by that belong together. */
export const FLOW_ID_BYTES = 16
const MAC_BYTES = 16
/** What stands first in each connection of a client (docs/specs/packets.md, «Packets in TLS»). */
export const PREFACE_BYTES = FLOW_ID_BYTES + MAC_BYTES

const LABEL = utf8('weft:carriage:v1\0')

/** Shows that its sender knows the link key of the node, which a stranger who tries ports does not. */
export function writePreface(flowId: Uint8Array, linkKey: Uint8Array): Uint8Array {
  return Buffer.concat([flowId, macOf(flowId, linkKey)])
}

/** The flow id; undefined when the bytes are of somebody who does not know the link key. @param preface 32 bytes */
export function readPreface(preface: Uint8Array, linkKey: Uint8Array): Uint8Array | undefined {
  const flowId = preface.subarray(0, FLOW_ID_BYTES)
  return timingSafeEqual(preface.subarray(FLOW_ID_BYTES), macOf(flowId, linkKey)) ? flowId : undefined
}

function macOf(flowId: Uint8Array, linkKey: Uint8Array): Uint8Array {
  return createHmac('sha256', linkKey).update(LABEL).update(flowId).digest().subarray(0, MAC_BYTES)
}
