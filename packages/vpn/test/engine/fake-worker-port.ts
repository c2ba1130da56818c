import type { WorkerMessage, WorkerPort } from '../../src/engine/worker-message.ts'

type Listener = (message: WorkerMessage) => void

/** Two ends of a way between workers; what is sent arrives when it is delivered, in its order. */
export class FakeWorkerPorts {
  readonly #waiting: { readonly to: 0 | 1; readonly message: WorkerMessage; readonly arrive: () => void }[] = []
  readonly #closers: (() => void)[] = []
  readonly ends: readonly [WorkerPort, WorkerPort]
  /** Messages sent, by type. */
  readonly sent: Record<string, number> = {}

  constructor() {
    const listeners: [Listener[], Listener[]] = [[], []]
    const end = (at: 0 | 1): WorkerPort => ({
      postMessage: (message, moved) => {
        this.sent[message.type] = (this.sent[message.type] ?? 0) + 1
        const arrived = structuredClone(message, { transfer: moved })
        const to = at === 0 ? 1 : 0
        const arrive = (): void => {
          for (const listener of listeners[to]) listener(arrived)
        }
        this.#waiting.push({ to, message: arrived, arrive })
      },
      on: (event: 'message' | 'close', listener: Listener) => {
        if (event === 'message') listeners[at].push(listener)
        else this.#closers.push(() => (listener as () => void)())
      },
      close: () => {
        for (const close of this.#closers.splice(0)) close()
      },
    })
    this.ends = [end(0), end(1)]
  }

  /** Until nothing is on its way, or nothing to the end that is said: the other one reads nothing meanwhile. */
  deliver(to?: 0 | 1): void {
    for (;;) {
      const at = this.#waiting.findIndex((one) => to === undefined || one.to === to)
      if (at < 0) return
      for (const { arrive } of this.#waiting.splice(at, 1)) arrive()
    }
  }

  /** Packets of circuits that one end has not read. */
  packetsTo(to: 0 | 1): number {
    let packets = 0
    for (const one of this.#waiting) {
      if (one.to !== to) continue
      const { message } = one
      if (message.type === 'join') packets++
      else if (message.type === 'up' || message.type === 'down') packets += message.count
    }
    return packets
  }

  get waiting(): number {
    return this.#waiting.length
  }
}
