import { WeftError, messageOf } from '@weft/core'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { hashFiles } from './hash-files.ts'
import { listFiles } from './list-files.ts'
import { readStamp, writeStamp } from './stamp.ts'

const PACKAGE = 'packages/erasure'
const ASSEMBLER = `${PACKAGE}/scripts/assemble.ts`
const KERNEL = `${PACKAGE}/src/generated/kernel.ts`
const STAMP = `${PACKAGE}/src/generated/.stamp`

/**
 * Assembles the WebAssembly text of the erasure code into its generated module, by the package's own assembler.
 * @throws WeftError E_GENERATE when the text does not assemble
 */
export async function assembleErasureKernel(root: string): Promise<string> {
  const sources = listFiles(root, [`${PACKAGE}/src/**/*.wat`, `${PACKAGE}/scripts/*.ts`])
  const hash = hashFiles(root, sources)
  if (readStamp(join(root, STAMP)) === hash && existsSync(join(root, KERNEL))) {
    return `${sources.length} sources, unchanged`
  }
  try {
    const assembler = (await import(pathToFileURL(join(root, ASSEMBLER)).href)) as {
      assembleKernel(root: string): Promise<void>
    }
    await assembler.assembleKernel(root)
  } catch (error) {
    throw new WeftError({
      code: 'E_GENERATE',
      cause: `${ASSEMBLER} failed: ${messageOf(error)}`,
      fix: `Correct the .wat source that it names, or run 'npm ci' when a module is missing.`,
      origin: error,
    })
  }
  writeStamp(join(root, STAMP), hash)
  return `${sources.length} sources, written`
}
