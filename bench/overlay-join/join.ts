/** When a node had what, ms since it was started. */
export interface Join {
  /** The first answer to a lookup. */
  readonly lookup: number
  readonly certificate: number
  /** In a signed map that it holds. */
  readonly map: number
}
