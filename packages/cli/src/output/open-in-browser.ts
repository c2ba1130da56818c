import { spawn } from 'node:child_process'
import { pathToFileURL } from 'node:url'

/** Whether a browser could show something here. */
export function hasDisplay(env: NodeJS.ProcessEnv): boolean {
  return process.platform === 'darwin' || (env['DISPLAY'] ?? '') !== '' || (env['WAYLAND_DISPLAY'] ?? '') !== ''
}

/**
 * Opens a file in the person's browser, where there is one. It takes no address: what is opened stands in command lines,
 * which every user of the machine can read, and an address may hold a secret.
 */
export function openInBrowser(file: string): void {
  const opener = process.platform === 'darwin' ? 'open' : 'xdg-open'
  const child = spawn(opener, [pathToFileURL(file).href], { detached: true, stdio: 'ignore' })
  // No browser, or no xdg-open: the caller has printed what would have been seen.
  child.on('error', () => {})
  child.unref()
}
