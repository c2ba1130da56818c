import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import fc from 'fast-check'
import { endProcess } from '../src/process/end-process.ts'
import { namesHome } from '../src/process/find-processes.ts'
import { parseKilobytes } from '../src/process/memory-usage.ts'
import { listeningInodes } from '../src/process/port-owner.ts'
import { identifyProcess, isAlive, parseProcStat, signalProcess } from '../src/process/process-identity.ts'

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

test('a process is signalled only under its own start time', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  const exit = once(child, 'exit')
  const identity = identifyProcess(child.pid as number)
  assert.ok(identity)
  const impostor = { pid: identity.pid, startTime: '1' }
  assert.equal(isAlive(impostor), false)
  assert.equal(signalProcess(impostor, 'SIGKILL'), false)
  assert.equal(await endProcess(impostor, { graceMs: 0 }), 'gone')
  assert.equal(isAlive(identity), true)
  assert.equal(await endProcess(identity), 'ended')
  assert.equal(isAlive(identity), false)
  await exit
})

test('a process that ignores SIGTERM is killed when the grace is cut short', async () => {
  const child = spawn(process.execPath, [
    '-e',
    "process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000)",
  ])
  const exit = once(child, 'exit')
  await once(child.stdout, 'data')
  const identity = identifyProcess(child.pid as number)
  assert.ok(identity)
  const hurry = new AbortController()
  const ending = endProcess(identity, { hurry: hurry.signal })
  hurry.abort()
  assert.equal(await ending, 'killed')
  await exit
})

test('only the exact home is taken for a node of the devnet', () => {
  assert.ok(namesHome(['node', 'daemon.js', '--home', '/a/b'], '/a/b'))
  assert.ok(namesHome(['node', 'daemon.js', '--home=/a/b'], '/a/b'))
  assert.ok(!namesHome(['node', 'daemon.js', '--home', '/a/b2'], '/a/b'))
  assert.ok(!namesHome(['node', 'daemon.js', '--network', '/a/b'], '/a/b'))
})

test('tables of /proc are read field by field', () => {
  const table = [
    '  sl  local_address',
    '   0: 0100007F:1E64 00000000:0000 0A 0:0 0:0 0 0 0 4711',
    '   1: 0100007F:1E64 00000000:0000 01 0:0 0:0 0 0 0 4712',
  ].join('\n')
  assert.deepEqual(listeningInodes(table, 0x1e64), ['4711'])
  assert.deepEqual(listeningInodes(table, 0x1e65), [])
  assert.equal(parseKilobytes('VmPeak:\t  10 kB\nVmRSS:\t   123 kB\n', 'VmRSS'), 123 * 1024)
  assert.equal(parseKilobytes('VmPeak:\t  10 kB\n', 'VmRSS'), undefined)
})
