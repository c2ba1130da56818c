import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EventRing, type WeftEvent } from '../../src/events/event-ring.ts'

test('property: whoever resumes gets exactly what it missed, or is told that it cannot be had', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(60), fc.nat(60), (capacity, before, after) => {
      const ring = new EventRing('boot', capacity)
      for (let index = 0; index < before; index++) ring.add('map', index)
      const seen = ring.lastId
      for (let index = 0; index < after; index++) ring.add('map', before + index)
      const missed = ring.since(seen)
      if (after > capacity) assert.equal(missed, undefined)
      else
        assert.deepEqual(
          missed?.map(({ data }) => data),
          Array.from({ length: after }, (_, index) => before + index),
        )
    }),
  )
})

test('property: ids that are not of this boot are never resumed from', () => {
  const ring = new EventRing('boot')
  ring.add('map', 1)
  fc.assert(fc.property(fc.string(), (id) => assert.equal(ring.since(id), undefined)))
  for (const id of ['other-1', 'boot-2', 'boot--1', 'boot-1.0', 'boot-', 'boot-99999999999999999999'])
    assert.equal(ring.since(id), undefined, id)
  assert.deepEqual(ring.since('boot-1'), [])
})

test('progress is told and not kept', () => {
  const ring = new EventRing('boot')
  const heard: WeftEvent[] = []
  const stop = ring.listen((event) => heard.push(event))
  ring.announce('transfer', { bytes: 1 })
  ring.add('transfer', { bytes: 2 })
  stop()
  ring.add('transfer', { bytes: 3 })
  assert.deepEqual(
    heard.map(({ id }) => id),
    [undefined, 'boot-1'],
  )
  assert.equal(ring.since('boot-0')?.length, 2)
})
