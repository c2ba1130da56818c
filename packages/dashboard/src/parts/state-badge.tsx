import type { ReactNode } from 'react'

export type Tone = 'good' | 'warn' | 'bad' | 'idle'

const ICONS: Readonly<Record<Tone, string>> = { good: '●', warn: '▲', bad: '✕', idle: '○' }

/** A state as colour, icon and word together, never by colour alone. */
export function StateBadge({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span className={`badge ${tone}`}>
      <span aria-hidden="true">{ICONS[tone]}</span> {children}
    </span>
  )
}
