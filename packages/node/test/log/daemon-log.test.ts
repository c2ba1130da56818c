import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WeftError } from '@weft/core'
import { type LogLevel, createDaemonLog } from '../../src/log/daemon-log.ts'

function logged(level: LogLevel, use: (log: ReturnType<typeof createDaemonLog>) => void): Record<string, unknown>[] {
  const lines: string[] = []
  use(createDaemonLog(level, { write: (line) => void lines.push(line) }))
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

test('lines are JSON with time, level, message and fields', () => {
  const [line] = logged('info', (log) => log.warn('slow', { afterMs: 5 }))
  assert.deepEqual([line?.['level'], line?.['msg'], line?.['afterMs']], ['warn', 'slow', 5])
  assert.match(String(line?.['time']), /^\d{4}-\d\d-\d\dT/)
})

test('an error is its code, cause and fix; the stack only at debug', () => {
  const error = new WeftError({ code: 'E_X', cause: 'c', fix: 'f', origin: new Error('lower') })
  const quiet = logged('info', (log) => log.failure('failed', error))
  assert.deepEqual(
    quiet.map(({ code, cause, fix, stack }) => [code, cause, fix, stack]),
    [['E_X', 'c', 'f', undefined]],
  )
  const loud = logged('debug', (log) => log.failure('failed', error))
  assert.match(String(loud[1]?.['stack']), /lower\n\s+at /)
  const [unknown] = logged('info', (log) => log.failure('failed', new Error('odd')))
  assert.deepEqual([unknown?.['code'], unknown?.['cause']], ['E_INTERNAL', 'odd'])
})

test('a message that comes very often is cut, but never at debug', () => {
  const flood = (log: ReturnType<typeof createDaemonLog>): void => {
    for (let i = 0; i < 500; i++) log.warn('flood')
    log.info('another')
  }
  const cut = logged('info', flood)
  assert.ok(cut.length < 50 && cut.at(-1)?.['msg'] === 'another', `${cut.length} lines`)
  assert.equal(logged('debug', flood).length, 501)
})
