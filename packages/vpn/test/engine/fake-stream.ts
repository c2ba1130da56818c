import type { SessionStream } from '@weft/onion'

/** What a pipe does with its stream. */
export class FakeStream {
  handler: SessionStream['handler'] = {}
  id = 0
  /** `end` and `reset CODE`, in their order. */
  readonly ends: string[] = []
  readonly written: Buffer[] = []
  isFull = false
  isHeard = true
  given = 0
  consumed = 0
  /** What came and was not passed on, for an owner that asks for it. */
  #unread = Buffer.alloc(0)
  #isFinal = false
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

  abandon(code: number): void {
    if (!this.#isFinal || !this.ends.includes('end')) return this.reset(code)
    this.#unread = Buffer.alloc(0)
    this.consume(Infinity)
  }

  consume(bytes: number): void {
    this.consumed = Math.min(this.given, this.consumed + bytes)
    this.#unread = this.#unread.subarray(bytes)
    this.onChange()
    if (this.handler.onReadable !== undefined) this.#sayEnd()
  }

  peek(): Uint8Array | undefined {
    return this.#unread.length > 0 ? this.#unread : undefined
  }

  /** Bytes come from the other side; as in earnest those that are handed over are valid during the call only. */
  give(bytes: Uint8Array): void {
    this.given += bytes.length
    if (this.handler.onReadable === undefined) return this.#handOver(bytes)
    this.#unread = Buffer.concat([this.#unread, bytes])
    this.handler.onReadable()
  }

  /** There is no memory for them. */
  giveLoose(bytes: Uint8Array): void {
    this.given += bytes.length
    this.#handOver(bytes)
  }

  #handOver(bytes: Uint8Array): void {
    const chunk = Buffer.from(bytes)
    this.handler.onData?.(chunk)
    chunk.fill(0)
  }

  /** The other side sends no more: its owner hears of that when it has passed on all. */
  finish(): void {
    this.#isFinal = true
    this.#sayEnd()
  }

  #sayEnd(): void {
    if (this.#isFinal && this.consumed === this.given) this.handler.onEnd?.()
  }
}
