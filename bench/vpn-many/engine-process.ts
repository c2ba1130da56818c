import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { EngineAnswer, EngineRequest } from './engines.program.ts'

const PROGRAM = fileURLToPath(new URL('engines.program.ts', import.meta.url))

/** A process of its own with packet engines. */
export class EngineProcess implements AsyncDisposable {
  readonly #child: ChildProcess = fork(PROGRAM, { serialization: 'advanced', execArgv: [] })

  async ask<Kind extends EngineAnswer['kind']>(
    request: EngineRequest,
    kind: Kind,
  ): Promise<Extract<EngineAnswer, { kind: Kind }>> {
    const answered = once(this.#child, 'message') as Promise<[EngineAnswer]>
    const ended = once(this.#child, 'exit').then(() => undefined)
    this.#child.send(request)
    const answer = (await Promise.race([answered, ended]))?.[0]
    if (answer === undefined) throw new Error(`the process of the engines ended with ${this.#child.exitCode}`)
    if (answer.kind !== kind) throw new Error(`${kind} was expected, ${answer.kind} came`)
    return answer as Extract<EngineAnswer, { kind: Kind }>
  }

  /** Ends it at once, as a power cut would. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}
