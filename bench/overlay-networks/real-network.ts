/** Nodes of one kind on loopback, all in this process; each operation is on a key of its own. */
export interface RealNetwork extends AsyncDisposable {
  /** Stores a value that its owner may replace, under a new key. */
  put(): Promise<void>
  /** Reads one that was put, the newest that there is. */
  get(): Promise<void>
  /** The same of a value that never changes, under its hash; a network that knows no such thing does as above. */
  putImmutable(): Promise<void>
  getImmutable(): Promise<void>
  /** Finds the nodes closest to a key. */
  lookup(): Promise<void>
}

export const NODES = 20
/** Bytes of a value: all of the networks take as many. */
export const VALUE = 512
