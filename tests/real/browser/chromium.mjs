// A real browser that reaches this machine alone, and the file it leaves what it saw in.

import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

// Starts it; `names` are rules of its own for names, before those that keep it on this machine.
export function launch(...names) {
  const rules = [...names, 'MAP * ~NOTFOUND', 'EXCLUDE 127.0.0.1', 'EXCLUDE localhost'];
  return chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--disable-gpu',
      '--no-first-run',
      '--no-proxy-server',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--host-resolver-rules=${rules.join(', ')}`,
    ],
  });
}

// Writes a document in one piece, for whoever waits for the file.
export async function leave(folder, name, document) {
  const part = join(folder, `${name}.part`);
  await writeFile(part, JSON.stringify(document));
  await rename(part, join(folder, name));
}
