import { MAX_QUERY_PARAMETERS } from '../limits.ts'
import { S3Error } from '../s3-error.ts'
import { percentDecode, percentEncode } from './percent.ts'

/** The query of a request, decoded; a name that comes twice counts once, and is signed as often as it came. */
export class Query {
  readonly entries: readonly (readonly [string, string])[]
  readonly #first: ReadonlyMap<string, string>

  /** @throws S3Error InvalidURI, InvalidRequest */
  static parse(raw: string): Query {
    if (raw === '') return new Query([])
    const parts = raw.split('&', MAX_QUERY_PARAMETERS + 1)
    if (parts.length > MAX_QUERY_PARAMETERS) throw new S3Error('InvalidRequest', 'Too many query parameters.')
    const entries = parts
      .filter((part) => part !== '')
      .map((part) => {
        const at = part.indexOf('=')
        return [decode(at < 0 ? part : part.slice(0, at)), decode(at < 0 ? '' : part.slice(at + 1))] as const
      })
    return new Query(entries)
  }

  private constructor(entries: readonly (readonly [string, string])[]) {
    this.entries = entries
    this.#first = new Map(entries.toReversed())
  }

  has(name: string): boolean {
    return this.#first.has(name)
  }

  get(name: string): string | undefined {
    return this.#first.get(name)
  }

  /** The canonical query string of Signature Version 4: encoded anew, by name, then by value. */
  canonical(without?: string): string {
    return this.entries
      .filter(([name]) => name !== without)
      .map(([name, value]) => [percentEncode(name), percentEncode(value)] as const)
      .toSorted(([a, x], [b, y]) => compare(a, b) || compare(x, y))
      .map(([name, value]) => `${name}=${value}`)
      .join('&')
  }
}

/** A plus is a space, as forms have it and S3 reads it. */
function decode(text: string): string {
  const decoded = percentDecode(text.replaceAll('+', ' '))
  if (decoded === undefined) throw new S3Error('InvalidURI')
  return decoded
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
