import type { VersionMarks } from './key-index.ts'

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

export function marksOf(marks: VersionMarks | undefined): readonly VersionMark[] {
  if (marks === undefined) return []
  return typeof marks === 'number' ? [unpackMark(marks)] : marks.map(unpackMark)
}

/** The newest of a key. */
export function latestMark(marks: VersionMarks): VersionMark {
  return unpackMark(typeof marks === 'number' ? marks : (marks[0] as number))
}

function unpackMark(mark: number): VersionMark {
  return { id: Math.floor(mark / 4), isNull: mark % 4 >= 2, isDeleteMarker: mark % 2 === 1 }
}

/** With one more, in order; or without the one of a row. Undefined when none is left. */
export function withMark(marks: VersionMarks | undefined, mark: VersionMark): VersionMarks {
  const all = [...marksOf(marks), mark].sort((a, b) => b.id - a.id).map(packMark)
  return all.length === 1 ? (all[0] as number) : all
}

export function withoutMark(marks: VersionMarks | undefined, id: number): VersionMarks | undefined {
  const left = marksOf(marks).filter((mark) => mark.id !== id)
  if (left.length === 0) return undefined
  return left.length === 1 ? packMark(left[0] as VersionMark) : left.map(packMark)
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
