// arm.mjs: given to a worker or an API by `node --import`, and by nobody but a chaos run: replaces modules of the build by
// ones that can be told to kill their process at a certain instant. The build itself knows nothing of it.

import { register } from 'node:module'

register('./hooks.mjs', import.meta.url)
