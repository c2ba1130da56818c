/** Of ECMA-48 and of xterm: a screen of its own, which goes with what was on it; its beginning; what is behind; lines that are cut at its edge. */
const ENTER = '\x1b[?1049h'
const LEAVE = '\x1b[?1049l'
const HOME = '\x1b[H'
const CLEAR_LINE = '\x1b[K'
const CLEAR_REST = '\x1b[J'
const CUT = '\x1b[?7l'
const WRAP = '\x1b[?7h'

/** What a command shows anew in place, on a terminal; the terminal is as it was before when that is over. */
export class Screen implements Disposable {
  readonly #stream: NodeJS.WriteStream
  readonly #onExit = (): void => void this.#stream.write(LEAVE)

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
    stream.write(ENTER)
    // A second Ctrl-C ends the process at once.
    process.once('exit', this.#onExit)
  }

  draw(lines: readonly string[]): void {
    const shown = lines.slice(0, Math.max(1, (this.#stream.rows || 24) - 1))
    this.#stream.write(`${CUT}${HOME}${shown.map((line) => `${line}${CLEAR_LINE}\n`).join('')}${CLEAR_REST}${WRAP}`)
  }

  [Symbol.dispose](): void {
    process.off('exit', this.#onExit)
    this.#stream.write(LEAVE)
  }
}
