import { type CircuitLink } from './circuit-link.ts'

/** How far a hop is with its one extension; kept so that the same question is answered with the same answer. */
export type Extension =
  | { readonly state: 'waiting'; readonly hash: Uint8Array; readonly message: Uint8Array }
  | {
      readonly state: 'made'
      readonly hash: Uint8Array
      /** Forgotten when the client's first unit for the next hop shows that it came. */
      answer: Uint8Array | undefined
    }
  | { readonly state: 'failed'; readonly hash: Uint8Array; readonly reason: number }

/** The circuit's end on the link to the next hop. */
export interface NextEnd {
  readonly link: CircuitLink
  readonly circuitId: number
}
