import type { FileHandle } from 'node:fs/promises'
import { MARK_LENGTH } from './blob-header.ts'

/** Bytes read at a time. */
const WINDOW = 1024 * 1024

export interface RecordScan<T> {
  readonly file: FileHandle
  /** Where the first record begins, and where the file ends. */
  readonly from: number
  readonly to: number
  /** Begins every record. */
  readonly mark: Uint8Array
  /** The longest record, bytes. */
  readonly longest: number
  /** Reads the record at `at`; undefined when there is none that is whole. */
  decode(bytes: Uint8Array, at: number): T | undefined
  /** Bytes of a record and of what belongs to it behind it, which is not read. */
  span(record: T): number
}

/** The whole records of a file with where each begins. Behind a damaged one it goes on at the next mark. */
export async function* scanRecords<T>(
  scan: RecordScan<T>,
): AsyncGenerator<{ readonly at: number; readonly record: T }> {
  const { file, to, mark, longest } = scan
  const buffer = Buffer.allocUnsafeSlow(WINDOW)
  let window = buffer.subarray(0, 0)
  let start = scan.from
  let at = scan.from
  while (at < to) {
    const isShort = at + longest > start + window.length && start + window.length < to
    if (isShort || at < start) {
      window = buffer.subarray(0, await readAt(file, buffer, at))
      start = at
      if (window.length === 0) return
    }
    const record = scan.decode(window, at - start)
    if (record === undefined) {
      const next = window.indexOf(mark, at - start + 1)
      // A mark may lie across the end of the window.
      at = next === -1 ? Math.max(at + 1, start + window.length - MARK_LENGTH + 1) : start + next
      if (next === -1 && start + window.length >= to) return
    } else {
      yield { at, record }
      at += scan.span(record)
    }
  }
}

async function readAt(file: FileHandle, into: Uint8Array, position: number): Promise<number> {
  let filled = 0
  while (filled < into.length) {
    const { bytesRead } = await file.read(into, filled, into.length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}
