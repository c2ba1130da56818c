import { join } from 'node:path'
import { type DidKey, loadKey } from '@weft/crypto'

/** Who the keys in a home are, whether a daemon runs there or not. */
export interface HomeIds {
  readonly node: DidKey
  /** Undefined until the daemon started there for the first time. */
  readonly person: DidKey | undefined
}

/** @returns undefined where there is no key of a node. @throws WeftError E_KEY_FILE */
export function readHomeIds(home: string): HomeIds | undefined {
  const node = loadKey(join(home, 'node.key'))
  return node === undefined ? undefined : { node: node.id, person: loadKey(join(home, 'person.key'))?.id }
}
