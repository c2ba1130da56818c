import { WeftError, printable } from '@weft/core'
import { isDidKey } from '@weft/crypto'

/** A whole id of a node. @param what the option or argument that gave it @throws WeftError E_USAGE */
export function requireNodeId(text: string, what: string): string {
  if (isDidKey(text)) return text
  throw new WeftError({
    code: 'E_USAGE',
    cause: `${what} ${quoted(text)} is not the whole id of a node.`,
    fix: 'Give it as weft init, weft id and weft members --long print it: did:key:z6Mk…, 56 characters.',
  })
}

/** What somebody wrote, for a line of an error: no longer than needed to know it again, and nothing for a terminal to obey. */
export function quoted(text: string): string {
  const plain = printable(text)
  return `'${plain.length > 80 ? `${plain.slice(0, 80)}…` : plain}'`
}
