import { type RelayCircuit } from './relay-circuit.ts'

/** What a circuit id of a link stands for at a hop: one of the two ends of a circuit that passes through. */
export interface CircuitEnd {
  readonly circuit: RelayCircuit
  readonly towardsClient: boolean
}
