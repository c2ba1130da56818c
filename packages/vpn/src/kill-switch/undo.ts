/**
 * Takes back steps that were done, the last one first, where a later one fails. What cannot be taken back stays: why the later one failed is what
 * is told.
 */
export class Undo implements AsyncDisposable {
  #steps: (() => unknown)[] = []

  add(step: () => unknown): void {
    this.#steps.push(step)
  }

  /** All that was done stays. */
  forget(): void {
    this.#steps = []
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const step of this.#steps.toReversed()) {
      try {
        await step()
      } catch {
        // The next one all the same.
      }
    }
    this.#steps = []
  }
}
