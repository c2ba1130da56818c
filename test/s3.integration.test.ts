import assert from 'node:assert/strict'
import { createHash, randomBytes, randomFillSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import * as s3 from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { eventually } from './lib/eventually.ts'
import { findNodeProcesses } from './lib/find-node-processes.ts'
import { skipWithout } from './lib/needs.ts'
import { runClient, sameFiles, writeFiles } from './lib/s3-files.ts'
import { upDevnet } from './lib/up-devnet.ts'
import { weft, weftJson } from './lib/weft.ts'

// The S3 API of a node of a devnet, asked by clients that others wrote, unmodified, with its daemon killed in between.
// `npm test -- --long` puts 1 GB in parts.

const BASE_PORT = 21_400
const PART = 8 << 20
const PARTS = process.env['WEFT_LONG'] === undefined ? 16 : 128

interface Key {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly endpoint: string
}

describe('S3 in front of a network', { skip: skipWithout('s3Clients') }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-s3-'))
  const net = join(directory, 'net')
  const env = { WEFT_HOME: join(net, 'client') }
  const source = join(directory, 'source')
  const clients: s3.S3Client[] = []
  let key: Key
  let client: s3.S3Client

  const makeKey = (...args: string[]): Promise<Key> => weftJson<Key>(['s3', 'key', 'create', ...args], env)
  const open = ({ endpoint, accessKeyId, secretAccessKey }: Key): s3.S3Client => {
    const credentials = { accessKeyId, secretAccessKey }
    const made = new s3.S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1, credentials })
    clients.push(made)
    return made
  }
  const named = (name: string) => (error: unknown) => {
    assert.equal((error as Error).name, name)
    return true
  }
  /** The power goes, and comes back. */
  const kill = async (): Promise<void> => {
    for (const command of ['kill', 'restart']) {
      const { code, stderr } = await weft(['devnet', command, 'client', '--dir', net])
      assert.equal(code, 0, stderr)
    }
  }
  const putText = (Bucket: string, Key: string, Body: string) =>
    client.send(new s3.PutObjectCommand({ Bucket, Key, Body }))
  const textOf = async (Bucket: string, Key: string, more: Partial<s3.GetObjectCommandInput> = {}) =>
    (await client.send(new s3.GetObjectCommand({ Bucket, Key, ...more }))).Body?.transformToString()

  before(async () => {
    writeFiles(source)
    await upDevnet({ dir: net, basePort: BASE_PORT, seed: 's3' })
    key = await makeKey('--name', 'all')
    client = open(key)
  })
  after(async () => {
    for (const each of clients) each.destroy()
    await weft(['devnet', 'down', '--dir', net])
    assert.deepEqual(findNodeProcesses(net), [])
    rmSync(directory, { recursive: true })
  })

  test('weft status says where it is', async () => {
    const { s3: state } = await weftJson<{ s3: { state: string; keys: number; port: number } }>(['status'], env)
    assert.deepEqual([state.state, state.keys], ['up', 1])
    assert.equal(key.endpoint, `http://127.0.0.1:${state.port}`)
  })

  test('restic: init, backup, check, prune, restore, over a killed daemon', async () => {
    const repository = {
      HOME: directory,
      RESTIC_REPOSITORY: `s3:${key.endpoint}/restic-bucket/repository`,
      RESTIC_PASSWORD: 'a password',
      AWS_ACCESS_KEY_ID: key.accessKeyId,
      AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
    }
    const restic = (...args: string[]) => runClient('restic', args, repository)
    await restic('init')
    await restic('backup', source)
    await kill()
    await restic('backup', source)
    await restic('check', '--read-data')
    await restic('forget', '--keep-last', '1', '--prune', '--group-by', '')
    await restic('check')
    const restored = join(directory, 'restored')
    await restic('restore', 'latest', '--target', restored)
    sameFiles(source, join(restored, source))
  })

  test('rclone: sync, check, and back, over a killed daemon', async () => {
    const remote = {
      HOME: directory,
      RCLONE_CONFIG_W_TYPE: 's3',
      RCLONE_CONFIG_W_PROVIDER: 'Other',
      RCLONE_CONFIG_W_ENDPOINT: key.endpoint,
      RCLONE_CONFIG_W_ACCESS_KEY_ID: key.accessKeyId,
      RCLONE_CONFIG_W_SECRET_ACCESS_KEY: key.secretAccessKey,
      RCLONE_S3_CHUNK_SIZE: '5M',
      RCLONE_S3_UPLOAD_CUTOFF: '8M',
    }
    const rclone = (...args: string[]) => runClient('rclone', args, remote)
    await rclone('mkdir', 'w:rclone-bucket')
    await rclone('sync', source, 'w:rclone-bucket/some/where')
    await kill()
    await rclone('check', '--download', source, 'w:rclone-bucket/some/where')
    await rclone('sync', 'w:rclone-bucket/some/where', join(directory, 'synced'))
    sameFiles(source, join(directory, 'synced'))
    await rclone('purge', 'w:rclone-bucket')
  })

  test('s3cmd: mb, sync, and back, del, rb', async () => {
    const s3cmd = (...args: string[]) => {
      const { host } = new URL(key.endpoint)
      const own = [`--access_key=${key.accessKeyId}`, `--secret_key=${key.secretAccessKey}`, '--config=/dev/null']
      const options = [...own, `--host=${host}`, `--host-bucket=${host}`, '--no-ssl', '--multipart-chunk-size-mb=5']
      return runClient('s3cmd', [...options, ...args], { HOME: directory })
    }
    const target = join(directory, 's3cmd')
    mkdirSync(target)
    await s3cmd('mb', 's3://s3cmd-bucket')
    await s3cmd('sync', `${source}/`, 's3://s3cmd-bucket/all/')
    await s3cmd('sync', 's3://s3cmd-bucket/all/', `${target}/`)
    sameFiles(source, target)
    await s3cmd('del', '-r', '--force', 's3://s3cmd-bucket')
    await s3cmd('rb', 's3://s3cmd-bucket')
  })

  test(`the AWS SDK: ${PARTS * 8} MiB in parts, a range of them, after a killed daemon`, async () => {
    const name = { Bucket: 'large', Key: 'large' }
    await client.send(new s3.CreateBucketCommand({ Bucket: name.Bucket }))
    const sent = createHash('sha256')
    let third = Buffer.alloc(0)
    const Body = Readable.from(
      (function* () {
        for (let at = 0; at < PARTS; at++) {
          const part = randomFillSync(Buffer.alloc(PART))
          if (at === 2) third = Buffer.from(part.subarray(0, 1_000))
          sent.update(part)
          yield part
        }
      })(),
      { objectMode: false },
    )
    await new Upload({ client, params: { ...name, Body }, partSize: PART, queueSize: 2 }).done()
    await kill()
    const range = await client.send(new s3.GetObjectCommand({ ...name, Range: `bytes=${2 * PART}-${2 * PART + 999}` }))
    assert.ok(third.equals((await range.Body?.transformToByteArray()) ?? Buffer.alloc(0)))
    const got = createHash('sha256')
    const { Body: back } = await client.send(new s3.GetObjectCommand(name))
    for await (const piece of back as Readable) got.update(piece as Buffer)
    assert.equal(got.digest('hex'), sent.digest('hex'))
    await client.send(new s3.DeleteObjectCommand(name))
  })

  test('versions, and presigned URLs, over a killed daemon', async () => {
    const Bucket = 'versions'
    await client.send(new s3.CreateBucketCommand({ Bucket }))
    const VersioningConfiguration = { Status: 'Enabled' } as const
    await client.send(new s3.PutBucketVersioningCommand({ Bucket, VersioningConfiguration }))
    const one = await putText(Bucket, 'key', 'one')
    await putText(Bucket, 'key', 'two')
    const url = await getSignedUrl(client, new s3.GetObjectCommand({ Bucket, Key: 'key' }), { expiresIn: 300 })
    await kill()
    assert.equal(await (await fetch(url)).text(), 'two')
    assert.equal(await textOf(Bucket, 'key', { VersionId: one.VersionId }), 'one')
    await client.send(new s3.DeleteObjectCommand({ Bucket, Key: 'key' }))
    await assert.rejects(textOf(Bucket, 'key'), named('NoSuchKey'))
    const all = await client.send(new s3.ListObjectVersionsCommand({ Bucket }))
    assert.deepEqual([all.Versions?.length, all.DeleteMarkers?.length], [2, 1])
    assert.equal((await fetch(url.replace('X-Amz-Expires=300', 'X-Amz-Expires=301'))).status, 403)
  })

  test('an upload goes on behind a killed daemon; a put that it broke off left nothing', async () => {
    const name = { Bucket: 'parts', Key: 'key' }
    await client.send(new s3.CreateBucketCommand({ Bucket: name.Bucket }))
    const { UploadId } = await client.send(new s3.CreateMultipartUploadCommand(name))
    const bodies = [randomBytes(5 << 20), randomBytes(100)]
    const part = (at: number) =>
      client.send(
        new s3.UploadPartCommand({ ...name, UploadId, PartNumber: at + 1, Body: bodies[at] ?? assert.fail() }),
      )
    const first = await part(0)
    const objects = async (): Promise<readonly string[]> =>
      (await weftJson<{ objects: { object: string }[] }>(['ls'], env)).objects.map(({ object }) => object)
    const known = await objects()
    const Body = Readable.from(
      (async function* () {
        yield randomBytes(4 << 20)
        // The other half never comes.
        await new Promise(() => {})
      })(),
      { objectMode: false },
    )
    const half = client.send(
      new s3.PutObjectCommand({ Bucket: name.Bucket, Key: 'half', Body, ContentLength: 8 << 20 }),
    )
    const broken = assert.rejects(half)
    const running = async (): Promise<number> =>
      (await weftJson<{ s3: { running: number } }>(['status'], env)).s3.running
    await eventually('the put at the daemon', running, (count) => count === 1)
    await kill()
    await broken
    // Of what was broken off nothing is left among the objects.
    await eventually('the objects that were there before', objects, (found) => isDeepStrictEqual(found, known))
    await assert.rejects(textOf(name.Bucket, 'half'), named('NoSuchKey'))
    const listed = await client.send(new s3.ListPartsCommand({ ...name, UploadId }))
    assert.deepEqual(
      listed.Parts?.map(({ PartNumber, ETag }) => [PartNumber, ETag]),
      [[1, first.ETag]],
    )
    const second = await part(1)
    const Parts = [first, second].map(({ ETag }, at) => ({ PartNumber: at + 1, ETag }))
    await client.send(new s3.CompleteMultipartUploadCommand({ ...name, UploadId, MultipartUpload: { Parts } }))
    const { Body: whole } = await client.send(new s3.GetObjectCommand(name))
    assert.ok(Buffer.concat(bodies).equals((await whole?.transformToByteArray()) ?? Buffer.alloc(0)))
  })

  test('wrong keys, any names, no bytes, and an object that was removed below its name', async () => {
    const Bucket = 'bad-input'
    await client.send(new s3.CreateBucketCommand({ Bucket }))
    const list = (each: s3.S3Client) => each.send(new s3.ListObjectsV2Command({ Bucket }))
    await assert.rejects(list(open({ ...key, secretAccessKey: 'x'.repeat(40) })), named('SignatureDoesNotMatch'))
    await assert.rejects(list(open({ ...key, accessKeyId: 'WEFTNOBODY' })), named('InvalidAccessKeyId'))
    const other = open(await makeKey('--name', 'other', '--bucket', 'another', '--read-only'))
    await assert.rejects(list(other), named('AccessDenied'))
    for (const Key of ['..', 'a//b', '日本/🧵', 'line\nfeed', '\u202e\u0001', 'x'.repeat(1024)]) {
      await putText(Bucket, Key, Key)
      assert.equal(await textOf(Bucket, Key), Key)
      await client.send(new s3.DeleteObjectCommand({ Bucket, Key }))
    }
    await putText(Bucket, 'empty', '')
    assert.equal(await textOf(Bucket, 'empty'), '')
    const before = await weftJson<{ objects: { object: string }[] }>(['ls'], env)
    await putText(Bucket, 'removed', 'removed')
    const known = new Set(before.objects.map(({ object }) => object))
    const { objects } = await weftJson<{ objects: { object: string; size: number }[] }>(['ls'], env)
    const { object } = objects.find((each) => each.size === 7 && !known.has(each.object)) ?? assert.fail()
    await weftJson(['rm', object, '--yes'], env)
    await assert.rejects(textOf(Bucket, 'removed'), named('NoSuchKey'))
    await client.send(new s3.DeleteObjectCommand({ Bucket, Key: 'removed' }))
    await weftJson(['s3', 'key', 'revoke', 'other'], env)
    await assert.rejects(list(other), named('InvalidAccessKeyId'))
    const revoked = await weft(['s3', 'key', 'revoke', 'other'], env)
    assert.deepEqual([revoked.code, revoked.stderr.split(':')[0]], [5, 'E_S3_KEY_UNKNOWN'])
  })
})
