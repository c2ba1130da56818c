import type { Stream } from '@libp2p/interface'

interface YamuxInternals {
  recvWindow: number
  recvWindowCapacity: number
  sendWindowUpdate: () => void
}

/**
 * Makes a yamux stream grant window only when half of it is used, as yamux's own text and its first implementation
 * do. @libp2p/yamux 8.0.3 sends an update after every frame, which doubles the packets of a small call and takes an
 * eighth of the time of a bulk reader. A stream of another kind is left as it is.
 */
export function grantWindowLazily(stream: Stream): void {
  if (!isYamux(stream)) return
  const grant = stream.sendWindowUpdate.bind(stream)
  stream.sendWindowUpdate = () => {
    if (stream.recvWindowCapacity < stream.recvWindow / 2) grant()
  }
}

function isYamux(stream: object): stream is YamuxInternals {
  return (
    'recvWindow' in stream &&
    typeof stream.recvWindow === 'number' &&
    'recvWindowCapacity' in stream &&
    typeof stream.recvWindowCapacity === 'number' &&
    'sendWindowUpdate' in stream &&
    typeof stream.sendWindowUpdate === 'function'
  )
}
