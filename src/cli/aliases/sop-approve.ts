#!/usr/bin/env node
import { runProcess } from '../run-process.ts'
import { ALIASES } from './commands.ts'

await runProcess(ALIASES.approve)
