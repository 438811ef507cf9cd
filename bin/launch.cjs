'use strict';
// Plain CommonJS for any Node from 20 on: finds the Node >= 24.12 that runs the TypeScript sources
// and hands the command over to it, with arguments, signals and exit status.
const { spawn } = require('node:child_process');
const { constants } = require('node:os');
const { existsSync } = require('node:fs');
const path = require('node:path');

const MINIMUM = [24, 12];

function isRecentEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1]);
}

/** The Node binary that came with `npm ci`, or the running one where that is recent enough. */
function findNode() {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  try {
    const manifest = require.resolve(`node-${platform}-${process.arch}/package.json`);
    const binary = path.join(path.dirname(manifest), 'bin', platform === 'win' ? 'node.exe' : 'node');
    if (existsSync(binary)) return binary;
  } catch {
    // No package for this platform: fall through to the system's Node.
  }
  if (isRecentEnough(process.versions.node)) return process.execPath;
  console.error(
    `medledger needs Node ${MINIMUM.join('.')} or newer; this is ${process.versions.node}. ` +
      'Run "npm ci" without --omit=optional, or install a newer Node.',
  );
  process.exit(1);
}

/** Runs `entry` (a TypeScript file) with `args` under the found Node. */
function launch(entry, args) {
  // Larger halves of the young generation: a loaded node collects half as often what lives for one block.
  const options = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=32'];
  const child = spawn(findNode(), [...options, entry, ...args], {
    stdio: 'inherit',
    // Compiled code is kept beside the packages: stripping and compiling anew would double the time to start.
    env: { NODE_COMPILE_CACHE: path.join(__dirname, '..', 'node_modules', '.cache', 'compile'), ...process.env },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    // A terminal sends Ctrl-C to the whole foreground group; passing it on twice would force the exit.
    process.on(signal, () => {
      if (signal === 'SIGINT' && process.stdin.isTTY) return;
      child.kill(signal);
    });
  }
  child.on('error', (error) => {
    console.error(`Cannot start ${entry}: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    process.exit(signal === null ? code : 128 + (constants.signals[signal] ?? 0));
  });
}

module.exports = { launch };
