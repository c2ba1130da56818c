import { useEffect, useRef, useState } from 'react'
import type { Fault } from '@weft/core'
import { faultOf } from '../api/api-error.ts'
import { callSignedIn } from '../api/call-signed-in.ts'
import { FaultNote } from './fault-note.tsx'

/** Turns the proxy and its routes on and off. @param onSwitched called when the daemon has done it, or could not */
export function VpnSwitch({ on, onSwitched }: { on: boolean; onSwitched: () => void }) {
  const [running, setRunning] = useState<'up' | 'down' | undefined>(undefined)
  const [fault, setFault] = useState<Fault | undefined>(undefined)
  const page = useRef(new AbortController())
  useEffect(() => {
    // A page that comes back after it went (StrictMode does so at once) needs a signal that has not fired.
    const controller = new AbortController()
    page.current = controller
    return () => controller.abort()
  }, [])

  const turn = async (way: 'up' | 'down'): Promise<void> => {
    const { signal } = page.current
    setRunning(way)
    setFault(undefined)
    try {
      await callSignedIn('POST', `/api/v1/vpn/${way}`, signal)
    } catch (error) {
      if (!signal.aborted) setFault(faultOf(error))
    }
    if (signal.aborted) return
    setRunning(undefined)
    onSwitched()
  }
  return (
    <>
      <p className="actions">
        <button type="button" disabled={on || running !== undefined} onClick={() => void turn('up')}>
          {running === 'up' ? 'Turning on…' : 'Turn on'}
        </button>
        <button type="button" disabled={!on || running !== undefined} onClick={() => void turn('down')}>
          {running === 'down' ? 'Turning off…' : 'Turn off'}
        </button>
        <span className="quiet">Turning it off ends every connection over it.</span>
      </p>
      {fault !== undefined && <FaultNote fault={fault} />}
    </>
  )
}
