/** Why a circuit, or a part of it, ended; the byte of `destroy`, `failed` and `ended` (docs/specs/packets.md). */
export const CircuitReason = {
  none: 0,
  unknownCircuit: 1,
  malformed: 2,
  handshakeRefused: 3,
  noRole: 4,
  unknownNextHop: 5,
  nextHopNotReached: 6,
  linkLost: 7,
  tooManyCircuits: 8,
  idle: 9,
  stopping: 10,
  sessionUnknown: 11,
  unpaid: 12,
} as const

/** What the client of a circuit tells its owner in place of `unpaid`, where it knows that it owes that hop a payment and had none. No byte: nobody can say it on the wire. */
export const CIRCUIT_OWED = 256

const WORDS: readonly string[] = [
  'ended by the client, or no reason given',
  'circuit id not known',
  'malformed, or out of turn',
  'handshake refused',
  'the node does not have the role',
  "next hop not in the node's map",
  'next hop not reached',
  'link lost',
  'too many circuits',
  'nothing came for 120 s',
  'the node stops',
  'the session is not known, or takes no further circuit',
  'its pay did not come, or was no good',
]

/** The reason in words, for status and errors; a number of a later version is named as such. */
export function circuitReasonText(reason: number): string {
  if (reason === CIRCUIT_OWED) return 'it is owed a payment, and there was none for it'
  return WORDS[reason] ?? `reason ${reason}`
}
