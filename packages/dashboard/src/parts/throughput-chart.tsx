import { formatBytes, formatRate } from './format.ts'
import { NamedTable } from './named-table.tsx'
import { linePoints, meanRates, type RateSample, ratesBySecond } from './rate-history.ts'

const WIDTH = 240
const HEIGHT = 48
/** Seconds that one row of the table stands for. */
const ROW_SECONDS = 10

export interface ThroughputChartProps {
  readonly now: {
    readonly sentBytesPerSecond: number
    readonly receivedBytesPerSecond: number
    readonly sentBytes: number
    readonly receivedBytes: number
  }
  readonly history: readonly RateSample[]
}

/** What flows each way: numbers, the last minute as two lines, and the same as a table for who sees no lines. */
export function ThroughputChart({ now, history }: ThroughputChartProps) {
  const rates = ratesBySecond(history)
  const most = Math.max(...rates.flatMap(({ sent, received }) => [sent, received]))
  const rows = meanRates(rates, ROW_SECONDS)
  const points = (values: readonly number[]): string => linePoints(values, most, WIDTH, HEIGHT)
  return (
    <section aria-labelledby="throughput">
      <h2 id="throughput">Throughput</h2>
      <div className="throughput">
        <dl className="facts">
          <dt>
            <span className="line received" aria-hidden="true" /> Received
          </dt>
          <dd className="number" data-testid="received">
            {formatRate(now.receivedBytesPerSecond)}, {formatBytes(now.receivedBytes)} in all
          </dd>
          <dt>
            <span className="line sent" aria-hidden="true" /> Sent
          </dt>
          <dd className="number" data-testid="sent">
            {formatRate(now.sentBytesPerSecond)}, {formatBytes(now.sentBytes)} in all
          </dd>
        </dl>
        <figure>
          <svg viewBox={`0 -2 ${WIDTH} ${HEIGHT + 4}`} preserveAspectRatio="none" aria-hidden="true">
            <polyline className="received" points={points(rates.map(({ received }) => received))} />
            <polyline className="sent" points={points(rates.map(({ sent }) => sent))} />
          </svg>
          <figcaption className="quiet">The last minute; the top is {formatRate(most)}</figcaption>
        </figure>
      </div>
      <div className="visually-hidden">
        <NamedTable
          caption={<>Throughput of the last minute, mean of each {ROW_SECONDS} seconds</>}
          columns={['Seconds ago', 'Received', 'Sent']}
        >
          {rows.map(({ sent, received }, index) => {
            const from = (rows.length - index) * ROW_SECONDS
            return (
              <tr key={from}>
                <th scope="row">
                  {from} to {from - ROW_SECONDS}
                </th>
                <td>{formatRate(received)}</td>
                <td>{formatRate(sent)}</td>
              </tr>
            )
          })}
        </NamedTable>
      </div>
    </section>
  )
}
