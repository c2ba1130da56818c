import assert from 'node:assert/strict'

/** ms; far more than anything here takes, for machines under load. */
const PATIENCE = 60_000
const LOOK_EVERY = 100

/** Resolves with what `look` sees once `holds` says so. @param waits ms that are part of what is waited for */
export async function eventually<T>(
  what: string,
  look: () => Promise<T>,
  holds: (seen: T) => boolean,
  waits = 0,
): Promise<T> {
  const deadline = performance.now() + waits + PATIENCE
  for (;;) {
    const seen = await look()
    if (holds(seen)) return seen
    assert.ok(performance.now() < deadline, `${what} did not come; seen last: ${JSON.stringify(seen)}`)
    await new Promise((again) => setTimeout(again, LOOK_EVERY))
  }
}
