import assert from 'node:assert/strict'
import { seededRandom } from '@weft/core'
import { type DatagramChannel } from '../../src/session/datagram-channel.ts'
import { FrameWriter } from '../../src/session/frame-writer.ts'
import { MemoryBudget } from '../../src/session/memory-budget.ts'
import { Session } from '../../src/session/session.ts'
import { type SessionStream } from '../../src/session/session-stream.ts'
import { UDP_CHANNEL } from '../../src/session/stream-target.ts'
import { PAYLOAD, World } from './simulated-path.ts'

export const MEBIBYTE = 2 ** 20

/** An exit's session that is given frames by hand, with an open channel of IP packets as stream 0. */
export function aloneWithIp() {
  return alone('exit', {}, 4)
}

/** A session that is given frames by hand. */
export function loneSession(role: 'client' | 'exit', memory: MemoryBudget, onStream: (stream: SessionStream) => void) {
  const ends: string[] = []
  const wakes = { count: 0 }
  const world = new World()
  const session = new Session({
    role,
    clock: world,
    random: seededRandom(3),
    payloadLength: PAYLOAD,
    memory,
    onStream,
    onWritable: () => void wakes.count++,
    onClose: (code, reason) => void ends.push(`${code} ${reason}`),
  })
  let number = 0
  const give = (write: (writer: FrameWriter, payload: Uint8Array) => void): void => {
    const payload = new Uint8Array(PAYLOAD)
    const writer = new FrameWriter()
    writer.reset(payload)
    write(writer, payload)
    writer.finish()
    giveBytes(payload)
  }
  const giveBytes = (payload: Uint8Array): void => {
    session.receive(number++, payload)
    session.endBatch()
  }
  return { world, session, memory, ends, wakes, give, giveBytes }
}

/** A session that is given frames by hand, with an open channel as stream 0. */
export function alone(role: 'client' | 'exit', handler: DatagramChannel['handler'] = {}, protocol = 2) {
  const lone = loneSession(role, new MemoryBudget(MEBIBYTE), (stream) => {
    if (stream.channel !== undefined) stream.channel.handler = handler
    stream.accept('0.0.0.0')
  })
  const { session, give } = lone
  if (role === 'exit') give((writer) => writer.openBare(0, protocol))
  else {
    const { channel } = session.openStream(UDP_CHANNEL)
    assert.ok(channel !== undefined)
    channel.handler = handler
    give((writer) => writer.opened(0, new Uint8Array(4)))
    channel.send('host.test', 80, new Uint8Array(1))
  }
  return lone
}

/** Writes a frame of a stream's bytes, all of them 0. */
export function streamData(writer: FrameWriter, id: number, offset: number, length: number, fin: boolean): void {
  writer.wrote(writer.streamHead(id, offset, length, fin))
}
