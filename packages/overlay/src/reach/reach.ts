import type { Fault } from '@weft/core'
import type { DidKey } from '@weft/crypto'

/** How other nodes reach this one. */
export type Reach =
  /** It offers nothing and is called by nobody. */
  | { readonly state: 'client' }
  /** It finds out. */
  | { readonly state: 'asking' }
  /** Where it listens: declared by its operator (the validators' dial-back proves it), or found open by others. */
  | { readonly state: 'direct'; readonly addresses: readonly string[] }
  /** Over relays, and directly from then on where both sides' NATs allow it. The fault says why not at once. */
  | {
      readonly state: 'relayed'
      readonly addresses: readonly string[]
      readonly through: readonly DidKey[]
      readonly fault: Fault
    }
  | { readonly state: 'unreachable'; readonly fault: Fault }
