import { useEffect, useRef, useState } from 'react'
import type { Fault } from '@weft/core'
import { faultOf } from './api-error.ts'
import { callSignedIn } from './call-signed-in.ts'

export interface Post {
  /** The path that is being asked for. */
  readonly running: string | undefined
  /** Why the last one failed. */
  readonly fault: Fault | undefined
  readonly post: (path: string) => void
}

/** Asks the daemon to do something, one thing at a time. @param onDone called when the daemon has done it, or could not */
export function usePost(onDone: () => void): Post {
  const [running, setRunning] = useState<string | undefined>(undefined)
  const [fault, setFault] = useState<Fault | undefined>(undefined)
  const page = useRef(new AbortController())
  useEffect(() => {
    // A page that comes back after it went (StrictMode does so at once) needs a signal that has not fired.
    const controller = new AbortController()
    page.current = controller
    return () => controller.abort()
  }, [])

  const post = async (path: string): Promise<void> => {
    const { signal } = page.current
    setRunning(path)
    setFault(undefined)
    try {
      await callSignedIn('POST', path, signal)
    } catch (error) {
      if (!signal.aborted) setFault(faultOf(error))
    }
    if (signal.aborted) return
    setRunning(undefined)
    onDone()
  }
  return { running, fault, post: (path) => void post(path) }
}
