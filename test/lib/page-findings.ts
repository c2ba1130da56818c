import type { Page } from 'playwright-core'

/**
 * What in the page stands in the way of who does not see it or has no mouse: controls, pictures and tables without a
 * name, ids that are not of one element, references to none (WCAG 2.2, 1.1.1, 1.3.1, 4.1.2).
 */
export function pageFindings(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const all = (selector: string): Element[] => [...document.querySelectorAll(selector)]
    const short = (element: Element): string => element.outerHTML.slice(0, 120)
    const words = (text: string | null | undefined): boolean => (text ?? '').trim() !== ''
    const ids = all('[id]').map(({ id }) => id)
    const isNamed = (element: Element): boolean =>
      words(element.textContent) ||
      words(element.getAttribute('aria-label')) ||
      [...((element as HTMLInputElement).labels ?? [])].some((label) => words(label.textContent))
    const isLabelled = (element: Element): boolean =>
      element.tagName === 'SELECT' || element.tagName === 'INPUT'
        ? ((element as HTMLInputElement).labels?.length ?? 0) > 0
        : isNamed(element)
    return [
      ...ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `two elements have the id ${id}`),
      ...all('button, select, input, a[href], summary')
        .filter((element) => !isLabelled(element))
        .map((element) => `no name: ${short(element)}`),
      ...all('[aria-labelledby]').flatMap((element) =>
        (element.getAttribute('aria-labelledby') ?? '')
          .split(' ')
          .filter((id) => !words(document.getElementById(id)?.textContent))
          .map((id) => `labelled by nothing, ${id}: ${short(element)}`),
      ),
      ...all('svg')
        .filter((element) => element.closest('[aria-hidden="true"], [aria-labelledby]') === null)
        .map((element) => `a picture that says nothing: ${short(element)}`),
      ...all('table')
        .filter((element) => !words(element.querySelector('caption')?.textContent))
        .map((element) => `a table without a caption: ${short(element)}`),
    ]
  })
}
