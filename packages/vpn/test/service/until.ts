import assert from 'node:assert/strict'

/** Fails the test rather than hang when it does not come. */
export async function until(done: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000
  while (!done()) {
    assert.ok(performance.now() < deadline, 'nothing came of it')
    await new Promise((again) => setTimeout(again, 2))
  }
}
