export { runSop } from './run-sop.ts'
export { sopAdmission } from './admission.ts'
