import { SessionCode, type SessionStream } from '@weft/onion'
import type { PathSet } from './path-set.ts'

/** Ends a stream that nobody needs any more: it keeps its path set in use no longer. */
export function leaveStream(stream: SessionStream, paths: PathSet): void {
  stream.reset(SessionCode.none)
  paths.wake()
  paths.forget(stream)
}
