import { formatBytes, formatDuration } from './format.ts'
import type { Output } from './output.ts'

const BAR = 24
/** ms between two redrawings of the bar. */
const REDRAW_MS = 100
/** ms before the first plain line, and between two of them, where there is no terminal. */
const LINE_MS = 1_000
const LINES_MS = 5_000

/**
 * Progress of a transfer on stderr: a bar in a terminal; elsewhere a plain line, once it takes longer than a second,
 * every five seconds.
 */
export class ProgressBar implements Disposable {
  readonly #stream: NodeJS.WriteStream
  readonly #label: string
  readonly #total: number | undefined
  readonly #started = performance.now()
  #next: number
  #bytes = 0
  #drawn = false

  /** @param total bytes, where known */
  constructor(output: Output, label: string, total: number | undefined) {
    this.#stream = output.stderr
    this.#label = label
    this.#total = total
    this.#next = this.#started + (this.#stream.isTTY ? REDRAW_MS : LINE_MS)
  }

  /** Tells how many bytes are through. */
  update(bytes: number): void {
    this.#bytes = bytes
    const now = performance.now()
    if (now < this.#next) return
    this.#next = now + (this.#stream.isTTY ? REDRAW_MS : LINES_MS)
    if (this.#stream.isTTY) this.#stream.write(`\r\x1b[K${this.#line(true)}`)
    else this.#stream.write(`${this.#line(false)}\n`)
    this.#drawn = true
  }

  /** Takes the bar away; what comes next starts on a clean line. */
  [Symbol.dispose](): void {
    if (this.#drawn && this.#stream.isTTY) this.#stream.write('\r\x1b[K')
  }

  #line(bar: boolean): string {
    const seconds = (performance.now() - this.#started) / 1_000
    const rate = `${formatBytes(Math.round(this.#bytes / seconds))}/s`
    if (this.#total === undefined) return `${this.#label} ${formatBytes(this.#bytes)}  ${rate}`
    const share = this.#total === 0 ? 1 : Math.min(1, this.#bytes / this.#total)
    const filled = Math.round(share * BAR)
    const left = share === 0 ? '' : `  ${formatDuration((seconds / share - seconds) * 1_000)} left`
    const drawn = bar ? ` ${'█'.repeat(filled)}${'░'.repeat(BAR - filled)}` : ''
    return `${this.#label}${drawn} ${Math.floor(share * 100)}%  ${formatBytes(this.#bytes)} of ${formatBytes(this.#total)}  ${rate}${left}`
  }
}

/** Passes a stream on, and shows how much of it went through: from its first bytes on, since what opens it may take a while. */
export async function* counted(
  source: AsyncIterable<Uint8Array>,
  progress: () => ProgressBar,
): AsyncGenerator<Uint8Array> {
  using stack = new DisposableStack()
  let bar: ProgressBar | undefined
  let bytes = 0
  for await (const chunk of source) {
    bar ??= stack.use(progress())
    bytes += chunk.length
    bar.update(bytes)
    yield chunk
  }
}
