import { LAYERS, type LayerNode } from './layers.ts'
import { NamedTable } from './named-table.tsx'

/** How many nodes each layer has, and how they are. */
export function LayerTable({ nodes }: { nodes: readonly LayerNode[] }) {
  const own = nodes.find(({ self }) => self)?.layer
  return (
    <div className="scroll">
      <NamedTable caption="Layers of the mesh, from the inside" columns={['Layer', 'Nodes', 'Linked', 'Suspected']}>
        {LAYERS.map(({ name, title, who }) => {
          const all = nodes.filter(({ layer }) => layer === name)
          const linked = all.filter(({ self, state }) => !self && state === 'connected').length
          return (
            <tr key={name} data-layer={name}>
              <th scope="row">
                {title}
                <span className="quiet"> {who}</span>
                {own === name && <span className="quiet">; this node is one</span>}
              </th>
              <td className="number">{all.length}</td>
              <td className="number">{name === 'client' ? '–' : linked}</td>
              <td className="number">{name === 'client' ? '–' : all.filter(({ suspect }) => suspect).length}</td>
            </tr>
          )
        })}
      </NamedTable>
    </div>
  )
}
