import { weftJson } from './weft.ts'

export interface DevnetPlan {
  readonly dir: string
  readonly basePort: number
  /** Default 12. */
  readonly nodes?: number
  readonly seed: string
}

/** Starts a devnet of real processes and waits until it is whole; what `weft devnet up --json` says. */
export function upDevnet<T>({ dir, basePort, nodes = 12, seed }: DevnetPlan): Promise<T> {
  const plan = ['--nodes', String(nodes), '--dir', dir, '--base-port', String(basePort), '--seed', seed]
  return weftJson<T>(['devnet', 'up', ...plan, '--detach'])
}
