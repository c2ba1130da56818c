import { connect } from 'node:net'
import { WeftError, messageOf } from '@weft/core'

/**
 * Holds a connection to the unix socket of whoever started this daemon. When the other side goes, by whatever death,
 * the kernel closes the connection and `onCut` is called: no daemon outlives its starter.
 * @throws WeftError E_LIFELINE when nobody listens there
 */
export async function holdLifeline(path: string, onCut: () => void): Promise<Disposable> {
  const socket = connect(path)
  const opened = Promise.withResolvers<void>()
  let released = false
  socket.once('connect', () => opened.resolve())
  socket.on('error', (error) => {
    opened.reject(
      new WeftError({
        code: 'E_LIFELINE',
        cause: `Nobody holds the lifeline ${path}: ${messageOf(error)}.`,
        fix: 'Leave --lifeline out, or start the daemon through weft devnet up, which holds one.',
        origin: error,
      }),
    )
  })
  await opened.promise
  socket.on('close', () => {
    if (!released) onCut()
  })
  // What the holder may write is of no interest, but unread data would hide the end of the connection.
  socket.resume()
  return {
    [Symbol.dispose]: () => {
      released = true
      socket.destroy()
    },
  }
}
