import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AF_INET, AF_INET6, dumpMessage, readDump } from '../../src/exit/conntrack-messages.ts'

// As Linux has them (struct nlmsghdr, nfgenmsg, nlattr), in the byte order of the machine.
const NEW = 0x100
const DELETE = 0x102
const DONE = 3
const NESTED = 0x8000

function message(type: number, family: number, ...content: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(20), ...content])
  bytes.writeUInt32LE(bytes.length)
  bytes.writeUInt16LE(type, 4)
  bytes[16] = family
  return bytes
}

function attribute(type: number, content: Uint8Array): Buffer {
  const bytes = Buffer.alloc((4 + content.length + 3) & ~3)
  bytes.writeUInt16LE(4 + content.length)
  bytes.writeUInt16LE(type, 2)
  bytes.set(content, 4)
  return bytes
}

function tuple(type: number, source: Uint8Array): Buffer {
  const ip = attribute(NESTED | 1, attribute(source.length === 4 ? 1 : 3, source))
  return attribute(NESTED | type, Buffer.concat([ip, attribute(NESTED | 2, attribute(1, Uint8Array.of(17)))]))
}

const SOURCE4 = Uint8Array.of(100, 64, 0, 2)
const SOURCE6 = Uint8Array.of(0xfd, 1, 2, 3, 4, 5, 6, 7, 0, 0, 0, 0, 100, 64, 0, 2)
const REPLY = tuple(2, Uint8Array.of(203, 0, 113, 9))
const ID = attribute(12, Uint8Array.of(1, 2, 3, 4))
const STATUS = attribute(3, Uint8Array.of(0, 0, 1, 0x18))
const all = (): boolean => true

test('asks for the entries of a version whose source is another outside', () => {
  const expected = '24000000 0101 0103 00000000 00000000 02000000 0800 0300 00000010 0800 1a00 00000010'
  assert.equal(dumpMessage(AF_INET).toString('hex'), expected.replaceAll(' ', ''))
})

test('an entry is removed by its tuple and its id', () => {
  for (const [family, source] of [
    [AF_INET, SOURCE4],
    [AF_INET6, SOURCE6],
  ] as const) {
    const part = message(NEW, family, tuple(1, source), REPLY, STATUS, ID)
    const asked: string[] = []
    const { removals, isLast } = readDump(part, (bytes, at, length) => {
      asked.push(Buffer.from(bytes.subarray(at, at + length)).toString('hex'))
      return true
    })
    assert.deepEqual(asked, [Buffer.from(source).toString('hex')])
    assert.equal(isLast, false)
    const expected = message(DELETE, family, tuple(1, source), ID)
    expected.writeUInt16LE(1, 6)
    assert.deepEqual(removals, [expected])
  }
})

test('who began it is asked for, not who answers; what is not wanted stays', () => {
  const part = Buffer.concat([message(NEW, AF_INET, REPLY, tuple(1, SOURCE4), ID), message(DONE, 0)])
  const { removals, isLast } = readDump(part, (bytes, at) => bytes[at] === 203)
  assert.deepEqual([removals, isLast], [[], true])
})

test('an entry without a tuple is left, since its removal would be that of all', () => {
  for (const content of [[ID], [REPLY, ID], [attribute(NESTED | 1, new Uint8Array()), ID]])
    assert.deepEqual(readDump(message(NEW, AF_INET, ...content), all).removals, [])
  // Of the other version.
  assert.deepEqual(readDump(message(NEW, AF_INET6, tuple(1, SOURCE4)), all).removals, [])
})

test('a refusal, and what is cut off', () => {
  const refusal = message(2, 0)
  refusal.writeInt32LE(-1, 16)
  assert.throws(() => readDump(refusal, all), /errno 1/)
  const cut = message(NEW, AF_INET, tuple(1, SOURCE4))
  assert.throws(() => readDump(cut.subarray(0, 30), all), /cut off/)
})
