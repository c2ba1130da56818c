import { join } from 'node:path'
import { hasDisplay, openInBrowser } from '@weft/cli'
import { ApiClient, type DevnetState } from '@weft/devnet'
import type { Narrator } from './narrator.ts'

/** Prints the one-use link of the dashboard, and opens it where there is a terminal and a display. */
export async function openDashboard(state: DevnetState, narrator: Narrator, signal: AbortSignal): Promise<void> {
  const api = new ApiClient(join(state.directory, 'client'))
  const opens = process.stdout.isTTY && hasDisplay(process.env)
  const { url, file } = await api.json<{ url: string; file?: string }>(
    'POST',
    '/api/v1/dashboard/link',
    { file: opens },
    { signal },
  )
  narrator.line(`Dashboard (the link works once): ${url}`)
  if (file !== undefined) openInBrowser(file)
}
