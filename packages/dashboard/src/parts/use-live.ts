import { useEffect, useState } from 'react'
import { onLiveEvent } from '../api/live-events.ts'

/** Whether the daemon's events come; undefined until that is known. */
export function useLive(): boolean | undefined {
  const [live, setLive] = useState<boolean | undefined>(undefined)
  useEffect(() => onLiveEvent((name) => setLive(name !== 'lost')), [])
  return live
}
