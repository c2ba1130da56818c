import { WeftError } from '@weft/core'

/** What only the node that put an object can do. @param what remove, renew, repair */
export function notOwn(object: string, what: string): WeftError {
  return new WeftError({
    code: 'E_OBJECT_UNKNOWN',
    cause: `Object ${object.slice(0, 8)}… is not in the list of this node, which therefore has not the key to ${what} it.`,
    fix: `Do it on the node that put it (\`weft ls\` there shows it); a reference lets one read, not ${what}.`,
  })
}
