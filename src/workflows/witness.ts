import { proxySinks, type Sinks, type WorkflowInterceptors, workflowInfo } from '@temporalio/workflow'
import { type Observed, observed } from './observed.ts'

// witness.ts: what an execution does while its history is replayed, told to whoever replays it. Temporal compares only
// the order and the kinds of commands; their arguments are compared with what this tells (guarantee 6). It does nothing
// on a worker that carries runs out: only a replay writes its memo into the history that it plays.

/** Key of the memo by which a replay asks for it, and says from which length of history on it wants to know the state. */
export const WITNESS_MEMO = 'sopWitnessFrom'

/** One command as the execution gave it to Temporal, in the protocol's own shape. */
export type WitnessedCommand = Readonly<Record<string, unknown>>

export interface WitnessSinks extends Sinks {
  readonly witness: {
    saw(commands: readonly WitnessedCommand[], state: Observed | undefined): void
  }
}

export const interceptors = (): WorkflowInterceptors => ({
  internals: [
    {
      concludeActivation: (input, next) => {
        const output = next(input)
        const { memo, historyLength } = workflowInfo()
        const from = memo?.[WITNESS_MEMO]
        if (typeof from === 'number') testify(output.commands, historyLength >= from ? observed() : undefined)
        return output
      },
    },
  ],
})

const testify = (commands: readonly object[], state: Observed | undefined): void => {
  if (commands.length === 0 && state === undefined) return
  proxySinks<WitnessSinks>().witness.saw(commands as readonly WitnessedCommand[], state)
}
