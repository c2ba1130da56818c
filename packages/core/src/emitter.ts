/** A typed synchronous event emitter: one listener that throws does not keep the others from hearing. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>()

  /** Subscribes; returns the unsubscribe function. */
  on<K extends keyof Events>(name: K, listener: (event: Events[K]) => void): () => void {
    let set = this.#listeners.get(name)
    if (set === undefined) {
      set = new Set()
      this.#listeners.set(name, set)
    }
    set.add(listener)
    return () => set.delete(listener)
  }

  emit<K extends keyof Events>(name: K, event: Events[K]): void {
    const errors: unknown[] = []
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        ;(listener as (event: Events[K]) => void)(event)
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0)
      queueMicrotask(() => {
        throw new AggregateError(errors, `listener of ${String(name)} failed`)
      })
  }
}
