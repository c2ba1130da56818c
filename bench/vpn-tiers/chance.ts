import { type Random, seededRandom } from '@weft/core'

/** Repeatable random numbers for what is played. */
export class Chance {
  readonly random: Random

  constructor(seed: number) {
    this.random = seededRandom(seed)
  }

  /** Uniform in [0, 1). */
  fraction(): number {
    const bytes = this.random.bytes(4)
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) / 2 ** 32
  }

  uniform(least: number, most: number): number {
    return least + (most - least) * this.fraction()
  }

  exponential(mean: number): number {
    return -mean * Math.log(1 - this.fraction())
  }

  /** @param median of it @param spread standard deviation of its logarithm */
  logNormal(median: number, spread: number): number {
    const normal = Math.sqrt(-2 * Math.log(1 - this.fraction())) * Math.cos(2 * Math.PI * this.fraction())
    return median * Math.exp(spread * normal)
  }
}
