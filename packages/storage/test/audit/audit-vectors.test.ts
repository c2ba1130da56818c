import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fromHex, toHex } from '@weft/core'
import { SigningKey, toDidKey } from '@weft/crypto'
import { type AuditDraw, auditorsOf, drawLeafOf, drawLeaves } from '../../src/audit/audit-draw.ts'
import { provesWrong } from '../../src/audit/audit-evidence.ts'
import { HELD } from '../../src/audit/judge-item.ts'
import { Manifest } from '../../src/audit/manifest.ts'
import { encodeEntry } from '../../src/audit/manifest-entry.ts'
import { readLeaf } from '../../src/audit/read-leaf.ts'
import { manifestName, signAnswer, signManifest, signReceipt } from '../../src/audit/signed-audit.ts'
import { openSealKey } from '../../src/object/seal-keys.ts'

interface Signed {
  readonly body: string
  readonly signature: string
}
interface Vectors {
  /** Seeds of keys. */
  readonly holder: string
  readonly auditor: string
  readonly network: string
  readonly epoch: number
  readonly validators: string[]
  readonly auditors: string[]
  readonly beacon: string
  /** Of 1,000,000. */
  readonly leaves: number[]
  readonly shards: { object: string; segment: number; index: number; length: number; entry: string }[]
  readonly root: string
  readonly leafOfFirst: number
  /** The first shard is `length` bytes of this value. */
  readonly byte: number
  readonly manifest: Signed
  readonly answer: Signed
  readonly receipt: Signed
  readonly sealKeys: { seed: string; object: string; sealKey: string; wrapped: string }
}

const vectors = JSON.parse(readFileSync(new URL('../vectors/audits.json', import.meta.url), 'utf8')) as Vectors
const holder = new SigningKey(fromHex(vectors.holder))
const auditor = new SigningKey(fromHex(vectors.auditor))
const { network, epoch } = vectors
const draw: AuditDraw = { beacon: fromHex(vectors.beacon), node: holder.id, auditor: auditor.id, epoch }
const shards = vectors.shards.map(({ object, segment, index, length }) => {
  return { name: { object: fromHex(object), segment, index }, length }
})
const hex = ({ body, signature }: { body: Uint8Array; signature: Uint8Array }): Signed => {
  return { body: toHex(body), signature: toHex(signature) }
}

test('vectors: auditors and draws', () => {
  const validators = vectors.validators.map((key) => toDidKey(fromHex(key)))
  const auditors = vectors.auditors.map((key) => toDidKey(fromHex(key)))
  assert.deepEqual(auditorsOf(holder.publicKey, epoch, validators), auditors)
  assert.deepEqual(drawLeaves(draw, 1_000_000).slice(0, vectors.leaves.length), vectors.leaves)
  assert.equal(drawLeafOf(draw, shards[0]!.name, shards[0]!.length), vectors.leafOfFirst)
})

test('vectors: manifest, answer and receipt', async () => {
  const manifest = await Manifest.of((after) => (after === undefined ? shards : []))
  assert.equal(toHex(manifest.root), vectors.root)
  for (const [at, { entry }] of vectors.shards.entries()) assert.equal(toHex(encodeEntry(manifest.entry(at))), entry)
  const said = signManifest(holder, {
    network,
    epoch: BigInt(epoch),
    node: holder.publicKey,
    auditor: auditor.publicKey,
    beacon: 41n,
    root: manifest.root,
    shards: BigInt(manifest.shards),
    leaves: BigInt(manifest.leaves),
  })
  assert.deepEqual(hex(said), vectors.manifest)

  const { name, length } = shards[0]!
  const bytes = async function* (): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(length).fill(vectors.byte)
  }
  const leaf = await readLeaf(bytes(), vectors.leafOfFirst)
  const entry = { name, length: BigInt(length), start: 0n, position: 0n, proof: manifest.proof(0) }
  const question = { epoch: BigInt(epoch), names: [name] }
  const answer = signAnswer(holder, {
    manifest: manifestName(said),
    question,
    items: [{ state: HELD, ...entry, ...leaf }],
  })
  assert.deepEqual(hex(answer), vectors.answer)
  assert.ok(!provesWrong({ manifest: said, answer }, holder.id, network, draw.beacon))
  const lie = { ...leaf, data: leaf.data.map((byte) => byte ^ 1) }
  const wrong = signAnswer(holder, {
    manifest: manifestName(said),
    question,
    items: [{ state: HELD, ...entry, ...lie }],
  })
  assert.ok(provesWrong({ manifest: said, answer: wrong }, holder.id, network, draw.beacon))

  const receipt = signReceipt(auditor, {
    network,
    epoch: BigInt(epoch),
    node: holder.publicKey,
    auditor: auditor.publicKey,
    verdict: 1,
    shards: 3n,
    leaves: BigInt(manifest.leaves),
    asked: 5,
    kept: 3,
    missing: 1,
    unknown: 1,
    at: 1_790_000_000_000n,
  })
  assert.deepEqual(hex(receipt), vectors.receipt)
})

test('vectors: a wrapped seal key', () => {
  const { seed, object, sealKey, wrapped } = vectors.sealKeys
  const opened = openSealKey(fromHex(wrapped), fromHex(object), new SigningKey(fromHex(seed)))
  assert.equal(toHex(opened!), sealKey)
})
