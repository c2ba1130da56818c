import type { WorkerMessage, WorkerPort } from '../../src/engine/worker-message.ts'

type Listener = (message: WorkerMessage) => void

/** Two ends of a way between workers; what is sent arrives when it is delivered, in its order. */
export class FakeWorkerPorts {
  readonly #waiting: (() => void)[] = []
  readonly #closers: (() => void)[] = []
  readonly ends: readonly [WorkerPort, WorkerPort]
  /** Messages sent, by type. */
  readonly sent: Record<string, number> = {}

  constructor() {
    const listeners: [Listener[], Listener[]] = [[], []]
    const end = (to: Listener[], own: Listener[]): WorkerPort => ({
      postMessage: (message, moved) => {
        this.sent[message.type] = (this.sent[message.type] ?? 0) + 1
        const arrived = structuredClone(message, { transfer: moved })
        this.#waiting.push(() => {
          for (const listener of to) listener(arrived)
        })
      },
      on: (event: 'message' | 'close', listener: Listener) => {
        if (event === 'message') own.push(listener)
        else this.#closers.push(() => (listener as () => void)())
      },
      close: () => {
        for (const close of this.#closers.splice(0)) close()
      },
    })
    this.ends = [end(listeners[1], listeners[0]), end(listeners[0], listeners[1])]
  }

  /** Until nothing is on its way. */
  deliver(): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) next()
  }

  get waiting(): number {
    return this.#waiting.length
  }
}
