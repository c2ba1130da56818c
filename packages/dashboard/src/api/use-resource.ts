import { useEffect, useState } from 'react'
import { faultOf } from './api-error.ts'
import { callSignedIn } from './call-signed-in.ts'
import { type EventName, onLiveEvent } from './live-events.ts'
import { nextReadIn } from './next-read.ts'
import type { Fault } from '@weft/core'

export interface Resource<T> {
  /** The newest answer; kept while a later one fails. */
  readonly data: T | undefined
  /** When `data` was read, ms since the epoch. */
  readonly asOf: number | undefined
  /** Why the newest read failed. */
  readonly fault: Fault | undefined
}

/** Reads again without an event after this long, and this soon after a failure; ms. */
const REFRESH_MS = 10_000
const RETRY_MS = 2_000

export interface ResourceOptions {
  /** Another number than before makes it read again at once. */
  readonly revision?: number
  /** ms that lie between two reads that events call for; for what is dear. */
  readonly restMs?: number
}

/** Reads `path` now, whenever one of `events` comes, and every ten seconds; while nobody sees the page it waits until somebody does. */
export function useResource<T>(
  path: string,
  events: readonly EventName[],
  { revision = 0, restMs = 0 }: ResourceOptions = {},
): Resource<T> {
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
    let missed = false
    let last: number | undefined
    const schedule = (ms: number): void => {
      clearTimeout(timer)
      timer = setTimeout(() => void read(), ms)
    }
    const read = async (): Promise<void> => {
      if (document.hidden) {
        missed = true
        return
      }
      if (reading) {
        again = true
        return
      }
      reading = true
      try {
        const data = await callSignedIn<T>('GET', path, controller.signal)
        if (controller.signal.aborted) return
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
        last = Date.now()
        if (again) {
          again = false
          schedule(nextReadIn(last, last, restMs))
        }
      }
    }
    const off = onLiveEvent((name) => {
      if (name === 'lost') return
      if (name === 'open' || wanted.split(',').includes(name)) schedule(nextReadIn(Date.now(), last, restMs))
    })
    const onSeen = (): void => {
      if (document.hidden || !missed) return
      missed = false
      void read()
    }
    document.addEventListener('visibilitychange', onSeen)
    void read()
    return () => {
      controller.abort()
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', onSeen)
      off()
    }
  }, [path, wanted, revision, restMs])
  return resource.path === path ? resource : { data: undefined, asOf: undefined, fault: undefined }
}
