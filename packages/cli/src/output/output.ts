import { printable } from '@weft/core'
import { styleText } from 'node:util'
import type { WeftError } from '@weft/core'
import { FailedDocument } from './failed-document.ts'

type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan'

/**
 * Where a command writes: data to stdout, all else to stderr, colours only where the stream is a terminal and
 * NO_COLOR is not set. With --json stdout gets exactly one JSON document.
 */
export class Output {
  readonly json: boolean
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream

  constructor(json: boolean, stdout: NodeJS.WriteStream = process.stdout, stderr: NodeJS.WriteStream = process.stderr) {
    this.json = json
    this.stdout = stdout
    this.stderr = stderr
  }

  /** Lines of data for people; nothing with --json. */
  print(...lines: readonly string[]): void {
    if (!this.json) this.stdout.write(lines.map((line) => `${line}\n`).join(''))
  }

  /** The one JSON document of a command with --json, or the next one of a command that goes on until it is ended; nothing without. */
  document(fields: Readonly<Record<string, unknown>>): void {
    if (this.json) this.stdout.write(`${JSON.stringify({ schemaVersion: 1, ...fields })}\n`)
  }

  /** What people want to know and programs do not: to stderr, with --json too. */
  note(line: string): void {
    this.stderr.write(`${line}\n`)
  }

  /** The error: words to stderr, some of which another node may have chosen, and with --json {error: …} to stdout as its one document. */
  error(error: WeftError): void {
    this.stderr.write(
      `${this.styled('red', error.code, this.stderr)}: ${printable(error.cause)}\n${this.styled('bold', 'Fix:', this.stderr)} ${printable(error.fix)}\n`,
    )
    this.document({ ...(error instanceof FailedDocument ? error.fields : {}), error: error.toJSON() })
  }

  styled(style: Style, text: string, stream: NodeJS.WriteStream = this.stdout): string {
    return styleText(style, text, { stream, validateStream: true })
  }
}
