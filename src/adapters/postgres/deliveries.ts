import { type Delivery, DELIVERY_LIST_DEFAULT, type DeliveryStore } from '../../core/trigger/delivery.ts'
import type { Database } from './database.ts'

interface Row {
  readonly delivery: Delivery
}

const deliveriesOf = (rows: readonly Row[]): readonly Delivery[] => rows.map(({ delivery }) => delivery)

/** Deliveries on PostgreSQL. */
export const createPostgresDeliveries = ({ db }: { readonly db: Database }): DeliveryStore => ({
  put: async (delivery) => {
    const { id, at, sop, source, verdict } = delivery
    await db.query(
      `INSERT INTO sop_deliveries (id, at, sop, source, verdict, delivery) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO NOTHING`,
      [id, at, sop ?? null, source, verdict, storable(delivery)],
    )
  },
  get: async (id) => {
    const rows = await db.query<Row>('SELECT delivery FROM sop_deliveries WHERE id = $1', [id])
    return deliveriesOf(rows)[0]
  },
  list: async ({ sop, source, verdict, before, limit = DELIVERY_LIST_DEFAULT }) =>
    deliveriesOf(
      await db.query<Row>(
        `SELECT delivery FROM sop_deliveries
           WHERE ($1::text IS NULL OR sop = $1) AND ($2::text IS NULL OR source = $2)
             AND ($3::text IS NULL OR verdict = $3) AND ($4::text IS NULL OR id < $4)
           ORDER BY id DESC LIMIT $5`,
        [sop ?? null, source ?? null, verdict ?? null, before ?? null, limit],
      ),
    ),
  prune: async (before) => {
    await db.query('DELETE FROM sop_deliveries WHERE at < $1', [before])
  },
})

/** The JSON of PostgreSQL has no character U+0000: senders that send one get U+FFFD on record. */
const storable = (delivery: Delivery): string =>
  JSON.stringify(delivery).replaceAll(/(?<!\\)((?:\\\\)*)\\u0000/g, '$1\\ufffd')
