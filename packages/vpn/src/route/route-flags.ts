import type { PathWishes } from './path-wishes.ts'
import type { RouteTable } from './route-table.ts'
import { LEFT } from './weighted-draw.ts'

/** Why a member is out, whatever position is drawn; {@link LEFT} beside them. */
export const NEVER = 2
export const FAILED = 4
export const BUSY = 8
/** For entries alone. */
export const CALLED = 16

/** What of the wishes concerns each member, by its place in the table. */
export class RouteFlags {
  readonly bits: Uint8Array
  readonly #table: RouteTable
  readonly #left: Uint8Array

  /** @param left not 0 for those that are left out where there are enough others */
  constructor(table: RouteTable, left: Uint8Array) {
    this.bits = new Uint8Array(table.size)
    this.#table = table
    this.#left = left.map((why) => (why === 0 ? 0 : LEFT))
  }

  /** @param readmitted how many of those that failed, the earliest first, may serve again @param mayBeCalled those that are called as well */
  set(wishes: PathWishes, readmitted: number, mayBeCalled: boolean): void {
    const { never = [], busy = [], failed = [], called = [] } = wishes
    this.bits.set(this.#left)
    for (const id of never) this.#add(id, NEVER)
    for (const id of busy) this.#add(id, BUSY)
    for (const id of failed.slice(readmitted)) this.#add(id, FAILED)
    if (!mayBeCalled) for (const id of called) this.#add(id, CALLED)
  }

  at(place: number): number {
    return this.bits[place] as number
  }

  #add(id: Parameters<RouteTable['indexOf']>[0], flag: number): void {
    const at = this.#table.indexOf(id)
    if (at !== undefined) this.bits[at] = this.at(at) | flag
  }
}
