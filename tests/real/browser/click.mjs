// A real browser, driven: opens the URL, logs in where it is asked to, decides, follows to the end.
//
// node click.mjs allow|deny FOLDER URL
//
// Leaves in FOLDER: consent.png and last-page.png, and then last-page.json with the last page's URL,
// title and text, every address the browser's history would keep, and what was blocked or failed.

import { join } from 'node:path';

import { launch, leave } from './chromium.mjs';

const [decision, folder, start] = process.argv.slice(2);
const PATIENCE = 20_000;

const browser = await launch('EXCLUDE [::1]');

const problems = [];
const visited = [];

async function goThrough() {
  const page = await browser.newPage({ viewport: { width: 900, height: 640 } });
  page.setDefaultTimeout(PATIENCE);
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`${page.url()} ${message.text()}`);
  });
  page.on('framenavigated', (frame) => visited.push(frame.url()));
  await page.goto(start);
  if (await page.locator('input[name=login]').count()) {
    await page.fill('input[name=login]', 'person');
    await page.fill('input[name=password]', 'any');
    await Promise.all([page.waitForNavigation(), page.click('button[type=submit]')]);
  }
  await page.screenshot({ path: join(folder, 'consent.png') });
  await Promise.all([page.waitForURL('**/done/**'), decide(page)]);
  await page.screenshot({ path: join(folder, 'last-page.png') });
  const text = await page.locator('body').innerText();
  return { url: page.url(), title: await page.title(), text, visited, problems };
}

async function decide(page) {
  const choice = page.locator(`button[value=${decision}]`);
  if (await choice.count()) return choice.click();
  if (decision === 'deny') return page.click('a[href$="/abort"]');
  return page.click('button[type=submit]');
}

const last = await goThrough().catch((error) => ({ error: String(error), visited, problems }));
await browser.close();
await leave(folder, 'last-page.json', last);
