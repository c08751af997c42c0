import { existsSync, readdirSync, statSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { type HttpDestination, httpDestination } from 'tocsin/testing'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { CHROMIUM, launch, openPage, seriousIn } from '../support/browser.js'
import { type Collector, startCollector } from '../support/collector.js'
import { freePort } from '../support/free-port.js'
import { ROOT } from '../support/shared.js'

/** Where the pictures of the documentation are; `TOCSIN_SCREENSHOTS=1` makes them anew. */
const PICTURES = join(ROOT, 'docs/dashboard')
const TIMEOUT = 120_000

if (!CHROMIUM) console.warn('Install chromium to run the tests of the dashboard; they are skipped.')

describe.skipIf(!CHROMIUM)('the dashboard in a browser', { timeout: TIMEOUT }, () => {
  let browser: Browser
  let destination: HttpDestination
  let collector: Collector
  let url = ''
  let folder = ''
  let port = 0
  const complaints: (readonly string[])[] = []
  const pages: (() => Promise<void>)[] = []

  beforeAll(async () => {
    browser = await launch()
    destination = await httpDestination()
    port = await freePort()
    folder = await mkdtemp(join(tmpdir(), 'tocsin-dashboard-'))
    await writeFile(join(folder, 'fr.json'), '{ "language": "Français", "list.active": "Alertes actives" }')
    const settings = configuration(port, destination.url)
    collector = await startCollector(
      settings.replace('dashboard: {', `dashboard: { languages: [${folder}/fr.json],`),
    )
    url = pageOf(collector)
    await feed(port, [
      ['db-1', 'ERROR orders-db connection refused (10.0.0.12:5432)'],
      ['db-1', 'ERROR orders-db connection refused (10.0.0.12:5432), 2nd attempt'],
      ['db-1', 'ERROR orders-db connection refused (10.0.0.12:5432), 3rd attempt'],
      ['db-2', 'ERROR orders-db connection refused (10.0.0.13:5432)'],
      ['db-2', 'INFO orders-db connection established'],
      ['web-1', 'WARN disk usage 93%'],
      ['web-2', 'WARN disk usage 91%'],
      ['web-2', 'WARN disk usage 92%'],
      ['app-1', 'ERROR catalog <img src=x onerror="alert(1)"><b>lost</b>'],
    ])
    // The first alert, the one that recovered and its recovery, and the one with markup.
    await destination.waitFor(4)
  }, TIMEOUT)
  afterAll(async () => {
    await browser?.close()
    await collector?.stop()
    await destination?.close()
    await rm(folder, { recursive: true, force: true })
  })
  afterEach(async () => {
    // What is open goes on drawing.
    for (const close of pages.splice(0)) await close()
    expect(complaints.splice(0).flat()).toEqual([])
  })

  async function opened(fragment = '', options = {}): Promise<Page> {
    const { page, complaints: own, close } = await openPage(browser, `${url}${fragment}`, options)
    pages.push(close)
    complaints.push(own)
    return page
  }

  test('the figures are what was fed, and the timeline shows it', async () => {
    const page = await opened()
    for (const [name, value] of Object.entries({ alerts: 3, recoveries: 1, accumulating: 3, duplicates: 2 }))
      await expect
        .poll(() => page.locator(`[data-figure=${name}]`).textContent(), { message: name })
        .toBe(String(value))
    expect(await page.locator('.figure.active dd').textContent()).toBe('2')
    // By severity, by message, by host: as the page shows them.
    const shares = await page
      .locator('.bars')
      .evaluateAll(panels =>
        panels.map(panel => [
          panel.querySelector('h2')?.textContent,
          Object.fromEntries(
            [...panel.querySelectorAll('button')].map(button =>
              ['.bar-name', '.bar-count'].map(part => button.querySelector(part)?.textContent),
            ),
          ),
        ]),
      )
    expect(Object.fromEntries(shares)).toEqual({
      'By severity': { critical: '2', error: '1' },
      'By message': { 'Database Connection Failed': '2', 'Catalog Lost': '1' },
      'By host': { 'app-1': '1', 'db-1': '1', 'db-2': '1' },
    })
    await page.getByText('As a table').click()
    const cells = await page
      .locator('.as-table tbody tr')
      .evaluateAll(rows =>
        rows.map(row => [...row.querySelectorAll('td')].map(cell => Number(cell.textContent))),
      )
    const sums = [0, 1, 2, 3].map(column => cells.reduce((sum, row) => sum + (row[column] ?? 0), 0))
    expect(sums).toEqual([3, 1, 3, 2])
    expect(await page.locator('.plot').getAttribute('aria-label')).toContain('Alert triggers 3, Recoveries 1')
    expect(await drawn(page)).toBe(true)
  })

  test('an alert appears by itself, and markup in a line is text', async () => {
    const page = await opened()
    await rows(page).first().waitFor()
    expect(await rows(page).count()).toBe(2)
    await feed(port, [
      ['app-2', 'ERROR catalog <script>document.title = "owned"</script> \u202e\0\u{1f514} lost'],
    ])
    await rows(page).filter({ hasText: 'app-2' }).waitFor()
    await page.getByRole('status').getByText('New alert, error: Catalog Lost app-2').waitFor()
    await expect.poll(() => page.locator('.figure.active dd').textContent()).toBe('3')
    await expect.poll(() => page.title()).toContain('(3)')
    expect(await page.locator('main img, main script, main b:has-text("lost")').count()).toBe(0)
    expect(await rows(page).filter({ hasText: '<img src=x onerror="alert(1)">' }).count()).toBe(1)
    // And if it were markup, the policy would not run it.
    expect((await fetch(url)).headers.get('content-security-policy')).not.toContain('unsafe')
    await page.evaluate(`document.body.append(
      Object.assign(document.createElement('script'), { textContent: 'document.title = "owned"' }))`)
    expect(await page.title()).not.toBe('owned')
    expect(complaints.at(-1)).toEqual([expect.stringContaining('Content Security Policy')])
    complaints.splice(0)
    await feed(port, [['app-2', 'INFO catalog is back']])
    await rows(page).filter({ hasText: 'app-2' }).waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Ended' }).click()
    await rows(page).filter({ hasText: 'app-2' }).waitFor()
  })

  test('filters filter, are in the URL and survive a reload', async () => {
    const page = await opened()
    await page
      .locator('.bars')
      .getByRole('button', { name: /^critical/ })
      .click()
    await rows(page).filter({ hasText: 'app-1' }).waitFor({ state: 'detached' })
    await page.getByRole('searchbox').fill('10.0.0.12')
    await expect.poll(() => page.url()).toContain('severity=critical&text=10.0.0.12')
    await page.getByRole('combobox', { name: 'Time range' }).selectOption('6h')
    for (const turn of ['before', 'after']) {
      await expect
        .poll(() => rows(page).allTextContents(), { message: turn })
        .toEqual([expect.stringContaining('db-1')])
      expect(await page.getByRole('searchbox').inputValue()).toBe('10.0.0.12')
      expect(await page.getByRole('combobox', { name: 'Time range' }).inputValue()).toBe('6h')
      await page.reload()
    }
    await page.goBack()
    await page.getByRole('button', { name: 'Clear all' }).click()
    await expect.poll(() => rows(page).count()).toBe(2)
    await page.getByRole('searchbox').fill('nothing like it')
    await page.getByText('No active alert fits the filters.').waitFor()
    // Figures and lists follow the filters too.
    await page.goto(`${url}#/alerts?host=db-2`)
    await expect.poll(() => page.locator('[data-figure=alerts]').textContent()).toBe('1')
    expect(await page.locator('.figure.active dd').textContent()).toBe('0')
    await expect.poll(() => page.locator('.recent tbody tr').count()).toBe(2)
  })

  test("an alert's page says why, with its lines and what was told of it", async () => {
    const page = await opened()
    await page.getByRole('link', { name: 'Database Connection Failed' }).first().click()
    await page.getByRole('heading', { level: 1, name: /Database Connection Failed/ }).waitFor()
    expect(await page.locator('mark').first().textContent()).toBe('ERROR orders-db connection refused')
    await page.getByText('ERROR orders-db connection refused', { exact: true }).last().waitFor()
    expect(await page.locator('.lines tbody tr').allTextContents()).toEqual(
      expect.arrayContaining([
        expect.stringContaining('3rd attempt'),
        expect.stringMatching(/alert.*:5432\)$/),
      ]),
    )
    const why = page.getByRole('region', { name: 'Why it matched' })
    await why.getByText('INFO orders-db connection established', { exact: true }).waitFor()
    await why.getByText('immediate,86400', { exact: true }).waitFor()
    await why.getByText(/Alerts at the first event.*Ends by itself 1d after/).waitFor()
    await page.locator('.notifications').getByText('delivered').waitFor()
    await picture(page, 'alert')
    await page.reload()
    await page.getByRole('heading', { level: 1, name: /Database Connection Failed/ }).waitFor()
    await page.goto(`${url}#/alert/nobody`)
    await page.getByText('This alert is not known').waitFor()
    // The browser notes the 404 by itself.
    complaints.splice(0)
  })

  test('a silence made on the page holds notifications back, and ends there', async () => {
    const page = await opened()
    const sent = () => destination.requests.length
    await feed(port, [['db-5', 'ERROR orders-db connection refused']])
    await rows(page).filter({ hasText: 'db-5' }).getByRole('link').click()
    await page.getByRole('button', { name: 'Silence' }).click()
    // The button is gone, the focus is not; Escape leads back.
    const focused = () => page.evaluate('document.activeElement.name || document.activeElement.id')
    expect(await focused()).toBe('by')
    await page.keyboard.press('Escape')
    await page.getByRole('form').waitFor({ state: 'detached' })
    await expect.poll(focused).toBe('main')
    await page.getByRole('button', { name: 'Silence' }).click()
    await page.getByLabel('Your name').fill('ada')
    await page.getByRole('textbox', { name: 'Why' }).fill('Maintenance <b>until</b> noon')
    const before = await settledCount(sent)
    await page.getByRole('form').getByRole('button', { name: 'Silence' }).click()
    await page.getByText('Maintenance <b>until</b> noon').waitFor()
    // It came while the page was open, before the silence.
    await page.goto(`${url}#/alerts`)
    await rows(page).filter({ hasText: 'db-5' }).getByText('silenced').waitFor()
    await rows(page).filter({ hasText: 'db-5' }).getByRole('link').click()
    await feed(port, [['db-5', 'INFO orders-db connection established']])
    await page.locator('.notifications').getByText('silenced').waitFor()
    await feed(port, [['db-5', 'ERROR orders-db connection refused']])
    await page.goto(`${url}#/alerts`)
    await rows(page).filter({ hasText: 'db-5' }).getByText('silenced').waitFor()
    await page.goto(`${url}#/silences`)
    await page.getByText('1 alert is silenced').waitFor()
    await picture(page, 'silences')
    expect(sent()).toBe(before)
    const [made] = (await silencesOf(url)).filter(({ state }) => state === 'active')
    await page.getByRole('button', { name: 'Extend' }).click()
    expect(await focused()).toBe('for')
    const form = page.getByRole('form', { name: 'Extend' })
    // Who and why are there already.
    await form.getByLabel('From now on for').selectOption('1d')
    await form.getByRole('button', { name: 'Extend' }).click()
    await form.waitFor({ state: 'detached' })
    await page.getByText('1 alert is silenced').waitFor()
    const [extended] = (await silencesOf(url)).filter(({ state }) => state === 'active')
    const { endsAt, ...same } = made as ShownSilence
    expect(extended).toMatchObject({ ...same, updatedAt: expect.any(Number), endsAt: expect.any(Number) })
    expect((extended as ShownSilence).endsAt - endsAt).toBeGreaterThan(20 * 3_600_000)
    expect(sent()).toBe(before)
    await page.getByRole('button', { name: 'End now' }).click()
    await page.getByRole('heading', { name: 'Expired' }).waitFor()
    await page.getByText('No silence is in force.').waitFor()
    await feed(port, [['db-5', 'INFO orders-db connection established']])
    await expect.poll(sent).toBeGreaterThan(before)
    // One that has ended is made anew, and stays as it was.
    await page.getByRole('button', { name: 'Silence again' }).click()
    await page.getByRole('form').getByRole('button', { name: 'Silence again' }).click()
    await page.getByRole('button', { name: 'End now' }).click()
    await expect
      .poll(async () => (await silencesOf(url)).map(({ state }) => state))
      .toEqual(['expired', 'expired'])
  })

  test('the pipelines show rates, queues and what is wrong', async () => {
    const page = await opened('#/pipelines')
    const node = (id: string) => page.locator('.node').filter({ has: page.getByText(id, { exact: true }) })
    await node('webhook')
      .getByText(/Queue 0 of/)
      .waitFor()
    let seen = false
    void (async () => {
      while (!seen) {
        await feed(port, [['web-9', 'INFO all is well']])
        await page.waitForTimeout(100)
      }
    })().catch(() => undefined)
    await node('otlp')
      .getByText(/[1-9][\d.,]*\/s/)
      .waitFor()
    await node('stateful_alert')
      .getByText(/[1-9][\d.,]*\/s/)
      .first()
      .waitFor()
    seen = true
    await picture(page, 'pipelines')
    destination.answer = () => 503
    // It is settled when it is delivered.
    const fed = feed(port, [['db-6', 'ERROR orders-db connection refused']])
    await node('webhook').getByText('Trouble').waitFor()
    await page.goto(`${url}#/notifications`)
    await page.getByText('is tried again').first().waitFor()
    await picture(page, 'notifications')
    destination.answer = () => 200
    await fed
    await feed(port, [['db-6', 'INFO orders-db connection established']])
    await expect.poll(() => page.getByText('is tried again').count(), { timeout: 60_000 }).toBe(0)
  })

  test('speaks German to whom the browser says so, and to whom it is told', async () => {
    const page = await opened('', { locale: 'de-AT' })
    await page.getByRole('heading', { name: 'Aktive Alarme' }).waitFor()
    expect(await page.locator('html').getAttribute('lang')).toBe('de')
    await rows(page).filter({ hasText: 'app-1' }).getByRole('link').click()
    await page.getByText('Alarmiert beim ersten Ereignis. Endet beim ersten, das Entwarnung gibt.').waitFor()
    await page.goBack()
    await page.getByLabel('Sprache').selectOption('en')
    await page.getByRole('heading', { name: 'Active alerts' }).waitFor()
    await page.reload()
    await page.getByRole('heading', { name: 'Active alerts' }).waitFor()
    await page.getByLabel('Language').selectOption('fr')
    await page.getByRole('heading', { name: 'Alertes actives' }).waitFor()
    expect(await page.locator('html').getAttribute('lang')).toBe('fr')
    // What the file lacks.
    await page.getByRole('heading', { name: 'Recent notifications' }).waitFor()
  })

  test.each(['light', 'dark'] as const)('axe finds nothing serious, %s', async colorScheme => {
    const page = await opened('', { colorScheme, reducedMotion: 'reduce' })
    await rows(page).first().waitFor()
    const id = /alert\/([^?]+)/.exec(
      (await rows(page).first().getByRole('link').getAttribute('href')) ?? '',
    )?.[1]
    const views = {
      alerts: '.recent',
      notifications: '.notifications',
      pipelines: '.node',
      silences: '.title',
    }
    for (const [view, part] of Object.entries({ ...views, [`alert/${id}`]: 'mark' })) {
      await page.goto(`${url}#/${view}`)
      await page.locator(part).first().waitFor()
      if (view === 'silences') await page.getByRole('button', { name: 'New silence' }).click()
      expect(await seriousIn(page), view).toEqual([])
    }
  })

  test('works by keyboard alone', async () => {
    const page = await opened()
    await rows(page).first().waitFor()
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the content')
    await page.locator('.virtual').focus()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('End')
    await expect
      .poll(() => page.evaluate('document.activeElement.ariaPosInSet'))
      .toBe(await rows(page).first().getAttribute('aria-setsize'))
    await page.keyboard.press('Enter')
    await page.locator('mark').waitFor()
  })

  test('after a restart of the collector an open page shows what there is now', async () => {
    const [input, own] = [await freePort(), await freePort()]
    const settings = configuration(input, destination.url).replace('127.0.0.1:0', `127.0.0.1:${own}`)
    const before = await startCollector(settings)
    const { page, close } = await openPage(browser, pageOf(before))
    pages.push(close)
    await feed(input, [['old-1', 'ERROR storm old']])
    await rows(page).filter({ hasText: 'old-1' }).waitFor()
    await before.stop()
    await page.getByRole('alert').waitFor()
    const after = await startCollector(settings)
    try {
      await feed(input, [['new-1', 'ERROR storm new']])
      await expect.poll(() => rows(page).allTextContents()).toEqual([expect.stringContaining('new-1')])
      await page.getByRole('alert').waitFor({ state: 'detached' })
      await feed(input, [['new-2', 'ERROR storm new']])
      await rows(page).filter({ hasText: 'new-2' }).waitFor()
    } finally {
      await after.stop()
    }
  })

  test('figures that cannot be read are said to be old, until they can', async () => {
    const { page, close } = await openPage(browser, url)
    pages.push(close)
    await rows(page).first().waitFor()
    const away = '**/api/summary?*'
    await page.route(away, route => route.fulfill({ status: 503, json: { error: 'Redis is away.' } }))
    await page.getByLabel('Time range', { exact: true }).selectOption('6h')
    await expect.poll(() => page.getByRole('alert').textContent()).toMatch(/is old.* Redis is away\./)
    await page.unroute(away)
    await page.getByRole('alert').waitFor({ state: 'detached' })
  })

  test('a history that cannot be written is told of', async () => {
    const { page, close } = await openPage(browser, 'about:blank')
    pages.push(close)
    const flow = (await (await fetch(new URL('api/pipelines', url))).json()) as {
      readonly extensions: readonly { readonly id: string }[]
    }
    const failing = { status: 'recoverable_error', message: 'The storage of the history fails.' }
    for (const one of flow.extensions) if (one.id === 'alert_history') Object.assign(one, failing)
    await page.route('**/api/pipelines', route => route.fulfill({ json: flow }))
    await page.route('**/api/live', route => route.fulfill({ contentType: 'text/event-stream', body: '' }))
    await page.goto(url)
    await expect.poll(() => page.getByRole('alert').textContent()).toMatch(/is old.* The storage of the/)
  })

  test('the time is the one of the collector, whatever clock is set meanwhile', async () => {
    const page = await opened()
    await rows(page).first().waitFor()
    await page.evaluate('{ const now = Date.now; Date.now = () => now() - 7_200_000 }')
    // With the next look at the figures, after 15 s.
    await page.waitForRequest(request => {
      const to = new URL(request.url()).searchParams.get('to')
      return to !== null && Math.abs(Number(to) - Date.now()) < 60_000
    })
  })

  test('many tabs in the background leave each other connections', async () => {
    const context = await browser.newContext()
    pages.push(() => context.close())
    await context.addInitScript("Object.defineProperty(document, 'hidden', { get: () => true })")
    for (let tab = 0; tab < 8; tab++) {
      const page = await context.newPage()
      await page.goto(url)
      await rows(page).first().waitFor()
    }
  }, 50_000)

  test('light and dark are a switch that is remembered', async () => {
    const page = await opened('', { colorScheme: 'dark' })
    const background = () => page.evaluate('getComputedStyle(document.documentElement).backgroundColor')
    const dark = await background()
    await page.getByRole('button', { name: 'Light or dark' }).click()
    expect(await background()).not.toBe(dark)
    await page.reload()
    expect(await background()).not.toBe(dark)
    await rows(page).first().waitFor()
    await picture(page, 'alerts')
    await page.getByRole('button', { name: 'Light or dark' }).click()
    expect(await background()).toBe(dark)
  })

  test('a phone has it in one column, and nothing is wider than the screen', async () => {
    const page = await opened('', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' })
    await rows(page).first().waitFor()
    for (const view of ['alerts', 'notifications', 'pipelines', 'silences']) {
      await page.goto(`${url}#/${view}`)
      await page.locator('main').waitFor()
      expect(await page.evaluate('document.documentElement.scrollWidth'), view).toBe(390)
      if (view === 'alerts') {
        await picture(page, 'phone')
        // What is wrong comes first, and nothing lies upon another.
        const places = await page
          .locator('.figures, .panel')
          .evaluateAll(panels =>
            panels.map(panel => [panel.className, panel.getBoundingClientRect()] as const),
          )
        const ordered = places.toSorted(([, a], [, b]) => a.top - b.top)
        expect(ordered.slice(0, 2).map(([name]) => name)).toEqual(['figures', 'panel list'])
        for (const [at, [name, { top }]] of ordered.entries())
          expect(top, name).toBeGreaterThanOrEqual(ordered[at - 1]?.[1].bottom ?? 0)
      }
    }
  })

  test('10,000 active alerts scroll, with few of them in the page', async () => {
    const storm = Array.from({ length: 10_000 }, (_, n) => [`host-${n}`, `ERROR storm ${n}`] as const)
    for (let from = 0; from < storm.length; from += 2_000) await feed(port, storm.slice(from, from + 2_000))
    const page = await opened('#/alerts?text=storm&sort=oldest')
    const size = () => rows(page).first().getAttribute('aria-setsize')
    await expect.poll(size, { timeout: 60_000 }).toBe('10000')
    const seen = new Set<string>()
    const places = 16
    for (let place = 0; place <= places; place++) {
      // What is in the middle of the list is there as soon as it is drawn.
      const middle = (): Promise<unknown> =>
        page.evaluate(`(async () => {
          const list = document.querySelector('.virtual')
          list.scrollTop = list.scrollHeight * ${place / places}
          await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))
          const { left, top, width, height } = list.getBoundingClientRect()
          const middle = document.elementFromPoint(left + width / 2, Math.min(innerHeight - 2, top + height / 2))
          return middle?.closest('.virtual-row')?.getAttribute('aria-posinset')
        })()`)
      let inside: unknown
      const drawn = async (): Promise<string> => {
        inside = await middle()
        return typeof inside
      }
      await expect.poll(drawn, { message: `place ${place}` }).toBe('string')
      seen.add(inside as string)
    }
    expect(seen.size).toBeGreaterThan(places / 2)
    expect(await rows(page).count()).toBeLessThan(60)
    await page.locator('.virtual').focus()
    await page.keyboard.press('End')
    await page.locator('[aria-posinset="10000"]').waitFor()
    await expect.poll(() => page.locator('.figure.active dd').textContent()).toMatch(/^10,00\d$/)
  }, 240_000)

  test('notifications come a part at a time, and where it is too much the page says so', async () => {
    const { page, close } = await openPage(browser, 'about:blank')
    pages.push(close)
    const { items } = (await (await fetch(new URL('api/notifications?limit=1', url))).json()) as {
      readonly items: readonly object[]
    }
    await page.route('**/api/notifications?*', route => {
      const limit = Number(new URL(route.request().url()).searchParams.get('limit'))
      const many = Array.from({ length: limit }, (_, n) => ({ ...items[0], id: `n${n}` }))
      return route.fulfill({ json: { items: many, next: 'x' } })
    })
    await page.goto(`${url}#/notifications`)
    const shown = page.locator('.notifications tbody tr')
    for (const count of [100, 300, 900]) {
      await expect.poll(() => shown.count()).toBe(count)
      await page.getByRole('button', { name: 'More' }).click()
    }
    await page.getByText('There are more than are listed').waitFor()
  })

  test('what ended is listed, however many alerts fired since', async () => {
    await feed(port, [
      ['over', 'ERROR catalog lost'],
      ['over', 'INFO catalog is back'],
    ])
    await feed(
      port,
      Array.from({ length: 1_100 }, (_, at) => [`since-${at}`, 'ERROR storm of many']),
    )
    const page = await opened('#/alerts?state=ended')
    await rows(page).filter({ hasText: 'over' }).waitFor()
  })
})

test('the page is below 150 KB compressed', () => {
  const folder = join(ROOT, 'dist/page')
  expect(existsSync(join(folder, 'index.html.gz'))).toBe(true)
  const packed = readdirSync(folder).filter(name => name.endsWith('.gz'))
  const bytes = packed.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
  expect(bytes).toBeLessThan(150_000)
})

interface ShownSilence {
  readonly state: string
  readonly endsAt: number
}

async function silencesOf(url: string): Promise<readonly ShownSilence[]> {
  return (await fetch(new URL('api/silences', url))).json() as Promise<readonly ShownSilence[]>
}

function configuration(port: number, hook: string): string {
  return `
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } }
processors:
  stateful_alert:
    hash_keys: [host.name]
    patterns:
      - alert_pattern: "ERROR orders-db connection refused"
        recovery_pattern: "INFO orders-db connection established"
        normalized_message: Database Connection Failed
        severity: critical
        alert_schema: immediate,86400
        rule_id: orders-db
        runbook: https://wiki.example/orders-db
      - alert_pattern: 'disk usage 9\\d%'
        normalized_message: High Disk Usage
        severity: warning
        alert_schema: threshold,3,300,1,60
      - alert_pattern: "ERROR catalog"
        recovery_pattern: "INFO catalog"
        normalized_message: Catalog Lost
        severity: error
        alert_schema: immediate
      - { alert_pattern: "ERROR storm", normalized_message: Storm, severity: info, alert_schema: immediate }
exporters:
  webhook:
    endpoint: ${hook}
    condition: 'attributes["alert"]["skip_webhook"] == false and not IsMatch(body, "storm")'
    retry_on_failure: { initial_interval: 500ms, max_interval: 500ms }
extensions:
  alert_history: { collector: box-1 }
  dashboard: { endpoint: "127.0.0.1:0", allow_changes: true }
service:
  extensions: [dashboard, alert_history]
  telemetry: { metrics: { address: "127.0.0.1:0" } }
  pipelines:
    logs: { receivers: [otlp], processors: [stateful_alert], exporters: [webhook] }
`
}

function pageOf({ logs }: Collector): string {
  const said = logs.find(({ message }) => message.startsWith('The dashboard: '))
  return (said?.message ?? '').replace('The dashboard: ', '')
}

/** Lines with their hosts, in one request. Resolves when they are settled. */
async function feed(port: number, lines: readonly (readonly [host: string, line: string])[]): Promise<void> {
  const timeUnixNano = String(BigInt(Date.now()) * 1_000_000n)
  const logRecords = lines.map(([host, body]) => ({
    timeUnixNano,
    body: { stringValue: body },
    attributes: [{ key: 'host.name', value: { stringValue: host } }],
  }))
  const response = await fetch(`http://127.0.0.1:${port}/v1/logs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }),
  })
  expect(response.status, await response.text()).toBe(200)
}

function rows(page: Page) {
  return page.locator('.virtual-row')
}

/** Some pixel of the plot is red, as alerts are. */
function drawn(page: Page): Promise<boolean> {
  return page.evaluate(`(() => {
    const canvas = document.querySelector('.plot canvas')
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    return data.some((red, at) => at % 4 === 0 && red > 150 && data[at + 1] < 80 && data[at + 3] === 255)
  })()`)
}

/** When nothing is on its way any more. */
async function settledCount(count: () => number): Promise<number> {
  for (;;) {
    const before = count()
    await new Promise(resolve => setTimeout(resolve, 500))
    if (count() === before) return before
  }
}

async function picture(page: Page, name: string): Promise<void> {
  if (!process.env.TOCSIN_SCREENSHOTS) return
  await page.mouse.move(0, 0)
  await page.waitForTimeout(500)
  const { width = 0, height = 0 } = page.viewportSize() ?? {}
  const clip = { x: 0, y: 0, width, height: Math.min(height, width > height ? 720 : height) }
  await page.screenshot({ path: join(PICTURES, `${name}.png`), clip })
}
