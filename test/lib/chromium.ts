import { type Browser, type LaunchOptions, chromium } from 'playwright-core'
import { CHROMIUM } from './needs.ts'

/** As on a person's screen, without Chromium's own calls to the outside. */
export const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Debian's Chromium without a window. */
export function launchChromium(options: Pick<LaunchOptions, 'proxy'> = {}): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS, ...options })
}
