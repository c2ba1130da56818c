import type { VpnProfileAnswer } from '@weft/node'
import type { Invocation } from './invocation.ts'

type Field = keyof VpnProfileAnswer['profile']['fields']

const TEXT = 'text'
const NUMBER = 'number'
const LIST = 'list'

/** How the options of the same names are read; what is wrong with a value who keeps profiles says, in words of the field. */
const KINDS: Readonly<Record<Field, typeof TEXT | typeof NUMBER | typeof LIST>> = {
  exit: TEXT,
  hops: NUMBER,
  tier: TEXT,
  legs: NUMBER,
  isolation: TEXT,
  rotationMinutes: NUMBER,
  killSwitch: TEXT,
  tun: TEXT,
  tunExclude: LIST,
  tunInclude: LIST,
  tunExcludeUsers: LIST,
  tunIncludeUsers: LIST,
  tunExcludeCgroups: LIST,
  tunIncludeCgroups: LIST,
  dns: TEXT,
}

export const FIELD_NAMES = Object.keys(KINDS) as readonly Field[]

/** The fields of a profile that the options of a command give. */
export function givenFields(invocation: Invocation): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    FIELD_NAMES.flatMap((field) => {
      const text = invocation.text(field)
      return text === undefined ? [] : [[field, valueOf(field, text)]]
    }),
  )
}

function valueOf(field: Field, text: string): unknown {
  switch (KINDS[field]) {
    case NUMBER:
      return /^\d{1,9}$/.test(text) ? Number(text) : text
    case LIST:
      return text === '' ? [] : text.split(',').map((item) => item.trim())
    case TEXT:
      return text
  }
}
