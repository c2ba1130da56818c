import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type TestServer, openServer } from './support/open-server.ts'

let server: TestServer
let directory: string
let source: string
let target: string

before(async () => {
  server = await openServer()
  directory = mkdtempSync(join(tmpdir(), 's3-clients-'))
  source = join(directory, 'source')
  target = join(directory, 'target')
  mkdirSync(join(source, 'sub dir', 'ü'), { recursive: true })
  writeFileSync(join(source, 'empty'), '')
  writeFileSync(join(source, 'small+name %41'), 'small')
  writeFileSync(join(source, 'sub dir', 'ü', '日本'), 'unicode')
  writeFileSync(join(source, 'large'), randomBytes(17 << 20))
})
after(async () => {
  await server[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
})

/** In CI a client that is missing is a failure. */
function needs(tool: string): { readonly skip: string | false } {
  const missing = spawnSync(tool, ['version'], { stdio: 'ignore' }).error !== undefined
  return { skip: missing && process.env['CI'] === undefined ? `${tool} is not installed` : false }
}

/** What it prints; it has to end well. */
async function run(tool: string, args: readonly string[], environment: Record<string, string> = {}): Promise<string> {
  const child = spawn(tool, args, {
    // Nothing of whoever runs the tests: settings of clients stand in the environment as well.
    env: { PATH: process.env['PATH'], HOME: directory, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  child.stdout.on('data', (data) => (out += String(data)))
  child.stderr.on('data', (data) => (out += String(data)))
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  assert.equal(status, 0, `${tool} ${args.join(' ')}\n${out}\n${server.logged.join('\n')}`)
  return out
}

function sameFiles(): void {
  for (const name of ['empty', 'small+name %41', join('sub dir', 'ü', '日本'), 'large'])
    assert.ok(readFileSync(join(source, name)).equals(readFileSync(join(target, name))), name)
}

function emptyTarget(): void {
  rmSync(target, { recursive: true, force: true })
  mkdirSync(target)
}

describe('clients that others wrote, unmodified', () => {
  test('rclone: mkdir, sync, check, lists, sync back, moves, purge', needs('rclone'), async () => {
    const { accessKeyId, secretAccessKey } = server.keys.all
    const remote = {
      RCLONE_CONFIG_W_TYPE: 's3',
      RCLONE_CONFIG_W_PROVIDER: 'Other',
      RCLONE_CONFIG_W_ENDPOINT: server.endpoint,
      RCLONE_CONFIG_W_ACCESS_KEY_ID: accessKeyId,
      RCLONE_CONFIG_W_SECRET_ACCESS_KEY: secretAccessKey,
      RCLONE_S3_CHUNK_SIZE: '5M',
      RCLONE_S3_UPLOAD_CUTOFF: '8M',
      RCLONE_RETRIES: '1',
    }
    emptyTarget()
    await run('rclone', ['mkdir', 'w:rclone-bucket'], remote)
    await run('rclone', ['sync', source, 'w:rclone-bucket/some/where'], remote)
    await run('rclone', ['check', source, 'w:rclone-bucket/some/where'], remote)
    await run('rclone', ['check', '--download', source, 'w:rclone-bucket/some/where'], remote)
    assert.match(await run('rclone', ['lsf', '-R', 'w:rclone-bucket'], remote), /some\/where\/sub dir\/ü\/日本/)
    await run('rclone', ['move', 'w:rclone-bucket/some/where', 'w:rclone-bucket/else'], remote)
    await run('rclone', ['sync', 'w:rclone-bucket/else', target], remote)
    sameFiles()
    await run('rclone', ['purge', 'w:rclone-bucket'], remote)
  })

  test('restic: init, backup, check, prune, restore', needs('restic'), async () => {
    const { accessKeyId, secretAccessKey } = server.keys.all
    const repository = {
      RESTIC_REPOSITORY: `s3:${server.endpoint}/restic-bucket/repository`,
      RESTIC_PASSWORD: 'a password',
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    }
    emptyTarget()
    await run('restic', ['init'], repository)
    await run('restic', ['backup', '.'], { ...repository, PWD: source, RESTIC_CACHE_DIR: join(directory, 'cache') })
    await run('restic', ['backup', source], repository)
    await run('restic', ['check', '--read-data'], repository)
    await run('restic', ['forget', '--keep-last', '1', '--prune', '--group-by', ''], repository)
    await run('restic', ['check'], repository)
    const restored = join(directory, 'restored')
    await run('restic', ['restore', 'latest', '--target', restored], repository)
    const before = target
    target = join(restored, source)
    sameFiles()
    target = before
  })

  test('s3cmd: mb, put, multipart, ls, sync, cp, signed URL, del, rb', needs('s3cmd'), async () => {
    const { accessKeyId, secretAccessKey } = server.keys.all
    const options = [
      `--access_key=${accessKeyId}`,
      `--secret_key=${secretAccessKey}`,
      `--host=127.0.0.1:${server.port}`,
      `--host-bucket=127.0.0.1:${server.port}`,
      '--no-ssl',
      '--config=/dev/null',
      '--multipart-chunk-size-mb=5',
    ]
    const s3cmd = (...args: string[]) => run('s3cmd', [...options, ...args])
    emptyTarget()
    await s3cmd('mb', 's3://s3cmd-bucket')
    await s3cmd('put', join(source, 'large'), 's3://s3cmd-bucket/large')
    await s3cmd('sync', `${source}/`, 's3://s3cmd-bucket/all/')
    assert.match(await s3cmd('ls', '-r', 's3://s3cmd-bucket'), /all\/sub dir\/ü\/日本/)
    await s3cmd('sync', 's3://s3cmd-bucket/all/', `${target}/`)
    sameFiles()
    await s3cmd('cp', 's3://s3cmd-bucket/large', 's3://s3cmd-bucket/copy')
    await s3cmd('info', 's3://s3cmd-bucket/copy')
    await s3cmd('info', 's3://s3cmd-bucket')
    await s3cmd('del', '-r', '--force', 's3://s3cmd-bucket')
    await s3cmd('rb', 's3://s3cmd-bucket')
  })
})
