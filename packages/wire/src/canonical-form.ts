import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf'
import { WeftError } from '@weft/core'

/** What a field may look like on the wire. */
interface FieldForm {
  readonly name: string
  /** Wire type of the protobuf encoding: 0 varint, 2 length and bytes. */
  readonly wireType: 0 | 2
  /** Largest value of a varint; of no meaning for others. */
  readonly max: number
  readonly repeated: boolean
  /** Zero and empty are said by leaving the field out. */
  readonly omitsZero: boolean
  /** A bit of its own for each oneof of the message; 0 outside of oneofs. */
  readonly oneof: number
  readonly message: MessageForm | undefined
}

interface MessageForm {
  readonly name: string
  /** By field number. */
  readonly fields: readonly (FieldForm | undefined)[]
}

interface Cursor {
  readonly bytes: Uint8Array
  at: number
  /** List items met so far, those in messages within included. */
  items: number
  readonly maxItems: number
}

/** List items in one message, in all: the largest has the hashes of a map of 100,000 members. */
export const MAX_LIST_ITEMS = 128 * 1024

const forms = new WeakMap<DescMessage, MessageForm>()

/**
 * Checks that bytes are the one canonical form of a message (docs/specs/rpc.md): fields in ascending order, each with
 * the wire type of its schema and at most once unless repeated, one field of a oneof, no zero or empty value of a field
 * outside a oneof, varints minimal and in the range of their type. Whether strings are UTF-8 is left to the decoder.
 * List items are counted, as the decoder makes an object of each, and an empty one takes only two bytes of a message.
 * Reads the bytes once, skips over contents, and allocates nothing for them.
 * @param maxItems list items, those in messages within included
 * @throws WeftError E_MESSAGE_MALFORMED, E_MESSAGE_UNKNOWN_FIELD
 */
export function checkCanonicalForm(schema: DescMessage, bytes: Uint8Array, maxItems = MAX_LIST_ITEMS): void {
  checkMessage(formOf(schema), { bytes, at: 0, items: 0, maxItems }, bytes.length)
}

function checkMessage(form: MessageForm, cursor: Cursor, end: number): void {
  let last = 0
  let oneofs = 0
  while (cursor.at < end) {
    const tag = readVarint(form, cursor, end, 0xffff_ffff)
    const number = Math.floor(tag / 8)
    const field = form.fields[number]
    if (field === undefined) throw unknownField(form, number)
    if (tag % 8 !== field.wireType) throw malformed(form, `field '${field.name}' has another type`)
    if (number < last) throw malformed(form, `field '${field.name}' is not in order`)
    if (number === last && !field.repeated) throw malformed(form, `field '${field.name}' is there twice`)
    if ((oneofs & field.oneof) !== 0) throw malformed(form, `field '${field.name}' excludes one before it`)
    if (field.repeated && ++cursor.items > cursor.maxItems) {
      throw malformed(form, `field '${field.name}' makes more than ${cursor.maxItems} list items`)
    }
    last = number
    oneofs |= field.oneof
    checkValue(form, field, cursor, end)
  }
}

function checkValue(form: MessageForm, field: FieldForm, cursor: Cursor, end: number): void {
  const value = readVarint(form, cursor, end, field.wireType === 0 ? field.max : end)
  if (value === 0 && field.omitsZero) throw malformed(form, `field '${field.name}' is there but empty`)
  if (field.wireType === 0) return
  const behind = cursor.at + value
  if (behind > end) throw malformed(form, `field '${field.name}' is cut off`)
  if (field.message === undefined) cursor.at = behind
  else checkMessage(field.message, cursor, behind)
}

/** Exact up to 2^53; above, which only a uint64 may be, it is near enough to be told from zero. */
function readVarint(form: MessageForm, cursor: Cursor, end: number, max: number): number {
  let value = 0
  let scale = 1
  for (let i = 0; ; i++) {
    if (cursor.at >= end) throw malformed(form, 'it is cut off')
    const byte = cursor.bytes[cursor.at++] as number
    value += (byte & 127) * scale
    // The tenth byte holds the 64th bit alone.
    if (value > max || (i === 9 && byte > 1)) throw malformed(form, 'a number is too large')
    if (byte < 128) {
      if (byte === 0 && i > 0) throw malformed(form, 'a number has trailing zero bytes')
      return value
    }
    scale *= 128
  }
}

function formOf(schema: DescMessage): MessageForm {
  let form = forms.get(schema)
  if (form === undefined) {
    const fields: (FieldForm | undefined)[] = []
    form = { name: schema.typeName, fields }
    for (const field of schema.fields) fields[field.number] = fieldForm(schema, field)
    forms.set(schema, form)
  }
  return form
}

function fieldForm(schema: DescMessage, field: DescField): FieldForm {
  const common = {
    name: field.name,
    max: 0,
    repeated: field.fieldKind === 'list',
    omitsZero: field.fieldKind === 'scalar' && field.oneof === undefined,
    oneof: field.oneof === undefined ? 0 : 1 << schema.oneofs.indexOf(field.oneof),
    message: undefined,
  }
  if (field.message !== undefined && field.fieldKind !== 'map') {
    return { ...common, wireType: 2, message: formOf(field.message) }
  }
  if (field.scalar === ScalarType.BYTES || field.scalar === ScalarType.STRING) return { ...common, wireType: 2 }
  // A packed list has another form; schemas here say `packed = false`.
  const isPlain = field.fieldKind === 'scalar' || (field.fieldKind === 'list' && !field.packed)
  const max = isPlain && field.scalar !== undefined ? LARGEST[field.scalar] : undefined
  if (max === undefined)
    throw new TypeError(`${schema.typeName}.${field.name}: no canonical form of this kind is defined`)
  return { ...common, wireType: 0, max }
}

const LARGEST: { readonly [type in ScalarType]?: number } = {
  [ScalarType.BOOL]: 1,
  [ScalarType.UINT32]: 0xffff_ffff,
  [ScalarType.UINT64]: 2 ** 64,
}

function malformed(form: MessageForm, why: string): WeftError {
  return new WeftError({
    code: 'E_MESSAGE_MALFORMED',
    cause: `${form.name} is not in canonical form: ${why}.`,
    fix: 'The sender has to follow docs/specs/rpc.md and the schema in packages/wire/proto; update the older of the two sides.',
  })
}

function unknownField(form: MessageForm, number: number): WeftError {
  return new WeftError({
    code: 'E_MESSAGE_UNKNOWN_FIELD',
    cause: `${form.name} has a field with number ${number} that this version does not know.`,
    fix: 'Update the older of the two sides; a new field needs a new protocol version.',
  })
}
