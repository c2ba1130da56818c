import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { ApiClient, type DevnetState } from '@weft/devnet'
import type { Narrator } from './narrator.ts'

/** Prints the one-use link of the dashboard, and opens it where there is a terminal and a display. */
export async function openDashboard(state: DevnetState, narrator: Narrator, signal: AbortSignal): Promise<void> {
  const api = new ApiClient(join(state.directory, 'client'))
  const { url } = await api.json<{ url: string }>('POST', '/api/v1/dashboard/link', {}, { signal })
  narrator.line(`Dashboard (the link works once): ${url}`)
  const display = process.platform === 'darwin' || Boolean(process.env['DISPLAY'] ?? process.env['WAYLAND_DISPLAY'])
  if (!process.stdout.isTTY || !display) return
  const child = spawn(process.platform === 'darwin' ? 'open' : 'xdg-open', [url], { detached: true, stdio: 'ignore' })
  // No browser: the printed link is enough.
  child.on('error', () => {})
  child.unref()
}
