import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventStreamParser, type ServerEvent } from '@weft/devnet'
import fc from 'fast-check'

const line = fc.string({ maxLength: 20 }).map((text) => text.replaceAll(/[\r\n\0]/g, ''))
const event = fc.record({
  name: line.filter((text) => text !== ''),
  data: fc.array(line, { minLength: 1, maxLength: 3 }),
  id: line,
})
const ending = fc.constantFrom('\n', '\r', '\r\n')

function write({ name, data, id }: { name: string; data: string[]; id: string }, end: string): string {
  return [
    `event: ${name}`,
    ...data.map((text) => `data: ${text}`),
    `id: ${id}`,
    ': heartbeat',
    'unknown: field',
    '',
    '',
  ].join(end)
}

test('events come out whole however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 5 }),
      ending,
      fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
      (events, end, cuts) => {
        const text = `${events.map((one) => write(one, end)).join('')}: end\n`
        const parser = new EventStreamParser()
        const seen: ServerEvent[] = []
        for (let at = 0; at < text.length;) {
          const length = cuts.next().value as number
          seen.push(...parser.push(text.slice(at, at + length)))
          at += length
        }
        assert.deepEqual(
          seen,
          events.map(({ name, data, id }) => ({ id, name, data: data.join('\n') })),
        )
      },
    ),
  )
})

test('an id without data is no event and stays for the next', () => {
  const parser = new EventStreamParser()
  assert.deepEqual(parser.push('id: 7\n\ndata: x\n\n'), [{ id: '7', name: 'message', data: 'x' }])
})

test('an event without an end is refused at a megabyte', () => {
  const parser = new EventStreamParser()
  const push = (): void => {
    for (let i = 0; i < 2_000; i++) parser.push(`data: ${'x'.repeat(1_000)}\n`)
  }
  assert.throws(push, { code: 'E_EVENT_STREAM' })
  const endless = new EventStreamParser()
  assert.throws(() => endless.push('x'.repeat(2_000_000)), { code: 'E_EVENT_STREAM' })
})
