import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Clock, WeftError } from '@weft/core'
import type { Download } from '@weft/devnet'
import { resumedBody } from '../src/daemon/resumed-body.ts'

const BYTES = new Uint8Array(100).map((_, at) => at)
const cut = (): WeftError => new WeftError({ code: 'E_BODY_TRUNCATED', cause: 'cut', fix: 'none', retryable: true })

/** A body from some byte on that is cut off behind so many; undefined: it is whole. */
function part(from: number, length?: number, error: Error = cut()): Download {
  const body = async function* (): AsyncGenerator<Uint8Array> {
    const end = length === undefined ? BYTES.length : from + length
    for (let at = from; at < end; at += 7) yield BYTES.subarray(at, Math.min(at + 7, end))
    if (length !== undefined) throw error
  }
  return { size: BYTES.length, object: undefined, body: body() }
}

interface Read {
  readonly bytes: Uint8Array
  /** Where it was opened again, and the pauses before that. */
  readonly opened: number[]
  readonly pauses: number[]
  readonly error: unknown
}

async function read(
  first: Download,
  rest: readonly ((from: number) => Download)[],
  signal = new AbortController().signal,
): Promise<Read> {
  const opened: number[] = []
  const pauses: number[] = []
  const after = (ms: number, callback: () => void): (() => void) => {
    pauses.push(ms)
    setImmediate(callback)
    return () => {}
  }
  const left = [...rest]
  const open = async (from: number): Promise<Download> => {
    opened.push(from)
    const next = left.shift()
    if (next === undefined) throw cut()
    return next(from)
  }
  const parts: Uint8Array[] = []
  let error: unknown
  try {
    const clock = { after } as Partial<Clock> as Clock
    for await (const bytes of resumedBody(first, { open, signal, onBreak: () => {}, clock })) parts.push(bytes)
  } catch (thrown) {
    error = thrown
  }
  return { bytes: new Uint8Array(Buffer.concat(parts)), opened, pauses, error }
}

test('a body that is cut off goes on where it ended, as often as it brings something', async () => {
  const cuts = [10, 20, 1, 1, 1, 30].map((length) => (from: number) => part(from, length))
  const { bytes, opened, pauses, error } = await read(part(0, 5), [...cuts, (from) => part(from)])
  assert.equal(error, undefined)
  assert.deepEqual(bytes, BYTES)
  assert.deepEqual(opened, [5, 15, 35, 36, 37, 38, 68])
  assert.deepEqual(new Set(pauses), new Set([250]))
})

test('after three attempts that bring nothing it ends as it was cut off first', async () => {
  const first = cut()
  const gone = new WeftError({ code: 'E_DAEMON_NOT_RUNNING', cause: 'gone', fix: 'none' })
  const { bytes, opened, pauses, error } = await read(part(0, 5, first), [(from) => part(from, 0, gone)])
  assert.equal(error, first)
  assert.deepEqual([bytes.length, opened, pauses], [5, [5, 5, 5], [250, 1_000, 4_000]])
})

test('what no second attempt mends, what has no byte yet, and what was interrupted is not tried again', async () => {
  const wrong = new WeftError({ code: 'E_OBJECT_REMOVED', cause: 'removed', fix: 'none' })
  for (const first of [part(0, 5, wrong), part(0, 0), part(0, 5, new TypeError('broken'))]) {
    const { opened, error } = await read(first, [])
    assert.ok(error instanceof Error)
    assert.deepEqual(opened, [])
  }
  const controller = new AbortController()
  controller.abort()
  assert.deepEqual((await read(part(0, 5), [], controller.signal)).opened, [])
})
