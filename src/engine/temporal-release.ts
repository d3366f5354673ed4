/** The Temporal CLI that we download, build and test with. `tools/temporal/go.mod` pins the same version. */
export const TEMPORAL_CLI_VERSION = '1.8.2'

/** The server inside that CLI. */
export const TEMPORAL_SERVER_VERSION = '1.31.2'

/** The oldest embedded server that keeps our promises: fairness and the new matcher came with it. */
export const OLDEST_SERVER_VERSION = '1.31.0'

/** The oldest Go that can fetch the toolchain which `tools/temporal/go.mod` asks for. */
export const OLDEST_GO_VERSION = '1.21.0'

/** Where the SDKs download the CLI from; `<base>/<version>?arch=…&platform=…&format=tar.gz` answers with JSON. */
export const DOWNLOAD_BASE_URL = 'https://temporal.download/cli'
