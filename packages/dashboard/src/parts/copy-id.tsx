import { useState } from 'react'
import { shortId } from './format.ts'

const OUTCOME = { none: '', copied: 'copied', failed: 'could not be copied' } as const

/** The short id of a node; a press copies the whole. */
export function CopyId({ id }: { id: string }) {
  const [outcome, setOutcome] = useState<keyof typeof OUTCOME>('none')
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(id)
      setOutcome('copied')
    } catch {
      setOutcome('failed')
    }
  }
  return (
    <>
      <button
        type="button"
        className="copy"
        title={`Copy ${id}`}
        onClick={() => void copy()}
        onBlur={() => setOutcome('none')}
      >
        <code>{shortId(id)}</code>
        <span className="visually-hidden"> copy the whole id</span>
      </button>
      <output className="quiet copied">{OUTCOME[outcome]}</output>
    </>
  )
}
