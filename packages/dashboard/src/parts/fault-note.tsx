import type { Fault } from '@weft/core'

/** An unhealthy state: what, why, and what to do. */
export function FaultNote({ fault }: { fault: Fault }) {
  return (
    <div className="fault" role="alert">
      <p>
        <code>{fault.code}</code> <Words text={fault.cause} />
      </p>
      <p>
        <strong>Fix:</strong> <Words text={fault.fix} />
      </p>
    </div>
  )
}

/** What stands between backticks is to be typed. */
function Words({ text }: { text: string }) {
  return text.split('`').map((part, at) => (at % 2 === 0 ? part : <code key={part}>{part}</code>))
}
