import { Decrypter, Encrypter } from 'age-encryption'
import { WeftError, concatBytes, messageOf } from '@weft/core'

// Archives are sealed as age files under a passphrase (age-encryption.org/v1), so that other programs open them, too.

/** As the age program takes by default: 256 MiB of memory and about a second for each try. */
const WORK_FACTOR = 18
/** What stands in front of the sealed bytes has 200 bytes; one for very many keys is not ours. */
const MAX_HEADER = 4_096
const INTRO = 'age-encryption.org/v1\n'

/** Seals a stream under a passphrase. Runs as fast as it is read; takes a second at first. */
export async function* sealArchive(source: AsyncIterable<Uint8Array>, passphrase: string): AsyncGenerator<Uint8Array> {
  const encrypter = new Encrypter()
  encrypter.setPassphrase(passphrase)
  encrypter.setScryptWorkFactor(WORK_FACTOR)
  yield* await encrypter.encrypt(streamOf(source))
}

/** Opens what `sealArchive` sealed, or `age --passphrase`. @throws WeftError E_ARCHIVE_SEAL, E_ARCHIVE_PASSPHRASE, and what the source throws */
export async function* openArchive(source: AsyncIterable<Uint8Array>, passphrase: string): AsyncGenerator<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]()
  let failure: Error | undefined
  const watched = async function* (begin: Uint8Array): AsyncGenerator<Uint8Array> {
    yield begin
    try {
      for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error))
      throw error
    }
  }
  try {
    const begin = await headerOf(chunks)
    const decrypter = new Decrypter()
    decrypter.addPassphrase(passphrase)
    const opened = await decrypter.decrypt(streamOf(watched(begin))).catch((error: unknown) => {
      // The library has no classes of errors; of a header that was changed it says something else.
      throw messageOf(error).startsWith('no identity matched') ? wrongPassphrase() : error
    })
    yield* opened
  } catch (error) {
    if (failure !== undefined) throw failure
    if (error instanceof WeftError) throw error
    throw sealBroken('it was changed, or cut off', error)
  } finally {
    await chunks.return?.()
  }
}

/** The beginning of the file, once the whole header is there and is one for a passphrase. */
async function headerOf(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let begin: Uint8Array = new Uint8Array(0)
  for (;;) {
    const text = Buffer.from(begin.subarray(0, MAX_HEADER)).toString('latin1')
    if (!INTRO.startsWith(text.slice(0, INTRO.length)) && !text.startsWith(INTRO)) {
      throw sealBroken('it does not begin as an age file does')
    }
    if (/\n--- [^\n]*\n/.test(text)) {
      const factor = /^-> scrypt \S+ (\d{1,2})$/m.exec(text)?.[1]
      if (factor === undefined) throw sealBroken('it is sealed for keys, not under a passphrase')
      if (Number(factor) > WORK_FACTOR) throw sealBroken(`to open it takes ${2 ** (Number(factor) - 10)} MiB of memory`)
      return begin
    }
    if (begin.length >= MAX_HEADER) throw sealBroken('its header has no end')
    const next = await chunks.next()
    if (next.done === true) throw sealBroken('it ends within its header')
    begin = concatBytes([begin, next.value])
  }
}

/** Read as it is asked for; whoever gives it up gives its source back. */
function streamOf(source: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array<ArrayBuffer>> {
  const chunks = source[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull: async (controller) => {
        const next = await chunks.next()
        if (next.done === true) controller.close()
        else controller.enqueue(next.value as Uint8Array<ArrayBuffer>)
      },
      cancel: async () => {
        await chunks.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}

function wrongPassphrase(): WeftError {
  return new WeftError({
    code: 'E_ARCHIVE_PASSPHRASE',
    cause: 'The archive does not open with this passphrase.',
    fix: 'Give the one that `weft export` printed, with its hyphens, or that was given to it.',
  })
}

function sealBroken(why: string, origin?: unknown): WeftError {
  return new WeftError({
    code: 'E_ARCHIVE_SEAL',
    cause: `The file is no archive that can be opened: ${why}.`,
    fix: 'Take the file as `weft export` wrote it, copied whole. What was imported before stays.',
    origin,
  })
}
