import { useEffect, useState } from 'react'
import { faultOf } from './api-error.ts'
import { callSignedIn } from './call-signed-in.ts'
import { type EventName, onLiveEvent } from './live-events.ts'
import type { Fault } from '@weft/core'

export interface Resource<T> {
  /** The newest answer; kept while a later one fails. */
  readonly data: T | undefined
  /** When `data` was read, ms since the epoch. */
  readonly asOf: number | undefined
  /** Why the newest read failed. */
  readonly fault: Fault | undefined
}

/** A burst of events (a node dies: a dozen at once) becomes one read; ms. */
const GATHER_MS = 150
/** Reads again without an event after this long, and this soon after a failure; ms. */
const REFRESH_MS = 10_000
const RETRY_MS = 2_000

/**
 * Reads `path` now, whenever one of `events` comes, and every ten seconds.
 * @param revision another number than before makes it read again at once
 */
export function useResource<T>(path: string, events: readonly EventName[], revision = 0): Resource<T> {
  const [resource, setResource] = useState<Resource<T> & { path: string }>({
    path,
    data: undefined,
    asOf: undefined,
    fault: undefined,
  })
  const wanted = events.join()
  useEffect(() => {
    const controller = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    let reading = false
    let again = false
    const schedule = (ms: number): void => {
      clearTimeout(timer)
      timer = setTimeout(() => void read(), ms)
    }
    const read = async (): Promise<void> => {
      if (reading) {
        again = true
        return
      }
      reading = true
      try {
        const data = await callSignedIn<T>('GET', path, controller.signal)
        setResource({ path, data, asOf: Date.now(), fault: undefined })
        schedule(REFRESH_MS)
      } catch (error) {
        if (controller.signal.aborted) return
        const fault = faultOf(error)
        setResource((old) =>
          old.path === path ? { ...old, fault } : { path, data: undefined, asOf: undefined, fault },
        )
        schedule(RETRY_MS)
      } finally {
        reading = false
        if (again) {
          again = false
          schedule(GATHER_MS)
        }
      }
    }
    const off = onLiveEvent((name) => {
      if (name === 'lost') return
      if (name === 'open' || wanted.split(',').includes(name)) schedule(GATHER_MS)
    })
    void read()
    return () => {
      controller.abort()
      clearTimeout(timer)
      off()
    }
  }, [path, wanted, revision])
  return resource.path === path ? resource : { data: undefined, asOf: undefined, fault: undefined }
}
