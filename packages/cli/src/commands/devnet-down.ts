import { counted } from '@weft/core'
import { stopDevnet } from '@weft/devnet'
import { requestedDevnet } from '../program/devnet-options.ts'
import { onFurtherInterrupt } from '../program/interrupts.ts'
import type { Invocation } from '../program/invocation.ts'
import { progressNotes } from './devnet-up.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const state = requestedDevnet(invocation)
  const hurry = new AbortController()
  // Stopping goes on after a Ctrl-C, only faster: what is left half stopped would be a surprise.
  signal.addEventListener('abort', () => hurry.abort(), { once: true })
  onFurtherInterrupt(() => {})
  const { ended, killed } = await stopDevnet(state, {
    erase: invocation.flag('erase'),
    hurry: hurry.signal,
    onProgress: progressNotes(output),
  })
  output.document({ dir: state.directory, ended, killed, erased: invocation.flag('erase') })
  output.print(
    `${ended === 0 ? 'No node was running' : `Stopped ${counted(ended, 'node')}${killed === 0 ? '' : ` (${killed} had to be killed)`}`}; no process is left.`,
  )
  output.note(
    invocation.flag('erase')
      ? `Erased ${state.directory}.`
      : `Its data stays in ${state.directory}; weft devnet down --erase removes it.`,
  )
}
