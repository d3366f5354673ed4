// child.ts — the SOPs that a run runs as its steps. A child is a workflow of its own that outlives the executions of its
// parent: it tells the parent's workflow id how it ended. Where that does not come, the end that Temporal knows counts.

import {
  type ChildWorkflowHandle,
  type CancellationScope,
  getExternalWorkflowHandle,
  isCancellation,
  proxyActivities,
  sleep,
  startChild,
} from '@temporalio/workflow'
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common'
import type { Activities } from '../activities/index.ts'
import { type ChildTask, type ChildWork, childTask } from '../core/run/child.ts'
import type { ChildResult, RunInput } from '../core/run/input.ts'
import { type ChildCancel, childResultOf } from '../core/run/child-end.ts'
import type { Run } from '../core/run/run.ts'
import { bookkeepingOptions } from './activity-options.ts'
import { CHILD_ENDED, type ChildEnded, RUN_WORKFLOW, type RunSopResult } from './messages.ts'

/** First and longest pause between two looks at a child whose end Temporal does not tell this execution. */
const PROBE_MS = 60_000
const LONGEST_PROBE_MS = 600_000

const activities = (summary: string) => proxyActivities<Activities>(bookkeepingOptions(summary))

export class Children {
  /** Run ids of the children that were started, by the work that they are. */
  private readonly started = new Map<string, string>()
  /** Started by an earlier execution of this run. */
  private readonly adopted = new Map<string, string>()
  private readonly waiting = new Map<string, (result: ChildResult) => void>()
  /** Works whose child is being told to end: a message that is under way does not outlive the execution. */
  private readonly telling = new Set<string>()
  private readonly host: CancellationScope

  constructor(host: CancellationScope) {
    this.host = host
  }

  goOn(children: Readonly<Record<string, string>> = {}): void {
    for (const [workId, runId] of Object.entries(children)) this.adopted.set(workId, runId)
  }

  snapshot(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.started)
  }

  /** Whether the work is a child that goes on by itself, whatever becomes of this execution. */
  isDetached(workId: string): boolean {
    return this.started.has(workId) && !this.telling.has(workId)
  }

  /** Whether an earlier execution of this run started it, and nobody waits for it yet. */
  isAdopted(workId: string): boolean {
    return this.adopted.has(workId)
  }

  /** A child says that it ended. Given back is the end of one that nobody waits for, as of one that was opened again. */
  receive(message: unknown): Extract<RunInput, { kind: 'child_ended' }> | undefined {
    if (!isChildEnded(message)) return undefined
    const { workId, result } = message
    const waits = this.waiting.get(workId)
    // Of one that an earlier execution began the end is looked for as soon as it is waited for.
    if (waits === undefined) return this.adopted.has(workId) ? undefined : { kind: 'child_ended', workId, result }
    waits(result)
    return undefined
  }

  /** Runs a child to its end. When the scope is cancelled the child is told so, and its end is waited for. */
  async run(scope: CancellationScope, run: Run, work: ChildWork, how: () => ChildCancel): Promise<ChildResult> {
    const made = childTask(run, work)
    if (!made.ok) return { outcome: 'failed', reason: made.error }
    const told = new Promise<ChildResult>((resolve) => this.waiting.set(work.id, resolve))
    try {
      const end = await this.begin(scope, work, made.task)
      if ('outcome' in end) return end
      this.started.set(work.id, made.task.runId)
      scope.cancelRequested.catch(() => void this.cancel(work.id, made.task.runId, how()))
      return await Promise.race([told, end.ended])
    } finally {
      this.started.delete(work.id)
      this.waiting.delete(work.id)
    }
  }

  private async begin(
    scope: CancellationScope,
    work: ChildWork,
    task: ChildTask,
  ): Promise<ChildResult | { readonly ended: Promise<ChildResult> }> {
    if (this.adopted.delete(work.id)) return { ended: this.probe(task.runId) }
    try {
      const { seal } = await scope.run(() =>
        activities(`Prepare SOP ${task.sop}`.slice(0, 200)).prepareChild(task.order),
      )
      if (scope.consideredCancelled) return { outcome: 'cancelled', reason: 'it was cancelled before it began' }
      return { ended: endOf(await this.host.run(() => start(task, seal))) }
    } catch (error) {
      if (isCancellation(error)) return { outcome: 'cancelled', reason: 'it was cancelled before it began' }
      if (error instanceof WorkflowExecutionAlreadyStartedError) return { ended: this.probe(task.runId) }
      return { outcome: 'failed', reason: messageOf(error) }
    }
  }

  private async cancel(workId: string, runId: string, how: ChildCancel): Promise<void> {
    this.telling.add(workId)
    try {
      await this.host.run(() => getExternalWorkflowHandle(runId).signal('cancel', how))
    } catch {
      // It is over already, and says so.
    } finally {
      this.telling.delete(workId)
    }
  }

  /** Looks at the child from time to time: a message that it sent while nobody listened must not be missed. */
  private async probe(runId: string): Promise<ChildResult> {
    for (let pauseMs = PROBE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PROBE_MS)) {
      const end = await this.host.run(() => activities('Look whether the SOP has ended').readRunEnd({ runId }))
      if (end !== null) return end
      await this.host.run(() => sleep(pauseMs, { summary: 'Until the next look at the SOP' }))
    }
  }
}

const start = (task: ChildTask, seal: string): Promise<ChildWorkflowHandle<() => Promise<RunSopResult>>> => {
  const { definition } = task.pinned
  return startChild<() => Promise<RunSopResult>>(RUN_WORKFLOW, {
    workflowId: task.runId,
    args: [{ ...task.order.input, sop: task.sop, pinned: task.pinned, seal }] as unknown as [],
    parentClosePolicy: 'ABANDON',
    cancellationType: 'ABANDON',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
    staticSummary: definition.title.slice(0, 200),
    memo: { sop: task.sop },
  })
}

const endOf = async (handle: ChildWorkflowHandle<() => Promise<RunSopResult>>): Promise<ChildResult> => {
  try {
    return { outcome: 'ok', outputs: (await handle.result()).outputs }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    return { outcome: isCancellation(cause) ? 'cancelled' : 'failed', reason: messageOf(cause) }
  }
}

const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}

/** The last that a child does: whoever runs it as a step is told, if it is still there. */
export const tellParent = async (run: Run): Promise<void> => {
  const { runId, parent } = run.seed
  const result = childResultOf(run)
  if (parent === undefined || result === undefined) return
  try {
    const message: ChildEnded = { runId, workId: parent.workId, result }
    await getExternalWorkflowHandle(parent.runId).signal(CHILD_ENDED, message)
  } catch {
    // The parent is over.
  }
}

const isChildEnded = (value: unknown): value is ChildEnded => {
  const { workId, result } = (value ?? {}) as Partial<ChildEnded>
  return typeof workId === 'string' && ['ok', 'failed', 'cancelled'].includes(result?.outcome ?? '')
}
