import { hash } from 'node:crypto'

/** Sessions by the names that their clients gave them, by which other circuits join. Kept as hashes: how long a look takes tells nothing of a name. */
export class SessionNames<T> {
  readonly #byName = new Map<string, T>()
  readonly #names = new Map<T, string>()

  /** False for one that has the name of another, and is found by it no more than before: names are random, and are told once. */
  add(name: Uint8Array, session: T): boolean {
    const key = hash('sha256', name, 'base64')
    if (this.#byName.has(key) || this.#names.has(session)) return false
    this.#byName.set(key, session)
    this.#names.set(session, key)
    return true
  }

  find(name: Uint8Array): T | undefined {
    return this.#byName.get(hash('sha256', name, 'base64'))
  }

  remove(session: T): void {
    const key = this.#names.get(session)
    this.#names.delete(session)
    if (key !== undefined) this.#byName.delete(key)
  }
}
