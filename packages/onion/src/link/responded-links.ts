import { toHex } from '@weft/core'
import { MAX_PARTS } from './link-handshake.ts'
import type { Link } from './link.ts'

/** Links that others made: one for each part of each of them. */
export class RespondedLinks {
  readonly #byName = new Map<string, Link>()
  readonly #names = new Map<Link, string>()

  get(initiatorKey: Uint8Array, part: number): Link | undefined {
    return this.#byName.get(nameOf(toHex(initiatorKey), part))
  }

  /** One that may be used the other way round as well, of whichever part. @param key in hex */
  usable(key: string): Link | undefined {
    for (let part = 0; part < MAX_PARTS; part++) {
      const link = this.#byName.get(nameOf(key, part))
      if (link?.state === 'up' && !link.isSilent) return link
    }
    return undefined
  }

  add(link: Link, part: number): void {
    const name = nameOf(link.peerName, part)
    this.#byName.set(name, link)
    this.#names.set(link, name)
  }

  delete(link: Link): void {
    const name = this.#names.get(link)
    if (name !== undefined) this.#byName.delete(name)
    this.#names.delete(link)
  }
}

function nameOf(key: string, part: number): string {
  return `${key} ${part}`
}
