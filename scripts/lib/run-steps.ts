import { messageOf } from '@weft/core'

/** More than a person reads; a tool that meets one systematic fault prints it thousands of times. */
const MOST_LINES = 150

interface StepResult {
  readonly ok: boolean
  /** Shown when the step failed. */
  readonly output: string
  /** A few words for the step's line, such as how much was checked. */
  readonly summary?: string
}

export interface Step {
  readonly name: string
  run(): Promise<StepResult>
}

/** Runs steps at most `width` at a time and prints one line for each as it ends. @returns the names of the failed steps */
export async function runSteps(
  steps: readonly Step[],
  width: number,
  print: (line: string) => void,
): Promise<string[]> {
  const waiting = [...steps]
  const failed: string[] = []
  const worker = async (): Promise<void> => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      const started = performance.now()
      const result = await runSafely(step)
      const seconds = ((performance.now() - started) / 1_000).toFixed(1).padStart(6)
      const summary = result.summary === undefined ? '' : `  ${result.summary}`
      print(`${result.ok ? 'ok  ' : 'FAIL'} ${seconds} s  ${step.name}${summary}`)
      if (result.ok) continue
      failed.push(step.name)
      print(lastLines(result.output).replaceAll(/^/gm, '     | '))
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, steps.length) }, worker))
  return failed
}

async function runSafely(step: Step): Promise<StepResult> {
  try {
    return await step.run()
  } catch (error) {
    return { ok: false, output: error instanceof Error ? (error.stack ?? error.message) : messageOf(error) }
  }
}

function lastLines(output: string): string {
  const lines = output.trimEnd().split('\n')
  const left = lines.length - MOST_LINES
  return left > 0 ? [`(${left} lines before these)`, ...lines.slice(left)].join('\n') : lines.join('\n')
}
