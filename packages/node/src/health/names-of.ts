import { shortId } from '@weft/crypto'

/** Nodes named in a fault at most. */
const MAX_NAMES = 8

/** The ends of nodes' ids, for people. */
export function namesOf(nodes: readonly { readonly id: string }[]): string {
  const names = nodes.slice(0, MAX_NAMES).map(({ id }) => `…${shortId(id)}`)
  return [...names, ...(nodes.length > MAX_NAMES ? [`${nodes.length - MAX_NAMES} more`] : [])].join(', ')
}
