import { WeftError } from '@weft/core'
import type { StorageClass } from '../storage.ts'

/** The classes of docs/specs/objects.md, cheapest to place first. A head record names one of them exactly. */
export const STORAGE_CLASSES = [
  { name: 'tiny', k: 3, n: 9 },
  { name: 'small', k: 5, n: 15 },
  { name: 'medium', k: 10, n: 30 },
  { name: 'standard', k: 20, n: 60 },
  { name: 'vault', k: 20, n: 80 },
] as const satisfies readonly StorageClass[]

/** Nodes from which on `standard` is the default: its 60 shards and a third of spare nodes. */
const STANDARD_FROM_NODES = 80

/** @throws WeftError E_CLASS_UNKNOWN */
export function storageClass(name: string): StorageClass {
  const found = STORAGE_CLASSES.find((one) => one.name === name)
  if (found !== undefined) return found
  throw new WeftError({
    code: 'E_CLASS_UNKNOWN',
    cause: `'${name.slice(0, 40)}' is no storage class.`,
    fix: `Choose one of ${STORAGE_CLASSES.map((one) => one.name).join(', ')}, or none for the default.`,
  })
}

/**
 * The class of an object whose owner named none, by the storage nodes that can be reached: the widest that leaves the
 * large classes some spare nodes. `vault` costs a third more than `standard` and is chosen by name only.
 */
export function defaultClass(nodes: number): StorageClass {
  if (nodes >= STANDARD_FROM_NODES) return storageClass('standard')
  if (nodes >= storageClass('medium').n) return storageClass('medium')
  return storageClass(nodes >= storageClass('small').n ? 'small' : 'tiny')
}
