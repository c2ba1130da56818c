import { connect } from 'node:net'
import type { Clock } from '@weft/core'
import { SessionCode } from '@weft/onion'
import { codeOfSystem } from '../exit/target-codes.ts'

export interface ConnectTime {
  readonly clock: Clock
  /** A literal that whoever asks has judged. */
  readonly address: string
  readonly port: number
  readonly timeoutMs: number
  /** @param ms from the first SYN until its answer was read */
  readonly onConnected: (ms: number) => void
  /** @param code one of SessionCode */
  readonly onFailed: (code: number) => void
}

/**
 * Makes a TCP connection and ends it without a byte. One of the two is called, once, unless it was given up before.
 * @returns gives it up
 */
export function connectTime({ clock, address, port, timeoutMs, onConnected, onFailed }: ConnectTime): () => void {
  let begun = clock.monotonic()
  const socket = connect({ host: address, port })
  const end = (): void => {
    cancel()
    socket.removeAllListeners()
    // What the system says of it from now on is nobody's business.
    socket.on('error', () => {})
    socket.destroy()
  }
  const fail = (code: number): void => {
    end()
    onFailed(code)
  }
  const cancel = clock.after(timeoutMs, () => fail(SessionCode.timedOut))
  // Node makes the system call in a later tick.
  socket.once('connectionAttempt', () => (begun = clock.monotonic()))
  socket.once('error', (error: NodeJS.ErrnoException) => fail(codeOfSystem(error.code)))
  socket.once('connect', () => {
    const ms = clock.monotonic() - begun
    end()
    onConnected(ms)
  })
  return end
}
