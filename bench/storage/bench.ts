import { randomFillSync } from 'node:crypto'
import { ReedSolomon } from '@weft/erasure'
import { decodeSegment } from '../../packages/storage/src/object/decode-segment.ts'
import { encodeSegment } from '../../packages/storage/src/object/encode-segment.ts'
import { FrameCipher } from '../../packages/storage/src/object/frame-cipher.ts'
import {
  FRAME_PLAINTEXT,
  SEGMENT_PLAINTEXT,
  SEGMENT_SIZE,
  shardLengthOf,
} from '../../packages/storage/src/object/object-layout.ts'
import { deriveObjectKeys } from '../../packages/storage/src/object/object-keys.ts'
import { sealShard } from '../../packages/storage/src/object/seal-shard.ts'
import { shardRoot } from '../../packages/storage/src/object/shard-root.ts'
import { STORAGE_CLASSES } from '../../packages/storage/src/object/storage-class.ts'
import { verifyShard } from '../../packages/storage/src/object/verify-shard.ts'
import type { BenchResult, BenchRow } from '../lib/bench-result.ts'
import { measure } from '../lib/measure.ts'

/** Data through the sender's whole coding, on one thread, that lets a put reach its goal with a core to spare, MB/s. */
const GOAL_ENCODE = 80

/**
 * The coding of one 16 MiB segment on one thread, stage by stage and whole, in MB/s of data (10^6 bytes of plaintext).
 * 1 / MB/s of the stages is the sender's CPU budget of coding; sockets and the holders' disks come on top.
 */
export default async function bench(): Promise<BenchResult> {
  const rows: BenchRow[] = []
  for (const { name, k, n } of STORAGE_CLASSES) rows.push(...(await benchClass(name, k, n)))
  return {
    name: 'storage',
    rows,
    notes: [
      'One thread, one 16 MiB segment; encode is encrypt + code + hash n shards + seal n shards, and decode is that of k data shards with their check.',
      'The raw limit beside each class is a copy of all its shards, as many bytes as a put has to write at least once.',
    ],
  }
}

async function benchClass(name: string, k: number, n: number): Promise<BenchRow[]> {
  const object = new Uint8Array(32).fill(1)
  const keys = deriveObjectKeys(new Uint8Array(32).fill(2), object)
  const cipher = new FrameCipher(keys)
  const code = new ReedSolomon(k, n)
  const plaintext = randomFillSync(new Uint8Array(SEGMENT_PLAINTEXT))
  const length = shardLengthOf(SEGMENT_SIZE, k)
  const shards = Array.from({ length: n }, () => new Uint8Array(length).fill(1))
  const copies = Array.from({ length: n }, () => new Uint8Array(length).fill(1))
  const nodes = Array.from({ length: n }, (_, at) => new Uint8Array(32).fill(at))
  const roots: Uint8Array[] = []
  const speed = async (what: string, task: () => void, goal?: number): Promise<BenchRow> => ({
    what: `${what}, ${name} ${k} of ${n}`,
    unit: 'MB/s',
    ...(await measure(() => megabytesPerSecond(task))),
    ...(goal !== undefined && { goal }),
  })
  const encode = (): void =>
    encodeSegment({
      plaintext,
      segment: 0,
      firstFrame: 0,
      last: true,
      cipher,
      code,
      sealKey: keys.sealKey,
      object,
      nodes,
      shards,
      onShard: (index, root) => {
        roots[index] = root
      },
    })
  const decode = (): void => {
    const opened = copies.slice(0, k)
    for (const [index, shard] of opened.entries()) {
      shard.set(shards[index] as Uint8Array)
      const place = { object, segment: 0, index, node: nodes[index] as Uint8Array }
      if (!verifyShard(shard, place, keys.sealKey, roots[index] as Uint8Array))
        throw new Error(`shard ${index} is wrong`)
    }
    const places = Array.from({ length: n }, (_, index) => opened[index])
    decodeSegment({ shards: places, code, cipher, length: SEGMENT_SIZE, firstFrame: 0, last: true, plaintext })
  }
  return [
    await speed('encrypt', () => {
      for (let at = 0; at < plaintext.length; at += FRAME_PLAINTEXT) {
        cipher.seal(at, false, plaintext.subarray(at, at + FRAME_PLAINTEXT))
      }
    }),
    await speed('Reed-Solomon', () => code.encodeInto(shards.slice(0, k), shards.slice(k))),
    await speed('Merkle roots', () => shards.forEach((shard) => shardRoot(shard))),
    await speed('seal', () => shards.forEach((shard) => sealShard(shard, keys.sealKey))),
    await speed('encode, whole', encode, name === 'tiny' ? GOAL_ENCODE : undefined),
    await speed('decode, whole', decode),
    await speed('raw limit: memory copy', () => copies.forEach((copy, index) => copy.set(shards[index] as Uint8Array))),
  ]
}

function megabytesPerSecond(task: () => void): number {
  const started = performance.now()
  task()
  return SEGMENT_PLAINTEXT / 1000 / (performance.now() - started)
}
