import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { identifyProcess, isAlive, signalProcess } from '../src/index.ts'
import { parseProcStat } from '../src/process-identity.ts'

const fields = (state: string, startTime: string): string => `${state} ${'1 '.repeat(18)}${startTime} 2 3`

test('the start time is found behind any name of a process', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 0, max: 2 ** 40 }), (name, ticks) => {
      assert.equal(parseProcStat(`12 (${name}) ${fields('S', String(ticks))}`), String(ticks))
    }),
  )
})

test('a zombie counts as dead, and rubbish as nothing', () => {
  assert.equal(parseProcStat(`12 (node) ${fields('Z', '55')}`), undefined)
  assert.equal(parseProcStat(`12 (node) ${fields('X', '55')}`), undefined)
  fc.assert(fc.property(fc.string(), (text) => assert.doesNotThrow(() => parseProcStat(text))))
})

test('this process is alive under its own start time only, and no other is signalled', () => {
  const self = identifyProcess(process.pid)
  assert.ok(self !== undefined)
  assert.equal(isAlive(self), true)
  const impostor = { pid: self.pid, startTime: `${self.startTime}1` }
  assert.equal(isAlive(impostor), false)
  assert.equal(signalProcess(impostor, 'SIGKILL'), false)
})
