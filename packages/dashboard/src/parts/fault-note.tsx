import type { Fault } from '@weft/core'

/** An unhealthy state: what, why, and what to do. */
export function FaultNote({ fault }: { fault: Fault }) {
  return (
    <div className="fault" role="alert">
      <p>
        <code>{fault.code}</code> {fault.cause}
      </p>
      <p>
        <strong>Fix:</strong> {fault.fix}
      </p>
    </div>
  )
}
