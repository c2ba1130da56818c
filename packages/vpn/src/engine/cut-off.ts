import type { Socket } from 'node:net'

/**
 * Ends a TCP connection that is not complete by a reset, so that whoever reads to the end does not take what came for all of it. Where all
 * bytes and the end behind them were handed to the system, it is closed.
 */
export function cutOff(socket: Socket): void {
  if (socket.destroyed) return
  // A reset while the end is under way fails (uv_tcp_close_reset), and Node 26 then never closes the handle: its thread would not end.
  const isEnding = socket.writableEnded && socket.writableLength === 0
  // One that is not connected yet would be reset only once it is.
  if (isEnding || socket.pending) socket.destroy()
  else socket.resetAndDestroy()
}
