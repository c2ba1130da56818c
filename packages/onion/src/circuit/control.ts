import { readWithLength, writeWithLength } from './link-content.ts'

/** A message between the client and one hop of its circuit (docs/specs/packets.md, Control messages). */
export type Control =
  | { readonly kind: 'extend' | 'extended'; readonly message: Uint8Array }
  | { readonly kind: 'failed' | 'ended'; readonly reason: number }
  | { readonly kind: 'ping' | 'pong'; readonly token: Uint8Array }

export const PING_TOKEN_BYTES = 8

const KINDS = [undefined, 'extend', 'extended', 'failed', 'ping', 'pong', 'ended'] as const

/** Writes the message and zeros behind it. @throws RangeError when `into` has no room for it. */
export function writeControl(into: Uint8Array, control: Control): void {
  into.fill(0)
  into[0] = KINDS.indexOf(control.kind)
  switch (control.kind) {
    case 'extend':
    case 'extended':
      writeWithLength(into, 1, control.message)
      break
    case 'failed':
    case 'ended':
      into[1] = control.reason
      break
    case 'ping':
    case 'pong':
      into.set(control.token, 1)
      break
  }
}

/** Bytes are views into `content`; undefined when it is no message of this version. What stands behind it is not looked at. */
export function readControl(content: Uint8Array): Control | undefined {
  const kind = KINDS[content[0] ?? 0]
  switch (kind) {
    case undefined:
      return undefined
    case 'extend':
    case 'extended': {
      const message = readWithLength(content, 1)
      return message === undefined ? undefined : { kind, message }
    }
    case 'failed':
    case 'ended': {
      const reason = content[1]
      return reason === undefined ? undefined : { kind, reason }
    }
    case 'ping':
    case 'pong':
      return content.length > PING_TOKEN_BYTES ? { kind, token: content.subarray(1, 1 + PING_TOKEN_BYTES) } : undefined
  }
}
