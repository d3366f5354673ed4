import type { Json } from '../definition.ts'
import type { Principal } from '../run/principal.ts'

// occurrence.ts: what happened outside and may begin runs. Every source of triggers (an HTTP path, a message, a file, a
// broker, the end of a run) tells it in these words; from there on all of them go the same way (product.md 5).

/** The sources that tell of occurrences. A schedule is not one of them: Temporal starts its runs itself. */
export const OCCURRENCE_SOURCES = ['webhook', 'event', 'command', 'file_watch', 'mqtt', 'amqp', 'sop'] as const
export type OccurrenceSource = (typeof OCCURRENCE_SOURCES)[number]

export interface Occurrence {
  readonly source: OccurrenceSource
  /**
   * What triggers are matched with: the path of a webhook, the name of an event, the text of a message, the path of a
   * file, an MQTT topic, an AMQP routing key, the name of the SOP whose run ended.
   */
  readonly subject: string
  /** What happened to it: `create|modify|delete` of a file, `completed|failed|cancelled` of a run, the HTTP method. */
  readonly action?: string
  /** When it came here, ISO-8601. Cooldowns run from this time (rulings 24). */
  readonly at: string
  /** The body, or what stands for it. Becomes params by name or by the trigger's `params`. */
  readonly payload: Json
  /** Names in lower case; without credentials and signatures. */
  readonly headers?: Readonly<Record<string, string>>
  /** Tells repeats: of occurrences with one key each SOP runs once (guarantee 10). Absent: every one counts. */
  readonly key?: string
  /** Who vouches for it: the token's principal, or a service named after the source, e.g. `webhook:/webhook/incident`. */
  readonly principal: Principal
}
