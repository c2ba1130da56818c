import type { RouteTable } from './route-table.ts'

/** Why a node cannot stand beside others. */
export type Conflict = 'chosen' | 'family' | 'network' | 'as'

/**
 * Nodes that stand already, by what others must not have in common with them: whether one more fits is four looks. Arrays as long as the table, kept for
 * the next choice.
 */
export class RouteMarks {
  readonly #table: RouteTable
  /** By number: the place of the member that has it, and 1; 0 for nobody. */
  readonly #node: Int32Array
  readonly #family: Int32Array
  readonly #prefix: Int32Array
  readonly #asn: Int32Array
  readonly #marked: number[] = []

  constructor(table: RouteTable) {
    this.#table = table
    this.#node = new Int32Array(table.size)
    this.#family = new Int32Array(table.families)
    this.#prefix = new Int32Array(table.prefixes)
    this.#asn = new Int32Array(table.systems)
  }

  #add(at: number): void {
    const { family, prefix, asn } = this.#table
    this.#addNode(at)
    this.#family[family[at] as number] = at + 1
    this.#prefix[prefix[at] as number] = at + 1
    this.#asn[asn[at] as number] = at + 1
    // Those that name no family, or of which no AS is known, are not alike for that.
    this.#family[0] = 0
    this.#asn[0] = 0
  }

  #addNode(at: number): void {
    this.#node[at] = at + 1
    this.#marked.push(at)
  }

  /** Nobody else but these stands any more. @param unlike whose family, network and AS are taken with them @param notAgain who alone is taken */
  mark(unlike: readonly number[], notAgain: readonly number[]): void {
    this.#clear()
    for (const at of unlike) this.#add(at)
    for (const at of notAgain) this.#addNode(at)
  }

  #clear(): void {
    const { family, prefix, asn } = this.#table
    for (const at of this.#marked) {
      this.#node[at] = 0
      this.#family[family[at] as number] = 0
      this.#prefix[prefix[at] as number] = 0
      this.#asn[asn[at] as number] = 0
    }
    this.#marked.length = 0
  }

  fits(at: number): boolean {
    const { family, prefix, asn } = this.#table
    return (
      this.#node[at] === 0 &&
      this.#family[family[at] as number] === 0 &&
      this.#prefix[prefix[at] as number] === 0 &&
      this.#asn[asn[at] as number] === 0
    )
  }

  /** Why it does not fit, and beside whom; undefined where it does. */
  conflict(at: number): { readonly why: Conflict; readonly beside: number } | undefined {
    const { family, prefix, asn } = this.#table
    if (this.fits(at)) return undefined
    const marks: readonly [Conflict, number][] = [
      ['chosen', this.#node[at] as number],
      ['family', this.#family[family[at] as number] as number],
      ['network', this.#prefix[prefix[at] as number] as number],
      ['as', this.#asn[asn[at] as number] as number],
    ]
    for (const [why, mark] of marks) if (mark !== 0) return { why, beside: mark - 1 }
    return undefined
  }
}
