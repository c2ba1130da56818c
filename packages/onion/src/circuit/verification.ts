import { concatBytes, utf8 } from '@weft/core'

const LABEL = utf8('weft:circuit:v1\0')

/** VER of a hop's handshake: network and position, so that neither can be changed between client and hop. */
export function circuitVerification(networkId: string, depth: number): Uint8Array {
  return concatBytes([LABEL, utf8(networkId), Uint8Array.of(depth)])
}
