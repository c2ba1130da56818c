import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { RouteLog, type ToldEvent } from '../../src/engine/route-log.ts'
import type { RouteEvent } from '../../src/vpn.ts'

const told = (kind: ToldEvent['kind'], cause: string): ToldEvent => ({
  kind,
  code: 'ROUTE_MOVED',
  cause,
  fix: 'None.',
  node: undefined,
  role: undefined,
})

test('the newest events stand first, 32 at most, and each is told once as it happens', async () => {
  const clock = new VirtualClock(1_000)
  const heard: RouteEvent[] = []
  const log = new RouteLog(clock, (event) => heard.push(event))
  for (let number = 0; number < 40; number++) {
    log.tell(told('lost', String(number)))
    await clock.advance(1)
  }
  assert.equal(log.events.length, 32)
  assert.deepEqual([log.events[0]?.cause, log.events[0]?.at, log.events.at(-1)?.cause], ['39', 1_039, '8'])
  assert.deepEqual(
    heard.map(({ cause }) => Number(cause)),
    Array.from({ length: 40 }, (_, at) => at),
  )
})

test('legs that are silent by turns are told of once in 10 s, all else each time', async () => {
  const clock = new VirtualClock()
  const log = new RouteLog(clock, undefined)
  for (let round = 0; round < 3; round++) {
    log.tell(told('moved', 'over a'))
    log.tell(told('moved', 'over b'))
    log.tell(told('lost', 'a'))
    await clock.advance(1_000)
  }
  assert.deepEqual(
    log.events.map(({ cause }) => cause),
    ['a', 'a', 'a', 'over b', 'over a'],
  )
  await clock.advance(10_000)
  log.tell(told('moved', 'over a'))
  assert.equal(log.events[0]?.cause, 'over a')
})
