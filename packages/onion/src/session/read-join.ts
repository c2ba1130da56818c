import { FRAME_JOIN, LegStatus, SESSION_NAME_BYTES } from './protocol.ts'
import { type LegUse } from './session-leg.ts'
import { SessionViolation } from './session-violation.ts'
import { PayloadCursor } from './varint.ts'

/** What a circuit says that is to be a leg of a session. */
export interface Join {
  readonly leg: number
  readonly use: LegUse
  /** Of the session, 32 bytes: a view of the packet. */
  readonly name: Uint8Array
}

/** What the first packet of a circuit says of the session that it joins: the frame stands first. Undefined where it begins a session of its own. */
export function readJoin(payload: Uint8Array): Join | undefined {
  if (payload[0] !== FRAME_JOIN) return undefined
  const cursor = new PayloadCursor()
  cursor.reset(payload)
  cursor.at = 1
  try {
    const leg = cursor.varint()
    const status = cursor.varint()
    const from = cursor.skip(SESSION_NAME_BYTES)
    if (status !== LegStatus.used && status !== LegStatus.reserve) return undefined
    const use = status === LegStatus.used ? 'used' : 'reserve'
    return { leg, use, name: payload.subarray(from, from + SESSION_NAME_BYTES) }
  } catch (error) {
    if (error instanceof SessionViolation) return undefined
    throw error
  }
}
