export interface NamedTableProps {
  readonly caption: React.ReactNode
  /** Names of the columns. */
  readonly columns: readonly string[]
  readonly children: React.ReactNode
}

/** A table that says what it is, and what its columns are; its children are rows. */
export function NamedTable({ caption, columns, children, ...rest }: NamedTableProps & { 'data-testid'?: string }) {
  return (
    <table {...rest}>
      <caption>{caption}</caption>
      <thead>
        <tr>
          {columns.map((name) => (
            <th scope="col" key={name}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  )
}
