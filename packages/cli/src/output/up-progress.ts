import type { VpnStatusAnswer } from '@weft/node'
import type { Output } from './output.ts'
import { stateLines } from './route-lines.ts'
import { tunLines } from './tun-lines.ts'

/** Tells to stderr how the VPN comes up: its state and what holds it up, whenever they are others than before. Nothing with --json. */
export class UpProgress {
  readonly #output: Output
  #told = ''

  constructor(output: Output) {
    this.#output = output
  }

  show({ state, fault, tun }: VpnStatusAnswer): void {
    if (this.#output.json) return
    const lines = [
      ...stateLines(state, fault, this.#output, tun?.state),
      ...(tun === undefined || tun.state === 'open' ? [] : tunLines(tun, false, this.#output)),
    ]
    const now = JSON.stringify([state, fault, tun?.state, tun?.fault])
    if (now === this.#told) return
    this.#told = now
    for (const line of lines) this.#output.note(line)
  }
}
