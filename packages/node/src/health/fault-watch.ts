import type { Clock, Fault } from '@weft/core'

/** ms between looks at what is not healthy. */
const INTERVAL_MS = 2_000

/** Looks at the faults of the node and calls back when one came, went or changed its words. */
export function watchFaults(
  clock: Clock,
  faults: () => readonly Fault[],
  onChange: (faults: readonly Fault[]) => void,
): Disposable {
  const describe = (all: readonly Fault[]): string => JSON.stringify(all.map(({ code, cause }) => [code, cause]))
  let last = describe(faults())
  const look = (): void => {
    const now = faults()
    const described = describe(now)
    if (described !== last) {
      last = described
      onChange(now)
    }
    cancel = clock.after(INTERVAL_MS, look)
  }
  let cancel = clock.after(INTERVAL_MS, look)
  return { [Symbol.dispose]: () => cancel() }
}
