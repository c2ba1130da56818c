import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { PassThrough } from 'node:stream'
import { Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption'
import { fromHex, utf8 } from '@weft/core'
import { newPassphrase } from '../src/archive/passphrase.ts'
import { openArchive, sealArchive } from '../src/archive/sealed-archive.ts'
import { Output } from '../src/output/output.ts'
import { readHiddenLine } from '../src/program/read-hidden-line.ts'

const VECTORS = new URL('../../storage/test/vectors/archive.json', import.meta.url)
const { archive, sealed, passphrase } = JSON.parse(readFileSync(VECTORS, 'utf8')) as Record<string, string>

async function* chunks(bytes: Uint8Array, size = 1_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function opened(bytes: Uint8Array, words = passphrase ?? '', size?: number): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(openArchive(chunks(bytes, size), words)))
}

const SEALED = new Uint8Array(Buffer.from(sealed ?? '', 'base64'))

test('the sealed archive of the vectors opens, in pieces of any size', async () => {
  for (const size of [1, 21, 22, 100, 65_536]) {
    assert.deepEqual(new Uint8Array(await opened(SEALED, passphrase, size)), fromHex(archive ?? ''))
  }
})

test('what is sealed opens with its passphrase alone', async () => {
  const bytes = new Uint8Array(200_000).fill(5)
  const made = newPassphrase()
  assert.match(made, /^(?:[a-z2-7]{4}-){5}[a-z2-7]{4}$/)
  const file = Buffer.concat(await Array.fromAsync(sealArchive(chunks(bytes), made)))
  assert.ok(file.toString('latin1').startsWith('age-encryption.org/v1\n-> scrypt '))
  assert.ok((await opened(file, made)).equals(bytes))
  await assert.rejects(opened(file, `${made}x`), { code: 'E_ARCHIVE_PASSPHRASE' })
})

test('every cut and every changed byte is refused', async () => {
  const header = SEALED.indexOf(0x0a, Buffer.from(SEALED).indexOf('\n--- ') + 1) + 1
  for (const length of [0, 5, 30, header - 1, header, header + 10, SEALED.length - 1]) {
    await assert.rejects(opened(SEALED.slice(0, length)), { code: 'E_ARCHIVE_SEAL' }, String(length))
  }
  for (const at of [0, 10, header + 3, header + 100, SEALED.length - 1]) {
    const changed = SEALED.slice()
    changed[at] = (changed[at] as number) ^ 1
    await assert.rejects(opened(changed), { code: 'E_ARCHIVE_SEAL' }, String(at))
  }
  await assert.rejects(opened(Buffer.concat([SEALED, Buffer.from('x')])), { code: 'E_ARCHIVE_SEAL' })
})

test('a file for keys, one that takes too much memory and a header without end are refused before they are opened', async () => {
  const encrypter = new Encrypter()
  encrypter.addRecipient(await identityToRecipient(await generateX25519Identity()))
  await assert.rejects(opened(await encrypter.encrypt(utf8('x'))), { cause: /sealed for keys/ })
  const dear = Buffer.from(
    Buffer.from(SEALED)
      .toString('latin1')
      .replace(/^(-> scrypt \S+) 10$/m, '$1 20'),
    'latin1',
  )
  await assert.rejects(opened(dear), { cause: /1024 MiB/ })
  const endless = Buffer.from(`age-encryption.org/v1\n${'x'.repeat(9_000)}`)
  await assert.rejects(opened(endless), { cause: /header has no end/ })
})

test('what the source of an archive throws is thrown as it is, and a reader that leaves ends it', async () => {
  let isOver = false
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield SEALED.subarray(0, 400)
      throw new TypeError('broken')
    } finally {
      isOver = true
    }
  }
  await assert.rejects(Array.fromAsync(openArchive(broken(), passphrase ?? '')), TypeError)
  assert.ok(isOver)
  const left = Promise.withResolvers<void>()
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield new Uint8Array(100_000)
    } finally {
      left.resolve()
    }
  }
  for await (const _ of sealArchive(endless(), 'a passphrase')) break
  await left.promise
})

function typed(keys: string): {
  readonly line: Promise<string>
  readonly raw: boolean[]
  readonly interrupts: () => number
} {
  const raw: boolean[] = []
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (on: boolean) => raw.push(on),
  }) as unknown as NodeJS.ReadStream & PassThrough
  const stderr = new PassThrough() as unknown as NodeJS.WriteStream
  let interrupts = 0
  const controller = new AbortController()
  const line = readHiddenLine(
    'P: ',
    8,
    { output: new Output(false, stderr, stderr), signal: controller.signal },
    stdin,
    () => {
      interrupts++
      controller.abort(new TypeError('interrupted'))
    },
  )
  stdin.write(keys)
  return { line, raw, interrupts: () => interrupts }
}

test('a hidden line is taken as it is typed: rubbed out, ended, cut and interrupted', async () => {
  for (const [keys, line] of [
    ['abc\r', 'abc'],
    ['abd\u007fc\nmore', 'abc'],
    ['\u007fé\u0004', 'é'],
    ['123456789\r', '12345678'],
  ] as const) {
    const { line: got, raw } = typed(keys)
    assert.equal(await got, line)
    assert.deepEqual(raw, [true, false])
  }
  const { line, raw, interrupts } = typed('ab\u0003')
  await assert.rejects(line)
  assert.deepEqual([interrupts(), raw], [1, [true, false]])
})
