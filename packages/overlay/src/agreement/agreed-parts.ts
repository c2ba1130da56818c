import { type AgreedValue, decodeAgreedValue, encodeAgreedValue } from './agreed-value.ts'

/** One of the things that validators agree on in every epoch. It may look at the others, which are agreed on with it. */
export interface AgreedPart {
  /** Lower-case letters and hyphens, at most 32. */
  readonly name: string
  /** Whether this validator has something to propose. */
  isReady(epoch: number): boolean
  /** What this validator proposes for the epoch; undefined while it has nothing to propose. The same whenever it is asked. */
  propose(epoch: number): Uint8Array | undefined
  /** Whether what another proposes may be agreed on; undefined while that cannot be told. */
  judge(epoch: number, bytes: Uint8Array, whole: AgreedValue): boolean | undefined
  /** Told once of an epoch what was agreed on. */
  decided(epoch: number, bytes: Uint8Array, whole: AgreedValue): void
}

/** The value of an epoch as a whole: it has exactly the parts that are known here. */
export class AgreedParts {
  readonly #parts: readonly AgreedPart[]

  constructor(parts: readonly AgreedPart[]) {
    this.#parts = parts
  }

  isReady(epoch: number): boolean {
    return this.#parts.every((part) => part.isReady(epoch))
  }

  /** Undefined while some part has nothing to propose. */
  propose(epoch: number): Uint8Array | undefined {
    const value = new Map<string, Uint8Array>()
    for (const part of this.#parts) {
      const bytes = part.propose(epoch)
      if (bytes === undefined) return undefined
      value.set(part.name, bytes)
    }
    return encodeAgreedValue(value)
  }

  judge(epoch: number, bytes: Uint8Array): boolean | undefined {
    const value = readValue(bytes)
    if (value === undefined || value.size !== this.#parts.length) return false
    let verdict: boolean | undefined = true
    for (const part of this.#parts) {
      const own = value.get(part.name)
      const one = own === undefined ? false : part.judge(epoch, own, value)
      if (one === false) return false
      verdict = verdict === undefined || one === undefined ? undefined : true
    }
    return verdict
  }

  /** @throws WeftError E_AGREEMENT_MALFORMED, what a part throws */
  decided(epoch: number, bytes: Uint8Array): void {
    const value = decodeAgreedValue(bytes)
    for (const part of this.#parts) {
      const own = value.get(part.name)
      if (own !== undefined) part.decided(epoch, own, value)
    }
  }
}

function readValue(bytes: Uint8Array): AgreedValue | undefined {
  try {
    return decodeAgreedValue(bytes)
  } catch {
    return undefined
  }
}
