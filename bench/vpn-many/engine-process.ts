import { fileURLToPath } from 'node:url'
import { AskedProcess } from '../lib/asked-process.ts'
import type { EngineAnswer, EngineRequest } from './engines.program.ts'

const PROGRAM = fileURLToPath(new URL('engines.program.ts', import.meta.url))

/** A process of its own with packet engines. */
export class EngineProcess extends AskedProcess<EngineRequest, EngineAnswer> {
  /** @param namespace the network namespace it runs in; that of this process by default */
  constructor(namespace?: string) {
    super(PROGRAM, namespace)
  }
}
