import { readWithLength, writeWithLength } from '../circuit/link-content.ts'

/** What became of a payment, or why it was asked: a byte of `receipt` (docs/specs/receipts.md, On a circuit). */
export const ReceiptAnswer = {
  /** There was none: a question. */
  none: 0,
  /** Kept for good. */
  taken: 1,
  malformed: 2,
  unknownKey: 3,
  notAuthentic: 4,
  notForThis: 5,
  spent: 6,
  tooEarly: 7,
  noRoom: 8,
} as const
export type ReceiptAnswer = (typeof ReceiptAnswer)[keyof typeof ReceiptAnswer]

const ANSWERS: readonly number[] = Object.values(ReceiptAnswer)
const WORDS: readonly string[] = [
  'nothing was paid',
  'taken',
  'it cannot be read',
  'its issuer or epoch is not taken',
  'its issuer did not sign it',
  'it is signed for another node or epoch',
  'it was spent before',
  'it is not due yet',
  'the hop has no room for more',
]

/** In words, for status and logs. */
export function receiptAnswerText(answer: ReceiptAnswer): string {
  return WORDS[answer] ?? `answer ${answer}`
}

/** How a hop stands with the payments of one circuit. */
export interface Receipt {
  /** 8 bytes: the number of the `pay` that is answered. */
  readonly token: Uint8Array
  readonly answer: ReceiptAnswer
  /** Payments that became due since the beginning, and those that were taken. */
  readonly due: number
  readonly taken: number
  /** Names of the issuers' keys whose tokens it takes, 32 bytes each; none where it wants no pay. */
  readonly keys: readonly Uint8Array[]
}

/** A payment, or a question where it is empty. */
export interface Pay {
  readonly token: Uint8Array
  /** What the hop's {@link ReceiptTill} reads. */
  readonly spend: Uint8Array
}

/** A payment at most, bytes. */
export const MAX_SPEND = 1_024
/** Keys of issuers in one receipt. */
export const MAX_KEYS = 16
const KEY = 32
const TOKEN = 8

export function writePay(into: Uint8Array, at: number, { token, spend }: Pay): void {
  into.set(token, at)
  writeWithLength(into, at + TOKEN, spend)
}

/** A view into the bytes; undefined when they end too early, or hold more than a payment may have. */
export function readPay(from: Uint8Array, at: number): Pay | undefined {
  const spend = readWithLength(from, at + TOKEN)
  if (spend === undefined || spend.length > MAX_SPEND) return undefined
  return { token: from.subarray(at, at + TOKEN), spend }
}

export function writeReceipt(into: Uint8Array, at: number, { token, answer, due, taken, keys }: Receipt): void {
  const view = new DataView(into.buffer, into.byteOffset)
  into.set(token, at)
  into[at + TOKEN] = answer
  view.setUint32(at + TOKEN + 1, due)
  view.setUint32(at + TOKEN + 5, taken)
  into[at + TOKEN + 9] = keys.length
  for (const [index, key] of keys.entries()) into.set(key, at + TOKEN + 10 + index * KEY)
}

/** Views into the bytes; undefined when they end too early, or a number is out of its range. */
export function readReceipt(from: Uint8Array, at: number): Receipt | undefined {
  const first = at + TOKEN + 10
  const answer = from[at + TOKEN] ?? -1
  const count = from[first - 1] ?? MAX_KEYS + 1
  if (!ANSWERS.includes(answer) || count > MAX_KEYS || from.length < first + count * KEY) return undefined
  const view = new DataView(from.buffer, from.byteOffset)
  return {
    token: from.subarray(at, at + TOKEN),
    answer: answer as ReceiptAnswer,
    due: view.getUint32(at + TOKEN + 1),
    taken: view.getUint32(at + TOKEN + 5),
    keys: Array.from({ length: count }, (_, index) => from.subarray(first + index * KEY, first + (index + 1) * KEY)),
  }
}
