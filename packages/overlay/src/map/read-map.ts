import type { DidKey } from '@weft/crypto'
import type { Member } from '../member.ts'
import type { MapBody } from './map-body.ts'
import { verifyEntries } from './map-entries.ts'

/** The entries of a map, checked against its root, with what they say. Never changed once it was made. */
export interface ReadMap {
  readonly entries: readonly Uint8Array[]
  readonly members: readonly Member[]
  readonly byId: ReadonlyMap<DidKey, Member>
}

/** Checks entries from anywhere against a map body that was verified. @throws WeftError E_MAP_ENTRIES, E_CERTIFICATE_MALFORMED */
export type MapReader = (body: MapBody, entries: readonly Uint8Array[]) => ReadMap

export const readMap: MapReader = (body, entries) => {
  const members = verifyEntries(body, entries)
  return { entries, members, byId: new Map(members.map((member) => [member.id, member])) }
}
