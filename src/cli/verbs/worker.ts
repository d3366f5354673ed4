import type { Verb } from '../command.ts'

export const worker: Verb = ({ ports, json }) => ports.worker({ json })
