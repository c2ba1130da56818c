/** What a bridge says to who shows a valid pass (docs/specs/bridge.md, Answers). All others are answered by the web server. */
export const ANSWER = {
  opened: 101,
  noMember: 403,
  tooMany: 429,
  unreachable: 502,
} as const

const WORDS: Readonly<Record<number, string>> = { 403: 'Forbidden', 429: 'Too Many Requests', 502: 'Bad Gateway' }

export const OPENED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

export function refusal(status: number): string {
  return `HTTP/1.1 ${status} ${WORDS[status] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`
}
