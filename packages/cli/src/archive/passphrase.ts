import { systemRandom, toBase32 } from '@weft/core'
import type { Invocation } from '../program/invocation.ts'
import { readSmallFile } from '../program/read-small-file.ts'
import { usageError } from '../program/usage-error.ts'

/** Random bytes of a passphrase that nobody chose: 120 bits. */
const RANDOM_BYTES = 15
const GROUP = 4
/** Characters of one that somebody chose. */
const MIN_CHOSEN = 12
const MOST = 1_024

/** 24 letters and digits in groups of four, by hyphens. */
export function newPassphrase(): string {
  const text = toBase32(systemRandom.bytes(RANDOM_BYTES))
  return text.match(new RegExp(`.{${GROUP}}`, 'g'))?.join('-') ?? text
}

/**
 * The first line of the file that --passphrase-file names; undefined without it.
 * @param isNew whether it is to seal something. @throws WeftError E_USAGE, E_FILE_NOT_FOUND, E_FILE
 */
export async function passphraseFile(invocation: Invocation, isNew: boolean): Promise<string | undefined> {
  const path = invocation.text('passphraseFile')
  if (path === undefined) return undefined
  const [line = ''] = (await readSmallFile(invocation, path)).split('\n')
  const passphrase = line.replace(/\r$/, '')
  if (passphrase === '')
    throw usageError('The first line of the passphrase file is empty.', 'Write the passphrase there.')
  if (passphrase.length > MOST)
    throw usageError(`The passphrase has more than ${MOST} characters.`, 'Take a shorter one.')
  if (isNew && passphrase.length < MIN_CHOSEN) {
    throw usageError(
      `The passphrase has fewer than ${MIN_CHOSEN} characters: whoever finds the archive tries them all.`,
      'Take a longer one, or none: then one is made for you and printed.',
    )
  }
  return passphrase
}
