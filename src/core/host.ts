// host.ts: the queue of one host. A command whose worker was lost is asked for there, since nobody else has its output.

/** The task queue on which the worker of a host answers for its commands. */
export const hostQueue = (hostId: string): string => `sop-host-${hostId}`
