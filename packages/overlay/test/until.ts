import type { Overlay } from '../src/index.ts'

/** Waits for a condition that events of the overlay bring about; fails with what was seen last. */
export async function until(
  overlay: Overlay,
  what: string,
  condition: () => boolean,
  timeoutMs = 40_000,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const look = (): void => {
    if (condition()) resolve()
  }
  const stops = (['map', 'peer', 'admission'] as const).map((name) => overlay.on(name, look))
  const seen = (): string => JSON.stringify([overlay.admission(), overlay.membership.status(), overlay.peers()])
  const timer = setTimeout(() => reject(new Error(`${what}: ${seen()}`)), timeoutMs)
  look()
  try {
    await promise
  } finally {
    clearTimeout(timer)
    for (const stop of stops) stop()
  }
}
