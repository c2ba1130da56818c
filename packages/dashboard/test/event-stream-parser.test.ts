import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { EventStreamParser } from '../src/api/event-stream-parser.ts'

it('gives the names of events in order, whatever pieces they come in', () => {
  const name = fc.constantFrom('map', 'peer', 'status', 'reset')
  const events = fc.array(fc.record({ name, id: fc.option(fc.stringMatching(/^[a-f0-9]{8}-\d{1,4}$/)) }))
  fc.assert(
    fc.property(events, fc.array(fc.nat(40)), fc.constantFrom('\n', '\r\n'), (sent, cuts, end) => {
      const text = sent
        .map((event) => [...(event.id === null ? [] : [`id: ${event.id}`]), `event: ${event.name}`, 'data: {}', '', ''])
        .map((lines) => lines.join(end) + `: ${end}${end}`)
        .join('')
      const parser = new EventStreamParser()
      const seen: string[] = []
      let at = 0
      for (const cut of [...cuts, text.length]) {
        seen.push(...parser.push(text.slice(at, at + cut)))
        at += cut
      }
      assert.deepEqual(
        seen,
        sent.map((event) => event.name),
      )
      assert.equal(parser.lastId, sent.findLast(({ id }) => id !== null)?.id ?? undefined)
    }),
  )
})

it('takes an id without data, and none of an event that is not whole', () => {
  const parser = new EventStreamParser()
  assert.deepEqual(parser.push('retry: 1000\nid: a-1\n\nid: a-2\nevent: map\ndata: {'), [])
  assert.equal(parser.lastId, 'a-1')
  parser.reset()
  assert.deepEqual(parser.push('data\n\n'), ['message'])
  assert.equal(parser.lastId, 'a-1')
})

it('takes any text, and no line without end', () => {
  fc.assert(fc.property(fc.array(fc.string()), (parts) => parts.forEach((part) => new EventStreamParser().push(part))))
  const parser = new EventStreamParser()
  parser.push('x'.repeat(1024 * 1024))
  assert.throws(() => parser.push('x'), RangeError)
})
