import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, seededRandom } from '@weft/core'
import { measureLoss } from '../../src/engine/measure-loss.ts'

interface FakeLink {
  onPong: ((token: Uint8Array) => void) | undefined
  ping(token: Uint8Array): boolean
}

/** Counts over a link whose other side does with the n-th ping what is said. */
async function count(answer: (token: Uint8Array, at: number, link: FakeLink) => void) {
  const clock = new VirtualClock()
  let pings = 0
  const link: FakeLink = {
    onPong: undefined,
    ping(token) {
      const at = pings++
      clock.after(20, () => answer(token, at, link))
      return true
    },
  }
  const done = measureLoss(link, clock, seededRandom(1))
  await clock.advance(0)
  for (let ms = 0; ms < 2_500; ms += 10) await clock.advance(10)
  return { ...(await done), pings, link }
}

test('what nobody answers is lost; what is answered twice, late or wrongly is counted once', async () => {
  const all = await count((token, _, link) => link.onPong?.(token))
  assert.deepEqual([all.sent, all.lost, all.pings], [400, 0, 400])
  assert.equal(all.link.onPong, undefined)
  const tenth = await count((token, at, link) => {
    if (at % 10 === 0) return
    link.onPong?.(token)
    link.onPong?.(token)
  })
  assert.equal(tenth.lost, 40)
  const guessed = await count((token, _, link) => link.onPong?.(new Uint8Array(token.length)))
  assert.equal(guessed.lost, 400)
})
