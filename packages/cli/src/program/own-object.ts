import { WeftError, printable } from '@weft/core'
import type { ObjectsAnswer } from '@weft/node'

const REFERENCE = /^weft:\/\/[^/#]{1,64}\/([a-z2-7]{52})(?:#|$)/
const OBJECT = /^[a-z2-7]{52}$/

/** The object of a reference, an id or a name. @throws WeftError E_OBJECT_NAME when several have the name */
export function ownObject(
  objects: ObjectsAnswer['objects'],
  target: string,
): ObjectsAnswer['objects'][number] | undefined {
  const id = objectIdIn(target)
  const found = objects.filter(({ object, name }) => (id === undefined ? name === target : object === id))
  if (found.length <= 1) return found[0]
  throw new WeftError({
    code: 'E_OBJECT_NAME',
    cause: `${found.length} objects of this node have the name ${printable(target)}.`,
    fix: `Name one by its id: ${found.map(({ object }) => object).join(', ')}.`,
  })
}

/** The id of an object in a reference, or the id itself; undefined for a name. */
export function objectIdIn(target: string): string | undefined {
  return REFERENCE.exec(target)?.[1] ?? OBJECT.exec(target)?.[0]
}

/** @param does what the key of an object does: removes, renews */
export function notOwnObject(target: string, does: string): WeftError {
  // What begins as a reference may hold a key.
  const what = target.startsWith('weft:') ? 'that reference' : `the name ${printable(target)}`
  return new WeftError({
    code: 'E_OBJECT_UNKNOWN',
    cause: `This node has put no object with ${what}, or it is not in its list any more.`,
    fix: `See weft ls. Only the node that put an object has the key that ${does} it: ask there.`,
  })
}
