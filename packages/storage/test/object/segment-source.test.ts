import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SegmentSource } from '../../src/object/segment-source.ts'

const signal = new AbortController().signal
const shared = (size: number): Uint8Array<SharedArrayBuffer> => new Uint8Array(new SharedArrayBuffer(size))

test('pieces put together are the source, whatever its chunks; only the last is marked', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 50 })),
      fc.integer({ min: 1, max: 64 }),
      fc.boolean(),
      async (chunks, size, told) => {
        const all = Buffer.concat(chunks)
        const source = new SegmentSource(
          (async function* () {
            yield* chunks
          })(),
          told ? all.length : undefined,
        )
        const parts: Uint8Array[] = []
        for (;;) {
          const { plaintext, last } = await source.next(shared(size), signal)
          parts.push(plaintext.slice())
          if (last) break
          assert.equal(plaintext.length, size)
        }
        assert.equal(Buffer.compare(Buffer.concat(parts), all), 0)
        assert.equal(source.bytesRead, all.length)
        if (all.length > 0) assert.ok(parts.at(-1)!.length > 0, 'no empty last piece')
      },
    ),
  )
})

test('a source that is shorter or longer than announced is refused', async () => {
  const two = async function* () {
    yield new Uint8Array(2)
  }
  await assert.rejects(new SegmentSource(two(), 3).next(shared(9), signal), { code: 'E_PUT_SIZE' })
  await assert.rejects(new SegmentSource(two(), 1).next(shared(9), signal), { code: 'E_PUT_SIZE' })
})

test('an abort does not wait for a source that is silent', async () => {
  const controller = new AbortController()
  const source = new SegmentSource(
    (async function* () {
      await new Promise(() => {})
      yield new Uint8Array(1)
    })(),
  )
  const reading = source.next(shared(9), controller.signal)
  controller.abort()
  await assert.rejects(reading, { code: 'E_ABORTED' })
  await source[Symbol.asyncDispose]()
})
