import { BODY_SIZE } from '../packet/sizes.ts'

/** Contents of the link messages of circuits: 1404 bytes, zeros behind what is said. Writers fill `into` whole. */

export function writeCreate(into: Uint8Array, depth: number, message: Uint8Array): Uint8Array {
  into.fill(0)
  into[0] = depth
  writeWithLength(into, 1, message)
  return into
}

/** `message` is a view into `content`; undefined when the length does not fit. */
export function readCreate(content: Uint8Array): { depth: number; message: Uint8Array } | undefined {
  const message = readWithLength(content, 1)
  return message === undefined ? undefined : { depth: content[0] as number, message }
}

export function writeCreated(into: Uint8Array, answer: Uint8Array): Uint8Array {
  into.fill(0)
  writeWithLength(into, 0, answer)
  return into
}

/** A view into `content`; undefined when the length does not fit. */
export function readCreated(content: Uint8Array): Uint8Array | undefined {
  return readWithLength(content, 0)
}

export function writeDestroy(into: Uint8Array, reason: number): Uint8Array {
  into.fill(0)
  into[0] = reason
  return into
}

export function readDestroy(content: Uint8Array): number {
  return content[0] ?? 0
}

/** A buffer for the writers above. */
export function newLinkContent(): Uint8Array {
  return new Uint8Array(BODY_SIZE)
}

/** length 2 ‖ bytes. @throws RangeError when there is no room. */
export function writeWithLength(into: Uint8Array, at: number, bytes: Uint8Array): void {
  into[at] = bytes.length >>> 8
  into[at + 1] = bytes.length & 0xff
  into.set(bytes, at + 2)
}

/** The inverse, a view; undefined when the bytes end earlier than the length says. */
export function readWithLength(from: Uint8Array, at: number): Uint8Array | undefined {
  const high = from[at]
  const low = from[at + 1]
  if (high === undefined || low === undefined) return undefined
  const end = at + 2 + ((high << 8) | low)
  return end > from.length ? undefined : from.subarray(at + 2, end)
}
