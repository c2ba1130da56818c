import type { StatusAnswer } from '@weft/node'
import { shortId } from './format.ts'

/** How other nodes reach this one, for people, in one line. Why not better, and what to open: weft check. */
export function reachWords(reach: StatusAnswer['reach']): string {
  switch (reach.state) {
    case 'client':
      return 'not needed: nobody calls a client'
    case 'asking':
      return 'not known yet: other nodes are asked to dial this one back'
    case 'direct':
      return `at ${reach.addresses.join(', ')}`
    case 'relayed':
      return `over ${reach.through.length === 1 ? 'the relay' : 'the relays'} ${reach.through.map((id) => `…${shortId(id)}`).join(' and ')} (weft check says what to open to be reached directly)`
    case 'unreachable':
      return `by nobody (${reach.fault.code})`
  }
}
