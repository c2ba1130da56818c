import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

/** A script of Node in a process of its own that answers what it is asked, a message each, in that order. */
export class AskedProcess<Request extends object, Answer extends { readonly kind: string }> implements AsyncDisposable {
  readonly #child: ChildProcess

  /** @param namespace the network namespace it runs in; that of this process by default */
  constructor(script: string, namespace?: string) {
    const by =
      namespace === undefined
        ? { execArgv: [] }
        : // The program that goes into the namespace becomes Node, and the channel stays open over that.
          { execPath: 'ip', execArgv: ['netns', 'exec', namespace, process.execPath] }
    this.#child = fork(script, { serialization: 'advanced', ...by })
  }

  /** @throws Error when it ends before it answers */
  async ask<Kind extends Answer['kind']>(request: Request, kind: Kind): Promise<Extract<Answer, { kind: Kind }>> {
    const over = new AbortController()
    const { signal } = over
    const message = once(this.#child, 'message', { signal }) as Promise<[Answer]>
    const ended = once(this.#child, 'exit', { signal }).then(() => undefined)
    // Whichever does not come is of no interest.
    for (const waited of [message, ended]) waited.catch(() => {})
    this.#child.send(request)
    const answer = (await Promise.race([message, ended]))?.[0]
    over.abort()
    if (answer === undefined) throw new Error(`the process that was asked ended with ${this.#child.exitCode}`)
    if (answer.kind !== kind) throw new Error(`${kind} was expected, ${answer.kind} came`)
    return answer as Extract<Answer, { kind: Kind }>
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
