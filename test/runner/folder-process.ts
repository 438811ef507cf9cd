// The child process of one test folder: runs the named files one after the other and leaves the exit to Node, so that
// a handle left open shows as a process that does not end.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { run } from 'uvu/run';

const suites = process.argv.slice(2).map((file) => ({
  name: path.relative(process.cwd(), file),
  // uvu puts "file:///" before the name.
  file: pathToFileURL(path.resolve(file)).href.slice('file:///'.length),
}));

await run(suites);
