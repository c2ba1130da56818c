import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { ApiClient } from '@weft/devnet'
import { fetchOverProxy } from '../scripts/tour/fetch-over-proxy.ts'
import { TourServer } from '../scripts/tour/tour-server.ts'
import { launchChromium } from './lib/chromium.ts'
import { EndlessServer } from './lib/endless-server.ts'
import { eventually } from './lib/eventually.ts'
import { skipWithout } from './lib/needs.ts'
import { pageFindings } from './lib/page-findings.ts'
import { upDevnet } from './lib/up-devnet.ts'
import { weft, weftJson } from './lib/weft.ts'

// The dashboard in a real browser on a real network: what happens shows by itself, without a reload. With WEFT_SCREENSHOTS
// set, pictures of a hop that degrades stay in that directory.

const BASE_PORT = 25_000
/** An event has this long to appear, ms; far more than it takes, for machines under load. */
const PATIENCE = 30_000
const WIDTHS = [390, 1440]

describe('the dashboard', { skip: skipWithout('chromium', 'curl') }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-dash-'))
  const net = join(directory, 'net')
  const pictures = process.env['WEFT_SCREENSHOTS'] ?? join(directory, 'pictures')
  const env = { WEFT_HOME: join(net, 'client') }
  const outside: string[] = []
  /** What the page threw and nobody caught. */
  const thrown: string[] = []
  let browser: Browser
  let page: Page
  let nodes: readonly { readonly name: string; readonly id: string; readonly pid: number }[]
  let object: string

  before(async () => {
    ;({ nodes } = await upDevnet<{ nodes: typeof nodes }>({ dir: net, basePort: BASE_PORT, seed: 'dashboard' }))
    const file = join(directory, 'holiday.jpg')
    writeFileSync(file, randomBytes(300_000))
    ;({ object } = await weftJson<{ object: string }>(['put', file, '--class', 'tiny'], env))
    browser = await launchChromium()
    page = await (await browser.newContext()).newPage()
    page.setDefaultTimeout(PATIENCE)
    page.on('pageerror', (error) => thrown.push(String(error)))
    page.on('request', (request) => {
      if (new URL(request.url()).host !== `127.0.0.1:${BASE_PORT}`) outside.push(request.url())
    })
  })
  after(async () => {
    await browser?.close()
    await weft(['devnet', 'down', '--dir', net])
    rmSync(directory, { recursive: true, force: true })
  })

  test('wants a sign-in, and the one-use link gives it once', async () => {
    await page.goto(`http://127.0.0.1:${BASE_PORT}/`)
    await page.getByText('E_SIGNED_OUT').waitFor()
    const { url } = await weftJson<{ url: string }>(['dashboard'], env)
    await page.goto(url)
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    await page.getByText(/epoch \d+, signed by/).waitFor()
    assert.equal(page.url(), `http://127.0.0.1:${BASE_PORT}/`)
    await page.reload()
    await page.getByText(/epoch \d+, signed by/).waitFor()
    const second = await browser.newPage()
    await second.goto(url)
    await second.getByText('E_LINK_INVALID').waitFor()
    await second.getByText('E_SIGNED_OUT').waitFor()
    await second.close()
  })

  test('leaves nothing in the browser that another port of the host could get', async () => {
    assert.deepEqual(await page.context().cookies(), [])
    const session = await page.evaluate(() => JSON.stringify(Object.entries(sessionStorage)))
    assert.match(session, /"[\w-]{43}"/)
    const seen = Promise.withResolvers<string>()
    const other = createServer((request, response) => {
      if (request.url === '/image') seen.resolve(JSON.stringify(request.headers))
      response.setHeader('content-type', 'text/html').end('<img src="/image">')
    }).listen(0, '127.0.0.1')
    await once(other, 'listening')
    try {
      const foreign = await page.context().newPage()
      await foreign.goto(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`)
      assert.doesNotMatch(await seen.promise, /cookie|authorization/)
      assert.equal(await foreign.evaluate(() => sessionStorage.length + localStorage.length), 0)
      await foreign.close()
    } finally {
      other.closeAllConnections()
      other.close()
    }
  })

  test('is opened by a file, too, which goes when it has led there', async () => {
    const api = new ApiClient(join(net, 'client'))
    const { file } = await api.json<{ file: string }>('POST', '/api/v1/dashboard/link', { file: true })
    const tab = await browser.newPage()
    await tab.goto(pathToFileURL(file).href)
    await tab.getByText(/epoch \d+, signed by/).waitFor()
    assert.equal(existsSync(file), false)
    await tab.close()
  })

  test('draws the layers, lists the members and sees a kill and a restart appear', async () => {
    const victim = nodes.find(({ name }) => name === 'storage1')
    assert.ok(victim)
    await page.getByRole('link', { name: 'Network' }).click()
    for (const [layer, count] of [
      ['validator', 4],
      ['core', 6],
      ['regular', 0],
      ['client', 1],
    ] as const) {
      await page
        .locator(`tr[data-layer="${layer}"]:not([data-node]) td`, { hasText: String(count) })
        .first()
        .waitFor()
      assert.equal(await page.locator(`svg .dot[data-layer="${layer}"]`).count(), count, layer)
    }
    assert.match((await page.getByTestId('term').textContent()) ?? '', /^0, from map epoch 0/)
    assert.match((await page.getByTestId('map-epoch').textContent()) ?? '', /^epoch \d+, signed by/)
    assert.match((await page.getByTestId('reach').textContent()) ?? '', /nobody calls a client/)
    await page.getByText('No client lends anything.').waitFor()
    await page.locator(`tr[data-node="${victim.id}"][data-state="connected"]`).waitFor()
    assert.equal(await page.locator('tr[data-suspect]').count(), 10)
    assert.equal((await weft(['devnet', 'kill', 'storage1', '--dir', net])).code, 0)
    await page.locator(`tr[data-node="${victim.id}"][data-state="unreachable"]`).waitFor()
    await page.locator('svg .dot.away, svg .dot.suspect').waitFor()
    assert.equal((await weft(['devnet', 'restart', 'storage1', '--dir', net])).code, 0)
    await page.locator(`tr[data-node="${victim.id}"][data-state="connected"]`).waitFor()
  })

  test('shows the shards of a file as their holders come and go', async () => {
    await page.getByRole('link', { name: 'Files' }).click()
    await page.getByRole('link', { name: 'holiday.jpg' }).click()
    assert.match(page.url(), new RegExp(object))
    await page.locator('[data-testid="health"][data-health="healthy"]').waitFor()
    assert.equal(await page.locator('td[data-state="stored"]').count(), 9)
    const holder = await page.locator('td[data-state="stored"]').first().getAttribute('data-node')
    assert.ok(holder)
    assert.equal((await weft(['devnet', 'kill', holder, '--dir', net])).code, 0)
    await page.locator(`td[data-node="${holder}"][data-state="unreachable"]`).waitFor()
    await page.locator('[data-testid="health"][data-health="degraded"]').waitFor()
    assert.equal((await weft(['devnet', 'restart', holder, '--dir', net])).code, 0)
    await page.locator('[data-testid="health"][data-health="healthy"]').waitFor()
  })

  test('shows a hop that degrades: in its table, on the map, among the events', async (t) => {
    await page.getByRole('link', { name: 'Route' }).click()
    const wellRelay = '[data-testid="leg"][data-state="active"] tr[data-role="relay"][data-health="green"]'
    const relay = await page.locator(wellRelay).first().getAttribute('data-node')
    const pid = nodes.find(({ id }) => id === relay)?.pid
    assert.ok(relay !== null && pid !== undefined)
    assert.match((await page.getByTestId('rtt').textContent()) ?? '', /^\d+\.\d ms to the exit and back/)
    await using target = await EndlessServer.start()
    const proxy = `socks5h://127.0.0.1:${BASE_PORT + 1}`
    const client = spawn('curl', ['--silent', '--limit-rate', '300K', '--proxy', proxy, target.url], {
      stdio: 'ignore',
    })
    try {
      await page
        .getByTestId('received')
        .filter({ hasText: /[1-9].* [kM]B\/s/ })
        .waitFor()
      await watchFor(page, {
        row: `[data-testid="leg"] tr[data-node="${relay}"]${UNWELL}`,
        map: `[data-testid="map-node"][data-node="${relay}"]${UNWELL} text`,
        event: `[data-testid="events"] li[data-kind="degraded"] code[title="${relay}"]`,
      })
      process.kill(pid, 'SIGSTOP')
      const stopped = performance.now()
      for (const what of ['row', 'map', 'event']) {
        await page.waitForFunction((name) => (window as Watching).seen?.has(name), what)
        t.diagnostic(`${what} ${(performance.now() - stopped).toFixed(0)} ms after it stopped`)
      }
      mkdirSync(pictures, { recursive: true })
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 900 })
        await page.screenshot({ path: join(pictures, `route-degraded-${width}.png`), fullPage: true })
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width)
        assert.deepEqual(await pageFindings(page), [])
      }
      assert.equal(client.exitCode, null, 'the connection goes on')
    } finally {
      process.kill(pid, 'SIGCONT')
      client.kill()
    }
  })

  test('lets a leg be looked at with the keyboard, and copies the id of a node', async () => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    const chosen = page.getByRole('radio', { checked: true })
    await chosen.focus()
    await page.keyboard.press('ArrowDown')
    await page.locator('.leg.selected').waitFor()
    const row = page.locator('.leg.selected tbody tr').first()
    const node = await row.getAttribute('data-node')
    assert.equal(await page.locator(`.arcs.selected path`).count(), 3)
    await row.getByRole('button').press('Enter')
    await row.getByText('copied').waitFor()
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), node)
  })

  test('says so where a page cannot be drawn, and what is around it goes on', async () => {
    const answer = '**/api/v1/vpn'
    await page.route(answer, (route) => route.fulfill({ json: {} }))
    await page.locator('main [role="alert"]', { hasText: 'E_PAGE' }).waitFor()
    await page.unroute(answer)
    await page.getByRole('link', { name: 'Overview' }).click()
    await page.getByRole('link', { name: 'Route' }).click()
    await page.locator('[data-testid="vpn-state"][data-state="connected"]').waitFor()
  })

  test('uses another profile, and the first again', async () => {
    for (const name of ['fast', 'default']) {
      await page.getByLabel('Profile').selectOption(name)
      await page.getByRole('button', { name: 'Use it' }).click()
      await page.locator(`[data-testid="profile"][data-profile="${name}"]`).waitFor({ state: 'attached' })
    }
    const { profiles } = await weftJson<{ profiles: { name: string; inUse: boolean }[] }>(
      ['vpn', 'profile', 'list'],
      env,
    )
    assert.deepEqual(
      profiles.filter(({ inUse }) => inUse).map(({ name }) => name),
      ['default'],
    )
  })

  test('shows the three nodes of the route, and the one that replaces a killed one', async () => {
    await page.getByRole('link', { name: 'Route' }).click()
    await page.locator('[data-testid="vpn-state"][data-state="connected"]').waitFor()
    const used = page.locator('[data-testid="leg"][data-state="active"]').first().locator('tbody tr')
    await used.nth(2).waitFor()
    const before = await hopsOf(page)
    assert.deepEqual(
      before.map(({ role }) => role),
      ['entry', 'relay', 'exit'],
    )
    assert.equal(new Set(before.map(({ node }) => node)).size, 3)
    assert.match((await used.first().textContent()) ?? '', /[A-Z]{2} \(simulated\)/)

    const relay = before[1]?.node
    assert.ok(relay)
    assert.equal((await weft(['devnet', 'kill', relay, '--dir', net])).code, 0)
    const server = await TourServer.start((port) => port >= BASE_PORT && port < BASE_PORT + 120)
    try {
      // Whoever uses the route notices at once that it is broken.
      await eventually(
        'a page over another route',
        () => fetchOverProxy(BASE_PORT + 1, server.url, AbortSignal.timeout(PATIENCE)).catch(() => undefined),
        (fetched) => fetched?.body === server.page,
      )
    } finally {
      await server[Symbol.asyncDispose]()
    }
    await page.waitForFunction((gone) => {
      const rows = document.querySelectorAll('[data-testid="leg"][data-state="active"] tbody tr')
      return rows.length >= 3 && ![...rows].some((row) => row.getAttribute('data-node') === gone)
    }, relay)
    assert.ok((await hopsOf(page)).every(({ node }) => node !== relay))
    assert.equal((await weft(['devnet', 'restart', relay, '--dir', net])).code, 0)
  })

  test('turns the VPN off and on', async () => {
    await page.getByRole('button', { name: 'Turn off' }).click()
    await page.locator('[data-testid="vpn-state"][data-state="off"]').waitFor()
    assert.equal(await page.locator('[data-testid="leg"]').count(), 0)
    await page.getByRole('button', { name: 'Turn on' }).click()
    await page.locator('[data-testid="vpn-state"][data-state="connected"]').waitFor()
  })

  for (const width of WIDTHS) {
    test(`fits a screen of ${width} pixels`, async () => {
      await page.setViewportSize({ width, height: 900 })
      for (const name of ['Overview', 'Network', 'Route', 'Files']) {
        await page.getByRole('link', { name }).click()
        await page.getByRole('heading', { name, level: 1 }).waitFor()
        await page
          .getByText(/^As of/)
          .last()
          .waitFor()
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width, name)
        assert.deepEqual(await pageFindings(page), [], name)
      }
    })
  }

  test('says that it is not live when the daemon is gone', async () => {
    await page.getByRole('link', { name: 'Route' }).click()
    await page.locator('[data-testid="vpn-state"]').waitFor()
    assert.equal(await page.getByTestId('not-live').count(), 0)
    assert.equal((await weft(['devnet', 'kill', 'client', '--dir', net])).code, 0)
    await page
      .getByTestId('not-live')
      .getByText(/as of \d/)
      .waitFor()
    await page.getByText('E_DAEMON_UNREACHABLE').first().waitFor()
  })

  test('asks nobody but its own daemon', () => {
    assert.deepEqual(outside, [])
  })

  test('threw nothing that nobody caught', () => {
    assert.deepEqual(thrown, [])
  })
})

const UNWELL = ':is([data-health="yellow"], [data-health="red"])'

type Watching = Window & { seen?: Set<string> }

/** Notes which of these are on the page at any time from now on: a leg that is not well may be gone soon. */
function watchFor(page: Page, selectors: Readonly<Record<string, string>>): Promise<void> {
  return page.evaluate((wanted) => {
    const seen = new Set<string>()
    const look = (): void => {
      for (const [name, selector] of Object.entries(wanted))
        if (document.querySelector(selector) !== null) seen.add(name)
    }
    ;(window as Watching).seen = seen
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true })
  }, selectors)
}

/** The hops of the first leg in use, as the page shows them. */
function hopsOf(page: Page): Promise<{ readonly node: string | null; readonly role: string | null }[]> {
  return page
    .locator('[data-testid="leg"][data-state="active"]')
    .first()
    .locator('tbody tr')
    .evaluateAll((rows) =>
      rows.map((row) => ({ node: row.getAttribute('data-node'), role: row.getAttribute('data-role') })),
    )
}
