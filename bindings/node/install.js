'use strict';

// Run by npm: the addon of this package where it loads here, else one that is compiled now (needs the C library; see the README).

const { spawnSync } = require('node:child_process');
const { addon } = require('./addon');

try {
  addon();
} catch (missing) {
  console.log(`no ready addon (${missing.message}): compiling one`);
  const { status } = spawnSync('node-gyp', ['rebuild'], { cwd: __dirname, stdio: 'inherit', shell: true });
  process.exit(status ?? 1);
}
