import type { ObjectsAnswer } from '@weft/node'
import { useResource } from '../api/use-resource.ts'
import { formatBytes, formatDate } from '../parts/format.ts'
import { NamedTable } from '../parts/named-table.tsx'
import { ResourceView } from '../parts/resource-view.tsx'

/** What this person stored. */
export function Files() {
  const resource = useResource<ObjectsAnswer>('/api/v1/objects', ['transfer', 'removal'])
  return (
    <>
      <h1>Files</h1>
      <ResourceView resource={resource}>
        {({ objects }) =>
          objects.length === 0 ? (
            <p>
              Nothing stored yet. Try <code>npx weft put README.md</code>
            </p>
          ) : (
            <div className="scroll">
              <NamedTable
                caption={objects.length === 1 ? 'One file' : `${objects.length} files`}
                columns={['Name', 'Size', 'Class', 'Stored', 'Kept until']}
              >
                {objects.map((object) => (
                  <tr key={object.object}>
                    <th scope="row">
                      <a href={`#/files/${encodeURIComponent(object.object)}`}>
                        {object.name === '' ? 'unnamed' : object.name}
                      </a>
                    </th>
                    <td className="number">{formatBytes(object.size)}</td>
                    <td>{object.class}</td>
                    <td>{formatDate(object.createdAt)}</td>
                    <td>{formatDate(object.expiresAt)}</td>
                  </tr>
                ))}
              </NamedTable>
            </div>
          )
        }
      </ResourceView>
    </>
  )
}
