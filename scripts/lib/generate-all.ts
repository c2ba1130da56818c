import { join } from 'node:path'
import { assembleErasureKernel } from './assemble-erasure-kernel.ts'
import { takeExclusiveLock } from './exclusive-lock.ts'
import { generateMessages } from './generate-messages.ts'

export interface Generated {
  readonly name: string
  /** What was done, for people: files written, or that nothing had changed. */
  readonly outcome: string
}

/**
 * Makes every generated source of the repository: message types from the protobuf schemas and the erasure kernel.
 * What is up to date by the hash of its sources is left alone; runs at the
 * same time wait for each other. @throws WeftError E_GENERATE when a generator fails
 */
export async function generateAll(root: string): Promise<readonly Generated[]> {
  using _lock = takeExclusiveLock(join(root, 'node_modules/.cache/weft-generate.lock'))
  return [
    { name: 'messages', outcome: await generateMessages(root) },
    { name: 'erasure kernel', outcome: await assembleErasureKernel(root) },
  ]
}
