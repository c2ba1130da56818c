import type { Duplex } from 'node:stream'

export interface PumpInit {
  /** Counts what goes on, and says for how many ms the source has to pause after it. */
  readonly onBytes: (length: number) => number
  /** Calls back once after so many ms; returns what takes that back. */
  readonly after: (ms: number, callback: () => void) => () => void
}

/**
 * Hands on what comes at `from` to `to`, end included. The source waits while the sink has as much as it takes or its share is used up, so that
 * what waits here is bounded by the buffers of the two. Both are destroyed when either breaks.
 */
export function pump(from: Duplex, to: Duplex, { onBytes, after }: PumpInit): void {
  let cancel: (() => void) | undefined
  let isFull = false
  const go = (): void => {
    if (!isFull && cancel === undefined) from.resume()
  }
  from.on('data', (chunk: Uint8Array) => {
    const pauseMs = onBytes(chunk.length)
    isFull = !to.write(chunk)
    if (pauseMs > 0)
      cancel = after(pauseMs, () => {
        cancel = undefined
        go()
      })
    if (isFull || cancel !== undefined) from.pause()
  })
  to.on('drain', () => {
    isFull = false
    go()
  })
  from.once('end', () => to.end())
  // A close follows each error, and says enough.
  from.on('error', () => {})
  from.once('close', () => {
    cancel?.()
    // What was taken already is still delivered where the source ended in good order.
    if (!from.readableEnded || from.errored !== null || to.writableFinished) to.destroy()
    else to.once('finish', () => to.destroy())
  })
}

/** Calls back once when neither of the two is left. */
export function onceBothClosed(one: Duplex, other: Duplex, callback: () => void): void {
  let left = 2
  for (const end of [one, other])
    end.once('close', () => {
      left--
      if (left === 0) callback()
    })
}
