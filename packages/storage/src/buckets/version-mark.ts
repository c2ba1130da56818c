import { type VersionMarks, halves } from './key-index.ts'

/**
 * A version in the index in memory: the number of its row, whether its name is `null`, and whether it is a delete marker.
 * A whole number: number · 4 + null · 2 + marker.
 */
export interface VersionMark {
  /** Of the row; later versions have higher ones. */
  readonly id: number
  readonly isNull: boolean
  readonly isDeleteMarker: boolean
}

function packMark({ id, isNull, isDeleteMarker }: VersionMark): number {
  return id * 4 + (isNull ? 2 : 0) + (isDeleteMarker ? 1 : 0)
}

function unpackMark(mark: number): VersionMark {
  return { id: Math.floor(mark / 4), isNull: mark % 4 >= 2, isDeleteMarker: mark % 2 === 1 }
}

/** Newest first. @param from how many of the newest are passed over */
export function marksOf(
  marks: VersionMarks | undefined,
  from = 0,
  most = Number.POSITIVE_INFINITY,
): readonly VersionMark[] {
  const all = listOf(marks)
  const end = Math.max(0, all.length - from)
  return all
    .slice(Math.max(0, end - most), end)
    .map(unpackMark)
    .reverse()
}

/** The newest of a key. */
export function latestMark(marks: VersionMarks): VersionMark {
  return unpackMark(listOf(marks).at(-1) as number)
}

/** That of a row. */
export function findMark(marks: VersionMarks | undefined, id: number): VersionMark | undefined {
  const all = listOf(marks)
  const found = all[placeOf(all, id)]
  return found !== undefined && Math.floor(found / 4) === id ? unpackMark(found) : undefined
}

/** The newest whose name is `null`. */
export function nullMark(marks: VersionMarks | undefined): VersionMark | undefined {
  const found = listOf(marks).findLast((mark) => mark % 4 >= 2)
  return found === undefined ? undefined : unpackMark(found)
}

/** How many are not older than a row. */
export function countFrom(marks: VersionMarks | undefined, id: number): number {
  const all = listOf(marks)
  return all.length - placeOf(all, id)
}

/** With one more. A list is changed in place: whoever may write can give a key any number of versions. */
export function withMark(marks: VersionMarks | undefined, mark: VersionMark): VersionMarks {
  const packed = packMark(mark)
  if (marks === undefined) return packed
  if (typeof marks === 'number') return marks < packed ? [marks, packed] : [packed, marks]
  marks.splice(placeOf(marks, mark.id), 0, packed)
  return marks
}

/** Without the one of a row, in place as well; undefined when none is left. */
export function withoutMark(marks: VersionMarks | undefined, id: number): VersionMarks | undefined {
  if (findMark(marks, id) === undefined) return marks
  if (marks === undefined || typeof marks === 'number') return undefined
  marks.splice(placeOf(marks, id), 1)
  return marks.length === 1 ? marks[0] : marks
}

function listOf(marks: VersionMarks | undefined): readonly number[] {
  if (marks === undefined) return []
  return typeof marks === 'number' ? [marks] : marks
}

/** Where the first is that is not older than a row. */
function placeOf(marks: readonly number[], id: number): number {
  return halves(0, marks.length, (at) => (marks[at] as number) < id * 4)
}

const NUMBER_DIGITS = 12

/** The name of a version: its number, so that it is found without a search, and 10 random bytes; 32 hexadecimal digits. */
export function versionName(id: number, random: Uint8Array): string {
  return id.toString(16).padStart(NUMBER_DIGITS, '0') + Buffer.from(random.subarray(0, 10)).toString('hex')
}

/** The number in the name of a version; undefined for what is no such name. */
export function versionNumber(name: string): number | undefined {
  return /^[0-9a-f]{32}$/.test(name) ? Number.parseInt(name.slice(0, NUMBER_DIGITS), 16) : undefined
}
