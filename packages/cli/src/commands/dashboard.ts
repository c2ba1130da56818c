import type { DashboardLinkAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { hasDisplay, openInBrowser } from '../output/open-in-browser.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal, env } = invocation
  const opens = !output.json && invocation.flag('open') && hasDisplay(env)
  const { url, file } = await openApi(invocation).json<DashboardLinkAnswer>(
    'POST',
    '/api/v1/dashboard/link',
    { file: opens },
    { signal },
  )
  output.document({ url })
  output.print(url)
  output.note('The link works once, within 15 minutes; the tab that it opens stays signed in for 12 hours.')
  if (file !== undefined) openInBrowser(file)
}
