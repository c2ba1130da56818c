import { utf8 } from '@weft/core'

/** P, the name of this hybrid of ntor-v3 in every hash of the circuit handshake. */
export const PROTOCOL_ID = utf8('weft:ntor3:mlkem768:v1')
