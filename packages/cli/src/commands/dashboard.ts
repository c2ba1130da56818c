import { spawn } from 'node:child_process'
import { openApi } from '../daemon/open-api.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal, env } = invocation
  const { url } = await openApi(invocation).json<{ url: string }>('POST', '/api/v1/dashboard/link', {}, { signal })
  output.document({ url })
  output.print(url)
  output.note('The link works once; the browser stays signed in.')
  if (!output.json && invocation.flag('open') && hasDisplay(env)) openInBrowser(url)
}

function hasDisplay(env: NodeJS.ProcessEnv): boolean {
  return process.platform === 'darwin' || (env['DISPLAY'] ?? '') !== '' || (env['WAYLAND_DISPLAY'] ?? '') !== ''
}

function openInBrowser(url: string): void {
  const child = spawn(process.platform === 'darwin' ? 'open' : 'xdg-open', [url], { detached: true, stdio: 'ignore' })
  // No browser, or no xdg-open: the printed link is the answer.
  child.on('error', () => {})
  child.unref()
}
