// no-stack-traces.ts: Temporal's worker takes a stack trace at every promise that workflow code makes, for its "stack trace"
// query, which costs a fifth of a run's workflow time (measured). A run says where it stands in its status, and a defect of
// the rules names the input that it struck at. Workers load this before any run, since later `Error` is frozen.

Error.stackTraceLimit = 0
