import type * as z from 'zod'

type Issue = z.core.$ZodRawIssue

/** What JSON calls the types that our schemas ask for. */
const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
}

/**
 * What is valid in place of what a request holds, in words of ours where a schema has none of its own: it follows the
 * name of the field. Never says the value, as a reference holds a key.
 */
export function requestFault(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `must be ${TYPES[issue.expected] ?? issue.expected}`
    case 'too_small':
      return bound(issue.origin, 'at least', Number(issue.minimum))
    case 'too_big':
      return bound(issue.origin, 'at most', Number(issue.maximum))
    case 'unrecognized_keys':
      return `takes no ${issue.keys
        .slice(0, 4)
        .map((key) => `'${key.slice(0, 32)}'`)
        .join(', ')}`
    case 'invalid_value':
      return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`
    case 'custom':
    case 'invalid_element':
    case 'invalid_format':
    case 'invalid_key':
    case 'invalid_union':
    case 'not_multiple_of':
    default:
      return 'is not of the form that this route takes'
  }
}

function bound(origin: string, which: string, limit: number): string {
  if (origin === 'string') return `must have ${which} ${limit} ${limit === 1 ? 'character' : 'characters'}`
  if (origin === 'array') return `must have ${which} ${limit} ${limit === 1 ? 'entry' : 'entries'}`
  return `must be ${which} ${limit}`
}
