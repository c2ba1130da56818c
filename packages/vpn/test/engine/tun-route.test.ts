import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, WeftError } from '@weft/core'
import type { SessionStream } from '@weft/onion'
import type { PathSet } from '../../src/engine/path-set.ts'
import type { TakeStream } from '../../src/engine/stream-opener.ts'
import { type IpRoute, TunRoute } from '../../src/engine/tun-route.ts'

interface FakePaths {
  healthy: boolean
  streams: number
}

interface FakeChannel {
  readonly queue: { dropped: number }
  handler: { onPacket?: (bytes: Uint8Array) => void }
}

/** Channels that are given when the test says so, over path sets of its own. */
function rig() {
  const clock = new VirtualClock()
  const left = new Set<unknown>()
  const asked: { readonly give: (paths: FakePaths) => FakeChannel; readonly fail: (code: string) => void }[] = []
  const taken: unknown[] = []
  const packets: (readonly [unknown, number])[] = []
  const open = async (_: AbortSignal, take: TakeStream): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>()
    asked.push({
      give: (paths) => {
        paths.streams++
        const channel: FakeChannel = { queue: { dropped: 0 }, handler: {} }
        const stream = {
          ip: channel,
          address: Uint8Array.of(100, 64, 0, asked.length),
          handler: {} as SessionStream['handler'],
          reset: () => {},
        }
        take(stream as unknown as SessionStream, paths as unknown as PathSet)
        resolve(undefined)
        return channel
      },
      fail: (code) => reject(new WeftError({ code, cause: 'no', fix: 'none' })),
    })
    return promise
  }
  const route = new TunRoute({
    clock,
    open,
    isLeft: (paths) => left.has(paths),
    onTaken: ({ paths }) => void taken.push(paths),
    onPacket: ({ paths }, bytes) => void packets.push([paths, bytes.length]),
    onChange: () => {},
  })
  const settled = async (): Promise<void> => clock.advance(0)
  const over = (): unknown => (route.current satisfies IpRoute | undefined)?.paths
  return { clock, route, left, asked, taken, packets, settled, over }
}

const paths = (): FakePaths & PathSet =>
  ({
    healthy: true,
    streams: 0,
    wake: () => {},
    forget(this: FakePaths) {
      this.streams--
    },
  }) as unknown as FakePaths & PathSet

test('a channel over what does not meet what is asked for now is given up where nobody does', async () => {
  const { route, left, asked, settled, over } = rig()
  const one = paths()
  route.look()
  asked[0]?.give(one)
  await settled()
  Object.assign(one, { outdated: true })
  left.add(one)
  route.look()
  assert.equal(over(), one)
  asked[1]?.fail('E_NO_EXIT')
  await settled()
  assert.deepEqual([over(), one.streams, route.fault?.code], [undefined, 0, 'E_NO_EXIT'])
  route.close()
})

test('a channel whose path set is to be left stands until another one has taken its place', async () => {
  const { route, left, asked, taken, packets, settled, over } = rig()
  const [one, two] = [paths(), paths()]
  route.look()
  const first = asked[0]?.give(one) ?? assert.fail()
  await settled()
  route.look()
  assert.equal(asked.length, 1, 'it is well')
  left.add(one)
  route.look()
  route.look()
  assert.equal(asked.length, 2, 'one is asked for at a time')
  assert.equal(over(), one)
  first.handler.onPacket?.(new Uint8Array(7))
  const second = asked[1]?.give(two) ?? assert.fail()
  await settled()
  second.handler.onPacket?.(new Uint8Array(8))
  assert.deepEqual([over(), one.streams, two.streams], [two, 0, 1])
  assert.deepEqual(taken, [one, two])
  assert.deepEqual(packets, [
    [one, 7],
    [two, 8],
  ])
  assert.equal(route.fault, undefined)
})

test('where no other path set takes it the channel goes on as it is, says why, and is asked for again later', async () => {
  const { clock, route, left, asked, taken, settled, over } = rig()
  const [one, two] = [paths(), paths()]
  route.look()
  asked[0]?.give(one)
  await settled()
  left.add(one)
  route.look()
  // Its exit carries none, and so the request came to the one of before.
  asked[1]?.give(one)
  await settled()
  assert.deepEqual([over(), one.streams, taken.length, route.fault?.code], [one, 1, 1, 'E_EXIT_NO_IP'])
  route.look()
  assert.equal(asked.length, 2)
  await clock.advance(15_000)
  assert.equal(asked.length, 3)
  asked[2]?.give(two)
  await settled()
  assert.deepEqual([over(), one.streams, route.fault], [two, 0, undefined])
})

test('a channel that fell silent for a moment is kept where its path set is well again before another was had', async () => {
  const { route, asked, settled, over } = rig()
  const one = paths()
  route.look()
  asked[0]?.give(one)
  await settled()
  one.healthy = false
  route.look()
  one.healthy = true
  asked[1]?.give(one)
  await settled()
  assert.deepEqual([over(), one.streams, route.fault], [one, 1, undefined])
})

test('what fails is told, and tried again after a second', async () => {
  const { clock, route, asked, settled, over } = rig()
  route.look()
  asked[0]?.fail('E_EXIT_FULL')
  await settled()
  assert.equal(route.fault?.code, 'E_EXIT_FULL')
  route.look()
  assert.equal(asked.length, 1)
  await clock.advance(1_000)
  assert.equal(asked.length, 2)
  const one = paths()
  asked[1]?.give(one)
  await settled()
  assert.deepEqual([over(), route.fault], [one, undefined])
})

test('a channel that ends is followed by another, what it dropped stays counted, and none is asked for once it is closed', async () => {
  const { route, asked, settled, over } = rig()
  const [one, two] = [paths(), paths()]
  route.look()
  const first = asked[0]?.give(one) ?? assert.fail()
  await settled()
  first.queue.dropped = 3
  assert.equal(route.dropped, 3)
  route.current?.stream.handler.onReset?.(0)
  assert.deepEqual([over(), one.streams, asked.length, route.dropped], [undefined, 0, 2, 3])
  const second = asked[1]?.give(two) ?? assert.fail()
  await settled()
  second.queue.dropped = 2
  assert.equal(route.dropped, 5)
  route.close()
  assert.deepEqual([over(), two.streams, route.dropped], [undefined, 0, 5])
  route.look()
  assert.equal(asked.length, 2)
})

test('a channel that comes once it is closed is given back', async () => {
  const { route, asked, taken, settled, over } = rig()
  const one = paths()
  route.look()
  route.close()
  asked[0]?.give(one)
  await settled()
  assert.deepEqual([over(), one.streams, taken], [undefined, 0, []])
})
