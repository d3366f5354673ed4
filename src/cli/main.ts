#!/usr/bin/env node
// main.ts: the program `sop`.

import { runProcess } from './run-process.ts'

await runProcess()
