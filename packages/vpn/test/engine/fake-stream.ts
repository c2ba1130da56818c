import type { SessionStream } from '@weft/onion'

/** What a pipe does with its stream. */
export class FakeStream {
  handler: SessionStream['handler'] = {}
  /** `end` and `reset CODE`, in their order. */
  readonly ends: string[] = []
  readonly written: Buffer[] = []
  isFull = false
  given = 0
  consumed = 0
  /** Told after each change. */
  onChange: () => void = () => {}

  write(bytes: Uint8Array): boolean {
    this.written.push(Buffer.from(bytes))
    this.onChange()
    return !this.isFull
  }

  askRoom(): boolean {
    return !this.isFull
  }

  end(): void {
    this.ends.push('end')
    this.onChange()
  }

  reset(code: number): void {
    this.ends.push(`reset ${code}`)
    this.onChange()
  }

  consume(bytes: number): void {
    this.consumed = Math.min(this.given, this.consumed + bytes)
    this.onChange()
  }

  /** Bytes come from the other side; as in earnest they are valid during the call only. */
  give(bytes: Uint8Array): void {
    const chunk = Buffer.from(bytes)
    this.given += chunk.length
    this.handler.onData?.(chunk)
    chunk.fill(0)
  }
}
