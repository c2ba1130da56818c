import { MAX_WEB_SOCKET_CHUNKS, MAX_WEB_SOCKET_FRAGMENTS, MAX_WEB_SOCKET_MESSAGE } from '../limits.ts'

/** What a WebSocket may hold of a message that is not whole, on either side; options of ws, whose types do not know all. */
export const WEB_SOCKET_LIMITS = {
  maxPayload: MAX_WEB_SOCKET_MESSAGE,
  maxFragments: MAX_WEB_SOCKET_FRAGMENTS,
  maxBufferedChunks: MAX_WEB_SOCKET_CHUNKS,
  // Everything is encrypted below, and what inflates is a way to spend a stranger's few bytes as our many.
  perMessageDeflate: false,
} as const
