import { styleText } from 'node:util'

/** Seconds with one decimal, for people. */
export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`

/** Bytes as MB with one decimal, for people. */
export const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`

/** Tells the tour: numbered steps with their time, and indented lines below them. */
export class Narrator {
  #step = 0

  line(text = ''): void {
    process.stdout.write(`${text}\n`)
  }

  detail(text: string): void {
    this.line(`     ${text}`)
  }

  /** Runs one step, told before it begins and with its time when it is done; `outcome` puts its result into words. */
  async step<T>(title: string, task: () => Promise<T>, outcome: (result: T) => string = () => 'done'): Promise<T> {
    this.#step++
    this.line(bold(`${String(this.#step).padStart(2)}.  ${title}`))
    const started = performance.now()
    try {
      const result = await task()
      this.detail(`${green('ok')}  ${outcome(result)} (${seconds(performance.now() - started)})`)
      return result
    } catch (error) {
      this.detail(`${red('failed')} after ${seconds(performance.now() - started)}`)
      throw error
    }
  }
}

export const bold = (text: string): string => styleText('bold', text, { stream: process.stdout })
const green = (text: string): string => styleText('green', text, { stream: process.stdout })
const red = (text: string): string => styleText('red', text, { stream: process.stdout })
