import { type DescMessage, type Message, type MessageShape, fromBinary, toBinary } from '@bufbuild/protobuf'
import { WeftError, messageOf } from '@weft/core'

/** Encodes a protobuf message. */
export function encodeMessage<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Uint8Array {
  return toBinary(schema, message)
}

/**
 * Decodes a protobuf message strictly: too long, malformed, or with a field that the schema does not know is refused.
 * A new field comes with a new protocol version, so that no peer acts on half of what was said (docs/adr/0002).
 * @throws WeftError E_MESSAGE_TOO_LARGE, E_MESSAGE_MALFORMED, E_MESSAGE_UNKNOWN_FIELD
 */
export function decodeMessage<Desc extends DescMessage>(
  schema: Desc,
  bytes: Uint8Array,
  maxBytes: number,
): MessageShape<Desc> {
  if (bytes.length > maxBytes) {
    throw new WeftError({
      code: 'E_MESSAGE_TOO_LARGE',
      cause: `${schema.name} has ${bytes.length} bytes; the limit is ${maxBytes}.`,
      fix: 'The sender has to keep to the size limits of the protocol (packages/wire/src/registry.ts).',
    })
  }
  let message: MessageShape<Desc>
  try {
    message = fromBinary(schema, bytes)
  } catch (error) {
    throw new WeftError({
      code: 'E_MESSAGE_MALFORMED',
      cause: `${schema.name} cannot be read: ${messageOf(error)}.`,
      fix: 'The sender has to follow the schema in packages/wire/proto; update the older of the two sides.',
    })
  }
  const unknown = unknownFieldOf(message)
  if (unknown !== undefined) {
    throw new WeftError({
      code: 'E_MESSAGE_UNKNOWN_FIELD',
      cause: `${unknown.message} has a field with number ${unknown.field} that this version does not know.`,
      fix: 'Update the older of the two sides; a new field needs a new protocol version.',
    })
  }
  return message
}

function unknownFieldOf(message: Message): { message: string; field: number } | undefined {
  const first = message.$unknown?.[0]
  if (first !== undefined) return { message: message.$typeName, field: first.no }
  for (const value of Object.values(message)) {
    const found = unknownFieldIn(value)
    if (found !== undefined) return found
  }
  return undefined
}

function unknownFieldIn(value: unknown): { message: string; field: number } | undefined {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return undefined
  if (Array.isArray(value)) {
    for (const item of value) {
      const found = unknownFieldIn(item)
      if (found !== undefined) return found
    }
    return undefined
  }
  if ('$typeName' in value) return unknownFieldOf(value as Message)
  // A oneof: { case, value }.
  if ('case' in value && 'value' in value) return unknownFieldIn(value.value)
  return undefined
}
