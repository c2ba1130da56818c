import assert from 'node:assert/strict'
import { type FrameWriter } from '../../src/session/frame-writer.ts'
import { MemoryBudget, SessionMemory } from '../../src/session/memory-budget.ts'
import { RangeSet } from '../../src/session/range-set.ts'
import { type SessionStream } from '../../src/session/session-stream.ts'
import { loneSession } from './lone-channel.ts'
import { PAYLOAD } from './simulated-path.ts'

// Sessions of an exit whose memory is short, with sources, targets and clients of several kinds.

/** Of a session that has all it wants. */
export function ampleMemory(): SessionMemory {
  return new SessionMemory(new MemoryBudget(1 << 30))
}

export function data(writer: FrameWriter, id: number, offset: number, length: number, fin: boolean): void {
  writer.wrote(writer.streamHead(id, offset, length, fin))
}

/** A client that acknowledges, in one packet with `more`, what an exit sends in so many steps of 5 ms, at most `most` packets in each. */
export function acknowledging({ session, world, give }: ReturnType<typeof loneSession>) {
  const received = new RangeSet()
  return (more: (writer: FrameWriter) => void, most = Infinity, steps = 1): void => {
    for (let step = 0; step < steps; step++) {
      world.now += 5
      for (let sent = 0; sent < most && session.next() !== undefined; sent++) {
        const number = session.fill(new Uint8Array(PAYLOAD))
        received.add(number, number + 1)
      }
    }
    world.now += 5
    give((w) => {
      if (received.count > 0) w.ack(received, 0)
      more(w)
    })
  }
}

/** An exit with endless sources for as many streams, and a client that acknowledges all that was sent, at once. */
export function endless(streams: number, memory: MemoryBudget) {
  const resets: number[] = []
  const opened: SessionStream[] = []
  const lone = loneSession('exit', memory, (stream) => {
    opened.push(stream)
    const more = (): void => {
      while (stream.write(new Uint8Array(65_536)));
    }
    stream.handler = { onDrain: more, onReset: (code) => void resets.push(code) }
    stream.accept('192.0.2.1')
    if (stream.askRoom()) more()
  })
  for (let id = 0; id < streams; id++) lone.give((w) => void w.open(4 * id, 80, 'a'))
  const acknowledge = acknowledging(lone)
  return { ...lone, opened, resets, round: (more: (writer: FrameWriter) => void) => acknowledge(more, 16) }
}

/** An exit whose streams write what they are told to once they have leave, and a client that acknowledges all at once. */
export function obedient(streams: number, memory: MemoryBudget) {
  const opened: SessionStream[] = []
  const resets: number[] = []
  /** Bytes that each still has to write, in pieces of `piece` at most. */
  const left: number[] = []
  let piece = 65_536
  const write = (at: number): void => {
    const stream = opened[at] ?? assert.fail()
    while (!stream.isFull && (left[at] ?? 0) > 0) {
      const length = Math.min(piece, left[at] ?? 0)
      left[at] = (left[at] ?? 0) - length
      stream.write(new Uint8Array(length))
    }
  }
  const lone = loneSession('exit', memory, (stream) => {
    const at = opened.push(stream) - 1
    left.push(0)
    stream.handler = { onDrain: () => write(at), onReset: (code) => void resets.push(code) }
    stream.accept('192.0.2.1')
    stream.askRoom()
  })
  const { session, give } = lone
  for (let id = 0; id < streams; id++) give((w) => void w.open(4 * id, 80, 'a'))
  const acknowledge = acknowledging(lone)
  const rounds = (count: number, maxData: number): void => {
    for (let turn = 0; turn < count; turn++) acknowledge((w) => w.maxData(maxData))
  }
  const has = (at: number, bytes: number): void => {
    left[at] = (left[at] ?? 0) + bytes
    write(at)
  }
  return { session, opened, resets, rounds, has, setPiece: (bytes: number) => void (piece = bytes), give }
}

/**
 * An exit whose streams write when the test says so, as sockets do some time after they were told; `told` has those that may, in the order in
 * which they were told.
 */
export function late(streams: number, memory: MemoryBudget) {
  const opened: SessionStream[] = []
  const told = new Set<SessionStream>()
  const resets: number[] = []
  const lone = loneSession('exit', memory, (stream) => {
    opened.push(stream)
    stream.handler = {
      onDrain: () => void told.add(stream),
      onFull: () => void told.delete(stream),
      onReset: (code) => void resets.push(code),
    }
    stream.accept('192.0.2.1')
    if (stream.askRoom()) told.add(stream)
  })
  for (let id = 0; id < streams; id++) lone.give((w) => void w.open(4 * id, 80, 'a'))
  const write = (stream: SessionStream, length = 65_536): void => {
    if (!stream.write(new Uint8Array(length))) told.delete(stream)
  }
  const acknowledge = acknowledging(lone)
  return { ...lone, opened, told, resets, write, acknowledge }
}

/** An exit whose streams lead to targets that take nothing. */
export function untaken(memory: MemoryBudget) {
  const opened: SessionStream[] = []
  const log: string[] = []
  /** Bytes that were handed on for want of memory. */
  let loose = 0
  const lone = loneSession('exit', memory, (stream) => {
    opened.push(stream)
    stream.handler = {
      onReadable: () => {},
      onData: ({ length }) => (loose += length),
      onEnd: () => void log.push(`${stream.id} end`),
      onReset: (code) => void log.push(`${stream.id} reset ${code}`),
    }
    stream.accept('192.0.2.1')
  })
  return { ...lone, opened, log, loose: () => loose }
}
