import { strict as assert } from 'node:assert'
import { describe, it } from 'node:test'
import { PACKET_SIZE } from '@weft/onion'
import type { Destination } from '../../src/udp/destination-table.ts'
import { type LinuxSocketCalls, loadLinuxSocketCalls } from '../../src/udp/linux-socket-calls.ts'
import { SendQueue } from '../../src/udp/send-queue.ts'
import { UdpCounters } from '../../src/udp/udp-counters.ts'

const real = await loadLinuxSocketCalls().catch(() => undefined)
const packet = new Uint8Array(PACKET_SIZE)
const destination = (): Destination => ({
  host: '192.0.2.1',
  port: 9,
  socketAddress: new Uint8Array(16),
  halved: false,
  segmented: true,
  batch: undefined,
})

/** A queue on a kernel that answers each sendmsg with `answer(call)`: 0 or an errno. */
function queueOn(answer: (call: number) => number) {
  const counters = new UdpCounters()
  const held: boolean[] = []
  const waiting: ((error?: string) => void)[] = []
  let errno = 0
  let sent = 0
  const calls: LinuxSocketCalls = {
    ...real!,
    sendmsg() {
      errno = answer(sent++)
      return errno === 0 ? 1 : -1
    },
    errno: () => errno,
  }
  const queue = new SendQueue(
    calls,
    -1,
    counters,
    (_, __, done) => waiting.push(done),
    (isHeld) => held.push(isHeld),
  )
  return { queue, counters, waiting, held, calls: () => sent }
}

const EAGAIN = 11
const EIO = 5
const EPERM = 1
const ENOBUFS = 105

describe('SendQueue', { skip: real === undefined ? 'no system calls of Linux here' : false }, () => {
  it('sends 40 packets at once, and the rest when flushed', () => {
    const { queue, counters, calls } = queueOn(() => 0)
    const to = destination()
    for (let i = 0; i < 100; i++) queue.add(packet, to)
    assert.deepEqual([calls(), counters.sent], [2, 80])
    queue.flush()
    assert.deepEqual([calls(), counters.sent], [3, 100])
    queue.flush()
    assert.equal(calls(), 3)
  })

  it('waits when the kernel takes no more, in bounded memory, and goes on', () => {
    let full = true
    const { queue, counters, waiting, held } = queueOn(() => (full ? EAGAIN : 0))
    const destinations = Array.from({ length: 40 }, destination)
    for (let i = 0; i < 50; i++) for (const to of destinations) queue.add(packet, to)
    queue.flush()
    assert.equal(waiting.length, 1)
    assert.deepEqual(held, [true])
    // 32 batches, and the one packet that waits by itself.
    const kept = 32 * 40 + 1
    assert.equal(counters.overflowed, 2_000 - kept)
    full = false
    waiting[0]?.()
    assert.equal(counters.sent, kept)
    assert.deepEqual(held, [true, false])
    for (const to of destinations) queue.add(packet, to)
    queue.flush()
    assert.equal(counters.sent, kept + 40)
  })

  it('goes packet by packet where the kernel takes no batch, and stays so', () => {
    const { queue, counters, calls } = queueOn((call) => (call === 0 ? EIO : 0))
    const to = destination()
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 5; i++) queue.add(packet, to)
      queue.flush()
    }
    assert.deepEqual([calls(), counters.sent, counters.unsegmented], [11, 10, 1])
  })

  it('drops what is refused, by reason, and what comes after is sent', () => {
    const { queue, counters } = queueOn((call) => [EPERM, ENOBUFS][call] ?? 0)
    const to = destination()
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 3; i++) queue.add(packet, to)
      queue.flush()
    }
    assert.deepEqual(counters.sendErrors, { EPERM: 3, ENOBUFS: 3 })
    assert.equal(counters.sent, 3)
  })
})
