import { concatBytes, utf8 } from '@weft/core'
import {
  MAX_SHARD_LENGTH,
  RpcFrameSchema,
  ShardRequestSchema,
  create,
  encodeFrame,
  encodeMessage,
  MiB,
} from '@weft/wire'

export interface HostileBytes {
  readonly name: string
  readonly protocol: 'rpc' | 'shard'
  readonly send: readonly Uint8Array[]
  /**
   * The kinds of the frames that come back, or the codes of the faults in them, and how the stream ends; undefined where
   * the end that both sides make and the reset behind it are in a race.
   */
  readonly expected: { readonly state: 'reset' | 'ended' | undefined; readonly codes: readonly string[] }
}

/** Field 15 of any message, which none has: a varint of 1 (protobuf encoding, tag 15 << 3). */
const UNKNOWN_FIELD = Uint8Array.of(0x78, 1)
const OBJECT = { object: new Uint8Array(32).fill(7), segment: 0, index: 0 }

const request = (method: string, body: Uint8Array, id = 1): Uint8Array =>
  encodeMessage(RpcFrameSchema, create(RpcFrameSchema, { id, body: { case: 'request', value: { method, body } } }))
const put = (length: number): Uint8Array =>
  encodeMessage(
    ShardRequestSchema,
    create(ShardRequestSchema, { body: { case: 'put', value: { name: OBJECT, length: BigInt(length) } } }),
  )

/** What a member may send that no honest one does, and what must come back. */
export function hostileBytes(): readonly HostileBytes[] {
  const head = request('map.head', new Uint8Array())
  const reset = (): HostileBytes['expected'] => ({ state: 'reset', codes: [] })
  const broken = (codes: readonly string[]): HostileBytes['expected'] => ({ state: undefined, codes })
  const fault = (code: string): HostileBytes['expected'] => ({ state: 'ended', codes: [code] })
  return [
    { name: 'an honest call', protocol: 'rpc', send: [encodeFrame(head)], expected: fault('response') },
    { name: 'a frame cut off', protocol: 'rpc', send: [encodeFrame(head).subarray(0, 5)], expected: reset() },
    {
      name: 'a frame of 2 GiB announced',
      protocol: 'rpc',
      send: [Uint8Array.of(255, 255, 255, 255, 7)],
      expected: reset(),
    },
    {
      name: 'a frame larger than this caller may send',
      protocol: 'rpc',
      send: [encodeFrame(request('record.put', new Uint8Array(MiB)))],
      expected: reset(),
    },
    { name: 'a length in more bytes than it needs', protocol: 'rpc', send: [Uint8Array.of(128, 0)], expected: reset() },
    { name: 'noise', protocol: 'rpc', send: [encodeFrame(utf8('GET / HTTP/1.1\r\n\r\n'))], expected: reset() },
    {
      name: 'an unknown field around a call',
      protocol: 'rpc',
      send: [encodeFrame(concatBytes([head, UNKNOWN_FIELD]))],
      expected: fault('E_MESSAGE_UNKNOWN_FIELD'),
    },
    {
      name: 'an unknown field in a call',
      protocol: 'rpc',
      send: [encodeFrame(request('map.head', UNKNOWN_FIELD))],
      expected: fault('E_MESSAGE_UNKNOWN_FIELD'),
    },
    {
      name: 'a method of another version',
      protocol: 'rpc',
      send: [encodeFrame(request('map.head2', new Uint8Array()))],
      expected: fault('E_METHOD_UNKNOWN'),
    },
    {
      name: 'a method for validators',
      protocol: 'rpc',
      send: [encodeFrame(request('map.propose', new Uint8Array()))],
      expected: fault('E_ACCESS_VALIDATORS_ONLY'),
    },
    {
      name: 'a body larger than its method takes',
      protocol: 'rpc',
      send: [encodeFrame(request('record.get', new Uint8Array(2_048)))],
      expected: fault('E_MESSAGE_TOO_LARGE'),
    },
    {
      name: 'a call under the id of none',
      protocol: 'rpc',
      send: [encodeFrame(request('map.head', new Uint8Array(), 0))],
      expected: reset(),
    },
    {
      name: 'a shard cut off',
      protocol: 'shard',
      send: [encodeFrame(put(MiB)), new Uint8Array(9_999)],
      expected: broken(['E_FRAME_TRUNCATED']),
    },
    {
      name: 'a shard larger than any',
      protocol: 'shard',
      send: [encodeFrame(put(MAX_SHARD_LENGTH + 1))],
      expected: broken(['E_SHARD_TOO_LARGE']),
    },
    {
      name: 'a shard request larger than any',
      protocol: 'shard',
      send: [encodeFrame(new Uint8Array(MiB))],
      expected: broken(['E_FRAME_TOO_LARGE']),
    },
    {
      name: 'an unknown field in a shard request',
      protocol: 'shard',
      send: [encodeFrame(concatBytes([put(1), UNKNOWN_FIELD]))],
      expected: broken(['E_MESSAGE_UNKNOWN_FIELD']),
    },
  ]
}
