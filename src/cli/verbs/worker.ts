import type { Verb } from '../command.ts'

export const worker: Verb = ({ ports }) => ports.worker()
