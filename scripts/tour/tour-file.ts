import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'

/** Class `tiny` stores three bytes for each; the rest is left for others. */
const ROOM_NEEDED = 5
const SMALL_MB = 24

export interface TourFile {
  readonly path: string
  readonly size: number
  readonly sha256: string
  /** What it is, for people. */
  readonly words: string
}

/**
 * A real file for the tour: the program of Node itself, of about 150 MB; on a disk with little room, 24 MB of random
 * bytes made for the purpose below `directory`.
 */
export async function chooseTourFile(directory: string): Promise<TourFile> {
  const { size } = await stat(process.execPath)
  const { bavail, bsize } = await statfs(directory)
  if (bavail * bsize > ROOM_NEEDED * size) {
    return {
      path: process.execPath,
      size,
      sha256: await hashFile(process.execPath),
      words: `the program of Node ${process.version} itself`,
    }
  }
  const path = join(directory, 'tour', 'random.bin')
  await mkdir(join(directory, 'tour'), { recursive: true, mode: 0o700 })
  await using file = await open(path, 'w', 0o600)
  for (let megabyte = 0; megabyte < SMALL_MB; megabyte++) await file.write(randomBytes(1_000_000))
  return {
    path,
    size: SMALL_MB * 1_000_000,
    sha256: await hashFile(path),
    words: 'random bytes, as the disk has little room',
  }
}

/** SHA-256 of a file, hex. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1_048_576 })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
