import fc from 'fast-check'

// laws.ts: fast-check with one seed for everybody, so that a suite that was green stays green until the code changes.
// LAWS_SEED takes another number, or `random` to look for what no game has shown yet; a failure prints its seed.

const asked = process.env['LAWS_SEED']
if (asked !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(asked ?? 20_260_301) })

export default fc
