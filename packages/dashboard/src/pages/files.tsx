import type { ObjectsAnswer } from '@weft/node'
import { useResource } from '../api/use-resource.ts'
import { formatBytes, formatDate } from '../parts/format.ts'
import { ResourceView } from '../parts/resource-view.tsx'

/** What this person stored. */
export function Files() {
  const resource = useResource<ObjectsAnswer>('/api/v1/objects', ['transfer'])
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
              <table>
                <caption>{objects.length === 1 ? 'One file' : `${objects.length} files`}</caption>
                <thead>
                  <tr>
                    <th scope="col">Name</th>
                    <th scope="col">Size</th>
                    <th scope="col">Class</th>
                    <th scope="col">Stored</th>
                    <th scope="col">Kept until</th>
                  </tr>
                </thead>
                <tbody>
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
                </tbody>
              </table>
            </div>
          )
        }
      </ResourceView>
    </>
  )
}
