import { stripVTControlCharacters } from 'node:util'
import { printableStyled } from './format.ts'

/** Columns under headings, two spaces apart; the last column is not padded. Cells may be coloured, and hold what others chose. */
export function formatTable(headings: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [headings, ...rows.map((row) => row.map(printableStyled))]
  const widths = headings.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ''))))
  return all.map((row) =>
    headings
      .map((_, column) => {
        const cell = row[column] ?? ''
        return column === headings.length - 1 ? cell : cell + ' '.repeat((widths[column] as number) - width(cell))
      })
      .join('  ')
      .trimEnd(),
  )
}

function width(cell: string): number {
  return stripVTControlCharacters(cell).length
}
