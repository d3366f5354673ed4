export { runSop } from './run-sop.ts'
