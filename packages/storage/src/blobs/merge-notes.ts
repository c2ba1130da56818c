import { type BlobNote, encodeBlobNote } from './blob-note.ts'

export interface ReadNote {
  readonly note: BlobNote
  readonly sequence: number
  readonly bytes: Uint8Array
}

/** Objects whose commits are held back at most, each some 300 bytes. */
const HELD = 65_536

/**
 * The notes without commits that a later one stands for: of the same peer, with nothing in between that ended what was
 * committed. Whoever has one object here may commit it any number of times, each time for longer; what is left has the
 * longest of their expiries. The order is that of the sequence but for commits, which come late.
 */
export async function* mergeNotes(notes: AsyncIterable<ReadNote>, mark: Uint8Array): AsyncGenerator<Uint8Array> {
  const held = new Map<string, Map<string, ReadNote>>()
  for await (const read of notes) {
    const { note } = read
    const object = note.object.toHex()
    const ofObject = held.get(object) ?? new Map<string, ReadNote>()
    if (note.kind === 'commit') {
      const before = ofObject.get(note.peer)?.note
      const isShorter = before?.kind === 'commit' && before.expiresAt > note.expiresAt
      ofObject.set(note.peer, isShorter ? again(mark, read, before) : read)
      // The one that was met last stays longest.
      held.delete(object)
      held.set(object, ofObject)
      const [[oldest, itsCommits] = []] = held.size > HELD ? held : []
      if (oldest !== undefined) held.delete(oldest)
      for (const { bytes } of itsCommits?.values() ?? []) yield bytes
      continue
    }
    const ended = note.kind === 'drop' ? [note.peer] : [...ofObject.keys()]
    for (const peer of ended) {
      const commit = ofObject.get(peer)
      if (commit !== undefined) yield commit.bytes
      ofObject.delete(peer)
    }
    if (ofObject.size === 0) held.delete(object)
    yield read.bytes
  }
  for (const commits of held.values()) for (const { bytes } of commits.values()) yield bytes
}

/** A commit under its later number, with the earlier one's expiry. */
function again(mark: Uint8Array, { sequence }: ReadNote, note: BlobNote): ReadNote {
  return { note, sequence, bytes: encodeBlobNote(mark, sequence, note) }
}
