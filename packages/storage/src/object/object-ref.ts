import { WeftError, fromBase32, fromBase64Url, toBase32, toBase64Url } from '@weft/core'

/** `weft://<network>/<object>#<key>`, taken apart (docs/specs/objects.md). */
export interface ObjectRef {
  readonly networkId: string
  /** 32 bytes: the object's public key. */
  readonly object: Uint8Array
  /** 32 secret bytes; undefined in a reference that may be checked and repaired but not read. */
  readonly dataKey: Uint8Array | undefined
}

/** Longest reference that is worth taking apart, characters. */
const MAX_REF = 256
const SHAPE = /^weft:\/\/([A-Za-z0-9][A-Za-z0-9._-]{0,63})\/([a-z2-7]{52})(?:#([A-Za-z0-9_-]{43}))?$/

/** The object's public key as it stands in references and in lists: lower-case base32, 52 characters. */
export function objectId(object: Uint8Array): string {
  return toBase32(object)
}

export function formatObjectRef({ networkId, object, dataKey }: ObjectRef): string {
  const open = `weft://${networkId}/${objectId(object)}`
  return dataKey === undefined ? open : `${open}#${toBase64Url(dataKey)}`
}

/** Takes a reference apart. Errors never repeat it: it may hold a key. @throws WeftError E_REF_INVALID, E_REF_NETWORK */
export function parseObjectRef(text: string, networkId: string): ObjectRef {
  const match = text.length <= MAX_REF ? SHAPE.exec(text) : null
  const [, network, object, key] = match ?? []
  if (network === undefined || object === undefined) throw invalid('it is not of the form weft://NETWORK/OBJECT#KEY')
  if (network !== networkId) {
    throw new WeftError({
      code: 'E_REF_NETWORK',
      cause: `The reference is of the network '${network}'; this node belongs to '${networkId}'.`,
      fix: 'Ask a node of that network (WEFT_HOME or --home chooses the node).',
      details: { expected: networkId, given: network },
    })
  }
  try {
    return { networkId, object: fromBase32(object), dataKey: key === undefined ? undefined : fromBase64Url(key) }
  } catch {
    throw invalid('its object or its key is not in canonical form')
  }
}

function invalid(why: string): WeftError {
  return new WeftError({
    code: 'E_REF_INVALID',
    cause: `The reference cannot be used: ${why}.`,
    fix: "Copy it whole, as `weft put` or `weft ls` printed it, and quote it in a shell: 'weft://…#…'.",
  })
}
