/** What a client wants of a hop; its message in the circuit handshake, one byte. */
export const CircuitPurpose = { hop: 0, session: 1 } as const

export type CircuitPurpose = (typeof CircuitPurpose)[keyof typeof CircuitPurpose]

export function isCircuitPurpose(value: number | undefined): value is CircuitPurpose {
  return value === CircuitPurpose.hop || value === CircuitPurpose.session
}
